"""A workflow that calls one effect of `workflows/effects.py` and does one thing if it succeeds, another if not."""

import inspect
from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_type_hints

from temporalio import workflow
from temporalio.exceptions import FailureError

from workflows import effects

EFFECTS = {
    name: function
    for name, function in inspect.getmembers(effects, inspect.iscoroutinefunction)
    if function.__module__ == effects.__name__ and not name.startswith("_")
}


def request_of(effect: Callable[..., Any]) -> Any:
    """The model that the effect takes."""
    (name,) = inspect.signature(effect).parameters
    return get_type_hints(effect)[name]


@workflow.defn(name="OneEffect", sandboxed=False)
class OneEffect:
    """Calls the effect of this name with this request; without one, with one that has no fields."""

    @workflow.run
    async def run(self, effect: str, request: dict[str, Any] | None) -> str:
        function = EFFECTS[effect]
        kind = request_of(function)
        try:
            await function(kind.model_validate(request) if request else kind.model_construct())
        except FailureError as error:
            workflow.upsert_memo({"failed": type(error).__name__})
            return "failed"
        await workflow.sleep(timedelta(milliseconds=1))
        return "succeeded"
