"""Work that takes longer than a page: it goes on meanwhile, and what came of it is kept for a while."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

T = TypeVar("T")

PATIENCE: Final = 3.0
"""Seconds for which a page waits."""
_QUICK: Final = 2.0
"""What took no more seconds is done anew for each who asks."""
_HOLDS: Final = 600.0
"""Seconds for which what took longer is told before it is done anew."""
_MOST: Final = 20


@dataclass(frozen=True)
class _Kept:
    result: Any
    until: float


class Apart:
    """What is done, and what came of it, by key; each is done once at a time, whoever asks."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, _Kept] = {}
        self._doing: dict[Hashable, asyncio.Task[Any]] = {}

    async def ask(self, key: Hashable, work: Callable[[], Awaitable[T]], *, patience: float = PATIENCE) -> T | None:
        """What comes of *work* within *patience* (seconds), else what came of it before; None where nothing has yet.

        What *work* raises is raised.
        """
        if (told := self.kept(key)) is not None:
            return told  # type: ignore[no-any-return]
        kept = self._kept.get(key)
        if key not in self._doing:
            self._doing[key] = asyncio.create_task(self._do(key, work), name="apart")
        task = self._doing[key]
        done, _ = await asyncio.wait([task], timeout=patience)
        if done:
            self._doing.pop(key, None)
            return task.result()  # type: ignore[no-any-return]
        return kept.result if kept else None

    def kept(self, key: Hashable) -> Any:
        """What came of it before, if that is told still; None otherwise."""
        kept = self._kept.get(key)
        return kept.result if kept and kept.until > time.monotonic() else None

    async def _do(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        began = time.monotonic()
        result = await work()
        now = time.monotonic()
        if now - began > _QUICK:
            self._kept[key] = _Kept(result, now + _HOLDS)
            for oldest in list(self._kept)[:-_MOST]:
                del self._kept[oldest]
            self._doing.pop(key, None)
        return result
