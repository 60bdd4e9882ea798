"""Deadlines: a pack's clocks turned into instants, once, when the event that starts them happens.

Hours and seconds count from the instant. Days, weeks, months and business days count from the local date of the
trigger, which itself counts only where the clock says so, and end with the last second of the last day, in the time
zone of the clock's calendar.

A clock that runs is a *round*: the clock's name and the number of the event that made it run. What lawfully moves its
end (an extension the customer was told of, a stricter assessment, a calendar extended, for internal clocks a pause)
ends the round and starts another, under the number of that event; nothing planned is ever changed.
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple, Protocol

from pydantic import Field

from domain import calendars
from domain.base import Instant, Record
from domain.policy import Calendar, Clock, Extension, Facts, Length, Rung
from domain.words import Action, CaseEvent, Category

Calendars = Mapping[str, Calendar]
"""Calendars by hash: those that REPLANNED events of a case name."""


class ClockRules(Protocol):
    """What is asked of a policy pack here: its clocks, and the calendar that each is counted in."""

    @property
    def clocks(self) -> tuple[Clock, ...]: ...

    def clock(self, name: str) -> Clock:
        """The clock of that name. Raises ``LookupError``."""

    def calendar_of(self, clock: Clock) -> Calendar: ...


class Occurred(Record):
    """An event of a case. ``number`` orders its events; events that happened by the same cause share it.

    EXTENDED names the ``clock`` and the ``extension``, HELD the rule of the ``letter``, RECEIVED and RECLASSIFIED carry
    the ``facts`` as assessed, REPLANNED the hash of the ``calendar``.
    """

    event: CaseEvent
    at: Instant
    number: int
    clock: str | None = None
    extension: str | None = None
    facts: Facts | None = None
    calendar: str | None = None
    letter: str | None = None

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


def plan(pack: ClockRules, occurred: Occurred, facts: Facts | None = None) -> list[Deadline]:
    """Every rung of every clock that *occurred* starts, earliest first, for a complaint with these *facts*."""
    facts = facts or occurred.facts or Facts(category=Category.OTHER)
    return list(_starts(_Story(pack, [occurred.model_copy(update={"facts": facts})], {}), occurred))


def follow(
    pack: ClockRules,
    rounds: Iterable[Round],
    history: Iterable[Occurred],
    new: Iterable[Occurred],
    calendars_by_hash: Calendars | None = None,
) -> Followed:
    """What the *new* events lead to, in a case with these *rounds* and this whole *history*, which includes them.

    Rounds are satisfied with all that has happened, not only with what is new: a letter may be accepted, and start a
    clock, after an event with a higher number that satisfies it.
    """
    events = sorted(history, key=_as_it_happened)
    coming = sorted(new, key=_as_it_happened)
    standing = {(one.clock, one.number): one for one in rounds}
    planned: list[Deadline] = []
    satisfied: list[Satisfied] = []

    def begin(deadlines: Iterable[Deadline]) -> None:
        for one in as_rounds(fresh := list(deadlines)):
            standing[one.clock, one.number] = one
        planned.extend(fresh)

    def end(satisfaction: Satisfied) -> None:
        key = satisfaction.clock, satisfaction.number
        standing[key] = standing[key].model_copy(update={"ended": satisfaction})
        satisfied.append(satisfaction)

    def satisfy(happened: Sequence[Occurred]) -> None:
        for one in list(standing.values()):
            if one.ended is None and (by := _first_that_satisfies(pack.clock(one.clock), one, happened)):
                at = max(by.at, one.started_at)
                end(Satisfied(clock=one.clock, number=one.number, by=by.event, by_number=by.number, at=at))

    for index, occurred in enumerate(coming):
        # What is satisfied already does not move any more.
        satisfy([one for one in events if one not in coming[index:]])
        story = _Story(pack, [one for one in events if one not in coming[index + 1 :]], calendars_by_hash or {})
        for ended, deadlines in _shifts(story, occurred, list(standing.values())):
            if ended:
                end(ended)
            begin(deadlines)
        begin(_starts(story, occurred))
    satisfy(events)
    return Followed(planned=tuple(sorted(planned, key=_in_order)), satisfied=tuple(satisfied))


def recount(
    pack: ClockRules, events: Iterable[Occurred], calendars_by_hash: Calendars | None = None
) -> tuple[list[Deadline], dict[str, Satisfied]]:
    """The rungs that *events*, as they happened one after the other, lead to under *pack*; and by round how it ended.

    The order is that of time, and not of the events' numbers: a letter keeps the number under which it was asked for.
    """
    planned: list[Deadline] = []
    ended: dict[str, Satisfied] = {}
    history: list[Occurred] = []
    for event in sorted(events, key=_as_it_happened):
        history.append(event)
        rounds = [one.model_copy(update={"ended": ended.get(one.key)}) for one in as_rounds(planned)]
        followed = follow(pack, rounds, history, [event], calendars_by_hash)
        planned += followed.planned
        ended |= {one.round: one for one in followed.satisfied}
    return planned, ended


def replay(pack: ClockRules, events: Iterable[Occurred], calendars_by_hash: Calendars | None = None) -> list[Round]:
    """The rounds that a case with these *events* has under *pack*, in the order in which they began."""
    planned, ended = recount(pack, events, calendars_by_hash)
    return [one.model_copy(update={"ended": ended.get(one.key)}) for one in as_rounds(planned)]


def as_rounds(deadlines: Iterable[Deadline]) -> list[Round]:
    """The rounds that *deadlines* are the rungs of, running."""
    rounds: dict[tuple[str, int], Round] = {}
    for one in deadlines:
        before = rounds.get((one.clock, one.number))
        rounds[one.clock, one.number] = Round(
            clock=one.clock,
            number=one.number,
            started_at=one.started_at,
            clock_due=one.clock_due,
            provisional=one.provisional,
            rungs={**(before.rungs if before else {}), one.rung: one.due},
        )
    return list(rounds.values())


def satisfies(clock: Clock, started_by_number: int, occurred: Occurred, *, started_at: datetime | None = None) -> bool:
    """Whether *occurred* satisfies *clock*, running since the event with number *started_by_number* at *started_at*.

    It does if it came later by its number or by its time: a letter keeps the number under which it was asked for, and
    may be accepted long after.

    An event may start a clock and satisfy its earlier round (each letter starts the wait for the next one); it never
    satisfies the round that it starts itself. The closing of the case ends every clock; a payment that came back, those
    that the settlement started. A holding letter satisfies only the clocks that send it, and those that send none.
    """
    if occurred.event is CaseEvent.CLOSED:
        return True
    if occurred.event is CaseEvent.PAYMENT_RETURNED and clock.trigger is CaseEvent.SETTLED:
        return started_by_number < occurred.number
    if occurred.event not in clock.satisfied_by:
        return False
    holding = {rung.letter for rung in clock.rungs if rung.letter}
    if occurred.event is CaseEvent.HELD and holding and occurred.letter and occurred.letter not in holding:
        return False
    return (started_by_number < occurred.number or (started_at is not None and started_at < occurred.at)) or (
        started_by_number == occurred.number and clock.trigger is not occurred.event
    )


def shifts(clock: Clock, occurred: Occurred) -> bool:
    """Whether *occurred* may end a round of *clock* and begin another."""
    match occurred.event:
        case CaseEvent.EXTENDED:
            return occurred.clock == clock.name
        case CaseEvent.RECLASSIFIED | CaseEvent.REPLANNED:
            return True
        case event:
            return event in _PAUSE and clock.pauses and event is not clock.trigger and event not in clock.satisfied_by


def reach(
    calendar: Calendar,
    start: datetime,
    length: Length,
    *,
    first_day_counts: bool = False,
    on_closed_day: str = "stays",
) -> datetime:
    """The instant *length* after *start*, in UTC."""
    if length.unit in {"seconds", "hours"}:
        return start.astimezone(UTC) + timedelta(**{length.unit: length.count})
    if length.unit == "business_days":
        day = _add_business_days(calendar, calendars.day_of(calendar, start), length.count, first=first_day_counts)
    else:
        day = _add(calendars.local_day(calendar, start), length)
        if first_day_counts and length.count:
            day -= timedelta(days=1)
    if on_closed_day == "next_business_day":
        day = calendars.next_business_day(calendar, day)
    return calendars.end_of_day(calendar, day)


# -- how a round begins and moves --------------------------------------------------------------------------------------


class _End(NamedTuple):
    """When a clock ends, and in words how that was found."""

    at: datetime
    provisional: bool
    how: str


class _Story(NamedTuple):
    """What happened in a case until some moment, in order, and the rules and calendars it is judged by."""

    pack: ClockRules
    history: Sequence[Occurred]
    known: Calendars

    def calendar(self, clock: Clock, trigger: Occurred) -> Calendar:
        """The calendar that the clock started by *trigger* is counted in.

        That is the one it was last extended to; but of a statutory clock what a certain end was counted on stays.
        """
        calendar = self.pack.calendar_of(clock)
        for index, event in enumerate(self.history):
            later = self.known.get(event.calendar) if event.calendar else None
            if later is None or later.id is None or later.id != calendar.id:
                continue
            if clock.kind == "statutory" and _as_it_happened(trigger) < _as_it_happened(event):
                before = self._replace(history=self.history[:index]).end(clock, trigger)
                if before is not None and not before.provisional:
                    continue
            calendar = later
        return calendar

    def trigger(self, clock: Clock, one: Round) -> Occurred:
        """The event that a round of *clock* counts from."""
        started = [event for event in self.history if event.event is clock.trigger]
        return max(started, key=lambda event: (event.at == one.started_at, event.number))

    def facts(self, clock: Clock, trigger: Occurred) -> list[Facts]:
        """The assessments by which the clock's length is chosen."""
        assessed = [event for event in self.history if event.facts]
        at_start = [event.facts for event in assessed if _as_it_happened(event) <= _as_it_happened(trigger)][-1:]
        later = [event.facts for event in assessed if _as_it_happened(event) > _as_it_happened(trigger)]
        counting = [facts for facts in (*at_start, *later) if facts] or [Facts(category=Category.OTHER)]
        if clock.kind == "internal":
            counting = counting[-1:]
        return [facts for facts in counting if clock.scope is None or clock.scope.covers(facts)]

    def end(self, clock: Clock, trigger: Occurred) -> _End | None:
        """When the clock started by *trigger* ends, after all that moved its end; ``None`` if it does not run."""
        calendar = self.calendar(clock, trigger)
        lengths = [clock.length_for(facts) for facts in self.facts(clock, trigger)]
        if not lengths:
            return None
        # Of the assessments a statutory clock has known, the strictest holds; an internal one goes by the last.
        length = min(lengths, key=lambda one: _reach(calendar, clock, trigger.at, one))
        end = _reach(calendar, clock, trigger.at, length)
        how = _spell(calendar, clock, trigger, length, end)
        used = [length]
        paused_at: datetime | None = None
        since = [event for event in self.history if _as_it_happened(event) > _as_it_happened(trigger)]
        # What leads to a length from the start comes first, so that the order of the grants makes no difference.
        for extension in sorted(self._granted(clock, trigger, since), key=lambda one: one.to is None):
            used.append(extension.length)
            if extension.to:
                end = max(end, _reach(calendar, clock, trigger.at, extension.to))
            else:
                end = reach(calendar, end, extension.length, on_closed_day=clock.on_closed_day)
            how += f"; extended {extension} ({extension.name}): {_spoken(calendar, end)}"
        for event in since:
            if clock.pauses and event.event is CaseEvent.INFORMATION_REQUESTED:
                paused_at = paused_at or event.at
            if clock.pauses and event.event in _RESUME and paused_at:
                end = _put_off(calendar, end, length.unit, paused_at, event.at)
                how += f"; stood still while the customer was asked: {_spoken(calendar, end)}"
                paused_at = None
        if paused_at:
            return None
        counted = clock.on_closed_day != "stays" or any(one.unit == "business_days" for one in used)
        provisional = counted and not calendars.is_verified(calendar, calendars.local_day(calendar, end))
        if provisional:
            how += f"; provisional: holidays are known until {calendar.verified_until}"
        return _End(end, provisional, how)

    def _granted(self, clock: Clock, trigger: Occurred, since: Sequence[Occurred]) -> Iterable[Extension]:
        """The extensions that the customer was told of before the end as it then stood."""
        for event in since:
            extension = _extension(clock, event)
            if extension is None:
                continue
            until = [one for one in self.history if _as_it_happened(one) < _as_it_happened(event)]
            stood = self._replace(history=until).end(clock, trigger)
            if stood is not None and event.at <= stood.at:
                yield extension


