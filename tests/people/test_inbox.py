"""The inbox: what is on somebody's desk, in the order of the next duty, with one next step each."""

from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ground.words import CaseEvent, Priority, Role, Stage
from domain.people.inbox import COMMANDS, Item, NextStep, Standing, in_order, next_step
from domain.rules.deciding import TrainingRule
from runtime.policies import find_pack
from starter.client.directory import People
from starter.reading.inbox import read_inbox
from tests.case.support import OPENED_AT, after, keeping, occurred, summary, update
from tests.cli.command_line import CommandLine
from tests.people.support import LEAD, NOW, directory, person
from tests.people.test_hands import noted, opened_as
from tests.signing import signed

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]

TEAMS = ("dealing", "payments", "accounts", "conduct", "customer-care")
BIG = {"amount": "5000.00", "currency": "USD"}


def standing(**changes: Any) -> Standing:
    fields = dict.fromkeys(Standing.model_fields) | {"reference": "RD-1", "stage": "deciding", "handler": "h-1"}
    return Standing.model_validate(
        {**fields, "asked": False, "proposed": False, "unpaid": False, "breached": False, "repeat": False, **changes}
    )


def test_every_standing_has_one_next_step_and_what_is_ones_own_turn_has_a_command() -> None:
    for stage, asked, proposed, handler, decides in product(Stage, (0, 1), (0, 1), (None, "h-1"), (0, 1)):
        case = standing(stage=stage, asked=asked, proposed=proposed, handler=handler)
        step = next_step(case, decides=bool(decides))
        assert (step in COMMANDS) is not step.value.startswith("wait")
        assert (step is NextStep.DECIDE) <= bool(decides and proposed)
        if step is NextStep.PROPOSE:
            assert next_step(case, decides=bool(decides), has_it=False) is NextStep.WAIT_HANDLER
            assert next_step(case, decides=bool(decides), trained=False) is NextStep.HAND_ON


@pytest.mark.parametrize("stage", [Stage.SETTLING, Stage.FOLLOWING_UP, Stage.CLOSED])
def test_only_money_that_did_not_arrive_is_called_a_payment_to_see_to(stage: Stage) -> None:
    """While a case settles, a withdrawal may have to be released or an address corrected, and nothing be paid."""
    steps = {unpaid: next_step(standing(stage=stage, unpaid=unpaid), decides=False) for unpaid in (True, False)}
    settled = NextStep.SEE_CARRIED_OUT if stage is Stage.SETTLING else NextStep.WAIT_FOLLOW_UP
    assert steps == {True: NextStep.SEE_PAID, False: settled}


@given(st.lists(st.tuples(st.integers(0, 3) | st.none(), st.sampled_from(list(Priority))), max_size=6))
def test_what_is_due_first_is_first_and_without_a_duty_the_priority_decides(
    cases: list[tuple[int | None, Priority]],
) -> None:
    items = [
        Item(
            why="mine",
            case=standing(
                reference=f"RD-{number}", next_duty=None if due is None else NOW + timedelta(due), priority=priority
            ),
            step=NextStep.PROPOSE,
        )
        for number, (due, priority) in enumerate(cases)
    ]
    ordered = in_order(items)
    duties = [one.case.next_duty for one in ordered]
    known = [duty for duty in duties if duty]
    assert duties == [*sorted(known), *[None] * (len(duties) - len(known))]
    rest = [one.case.priority or "" for one in ordered if one.case.next_duty is None]
    assert rest == sorted(rest)


@pytest.fixture
async def office(pool: "Pool") -> "Pool":
    people = [
        person("h-1", names=["Jane Doe"]),
        person("h-2", teams=["payments"]),
        person("l-1", "team_lead"),
        person("a-1", "approver", teams=["customer-care"]),
        person("a-2", "approver", "handler", teams=["customer-care"]),
    ]
    await People(pool, signed).replace(directory(*people, teams=TEAMS), by=LEAD, at=OPENED_AT)
    return pool


async def desk(pool: "Pool", who: str) -> dict[str, tuple[str, NextStep]]:
    return {one.case.reference: (one.why, one.step) for one in await read_inbox(pool, who, after(60))}


