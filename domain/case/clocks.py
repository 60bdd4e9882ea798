"""What the clocks of a case need of it: they start and end as the case file planned them, and their rungs act once."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from domain.case.case import Case
from domain.case.file import CaseUpdate, Recorded
from domain.case.tasks import owned_by, planned
from domain.clocks.clock import Clock
from domain.clocks.deadlines import Deadline, Firing
from domain.ground.words import Action, CaseEvent, Stage
from domain.people.hands import Hands

_RESPONSE: Final = {
    CaseEvent.RECEIVED,
    CaseEvent.OVERDUE_NOTED,
    CaseEvent.HELD,
    CaseEvent.ANSWERED,
    CaseEvent.DISPUTED,
    CaseEvent.REOPENED,
}


def promises_response(clock: Clock) -> bool:
    """Whether the end of *clock* is a promise about the final response; not if a letter on the way satisfies it."""
    satisfying = clock.satisfied_by
    return CaseEvent.RESPONDED in satisfying and CaseEvent.CONTACTED not in satisfying and clock.trigger in _RESPONSE


def expected_by(case: Case) -> datetime | None:
    """When the customer may expect the final response: the end of the earliest clock that it satisfies."""
    return _expected(case, lambda clock: True)


def expected_after_holding(case: Case) -> datetime | None:
    """When the customer may expect it after a holding letter, which satisfies some of those clocks itcase."""
    return _expected(case, lambda clock: CaseEvent.HELD not in clock.satisfied_by)


def _expected(case: Case, promises: Callable[[Clock], bool]) -> datetime | None:
    clocks = {clock.name for clock in case.pack.clocks if promises_response(clock) and promises(clock)}
    return min((deadline.clock_due for deadline in case.deadlines if deadline.clock in clocks), default=None)


def run_clocks(case: Case, recorded: Recorded) -> list[Deadline]:
    """Start and end clocks as the case file planned them. A closed case has none.

    Returns the breaches of rounds that were satisfied too late, or not before the case closed, as far as they have
    not acted yet: they still do.
    """
    if recorded.hands:
        _in_hands(case, recorded.hands)
    closed = case.stage is Stage.CLOSED
    ended = case.ended | {one.round: None if one.replaced else one.at for one in recorded.satisfied}
    # A round is planned as a whole. Told of it again, we may have seen some of its rungs act by now.
    known = {deadline.round for deadline in case.deadlines} | set(case.begun)
    started = [*case.deadlines, *(new for new in recorded.planned if new.round not in known)]
    planned(case, recorded.planned)
    case.begun = sorted(known | {new.round for new in recorded.planned})
    case.ended = {one: at for one, at in ended.items() if one not in {deadline.round for deadline in started}}
    case.deadlines = sorted(
        (deadline for deadline in started if not closed and deadline.round not in ended),
        key=lambda deadline: (deadline.due, deadline.key),
    )
    case.revision += 1
    return [
        deadline
        for deadline in started
        if Action.BREACH in deadline.actions
        and (kept := ended.get(deadline.round, case.closed_at if closed else None))
        and deadline.due < kept
    ]


def _in_hands(case: Case, hands: Hands) -> None:
    if hands.version < case.hands_version:
        return
    case.hands_version, case.kept_out, case.care = hands.version, hands.kept_out, hands.care
    case.restricted, case.had = hands.restricted, hands.had
    owned_by(case, hands.tasks)
    if not any(entry.kind in {"assign", "escalation"} for entry in case.entries):  # else the file knows less than we
        case.handler = hands.handler or case.handler
    if case.assessment:
        priority = hands.care.of(case.assessment.priority)
        case.assessment = case.assessment.model_copy(update={"priority": priority})


def count_as_urgent(case: Case, at: datetime) -> None:
    """Have clocks whose lengths depend on the urgency counted by that which the case has now."""
    if case.assessment is None or case.assessment.priority is case.counted_as:
        return
    case.counted_as = case.assessment.priority
    if case.stage is not Stage.CLOSED and any(rule.priorities for one in case.pack.clocks for rule in one.lengths):
        case.happened(CaseEvent.RECLASSIFIED, at, facts=case.assessment.facts(case.complaint))


def asks_for(case: Case, deadline: Deadline, action: Action) -> bool:
    """Whether *deadline* has *action* done: not where a stricter clock of another pack had it done for the duty.

    A breach is each clock's own. Asking counts as doing. A clock that was extended since is not the stricter one.
    """
    clock = case.pack.clock(deadline.clock)
    if action is Action.BREACH or not case.pack.parts:
        return True
    rung = next(rung for rung in clock.rungs if rung.name == deadline.rung)
    what = f"{clock.keeps}:{deadline.started_at.isoformat()}:{action.value}:{rung.letter or rung.level or ''}"
    by = case.acted.setdefault(what, clock.name)
    if by != clock.name and any(other.clock == by and other.clock_due > deadline.clock_due for other in case.deadlines):
        by = case.acted[what] = clock.name
    return by == clock.name


def fire(case: Case, deadline: Deadline, at: datetime) -> None:
    """The rung *deadline* acts now, and never again."""
    if deadline in case.deadlines:
        case.deadlines.remove(deadline)
    breach = Action.BREACH in deadline.actions
    case.firings.append(
        Firing(
            clock=deadline.clock,
            number=deadline.number,
            rung=deadline.rung,
            due=deadline.due,
            fired_at=at,
            breach=breach,
        )
    )
    case.breached |= breach
    case.revision += 1


def has_recorded(case: Case, update: CaseUpdate, recorded: Recorded) -> list[Deadline]:
    """The case file knows *update*, and the clocks stand as *recorded* says; see :func:`run_clocks`."""
    case.has_recorded(update)
    return run_clocks(case, recorded)
