"""Temporal comes back from a backup that is older than PostgreSQL: what it lost goes on from its files."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from domain.case.complaint import Complaint
from domain.ground.people import Actor
from domain.ground.words import IncidentStage, LetterKind, Role, Stage, Store
from recovery.reconcile import Why
from runtime.database import open_pool
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.temporal import register_search_attributes
from starter.client.incidents import Incidents
from starter.reading.ledger import check_ledger
from starter.reading.restores import restores_of
from starter.upkeep.lost_awards import find_lost_awards
from tests.incidents import minute
from tests.money.rail import Rail, open_rail
from tests.patience import PATIENCE, eventually
from tests.recovery.fingerprint import differences, fingerprint
from tests.recovery.records import Pool, TwoRecords, settings_of, ways_to_pay
from tests.recovery.test_older_case_file import (
    PROPOSAL,
    awarded,
    complaint_of,
    listed,
    responded_to_a_proposal,
    settled,
    stands,
    withdrawn,
)
from tests.replaying import LIVES
from tests.servers import whole_server
from tests.workflows.house import CUSTOMER, HANDLER, House
from workflows.search_attributes import KEYS


async def in_the_list(client: Client, reference: str) -> bool:
    """Whether the server lists the case, which it does a moment after its start."""
    return [one.id async for one in client.list_workflows(f"WorkflowId = '{reference}'")] == [reference]


@asynccontextmanager
async def temporal(file: Path) -> AsyncIterator[WorkflowEnvironment]:
    """A Temporal server that keeps what it knows in *file*."""
    env = await whole_server(dev_server_database_filename=str(file))
    async with env:
        await register_search_attributes(env.client, KEYS)
        yield env
        await LIVES.gather(env.client)


@pytest.fixture
async def rail() -> AsyncIterator[Rail]:
    async with open_rail() as rail:
        yield rail


@pytest.fixture
def paying(by: str, rail: Rail) -> dict[str, Any]:
    return settings_of(by, rail)


async def added(pool: Pool, whole: dict[str, list[str]]) -> list[str]:
    """What the record says otherwise than when it was *whole*, but for the lines that say what happened to it."""
    told = differences(whole, await fingerprint(pool, workflows=False))
    return [line for line in told if '"kind": "restored"' not in line]


@dataclass(frozen=True)
class Lives:
    """References of cases, by what becomes of them after the backup; ``late`` and ``again`` come after it."""

    ended: str
    accepted: str
    disputed: str
    waiting: str
    untouched: str
    asked: str
    late: str = ""
    again: str = ""

    @property
    def open(self) -> tuple[str, ...]:
        return (self.accepted, self.disputed, self.waiting, self.untouched, self.asked, self.late, self.again)


async def lived(house: House) -> Lives:
    """What happens before the backup."""
    for number in range(1, 8):
        await house.late_withdrawal("300000", days_late=30, entry=f"w-{number}")
    of_a_withdrawal = [await house.submit(trades=[f"w-{number}"]) for number in range(1, 6)]
    asked = await house.submit(
        description="The fill price of my order was wrong, far off the market.", trades=[], account=None
    )
    for reference in of_a_withdrawal:
        await house.at(reference, Stage.DECIDING)
    await house.sent(asked, LetterKind.INFORMATION_REQUEST)
    for reference in (*of_a_withdrawal, asked):
        await settled(house, reference)
    ended, accepted, disputed, waiting, untouched = of_a_withdrawal
    return Lives(ended, accepted, disputed, waiting, untouched, asked)


async def lived_on(house: House, lives: Lives) -> Lives:
    """What happens after it, to each of them something else; and two more come."""
    late, again = [await house.submit(trades=[f"w-{number}"]) for number in (6, 7)]
    lives = replace(lives, late=late, again=again)
    for reference in (lives.ended, lives.accepted):
        await responded_to_a_proposal(house, reference)
        await awarded(house, reference)
    await withdrawn(house, lives.ended)
    await responded_to_a_proposal(house, lives.disputed)
    await house.complaints.reply(lives.disputed, by=CUSTOMER, intent="dispute", text="No.", message_id="m-1")
    await house.row(lives.disputed, lambda case: case["stage"] == Stage.DECIDING)
    await house.complaints.assign(lives.waiting, "h-17", by=HANDLER, message_id="m-2")
    await house.complaints.reply(lives.asked, by=CUSTOMER, text="It is order 7.", trades=["7"])
    await house.complaints.correct_contact(lives.asked, by=HANDLER, email="new@example.com")
    await house.row(lives.asked, lambda case: case["stage"] == Stage.DECIDING)
    for reference in (late, again):
        await house.at(reference, Stage.DECIDING)
    for reference in lives.open:
        await settled(house, reference)
    return lives


async def made_whole(records: TwoRecords, pool: Pool, lives: Lives, whole: dict[str, list[str]]) -> None:
    """Have the workflows go on from their files, which are *whole*; two cases were heard of again before."""
    sent = await pool.fetchval("select complaint from casefile.cases where reference = $1", lives.again)
    await records.complaints.submit(Complaint.model_validate(sent))  # its sender was not sure
    await records.complaints.escalate(lives.waiting, "too slow", by=CUSTOMER)
    await eventually(lambda: in_the_list(records.env.client, lives.again))
    report = await records.reconcile(pool)
    assert {doubt.reference: doubt.why for doubt in report.doubts} == {
        **dict.fromkeys({lives.ended, *lives.open} - {lives.untouched}, Why.AHEAD),
        lives.late: Why.NO_WORKFLOW,
    }
    assert await added(pool, whole) == []  # nothing was changed
    repaired = await records.reconcile(pool, repair=True, store=Store.TEMPORAL)
    assert [doubt for doubt in repaired.doubts if not doubt.settled] == []
    assert await added(pool, whole) == []
    assert (await records.reconcile(pool)).doubts == ()


async def is_as_it_was(records: TwoRecords, house: House, lives: Lives, whole: dict[str, list[str]]) -> None:
    """Nothing is in the record beside what was there when it was *whole*, but what the customer said meanwhile."""
    await house.row(lives.waiting, lambda case: case["escalation_level"] > 0)
    async with asyncio.timeout(PATIENCE):
        assert (await house.complaints.result(lives.ended)).compensation is not None
    for reference in lives.open:
        await settled(house, reference)
    assert [line for line in await added(house.pool, whole) if lives.waiting not in line] == []
    assert (await records.reconcile(house.pool)).doubts == ()
    assert (await check_ledger(house.pool)).faults == ()
    assert await find_lost_awards(house.pool, records.complaints) == []
    _, repairs = await restores_of(house.pool, lives.late)
    assert any(key.startswith("workflow:") for key in repairs[0].written)


async def go_on(house: House, lives: Lives) -> None:
    """A message that is sent again counts once, and every case goes on."""
    await house.complaints.reply(lives.disputed, by=CUSTOMER, intent="dispute", text="No.", message_id="m-1")
    receipt = await house.complaints.assign(lives.waiting, "h-17", by=HANDLER, message_id="m-2")
    assert receipt.noted == "assigned to h-17"
    for reference in (lives.waiting, lives.late, lives.again):
        await responded_to_a_proposal(house, reference)
    another, second = Actor(id="h-18", role=Role.HANDLER), Actor(id="a-4", role=Role.COMPLIANCE_OFFICER)
    await house.complaints.propose_resolution(lives.disputed, by=another, **PROPOSAL)
    await house.complaints.approve(lives.disputed, by=second)
    await house.row(lives.disputed, lambda case: case["stage"] == Stage.RESPONDED)
    await awarded(house, lives.late)
    assert len(await house.timeline(lives.disputed, "customer_reply")) == 1
    assert len(await house.timeline(lives.waiting, "assign")) == 1
    await withdrawn(house, lives.accepted)
    assert (await check_ledger(house.pool)).faults == ()


@pytest.mark.long
@ways_to_pay(0)
async def test_cases_of_which_temporal_lost_a_part_or_all_go_on_from_their_files(
    postgres: EmbeddedPostgres, database_url: str, tmp_path: Path, rail: Rail, paying: dict[str, Any]
) -> None:
    file, backup = tmp_path / "temporal.db", tmp_path / "backup.db"
    async with temporal(file) as env:
        records = TwoRecords(env, postgres, tmp_path, paying)
        async with records.house(database_url) as house:
            lives = await lived(house)
    shutil.copy(file, backup)
    records.backed_up()

    async with temporal(file) as records.env, records.house(database_url) as house:
        lives = await lived_on(house, lives)
        whole = await fingerprint(house.pool, workflows=False)
        letters, paid = len(house.mail()), list(rail.asked)
        assert (await records.reconcile(house.pool)).doubts == ()

    async with temporal(backup) as records.env:
        pool = await open_pool(database_url)
        await made_whole(records, pool, lives, whole)
        await pool.close()
        async with records.house(database_url) as house:
            await is_as_it_was(records, house, lives, whole)
            assert len(house.mail()) == letters
            assert rail.asked == paid
            await go_on(house, lives)


@pytest.mark.long
@ways_to_pay(1)
async def test_an_incident_that_temporal_knows_as_a_list_goes_on_where_its_file_has_it_paid(
    postgres: EmbeddedPostgres, database_url: str, tmp_path: Path, rail: Rail, paying: dict[str, Any]
) -> None:
    file, backup = tmp_path / "temporal.db", tmp_path / "backup.db"
    async with temporal(file) as env:
        records = TwoRecords(env, postgres, tmp_path, paying)
        async with records.service(database_url) as pool:
            await minute.bad_minute(pool)
            case = await complaint_of(records, minute.SOLD)
            incident = (await Incidents(env.client, task_queue=records.queue).open(minute.new())).reference
            cohort = await listed(pool, incident)
            await stands(pool)
    shutil.copy(file, backup)
    records.backed_up()

    async with temporal(file) as records.env, records.service(database_url) as pool:
        incidents = Incidents(records.env.client, task_queue=records.queue)
        await incidents.approve(incident, cohort, by=minute.APPROVER)
        async with asyncio.timeout(PATIENCE):
            assert (await incidents.result(incident)).done == 3
        await stands(pool)
        whole, paid = await fingerprint(pool, workflows=False), list(rail.asked)
        letters = len(list((tmp_path / "outbox").iterdir()))

    async with temporal(backup) as records.env:
        pool = await open_pool(database_url)
        report = await records.reconcile(pool)
        assert {doubt.reference: doubt.why for doubt in report.doubts} == dict.fromkeys((case, incident), Why.AHEAD)
        repaired = await records.reconcile(pool, repair=True, store=Store.TEMPORAL)
        assert [doubt for doubt in repaired.doubts if not doubt.settled] == []
        await pool.close()
        async with records.service(database_url) as pool:
            async with asyncio.timeout(PATIENCE):
                ended = await Incidents(records.env.client, task_queue=records.queue).result(incident)
            assert (ended.stage, ended.done) == (IncidentStage.CLOSED, 3)
            await stands(pool)
            assert await added(pool, whole) == []
            assert rail.asked == paid
            assert len(list((tmp_path / "outbox").iterdir())) == letters
            assert (await records.reconcile(pool)).doubts == ()
            assert (await check_ledger(pool)).faults == ()
