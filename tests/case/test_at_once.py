"""Writes that go to PostgreSQL as one statement are each made as if it were sent by itself, in the order given."""

from typing import TYPE_CHECKING

import pytest

from activities.case.at_once import AtOnce

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

NOTE = "insert into noted (what, also) values ($1 || '', $2::integer)"


@pytest.mark.parametrize("others", [0, 1, 2, 12])
@pytest.mark.parametrize(
    "own",
    [f"{NOTE} returning what", f"\n with one as ({NOTE} returning what) select what from one"],  # noqa: S608 (constants)
    ids=["a statement", "one with parts of its own"],
)
async def test_each_is_written_with_its_own_values_in_order(pool: "Pool", others: int, own: str) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("create temporary table noted (id serial, what text, also integer) on commit drop")
        writing = AtOnce()
        for number in range(1, others + 1):
            writing.add(NOTE, f"no. {number}", number)
        answer = await writing.fetch(connection, own, "no. 0", 0)
        rows = await connection.fetch("select what, also from noted order by id")

    assert [row["what"] for row in answer] == ["no. 0"]
    assert [tuple(row) for row in rows] == [(f"no. {number}", number) for number in range(others + 1)]


async def test_what_was_sent_is_not_sent_again(pool: "Pool") -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("create temporary table noted (id serial, what text, also integer) on commit drop")
        writing = AtOnce()
        await writing.run(connection)
        writing.add(NOTE, "once", 1)
        await writing.run(connection)
        await writing.run(connection)
        assert await connection.fetchval("select count(*) from noted") == 1
