"""What stands between a test's worker and its activities: an effect fails, or its answer is lost."""

from collections.abc import Awaitable, Callable
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

Carry = Callable[[], Awaitable[Any]]


class Around(Interceptor):
    """Runs *carry_out* in place of the activity *effect*; it is given the request, and what carries it out."""

    def __init__(self, effect: str, carry_out: Callable[[Any, Carry], Awaitable[Any]]) -> None:
        self.effect, self.carry_out = effect, carry_out

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Around(next, self)


class _Around(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, around: Around) -> None:
        super().__init__(next)
        self._around = around

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        async def carry() -> Any:
            return await self.next.execute_activity(input)

        if activity.info().activity_type != self._around.effect:
            return await carry()
        return await self._around.carry_out(input.args[0], carry)
