"""Whoever has an interest in one account of a list sees no sums of it, does nothing about it, and others do."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from domain.ground.messages import Message
from domain.ground.people import Actor
from domain.ground.words import IncidentStage, Role
from domain.incidents.messages import INCIDENT_UPDATES
from domain.incidents.progress import Progress
from domain.incidents.requests import LookForRecusal
from domain.incidents.state import IN_PART
from domain.log.firm_records import Cancellation
from runtime.database import seen_by
from starter.client.conversation import Refused
from starter.client.directory import People
from starter.client.examples import EXAMPLES
from starter.reading.incidents import get_cohort, get_incident, sees_whole
from starter.reading.payments import get_payments, get_unsettled
from tests.case.support import keeping, opened
from tests.checks.rows import AT, store
from tests.incidents import test_cohort
from tests.incidents.minute import BOUGHT, ELSEWHERE, FAULT, INCOMPLETE, LATER, SOLD, STOPPED, Pool, bad_minute, new
from tests.incidents.test_incident_workflow import Desk, desk, env
from tests.people.support import LEAD, TODAY, directory, person
from tests.signing import signed
from tests.web.conftest import doors_over
from tests.web.test_desk import signed_on
from web.app import create_app

INCIDENT = new().reference
KEPT_OUT, FREE = "e-1", "e-2"
__all__ = ["desk", "env"]


def conflict(account: str, **days: Any) -> dict[str, Any]:
    return {"conflicts": [{"account": account, "first": TODAY, "why": "family", **days}]}


async def declare(pool: Pool, **more: Any) -> None:
    people = directory(person(KEPT_OUT, "executive", **more), person(FREE, "executive"))
    await People(pool, signed).replace(people, by=LEAD)


async def cancelled(pool: Pool, account: str, by: str) -> None:
    """That somebody cancelled the order of the account."""
    facts = {"cancellation": f"C-{account}", "account": account, "at": AT, "amount": Decimal(100), "currency": "USD"}
    await store(pool, Cancellation(**facts, order=f"O-{account}", decided_by=by))


async def is_kept_out(pool: Pool, who: str, number: int = 1) -> bool:
    asked = LookForRecusal(reference=INCIDENT, number=number, person=who, at=datetime.now(UTC))
    return (await test_cohort.Desk(pool).activities.look_for_recusal(asked)).kept_out


@pytest.fixture
async def listed(pool: Pool) -> test_cohort.Desk:
    desk = test_cohort.Desk(pool)
    await bad_minute(pool)
    await desk.list(new())
    return desk


@pytest.mark.parametrize("account", [STOPPED, BOUGHT, INCOMPLETE])
@pytest.mark.parametrize("interest", ["declared", "acted", "acted by name", "named"])
async def test_an_interest_in_one_account_keeps_out_of_all_of_it(
    pool: Pool, listed: test_cohort.Desk, interest: str, account: str
) -> None:
    await declare(pool, names=["Jane Doe", "jdoe"], **(conflict(account) if interest == "declared" else {}))
    if interest.startswith("acted"):
        await cancelled(pool, account, "JDoe" if "name" in interest else f"dealer:{KEPT_OUT.upper()}")
    if interest == "named":
        case = await opened(keeping(pool), account=account, description="Jane Doe gave me a wrong price.")
        await pool.execute("insert into casefile.incident_cases values ($1, $2, now())", case, INCIDENT)
    await pool.execute("update casefile.incidents set progress = $1, revision = revision + 1", EXAMPLES[Progress])
    for who, sees in ((KEPT_OUT, False), (FREE, True)):
        assert await is_kept_out(pool, who) is not sees
        eyes = seen_by(pool, who)
        assert await sees_whole(eyes, INCIDENT) is sees
        assert ((await get_incident(eyes, INCIDENT)).progress is not None) is sees
        assert any(row.account == account for row in await get_cohort(eyes, INCIDENT)) is sees
    with pytest.raises(ApplicationError, match=f"executive:{KEPT_OUT} is kept out of"):
        await listed.compensate(new(), SOLD)


@pytest.mark.parametrize(
    "interest",
    [
        conflict(LATER),
        conflict(STOPPED, first=TODAY - timedelta(9), last=TODAY - timedelta(1)),
        {"names": ["Jane Doe"]},
    ],
)
async def test_an_interest_in_something_else_or_in_other_days_keeps_nobody_out(
    pool: Pool, listed: test_cohort.Desk, interest: dict[str, Any]
) -> None:
    await declare(pool, **interest)
    await cancelled(pool, LATER, KEPT_OUT)
    assert not await is_kept_out(pool, KEPT_OUT)
    assert await sees_whole(seen_by(pool, KEPT_OUT), INCIDENT)
    assert await listed.compensate(new(), SOLD)


async def test_a_list_that_is_not_there_keeps_nobody_out(pool: Pool, listed: test_cohort.Desk) -> None:
    await declare(pool, **conflict(ELSEWHERE))
    assert [await is_kept_out(pool, KEPT_OUT, number) for number in (0, 1)] == [False, True]


async def test_what_is_owed_and_paid_to_such_an_account_is_not_shown(pool: Pool, listed: test_cohort.Desk) -> None:
    await declare(pool, **conflict(STOPPED))
    listed.activities._rail = "bank"
    await listed.approve(new(), by=f"executive:{FREE}")
    for account in (STOPPED, SOLD):
        await listed.compensate(new(), account)
        await pool.execute(
            "insert into payments.orders (key, reference, payee, amount, currency, rail, ordered_at)"
            " values ($1, $2, $3, 5, 'USD', 'bank', now())",
            *(f"{INCIDENT}:payment:{account}:1", INCIDENT, account),
        )
    for who, shown in ((KEPT_OUT, {SOLD}), (FREE, {STOPPED, SOLD})):
        eyes = seen_by(pool, who)
        assert {one.account for one in await get_unsettled(eyes, datetime.now(UTC))} == shown
        assert {one.payee for one in await get_payments(eyes, INCIDENT)} == shown


async def test_who_opens_an_incident_counts_no_account_that_they_have_an_interest_in(pool: Pool) -> None:
    await bad_minute(pool)
    await declare(pool, **conflict(BOUGHT))
    site = create_app(doors_over(pool))
    form = {"kind": "quote", "symbol": FAULT.symbol, "since": FAULT.since.isoformat(), "until": FAULT.until.isoformat()}
    for who, told in ((KEPT_OUT, "5 orders of 5 accounts"), (FREE, "6 orders of 6 accounts")):
        async with signed_on(site, who, Role.EXECUTIVE) as browser:
            page = await browser.send_form("/desk/incidents/do/open_incident", **form)
            assert told in page.text, who


async def test_they_send_an_incident_nothing(desk: Desk) -> None:
    """Of each kind of message, before the list is approved and while accounts wait; somebody else's is taken."""
    await bad_minute(desk.pool)
    desk.refused = {SOLD}
    lead = Actor(id="t-1", role=Role.TEAM_LEAD)
    kept_out, free = (Actor(id=who, role=Role.EXECUTIVE) for who in (KEPT_OUT, FREE))
    people = directory(person(KEPT_OUT, "executive", **conflict(INCOMPLETE)), person(FREE, "executive"))
    await People(desk.pool, signed).replace(people, by=lead)
    reference = await desk.open()
    now = await desk.listed(reference)
    assert now.cohort
    for said in ({"decision": "approve", "cohort": now.cohort.hash}, {"decision": "relist"}, {"decision": "dismiss"}):
        with pytest.raises(Refused, match=IN_PART):
            await desk.incidents.send(reference, message("decide_incident", kept_out, reasons="So be it.", **said))
    await desk.incidents.approve(reference, now.cohort.hash, by=free)
    await desk.when(reference, lambda now: now.failed == 1 and now.done == 2)
    fields: dict[str, dict[str, Any]] = {
        "pause_incident": {"reason": "Wait."},
        "resume_incident": {"per_minute": 9},
        "retry_member": {"account": SOLD, "leave": "A court case is pending."},
    }
    assert {"decide_incident", *fields} == {kind.name for kind in INCIDENT_UPDATES}
    for name, said in fields.items():
        with pytest.raises(Refused, match=IN_PART):
            await desk.incidents.send(reference, message(name, kept_out, **said))
    assert not (await desk.incidents.progress(reference)).paused
    await desk.incidents.send(reference, message("retry_member", free, **fields["retry_member"]))
    assert (await desk.ended(reference)).stage is IncidentStage.CLOSED


def message(name: str, actor: Actor, **fields: Any) -> Message:
    kind = next(kind for kind in INCIDENT_UPDATES if kind.name == name)
    decided = f"{name}-{actor.id}-{fields.get('decision')}"
    return kind.model_validate({"message_id": decided, "actor": actor, **fields})