def _starts(story: _Story, occurred: Occurred) -> Iterable[Deadline]:
    """The rungs of the clocks that *occurred* starts, earliest first."""
    started = [
        deadline
        for clock in story.pack.clocks
        if clock.trigger is occurred.event and (end := story.end(clock, occurred))
        for deadline in _rungs(story.calendar(clock, occurred), clock, occurred.number, occurred.at, end)
    ]
    return sorted(started, key=_in_order)


def _shifts(
    story: _Story, occurred: Occurred, rounds: Sequence[Round]
) -> Iterable[tuple[Satisfied | None, list[Deadline]]]:
    """The rounds that *occurred* replaces, each with what takes its place."""
    for clock in story.pack.clocks:
        if not shifts(clock, occurred):
            continue
        mine = [one for one in rounds if one.clock == clock.name]
        if occurred.event is CaseEvent.RECLASSIFIED and not mine:
            yield from _joins(story, clock, occurred)
        for one in mine:
            if one.ended is None or _stands_still(story, clock, one, mine, occurred):
                yield from _shift(story, clock, one, occurred)


def _joins(story: _Story, clock: Clock, occurred: Occurred) -> Iterable[tuple[None, list[Deadline]]]:
    """A clock that applies since *occurred*, and has run all along."""
    trigger = next((one for one in reversed(story.history) if one.event is clock.trigger), None)
    if trigger and (end := story.end(clock, trigger)):
        calendar = story.calendar(clock, trigger)
        yield None, _rungs(calendar, clock, occurred.number, trigger.at, end, now=occurred.at)


