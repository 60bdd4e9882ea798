"""Deadlines: a pack's clocks turned into instants, once, when the event that starts them happens.

Hours and seconds count from the instant. Days, weeks, months and business days count from the local date of the
trigger, which itself counts only where the clock says so, and end with the last second of the last day, in the time
zone of the clock's calendar.

A clock that runs is a *round*: the clock's name and the number of the event that made it run. What lawfully moves its
end (an extension the customer was told of, a stricter assessment, a calendar extended, for internal clocks a pause)
ends the round and starts another, under the number of that event; nothing planned is ever changed.
"""

from collections.abc import Iterable

from pydantic import Field

from domain.ground.base import Instant, Record
from domain.ground.scope import Facts
from domain.ground.words import Action, CaseEvent, TaskKind


class Occurred(Record):
    """An event of a case. ``number`` orders its events; events that happened by the same cause share it.

    EXTENDED names the ``clock`` and the ``extension``, HELD the rule of the ``letter``, RECEIVED and RECLASSIFIED carry
    the ``facts`` as assessed, REPLANNED the hash of the ``calendar``. What ends just one of several rounds of a clock,
    such as REMEDY_CONFIRMED, says in ``of`` which event began it; what begins one with a given end, such as
    RELIEF_GRANTED, says in ``until`` when that is. TASK_GIVEN says which ``task`` it is.
    """

    event: CaseEvent
    at: Instant
    number: int
    clock: str | None = None
    extension: str | None = None
    facts: Facts | None = None
    calendar: str | None = None
    letter: str | None = None
    of: int | None = None
    until: Instant | None = None
    task: TaskKind | None = None

    @property
    def key(self) -> str:
        return f"event:{self.number}:{self.event.value}"


class Deadline(Record):
    """One rung of one clock, planned. ``number`` is that of the event which made the clock run.

    ``started_at`` is when the clock began to count, ``due`` when the rung acts, ``clock_due`` when the clock itself
    ends; ``how`` tells in words how they were found. A ``provisional`` end lies beyond the days for which the
    calendar's holidays are known.
    """

    clock: str
    number: int
    rung: str
    statutory: bool
    started_at: Instant
    due: Instant
    clock_due: Instant
    actions: tuple[Action, ...] = Field(min_length=1)
    level: int | None = None
    how: str
    provisional: bool = False

    @property
    def key(self) -> str:
        return f"{self.clock}:{self.number}:{self.rung}"

    @property
    def spoken(self) -> str:
        """The clock's length and end in a few words."""
        return f"{self.how.partition(' at ')[0]}, until {self.clock_due:%Y-%m-%d %H:%M:%S} UTC"

    @property
    def round(self) -> str:
        """The clock and which of its rounds."""
        return f"{self.clock}:{self.number}"


class Satisfied(Record):
    """A round that has ended: when, and by which event.

    It has done its duty, or, where it was ``replaced``, another round has its place or (after a pause) will have it.
    """

    clock: str
    number: int
    by: CaseEvent
    by_number: int
    at: Instant
    replaced: bool = False

    @property
    def round(self) -> str:
        return f"{self.clock}:{self.number}"


class Firing(Record):
    """A rung that came due and acted; lateness is ``fired_at - due``."""

    clock: str
    number: int
    rung: str
    due: Instant
    fired_at: Instant
    breach: bool

    @property
    def key(self) -> str:
        return f"firing:{self.clock}:{self.number}:{self.rung}"


class Round(Record):
    """A round as planned: when each of its ``rungs`` acts, and how it ``ended``, if it has."""

    clock: str
    number: int
    started_at: Instant
    clock_due: Instant
    provisional: bool
    rungs: dict[str, Instant]
    ended: Satisfied | None = None

    @property
    def key(self) -> str:
        """The round as :class:`Deadline` and :class:`Satisfied` name it."""
        return f"{self.clock}:{self.number}"


class Followed(Record):
    """What events led to: rungs planned, earliest first, and rounds ended."""

    planned: tuple[Deadline, ...] = ()
    satisfied: tuple[Satisfied, ...] = ()


class ClockHistory(Record):
    """All that happened in a case, every rung that was planned in it, and how its rounds have ended."""

    events: tuple[Occurred, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    satisfied: tuple[Satisfied, ...] = ()

    def grown(self, events: Iterable[Occurred], followed: Followed) -> "ClockHistory":
        """The history with these *events*, and what they led to."""
        return ClockHistory(
            events=(*self.events, *events),
            deadlines=(*self.deadlines, *followed.planned),
            satisfied=(*self.satisfied, *followed.satisfied),
        )
