"""A workflow that was reset in Temporal says so, once, and goes on."""

from datetime import timedelta

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from domain.ground.words import IncidentStage, Outcome, Stage
from starter.client.incidents import Incidents
from starter.reading.incidents import get_incident
from tests.incidents.minute import FAULT, bad_minute, new
from tests.workflows.house import APPROVER, HANDLER, House
from tests.workflows.test_tasks import consulting, done, staff, stand_once


async def reset(house: House, workflow: str, task: int = 2) -> None:
    """Reset it to its third workflow task, or to the end of another, counted from 0."""
    handle = house.client.get_workflow_handle(workflow)
    history = await handle.fetch_history()
    done = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    finished = [event.event_id for event in history.events if event.event_type == done]
    request = ResetWorkflowExecutionRequest(
        namespace=house.client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=workflow, run_id=history.run_id),
        reason="tried",
        request_id=f"reset-{history.events[-1].event_id}-{task}-{workflow}",
        workflow_task_finish_event_id=finished[task],
    )
    await house.client.workflow_service.reset_workflow_execution(request)


async def test_a_reset_stands_in_the_timeline_once_and_the_case_goes_on(real_time: House) -> None:
    await staff(real_time.pool)
    await real_time.late_withdrawal("300000", days_late=30)
    reference = await real_time.submit()
    await real_time.at(reference, Stage.DECIDING)
    await consulting(real_time, reference)
    await reset(real_time, reference)
    await real_time.eventually(lambda: real_time.timeline(reference, "reset"))
    await done(real_time, reference, await stand_once(real_time, reference))

    await real_time.complaints.assign(reference, "h-18", by=HANDLER)
    assert await real_time.timeline(reference, "reset") == [
        "reset: in Temporal, to an earlier moment; what came after that is done again"
    ]
    await real_time.complaints.withdraw(reference, by=HANDLER, reason="They rang to say so.")
    assert (await real_time.complaints.result(reference)).outcome is Outcome.WITHDRAWN
    assert not await real_time.pool.fetch("select from casefile.tasks where ended_at is null")


async def test_a_reset_stands_in_the_timeline_of_an_incident_too(real_time: House) -> None:
    await bad_minute(real_time.pool)
    incidents = Incidents(real_time.client, task_queue=real_time.task_queue)
    # One of its own: the server is shared with other tests, and one fault has one incident.
    fault = FAULT.model_copy(update={"since": FAULT.since + timedelta(microseconds=1)})
    reference = (await incidents.open(new(fault=fault))).reference

    async def told(kind: str) -> list[str]:
        try:
            entries = (await get_incident(real_time.pool, reference)).timeline
        except LookupError:
            return []
        return [one.text for one in entries if one.kind == kind]

    await real_time.eventually(lambda: told("listed"))
    await reset(real_time, reference)
    await real_time.eventually(lambda: told("reset"))
    await incidents.dismiss(reference, "It was nothing.", by=APPROVER)
    assert (await incidents.result(reference)).stage is IncidentStage.DISMISSED
    assert await told("reset") == ["in Temporal, to an earlier moment; what came after that is done again"]
