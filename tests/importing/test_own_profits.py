"""Positions of our own form whose file names the currency: their profits are held against the size of a lot."""

from decimal import Decimal
from pathlib import Path

import pytest

from domain.log.trade_log import Position
from starter.importing.formats.kinds import Kind
from starter.importing.formats.trade_log_csv import ColumnMap
from starter.importing.loading import ImportFailed, ImportReport, Reading, import_file
from tests.importing.support import Pool, rows_of, with_gold, write

HEADER = "position,account,symbol,side,volume,open_price,opened_at,close_price,closed_at,profit,currency\n"
OPENED, CLOSED = "2023-11-12T23:27:00Z", "2023-11-12T23:30:01Z"


def closed(name: str, profit: str, currency: str, *, lots: str = "1.20", side: str = "buy") -> str:
    """A position of gold that went from 1935.92 to 1924.66: 11.26 a unit against a buyer."""
    return f"{name},70012345,XAUUSD,{side},{lots},1935.92,{OPENED},1924.66,{CLOSED},{profit},{currency}\n"


async def imported(
    pool: Pool, folder: Path, *rows: str, header: str = HEADER, columns: ColumnMap | None = None
) -> ImportReport:
    await with_gold(pool, folder)
    path = write(folder / "positions.csv", header + "".join(rows))
    return await import_file(pool, path, reading=Reading(columns=columns or ColumnMap()))


async def test_profits_that_agree_are_counted_and_the_currency_is_not_kept(pool: Pool, tmp_path: Path) -> None:
    report = await imported(pool, tmp_path, closed("p-1", "-1351.20", "usd"), closed("p-2", "1351.20", "", side="sell"))
    assert (report.loaded, report.warnings) == (2, ())
    assert report.reckoned == ("USD: 1 closed trades and 0 totals reckoned again: all agree",)
    first, _ = await rows_of(pool, Kind.POSITIONS)
    assert isinstance(first, Position)
    assert first.profit == Decimal("-1351.20")
    again = await imported(pool, tmp_path, closed("p-1", "-1351.20", ""))
    assert (again.duplicates, again.reckoned) == (1, ())


async def test_profits_of_another_size_of_a_lot_load_nothing(pool: Pool, tmp_path: Path) -> None:
    wrong = closed("p-1", "-135.12", "USD"), closed("p-2", "11.26", "USD", lots="0.10", side="sell")
    with pytest.raises(ImportFailed, match=r"nothing was loaded: .*a lot of XAUUSD is 10 units, and 100 was given"):
        await imported(pool, tmp_path, *wrong)
    assert await rows_of(pool, Kind.POSITIONS) == []
    without = [row.rpartition(",")[0] + "\n" for row in wrong]
    mapping = ColumnMap(values={"currency": "USD"})
    with pytest.raises(ImportFailed, match="10 units"):
        await imported(pool, tmp_path, *without, header=HEADER.replace(",currency", ""), columns=mapping)
    assert (await imported(pool, tmp_path, *without, header=HEADER.replace(",currency", ""))).loaded == 2


async def test_a_profit_that_differs_is_told_and_what_is_bad_or_of_another_currency_is_not_compared(
    pool: Pool, tmp_path: Path
) -> None:
    rows = (
        closed("p-1", "-1351.20", "USD"),
        closed("p-2", "-1351.21", "USD"),
        closed("p-3", "-1240.00", "EUR"),
        closed("p-4", "-1351.20", "USC"),
        closed("p-5", "much", "USD"),
        f"p-6,70012345,XAUUSD,buy,1.20,1935.92,{OPENED},,,,USD\n",
    )
    report = await imported(pool, tmp_path, *rows)
    assert (report.loaded, report.rejected) == (4, 2)
    assert report.warnings == ("profit of position p-2: states -1,351.21, its rows give -1,351.20 (USD)",)
    assert report.reckoned[0] == "USD: 2 closed trades and 0 totals reckoned again: 1 differ"
    assert "EUR: 1 closed trades not reckoned, in XAUUSD: quoted in USD, booked in EUR" in report.reckoned
