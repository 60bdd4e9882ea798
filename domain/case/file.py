"""What goes into the case file, and what the file answers."""

from datetime import datetime
from typing import Any

from domain.case.summary import CaseSummary
from domain.clocks.deadlines import Deadline, Firing, Occurred, Satisfied
from domain.ground.base import Identifier, Instant, Record
from domain.ground.timeline import Entry
from domain.people.hands import Hands


class Rejected(Record):
    """A message that did not fit, kept with the reason. ``payload`` is its JSON as text."""

    key: str
    at: Instant
    name: str
    reason: str
    payload: str


class CaseUpdate(Record):
    """What has changed since the case file was last written; recorded in the transaction of the effect it goes with.

    Recording the same update twice changes nothing: entries, firings and rejected messages have keys, events numbers,
    and an older summary never replaces a newer one.
    """

    reference: Identifier
    policy_hash: str
    summary: CaseSummary
    entries: tuple[Entry, ...] = ()
    events: tuple[Occurred, ...] = ()
    firings: tuple[Firing, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    asked: tuple[str, ...] = ()
    """Rounds of which the answer is to say whether they have ended, and how."""
    checkpoint: dict[str, Any] | None = None
    """What another workflow would go on from, should Temporal lose this one."""

    @property
    def keys(self) -> set[str]:
        """The keys of all it carries."""
        return {
            *(entry.key for entry in self.entries),
            *(event.key for event in self.events),
            *(firing.key for firing in self.firings),
            *(rejected.key for rejected in self.rejected),
        }

    @property
    def emptied(self) -> "CaseUpdate":
        """The update as one that was recorded already: it carries nothing."""
        nothing = {"entries": (), "events": (), "firings": (), "rejected": (), "asked": (), "checkpoint": None}
        return self.model_copy(update=nothing)

    def dated(self, at: datetime) -> "CaseUpdate":
        """The update of an effect that was anticipated, now that it has happened *at* that instant."""
        return self.model_copy(
            update={
                "summary": self.summary.model_copy(update={"stage_since": at}),
                "entries": tuple(entry.model_copy(update={"at": at}) for entry in self.entries),
            }
        )


class Recorded(Record):
    """What an update led to: rounds of clocks begun and ended, and whose ``hands`` the case is in where that may have
    changed.

    ``refuses_plain`` says whether signals in plain JSON are taken from now on; ``None`` that nothing is said of it.
    """

    planned: tuple[Deadline, ...] = ()
    satisfied: tuple[Satisfied, ...] = ()
    hands: Hands | None = None
    refuses_plain: bool | None = None
