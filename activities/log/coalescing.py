"""One snapshot of the trade log for several readers: what they ask alike at a time is one statement.

Of each account of an incident the same is asked, one question after the other. Readers of many accounts that run side
by side wait for as many answers; sent as one statement these take one round trip, and PostgreSQL plans them once.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any, Final, NamedTuple, cast

import asyncpg

from activities.log.trade_log import TradeLog
from runtime.database import OUTAGES, Connection, Pool

_INSTANT: Final = timedelta(microseconds=1)
_PARAMETER: Final = re.compile(r"\$(\d+)")


class CoalescedFailed(asyncpg.InterfaceError):
    """A statement for several readers failed, and with it the snapshot: each is to ask in one of its own."""


class _Ask(NamedTuple):
    values: tuple[object, ...]
    answer: "asyncio.Future[list[asyncpg.Record]]"


class Coalescing:
    """Opens snapshots for several readers. Knows how each statement is written for several."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._written: dict[str, str] = {}

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[TradeLog]:
        """The log as it stands now. Every snapshot that is taken of it is this one, until it is left.

        A reader that is answered may ask on; the order in which readers ask changes no answer. Where a statement fails,
        whoever asks then or later gets :class:`CoalescedFailed`, or the outage of the database that it failed by.
        """
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await connection.execute(
                "set local jit = off"
            )  # estimates for many readers are high, what they read is not
            asking = _Asking(connection, self._written)
            try:
                yield TradeLog(cast(Pool, asking))
            finally:
                await asking.end()


class _Asking:
    """One connection as a pool of connections for readers, which read and nothing else."""

    def __init__(self, connection: Connection, written: dict[str, str]) -> None:
        self._connection, self._written = connection, written
        self._waiting: dict[str, list[_Ask]] = {}
        self._sending: asyncio.Task[None] | None = None
        self._failed = False

    def acquire(self) -> "AbstractAsyncContextManager[_Asking]":
        return contextlib.nullcontext(self)

    def transaction(self, **_: object) -> AbstractAsyncContextManager[None]:
        """Nothing of its own: a statement that fails is the end of the snapshot."""
        return contextlib.nullcontext()

    async def fetch(self, query: str, *values: object) -> list[asyncpg.Record]:
        """The rows, whose last two columns are not the query's."""
        if self._failed:
            raise CoalescedFailed("a statement of another reader failed before")
        ask = _Ask(values, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(query, []).append(ask)
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())
        return await ask.answer

    async def fetchval(self, query: str, *values: object) -> Any:
        rows = await self.fetch(query, *values)
        return rows[0][0] if rows else None

    async def end(self) -> None:
        """Break off what is under way: nobody waits for it any more."""
        if self._sending:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)

    async def _send(self) -> None:
        while self._waiting:
            await asyncio.sleep(0)  # whoever was just answered asks first
            query = next(iter(self._waiting))
            asked = self._waiting.pop(query)
            try:
                answers = await self._answers(query, [ask.values for ask in asked])
            except Exception as error:
                self._fail(error, asked)
                return
            for ask, rows in zip(asked, answers, strict=True):
                if not ask.answer.done():  # its reader may have been broken off
                    ask.answer.set_result(rows)
        self._sending = None

    def _fail(self, error: Exception, asked: Sequence[_Ask]) -> None:
        self._failed = True
        outage = isinstance(error, OUTAGES) and not isinstance(error, TimeoutError)  # alone each may be in time
        for ask in [*asked, *(ask for others in self._waiting.values() for ask in others)]:
            if not ask.answer.done():
                ask.answer.set_exception(error if outage else CoalescedFailed(f"a statement failed: {error}"))
        self._waiting.clear()

    async def _answers(self, query: str, asked: Sequence[tuple[object, ...]]) -> list[list[asyncpg.Record]]:
        if query not in self._written:
            self._written[query] = _for_many(query, (await self._connection.prepare(query)).get_parameters())
        asks = [
            {"number": number} | {f"p{place}": _as_json(value) for place, value in enumerate(values, 1)}
            for number, values in enumerate(asked)
        ]
        answers: list[list[asyncpg.Record]] = [[] for _ in asked]
        for row in await self._connection.fetch(self._written[query], asks):
            answers[row[-2]].append(row)
        return answers


def _for_many(query: str, parameters: Sequence[Any]) -> str:
    """*query* for all that are asked by the one parameter, a list of them as JSON; each one's rows in its order."""
    columns = "".join(f", p{place} {type_.name}" for place, type_ in enumerate(parameters, 1))
    asked = _PARAMETER.sub(r"together.p\1", query)
    return f"""
        select found.*
        from jsonb_to_recordset($1::jsonb) as together (number integer{columns})
        cross join lateral (
            select answer.*, together.number as number_of_ask, row_number() over () as place_of_row
            from ({asked}
            ) as answer
        ) as found
        order by number_of_ask, place_of_row
    """  # noqa: S608 (nothing from outside)


def _as_json(value: object) -> object:
    """*value* as PostgreSQL reads it from JSON; what it is an interval of is told in microseconds."""
    return f"{value // _INSTANT} microseconds" if isinstance(value, timedelta) else value
