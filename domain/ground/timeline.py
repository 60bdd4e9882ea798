"""The timeline: what happened, line by line."""

from datetime import datetime
from typing import Any, Final

from pydantic import Field

from domain.ground.base import Instant, Record

UNPROVEN: Final = "unproven"
"""Marks, in the data of a line, that no token proves that its actor said it."""


class Entry(Record):
    """One line of the timeline. ``key`` is unique within the case; ``actor`` is ``role:id``.

    ``journal`` orders the lines of one instant as the workflow wrote them, in whatever order they reach the file.
    ``token`` is the signed token of whoever said what the line notes.
    """

    key: str
    at: Instant
    kind: str
    actor: str
    text: str
    data: dict[str, Any] = Field(default_factory=dict)
    journal: int | None = None
    token: str | None = None

    @property
    def spoken_by(self) -> str:
        """The actor as people are shown them: who is not proven to have said it is marked."""
        return f"{self.actor} (not proven)" if self.data.get(UNPROVEN) else self.actor


def beyond(since: datetime, at: datetime) -> int:
    """More than a life since then counted to by that moment, and more at every later one.

    A workflow that is reset counts on from there: what it says from now on is newer than what the file has of the life
    that was lost, and has no number that is taken; so it is too where somebody resets it once more a little later, to
    an earlier moment yet. A life of eight years still fits the integers of the file.
    """
    return 10_000 + 8 * int((at - since).total_seconds())
