"""PostgreSQL comes back from a backup that is older than Temporal: what it lost is written again from the workflows."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, cast

import pytest
from temporalio.testing import WorkflowEnvironment

from domain.case.complaint import Complaint
from domain.ground.words import IncidentStage, LetterKind, Stage
from recovery.reconcile import Why
from runtime.database import migrate, open_pool
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.temporal import register_search_attributes
from starter.client.incidents import Incidents
from starter.reading.ledger import check_ledger
from starter.reading.restores import list_restores, restores_of
from starter.upkeep.lost_awards import find_lost_awards
from tests.incidents import minute
from tests.money.rail import Rail, open_rail
from tests.patience import PATIENCE, eventually
from tests.recovery.fingerprint import differences, fingerprint
from tests.recovery.records import Pool, TwoRecords, settings_of, ways_to_pay
from tests.workflows.house import APPROVER, CUSTOMER, HANDLER, House
from workflows.search_attributes import KEYS

PROPOSAL = {"outcome": "upheld", "compensation": {"amount": "1972.60", "currency": "USD"}, "reasons": "Paid late."}


@pytest.fixture
async def rail() -> AsyncIterator[Rail]:
    async with open_rail() as rail:
        yield rail


@pytest.fixture
async def records(
    by: str,
    dev_server_env: WorkflowEnvironment,
    postgres: EmbeddedPostgres,
    tmp_path: Path,
    rail: Rail,
) -> TwoRecords:
    await register_search_attributes(dev_server_env.client, KEYS)
    return TwoRecords(dev_server_env, postgres, tmp_path, settings_of(by, rail))


async def withdrawn(house: House, reference: str) -> None:
    await house.complaints.withdraw(reference, by=CUSTOMER)
    await house.row(reference, lambda case: case["closed_at"] is not None)
    async with asyncio.timeout(PATIENCE):
        await house.complaints.result(reference)


async def responded_to_a_proposal(house: House, reference: str) -> None:
    await house.at(reference, Stage.DECIDING)
    await house.complaints.propose_resolution(reference, by=HANDLER, **PROPOSAL)
    await house.complaints.approve(reference, by=APPROVER)
    await house.responded(reference)


async def awarded(house: House, reference: str) -> None:
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.at(reference, Stage.FOLLOWING_UP)


async def settled(house: House, reference: str) -> None:
    """Wait until nothing is under way any more, so that workflow and file agree."""

    async def is_settled() -> bool:
        status = await house.complaints.status(reference)
        return not status.letters_on_their_way

    await house.eventually(is_settled)


@dataclass(frozen=True)
class Lives:
    """References of cases, by how far they are when the backup is taken; ``late`` comes after it."""

    ended: str
    deciding: str
    answered: str
    awaiting: str
    asked: str
    late: str = ""


async def lived(house: House) -> Lives:
    """A case of every kind, each as far as it comes before the backup."""
    for number in range(1, 6):
        await house.late_withdrawal("300000", days_late=30, entry=f"w-{number}")
    ended = await house.submit()
    await responded_to_a_proposal(house, ended)
    await awarded(house, ended)
    await withdrawn(house, ended)
    deciding, answered, awaiting = [await house.submit(trades=[f"w-{number}"]) for number in (2, 3, 4)]
    asked = await house.submit(
        description="The fill price of my order was wrong, far off the market.", trades=[], account=None
    )
    for reference in (deciding, answered, awaiting):
        await house.at(reference, Stage.DECIDING)
    await responded_to_a_proposal(house, answered)
    await house.sent(asked, LetterKind.INFORMATION_REQUEST)
    for reference in (deciding, answered, awaiting, asked):
        await settled(house, reference)
    return Lives(ended, deciding, answered, awaiting, asked)


async def lived_on(house: House, lives: Lives) -> Lives:
    """What happens after the backup: to each of them something else, and a case that comes."""
    late = await house.submit(trades=["w-5"])
    await house.at(late, Stage.DECIDING)
    await responded_to_a_proposal(house, lives.deciding)
    await awarded(house, lives.deciding)
    await withdrawn(house, lives.deciding)
    await awarded(house, lives.answered)
    await house.complaints.reply(lives.asked, by=CUSTOMER, text="It is order 7.", trades=["7"])
    await house.complaints.correct_contact(lives.asked, by=HANDLER, email="new@example.com")
    await house.client.get_workflow_handle(lives.asked).signal("escalate", {"not": "a message"})
    await house.row(lives.asked, lambda case: case["stage"] == Stage.DECIDING)
    await house.complaints.escalate(lives.awaiting, "too slow", by=CUSTOMER)
    await house.row(lives.awaiting, lambda case: case["escalation_level"] > 0)
    for reference in (late, lives.answered, lives.awaiting, lives.asked):
        await settled(house, reference)
    return replace(lives, late=late)


async def made_whole(records: TwoRecords, pool: Pool, lives: Lives, whole: dict[str, list[str]]) -> None:
    """Repair the older record, until it is what it was when it was *whole*."""
    report = await records.reconcile(pool)
    assert {doubt.reference: doubt.why for doubt in report.doubts} == dict.fromkeys(
        (lives.late, lives.deciding, lives.answered, lives.awaiting, lives.asked), Why.LOST
    )
    assert await fingerprint(pool) != whole
    lost = await find_lost_awards(pool, records.complaints)
    assert [(fault.reference, "USD 1,972.60" in fault.problem) for fault in lost] == [(lives.deciding, True)]

    repaired = await records.reconcile(pool, repair=True)
    assert [doubt for doubt in repaired.doubts if not doubt.settled] == []
    assert differences(whole, await fingerprint(pool)) == []
    assert not records.nowhere.exists()
    assert (await records.reconcile(pool)).doubts == ()
    assert (await check_ledger(pool)).faults == ()
    assert await find_lost_awards(pool, records.complaints) == []

    (restore,) = await list_restores(pool)
    assert restore.repaired == len(report.doubts)
    _, repairs = await restores_of(pool, lives.late)
    assert "case" in repairs[0].written
    assert await restores_of(pool, lives.ended) == ([], [])


@pytest.mark.long
@ways_to_pay(1)
async def test_a_record_that_lost_a_part_of_every_kind_of_life_is_made_whole_again_from_the_workflows(
    records: TwoRecords, empty_database_url: str, rail: Rail
) -> None:
    await migrate(empty_database_url)
    async with records.house(empty_database_url) as house:
        lives = await lived(house)
    older = await records.copy(empty_database_url)
    try:
        async with records.house(empty_database_url) as house:
            lives = await lived_on(house, lives)
            whole = await fingerprint(house.pool)
            letters, paid = len(house.mail()), len(rail.asked)
            assert (await records.reconcile(house.pool)).doubts == ()
        pool = await open_pool(older)
        try:
            await made_whole(records, pool, lives, whole)
        finally:
            await pool.close()
        async with records.house(older) as house:  # every case goes on from there
            await house.complaints.propose_resolution(lives.late, by=HANDLER, **PROPOSAL)
            await withdrawn(house, lives.late)
            assert len(house.mail()) == letters + 1
            assert len(rail.asked) == paid
    finally:
        await records.drop(older)


@pytest.mark.long
@ways_to_pay(0)
async def test_an_incident_and_the_complaint_about_it_are_made_whole_again_wherever_the_backup_was_taken(
    records: TwoRecords, empty_database_url: str, dev_server_env: WorkflowEnvironment, rail: Rail
) -> None:
    incidents = Incidents(dev_server_env.client, task_queue=records.queue)
    copies = []
    await migrate(empty_database_url)
    async with records.service(empty_database_url) as pool:
        await minute.bad_minute(pool)
    copies.append(await records.copy(empty_database_url))
    try:
        async with records.service(empty_database_url) as pool:
            await complaint_of(records, minute.SOLD)
            # An instant of its own, for the server is shared and the same fault is the same incident.
            since = minute.FAULT.since + timedelta(microseconds=uuid.uuid4().int % 1_000_000)
            fault = minute.FAULT.model_copy(update={"since": since})
            incident = (await incidents.open(minute.new(fault=fault))).reference
            cohort = await listed(pool, incident)
            await stands(pool)
        copies.append(await records.copy(empty_database_url))
        async with records.service(empty_database_url) as pool:
            await incidents.approve(incident, cohort, by=minute.APPROVER)
            async with asyncio.timeout(PATIENCE):
                assert (await incidents.result(incident)).done == 3
            await stands(pool)
            whole, paid = await fingerprint(pool), list(rail.asked)
            assert (await records.reconcile(pool)).doubts == ()
        assert len(whole["casefile.incident_results"]) == 3
        assert whole["casefile.incident_cases"]
        for copy in copies:
            pool = await open_pool(copy)
            assert {doubt.why for doubt in (await records.reconcile(pool)).doubts} == {Why.LOST}
            repaired = await records.reconcile(pool, repair=True)
            assert [doubt for doubt in repaired.doubts if not doubt.settled] == []
            assert differences(whole, await fingerprint(pool)) == []
            assert (await records.reconcile(pool)).doubts == ()
            assert (await check_ledger(pool)).faults == ()
            await pool.close()
        assert rail.asked == paid
        assert not records.nowhere.exists()
    finally:
        for copy in copies:
            await records.drop(copy)


async def complaint_of(records: TwoRecords, account: str) -> str:
    """A complaint about the price of the order of *account*."""
    complaint = Complaint.model_validate(
        {
            "source": "test",
            "idempotency_key": str(uuid.uuid4()),
            "received_at": datetime.now(UTC),
            "channel": "web",
            "language": "en",
            "complainant": {"name": "The Customer", "email": "customer@example.com"},
            "account": account,
            "description": "The fill price of my order was wrong, far off the market.",
            "trades": [f"O-{account}"],
        }
    )
    return (await records.complaints.submit(complaint)).reference


async def listed(pool: Pool, incident: str) -> str:
    """Wait until the list of accounts is there to be approved; return its hash. Asked of the file, not of the workflow:

    a query that comes while an incident is being opened divides its first workflow task, which a replay does not.
    """

    async def there() -> str | None:
        stage = await pool.fetchval("select stage from casefile.incidents where reference = $1", incident)
        query = "select hash from casefile.cohorts where reference = $1"
        return await pool.fetchval(query, incident) if stage == IncidentStage.APPROVAL else None

    return cast(str, await eventually(there))


_UNTOLD: Final = """
    select count(*) from casefile.incident_cases as link join casefile.incidents on incidents.reference = link.incident
    where incidents.stage in ('approval', 'closed') and not exists (
        select from casefile.timeline as heard join casefile.timeline as drawn using (reference)
        where heard.reference = link.reference and drawn.kind = 'draft' and drawn.id > heard.id
            and heard.data ->> 'message_id' like incidents.reference || ':%:' || incidents.stage)
"""


async def stands(pool: Pool) -> None:
    """Wait until nothing is under way: for three seconds nothing is written down, and each complaint about an incident

    has heard where that stands, and has been looked at again for it.
    """
    seen: list[int] = []

    async def same_again() -> bool:
        seen.append(await pool.fetchval("select count(*) from casefile.timeline"))
        return len(seen) > 40 and seen[-1] == seen[-30] and not await pool.fetchval(_UNTOLD)  # ten looks a second

    await eventually(same_again)
