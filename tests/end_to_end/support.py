"""A real worker process, and what a test needs to follow a case from domain.keys.scopes import scope_of_customer
from the outside."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
from temporalio.testing import WorkflowEnvironment

from tests.patience import PATIENCE, eventually
from trial.parts import sealed_for

ROOT: Final = Path(__file__).parents[2]
ACCOUNT: Final = "70012345"


class WorkerProcess:
    """`python worker.py`, with nothing but the given variables of ours in its environment."""

    def __init__(self, folder: Path, **variables: str) -> None:
        """*folder* becomes its working directory and gets its log."""
        self.log = folder / "worker.log"
        self._folder = folder
        self._variables = variables
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it. It may not be ready yet."""
        self._folder.mkdir(parents=True, exist_ok=True)
        environment = os.environ | {"REDRESS_LOG_FORMAT": "json"} | self._variables
        with self.log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, str(ROOT / "worker.py"), cwd=self._folder, env=environment, stdout=log, stderr=log
            )

    async def ready(self) -> None:
        """Wait until it takes work."""
        await self.says("worker ready")

    async def says(self, text: str) -> None:
        """Wait until *text* is in its log."""

        async def is_there() -> bool:
            if text in self.output:
                return True
            assert self.running, f"the worker ended:\n{self.output}"
            return False

        await eventually(is_there, f"the worker says {text!r}")

    @property
    def output(self) -> str:
        """All it has said so far."""
        return self.log.read_text(encoding="utf-8")

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process is not None and self._process.returncode is None

    def terminate(self) -> None:
        """Ask it to stop."""
        assert self._process
        self._process.terminate()

    async def kill(self) -> None:
        """End it at once, whatever it is doing."""
        if self._process and self.running:
            self._process.kill()
            await self._process.wait()

    async def ended(self) -> int:
        """Wait until it has ended; return its exit code."""
        assert self._process
        async with asyncio.timeout(PATIENCE):
            return await self._process.wait()


@asynccontextmanager
async def worker_process(folder: Path, **variables: str) -> AsyncIterator[WorkerProcess]:
    """A worker process that is gone afterwards, whatever happens."""
    process = WorkerProcess(folder, **variables)
    try:
        await process.start()
        yield process
    finally:
        await process.kill()


def variables_for(env: WorkflowEnvironment, database_url: str, task_queue: str) -> dict[str, str]:
    """What a worker, or the ``temporal`` command, has to know of the servers of a test."""
    return {
        "DATABASE_URL": database_url,
        "REDRESS_ISSUERS": os.environ["REDRESS_ISSUERS"],
        "REDRESS_SIGNING_KEY": os.environ["REDRESS_SIGNING_KEY"],
        "REDRESS_TASK_QUEUE": task_queue,
        "TEMPORAL_ADDRESS": env.client.service_client.config.target_host,
        "TEMPORAL_NAMESPACE": env.client.namespace,
    }


def late_withdrawal_complaint(key: str, **changes: Any) -> dict[str, Any]:
    """A complaint about a withdrawal that came late, as plain JSON."""
    return {
        "source": "web-form",
        "idempotency_key": key,
        "received_at": datetime.now(UTC).isoformat(),
        "channel": "web",
        "language": "en",
        "complainant": {"name": "The Customer", "email": "customer@example.com"},
        "account": ACCOUNT,
        "description": "My withdrawal was paid far too late.",
        "trades": ["w-1"],
        **changes,
    }


async def book_late_withdrawal(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    """A withdrawal of 12,000 USD, paid seven days after the promised 48 hours: entry ``w-1``."""
    booked = datetime.now(UTC) - timedelta(days=1)
    await pool.execute(
        "insert into casefile.customers (account, name, email, language) values ($1, $2, $3, 'en')",
        ACCOUNT,
        *sealed_for(ACCOUNT, "The Customer", "customer@example.com"),
    )
    await pool.execute(
        "INSERT INTO tradelog.account_entries (entry, account, kind, amount, currency, requested_at, booked_at)"
        " VALUES ('w-1', $1, 'withdrawal', -12000, 'USD', $2, $3)",
        ACCOUNT,
        booked - timedelta(days=9),
        booked,
    )


async def at_stage(pool: "asyncpg.Pool[asyncpg.Record]", reference: str, stage: str) -> None:
    """Wait until the case file has the case at *stage*."""

    async def is_there() -> bool:
        row = "SELECT stage FROM casefile.cases WHERE reference = $1"
        return bool(await pool.fetchval(row, reference) == stage)

    await eventually(is_there, f"{reference} at stage {stage}")


def as_json(value: Any) -> str:
    """*value* as one line of JSON."""
    return json.dumps(value, ensure_ascii=False)
