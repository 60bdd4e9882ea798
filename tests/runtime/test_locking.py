"""Locks are sent with what begins a transaction, and whoever reads in it sees what those before them have left."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import locking
from runtime.database import close_pool, open_pool
from runtime.locking import as_sql, lock_beyond, lock_until_end, locked
from tests.patience import eventually

HELD: Final = "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"
WAITING: Final = """
    select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')
"""
STRANGE: Final = ("'", "\\'; drop table marks; --", "$1", "客户", "a\nb", "", "😀")


@pytest.fixture
async def pool(database_url: str) -> "AsyncIterator[asyncpg.Pool[asyncpg.Record]]":
    pool = await open_pool(database_url, max_size=3)
    yield pool
    await close_pool(pool)


@given(text=st.text())
def test_a_text_in_sql_is_nothing_but_hexadecimal_digits(text: str) -> None:
    digits = as_sql(text).removeprefix("(convert_from(decode('").removesuffix("', 'hex'), 'UTF8') collate \"default\")")
    assert bytes.fromhex(digits).decode() == text
    assert set(digits) <= set("0123456789abcdef")


async def test_a_text_in_sql_is_that_text(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    for text in STRANGE:
        assert await pool.fetchval(f"select {as_sql(text)}") == text
        here = await pool.fetchval(lock_until_end(text).replace("pg_advisory_xact_lock", ""))
        assert here == await pool.fetchval("select hashtextextended($1, 0)", text), (
            "the lock of who sends it as a value"
        )


async def test_what_is_read_under_a_lock_is_what_the_one_before_has_left(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    await pool.execute("create table marks (mark text)")

    async def mark(text: str) -> list[Any]:
        async with pool.acquire() as connection, locked(connection, lock_until_end("marks")):
            found = [row["mark"] for row in await connection.fetch("select mark from marks")]
            await connection.execute("insert into marks values ($1)", text)
            return found

    async with pool.acquire() as first, locked(first, lock_until_end("marks")):
        waiting = asyncio.create_task(mark("second"))
        await eventually(lambda: pool.fetchval(WAITING), "the second")
        await first.execute("insert into marks values ('first')")
    assert await waiting == ["first"]


async def test_a_lock_beyond_transactions_is_given_back_by_the_commit_that_says_so(
    pool: "asyncpg.Pool[asyncpg.Record]",
) -> None:
    async with pool.acquire() as connection:
        async with locked(connection, lock_beyond("letter:1")):
            pass
        assert await connection.fetchval(HELD) == 1
        with pytest.raises(ZeroDivisionError):
            async with locked(connection, "select 1", let_go=True):
                raise ZeroDivisionError
        assert await connection.fetchval(HELD) == 1, "nothing was committed"
        async with locked(connection, "select 1", let_go=True):
            pass
        assert await connection.fetchval(HELD) == 0
        assert connection.get_reset_query() == "", "nothing is left to be reset"
        async with connection.transaction():
            pass
        async with locked(connection, lock_beyond("letter:1")):
            pass
    async with pool.acquire() as connection:
        assert await connection.fetchval(HELD) == 0, "the pool has it given back"


async def test_who_does_not_get_a_lock_leaves_a_connection_that_others_can_use(database_url: str) -> None:
    pool = await open_pool(database_url, max_size=1)
    other = await asyncpg.connect(database_url)
    await other.execute("select pg_advisory_lock(hashtextextended('account:1', 0))")
    with pytest.raises(asyncpg.LockNotAvailableError):
        async with (
            pool.acquire() as connection,
            locked(connection, "set local lock_timeout = '10ms'", lock_until_end("account:1")),
        ):
            raise AssertionError("it was not to be had")
    async with pool.acquire() as connection:
        assert not connection.is_in_transaction()
        assert await connection.fetchval("select 1") == 1
    await close_pool(pool)
    await other.close()


async def test_within_a_transaction_locks_are_taken_as_a_part_of_it(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    async with pool.acquire() as connection:
        async with connection.transaction():
            async with locked(connection, lock_until_end("account:1"), let_go=True):
                pass
            assert await connection.fetchval(HELD) == 1
            with pytest.raises(ZeroDivisionError):
                async with locked(connection, lock_until_end("account:2")):
                    raise ZeroDivisionError
            assert await connection.fetchval(HELD) == 1
        assert await connection.fetchval(HELD) == 0


async def test_nothing_is_done_in_a_transaction_that_began_without_its_locks(
    pool: "asyncpg.Pool[asyncpg.Record]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version of asyncpg may begin transactions in other words: nothing would take turns, and nobody see it."""
    monkeypatch.setattr(locking, "BEGIN", "START TRANSACTION;")
    async with pool.acquire() as connection:
        with pytest.raises(RuntimeError, match="without its locks"):
            async with locked(connection, lock_until_end("account:1")):
                raise AssertionError("nothing is done without the lock")
        assert not connection.is_in_transaction()
