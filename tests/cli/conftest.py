from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import structlog
from temporalio.testing import WorkflowEnvironment

from runtime.settings import load_settings
from runtime.temporal import register_search_attributes
from tests.cli.command_line import CommandLine
from worker import build_worker
from workflows.search_attributes import KEYS


@pytest.fixture
def redress(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CommandLine:
    """The command line where no database is configured and no Temporal answers."""
    monkeypatch.setenv("REDRESS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return CommandLine(monkeypatch)


@pytest.fixture
def connected(redress: CommandLine, dev_server_env: WorkflowEnvironment, task_queue: str) -> CommandLine:
    """The command line with a Temporal server, but without a worker and a database."""
    redress.set("TEMPORAL_ADDRESS", dev_server_env.client.service_client.config.target_host)
    redress.set("TEMPORAL_NAMESPACE", dev_server_env.client.namespace)
    redress.set("REDRESS_TASK_QUEUE", task_queue)
    return redress


@pytest.fixture
async def service(
    connected: CommandLine,
    dev_server_env: WorkflowEnvironment,
    database_url: str,
    pool: "asyncpg.Pool[asyncpg.Record]",
    tmp_path: Path,
) -> AsyncIterator[CommandLine]:
    """The command line with the real thing behind it: PostgreSQL, Temporal and a worker."""
    connected.set("DATABASE_URL", database_url)
    connected.set("REDRESS_OUTBOX_DIR", str(tmp_path / "outbox"))
    await register_search_attributes(dev_server_env.client, KEYS)
    with structlog.testing.capture_logs():  # the worker's, which would stand between the lines of the command
        async with build_worker(dev_server_env.client, pool, load_settings()):
            yield connected
