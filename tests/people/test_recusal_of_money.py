"""Nothing is posted that somebody proposed or approved who was kept out, whatever a workflow believes."""

from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest
from temporalio.exceptions import ApplicationError

from activities.money.compensation import Compensation
from domain.incidents.progress import Progress
from domain.people.recusal import Why
from runtime.database import seen_by
from starter.client.directory import People
from starter.client.examples import EXAMPLES
from starter.reading.incidents import get_cohort, get_incident, list_incidents
from starter.reading.ledger import check_ledger
from tests.case.support import OPENED_AT, after, awarding, decided, entry, keeping, opened, update, usd
from tests.incidents.minute import STOPPED, bad_minute, new
from tests.incidents.test_cohort import Desk
from tests.people.support import LEAD, TODAY, directory, person
from tests.signing import signed

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]

AWARD = usd("5000")


@pytest.fixture
def compensation(pool: "Pool") -> Compensation:
    return Compensation(pool, keeping(pool), lambda: after(30))


async def keep_out(pool: "Pool", reference: str, who: str, why: Why, *, minutes: float = 0, **days: object) -> None:
    await pool.execute(
        "insert into casefile.recusals (reference, person, why, about, first, last, at)"
        " values ($1, $2, $3, 'T-1', $4, $5, $6)",
        reference,
        who,
        why.value,
        days.get("first"),
        days.get("last"),
        after(minutes),
    )


async def post(pool: "Pool", compensation: Compensation, reference: str) -> None:
    entries = decided(1, AWARD)
    await compensation.record_compensation(awarding(reference, AWARD, 1, update=update(reference, 1, entries=entries)))


@pytest.mark.parametrize("why", list(Why))
@pytest.mark.parametrize("who", ["h-17", "e-1"])
async def test_neither_proposer_nor_approver_may_be_kept_out(
    pool: "Pool", compensation: Compensation, who: str, why: Why
) -> None:
    reference = await opened(keeping(pool))
    await keep_out(pool, reference, who, why)
    with pytest.raises(ApplicationError, match=f":{who} is kept out of the case") as refusal:
        await post(pool, compensation, reference)
    assert refusal.value.type == "NotApproved"
    assert not await pool.fetchval("select count(*) from casefile.postings")


@pytest.mark.parametrize(("minutes", "before"), [(0.6, True), (0.8, False)])
async def test_who_had_the_case_when_it_was_decided_before_approves_no_review_of_it(
    pool: "Pool", compensation: Compensation, minutes: float, before: bool
) -> None:
    reference = await opened(keeping(pool))
    rounds = [
        entry(f"stage:{of}:deciding").model_copy(update={"kind": "stage", "at": after(at), "data": {"round": of}})
        for of, at in ((1, 0.5), (2, 0.7))
    ]
    await keeping(pool).record(update(reference, 1, entries=(*rounds, *decided(2, AWARD))))
    await pool.execute(
        "insert into casefile.assignments (reference, number, at, cause, person, role, team, by, level)"
        " values ($1, 9, $2, 'tried', 'E-3', 'executive', 'dealing', 'system:redress', 0)",
        *(reference, after(minutes)),
    )
    award = awarding(reference, AWARD, 2)
    if before:
        with pytest.raises(ApplicationError, match="executive:e-3 had the case when it was decided before") as refusal:
            await compensation.record_compensation(award)
        assert refusal.value.type == "NotApproved"
    else:
        await compensation.record_compensation(award)


async def test_others_may_and_so_may_who_is_kept_out_on_other_days(pool: "Pool", compensation: Compensation) -> None:
    reference = await opened(keeping(pool))
    await keep_out(pool, reference, "h-99", Why.NAMED)
    day = OPENED_AT.date()
    await keep_out(pool, reference, "h-17", Why.DECLARED, first=day - timedelta(9), last=day - timedelta(1))
    await post(pool, compensation, reference)
    assert await pool.fetchval("select count(*) from casefile.postings") == 1


