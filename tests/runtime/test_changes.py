"""What a new build does otherwise is asked for at the beginning of a run, where no answer has come before."""

from typing import Any
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowHistory
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, Worker, WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.worker._workflow_instance import _WorkflowInstanceImpl
from temporalio.workflow import NondeterminismError

from runtime.turns import InOrder, _InOrder
from tests.runtime.support import numbered, renamed
from tests.runtime.workflows_for_tests import AsksAtOnce, look, look_within_the_task


@workflow.defn(name="AsksAtOnce")
class AsksLate:
    @workflow.run
    async def run(self) -> None:
        await look_within_the_task()
        if workflow.patched("waits"):
            await workflow.sleep(0.01)


class _AskingAnywhere(_InOrder):
    workflow_patch = _WorkflowInstanceImpl.workflow_patch  # type: ignore[assignment]


class Anywhere(InOrder):
    """As workers run it, but that it may be asked anywhere."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _AskingAnywhere(det)  # type: ignore[abstract]


async def lived(client: Client, task_queue: str) -> WorkflowHistory:
    worker = Worker(client, task_queue=task_queue, workflows=[AsksAtOnce], activities=[look], workflow_runner=InOrder())
    async with worker:
        handle = await client.start_workflow("AsksAtOnce", id=str(uuid4()), task_queue=task_queue)
        await handle.result()
        return await handle.fetch_history()


def asked_late(history: WorkflowHistory) -> WorkflowHistory:
    """The life of who asks after the answer."""
    events = history.to_json_dict()["events"]
    at = next(place for place, each in enumerate(events) if _is_the_answer(each))
    change = [each for each in events[:at] if "workflowTaskCompletedEventId" in str(each)]
    first = events.index(change[0])
    change.remove(kept_apart := next(each for each in change if "workflowPropertiesModifiedEventAttributes" in each))
    return numbered(history, [*events[:first], kept_apart, events[at], *change, *events[at + 1 :]])


def apart(history: WorkflowHistory) -> WorkflowHistory:
    """The same life where the answer came as the time of its task was over: the next one has the rest."""
    events = history.to_json_dict()["events"]
    at = next(place for place, each in enumerate(events) if _is_the_answer(each))
    task = [each for each in events[:at] if each["eventType"].startswith("EVENT_TYPE_WORKFLOW_TASK_")][-3:]
    anew = {each["eventId"]: f"{each['eventId']} again" for each in task}
    again = [{**each, "eventTime": events[at + 1]["eventTime"]} for each in renamed(task, anew)]
    return numbered(history, [*events[: at + 1], *again, *renamed(events[at + 1 :], anew)])


def _is_the_answer(event: dict[str, Any]) -> bool:
    return bool(event.get("markerRecordedEventAttributes", {}).get("markerName") == "core_local_activity")


async def replay(client: Client, life: type, history: WorkflowHistory, runner: WorkflowRunner) -> None:
    replayer = Replayer(
        workflows=[life], workflow_runner=runner, namespace=client.namespace, data_converter=client.data_converter
    )
    await replayer.replay_workflow(history)


async def test_what_is_asked_at_the_beginning_replays_where_an_answer_ended_its_task_alone(
    dev_server_env: WorkflowEnvironment, task_queue: str
) -> None:
    client = dev_server_env.client
    history = await lived(client, task_queue)
    await replay(client, AsksAtOnce, history, InOrder())
    await replay(client, AsksAtOnce, apart(history), InOrder())


async def test_what_is_asked_after_an_answer_may_not_and_is_refused(
    dev_server_env: WorkflowEnvironment, task_queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    client, anywhere = dev_server_env.client, Anywhere()
    history = asked_late(await lived(client, task_queue))
    await replay(client, AsksLate, history, anywhere)
    with pytest.raises(NondeterminismError):  # once this fails the SDK is mended, and it may be asked anywhere
        await replay(client, AsksLate, apart(history), anywhere)
    with pytest.raises(RuntimeError):  # sealed
        await replay(client, AsksLate, history, InOrder())
    assert "patched('waits') is asked too late; ask it in __init__" in caplog.text
