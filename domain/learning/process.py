"""Reviews of the complaints process itself: asked for at fixed times, done by people, told of while they are not."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from domain.case.reasons import is_said
from domain.ground.base import Identifier, Instant, Line, Record, Text
from domain.ground.messages import Message, NotAllowed
from domain.ground.words import Role
from domain.learning.reviewing import REVIEWING


class ProcessReviewOrder(Record):
    """Have the process reviewed after each period, within so many days."""

    length: Literal["quarter", "half_year", "year"] = "half_year"
    zone: str = "UTC"
    within_days: Annotated[int, Field(ge=7, le=180)] = 30


class AskProcessReview(Record):
    """Ask for the review of the period before the one of ``at``, once, and mail those who do it."""

    order: ProcessReviewOrder
    at: Instant
    key: str


class ProcessReviewAsked(Record):
    period: str
    due: Instant


class ChaseProcessReview(Record):
    """Tell those who review, and whoever has the role ``raised_to``, that it is not done."""

    period: str
    due: Instant
    at: Instant
    key: str
    raised_to: Role | None = None


class ProcessReviewStands(Record):
    done: bool


class RecordProcessReview(Message):
    """Say what a look at the process found, and what is to change. Nothing to change is said by no ``changes``."""

    name = "record_process_review"
    period: Identifier
    found: Text
    changes: Annotated[tuple[Line, ...], Field(max_length=50)] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not is_said(self.found):
            raise ValueError("found: one word tells nobody what was looked at; say it in a sentence")
        return self


class ProcessReviewState(StrEnum):
    """Where the review of a period stands."""

    OPEN = "open"
    OVERDUE = "overdue"
    DONE = "done"


class ProcessReview(Record):
    """The review of a period: until when, and what it found once it is done."""

    period: str
    due: Instant
    done: RecordProcessReview | None = None

    def state(self, at: Instant) -> ProcessReviewState:
        if self.done:
            return ProcessReviewState.DONE
        return ProcessReviewState.OVERDUE if at > self.due else ProcessReviewState.OPEN


def check_process_review(asked: ProcessReview | None, said: RecordProcessReview) -> None:
    """Raise :class:`NotAllowed` unless that can be said of the period."""
    if asked is None:
        raise NotAllowed("period: no review of the process was asked for then; redress process list shows them")
    if said.actor.role not in REVIEWING:
        allowed = ", ".join(sorted(REVIEWING))
        raise NotAllowed(f"actor: role {said.actor.role.value} may not review the process; {allowed} may")
    if asked.done:
        raise NotAllowed("period: the process was reviewed for that period already")
