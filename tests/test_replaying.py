"""What `tests/replaying.py` finds wrong with a history, and that it misses none."""

import re

from temporalio import activity
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import WorkflowSerializationContext
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from runtime.turns import InOrder
from tests.patience import eventually
from tests.replaying import LIVES, decided, stuck, unlike
from tests.runtime.workflows_for_tests import Add, Sum, Talk, TellsWhenItBegan, look, talk


async def told(client: Client, task_queue: str, name: str, *, until_its_end: bool) -> WorkflowHistory:
    async with Worker(client, task_queue=task_queue, workflows=[Talk], activities=[talk]):
        handle = await client.start_workflow(Talk.run, id=name, task_queue=task_queue)
        if until_its_end:
            await handle.signal(Talk.go_on)
            await handle.result()
        else:  # an answer to a query may be there before what was decided

            async def scheduled() -> bool:
                return any(map(_scheduled, (await handle.fetch_history()).events))

            await eventually(scheduled)
        return await handle.fetch_history()


def _scheduled(event: HistoryEvent) -> bool:
    return bool(event.HasField("activity_task_scheduled_event_attributes"))


async def test_a_history_that_the_workflow_does_not_repeat_is_found_and_its_event_named(
    time_skipping_env: WorkflowEnvironment, task_queue: str
) -> None:
    history = await told(time_skipping_env.client, task_queue, task_queue, until_its_end=True)
    assert await unlike([history]) == []
    (scheduled,) = [one for one in history.events if _scheduled(one)]
    scheduled.activity_task_scheduled_event_attributes.activity_type.name = "Listen"
    ((found, complaint),) = await unlike([history])
    assert found.workflow_id == task_queue
    assert "Activity type of scheduled event 'Listen' does not match" in complaint


async def test_a_life_that_is_not_over_is_replayed_as_far_as_it_was_decided(
    time_skipping_env: WorkflowEnvironment, task_queue: str
) -> None:
    history = await told(time_skipping_env.client, task_queue, task_queue, until_its_end=False)
    assert await unlike([history]) == []
    scheduled = next(filter(_scheduled, history.events))
    for more in range(2):
        assert decided(history.events[: scheduled.event_id + more])[-1].event_id == scheduled.event_id
    assert decided(history.events[:3]) == []


async def test_an_activity_that_was_asked_for_something_else_is_found_and_its_event_named(
    dev_server_env: WorkflowEnvironment, task_queue: str
) -> None:
    client = dev_server_env.client

    @activity.defn(name="tell")
    async def tell(times: list[str]) -> None: ...

    async with Worker(
        client, task_queue=task_queue, workflows=[TellsWhenItBegan], activities=[look, tell], workflow_runner=InOrder()
    ):
        handle = await client.start_workflow(TellsWhenItBegan.run, 0, id=task_queue, task_queue=task_queue)
        await handle.result()
    history = await handle.fetch_history()
    assert await unlike([history]) == []
    begun = next(one for one in history.events if one.HasField("workflow_task_started_event_attributes"))
    begun.event_time.seconds -= 3600
    ((_, complaint),) = await unlike([history])
    assert re.match(r"event \d+ asked tell for ….*…, and now for …", complaint)


async def test_a_workflow_whose_task_keeps_failing_is_found(
    time_skipping_env: WorkflowEnvironment, task_queue: str
) -> None:
    client = time_skipping_env.client
    async with Worker(client, task_queue=task_queue, workflows=[Talk], activities=[talk]):
        handle = await client.start_workflow(Add.run, Sum(a=1, b=2), id=task_queue, task_queue=task_queue)

        async def failing() -> bool:
            return bool(stuck([await handle.fetch_history()]))

        await eventually(failing, "its task fails")
    ((history, complaint),) = stuck([await handle.fetch_history()])
    assert "its task fails since event 4" in complaint
    sealed = history.events[3].workflow_task_failed_event_attributes.failure
    own = client.data_converter.with_context(WorkflowSerializationContext(client.namespace, task_queue))
    assert "Add is not registered" in str(await own.decode_failure(sealed))
    await handle.terminate()
    assert stuck([await handle.fetch_history()]) == []


async def test_every_start_is_noted_however_it_was_made(dev_server_env: WorkflowEnvironment, task_queue: str) -> None:
    client = dev_server_env.client
    for number in range(2):
        await client.start_workflow(
            Talk.run, id=f"{task_queue}-{number}", task_queue=task_queue, start_signal="go_on" if number else None
        )
    noted = {run.workflow for run in LIVES.waiting}
    assert {f"{task_queue}-0", f"{task_queue}-1"} <= noted
