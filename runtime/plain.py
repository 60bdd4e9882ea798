"""Plain JSON is refused where the settings say so: what it brings stays readable in that history.

Nothing that was taken is lost when the settings change. A refused update is in no history; of a start and of signals it
is an activity that says whether they count, so that every replay finds what was said when they came.
"""

from typing import Any, Final

import temporalio.activity
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    HandleUpdateInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from domain.case.file import Recorded
from domain.case.requests import Opened
from domain.keys.public import IN_PLAIN, PLAIN_REFUSED
from runtime.keys.codec import ENCODING

_OPENING: Final = {
    ("Complaint", "OpenCase"): "InvalidComplaint",
    ("Incident", "OpenIncident"): "InvalidIncident",
    ("Investigation", "Investigate"): "InvalidInvestigation",
    ("CorrectiveAction", "NoteAction"): "InvalidStart",
    ("MonthlyReport", "MailReport"): "InvalidStart",
    ("ReviewRound", "DrawReviews"): "InvalidStart",
    ("ProcessReview", "AskProcessReview"): "InvalidStart",
}
"""By workflow and activity, what is done first with a start, and what one is called that can be none."""


class Plain(Interceptor):
    """Has what is said in the clear *refused*, or taken."""

    def __init__(self, *, refused: bool) -> None:
        self._refused = refused

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Looking(next, refused=self._refused)

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor] | None:
        return _RefusingUpdates if self._refused else None


class _Looking(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, *, refused: bool) -> None:
        super().__init__(next)
        self._refused = refused

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = temporalio.activity.info()
        refusal = _OPENING.get((info.workflow_type or "", info.activity_type)) if self._refused else None
        workflow, run = info.workflow_id, info.workflow_run_id
        if refusal and workflow and run and await _began_in_plain(workflow, run):
            raise ApplicationError(f"start: {PLAIN_REFUSED}", type=refusal, non_retryable=True)
        answer = await super().execute_activity(input)
        match answer:
            case Recorded():
                return answer.model_copy(update={"refuses_plain": self._refused})
            case Opened(recorded=recorded):
                said = recorded.model_copy(update={"refuses_plain": self._refused})
                return answer.model_copy(update={"recorded": said})
            case _:
                return answer


class _RefusingUpdates(WorkflowInboundInterceptor):
    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        if any(isinstance(one, RawValue) and IN_PLAIN in one.payload.metadata for one in input.args):
            raise ApplicationError(f"{input.update}: {PLAIN_REFUSED}", type="Refused", non_retryable=True)
        super().handle_update_validator(input)


async def _began_in_plain(workflow: str, run: str) -> bool:
    """Whether anything of what the run was started with is kept in the clear."""
    client = temporalio.activity.client()
    request = GetWorkflowExecutionHistoryRequest(
        namespace=client.namespace,
        execution=WorkflowExecution(workflow_id=workflow, run_id=run),
        maximum_page_size=1,
    )
    answer = await client.workflow_service.get_workflow_execution_history(request)
    begun = answer.history.events[0].workflow_execution_started_event_attributes
    return any(one.metadata.get("encoding") != ENCODING for one in begun.input.payloads)
