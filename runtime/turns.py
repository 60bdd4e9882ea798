"""The order in which a workflow is handed what reached it: updates come after everything else of an activation.

The SDK hands over updates first. But what stands in one activation when it happens may stand in two when it is
replayed, or the other way round: a worker that has forgotten the workflow takes two tasks that ended without a command
for one (temporalio/sdk-python#1591), and one that is asked a query first has what came after the last task handed over
by itself. An answer of an activity, or a timer, is before the update in any case where it is handed over alone; so it
must be where both come together, or the history has another order of commands than its replay.
"""

from collections.abc import Sequence

from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker._workflow_instance import _WorkflowInstanceImpl

_FIRST = ("notify_has_patch", "signal_workflow", "do_update", "query_workflow")
"""What the SDK hands over in rounds of its own."""


class InOrder(UnsandboxedWorkflowRunner):
    """Runs workflows without a sandbox, updates last."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _InOrder(det)  # type: ignore[abstract]


class _InOrder(_WorkflowInstanceImpl):
    _held: list[WorkflowActivationJob]

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        self._held = []
        self._holds = any(not _is_first(job) for job in act.jobs)
        return super().activate(act)

    def _apply(self, job: WorkflowActivationJob) -> None:
        if self._holds and job.HasField("do_update"):
            self._held.append(job)
            return
        if not _is_first(job):
            self._holds = False
        super()._apply(job)

    def workflow_all_handlers_finished(self) -> bool:
        """A workflow that ends when nothing is in hand does not end before an update that came with the last answer."""
        return not self._held and super().workflow_all_handlers_finished()

    def _run_once(self, *, check_conditions: bool, jobs: Sequence[WorkflowActivationJob]) -> None:
        super()._run_once(check_conditions=check_conditions, jobs=jobs)
        if self._held and not self._holds:
            held, self._held = self._held, []
            for job in held:
                self._apply(job)
            # With what came before: what waited for nothing to be in hand goes on even if they are all rejected. A
            # rejected update is in no history, but what it came with is, and lets go on at a replay too.
            super()._run_once(check_conditions=True, jobs=[*jobs, *held])


def _is_first(job: WorkflowActivationJob) -> bool:
    return any(job.HasField(each) for each in _FIRST)  # type: ignore[arg-type]