async def test_a_proposal_waits_for_whoever_may_decide_it_and_for_nobody_else(office: "Pool") -> None:
    case_file = keeping(office)
    reference, _ = await opened_as(case_file)
    proposed = noted(
        "propose_resolution", 1, "handler:a-2", round=1, outcome="upheld", compensation=BIG, reasons="So it is."
    )
    now = summary(1, handler="h-1", stage="deciding")
    await case_file.record(update(reference, 1, entries=(proposed,), summary=now))
    assert await desk(office, "H-1") == {reference: ("mine", NextStep.WAIT_DECISION)}
    assert await desk(office, "a-1") == {reference: ("waiting for me", NextStep.DECIDE)}
    assert await desk(office, "l-1") == {reference: ("my team's", NextStep.WAIT_DECISION)}  # above the limit of a lead
    assert await desk(office, "a-2") == {}  # proposed it
    assert await desk(office, "h-2") == {}
    returned = noted("decide_resolution", 2, "approver:a-1", round=1, decision="return")
    await case_file.record(
        update(reference, 2, entries=(returned,), summary=summary(2, handler="h-1", stage="deciding"))
    )
    assert await desk(office, "a-1") == {}
    assert await desk(office, "h-1") == {reference: ("mine", NextStep.PROPOSE)}


async def test_who_lacks_a_course_is_offered_to_hand_the_case_on_and_nothing_that_they_may_not_do(
    office: "Pool",
) -> None:
    rules = (TrainingRule(course="complaints", roles=(Role.HANDLER, Role.APPROVER)),)
    pack = find_pack("platform-default", NOW.date()).model_copy(update={"training": rules})
    case_file = keeping(office, packs={pack.id: [pack]})
    reference, _ = await opened_as(case_file)
    deciding = summary(1, handler="h-1", stage="deciding")
    await case_file.record(update(reference, 1, summary=deciding))
    [mine] = await read_inbox(office, "h-1", after(60))
    assert (mine.step, mine.lacking, mine.command) == (NextStep.HAND_ON, ("complaints",), f"assign {reference} HANDLER")
    assert await desk(office, "l-1") == {reference: ("my team's", NextStep.WAIT_HANDLER)}  # h-1 has it
    proposed = noted(
        "propose_resolution", 1, "handler:h-9", round=1, outcome="upheld", compensation=BIG, reasons="So it is."
    )
    await case_file.record(
        update(reference, 2, entries=(proposed,), summary=summary(2, handler="h-1", stage="deciding"))
    )
    assert await desk(office, "a-1") == {}


async def test_whoever_is_kept_out_has_nothing_of_it_on_the_desk(office: "Pool") -> None:
    reference, _ = await opened_as(keeping(office), description="Jane Doe filled my stop loss at a wrong price.")
    assert await desk(office, "h-1") == {}
    assert (await desk(office, "l-1")).keys() == {reference}


async def test_who_waits_for_the_customer_is_told_so_until_the_answer_comes(office: "Pool") -> None:
    case_file = keeping(office)
    reference, _ = await opened_as(case_file)
    for number, event in enumerate((CaseEvent.INFORMATION_REQUESTED, CaseEvent.CUSTOMER_REPLIED), start=2):
        now = summary(number, handler="h-1", stage="investigating")
        await case_file.record(update(reference, number, events=(occurred(event, number),), summary=now))
        step = NextStep.WAIT_CUSTOMER if event is CaseEvent.INFORMATION_REQUESTED else NextStep.INVESTIGATE
        assert await desk(office, "h-1") == {reference: ("mine", step)}


async def test_the_command_line_shows_the_desk_of_who_asks(
    office: "Pool", database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference, _ = await opened_as(keeping(office))
    redress = CommandLine(monkeypatch)
    redress.set("DATABASE_URL", database_url)
    assert (await redress("inbox")).code == 2
    ran = await redress("inbox", "--as", "handler:h-1", "--json")
    assert [(one["why"], one["case"]["reference"]) for one in ran.data["cases"]] == [("mine", reference)]
    assert ran.data["cases"][0]["case"]["next_duty"]
    assert reference in (await redress("inbox", "--as", "handler:h-1")).out
    assert "Nothing is on your desk." in (await redress("inbox", "--as", "handler:h-2")).out
    lapsed = {"course": "complaints", "first": "2025-01-01", "last": "2025-12-31"}
    await People(office, signed).replace(directory(person("h-2", training=[lapsed])), by=LEAD, at=OPENED_AT)
    shown = await redress("inbox", "--as", "handler:h-2")
    assert "complaints" in shown.out
    assert "2025-12-31" in shown.out
