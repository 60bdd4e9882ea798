"""What is wrong with the clocks of a policy pack: rungs that never act in time, duties that nothing keeps."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from domain.clocks.actions import ACTIONS
from domain.clocks.calendar import Calendar
from domain.clocks.clock import Clock, Length, Rung
from domain.clocks.deadlines import Occurred
from domain.clocks.planning import plan
from domain.clocks.reckoning import reach
from domain.ground.words import Action, CaseEvent
from domain.rules.policy import PolicyPack
from domain.rules.problem import Found


def wrong_clocks(pack: PolicyPack, now: datetime) -> Iterator[Found]:
    """Extensions and rungs that cannot do what they say."""
    ladders = {step.role for step in pack.decision.every_step} | {step.role for step in pack.escalation}
    for clock in pack.clocks:
        field = f"clocks[{clock.name}]"
        for extension in clock.extensions:
            where = f"{field}.extensions[{extension.name}]"
            for role in extension.approval:
                if role not in ladders:
                    yield (
                        "error",
                        f"{where}.approval",
                        f"{role.value} is on neither the approval nor the escalation ladder",
                    )
            if extension.to is None:
                continue
            lengths = _lengths(clock)
            if lengths and not any(_longer(pack, clock, extension.to, length, now) for length in lengths):
                yield (
                    "error",
                    f"{where}.to",
                    f"{extension.to} from the start is no longer than the clock's {_either(lengths)}",
                )
        if CaseEvent.HELD in clock.satisfied_by and any(one.circumstances for one in clock.extensions):
            yield (
                "error",
                f"{field}.satisfied_by",
                "a holding letter goes out by itself, and the rule asks for a person's reason: see extensions",
            )
        if why := _renews_itself(clock):
            yield "error", f"{field}.satisfied_by", f"{clock.trigger.value} starts it: {why}"
        for rung in clock.rungs:
            yield from _rung(pack, clock, rung, now)


def _renews_itself(clock: Clock) -> str | None:
    """What is wrong with a clock that its own trigger satisfies, where something is.

    An event that happens again and again, such as a letter, may end the wait that the one before began.
    """
    if clock.trigger not in clock.satisfied_by:
        return None
    if clock.trigger is CaseEvent.RECEIVED:
        return "it happens once, so it can never keep the clock"
    if clock.kind == "statutory":
        return "when it happened again, a statutory clock would be set back"
    return "nothing else ends it" if set(clock.satisfied_by) == {clock.trigger} else None


def lacking_breaches(pack: PolicyPack) -> Iterator[Found]:
    """Clocks and routes whose end nothing tells of."""
    for clock in pack.clocks:
        if clock.kind == "statutory" and not any(Action.BREACH in rung.actions for rung in clock.rungs):
            yield "error", f"clocks[{clock.name}].rungs", "a statutory clock needs a rung at its end with a breach"
    for route in pack.routes:
        if route.within and route.since not in {CaseEvent.RECEIVED, CaseEvent.RESPONDED}:
            where = f"routes[{route.name}].since"
            yield (
                "warning",
                where,
                f"customers are not told when this ends: {route.since.value} is not known to letters",
            )


def _rung(pack: PolicyPack, clock: Clock, rung: Rung, now: datetime) -> Iterator[Found]:
    where = f"clocks[{clock.name}].rungs[{rung.name}]"
    lengths = _lengths(clock)
    if rung.before:
        too_short = [
            length for length in lengths if all(due < start for start, due, _ in _ran(pack, clock, rung, length, now))
        ]
        for length in too_short:
            yield "error", f"{where}.before", f"{rung.before} before the end of {length} lies before the start"
    if told := next((row.in_time for action, row in ACTIONS.items() if row.in_time and action in rung.actions), None):
        for length in lengths:
            if any(due > end for _, due, end in _ran(pack, clock, rung, length, now)):
                yield "error", f"{where}.after_start", f"{told} comes after the clock's end ({length})"


def _lengths(clock: Clock) -> list[Length]:
    """Every length that the clock may have."""
    own = [clock.length] if clock.length else []
    return list(dict.fromkeys([*own, *(rule.length for rule in clock.lengths)]))


def _either(lengths: Iterable[Length]) -> str:
    return " or ".join(map(str, lengths))


def _days(calendar: Calendar, now: datetime) -> Iterator[datetime]:
    """Noon on each day of a week, so that no finding hangs on the day of the check."""
    noon = now.astimezone(calendar.zone).replace(hour=12, minute=0, second=0, microsecond=0)
    return (noon + timedelta(days=number) for number in range(7))


def _longer(pack: PolicyPack, clock: Clock, one: Length, other: Length, now: datetime) -> bool:
    """Whether a clock of length *one* ends after one of length *other*, on some day at least."""
    calendar = clock.counted_in(pack.calendar_of(clock))
    return any(reach(calendar, start, one) > reach(calendar, start, other) for start in _days(calendar, now))


def _ran(
    pack: PolicyPack, clock: Clock, rung: Rung, length: Length, now: datetime
) -> Iterator[tuple[datetime, datetime, datetime]]:
    """Starts of the clock, each with when the rung and the clock would be due if the clock had this length."""
    # Only a breach is never put off to the start of its clock, nor brought forward to its end.
    bare = rung.model_copy(update={"actions": (Action.BREACH,), "level": None, "letter": None, "at": None})
    alone = clock.model_copy(update={"length": length, "lengths": (), "rungs": (bare,), "scope": None})
    only = pack.model_copy(update={"clocks": (alone,)})
    for start in _days(pack.calendar_of(clock), now):
        (deadline,) = plan(only, Occurred(event=clock.trigger, at=start, number=1))
        yield start, deadline.due, deadline.clock_due


def lacking_actions(pack: PolicyPack) -> Iterator[Found]:
    """Actions that no rung has and that a case is the poorer without."""
    for action, row in ACTIONS.items():
        if row.lacking and not any(action in rung.actions for clock in pack.clocks for rung in clock.rungs):
            yield "warning", "clocks", f"no rung has the action {action.value}: {row.lacking}"
