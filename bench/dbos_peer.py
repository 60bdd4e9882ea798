"""A life on DBOS that a life of a complaint is compared with: the same waits, and as many rows of the same size.

    python -m bench.dbos_peer URL        serve until stdin ends; URL names a PostgreSQL database, which is made

A line on stdin, the name of a life, starts one; the same line on stdout says that it is over. DBOS keeps its system
tables and the steps their rows in that one database. A step that writes is one transaction of an asynchronous data
source, which commits the rows together with the mark that it was done: exactly once, as Redress writes them.

What may be chosen is chosen for the peer. Lives are started in the process and event loop that work on them: a queue
would have to be polled. Read committed, as Redress has it, in place of serializable; uvloop; no look at a pooled
connection before it is used; seven transactions, where Redress has ten; rows through psycopg itself, one statement for
the new ones of a step and one batch for its updates; three indexes, where tables of Redress have up to twelve. Nothing
is decided, written, sealed or sent, and nothing read: the rows are random bytes.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import uvloop
from dbos import DBOS, AsyncSQLAlchemyDatasource, SetWorkflowID

_REPLY_WITHIN: Final = timedelta(days=14)
_SMALL: Final = 208
"""Bytes of a row of the audit chain, a fact for reports, a deadline, an entry of the timeline: the mean."""
_FRAME: Final = 84
"""Bytes of a row of the peer's tables without its body: what PostgreSQL adds, and the name of the life."""
_SUMMARY: Final = ("summary", 1_070)
"""The row of the case, which is updated."""
_LINE: Final = ("line", 185)
"""Its line in the work list."""


def _state(size: int) -> tuple[str, int]:
    return ("state", size)


@dataclass(frozen=True)
class Writes:
    """What a step of Redress writes, counted by triggers on every table around one life; sizes in bytes of the row."""

    small: int
    """New rows of `_SMALL` bytes."""
    large: tuple[int, ...] = ()
    """New rows that are larger: letters, findings."""
    updated: tuple[tuple[str, int], ...] = ()
    """Updates of what is kept of the case, by name and size."""
    kept: tuple[tuple[str, int], ...] = ()
    """What is kept of the case from now on."""


OPENING: Final = Writes(29, updated=(_LINE,), kept=(_SUMMARY, _LINE))
ACKNOWLEDGEMENT: Final = Writes(4, (1_800,), (_LINE, _SUMMARY), kept=(_state(3_550),))
ACKNOWLEDGED: Final = Writes(14, updated=(*[_LINE] * 2, _state(3_550)))
FINDING: Final = 3_032
"""Bytes of what the investigation found. Redress, too, writes it with the promise."""
PROMISE: Final = Writes(14, (FINDING, 2_888), (*[_LINE] * 2, *[_SUMMARY] * 2, _state(7_646)))
RESPONDED: Final = Writes(21, updated=(_LINE, _LINE))
REPLY: Final = Writes(2, (1_020,), (_LINE, _SUMMARY, _state(11_714)))
POSTING: Final = Writes(36, updated=(*[_LINE] * 6, *[_SUMMARY] * 3, _state(4_842), _state(5_330)))

_TABLES: Final = """
create table if not exists new_rows (
    id bigint generated always as identity primary key, life text not null, number int not null, body bytea not null
);
create unique index if not exists new_rows_life on new_rows (life, id);
create index if not exists new_rows_number on new_rows (number, life);
create table if not exists kept (life text, part text, body bytea not null, primary key (life, part));
"""
_INSERT: Final = (
    "insert into new_rows (life, number, body)"
    " select %s, number, body from unnest(%s::bytea[]) with ordinality as each (body, number)"
)
_KEEP: Final = "insert into kept (life, part, body) values (%s, %s, %s)"
_UPDATE: Final = "update kept set body = %s where life = %s and part = %s"


async def _in_transaction(source: Any) -> Any:
    """The connection of psycopg on which the data source's transaction runs."""
    connection = await source.sql_session().connection()
    return (await connection.get_raw_connection()).driver_connection


