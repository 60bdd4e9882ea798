"""Limits by urgency as well as type: how long a clock runs, and who may decide."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from domain.case.assessment import Assessment
from domain.case.clocks import count_as_urgent
from domain.case.messages.deciding import DecideResolution
from domain.case.two_persons import check_decision
from domain.clocks.deadlines import Occurred
from domain.clocks.planning import plan, replay
from domain.ground.messages import NotAllowed
from domain.ground.people import Actor
from domain.ground.scope import Facts
from domain.ground.words import CaseEvent, Category, Priority, Role, Severity, SignKind, SignStep, TaskKind
from domain.people.signs import Sign, SignChange, care_for, standing
from domain.rules.deciding import Decision
from domain.rules.policy import PolicyPack
from domain.rules.policy_check import check_pack
from runtime.policies import find_pack
from tests.case.test_two_persons import case

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)  # a Monday
FEES = {"categories": ["fee"], "rule_limits": {"USD": 5}}
URGENT = {"priorities": ["p1"], "approval": [{"role": "executive"}]}
PACK = find_pack("platform-default", AT.date())
ASSESSED = Assessment(
    category=Category.EXECUTION,
    severity=Severity.LOW,
    priority=Priority.P4,
    in_scope=True,
    repeat=False,
    team="dealing",
    grounds=(),
)


def with_special(*special: dict[str, Any]) -> Decision:
    return Decision.model_validate(PACK.decision.model_dump() | {"special": special})


def test_of_special_limits_the_first_that_cover_a_case_hold_and_else_the_packs_own() -> None:
    decision = with_special(FEES, URGENT)
    fee, urgent = decision.of(Category.FEE, Priority.P1), decision.of(Category.EXECUTION, Priority.P1)
    assert (fee.rule_limits, fee.approval) == ({"USD": Decimal(5)}, PACK.decision.approval)
    assert [step.role for step in urgent.approval] == [Role.EXECUTIVE]
    assert urgent.rule_limits == PACK.decision.rule_limits
    assert decision.of(Category.EXECUTION, Priority.P2) == decision
    wrongs: list[dict[str, Any]] = [{"rule_limits": {}}, {"priorities": ["p1"]}]
    for wrong in wrongs:
        with pytest.raises(ValidationError, match="special: "):
            with_special(wrong)


def test_who_may_approve_follows_from_the_urgency_that_the_signs_give_the_case() -> None:
    held = case("h-1")
    held.policy = PACK.model_copy(update={"decision": with_special(URGENT)})
    held.assessment = ASSESSED
    assert held.proposal
    by, seen = Actor(id="l-1", role=Role.TEAM_LEAD), held.proposal.digest
    lead = DecideResolution(message_id="m-2", actor=by, decision="approve", proposal=seen)
    check_decision(held, lead)
    raised = SignChange(
        step=SignStep.RAISED,
        sign=Sign(kind=SignKind.DANGER_TO_LIFE, rests_on=("said so",)),
        by=Actor(id="h-1", role=Role.HANDLER),
        at=AT,
    )
    held.care = care_for(standing([raised]), AT)
    with pytest.raises(NotAllowed, match="roles that may: executive"):
        check_decision(held, lead)


def test_a_pack_is_told_of_special_limits_that_do_not_hang_together() -> None:
    wrong = PACK.model_copy(update={"decision": with_special({**FEES, "rule_limits": {"USD": 5000}})})
    told = [one.field for one in check_pack(wrong, AT)]
    assert "decision.special[1].rule_limits.USD" in told


def test_the_length_of_a_clock_follows_the_task_and_the_urgency_and_a_sign_that_raises_that_shortens_it() -> None:
    def days(kind: TaskKind, priority: Priority) -> int:
        facts = Facts(category=Category.FEE, priority=priority)
        given = Occurred(event=CaseEvent.TASK_GIVEN, at=AT, number=2, task=kind)
        [end] = {one.clock_due for one in plan(PACK, given, facts)}
        return (end.date() - AT.date()).days

    lengths = {(kind, priority): days(kind, priority) for kind in TaskKind for priority in Priority}
    assert lengths[TaskKind.REVIEW, Priority.P3] == 3
    assert lengths[TaskKind.REVIEW, Priority.P1] == lengths[TaskKind.CALL_BACK, Priority.P4] == 1
    assert lengths[TaskKind.VERIFY, Priority.P2] == 7  # five business days

    held = case("h-1", policy=urgent_reopening())
    held.assessment = ASSESSED
    held.counted_as = Priority.P4
    received = Occurred(event=CaseEvent.RECEIVED, at=AT, number=1, facts=held.assessment.facts(held.complaint))
    held.happened(CaseEvent.REOPENED, AT)
    count_as_urgent(held, AT)
    assert [one.event for one in held.events] == [CaseEvent.REOPENED]
    raised = held.assessment.model_copy(update={"priority": Priority.P1})
    held.assessment = raised
    for _ in range(2):  # again, it changes nothing
        count_as_urgent(held, AT.replace(hour=12))
    rounds = replay(held.pack, [received, *held.events])
    ends = [one.clock_due.date().isoformat() for one in rounds if one.clock == "reopened"]
    assert ends == ["2026-03-16", "2026-03-03"]


def urgent_reopening() -> PolicyPack:
    """The default, with one business day in place of ten for what is urgent and was reopened."""
    content = PACK.model_dump(mode="json")
    length = {"business_days": 1}
    urgent = {"priorities": ["p1"], "length": length, "source": "Made for the test", "confirmed": True}
    clocks = [one | ({"lengths": [urgent]} if one["name"] == "reopened" else {}) for one in content["clocks"]]
    return PolicyPack.model_validate(content | {"clocks": clocks})
