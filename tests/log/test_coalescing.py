"""What several readers of the trade log ask at a time is one statement, and each is answered as if it were alone."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from activities.checks import evidence_queries, quote_queries
from activities.checks.evidence_queries import EvidenceSnapshot
from activities.log import trade_log
from activities.log.coalescing import CoalescedFailed, Coalescing, _for_many
from runtime.database import OUTAGES
from tests.incidents.minute import BOUGHT, LIQUIDATED, SOLD, STOPPED, bad_minute

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]


def statements() -> Iterator[str]:
    """Every statement that a snapshot has."""
    for module in (trade_log, quote_queries, evidence_queries):
        for value in vars(module).values():
            for text in value.values() if isinstance(value, dict) else [value]:
                if isinstance(text, str) and text.split()[:1] in (["select"], ["with"]) and " from " in text:
                    yield text


async def test_every_statement_of_a_snapshot_is_written_for_many_with_the_same_columns(pool: "Pool") -> None:
    tried = 0
    async with pool.acquire() as connection:
        for query in dict.fromkeys(statements()):
            try:
                alone = await connection.prepare(query)
            except asyncpg.PostgresError:  # the beginning of several
                continue
            together = await connection.prepare(_for_many(query, alone.get_parameters()))
            assert [(one.name, one.type) for one in together.get_attributes()[:-2] if "?" not in one.name] == [
                (one.name, one.type) for one in alone.get_attributes() if "?" not in one.name
            ]
            tried += 1
    assert tried > 40


VALUES: list[tuple[str, list[Any]]] = [
    ("text", ["", "a", "O'Neil", '"x"', "back\\slash", "{1,2}", "黄金", "$1", None]),
    ("text[]", [[], ["a"], ["b", "b", ""], ['"', "\\", "{", ",", "null"], ["伦敦金"]]),
    ("timestamptz", [datetime(2026, 11, 13, 9, 30, 0, 123456, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC), None]),
    ("timestamptz[]", [[], [datetime(2026, 11, 13, 9, 30, 0, 1, tzinfo=UTC)]]),
    ("interval", [timedelta(0), timedelta(days=40), timedelta(microseconds=1), timedelta(seconds=-1)]),
    ("numeric", [Decimal("1940.10"), Decimal("0.00000001"), Decimal("123456789012345678.12345678"), None]),
    ("numeric[]", [[Decimal("1.10"), Decimal(0)], []]),
    ("bigint", [0, 51, 2**62]),
    ("integer[]", [[1, -1], []]),
]


@pytest.mark.parametrize(("type_", "values"), VALUES, ids=[type_ for type_, _ in VALUES])
async def test_each_reader_gets_what_it_asked_with(pool: "Pool", type_: str, values: list[Any]) -> None:
    query = f"select $1::{type_} as value, $2::integer as place"

    async def read(snapshot: Any, place: int) -> Any:
        [row] = await snapshot._connection.fetch(query, values[place], place)
        return row["value"], row["place"]

    async with Coalescing(pool).snapshot() as log, log.snapshot() as snapshot:
        answers = await asyncio.gather(*(read(snapshot, place) for place in range(len(values))))
    assert answers == [(value, place) for place, value in enumerate(values)]
    assert [str(value) for value, _ in answers] == [str(value) for value in values]


async def test_readers_that_ask_the_same_send_one_statement_and_rows_keep_their_order(pool: "Pool") -> None:
    sent: list[str] = []
    query = "select number, $1::integer as upto from generate_series($1::integer, 1, -1) as number order by number desc"
    async with Coalescing(pool).snapshot() as log, log.snapshot() as snapshot:
        connection: Any = snapshot._connection
        connection._connection.add_query_logger(lambda record: sent.append(record.query))
        answers = await asyncio.gather(*(connection.fetch(query, upto) for upto in (3, 0, 20, 1)))
    assert [[row["number"] for row in rows] for rows in answers] == [[3, 2, 1], [], [*range(20, 0, -1)], [1]]
    assert len([one for one in sent if "generate_series" in one]) == 1


async def test_readers_of_several_accounts_are_answered_as_each_alone(pool: "Pool") -> None:
    await bad_minute(pool)
    accounts = (STOPPED, LIQUIDATED, SOLD, BOUGHT, "70019999")

    async def read(log: trade_log.TradeLog, account: str) -> Any:
        async with log.snapshot(EvidenceSnapshot) as snapshot:
            found = await snapshot.orders_of(account, [f"O-{account}"])
            return (
                await snapshot.knows(account),
                await snapshot.can_replay(account),
                await snapshot.executions(account, [order for each in found.values() for order in each]),
                await snapshot.usual_spread("XAUUSD", datetime(2023, 11, 13, 9, 30, tzinfo=UTC)),
            )

    alone = [await read(trade_log.TradeLog(pool), account) for account in accounts]
    async with Coalescing(pool).snapshot() as log:
        assert await asyncio.gather(*(read(log, account) for account in accounts)) == alone
    assert [known for known, *_ in alone] == [True, True, True, True, False]


async def test_a_statement_that_fails_ends_the_snapshot_for_all_and_none_waits(pool: "Pool") -> None:
    async with Coalescing(pool).snapshot() as log, log.snapshot() as snapshot:
        connection = snapshot._connection
        asked = [connection.fetch("select 1 / $1::integer", by) for by in (1, 0)]
        asked.append(connection.fetch("select $1::integer", 1))
        assert [type(one) for one in await asyncio.gather(*asked, return_exceptions=True)] == [CoalescedFailed] * 3
        with pytest.raises(CoalescedFailed):
            await connection.fetch("select 1")


async def test_a_reader_that_is_broken_off_holds_up_nobody(pool: "Pool") -> None:
    async with Coalescing(pool).snapshot() as log, log.snapshot() as snapshot:
        connection = snapshot._connection
        slow = asyncio.create_task(connection.fetch("select $1::integer from pg_sleep(0.2)", 1))
        other = asyncio.create_task(connection.fetch("select $1::integer from pg_sleep(0.2)", 2))
        await asyncio.sleep(0.05)
        slow.cancel()
        assert [row[0] for row in await other] == [2]


async def test_an_outage_is_told_as_one(pool: "Pool") -> None:
    async def cut_off() -> None:
        async with Coalescing(pool).snapshot() as log, log.snapshot() as snapshot:
            pid = await snapshot._connection.fetchval("select pg_backend_pid()")
            await pool.execute("select pg_terminate_backend($1)", pid)
            await snapshot._connection.fetch("select 1")

    with pytest.raises(OUTAGES) as outage:
        await cut_off()
    assert not isinstance(outage.value, CoalescedFailed)
