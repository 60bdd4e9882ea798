"""What was received is dealt with: one workflow for each, which knows no more than its key."""

from temporalio import workflow

from domain.intake.received import Dealt, DealWith
from workflows.effects import deal_with


@workflow.defn(name="Inbound")
class InboundWorkflow:
    """Has one thing that was received dealt with, for as long as it takes. Running it again changes nothing."""

    @workflow.run
    async def run(self, key: str) -> Dealt:
        """Deal with what is kept under *key*; return what became of it."""
        return await deal_with(DealWith(key=key))
