"""How tests wait for what other processes do: as long as it takes on a busy machine, and no longer than it takes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

PATIENCE: Final = 75.0
"""Seconds of real time after which something is taken to happen never. It costs only a test that fails."""


async def eventually(check: Callable[[], Awaitable[Any]], how_far: Callable[[], Awaitable[str]] | None = None) -> Any:
    """Wait until *check* returns something true, and return it; else fail, telling *how_far* it got."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    pause = 0.01
    while not (result := await check()):
        if loop.time() > end:
            pytest.fail("it never happened" + (f"; {await how_far()}" if how_far else ""))
        await asyncio.sleep(pause)
        pause = min(pause * 1.2, 0.1)
    return result
