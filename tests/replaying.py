"""Every workflow that a test runs is replayed when the test ends, with the worker's own settings.

No test asks for it: each start that passes through the SDK in this process is noted, servers that can list are asked
what others (worker processes, commands, other languages) have started, and what continued in a new run is followed.
A server that a test ends before its own end is asked before it stops.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from google.protobuf.message import Message
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import (
    ExecuteMultiOperationResponse,
    ResetWorkflowExecutionResponse,
    SignalWithStartWorkflowExecutionResponse,
    StartWorkflowExecutionResponse,
)
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode, ServiceClient, _BridgeServiceClient
from temporalio.testing import _workflow as environments

from runtime.embedded_temporal import EmbeddedTemporal
from tests.runtime.small_worker import Count
from tests.runtime.workflows_for_tests import (
    Add,
    AnswersAndHears,
    AsksAtOnce,
    EndsWhenIdle,
    EndsWhenTold,
    LooksAtTheClock,
    LooksAtWhatItHears,
    Modules,
    Talk,
    TellsWhenItBegan,
    TellsWhenItHeard,
    Thief,
)
from tests.workflows.one_effect import OneEffect
from trial.replays import find_differences
from worker import WORKFLOWS

SMALL: Final = (
    Add,
    AnswersAndHears,
    AsksAtOnce,
    Count,
    EndsWhenIdle,
    EndsWhenTold,
    LooksAtTheClock,
    LooksAtWhatItHears,
    Modules,
    OneEffect,
    Talk,
    TellsWhenItBegan,
    TellsWhenItHeard,
    Thief,
)
"""Workflows that exist for tests."""

_FAILED: Final = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
_DONE: Final = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
_CONTINUED: Final = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
_ENDED: Final = {
    _CONTINUED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
}

_ANSWERS: Final = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
}

_OUR_OWN_DOING: Final = {
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,  # something came in meanwhile: tried again
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW,
}
"""Why a workflow task may have failed without fault of the workflow."""


@dataclass(frozen=True)
class Run:
    """One run of a workflow on a server."""

    address: str
    namespace: str
    workflow: str
    run: str


@dataclass
class Lives:
    """What workflows were started, and the histories of those whose server has gone."""

    _waiting: dict[Run, ServiceClient] = field(default_factory=dict)
    _gathered: dict[Run, WorkflowHistory] = field(default_factory=dict)
    _replayed: set[Run] = field(default_factory=set)
    """Runs that an earlier test has answered for: a server may list them for ever."""
    _servers: list[Client] = field(default_factory=list)
    """Servers of this process that can list what runs on them."""
    _spoken_to: set[str] = field(default_factory=set)
    """Addresses of servers that this process has called since it last asked them."""

    @property
    def waiting(self) -> Iterable[Run]:
        """Runs that will be replayed when the test ends."""
        return self._waiting.keys()

    def note(self, service: ServiceClient, request: Any, response: Message) -> None:
        """A call was answered: if it has started a run, keep in mind which."""
        self._spoken_to.add(service.config.target_host)
        started: Iterable[tuple[str, str]] = ()
        match response:
            case StartWorkflowExecutionResponse() | SignalWithStartWorkflowExecutionResponse():
                started = [(request.workflow_id, response.run_id)]
            case ResetWorkflowExecutionResponse():
                started = [(request.workflow_execution.workflow_id, response.run_id)]
            case ExecuteMultiOperationResponse():
                started = [
                    (asked.start_workflow.workflow_id, given.start_workflow.run_id)
                    for asked, given in zip(request.operations, response.responses, strict=True)
                    if asked.HasField("start_workflow")
                ]
        for workflow, run in started:
            one = Run(service.config.target_host, request.namespace, workflow, run)
            if one not in self._replayed and one not in self._gathered:
                self._waiting[one] = service

    def serve(self, client: Client) -> None:
        """A server has started that can list what runs on it."""
        self._servers.append(client)

    def leave_out(self, workflow: str) -> None:
        """A workflow whose history opens with no key of this process: it was erased, or its stack has others."""
        self._replayed |= {run for run in self._waiting if run.workflow == workflow}
        self._waiting = {run: service for run, service in self._waiting.items() if run.workflow != workflow}

    async def gather(self, client: Client, *, lists: bool = True) -> None:
        """Fetch the histories of all that a server has run: it is about to stop, or the test ends."""
        self._servers = [server for server in self._servers if server is not client]
        address = client.service_client.config.target_host
        if lists:
            async for found in client.list_workflows():
                run = Run(address, client.namespace, found.id, found.run_id)
                if run not in self._replayed and run not in self._gathered:
                    self._waiting[run] = client.service_client
        await asyncio.gather(*(self._fetch(run) for run in list(self._waiting) if run.address == address))
        # The same runs may have been started by another way, which is closed by now.
        for run in [run for run in self._waiting if replace(run, address=address) in self._gathered]:
            del self._waiting[run]

    async def _fetch(self, run: Run) -> None:
        service = self._waiting.pop(run)
        client = Client(service, namespace=run.namespace)
        try:
            history = await client.get_workflow_handle(run.workflow, run_id=run.run).fetch_history()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:  # deleted, or of another server that had this port
                return
            raise
        self._gathered[run] = history
        last = history.events[-1]
        if last.event_type == _CONTINUED:
            following = last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
            follower = Run(run.address, run.namespace, run.workflow, following)
            if follower not in self._replayed and follower not in self._gathered:
                self._waiting[follower] = service
                await self._fetch(follower)

    async def replay(
        self,
        folder: Path,
        *,
        everywhere: bool = False,
        keep: Callable[[WorkflowHistory], Awaitable[None]] | None = None,
    ) -> list[str]:
        """Replay all there is since the last time; say what is wrong with what does not replay, kept in *folder*.

        *keep* is given each history.

        Servers that nobody here has called since then are asked only for what is *everywhere*: most tests call none.
        """
        for server in list(self._servers):
            if everywhere or server.service_client.config.target_host in self._spoken_to:
                await self.gather(server)
                self.serve(server)
        wrong = []
        for run in list(self._waiting):
            try:
                await self._fetch(run)
            except RPCError as error:
                wrong.append(f"{run.workflow}: its server has gone; let the test gather it before: {error}")
        self._spoken_to.clear()
        histories, self._gathered = self._gathered, {}
        self._replayed.update(histories)
        if keep:
            for history in histories.values():
                await keep(history)
        for history, complaint in [*stuck(histories.values()), *await unlike(histories.values())]:
            kept = folder / f"{history.workflow_id}-{history.run_id}.json".replace("/", "-")
            kept.write_text(history.to_json(), encoding="utf-8")
            wrong.append(f"{history.workflow_id}: {complaint}\n  the history: {kept}")
        return wrong


def stuck(histories: Iterable[WorkflowHistory]) -> list[tuple[WorkflowHistory, str]]:
    """Open workflows whose last workflow task failed: they are tried again for ever."""
    found = []
    for history in histories:
        if history.events[-1].event_type in _ENDED:
            continue
        tasks = [event for event in history.events if event.event_type in {_FAILED, _DONE}]
        if tasks and tasks[-1].event_type == _FAILED:
            failed = tasks[-1].workflow_task_failed_event_attributes
            on_purpose = failed.failure.application_failure_info.type == "TakenUpAgain"  # once, says runtime/turns.py
            if failed.cause not in _OUR_OWN_DOING and not on_purpose:
                found.append((history, f"its task fails since event {tasks[-1].event_id}: {failed.failure.message}"))
    return found


async def unlike(histories: Iterable[WorkflowHistory]) -> list[tuple[WorkflowHistory, str]]:
    """Workflows that do something else when replayed, and what replay says of it."""
    histories = [WorkflowHistory(history.workflow_id, decided(history.events)) for history in histories]
    histories = [history for history in histories if history.events]
    if not histories:
        return []

    async def all_of_them() -> AsyncIterator[WorkflowHistory]:
        for history in histories:
            yield history

    return await find_differences(all_of_them(), *WORKFLOWS, *SMALL)


def decided(events: Iterable[HistoryEvent]) -> list[HistoryEvent]:
    """The events up to what the last finished workflow task decided; nothing, if none finished."""
    kept = list(events)
    finished = [event.event_id for event in kept if event.event_type == _DONE]
    if not finished:
        return []
    last = finished[-1]
    until = max(event.event_id for event in kept if event.event_id == last or _task_before(event) >= last)
    return [event for event in kept if event.event_id <= until]


def _task_before(event: HistoryEvent) -> int:
    """The number of the finished workflow task that decided on this event; 0 for one that came from outside."""
    if event.event_type in _ANSWERS:
        return event.event_id
    attributes = getattr(event, event.WhichOneof("attributes") or "", None)
    number = getattr(attributes, "workflow_task_completed_event_id", 0)
    return number + 1 if number else 0  # the Java test server names the event before


LIVES: Final = Lives()


def note_every_life() -> None:
    """Note every start from now on, and ask servers before they stop."""
    call, stop = _BridgeServiceClient._rpc_call, EmbeddedTemporal.stop
    begin, shutdown = environments._HasAServer.__init__, environments._HasAServer.shutdown

    async def noted_call(self: Any, rpc: str, req: Any, *args: Any, **options: Any) -> Any:
        response = await call(self, rpc, req, *args, **options)
        LIVES.note(self, req, response)
        return response

    def begun(self: Any, *args: Any, **options: Any) -> None:
        begin(self, *args, **options)
        if not self.supports_time_skipping_v1:
            LIVES.serve(self.client)

    async def shut_down(self: Any) -> None:
        await LIVES.gather(self.client, lists=not self.supports_time_skipping_v1)
        await shutdown(self)

    async def stopped(self: Any) -> None:
        if self._client:
            with contextlib.suppress(RPCError):  # a test may have killed it
                await LIVES.gather(self._client)
        await stop(self)

    setattr(_BridgeServiceClient, "_rpc_call", noted_call)  # noqa: B010 (mypy minds another way to say it)
    setattr(environments._HasAServer, "__init__", begun)  # noqa: B010
    setattr(environments._HasAServer, "shutdown", shut_down)  # noqa: B010
    setattr(EmbeddedTemporal, "stop", stopped)  # noqa: B010
