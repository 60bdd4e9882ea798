"""Starts in plain JSON are refused where the settings say so: what they bring stays readable in that history."""

from typing import Any, Final

import temporalio.activity
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from runtime.keys.codec import ENCODING

_OPENING: Final = {"OpenCase": "InvalidComplaint", "OpenIncident": "InvalidIncident"}
"""What opens a file, and what a start is called that can be none."""


class RefusingPlain(Interceptor):
    """Lets no case and no incident be opened whose start Temporal keeps in the clear."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Looking(next)


class _Looking(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = temporalio.activity.info()
        refusal, workflow, run = _OPENING.get(info.activity_type), info.workflow_id, info.workflow_run_id
        if refusal and workflow and run and await _is_plain(workflow, run):
            raise ApplicationError(
                "start: plain JSON is refused here, because it stays readable in Temporal; send it through the API,"
                " or through a client that has the firm's keys",
                type=refusal,
                non_retryable=True,
            )
        return await super().execute_activity(input)


async def _is_plain(workflow: str, run: str) -> bool:
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
