"""How tests wait for what other processes do: as long as it takes on a busy machine, and no longer than it takes."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final, TypeVar

import pytest
from temporalio.api.testservice.v1 import SleepRequest
from temporalio.testing import WorkflowEnvironment

T = TypeVar("T")

PATIENCE: Final = 90.0
"""Seconds of real time after which something is taken to happen never. It costs only a test that fails."""


async def eventually(
    check: Callable[[], Awaitable[Any]], what: str | Callable[[], Awaitable[str]] = "", *, within: float = PATIENCE
) -> Any:
    """Wait until *check* returns something true, and return it; else fail: *what* says what for, or how far it got."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    pause = 0.01
    while not (result := await check()):
        if loop.time() > end:
            pytest.fail(f"it never happened: {what if isinstance(what, str) else await what()}")
        await asyncio.sleep(pause)
        pause = min(pause * 1.2, 0.1)
    return result


async def started(start: Callable[[], Awaitable[T]]) -> T:
    """What *start* starts. The SDK gives a server five seconds, too few on a busy machine: then it is tried again."""
    for _ in range(9):
        try:
            return await start()
        except RuntimeError as error:
            if "did not start within" not in str(error):
                raise
    return await start()


def patient(env: WorkflowEnvironment) -> WorkflowEnvironment:
    """*env* of a time-skipping server, whose sleep takes as long as what happens meanwhile: the SDK waits for 30 s."""

    async def sleep(duration: timedelta | float) -> None:
        request = SleepRequest()
        request.duration.FromTimedelta(duration if isinstance(duration, timedelta) else timedelta(seconds=duration))
        await env.client.test_service.unlock_time_skipping_with_sleep(request, timeout=timedelta(seconds=PATIENCE))

    setattr(env, "sleep", sleep)  # noqa: B010 (mypy minds another way to say it)
    return env
