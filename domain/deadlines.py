"""Deadlines: a pack's clocks turned into instants, once, when the event that starts them happens.

Hours and seconds count from the instant. Days, weeks, months and business days count from the local date of the
trigger, which itself does not count, and end with the last second of the last day, in the pack's time zone.
"""

from calendar import monthrange
from datetime import date, datetime, timedelta

from pydantic import Field

from domain import calendars
from domain.base import Instant, Record
from domain.policy import Calendar, Clock, Length, PolicyPack, Rung
from domain.words import Action, CaseEvent


class Occurred(Record):
    """An event of a case. ``number`` is unique within the case and orders its events."""

    event: CaseEvent
    at: Instant
    number: int

    @property
    def key(self) -> str:
        return f"event:{self.number}:{self.event.value}"


class Deadline(Record):
    """One rung of one clock, planned. ``number`` is that of the event which started the clock.

    ``due`` is when the rung acts, ``clock_due`` when the clock itself ends; ``how`` tells in words how they were found.
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

    @property
    def key(self) -> str:
        return f"{self.clock}:{self.number}:{self.rung}"

    @property
    def round(self) -> str:
        """The clock and which of its rounds."""
        return f"{self.clock}:{self.number}"


class Satisfied(Record):
    """A clock that has done its duty: when, and by which event."""

    clock: str
    number: int
    by: CaseEvent
    by_number: int
    at: Instant

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


def plan(pack: PolicyPack, occurred: Occurred) -> list[Deadline]:
    """Every rung of every clock that *occurred* starts, earliest first."""
    planned = [
        deadline
        for clock in pack.clocks
        if clock.trigger is occurred.event
        for deadline in _plan_clock(pack.calendar, clock, occurred)
    ]
    return sorted(planned, key=lambda deadline: (deadline.due, deadline.clock))


def satisfies(clock: Clock, started_by_number: int, occurred: Occurred, *, started_at: datetime | None = None) -> bool:
    """Whether *occurred* satisfies *clock*, running since the event with number *started_by_number* at *started_at*.

    It does if it came later by its number or by its time: a letter keeps the number under which it was asked for, and
    may be accepted long after.

    An event may start a clock and satisfy its earlier round (each letter starts the wait for the next one); it never
    satisfies the round that it starts itself. The closing of the case ends every clock.
    """
    if occurred.event is CaseEvent.CLOSED:
        return True
    if occurred.event not in clock.satisfied_by:
        return False
    return (started_by_number < occurred.number or (started_at is not None and started_at < occurred.at)) or (
        started_by_number == occurred.number and clock.trigger is not occurred.event
    )


def reach(calendar: Calendar, start: datetime, length: Length) -> datetime:
    """The instant *length* after *start*."""
    return _reach(calendar, start, length, forward=True)


def _plan_clock(calendar: Calendar, clock: Clock, occurred: Occurred) -> list[Deadline]:
    clock_due = reach(calendar, occurred.at, clock.length)
    started, ended = (f"{at.astimezone(calendar.zone):%a %d %b %Y %H:%M:%S}" for at in (occurred.at, clock_due))
    how = f"{clock.length} from {occurred.event.value.replace('_', ' ')} at {started} {calendar.time_zone}: {ended}"
    return [
        Deadline(
            clock=clock.name,
            number=occurred.number,
            rung=rung.name,
            statutory=clock.kind == "statutory",
            started_at=occurred.at,
            due=due,
            clock_due=clock_due,
            actions=rung.actions,
            level=rung.level,
            how=how if due == clock_due else f"{how}; rung {rung.name} {_offset(rung)}",
        )
        for rung in clock.rungs
        # A warning that would lie before the clock starts (a long one on a short clock) comes with the start.
        for due in (max(occurred.at, _rung_due(calendar, rung, occurred.at, clock_due)),)
    ]


def _offset(rung: Rung) -> str:
    return f"{rung.before} before" if rung.before else f"{rung.after_start} after the start"


def _rung_due(calendar: Calendar, rung: Rung, start: datetime, clock_due: datetime) -> datetime:
    if rung.before:
        return _reach(calendar, clock_due, rung.before, forward=False)
    if rung.after_start:
        return _reach(calendar, start, rung.after_start, forward=True)
    return clock_due


def _reach(calendar: Calendar, start: datetime, length: Length, *, forward: bool) -> datetime:
    sign = 1 if forward else -1
    day = calendars.local_day(calendar, start)
    match length.unit:
        case "seconds":
            return start + timedelta(seconds=sign * length.count)
        case "hours":
            return start + timedelta(hours=sign * length.count)
        case "days":
            day += timedelta(days=sign * length.count)
        case "weeks":
            day += timedelta(weeks=sign * length.count)
        case "months":
            day = _add_months(day, sign * length.count)
        case _:
            day = _move_business_days(calendar, day, length.count, sign)
    return calendars.end_of_day(calendar, day)


def _move_business_days(calendar: Calendar, day: date, count: int, sign: int) -> date:
    if sign > 0:
        return calendars.add_business_days(calendar, day, count)
    while count:
        day -= timedelta(days=1)
        count -= calendars.is_business_day(calendar, day)
    return day


def _add_months(day: date, count: int) -> date:
    """The same day *count* months on, or that month's last day."""
    month = day.month - 1 + count
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
