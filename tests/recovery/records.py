"""A service whose record, or whose workflows, are copied in the middle of everything and brought back later."""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from temporalio.testing import WorkflowEnvironment

from domain.ground.people import Actor
from domain.ground.words import Role, Store
from recovery.reconcile import Repairing, Report, reconcile
from runtime.database import open_pool
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.payment_rail import HttpRail
from runtime.settings import load_settings
from starter.client.complaints import Complaints
from starter.upkeep.restores import declare
from tests.money.rail import Rail
from tests.signing import signed
from tests.workflows.house import House
from worker import build_worker

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

SEED: Final = int(os.environ.get("REDRESS_TRIAL_SEED", "1"))


def ways_to_pay(first: int) -> pytest.MarkDecorator:
    """How a test pays: one way a run, by the seed. *first* is 0 or 1; where one pays by a rail, the other does not.

    What is lost (a case, an incident), from which store and how it was paid are met in every pair in any one run, and
    all eight together in a run with an odd and one with an even seed.
    """
    ways = ("the ledger alone", "a rail")
    return pytest.mark.parametrize("by", [ways[(first + SEED) % 2]])


def settings_of(by: str, rail: Rail) -> dict[str, Any]:
    """The settings of a payment *rail*, if one is paid *by*."""
    return {"payment_url": rail.url, "payment_secret": rail.secret} if by == "a rail" else {}


OPERATOR = Actor(id="o-1", role=Role.TEAM_LEAD)


class TwoRecords:
    """A house whose database is copied in the middle of everything, and later brought back from that copy."""

    def __init__(
        self, env: WorkflowEnvironment, server: EmbeddedPostgres, folder: Path, paying: dict[str, Any]
    ) -> None:
        """*paying* are the settings of a payment rail, if there is one."""
        self.env, self._server, self._folder, self._paying = env, server, folder, paying
        self._rail = HttpRail(load_settings(**paying)) if paying else None
        self._queue = f"redress-{uuid.uuid4()}"
        self.copied_at = datetime.now(UTC)

    @property
    def nowhere(self) -> Path:
        """Where letters would go that nobody may send."""
        return self._folder / "nowhere"

    @property
    def queue(self) -> str:
        return self._queue

    @property
    def complaints(self) -> Complaints:
        return Complaints(self.env.client, task_queue=self._queue)

    @asynccontextmanager
    async def house(self, url: str) -> AsyncIterator[House]:
        """The house on the database *url*, with a worker."""
        pool = await open_pool(url)
        house = House(self.env, pool, self._folder / "outbox", self._rail)
        house.task_queue = self._queue
        house.complaints = self.complaints
        try:
            async with house.worker():
                yield house
        finally:
            await pool.close()

    @asynccontextmanager
    async def service(self, url: str) -> AsyncIterator[Pool]:
        """The whole service on the database *url*, wired as in production."""
        pool = await open_pool(url)
        settings = load_settings(task_queue=self._queue, outbox_dir=self._folder / "outbox", **self._paying)
        try:
            async with build_worker(self.env.client, pool, settings):
                yield pool
        finally:
            await pool.close()

    def backed_up(self) -> None:
        """From now on Temporal may lose what happens."""
        self.copied_at = datetime.now(UTC)

    async def copy(self, url: str) -> str:
        """A copy of the database *url* as it is now; nobody may be connected to it."""
        name = f"test_{uuid.uuid4().hex}"
        administrator = await asyncpg.connect(self._server.url())
        source = urlsplit(url).path.lstrip("/")
        await administrator.execute(f'create database "{name}" template "{source}" strategy wal_log')
        await administrator.close()
        self.backed_up()
        return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))

    async def drop(self, url: str) -> None:
        administrator = await asyncpg.connect(self._server.url())
        await administrator.execute(f'drop database "{urlsplit(url).path.lstrip("/")}" with (force)')
        await administrator.close()

    async def reconcile(self, pool: Pool, *, repair: bool = False, store: Store = Store.POSTGRESQL) -> Report:
        settings = load_settings(task_queue=self._queue, outbox_dir=self.nowhere)
        repairing = None
        if repair:
            now = datetime.now(UTC)
            made = await declare(pool, store, self.copied_at, now, "the disk broke", OPERATOR, now, signed)
            repairing = Repairing(made.id, str(OPERATOR), made.since)
        return await reconcile(self.env.client, pool, settings, repairing=repairing)
