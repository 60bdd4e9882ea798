"""The case files while the cases move: read from PostgreSQL again and again, for the screen and for the actors."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import asyncpg

from domain.ground.timeline import Entry
from starter.reading.cases import ListedCase, get_timeline, list_cases
from starter.reading.deadlines import LedgerRow, get_deadlines

if TYPE_CHECKING:
    from runtime.database import Pool

_EVERY: Final = 0.25  # seconds


@dataclass(frozen=True)
class Seen:
    """A case as its file has it at the moment."""

    case: ListedCase
    timeline: tuple[Entry, ...]
    next_deadline: LedgerRow | None

    def has(self, kind: str, text: str = "") -> bool:
        """Whether the timeline has an entry of this kind whose text begins with *text*."""
        return any(entry.kind == kind and entry.text.startswith(text) for entry in self.timeline)


class Watch:
    """All case files in the database, as last read."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._read = asyncio.Condition()
        self.seen: Mapping[str, Seen] = {}

    async def look(self) -> None:
        """Read all case files now."""
        self.seen = {case.reference: await self._look_at(case) for case in await list_cases(self._pool)}
        async with self._read:
            self._read.notify_all()

    async def _look_at(self, case: ListedCase) -> Seen:
        timeline = await get_timeline(self._pool, case.reference)
        rows = await get_deadlines(self._pool, case.reference)
        waiting = (row for row in rows if row.fired_at is None and row.satisfied_at is None)
        return Seen(case, tuple(timeline), next(waiting, None))

    async def keep_looking(self, show: Callable[[], None]) -> None:
        """Read them again and again, and *show* them each time."""
        while True:
            # PostgreSQL may be killed meanwhile: it comes back.
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
                await self.look()
            show()
            await asyncio.sleep(_EVERY)

    async def until(self, reference: str, condition: Callable[[Seen], bool]) -> Seen:
        """The case, as soon as *condition* holds for what its file has."""
        async with self._read:
            await self._read.wait_for(lambda: reference in self.seen and condition(self.seen[reference]))
        return self.seen[reference]
