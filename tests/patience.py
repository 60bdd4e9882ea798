"""How tests wait for what other processes do: as long as it takes on a busy machine, and no longer than it takes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import pytest

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