def _body(size: int) -> bytes:
    """What makes a row of so many bytes."""
    return os.urandom(size - _FRAME)


async def _write(connection: Any, life: str, writes: Writes) -> None:
    bodies = [_body(size) for size in (*[_SMALL] * writes.small, *writes.large)]
    async with connection.cursor() as cursor:
        await cursor.execute(_INSERT, (life, bodies))
        if writes.kept:
            await cursor.executemany(_KEEP, [(life, part, _body(size)) for part, size in writes.kept])
        await cursor.executemany(_UPDATE, [(_body(size), life, part) for part, size in writes.updated])


class Lives:
    """Complaints as DBOS would have them. To be made before DBOS is launched."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self._answered: dict[str, asyncio.Event] = {}
        self._opening = self._step("opening", OPENING)
        self._acknowledgement = self._step("acknowledgement", ACKNOWLEDGEMENT)
        self._acknowledged = self._step("acknowledged", ACKNOWLEDGED)
        self._promise = self._step("promise", PROMISE)
        self._responded = self._step("responded", RESPONDED)
        self._reply = self._step("reply", REPLY)
        self._posting = self._step("posting", POSTING)
        self._investigation = DBOS.step(name="investigation")(_investigate)
        self._delivery = DBOS.step(name="delivery")(_deliver)

        async def run(life: str) -> None:  # DBOS marks the function, which a method does not let it
            await self._run(life)

        self._workflow = DBOS.workflow(name="life")(run)

    def _step(self, name: str, writes: Writes) -> Callable[[str], Awaitable[None]]:
        async def step(life: str) -> None:
            await _write(await _in_transaction(self._source), life, writes)

        made: Callable[[str], Awaitable[None]] = self._source.transaction(name=name, isolation_level="READ COMMITTED")(
            step
        )
        return made

    async def _run(self, life: str) -> None:
        await self._opening(life)
        await self._acknowledgement(life)
        await self._delivery()
        await self._acknowledged(life)
        await self._investigation()
        await self._promise(life)
        await self._delivery()
        await self._responded(life)
        self._answered[life].set()  # who waits for the response is told for nothing
        await DBOS.recv_async(timeout_seconds=_REPLY_WITHIN.total_seconds())
        await self._reply(life)
        await self._posting(life)

    async def live(self, life: str) -> None:
        """One life, with its customer's reply."""
        answered = self._answered[life] = asyncio.Event()
        with SetWorkflowID(life):
            handle = await DBOS.start_workflow_async(self._workflow, life)
        await answered.wait()
        await DBOS.send_async(life, "accept")
        await handle.get_result()
        del self._answered[life]


async def _investigate() -> str:
    return os.urandom(FINDING // 2).hex()


async def _deliver() -> None:
    """Hands nothing over. A letter that is sent goes between two transactions: none takes it back."""


async def serve(url: str) -> None:
    """Live each life that a line on stdin names."""
    unchecked = {"pool_pre_ping": False}
    DBOS(
        config={
            "name": "bench",
            "system_database_url": url,
            "log_level": "ERROR",
            "db_engine_kwargs": unchecked,
        }
    )
    await asyncio.to_thread(DBOS.migrate, url)  # makes the database, before the data source looks for it
    source = await AsyncSQLAlchemyDatasource.create(url, engine_kwargs={**unchecked, "pool_size": 20})
    lives = Lives(source)
    DBOS.launch()
    async with source.engine.begin() as connection:
        await connection.exec_driver_sql(_TABLES)

    async def live(life: str) -> None:
        await lives.live(life)
        print(life, flush=True)  # noqa: T201 (to who started it)

    print("ready", flush=True)  # noqa: T201
    names = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(names), sys.stdin)
    try:
        async with asyncio.TaskGroup() as group:
            async for line in names:
                group.create_task(live(line.decode().strip()))
    finally:
        DBOS.destroy()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