def _shift(
    story: _Story, clock: Clock, one: Round, occurred: Occurred
) -> Iterable[tuple[Satisfied | None, list[Deadline]]]:
    replaced = Satisfied(
        clock=clock.name,
        number=one.number,
        by=occurred.event,
        by_number=occurred.number,
        at=occurred.at,
        replaced=True,
    )
    if one.ended is None and one.clock_due <= occurred.at:
        return  # an end that has passed does not move
    trigger = story.trigger(clock, one)
    end = story.end(clock, trigger)
    if end is None:
        if one.ended is None:
            yield replaced, []
    elif one.ended or (end.at, end.provisional) != (one.clock_due, one.provisional):
        calendar = story.calendar(clock, trigger)
        deadlines = _rungs(calendar, clock, occurred.number, one.started_at, end, now=occurred.at, before=one)
        yield (None if one.ended else replaced), deadlines


def _stands_still(story: _Story, clock: Clock, one: Round, rounds: Sequence[Round], occurred: Occurred) -> bool:
    """Whether the round was paused, and *occurred* may set it going again."""
    if occurred.event not in _RESUME or one.ended is None or not one.ended.replaced:
        return False
    if one.ended.by is not CaseEvent.INFORMATION_REQUESTED or any(other.number > one.number for other in rounds):
        return False
    return not any(satisfies(clock, one.number, event, started_at=one.started_at) for event in story.history)


