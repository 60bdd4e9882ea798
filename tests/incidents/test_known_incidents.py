"""A complaint that becomes one about an incident while that goes to its next stage: it sees the stage, or is told."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.case.case_file import CaseFile
from activities.incidents.known_incidents import KnownIncidents
from domain.checks.findings import Check, IncidentLink, InvestigationRequest, marking
from domain.checks.tolerances import Tolerances
from domain.ground.words import CaseEvent, IncidentStage
from domain.incidents.requests import CasesFound, FindCases, IncidentUpdate
from domain.incidents.state import Incident
from domain.money.interest import Interest
from domain.rules.duties import InterestRule
from domain.rules.interest import interest_for, may_be_given
from runtime.keys.here import mark_here
from tests.case.support import opened
from tests.incidents.minute import SOLD, Pool, bad_minute, new
from tests.incidents.test_cohort import AS_OF, Desk
from tests.patience import eventually

INCIDENT = new()


async def blocked(pool: Pool) -> int:
    """How many of the database's connections wait for another."""
    return int(
        await pool.fetchval(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        )
    )


async def goes_on(desk: Desk, stage: IncidentStage) -> CasesFound:
    """What the workflow does at each new stage: write it down, then look for the complaints to be told."""
    state = Incident(reference=INCIDENT.reference, new=INCIDENT, opened_at=AS_OF, stage=stage, lists=1, revision=7)
    await desk.activities.record_incident(IncidentUpdate(reference=INCIDENT.reference, progress=state.progress))
    return await desk.activities.find_cases(FindCases(reference=INCIDENT.reference, number=1))


async def looks(pool: Pool, case: str) -> IncidentLink | None:
    """What the investigation of a complaint about another trade, which its words do not name, asks."""
    request = InvestigationRequest(
        checks=(Check.OFF_MARKET,), account=SOLD, trades=(f"O-{SOLD}",), as_of=AS_OF, reference=case
    )
    return (await KnownIncidents(pool).of(request)).incident


async def meanwhile(pool: Pool, table: str, first: Awaitable[Any], then: Awaitable[Any]) -> tuple[Any, Any]:
    """Have *first* wait before it writes to *table*, and *then* go as far as it can before *first* goes on."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(f"lock table {table} in share mode")
        one = asyncio.ensure_future(first)
        await eventually(lambda: blocked(pool))
        two = asyncio.ensure_future(then)

        async def far_enough() -> bool:
            return two.done() or await blocked(pool) > 1

        await eventually(far_enough)
    return await one, await two


@pytest.fixture
async def case(pool: Pool) -> str:
    """A complaint whose trades are not in the case file yet: the customer has just named them."""
    await bad_minute(pool)
    await Desk(pool).list(INCIDENT)
    return await opened(CaseFile(pool, default_policy="platform-default"), account=SOLD, trades=())


STAGES = [stage for stage in IncidentStage if stage is not IncidentStage.LISTING]


@pytest.mark.parametrize("stage", STAGES)
async def test_an_incident_that_goes_on_while_a_complaint_is_linked_to_it_finds_the_complaint(
    pool: Pool, case: str, stage: IncidentStage
) -> None:
    link, found = await meanwhile(pool, "casefile.incident_cases", looks(pool, case), goes_on(Desk(pool), stage))
    assert link.stage is IncidentStage.LISTING
    assert found.references == (case,)


@pytest.mark.parametrize("stage", STAGES)
async def test_a_complaint_that_looks_while_the_incident_goes_on_sees_the_new_stage_or_is_found(
    pool: Pool, case: str, stage: IncidentStage
) -> None:
    found, link = await meanwhile(pool, "casefile.incidents", goes_on(Desk(pool), stage), looks(pool, case))
    seen = link.stage if link else IncidentStage.DISMISSED
    assert found.references == (case,) or seen is stage


ASKED = {"checks": (Check.WITHDRAWAL_DELAY,), "account": SOLD, "as_of": AS_OF}
NOT_BY_THE_RULES: dict[str, dict[str, Any]] = {
    "other tolerances": {"tolerances": Tolerances(withdrawal_interest_percent="800")},
    "interest of nobody's": {"interest": (Interest(rule="mine", percent=Decimal(800)),)},
    "interest until a day to come": {"as_of": AS_OF + timedelta(days=400)},
    "a case that there is not": {"reference": "RD-C6SS-7HAV-35VTA"},
    "no case": {"reference": None},
}


async def test_only_what_was_asked_by_the_rules_of_a_case_is_marked_for_that_case_and_account(pool: Pool) -> None:
    """Whoever reaches Temporal may have the workers look at anything: a case is decided on nothing of it."""
    known = KnownIncidents(pool, clock=lambda: AS_OF)

    async def mark(request: InvestigationRequest) -> str | None:
        return await known.mark(request, (), await known.of(request))

    case = await opened(CaseFile(pool, default_policy="platform-default"), account=SOLD)
    pack = await pool.fetchval("select content from casefile.policy_packs")
    given = InvestigationRequest.model_validate({**ASKED, "reference": case, "tolerances": pack["tolerances"]})
    marks = {await mark(given)}
    assert marks == {await mark_here(marking(case, SOLD, ()))}
    marks.add(await mark(given.model_copy(update={"account": "70099999"})))
    assert len(marks - {None}) == 2
    for what, change in NOT_BY_THE_RULES.items():
        assert await mark(given.model_copy(update=change)) is None, what


def test_interest_is_given_by_the_rules_of_the_pack_from_no_day_before_the_receipt() -> None:
    rule = {"name": "firm", "percent": 8, "source": "Made for the test", "confirmed": True, "on": "award"}
    rules = [
        InterestRule.model_validate(rule | {"trigger": "received"}),
        InterestRule.model_validate(rule | {"name": "late", "trigger": "referred", "runs_from": "trigger"}),
    ]
    happened = {CaseEvent.RECEIVED: AS_OF, CaseEvent.REFERRED: AS_OF + timedelta(days=9)}
    given = interest_for(rules, happened)
    assert len(given) == 2
    assert may_be_given(rules, given, AS_OF)
    assert may_be_given(rules, given[1:], AS_OF)
    for one in given:
        assert not may_be_given(rules, [one.model_copy(update={"percent": Decimal(9)})], AS_OF)
        assert not may_be_given(rules, [one.model_copy(update={"since": AS_OF.date() - timedelta(days=1)})], AS_OF)
        assert not may_be_given([], [one], AS_OF)
