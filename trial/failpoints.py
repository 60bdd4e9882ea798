"""Failpoints: what a worker of the trial does to itself at one named place of its work.

The places are the boundaries of effects. Of an activity's execution ``Record#3``, the third in this process:
``start``; ``commit 1 before`` and ``after`` for each transaction or lone statement that writes; ``end``, when its
answer is known; ``reported``, when Temporal's core has the answer. Of the workflow: ``task 5 before``, when the fifth
activation was processed and is not reported yet, and ``after``.
"""

import asyncio
import os
import signal
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import temporalio.client
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor, Worker

from domain.ground.base import Record

KILL: Final = "kill"
STALL: Final = "stall"
LOST: Final = "lost"
TWICE: Final = "twice"
LATE: Final = "late"
RESET: Final = "reset"
OVERTAKE: Final = "overtake"
"""The worker is killed, and a message comes in before another takes over: what was decided is decided once more, after
the message."""

LATE_LOCALLY: Final = 4.5  # seconds; a local activity may take 4
LATE_AT_HEART: Final = 9.0  # seconds without a heartbeat; after 8 another attempt begins
LATE_AT_THE_SERVER: Final = 61.0  # seconds, with heartbeats; an attempt may take 60

_WRITES: Final = ("insert", "update", "delete", "copy")


class Point(Record):
    """One place, such as ``SendLetter#1 commit 2 after``, and what happens there, once."""

    place: str
    fault: str

    def __str__(self) -> str:
        return f"{self.place}: {self.fault}"


class Failpoints:
    """Notes every place that is passed in *journal*, and strikes at *point*, if there is one."""

    def __init__(self, journal: Path, point: Point | None, address: str) -> None:
        """*address* is Temporal's, ``host:port``: connections to it are what ``reset`` resets."""
        self._journal = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._point = point
        self._port = int(address.rpartition(":")[2])

    def note(self, line: str) -> None:
        os.write(self._journal, f"{line}\n".encode())

    def passes(self, place: str) -> str | None:
        """Note that *place* was reached; the fault that is due there, the first time only."""
        self.note(place)
        if self._point is None or self._point.place != place:
            return None
        fault, self._point = self._point.fault, None
        self.note(f"struck {fault}")
        return fault

    def strike(self, place: str) -> str | None:
        """What can be done without waiting is done here; the fault is returned if it is another."""
        fault = self.passes(place)
        match fault:
            case "kill" | "overtake":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stall":
                os.kill(os.getpid(), signal.SIGSTOP)
                return None
            case "reset":
                reset_connections(self._port)
                return None
        return fault


def reset_connections(port: int) -> int:
    """Cut this process's connections to *port*, in the middle of whatever they carry. Returns how many there were."""
    count = 0
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError, ValueError):
            if not str(entry.readlink()).startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(entry.name))) as connection:
                if connection.family in {socket.AF_INET, socket.AF_INET6} and connection.getpeername()[1] == port:
                    connection.shutdown(socket.SHUT_RDWR)
                    count += 1
    return count


class Execution:
    """One execution of an activity: its name with its number, and how many commits it has come to."""

    def __init__(self, name: str, *, is_local: bool) -> None:
        self.name = name
        self.is_local = is_local
        self.commits = 0


_EXECUTION: ContextVar[Execution | None] = ContextVar("execution", default=None)