def _extension(clock: Clock, event: Occurred) -> Extension | None:
    """The extension of *clock* that *event* is the granting of."""
    if event.event is not CaseEvent.EXTENDED or event.clock != clock.name:
        return None
    return next((one for one in clock.extensions if one.name == event.extension), None)


def _rungs(
    calendar: Calendar,
    clock: Clock,
    number: int,
    started_at: datetime,
    end: _End,
    *,
    now: datetime | None = None,
    before: Round | None = None,
) -> list[Deadline]:
    """The rungs of a round that begins with its clock, or that takes a place *now*: of *before*, or of none."""
    now = now or started_at
    acted_until = before.ended.at if before and before.ended else now
    deadlines = []
    for rung in clock.rungs:
        due = _rung_due(calendar, rung, started_at, end.at)
        if due <= now and before and before.rungs.get(rung.name, acted_until) <= acted_until:
            continue  # it has acted in the round before
        if Action.BREACH not in rung.actions:
            # What would lie before the start (a long warning on a short clock) comes with the start.
            due = max(due, now)
        deadlines.append(
            Deadline(
                clock=clock.name,
                number=number,
                rung=rung.name,
                statutory=clock.kind == "statutory",
                started_at=started_at,
                due=due,
                clock_due=end.at,
                actions=rung.actions,
                level=rung.level,
                how=f"{end.how}{_offset(rung)}",
                provisional=end.provisional,
            )
        )
    return deadlines


def _offset(rung: Rung) -> str:
    """How the rung lies on its clock, in words; nothing for one that acts at the end."""
    where = (
        f"{rung.before} before" if rung.before else f"{rung.after_start} after the start" if rung.after_start else ""
    )
    when = f"at {rung.at:%H:%M} on a business day" if rung.at else ""
    return f"; rung {rung.name} {where}{' ' if where and when else ''}{when}" if where or when else ""


