"""A workflow that calls one effect of `workflows/effects.py` and does one thing if it succeeds, another if not."""

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import FailureError

from workflows.effects import EFFECTS


@workflow.defn(name="OneEffect")
class OneEffect:
    """Calls the effect of this name with this request; without one, with one that has no fields."""

    @workflow.run
    async def run(self, name: str, request: dict[str, Any] | None) -> str:
        effect = EFFECTS[name]
        try:
            await effect(effect.request.model_validate(request) if request else effect.request.model_construct())
        except FailureError as error:
            workflow.upsert_memo({"failed": type(error).__name__})
            return "failed"
        await workflow.sleep(timedelta(milliseconds=1))
        return "succeeded"