class AtActivities(temporalio.client.Interceptor, Interceptor):
    """Strikes before an activity begins and when its answer is known."""

    def __init__(self, failpoints: Failpoints) -> None:
        self.failpoints = failpoints
        self.numbers: Counter[str] = Counter()
        self.names: dict[bytes, str] = {}
        """By task token."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _AtActivity(next, self)


class _AtActivity(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, at: AtActivities) -> None:
        super().__init__(next)
        self._at = at

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info, at = activity.info(), self._at
        at.numbers[info.activity_type] += 1
        name = f"{info.activity_type}#{at.numbers[info.activity_type]}"
        at.names[info.task_token] = name
        token = _EXECUTION.set(Execution(name, is_local=info.is_local))
        try:
            answer: Any = None
            twice = await self._strike(f"{name} start", is_local=info.is_local) == TWICE
            if twice:
                both: tuple[Any, Any] = await asyncio.gather(
                    super().execute_activity(input), super().execute_activity(input), return_exceptions=True
                )
                answer = next((one for one in both if not isinstance(one, BaseException)), both[0])
                if isinstance(answer, BaseException):
                    raise answer
            else:
                answer = await super().execute_activity(input)
            if await self._strike(f"{name} end", is_local=info.is_local) == TWICE:
                answer = await super().execute_activity(input)
            return answer
        finally:
            _EXECUTION.reset(token)

    async def _strike(self, place: str, *, is_local: bool) -> str | None:
        fault = self._at.failpoints.strike(place)
        if fault == LOST:
            raise ApplicationError(f"the trial lost an answer at {place}")
        if fault == LATE:
            await asyncio.sleep(LATE_LOCALLY if is_local else LATE_AT_HEART)
        return fault


class StrikingPool:
    """A pool whose connections strike before and after they commit."""

    def __init__(self, pool: Any, failpoints: Failpoints) -> None:
        self._pool = pool
        self._failpoints = failpoints

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        async with self._pool.acquire() as connection:
            yield _StrikingConnection(connection, self._failpoints)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)


class _StrikingConnection:
    def __init__(self, connection: Any, failpoints: Failpoints) -> None:
        self._connection = connection
        self._failpoints = failpoints

    def transaction(self, **options: Any) -> Any:
        if self._connection.is_in_transaction():
            return self._connection.transaction(**options)
        return _StrikingTransaction(self, self._connection.transaction(**options))

    async def execute(self, query: str, *arguments: Any, **options: Any) -> Any:
        if self._connection.is_in_transaction() or not query.lstrip().lower().startswith(_WRITES):
            return await self._connection.execute(query, *arguments, **options)
        async with self.commit():
            return await self._connection.execute(query, *arguments, **options)

    @asynccontextmanager
    async def commit(self) -> AsyncIterator[None]:
        """What is done within commits."""
        execution = _EXECUTION.get()
        if execution is None:
            yield
            return
        execution.commits += 1
        place = f"{execution.name} commit {execution.commits}"
        await self._strike(f"{place} before")
        yield
        await self._strike(f"{place} after")

    async def _strike(self, place: str) -> None:
        fault = self._failpoints.passes(place)
        match fault:
            case "kill" | "overtake":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stall":
                os.kill(os.getpid(), signal.SIGSTOP)
            case "lost":
                raise ApplicationError(f"the trial lost an answer at {place}")
            case "late":
                execution = _EXECUTION.get()
                local = execution is None or execution.is_local
                await asyncio.sleep(LATE_LOCALLY if local else LATE_AT_THE_SERVER)
            case "reset":
                self._connection.terminate()
                raise ConnectionResetError(f"the trial reset the connection at {place}")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class _StrikingTransaction:
    def __init__(self, connection: _StrikingConnection, transaction: Any) -> None:
        self._connection = connection
        self._transaction = transaction

    async def __aenter__(self) -> None:
        await self._transaction.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            await self._transaction.__aexit__(kind, error, trace)
            return
        committed = self._connection.commit()
        try:
            await committed.__aenter__()
        except BaseException as struck:
            with suppress(Exception):
                await self._transaction.__aexit__(type(struck), struck, None)
            raise
        await self._transaction.__aexit__(None, None, None)
        await committed.__aexit__(None, None, None)


def strike_at_completions(worker: Worker, at: AtActivities) -> None:
    """Strike when the worker tells Temporal's core the result of an activity or of a workflow's activation."""
    failpoints = at.failpoints
    activations = 0

    def wrapping(get: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: _StrikingBridge(get(), struck_activation, struck_activity)

    async def struck_activation(bridge: Any, completion: Any) -> None:
        nonlocal activations
        activations += 1
        number = activations
        failpoints.strike(f"task {number} before")
        await bridge.complete_workflow_activation(completion)
        failpoints.strike(f"task {number} after")

    async def struck_activity(bridge: Any, completion: Any) -> None:
        await bridge.complete_activity_task(completion)
        if name := at.names.pop(completion.task_token, None):
            failpoints.strike(f"{name} reported")

    # The SDK has no seam here; these two are where it hands results over.
    for part in ("_activity_worker", "_workflow_worker"):
        inner = getattr(worker, part)
        if inner is None:
            raise LookupError(f"this version of the SDK has no {part}: mend trial/failpoints.py")
        inner._bridge_worker = wrapping(inner._bridge_worker)


class _StrikingBridge:
    def __init__(self, bridge: Any, activation: Any, finished: Any) -> None:
        self._bridge = bridge
        self._activation = activation
        self._finished = finished

    async def complete_workflow_activation(self, completion: Any) -> None:
        await self._activation(self._bridge, completion)

    async def complete_activity_task(self, completion: Any) -> None:
        await self._finished(self._bridge, completion)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bridge, name)