def _rung_due(calendar: Calendar, rung: Rung, start: datetime, clock_due: datetime) -> datetime:
    due = _rung_day(calendar, rung, start, clock_due)
    if rung.at is None:
        return due
    day = calendars.local_day(calendar, due)
    if rung.after_start:
        day = calendars.next_business_day(calendar, day)
    elif not calendars.is_business_day(calendar, day):
        day = calendars.add_business_days(calendar, day, -1)
    # What would come too late to be of use comes at the end.
    return min(datetime.combine(day, rung.at, calendar.zone).astimezone(UTC), clock_due)


def _rung_day(calendar: Calendar, rung: Rung, start: datetime, clock_due: datetime) -> datetime:
    if rung.after_start:
        return reach(calendar, start, rung.after_start)
    if rung.before is None:
        return clock_due
    if rung.before.unit in {"seconds", "hours"}:
        return clock_due - timedelta(**{rung.before.unit: rung.before.count})
    day = calendars.local_day(calendar, clock_due)
    if rung.before.unit == "business_days":
        day = calendars.add_business_days(calendar, day, -rung.before.count)
    else:
        day = _add(day, rung.before, sign=-1)
    return calendars.end_of_day(calendar, day)


def _first_that_satisfies(clock: Clock, one: Round, events: Iterable[Occurred]) -> Occurred | None:
    return next((event for event in events if satisfies(clock, one.number, event, started_at=one.started_at)), None)


# -- arithmetic --------------------------------------------------------------------------------------------------------


def _reach(calendar: Calendar, clock: Clock, start: datetime, length: Length) -> datetime:
    return reach(calendar, start, length, first_day_counts=clock.first_day_counts, on_closed_day=clock.on_closed_day)


def _add_business_days(calendar: Calendar, day: date, count: int, *, first: bool) -> date:
    if first and count and calendars.is_business_day(calendar, day):
        count -= 1
    return calendars.add_business_days(calendar, day, count)


def _add(day: date, length: Length, *, sign: int = 1) -> date:
    if length.unit == "months":
        return _add_months(day, sign * length.count)
    return day + timedelta(days=sign * length.count * (7 if length.unit == "weeks" else 1))


def _add_months(day: date, count: int) -> date:
    """The same day *count* months on, or that month's last day."""
    month = day.month - 1 + count
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def _put_off(calendar: Calendar, end: datetime, unit: str, paused_at: datetime, resumed_at: datetime) -> datetime:
    """*end*, later by the time a clock stood still: to the second, or so that as many (business) days are left."""
    if unit in {"seconds", "hours"}:
        return end + (resumed_at - paused_at)
    stopped, going = (calendars.local_day(calendar, at) for at in (paused_at, resumed_at))
    day = calendars.local_day(calendar, end)
    if unit != "business_days":
        return calendars.end_of_day(calendar, day + (going - stopped))
    left = calendars.business_days_between(calendar, stopped, day)
    resumed = calendars.add_business_days(calendar, going, left) if left else going
    return calendars.end_of_day(calendar, calendars.next_business_day(calendar, resumed))


# -- words -------------------------------------------------------------------------------------------------------------


def _spell(calendar: Calendar, clock: Clock, trigger: Occurred, length: Length, end: datetime) -> str:
    counted = (
        f"{length} from {trigger.event.value.replace('_', ' ')} at {_spoken(calendar, trigger.at)} {calendar.time_zone}"
    )
    start = calendars.day_of(calendar, trigger.at)
    if length.unit == "business_days" and start != calendars.local_day(calendar, trigger.at):
        counted += f", which counts as {start:%a %d %b %Y}"
    if clock.first_day_counts and length.unit not in {"seconds", "hours"}:
        counted += ", the first day counting"
    days = ""
    if length.unit == "business_days" and length.count:
        first = clock.first_day_counts and calendars.is_business_day(calendar, start)
        days = calendars.spell_business_days(calendar, start, length.count - first)
    return f"{counted}: {days}{' → ' if days else ''}{_spoken(calendar, end)}"


def _spoken(calendar: Calendar, at: datetime) -> str:
    return f"{at.astimezone(calendar.zone):%a %d %b %Y %H:%M:%S}"


def _as_it_happened(occurred: Occurred) -> tuple[datetime, int, str]:
    return occurred.at, occurred.number, occurred.event


def _in_order(deadline: Deadline) -> tuple[datetime, str]:
    return deadline.due, deadline.clock


_RESUME = {CaseEvent.CUSTOMER_REPLIED, CaseEvent.WAIT_ENDED}
_PAUSE = {CaseEvent.INFORMATION_REQUESTED, *_RESUME}
