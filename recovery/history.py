"""What a workflow did, in order: its effects, each with what was asked and what came of it, from its history.

The history holds what ordinary activities were asked, but not so of local ones: those are learned by replaying it.
"""

import contextlib
import dataclasses
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import NoneType
from typing import Any, Final

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistory
from temporalio.common import RawValue
from temporalio.converter import ActivitySerializationContext, WorkflowSerializationContext
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import (
    ExecuteWorkflowInput,
    Interceptor,
    Replayer,
    StartActivityInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from domain.case import case
from domain.incidents.state import Incident
from domain.keys.scopes import activity_of_run
from runtime.keys.codec import NotOfOurs
from runtime.temporal import temporal_plugin
from runtime.turns import InOrder
from workflows.complaint import ComplaintWorkflow
from workflows.effects import EFFECTS
from workflows.incident import IncidentWorkflow

_LOCAL: Final = "core_local_activity"
LEAVES_NOTHING: Final = frozenset(
    {
        *("LookElsewhere", "LookForRemedies", "LookForRecusal", "LookForTraining", "PreviewLetter"),
        *("NextMembers", "RefuseStart", "TakeTurn", "TakeUpCase"),
        *("DealWith", "NoteAction", "MeasureEffect", "MailReport", "DrawReviews", "ChaseReviews", "RunOut"),
        *("AskProcessReview", "ChaseProcessReview"),
    }
)
"""The effects after which nothing is to be written again: they write nothing of a case, or are of none."""


@dataclass(frozen=True)
class Step:
    """An effect: ``asked`` since when, ``done`` when; ``done`` is ``None`` where no success is in the history."""

    name: str
    request: Any
    asked: datetime
    done: datetime | None = None
    result: Any = None


@dataclass(frozen=True)
class Signal:
    """A signal as it came: its name, what was sent, and when."""

    name: str
    sent: Sequence[RawValue]
    at: datetime


@dataclass(frozen=True)
class Life:
    """What a workflow did in all its runs. ``state`` is the ``Case`` or ``Incident`` at the end of what was replayed.

    ``broken`` says why a history cannot be replayed by this code; then the steps may not be all. It is not ``whole``
    where Temporal does not keep its first runs any more. ``run`` is the first run, whether it is kept or not.
    ``forgotten`` is what was done in runs from which somebody has reset it: the file has it, the workflow does not.
    """

    steps: Sequence[Step]
    state: case.Case | Incident | None
    broken: str | None = None
    whole: bool = True
    run: str = ""
    forgotten: Sequence[Step] = ()


async def read_life(client: Client, workflow_id: str, run_id: str) -> Life:
    """The life of a workflow up to the run *run_id*, with all runs before it as far as Temporal keeps them."""
    histories: list[WorkflowHistory] = []
    known: set[str] = set()
    before, whole = run_id, True
    while before and whole:
        try:
            history = await _fetch(client, workflow_id, before)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND or not histories:
                raise
            whole = False  # the time that Temporal keeps closed runs for is over
        else:
            histories.insert(0, history)
            known.add(before)
            before = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    first = histories[0].events[0].workflow_execution_started_event_attributes.first_execution_run_id
    life = await replay(client, histories)
    forgotten = await _forgotten(client, workflow_id, histories, known)
    return dataclasses.replace(
        life, whole=whole and forgotten is not None, run=first, forgotten=forgotten.steps if forgotten else ()
    )


async def _forgotten(
    client: Client, workflow_id: str, histories: Sequence[WorkflowHistory], known: set[str]
) -> Life | None:
    """What was done in the runs from which these were reset, and in what followed those; ``None`` if not all is kept.

    *known* are the runs of *histories*: a reset run keeps in its first event which run it once was.
    """
    first = {run for history in histories for run in _reset_from(history)} - known
    if not first:
        return Life([], None)
    # A run that was reset to before it was itself begun by a reset is named in no history.
    listed = {run.run_id async for run in client.list_workflows(f"WorkflowId = '{workflow_id}'")}
    try:
        found = [await _fetch(client, workflow_id, run) for run in sorted((first | listed) - known)]
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    life = await replay(client, found)
    return None if life.broken else life


def _reset_from(history: WorkflowHistory) -> set[str]:
    failed = [event.workflow_task_failed_event_attributes.base_run_id for event in history.events]
    return {run for run in failed if run}


async def _fetch(client: Client, workflow_id: str, run_id: str) -> WorkflowHistory:
    return await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()


async def replay(client: Client, histories: Sequence[WorkflowHistory]) -> Life:
    """The life that these *histories*, one a run in their order, tell of."""
    steps: list[Step] = []
    state, broken = None, None
    for history in histories:
        heard = _Heard()
        replayer = Replayer(
            workflows=[ComplaintWorkflow, IncidentWorkflow],
            namespace=client.namespace,
            plugins=[temporal_plugin()],
            interceptors=[_Listening(heard)],
            workflow_runner=InOrder(),
            debug_mode=True,  # no server waits: two seconds without a processor are no deadlock
        )
        result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        if result.replay_failure is not None:
            broken = f"its history cannot be replayed by this version: {result.replay_failure}"
        steps += await _steps(client, history, heard)
        state = heard.state() or state
    return Life(steps, state, broken)


@dataclass
class _Heard:
    """What was asked of activities during a replay, by activity id, and the workflow's state."""

    requests: dict[str, tuple[str, Any]] = field(default_factory=dict)
    state: Callable[[], Any] = lambda: None

    def hear(self, activity: str, arguments: Sequence[Any]) -> None:
        # The SDK numbers the activities of a run, ordinary and local ones alike, and gives them their number as id.
        self.requests[str(len(self.requests) + 1)] = (activity, arguments[0])


class _Listening(Interceptor):
    def __init__(self, heard: _Heard) -> None:
        self._heard = heard

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor] | None:
        heard = self._heard

        class Outbound(WorkflowOutboundInterceptor):
            def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
                heard.hear(input.activity, input.args)
                return super().start_activity(input)

            def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
                heard.hear(input.activity, input.args)
                return super().start_local_activity(input)

        class Inbound(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(Outbound(outbound))

            async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
                running = workflow.instance()
                heard.state = lambda: getattr(running, "state", None)
                return await super().execute_workflow(input)

        return Inbound


async def _steps(client: Client, history: WorkflowHistory, heard: _Heard) -> list[Step]:
    """The effects in the order in which they were done; those not done at the place where they were asked for.

    What a stranger has asked of our activities in the workflow's place, or answered in theirs, is none.
    """
    # Of local activities the events tell in which order they were asked for, and their markers when they were done.
    found: list[tuple[int, int, Step]] = []
    asked: dict[int, tuple[str, Any, datetime]] = {}
    ids: dict[int, str] = {}
    for event in history.events:
        with contextlib.suppress(NotOfOurs):
            match event.event_type:
                case EventType.EVENT_TYPE_MARKER_RECORDED:
                    marker = event.marker_recorded_event_attributes
                    if marker.marker_name == _LOCAL and not marker.HasField("failure"):
                        found += await _at_once(client, history, event, heard)
                case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                    scheduled = event.activity_task_scheduled_event_attributes
                    name = scheduled.activity_type.name
                    if name in EFFECTS:
                        payloads = scheduled.input.payloads
                        own = ids[event.event_id] = scheduled.activity_id
                        request = await _decode(client, history, (name, own), payloads, EFFECTS[name].request)
                        asked[event.event_id] = (name, request, _at(event))
                case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                    completed = event.activity_task_completed_event_attributes
                    if known := asked.get(completed.scheduled_event_id):
                        payloads, answer = completed.result.payloads, EFFECTS[known[0]].answer
                        which = known[0], ids[completed.scheduled_event_id]
                        result = await _decode(client, history, which, payloads, answer)
                        found.append((event.event_id, 0, Step(*known, _at(event), result)))
                        del asked[completed.scheduled_event_id]
                case _:
                    pass
    found += [(event_id, 0, Step(*known)) for event_id, known in asked.items()]
    return [step for *_, step in sorted(found, key=lambda one: one[:2])]


async def _at_once(
    client: Client, history: WorkflowHistory, event: HistoryEvent, heard: _Heard
) -> list[tuple[int, int, Step]]:
    """What a local activity did, with what it is ordered by, as its marker tells; nothing where it was no effect."""
    marker = event.marker_recorded_event_attributes
    told = json.loads(marker.details["data"].payloads[0].data)
    name, request = heard.requests.get(told["activity_id"], (told["activity_type"], None))
    if name not in EFFECTS or request is None:
        return []
    which = name, told["activity_id"]
    result = await _decode(client, history, which, marker.details["result"].payloads, EFFECTS[name].answer)
    done, ended = _at(event), told["complete_time"]
    order = int(ended["seconds"]) * 1_000_000_000 + int(ended["nanos"])
    return [(marker.workflow_task_completed_event_id, order, Step(name, request, done, done, result))]


async def read_unheard(client: Client, workflow_id: str, run_id: str) -> list[Signal]:
    """The signals that came to a run after the last task that a worker did for it."""
    history = await _fetch(client, workflow_id, run_id)
    reading = client.data_converter.with_context(WorkflowSerializationContext(client.namespace, workflow_id))
    signals: list[Signal] = []
    for event in history.events:
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                signals.clear()
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
                sent = event.workflow_execution_signaled_event_attributes
                payloads = sent.input.payloads
                values = await reading.decode(payloads, [RawValue] * len(payloads))
                signals.append(Signal(sent.signal_name, values, _at(event)))
            case _:
                pass
    return signals


async def _decode(
    client: Client, history: WorkflowHistory, activity: tuple[str, str], payloads: Sequence[Payload], kind: type[Any]
) -> Any:
    """What was said to or by an *activity*, by name and id. Raises `NotOfOurs` unless one of ours said it."""
    name, number = activity
    begun = history.events[0].workflow_execution_started_event_attributes
    own = activity_of_run(number, begun.first_execution_run_id, begun.continued_execution_run_id)
    context = ActivitySerializationContext(
        namespace=client.namespace,
        activity_id=own,
        activity_type=name,
        activity_task_queue=None,
        workflow_id=history.workflow_id,
        workflow_type=None,
        is_local=False,
    )
    # As it is kept: what a program without keys has said is no answer, of whatever kind.
    values = await client.data_converter.with_context(context).decode(payloads, [RawValue] * len(payloads))
    if kind is NoneType or not values:
        return None
    return client.data_converter.payload_converter.from_payload(values[0].payload, kind)


def _at(event: HistoryEvent) -> datetime:
    return event.event_time.ToDatetime(UTC)
