"""A row of a file is loaded whole or rejected whole, whatever else is in the file and in the trade log."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from domain.log.trade_log import AccountEntry, EntryKind, Fill, Side
from starter.importing import loading
from starter.importing.formats.cells import to_cells
from starter.importing.formats.kinds import Kind
from starter.importing.formats.source import SourceRow
from starter.importing.sources import PlainRun
from starter.importing.tables import Batch, Part, Tables, Tally
from tests.importing.statements import mt4_balance, mt4_statement, mt4_trade
from tests.importing.support import Pool, rows_of, with_gold, write
from tests.importing.test_importing_formats import load

Records = list[tuple[Kind, Fill | AccountEntry]]

THEN = datetime(2026, 3, 3, 10, tzinfo=UTC)


def a_record(chance: random.Random) -> tuple[Kind, Fill | AccountEntry]:
    """One of a few keys with one of two values: rows that share them agree or are in conflict."""
    key, value = chance.randrange(8), chance.choice((1, 1, 1, 2))
    if chance.random() < 0.5:
        fill = Fill(fill=f"f-{key}", order="o", account="a", symbol="XAUUSD", side=Side.BUY, volume=Decimal(value),
                    price=Decimal(3000), at=THEN)  # fmt: skip
        return Kind.FILLS, fill
    entry = AccountEntry(entry=f"e-{key}", account="a", kind=EntryKind.DEPOSIT, amount=Decimal(value), currency="USD",
                         booked_at=THEN)  # fmt: skip
    return Kind.ACCOUNT_ENTRIES, entry


def batch_of(rows: Sequence[Records]) -> Batch:
    parts = {}
    for kind in (Kind.FILLS, Kind.ACCOUNT_ENTRIES):
        owned = [(n, record) for n, records in enumerate(rows) for each, record in records if each is kind]
        payload = "".join(loading._csv_line(to_cells(record)) + "\n" for _, record in owned)
        if owned:
            parts[kind] = Part(payload.encode(), kind.columns, [n for n, _ in owned])
    items: list[SourceRow | PlainRun] = [SourceRow(n + 1, f"row {n}") for n in range(len(rows))]
    return Batch(items, parts, len(rows), list(range(len(rows))), items, [], Counter(), 0)


def key_of(record: Fill | AccountEntry) -> str:
    return record.fill if isinstance(record, Fill) else record.entry


@pytest.mark.parametrize("seed", range(12))
async def test_of_random_rows_each_is_there_with_all_it_gives_or_with_nothing(
    pool: Pool, tmp_path: Path, seed: int
) -> None:
    await with_gold(pool, tmp_path)
    chance = random.Random(seed)  # noqa: S311
    before: dict[str, Fill | AccountEntry] = {}
    async with pool.acquire() as connection:
        tables, tally = Tables(connection, (Kind.FILLS, Kind.ACCOUNT_ENTRIES)), Tally()
        for _ in range(3):
            rows = [
                [a_record(chance) for _ in range(chance.choice((1, 2, 2, 3)))] for _ in range(chance.choice((1, 6)))
            ]
            conflicts = await tables.load(batch_of(rows), tally)
            kept = [*await rows_of(pool, Kind.FILLS), *await rows_of(pool, Kind.ACCOUNT_ENTRIES)]
            there = {key_of(row): row for row in kept if isinstance(row, Fill | AccountEntry)}
            expected = dict(before)
            for n, records in enumerate(rows):
                agrees = [there.get(key_of(record)) == record for _, record in records]
                if n not in conflicts:
                    assert all(agrees), (seed, n)
                    expected |= {key_of(record): record for _, record in records}
                else:
                    contradicts_itself = len({key_of(record) for _, record in records}) < len(records)
                    assert not all(agrees) or contradicts_itself, (seed, n)
            assert there == expected, seed
            before = there
    assert sum(counts["loaded"] for counts in tally.log_rows.values()) == len(before)


async def test_nothing_of_a_trade_is_loaded_where_one_part_of_it_is_in_conflict(pool: Pool, tmp_path: Path) -> None:
    opened = write(tmp_path / "open.htm", mt4_statement(open_=mt4_trade(1, closed="&nbsp;")))
    await load(pool, opened)
    other = mt4_trade(1, price="4537.80") + mt4_trade(2) + mt4_balance(3, "10.00", "Deposit")
    report = await load(pool, write(tmp_path / "later.htm", mt4_statement(other)))
    assert (report.read, report.loaded, report.rejected, report.conflicts) == (3, 2, 1, 1)
    assert [str(row)[:0] or getattr(row, "order", "") for row in await rows_of(pool, Kind.ORDERS)] == [
        "broker:70012345:2:close"
    ]
    assert await pool.fetchval("select count(*) from tradelog.position_completions") == 0
    right = await load(pool, write(tmp_path / "right.htm", mt4_statement(mt4_trade(1))))
    assert (right.loaded, right.rejected) == (1, 0)
