"""What must not be kept any longer: a Temporal Schedule has it looked for each day."""

from typing import Any

from temporalio import workflow

from domain.keys.erasure import RunOut
from workflows import effects


@workflow.defn(name="Retention")
class RetentionWorkflow:
    """Erases the cases whose time is over. A Temporal Schedule runs it."""

    @workflow.run
    async def run(self, *_start: Any) -> int:
        """Returns how many cases were erased."""
        erased = 0
        while True:
            done = await effects.run_out(RunOut(after=erased))
            erased += len(done.erased)
            if not done.erased:
                return erased
