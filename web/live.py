"""Pages that change by themselves: one look at the database for all who watch, and an event for whom it concerns."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from typing import Final

import structlog

from runtime.database import Pool
from starter.reading.theirs import revisions

OFTEN: Final = 2.0
"""Seconds between two looks."""
_HEARTBEAT: Final = 15.0
_LONGEST: Final = 600.0
"""Seconds after which a browser has to ask again, so that who was signed out hears no more."""


class Live:
    """Tells of changes of cases. Looks only while somebody watches, and once for all of them."""

    def __init__(self, pool: Pool, *, often: float = OFTEN) -> None:
        """*often*: seconds between two looks."""
        self._pool, self._often = pool, often
        self._watchers: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._marks: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None

    async def changes(self, reference: str) -> AsyncGenerator[bytes, None]:
        """Server-sent events: ``changed`` when the case *reference* did, and a sign of life now and then."""
        changed = asyncio.Event()
        self._watchers[reference].add(changed)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_again_and_again(), name="live")
        loop = asyncio.get_running_loop()
        ends = loop.time() + _LONGEST
        try:
            # What happened while the page was on its way would be missed, and what happens before the next look.
            # At this one alone: after a restart all who watch come back within seconds.
            await self._look([reference])
            yield b"retry: 5000\n\nevent: changed\ndata: \n\n"
            while loop.time() < ends:
                try:
                    async with asyncio.timeout(_HEARTBEAT):
                        await changed.wait()
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                changed.clear()
                yield b"event: changed\ndata: \n\n"
        finally:
            self._watchers[reference].discard(changed)
            if not self._watchers[reference]:
                del self._watchers[reference]
                self._marks.pop(reference, None)

    async def _look_again_and_again(self) -> None:
        while self._watchers:
            await self._look(list(self._watchers))
            await asyncio.sleep(self._often)

    async def _look(self, references: Sequence[str]) -> None:
        try:
            found = await revisions(self._pool, references)
        except Exception as error:
            structlog.get_logger("web").warning("no look at what changed", error=type(error).__name__)
            return
        for reference, mark in found.items():
            before = self._marks.get(reference)
            self._marks[reference] = mark
            if before not in {None, mark}:
                for changed in self._watchers.get(reference, ()):
                    changed.set()
