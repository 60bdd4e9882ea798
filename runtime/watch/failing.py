"""Activity attempts that keep failing, remembered by the worker that ran them: it works while PostgreSQL is away."""

import time
from dataclasses import dataclass
from typing import Any, Final

import temporalio.activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

KEEPS_FAILING: Final = 4
"""So many attempts in vain, and an activity keeps failing: with the usual pauses that is about 15 seconds."""
_FORGOTTEN: Final = 600.0  # seconds; pauses between attempts are 2 minutes at most: another worker has it, or nobody


@dataclass(frozen=True)
class Failing:
    """An activity that has failed several times. ``since``: when it was first asked for, seconds since 1970."""

    activity: str
    since: float
    seen: float


class FailingActivities(Interceptor):
    """A worker's interceptor that knows which of its activities keep failing."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._failing: dict[tuple[str, str], Failing] = {}

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Stand between the worker and the activity."""
        return _Watching(super().intercept_activity(next), self._failing)

    def now(self) -> list[Failing]:
        """Those that keep failing now."""
        for key in [key for key, one in self._failing.items() if one.seen < time.time() - _FORGOTTEN]:
            del self._failing[key]
        return list(self._failing.values())


class _Watching(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, failing: dict[tuple[str, str], Failing]) -> None:
        super().__init__(next)
        self._failing = failing

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = temporalio.activity.info()
        key = (info.workflow_run_id or "", info.activity_id)
        try:
            result = await super().execute_activity(input)
        except BaseException:
            if info.attempt >= KEEPS_FAILING:
                self._failing[key] = Failing(info.activity_type, info.scheduled_time.timestamp(), time.time())
            raise
        self._failing.pop(key, None)
        return result
