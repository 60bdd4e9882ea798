"""Two effects may finish in either order, and after the case has closed: what was late is a breach all the same."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from domain.case.case import Case
from domain.case.clocks import fire, run_clocks
from domain.case.complaint import Complaint
from domain.case.file import Recorded
from domain.clocks.deadlines import Deadline, Satisfied
from domain.ground.words import Action, CaseEvent, Stage

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
DUE = START + timedelta(minutes=20)
PLANNED = Recorded(
    planned=tuple(
        Deadline(
            clock="overdue",
            number=6,
            rung=rung,
            statutory=False,
            started_at=START,
            due=DUE,
            clock_due=DUE,
            actions=(action,),
            how="20 minutes",
        )
        for rung, action in (("due", Action.BREACH), ("later", Action.WARN))
    )
)


def satisfied(minutes: int, *, replaced: bool = False) -> Recorded:
    one = Satisfied(
        clock="overdue",
        number=6,
        by=CaseEvent.RESPONDED,
        by_number=8,
        at=START + timedelta(minutes=minutes),
        replaced=replaced,
    )
    return Recorded(satisfied=(one,))


def told(news: Iterable[Recorded], closed: datetime | None = None) -> list[Deadline]:
    """The breaches that act when the case hears of *news*, each answer twice: attempts may be repeated."""
    complaint = Complaint.model_validate(
        {
            "source": "test",
            "idempotency_key": "1",
            "received_at": START,
            "channel": "web",
            "language": "en",
            "complainant": {"name": "A Customer"},
            "description": "It took too long.",
        }
    )
    case = Case.received(complaint.reference, complaint, START)
    if closed:
        case.stage, case.closed_at = Stage.CLOSED, closed
    found: list[Deadline] = []
    for each in news:
        for _ in range(2):
            late = run_clocks(case, each)
            for deadline in late:
                fire(case, deadline, START)
            found += late
    assert not case.deadlines
    return found


@pytest.mark.parametrize("closed", [None, START + timedelta(minutes=40)])
@pytest.mark.parametrize("order", list(permutations((PLANNED, satisfied(30)))))
def test_what_was_satisfied_late_is_one_breach_in_whatever_order_that_is_heard(
    order: tuple[Recorded, ...], closed: datetime | None
) -> None:
    assert [deadline.rung for deadline in told(order, closed)] == ["due"]


@pytest.mark.parametrize("closed", [None, START + timedelta(minutes=40)])
@pytest.mark.parametrize("end", [satisfied(10), satisfied(30, replaced=True)])
def test_what_was_kept_in_time_or_has_another_in_its_place_is_none(end: Recorded, closed: datetime | None) -> None:
    assert not told((end, PLANNED), closed)
    whole = Recorded(planned=PLANNED.planned, satisfied=end.satisfied)
    assert not told((whole,), closed)


def test_a_duty_that_nobody_did_before_the_case_closed_is_a_breach_if_it_was_due_before() -> None:
    assert [deadline.rung for deadline in told((PLANNED,), START + timedelta(minutes=40))] == ["due"]
    assert not told((PLANNED,), START + timedelta(minutes=10))
