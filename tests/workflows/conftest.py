from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Interceptor

from domain.ground.reference import INCIDENT
from runtime.payment_rail import PaymentRail
from runtime.temporal import register_search_attributes
from tests.patience import patient
from tests.servers import skipping_server
from tests.workflows.house import House
from tests.workflows.recording import opened, write
from workflows.search_attributes import KEYS


@pytest.fixture
async def house(
    pool: "asyncpg.Pool[asyncpg.Record]", tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[House]:
    """A house where the ledger alone is kept."""
    async with open_house(pool, tmp_path, request) as house:
        yield house


@pytest.fixture
async def real_time(
    dev_server_env: WorkflowEnvironment, pool: "asyncpg.Pool[asyncpg.Record]", tmp_path: Path
) -> AsyncIterator[House]:
    """A house whose server runs in real time, keeps schedules and resets workflows."""
    await register_search_attributes(dev_server_env.client, KEYS)
    house = House(dev_server_env, pool, tmp_path / "outbox")
    async with house.worker():
        yield house


@asynccontextmanager
async def open_house(
    pool: "asyncpg.Pool[asyncpg.Record]",
    folder: Path,
    request: pytest.FixtureRequest,
    rail: PaymentRail | None = None,
    interceptors: Sequence[Interceptor] = (),
) -> AsyncIterator[House]:
    """A server of its own: its clock stands still for ever once a case was stopped in the middle of something."""
    env = await skipping_server()
    async with env:
        await register_search_attributes(env.client, KEYS)
        built = House(patient(env), pool, folder / "outbox", rail)
        built.interceptors += interceptors
        async with built.worker():
            yield built
        if histories := request.config.getoption("--record-histories", default=None):
            await _record_histories(built, histories, request.node.name)


async def _record_histories(house: House, folder: Path, name: str) -> None:
    for reference in house.submitted:
        fetched = await house.client.get_workflow_handle(reference).fetch_history()
        place = folder / "incidents" if reference.startswith(f"{INCIDENT}-") else folder
        write(place / f"{name.removeprefix('test_')}.json", await opened(fetched, house.client.namespace))
