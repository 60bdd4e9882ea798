"""The watch of a worker: probes its servers, reads its gauges, and serves what it finds."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import asyncpg
import structlog
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.common import MetricMeter
from temporalio.service import RPCError

from runtime.policies import calendars_in_use
from runtime.watch.endpoint import Endpoint, State, fetch
from runtime.watch.failing import FailingActivities
from runtime.watch.metrics import Metrics, only_known
from runtime.watch.readings import read_record, read_temporal
from runtime.watch.starts import read_starts

if TYPE_CHECKING:
    from runtime.database import Connection

BEAT_EVERY: Final = 1.0  # seconds
PROBE_EVERY: Final = 5.0
PATIENCE: Final = 5.0
"""Seconds that a probe waits for PostgreSQL and for Temporal: within twice that a silent one is told of."""
READ_EVERY: Final = 30.0
CHECK_LEDGER_EVERY: Final = 600.0
POLLED_LATELY: Final = timedelta(minutes=2)  # an idle worker polls again within a minute

log = structlog.get_logger("redress.watch")


class AddressTaken(Exception):
    """The address of the endpoint cannot be had. The message names it and what to set."""


@dataclass(frozen=True)
class Watched:
    """What a watch looks at. ``check_ledger`` counts the faults of the compensation ledger."""

    database_url: str
    client: Client
    task_queue: str
    meter: MetricMeter
    exporter_port: int
    """Of the SDK, on this machine: what `meter` measures is to be had there."""
    failing: FailingActivities
    workflows: Collection[str]
    activities: Collection[str]
    check_ledger: Callable[[], Awaitable[int]]


@asynccontextmanager
async def watch(watched: Watched, address: str) -> AsyncIterator[str]:
    """Watch, and serve at *address* (``host:port``), for as long as the block runs. Gives the URL of the endpoint.

    Raises :class:`AddressTaken`.
    """
    host, _, port = address.rpartition(":")
    state = State()
    known = frozenset({*watched.workflows, *watched.activities})
    try:
        endpoint = Endpoint(host.strip("[]"), int(port), state, lambda: only_known(fetch(watched.exporter_port), known))
    except OSError as error:
        raise AddressTaken(
            f"REDRESS_METRICS_ADDRESS: {address} cannot be listened on ({error.strerror or error})."
            " Choose another port."
        ) from None
    metrics = Metrics(watched.meter, watched.activities, calendars_in_use().values())
    loops = [
        asyncio.create_task(work, name=f"watch: {name}")
        for name, work in {
            "beat": _every(BEAT_EVERY, _beat(state)),
            "probe": _every(PROBE_EVERY, _Probe(watched, state).once),
            "worker": _every(PROBE_EVERY, _worker(watched, metrics)),
            "record": _every(READ_EVERY, _record(watched, metrics)),
            "temporal": _every(READ_EVERY, _temporal(watched, metrics)),
            "ledger": _every(CHECK_LEDGER_EVERY, _ledger(watched, metrics)),
        }.items()
    ]
    try:
        yield f"http://{host}:{endpoint.port}"
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        await asyncio.to_thread(endpoint.close)


async def _every(seconds: float, do: Callable[[], Awaitable[None]]) -> None:
    """Do it again and again, whatever it raises: what watches must not be the first thing to end."""
    while True:
        try:
            await do()
        except Exception as error:  # the next time may go well; gauges that stand still are told by their times
            log.warning("the watch could not look", error=type(error).__name__)
        await asyncio.sleep(seconds)


def _beat(state: State) -> Callable[[], Awaitable[None]]:
    async def once() -> None:
        state.beat()

    return once


def _worker(watched: Watched, metrics: Metrics) -> Callable[[], Awaitable[None]]:
    async def once() -> None:
        metrics.worker(watched.failing.now(), datetime.now(UTC))

    return once


def _record(watched: Watched, metrics: Metrics) -> Callable[[], Awaitable[None]]:
    async def once() -> None:
        async with asyncio.timeout(READ_EVERY), _own_connection(watched.database_url) as connection:
            now = datetime.now(UTC)
            metrics.record(await read_record(connection, now), now)
            metrics.starts(*await read_starts(connection, now))

    return once


def _temporal(watched: Watched, metrics: Metrics) -> Callable[[], Awaitable[None]]:
    async def once() -> None:
        now = datetime.now(UTC)
        metrics.temporal(await read_temporal(watched.client, now), now)

    return once


def _ledger(watched: Watched, metrics: Metrics) -> Callable[[], Awaitable[None]]:
    async def once() -> None:
        metrics.ledger(await watched.check_ledger(), datetime.now(UTC))

    return once


class _Probe:
    """Asks both servers, on a connection of its own: that of the worker may be busy with good reason."""

    def __init__(self, watched: Watched, state: State) -> None:
        self._watched = watched
        self._state = state
        self._connection: Connection | None = None

    async def once(self) -> None:
        found = await asyncio.gather(self._postgresql(), self._temporal())
        self._state.probed(tuple(problem for problem in found if problem))

    async def _postgresql(self) -> str | None:
        try:
            async with asyncio.timeout(PATIENCE):
                if self._connection is None:
                    self._connection = await asyncpg.connect(self._watched.database_url, timeout=PATIENCE)
                await self._connection.fetchval("select 1")
        except (
            OSError,
            TimeoutError,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
        ) as error:
            if self._connection is not None:
                self._connection.terminate()
                self._connection = None
            return f"PostgreSQL does not answer ({type(error).__name__})"
        return None

    async def _temporal(self) -> str | None:
        try:
            async with asyncio.timeout(PATIENCE):
                for kind, name in _QUEUES.items():
                    if not await _polls(self._watched.client, self._watched.task_queue, kind):
                        return f"Temporal has not seen this worker ask for {name} tasks lately"
        except (RPCError, TimeoutError) as error:
            return f"Temporal does not answer ({type(error).__name__})"
        return None


_QUEUES: Final = {
    TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW: "workflow",
    TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY: "activity",
}


async def _polls(client: Client, task_queue: str, kind: TaskQueueType.ValueType) -> bool:
    """Whether the worker of *client* has asked for such tasks lately."""
    queue = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace, task_queue=TaskQueue(name=task_queue), task_queue_type=kind
        ),
        timeout=timedelta(seconds=PATIENCE),
    )
    since = datetime.now(UTC) - POLLED_LATELY
    return any(
        poller.identity == client.identity and poller.last_access_time.ToDatetime(UTC) > since
        for poller in queue.pollers
    )


@asynccontextmanager
async def _own_connection(url: str) -> "AsyncIterator[Connection]":
    connection = await asyncpg.connect(url, timeout=PATIENCE, command_timeout=READ_EVERY)
    try:
        yield connection
    finally:
        with contextlib.suppress(Exception):
            await connection.close(timeout=PATIENCE)
