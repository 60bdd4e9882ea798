"""An investigation without a case: what `redress investigate` runs."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from domain.case.complaint import explain
from domain.checks.findings import Investigation, InvestigationRequest
from domain.keys.public import Public
from workflows.raw import decoded


@workflow.defn(name="Investigation")
class InvestigationWorkflow:
    """Queries the trade log once and returns the findings."""

    @workflow.run
    async def run(self, *start: Any) -> Investigation:
        """Investigate as asked by one `InvestigationRequest`. After five minutes without the database it fails.

        What is no such request fails it at once, as ``InvalidInvestigation``: a typed argument would fail its task, for
        ever.
        """
        request = _asked(start)
        checks = ", ".join(check.value.replace("_", " ") for check in request.checks)
        found: Investigation = await workflow.execute_activity(
            "Investigate",
            request,
            result_type=Investigation,
            start_to_close_timeout=timedelta(seconds=60),
            schedule_to_close_timeout=timedelta(minutes=5),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)),
            summary=Public(f"Query the trade log: {checks}"),
        )
        return found


def _asked(start: Sequence[Any]) -> InvestigationRequest:
    try:
        if len(start) != 1:
            raise ValueError(f"start: an investigation begins with one JSON object, not with {len(start)} arguments")
        return InvestigationRequest.model_validate(decoded(start[0]))
    except ValidationError as error:
        reason = explain(error)
    except ValueError as error:
        reason = str(error)
    raise ApplicationError(reason, type="InvalidInvestigation", non_retryable=True)
