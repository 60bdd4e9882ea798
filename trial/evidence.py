"""What the checkers of the trial look at, beside the database; and how Temporal says that workflows are."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle, WorkflowHistoryEventFilterType
from temporalio.service import RPCError, RPCStatusCode

from trial.driver import Receipt
from trial.receivers import Letter


@dataclass(frozen=True)
class Workflow:
    """How Temporal says a workflow is. *attempt* is of its pending task: above 1 it has failed before."""

    id: str
    type: str
    status: str
    attempt: int = 0
    problems: tuple[str, ...] = ()
    cause: str = ""
    """Why it failed, if it did."""


@dataclass
class Evidence:
    """All that the checker looks at."""

    receipts: Sequence[Receipt]
    letters: Sequence[Letter] = ()
    """What the mail server took."""
    payments: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What the rail was told, by key; ``paid`` says whether money went."""
    workflows: Sequence[Workflow] = ()
    unreplayable: Sequence[tuple[str, str]] = ()
    """Workflows one of whose histories leads elsewhere when it is replayed, and what the SDK says."""
    outbox: Path | None = None
    all_ours: bool = True
    """Whether every case in the database was submitted under a receipt."""
    database_url: str | None = None
    """Of the record as it is stored, sealed as it is; without one the chains of the record are not looked at."""
    rail: bool = False
    clock_wrong_by: timedelta = timedelta(0)
    """How far a worker's clock may have been behind: what it did late may bear an instant before the time ended."""


async def look_at_workflows(client: Client, task_queue: str) -> list[Workflow]:
    """Every workflow of that task queue, each in its last run."""
    ids = {one.id async for one in client.list_workflows(f"TaskQueue = '{task_queue}'")}
    return [await look_at_workflow(client, each) for each in sorted(ids)]


async def look_at_workflow(client: Client, workflow_id: str) -> Workflow:
    """One workflow, in its last run; ``NOT_FOUND`` is the status of one that there is not."""
    handle = client.get_workflow_handle(workflow_id)
    try:
        seen = await handle.describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return Workflow(id=workflow_id, type="", status=error.status.name)
    return Workflow(
        id=seen.id,
        type=seen.workflow_type,
        status=(seen.status or WorkflowExecutionStatus.RUNNING).name,
        attempt=seen.raw_description.pending_workflow_task.attempt,
        problems=tuple(str(one) for one in seen.search_attributes.get("TemporalReportedProblems", ())),
        cause=await _cause(handle) if seen.status is WorkflowExecutionStatus.FAILED else "",
    )


async def _cause(handle: WorkflowHandle[Any, Any]) -> str:
    """What the last event of a failed workflow says, each cause after what it caused."""
    said = []
    async for event in handle.fetch_history_events(event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT):
        failure = event.workflow_execution_failed_event_attributes.failure
        while failure.message or failure.HasField("cause"):
            said.append(f"{failure.application_failure_info.type} {failure.message}".strip())
            failure = failure.cause
    return ": ".join(said)
