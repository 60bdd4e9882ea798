"""PostgreSQL comes back from a backup that is older than Temporal: what it lost is written again from the workflows."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from temporalio.testing import WorkflowEnvironment

from domain.messages import Actor
from domain.words import LetterKind, Role, Stage, Store
from recovery.reconcile import Repairing, Report, Why, reconcile
from runtime.database import migrate, open_pool
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.payment_rail import HttpRail
from runtime.settings import load_settings
from runtime.temporal import register_search_attributes
from starter.case_reader import check_ledger
from starter.restores import declare, list_restores, restores_of
from tests.payments.rail import Rail, open_rail
from tests.recovery.fingerprint import fingerprint
from tests.workflows.house import APPROVER, CUSTOMER, HANDLER, House
from workflows.search_attributes import KEYS

OPERATOR = Actor(id="o-1", role=Role.TEAM_LEAD)
PROPOSAL = {"outcome": "upheld", "compensation": {"amount": "1972.60", "currency": "USD"}, "reasons": "Paid late."}


@pytest.fixture
async def rail() -> AsyncIterator[Rail]:
    async with open_rail() as rail:
        yield rail


class TwoRecords:
    """A house whose database is copied in the middle of everything, and later brought back from that copy."""

    def __init__(self, env: WorkflowEnvironment, server: EmbeddedPostgres, folder: Path, rail: HttpRail | None) -> None:
        self._env, self._server, self._folder, self._rail = env, server, folder, rail
        self._queue = f"redress-{uuid.uuid4()}"
        self.copied_at = datetime.now(UTC)

    @asynccontextmanager
    async def house(self, url: str) -> AsyncIterator[House]:
        """The house on the database *url*, with a worker."""
        pool = await open_pool(url)
        house = House(self._env, pool, self._folder / "outbox", self._rail)
        house.task_queue = self._queue
        house.complaints = type(house.complaints)(house.client, task_queue=self._queue)
        try:
            async with house.worker():
                yield house
        finally:
            await pool.close()

    async def copy(self, url: str) -> str:
        """A copy of the database *url* as it is now; nobody may be connected to it."""
        name = f"test_{uuid.uuid4().hex}"
        administrator = await asyncpg.connect(self._server.url())
        source = urlsplit(url).path.lstrip("/")
        await administrator.execute(f'create database "{name}" template "{source}" strategy wal_log')
        await administrator.close()
        self.copied_at = datetime.now(UTC)
        return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))

    async def drop(self, url: str) -> None:
        administrator = await asyncpg.connect(self._server.url())
        await administrator.execute(f'drop database "{urlsplit(url).path.lstrip("/")}" with (force)')
        await administrator.close()

    async def reconcile(self, pool: "asyncpg.Pool[asyncpg.Record]", *, repair: bool = False) -> Report:
        settings = load_settings(task_queue=self._queue, outbox_dir=self._folder / "nowhere")
        repairing = None
        if repair:
            now = datetime.now(UTC)
            made = await declare(pool, Store.POSTGRESQL, self.copied_at, now, "the disk broke", OPERATOR, now)
            repairing = Repairing(made.id, str(OPERATOR))
        return await reconcile(self._env.client, pool, settings, repairing=repairing)


@pytest.fixture(params=["the ledger alone", "a rail"])
async def records(
    request: pytest.FixtureRequest,
    dev_server_env: WorkflowEnvironment,
    postgres: EmbeddedPostgres,
    tmp_path: Path,
    rail: Rail,
) -> TwoRecords:
    await register_search_attributes(dev_server_env.client, KEYS)
    paying = HttpRail(rail.settings(payment_timeout=2)) if request.param == "a rail" else None
    return TwoRecords(dev_server_env, postgres, tmp_path, paying)


async def withdrawn(house: House, reference: str) -> None:
    await house.complaints.withdraw(reference, by=CUSTOMER)
    await house.row(reference, lambda case: case["closed_at"] is not None)
    async with asyncio.timeout(20):
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


async def test_a_record_that_lost_a_part_of_every_kind_of_life_is_made_whole_again_from_the_workflows(
    records: TwoRecords, empty_database_url: str, rail: Rail
) -> None:
    await migrate(empty_database_url)
    async with records.house(empty_database_url) as house:
        for number in range(1, 6):
            await house.late_withdrawal("300000", days_late=30, entry=f"w-{number}")
        ended = await house.submit()
        await responded_to_a_proposal(house, ended)
        await awarded(house, ended)
        await withdrawn(house, ended)
        deciding = await house.submit(trades=["w-2"])
        answered = await house.submit(trades=["w-3"])
        awaiting = await house.submit(trades=["w-4"])
        asked = await house.submit(
            description="The fill price of my order was wrong, far off the market.", trades=[], account=None
        )
        for reference in (deciding, answered, awaiting):
            await house.at(reference, Stage.DECIDING)
        await responded_to_a_proposal(house, answered)
        await house.sent(asked, LetterKind.INFORMATION_REQUEST)
        for reference in (deciding, answered, awaiting, asked):
            await settled(house, reference)

    older = await records.copy(empty_database_url)
    try:
        async with records.house(empty_database_url) as house:
            late = await house.submit(trades=["w-5"])
            await house.at(late, Stage.DECIDING)
            await responded_to_a_proposal(house, deciding)
            await awarded(house, deciding)
            await withdrawn(house, deciding)
            await awarded(house, answered)
            await house.complaints.reply(asked, by=CUSTOMER, text="It is order 7.", trades=["7"])
            await house.complaints.correct_contact(asked, by=HANDLER, email="new@example.com")
            await house.client.get_workflow_handle(asked).signal("escalate", {"not": "a message"})
            await house.row(asked, lambda case: case["stage"] == Stage.DECIDING)
            await house.complaints.escalate(awaiting, "too slow", by=CUSTOMER)
            await house.row(awaiting, lambda case: case["escalation_level"] > 0)
            for reference in (late, answered, awaiting, asked):
                await settled(house, reference)
            whole = await fingerprint(house.pool)
            letters, paid = len(house.mail()), len(rail.asked)
            before = await records.reconcile(house.pool)
        assert before.doubts == ()

        pool = await open_pool(older)
        try:
            report = await records.reconcile(pool)
            assert {doubt.reference: doubt.why for doubt in report.doubts} == dict.fromkeys(
                (late, deciding, answered, awaiting, asked), Why.LOST
            )
            assert await fingerprint(pool) != whole

            repaired = await records.reconcile(pool, repair=True)
            assert [doubt for doubt in repaired.doubts if not doubt.settled] == []
            assert await fingerprint(pool) == whole
            assert (await records.reconcile(pool)).doubts == ()
            assert (await check_ledger(pool)).faults == ()

            (restore,) = await list_restores(pool)
            assert restore.repaired == len(report.doubts)
            _, repairs = await restores_of(pool, late)
            assert "case" in repairs[0].written
            assert await restores_of(pool, ended) == ([], [])
        finally:
            await pool.close()

        async with records.house(older) as house:  # every case goes on from there
            await house.complaints.propose_resolution(late, by=HANDLER, **PROPOSAL)
            await withdrawn(house, late)
            assert len(house.mail()) == letters + 1
            assert len(rail.asked) == paid
    finally:
        await records.drop(older)
