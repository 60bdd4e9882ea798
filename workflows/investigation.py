"""An investigation without a case: what `redress investigate` runs."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from domain.checks.findings import Investigation, InvestigationRequest


@workflow.defn(name="Investigation")
class InvestigationWorkflow:
    """Queries the trade log once and returns the findings."""

    @workflow.run
    async def run(self, request: InvestigationRequest) -> Investigation:
        """Investigate as asked. An outage of the database is waited out for five minutes, then it fails."""
        checks = ", ".join(check.value.replace("_", " ") for check in request.checks)
        found: Investigation = await workflow.execute_activity(
            "Investigate",
            request,
            result_type=Investigation,
            start_to_close_timeout=timedelta(seconds=60),
            schedule_to_close_timeout=timedelta(minutes=5),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)),
            summary=f"Query the trade log: {checks}",
        )
        return found
