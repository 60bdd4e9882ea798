"""What stands between a test's worker and its activities: an effect fails, or its answer is lost."""

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

Carry = Callable[[], Awaitable[Any]]
_ASKED_AS_OF: ContextVar[datetime | None] = ContextVar("asked_as_of", default=None)


def skipped_time() -> datetime:
    """The time as a server says that skips it. What is done within a workflow's task has it from what is asked."""
    if not activity.in_activity():
        return datetime.now(UTC)
    return (activity.info().is_local and _ASKED_AS_OF.get()) or activity.info().started_time


class Around(Interceptor):
    """Runs in place of an effect what stands under its name, whenever that is put there.

    It is given the request, and what carries it out.
    """

    def __init__(self, effects: Mapping[str, Callable[[Any, Carry], Awaitable[Any]]]) -> None:
        self.effects = effects

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Around(next, self)


class _Around(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, around: Around) -> None:
        super().__init__(next)
        self._around = around

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        async def carry() -> Any:
            return await self.next.execute_activity(input)

        _ASKED_AS_OF.set(getattr(input.args[0], "as_of", None))
        instead = self._around.effects.get(activity.info().activity_type)
        return await instead(input.args[0], carry) if instead else await carry()