async def test_what_comes_to_be_known_after_the_posting_makes_no_fault_of_the_ledger(
    pool: "Pool", compensation: Compensation
) -> None:
    reference = await opened(keeping(pool))
    await post(pool, compensation, reference)
    await keep_out(pool, reference, "e-1", Why.ACTED, minutes=31)
    assert not (await check_ledger(pool)).faults


async def test_a_name_in_the_complaint_alone_keeps_its_proposal_from_being_posted(
    pool: "Pool", compensation: Compensation
) -> None:
    await People(pool, signed).replace(directory(person("h-17", names=["Jane Doe"])), by=LEAD, at=OPENED_AT)
    reference = await opened(keeping(pool), description="Jane Doe gave me a wrong price.")
    with pytest.raises(ApplicationError, match=r"h-17 is kept out of the case \(named: complaint\)"):
        await post(pool, compensation, reference)


async def test_who_has_a_conflict_with_an_account_on_the_list_of_an_incident_approves_nothing_of_it(
    pool: "Pool",
) -> None:
    desk = Desk(pool)
    await bad_minute(pool)
    await desk.list(new())
    conflict = {"first": TODAY, "why": "family"}
    people = [
        person("e-1", "executive", conflicts=[{"account": STOPPED, **conflict}]),
        person("e-2", "executive", conflicts=[{"account": "another", **conflict}]),
    ]
    await People(pool, signed).replace(directory(*people), by=LEAD)
    with pytest.raises(ApplicationError, match=f"executive:e-1 is kept out of {STOPPED} on the list"):
        await desk.compensate(new(), STOPPED)
    await sums_tell_nothing_of_one(pool)


async def sums_tell_nothing_of_one(pool: "Pool") -> None:
    """Who sees the list without an account sees no totals with it, from which it would follow."""
    progress = {**EXAMPLES[Progress], "done": 1}
    await pool.execute("update casefile.incidents set progress = $1, revision = revision + 1", progress)
    incident = await pool.fetchval("select reference from casefile.incidents")
    for kind in ("opened", "listed", "failed", "void", "retry_member", "decide_incident", "closed"):
        await pool.execute(
            "insert into casefile.incident_timeline (reference, key, at, kind, actor, text, data)"
            " values ($1, $2, now(), $3, 'system:redress', $4, $5)",
            *(incident, f"{kind}:99", kind, f"{STOPPED} lost 5 USD", {}),
        )
    for who, sees in (("e-1", False), ("e-2", True)):
        eyes = seen_by(pool, who)
        view, [listed] = await get_incident(eyes, incident), await list_incidents(eyes)
        assert [one.progress is not None for one in (view, listed)] == [sees, sees]
        assert [one.kind for one in view.timeline if "lost" in one.text] == (
            ["opened", "listed", "failed", "void", "retry_member", "decide_incident", "closed"] if sees else ["opened"]
        )
        assert any(one.account == STOPPED for one in await get_cohort(eyes, incident)) == sees


async def test_who_has_none_approves_the_list(pool: "Pool") -> None:
    desk = Desk(pool)
    await bad_minute(pool)
    await desk.list(new())
    conflict = {"account": "another", "first": TODAY, "why": "family"}
    await People(pool, signed).replace(directory(person("e-1", "executive", conflicts=[conflict])), by=LEAD)
    assert await desk.compensate(new(), STOPPED)


async def test_who_is_kept_out_of_a_complaint_approves_no_list_of_its_incident(pool: "Pool") -> None:
    desk = Desk(pool)
    await bad_minute(pool)
    await desk.list(new())
    reference = await opened(keeping(pool))
    await pool.execute(
        "insert into casefile.incident_cases (reference, incident, at) values ($1, $2, now())",
        reference,
        new().reference,
    )
    await keep_out(pool, reference, "e-1", Why.NAMED)
    with pytest.raises(ApplicationError, match=r"executive:e-1 is kept out of T-1 on the list \(named\)"):
        await desk.compensate(new(), STOPPED)
