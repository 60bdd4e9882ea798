"""Checkpoints are made at least every minute, by one worker at a time, and leave the firm."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import asyncpg
import structlog

from record.chain import Sign, checkpoints_after, erasures_after, make_checkpoints

if TYPE_CHECKING:
    from record.connection import Connection

    Pool = asyncpg.Pool[asyncpg.Record]

EVERY: Final = timedelta(seconds=30)
AT_ONCE: Final = 1_000
"""Erasures that may be written at the same time, each seen when it is done."""
THOUGH_NOTHING: Final = timedelta(hours=1)
"""After so long a checkpoint says that nothing is new."""

log = structlog.get_logger(__name__)


class Checkpointing:
    """Has checkpoints made over *pool* and given to *deliver*: number and token, those that it may not have yet.

    With them go the proofs of erasures: each has rows in the record, and so comes with a checkpoint that is new.

    *sign* makes the token of what one says; *clock* gives the time as an aware datetime.
    """

    def __init__(
        self,
        pool: "Pool",
        sign: Sign,
        deliver: Callable[[Sequence[tuple[int, str]], Sequence[str]], Awaitable[None]],
        clock: Callable[[], datetime],
    ) -> None:
        self._pool = pool
        self._sign = sign
        self._deliver = deliver
        self._clock = clock
        self._made_at: datetime | None = None
        self._delivered: tuple[int, str] = (0, "")
        self._erased = 0

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Make one now, then again and again, until the context ends."""
        going_on = asyncio.create_task(self._go_on())
        try:
            yield
        finally:
            going_on.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await going_on

    async def once(self) -> None:
        """Make what there is to make, and deliver what was not delivered."""
        async with self._pool.acquire() as connection:
            await self._make(connection)
            tokens = await checkpoints_after(connection, self._delivered[0] - 1)
            if self._delivered[0] and self._delivered not in tokens[:1]:
                # Others than there were: this is an older database, brought back from a backup.
                tokens, self._erased = await checkpoints_after(connection, 0), 0
            erasures = await erasures_after(connection, self._erased - AT_ONCE)
        if tokens and tokens[-1] != self._delivered:
            await self._deliver(tokens, [proof for _, proof in erasures])
            self._delivered = tokens[-1]
            self._erased = max([self._erased, *(number for number, _ in erasures)])

    async def _make(self, connection: "Connection") -> None:
        now = self._clock()
        quiet = self._made_at is not None and now - self._made_at >= THOUGH_NOTHING
        if await make_checkpoints(connection, self._sign, now, though_nothing=quiet) or self._made_at is None:
            self._made_at = now

    async def _go_on(self) -> None:
        while True:
            try:
                await self.once()
            except (
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
                asyncpg.InternalClientError,
                OSError,
                TimeoutError,
            ) as error:
                log.error("no checkpoint could be made or delivered", why=type(error).__name__)  # noqa: TRY400
            await asyncio.sleep(EVERY.total_seconds())
