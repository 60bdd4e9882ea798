"""What events lead to: rounds of clocks begun, moved and ended, each rung with its instant."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from domain.clocks import business_days
from domain.clocks.calendar import Calendar
from domain.clocks.clock import Clock, Rung
from domain.clocks.deadlines import Deadline, Followed, Occurred, Round, Satisfied
from domain.clocks.reckoning import add, reach
from domain.clocks.story import PAUSE, RESUME, Calendars, ClockRules, End, Story, as_it_happened
from domain.ground.scope import Facts
from domain.ground.words import Action, CaseEvent, Category


def plan(pack: ClockRules, occurred: Occurred, facts: Facts | None = None) -> list[Deadline]:
    """Every rung of every clock that *occurred* starts, earliest first, for a complaint with these *facts*."""
    facts = facts or occurred.facts or Facts(category=Category.OTHER)
    return list(_starts(Story(pack, [occurred.model_copy(update={"facts": facts})], {}), occurred))


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
    events = sorted(history, key=as_it_happened)
    coming = sorted(new, key=as_it_happened)
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
        story = Story(pack, [one for one in events if one not in coming[index + 1 :]], calendars_by_hash or {})
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
    for event in sorted(events, key=as_it_happened):
        history.append(event)
        followed = follow(pack, as_rounds(planned, ended), history, [event], calendars_by_hash)
        planned += followed.planned
        ended |= {one.round: one for one in followed.satisfied}
    return planned, ended


def replay(pack: ClockRules, events: Iterable[Occurred], calendars_by_hash: Calendars | None = None) -> list[Round]:
    """The rounds that a case with these *events* has under *pack*, in the order in which they began."""
    planned, ended = recount(pack, events, calendars_by_hash)
    return as_rounds(planned, ended)


def as_rounds(deadlines: Iterable[Deadline], ended: Mapping[str, Satisfied] | None = None) -> list[Round]:
    """The rounds that *deadlines* are the rungs of, running but for those that have *ended*, by round."""
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
            ended=ended.get(one.round) if ended else None,
        )
    return list(rounds.values())


_EACH_BY_ITSELF = {
    CaseEvent.FILE_REQUESTED,
    CaseEvent.DECIDED_OUTSIDE,
    CaseEvent.REMEDY_OWED,
    CaseEvent.RELIEF_GRANTED,
    CaseEvent.TASK_GIVEN,
    CaseEvent.TASK_OVERDUE,
}


def satisfies(clock: Clock, started_by_number: int, occurred: Occurred, *, started_at: datetime | None = None) -> bool:
    """Whether *occurred* satisfies *clock*, running since the event with number *started_by_number* at *started_at*.

    It does if it came later by its number or by its time: a letter keeps the number under which it was asked for, and
    may be accepted long after.

    An event may start a clock and satisfy its earlier round (each letter starts the wait for the next one); it never
    satisfies the round that it starts itself. The closing of the case ends every clock that runs then, and none that
    begins when the case goes on later; a payment that came back, those that the settlement started. A holding letter
    satisfies only the clocks that send it, and those that send none. An event that names the one it is an answer to
    (``of``) ends the round of that one alone.
    """
    if occurred.event is CaseEvent.CLOSED:
        return started_by_number < occurred.number
    if occurred.event is CaseEvent.PAYMENT_RETURNED and clock.trigger is CaseEvent.SETTLED:
        return started_by_number < occurred.number
    if occurred.event not in clock.satisfied_by:
        return False
    if occurred.of is not None:
        return occurred.of == started_by_number
    holding = {rung.letter for rung in clock.rungs if rung.letter}
    if occurred.event is CaseEvent.HELD and holding and occurred.letter and occurred.letter not in holding:
        return False
    return (started_by_number < occurred.number or (started_at is not None and started_at < occurred.at)) or (
        started_by_number == occurred.number and clock.trigger is not occurred.event
    )


def shifts(clock: Clock, occurred: Occurred) -> bool:
    """Whether *occurred* may end a round of *clock* and begin another.

    Not of a clock that runs once for each remedy, task or referral: what ends it names the event that began it.
    """
    if clock.trigger in _EACH_BY_ITSELF:
        return False
    match occurred.event:
        case CaseEvent.EXTENDED:
            return occurred.clock == clock.name
        case CaseEvent.RECLASSIFIED | CaseEvent.REPLANNED:
            return True
        case event:
            return event in PAUSE and clock.pauses and event is not clock.trigger and event not in clock.satisfied_by


def _starts(story: Story, occurred: Occurred) -> Iterable[Deadline]:
    """The rungs of the clocks that *occurred* starts, earliest first."""
    started = [
        deadline
        for clock in story.pack.clocks
        if clock.trigger is occurred.event and (end := story.end(clock, occurred))
        for deadline in _rungs(story.calendar(clock, occurred), clock, occurred.number, occurred.at, end)
    ]
    return sorted(started, key=_in_order)


def _shifts(
    story: Story, occurred: Occurred, rounds: Sequence[Round]
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


def _joins(story: Story, clock: Clock, occurred: Occurred) -> Iterable[tuple[None, list[Deadline]]]:
    """A clock that applies since *occurred*, and has run all along."""
    trigger = next((one for one in reversed(story.history) if one.event is clock.trigger), None)
    if trigger and (end := story.end(clock, trigger)):
        calendar = story.calendar(clock, trigger)
        yield None, _rungs(calendar, clock, occurred.number, trigger.at, end, now=occurred.at)


def _shift(
    story: Story, clock: Clock, one: Round, occurred: Occurred
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


def _stands_still(story: Story, clock: Clock, one: Round, rounds: Sequence[Round], occurred: Occurred) -> bool:
    """Whether the round was paused, and *occurred* may set it going again."""
    if occurred.event not in RESUME or one.ended is None or not one.ended.replaced:
        return False
    if one.ended.by is not CaseEvent.INFORMATION_REQUESTED or any(other.number > one.number for other in rounds):
        return False
    return not any(satisfies(clock, one.number, event, started_at=one.started_at) for event in story.history)


def _rungs(
    calendar: Calendar,
    clock: Clock,
    number: int,
    started_at: datetime,
    end: End,
    *,
    now: datetime | None = None,
    before: Round | None = None,
) -> list[Deadline]:
    """The rungs of a round that begins with its clock, or that takes a place *now*: of *before*, or of none."""
    now = now or started_at
    acted_until = before.ended.at if before and before.ended else now
    deadlines = []
    for rung in clock.rungs:
        due = _rung_due(calendar, clock, rung, started_at, end.at)
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


def _rung_due(calendar: Calendar, clock: Clock, rung: Rung, start: datetime, clock_due: datetime) -> datetime:
    due = _rung_day(calendar, clock, rung, start, clock_due)
    if rung.at is None:
        return due
    day = business_days.local_day(calendar, due)
    if rung.after_start:
        day = business_days.next_business_day(calendar, day)
    elif not business_days.is_business_day(calendar, day):
        day = business_days.add_business_days(calendar, day, -1)
    # What would come too late to be of use comes at the end.
    return min(datetime.combine(day, rung.at, calendar.zone).astimezone(UTC), clock_due)


def _rung_day(calendar: Calendar, clock: Clock, rung: Rung, start: datetime, clock_due: datetime) -> datetime:
    """The end of the day on which people act, or the instant: before an end they count the days they work themselves.

    What counts from the start keeps step with the clock, so that the firm's closures do not move it beyond the end.
    """
    if rung.after_start:
        return reach(clock.counted_in(calendar), start, rung.after_start)
    if rung.before is None:
        return clock_due
    if rung.before.unit in {"seconds", "hours"}:
        return clock_due - timedelta(**{rung.before.unit: rung.before.count})
    day = business_days.local_day(calendar, clock_due)
    if rung.before.unit == "business_days":
        day = business_days.add_business_days(calendar, day, -rung.before.count)
    else:
        day = add(day, rung.before, sign=-1)
    return business_days.end_of_day(calendar, day)


def _first_that_satisfies(clock: Clock, one: Round, events: Iterable[Occurred]) -> Occurred | None:
    return next((event for event in events if satisfies(clock, one.number, event, started_at=one.started_at)), None)


def _in_order(deadline: Deadline) -> tuple[datetime, str]:
    return deadline.due, deadline.clock
