"""Offer what waits: a workflow is started for each, again and again until it is dealt with.

Any number of processes may do so side by side. What a process that died had offered is offered again by another.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Final

import structlog
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError

from runtime.connection import TemporalUnavailable
from runtime.database import Pool

WORKFLOW: Final = "Inbound"
"""The workflow type that deals with one thing that was received."""

OFTEN: Final = timedelta(seconds=2)
"""How often it is looked what waits, unless somebody says that something came in."""
_AGAIN: Final = timedelta(seconds=30)
"""What was offered and is not dealt with is offered again after as long."""
_AT_ONCE: Final = 50

_IS_DUE: Final = "select exists (select from intake.waiting where next_at <= clock_timestamp())"
_TAKE: Final = """
    update intake.waiting set next_at = clock_timestamp() + $1, tries = tries + 1
    where key in (
        select key from intake.waiting where next_at <= clock_timestamp()
        order by next_at limit $2 for update skip locked
    )
    returning key
"""
_PUT_BACK: Final = "update intake.waiting set next_at = clock_timestamp() where key = any($1)"


class Dealer:
    """Starts the workflows for what waits. *reach* connects to Temporal, and is asked when something waits."""

    def __init__(self, pool: Pool, reach: Callable[[], Awaitable[Client]], *, task_queue: str) -> None:
        self._pool = pool
        self._reach = reach
        self._task_queue = task_queue
        self._came_in = asyncio.Event()

    def nudge(self) -> None:
        """Say that something came in."""
        self._came_in.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Offer what waits for as long as this is entered."""
        task = asyncio.create_task(self.run(), name="intake")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def run(self) -> None:
        """Offer what waits, until cancelled. Whatever is away is waited for."""
        log = structlog.get_logger("intake")
        while True:
            try:
                more = await self.offer()
            except (TemporalUnavailable, RPCError) as error:
                log.warning("Temporal is away; what was received waits", error=type(error).__name__)
                more = False
            except Exception as error:
                log.error("what was received could not be offered", error=type(error).__name__)  # noqa: TRY400 (it may quote)
                more = False
            if more:
                continue
            self._came_in.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(OFTEN.total_seconds()):
                    await self._came_in.wait()

    async def offer(self) -> bool:
        """Start the workflows of what is due; whether there may be more. Raises what stands in the way."""
        if not await self._pool.fetchval(_IS_DUE):
            return False
        client = await self._reach()
        keys = [row["key"] for row in await self._pool.fetch(_TAKE, _AGAIN, _AT_ONCE)]
        try:
            await asyncio.gather(*(self._start(client, key) for key in keys))
        except BaseException:
            await self._pool.execute(_PUT_BACK, keys)
            raise
        return len(keys) == _AT_ONCE

    async def _start(self, client: Client, key: str) -> None:
        await client.start_workflow(
            WORKFLOW,
            key,
            id=workflow_id(key),
            task_queue=self._task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            static_summary="Deal with what was received",
        )


def workflow_id(key: str) -> str:
    """The id of the workflow that deals with what is kept under *key*."""
    return f"inbound-{key}"
