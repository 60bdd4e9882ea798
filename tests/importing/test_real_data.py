"""Real prices, trades and statements through the import: every row accounted for, nothing twice, to the cent.

The data may not be copied into this repository; the tests are skipped where it is not there. Server times are New York
wall-clock time plus seven hours, unless a test says otherwise.
"""

import csv
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from domain.log.trade_log import Instrument
from starter.importing.formats import Format
from starter.importing.formats.kinds import Kind
from starter.importing.formats.server_clock import ServerClock
from starter.importing.formats.trade_log_csv import ColumnMap
from starter.importing.loading import ImportFailed, ImportReport, Reading, import_file
from tests.importing.support import Pool, write

FOLDER = Path(os.environ.get("REDRESS_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
POINT = Decimal("0.01")

BARS = "xauusd_m1_20260216_20260227.csv"
TICKS = "xauusd_tick_points_202601_202605.csv"
TESTER_FILLS = "mt5_tester_fills_v1.csv"
TRADES = "trades_xauusd_real.csv"


def real(name: str) -> list[dict[str, str]]:
    if not (FOLDER / name).exists():
        pytest.skip(f"{name} is not in {FOLDER}: set REDRESS_SHARED_DATA to the folder of the real data")
    with (FOLDER / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def converted(path: Path, kind: Kind, rows: Iterable[dict[str, object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, kind.columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def utc(server_time: str) -> str:
    wall_clock = datetime.fromisoformat(server_time) - timedelta(hours=7)
    return wall_clock.replace(tzinfo=ZoneInfo("America/New_York")).astimezone(UTC).isoformat()


def bar_quotes(bars: Iterable[dict[str, str]]) -> Iterator[dict[str, object]]:
    """One quote a bar: its open is the first bid of the minute, its spread the one the terminal kept for the minute.

    High, low and close are left out: nobody recorded when in the minute they stood.
    """
    for bar in bars:
        bid = Decimal(bar["open"])
        ask = bid + int(bar["spread_points"]) * POINT
        yield {"symbol": "XAUUSD", "source": "broker-m1", "at": bar["time_utc"], "bid": bid, "ask": ask}


def tick_quotes(ticks: Iterable[dict[str, str]], bars: Iterable[dict[str, str]]) -> Iterator[dict[str, object]]:
    """The recorded side of each tick, the other one by the spread of the minute's bar, or empty without a bar."""
    spreads = {bar["time_utc"][:16]: int(bar["spread_points"]) * POINT for bar in bars}
    for tick in ticks:
        given, other, sign = ("bid", "ask", 1) if tick["quote"] == "bid" else ("ask", "bid", -1)
        price, spread = Decimal(tick["price"]), spreads.get(tick["time_utc"][:16])
        quote = {"symbol": "XAUUSD", "source": "broker-ticks", "at": tick["time_utc"], given: price}
        yield quote if spread is None else {**quote, other: price + sign * spread}


def orders_of_the_tester(fills: Iterable[dict[str, str]]) -> Iterator[dict[str, object]]:
    types = {"sl": "stop_loss", "tp": "take_profit", "so": "stop_out"}
    for row in fills:
        opened_by = "stop" if row["order_type"].endswith("stop") else "market"
        yield {
            "order": f"v1-{row['order']}",
            "account": "tester",
            "symbol": row["symbol"],
            "side": row["type"],
            "type": types.get(row["close_reason"], opened_by),
            "volume": row["volume"],
            "price": row["requested_price"],
            "received_at": utc(row["setup_time_server"]),
        }


def fills_of_the_tester(fills: Iterable[dict[str, str]]) -> Iterator[dict[str, object]]:
    for row in fills:
        yield {
            "fill": f"v1-{row['deal']}",
            "order": f"v1-{row['order']}",
            "account": "tester",
            "symbol": row["symbol"],
            "side": row["type"],
            "volume": row["volume"],
            "price": row["fill_price"],
            "at": row["fill_time_utc"],
        }


def retail_fills(trades: Iterable[dict[str, str]]) -> Iterator[dict[str, object]]:
    """The opening fills: the price observed is that of the opening."""
    for trade in trades:
        yield {
            "fill": f"{trade['ticket']}-open",
            "order": trade["ticket"],
            "account": "retail",
            "symbol": trade["symbol"],
            "side": trade["side"].lower(),
            "volume": trade["lot_size"],
            "price": trade["observed_price"],
            "at": utc(trade["open_time"]),
        }


def retail_orders(trades: Iterable[dict[str, str]]) -> Iterator[dict[str, object]]:
    for fill in retail_fills(trades):
        kept = {name: fill[name] for name in ("order", "account", "symbol", "side", "volume")}
        yield {**kept, "type": "market"}


def retail_positions(trades: Iterable[dict[str, str]]) -> Iterator[dict[str, object]]:
    """Positions with the time of their closing, whose price was not recorded."""
    for trade in trades:
        yield {
            "position": trade["ticket"],
            "account": "retail",
            "symbol": trade["symbol"],
            "side": trade["side"].lower(),
            "volume": trade["lot_size"],
            "open_price": trade["observed_price"],
            "opened_at": utc(trade["open_time"]),
            "closed_at": utc(trade["close_time"]),
        }


@pytest.fixture
async def instruments(pool: Pool, tmp_path: Path) -> None:
    text = "symbol,contract_size,currency,digits\nXAUUSD,100,USD,2\nXAUUSD.f,100,USD,2\n"
    await import_file(pool, write(tmp_path / "instruments.csv", text))


async def loaded_twice(pool: Pool, file: Path, rows: int) -> ImportReport:
    """Import *file* of *rows* rows twice; the second time nothing may load. Returns what became of them at first."""
    first, second = await import_file(pool, file), await import_file(pool, file)
    assert first.read == second.read == rows
    assert first.loaded + first.duplicates + first.rejected == rows
    assert (second.loaded, second.duplicates) == (0, first.loaded + first.duplicates)
    assert second.rejected == first.rejected
    assert await pool.fetchval(f"select count(*) from tradelog.{first.kind}") == first.loaded  # noqa: S608
    return first


@pytest.mark.usefixtures("instruments")
async def test_real_one_minute_bars_load_as_quotes(pool: Pool, tmp_path: Path) -> None:
    bars = real(BARS)
    report = await loaded_twice(pool, converted(tmp_path / "m1.csv", Kind.QUOTES, bar_quotes(bars)), len(bars))
    assert (report.loaded, report.rejected) == (13_558, 0)
    first = await pool.fetchrow("select at, bid, ask from tradelog.quotes order by at limit 1")
    assert first is not None
    assert tuple(first) == (datetime(2026, 2, 16, 0, 7, tzinfo=UTC), Decimal("5010.5"), Decimal("5010.69"))


@pytest.mark.usefixtures("instruments")
async def test_real_ticks_load_where_both_sides_are_known_and_are_rejected_where_one_is_missing(
    pool: Pool, tmp_path: Path
) -> None:
    ticks, bars = real(TICKS), real(BARS)
    report = await loaded_twice(pool, converted(tmp_path / "t.csv", Kind.QUOTES, tick_quotes(ticks, bars)), len(ticks))
    assert report.loaded > 0
    assert report.rejects_path is not None
    with report.rejects_path.open(encoding="utf-8", newline="") as file:
        reasons = [row["reason"] for row in csv.DictReader(file)]
    assert len(reasons) == report.rejected
    assert {reason.partition(" of ")[0] for reason in reasons} <= {
        "bid: is missing",
        "ask: is missing",
        "symbol, source, at: is in the trade log with other values",  # ticks of one second
    }
    assert len([reason for reason in reasons if "other values" in reason]) == report.conflicts


@pytest.mark.usefixtures("instruments")
async def test_the_fills_of_a_real_strategy_test_load_as_orders_and_fills(pool: Pool, tmp_path: Path) -> None:
    rows = real(TESTER_FILLS)
    for kind, made in ((Kind.ORDERS, orders_of_the_tester(rows)), (Kind.FILLS, fills_of_the_tester(rows))):
        report = await loaded_twice(pool, converted(tmp_path / f"{kind}.csv", kind, made), len(rows))
        assert report.loaded == 2_790
    late = await pool.fetchval(
        'select count(*) from tradelog.fills join tradelog.orders using ("order") where at < received_at'
    )
    assert late == 0


@pytest.mark.usefixtures("instruments")
async def test_the_trades_of_a_real_account_load_as_orders_fills_and_positions(pool: Pool, tmp_path: Path) -> None:
    rows = real(TRADES)
    for kind, made in (
        (Kind.ORDERS, retail_orders(rows)),
        (Kind.FILLS, retail_fills(rows)),
        (Kind.POSITIONS, retail_positions(rows)),
    ):
        report = await loaded_twice(pool, converted(tmp_path / f"{kind}.csv", kind, made), len(rows))
        assert report.loaded == 423
    opened = {row["at"] for row in await pool.fetch("select at from tradelog.fills")}
    assert opened == {datetime.fromisoformat(row["open_time_utc"]) for row in rows}


# --- the files as they are --------------------------------------------------------------------------------------------

NY7 = ServerClock.named("NY+7")
STATEMENT_2026 = "mt4_statement_2026_startrader.htm"
STATEMENT_2024 = "mt4_statement_2024_small.htm"
REPORT = "mt5_tester_report_sample.xlsx"
EXPORT = "XAUUSD_M1_20260216_20260227_mt5_export.tsv"


def instrument(symbol: str, contract_size: int = 100, currency: str = "USD", digits: int = 2) -> Instrument:
    return Instrument(symbol=symbol, contract_size=Decimal(contract_size), currency=currency, digits=digits)


KNOWN = (
    *(instrument("XAUUSD"), instrument("XAUUSD@"), instrument("WTICASH", 1_000), instrument("XAUUSD.f")),
    *(instrument("EURUSD", 100_000, digits=5), instrument("EURUSD@", 100_000, digits=5)),
    instrument("USDJPY@", 100_000, "JPY", 3),
)


def found(name: str) -> Path:
    if not (FOLDER / name).exists():
        pytest.skip(f"{name} is not in {FOLDER}: set REDRESS_SHARED_DATA to the folder of the real data")
    return FOLDER / name


async def imported_twice(
    pool: Pool, folder: Path, name: str, reading: Reading, kind: Kind | None = None
) -> ImportReport:
    """Import the file as it is, twice; the second time nothing may load. Returns what became of it at first."""
    first, again = [
        await import_file(
            pool, found(name), kind=kind, reading=reading, instruments=KNOWN, rejects=folder / "rejects.csv"
        )
        for _ in range(2)
    ]
    for report in (first, again):
        assert report.loaded + report.duplicates + report.rejected == report.read
    assert (again.loaded, again.duplicates, again.rejected) == (0, first.loaded + first.duplicates, first.rejected)
    assert again.skipped == first.skipped
    for each, rows in first.log_rows.items():
        assert await pool.fetchval(f"select count(*) from tradelog.{each}") == rows.loaded  # noqa: S608
    return first


def log_rows(report: ImportReport) -> dict[str, int]:
    assert not any(rows.completed or rows.duplicates or rows.conflicts for rows in report.log_rows.values())
    return {kind.value: rows.loaded for kind, rows in report.log_rows.items()}


async def test_the_real_bar_export_of_an_mt5_terminal(pool: Pool, tmp_path: Path) -> None:
    report = await imported_twice(pool, tmp_path, EXPORT, Reading(clock=NY7, source="broker"))
    assert (report.format, report.read, report.loaded, report.warnings) == (Format.MT5_BARS, 13_558, 13_558, ())
    bars = real(BARS)
    kept = {row["at"]: row for row in await pool.fetch("select * from tradelog.bars")}
    for bar in bars:
        row = kept[datetime.fromisoformat(bar["time_utc"])]
        for name in ("open", "high", "low", "close"):
            assert row[name] == Decimal(bar[name])
        assert (row["spread"], row["ticks"], row["period"]) == (int(bar["spread_points"]), int(bar["tick_volume"]), 60)


async def test_the_real_statement_of_2026_adds_up_to_the_cent(pool: Pool, tmp_path: Path) -> None:
    report = await imported_twice(pool, tmp_path, STATEMENT_2026, Reading(clock=NY7))
    assert (report.format, report.read, report.loaded) == (Format.MT4_STATEMENT, 855, 855)
    assert log_rows(report) == {"orders": 852, "fills": 844, "positions": 422, "account_entries": 3}
    assert report.skipped["magic number and comment of the row above"] == 852
    assert report.reckoned == ("422 closed trades and 18 totals reckoned again: all agree",)
    assert report.warnings == ()
    closed = await pool.fetch("select close_reason, count(*) from tradelog.positions group by 1 order by 1 nulls last")
    assert [tuple(row) for row in closed] == [("stop_loss", 213), ("take_profit", 197), (None, 12)]
    gap = await pool.fetchrow("select * from tradelog.positions where \"position\" like '%:46780803'")
    assert gap is not None
    assert (gap["opened_at"], gap["open_price"]) == (datetime(2026, 4, 12, 22, 1, tzinfo=UTC), Decimal("4700.27"))


async def test_the_real_statement_of_2024_adds_up_to_the_cent(pool: Pool, tmp_path: Path) -> None:
    report = await imported_twice(pool, tmp_path, STATEMENT_2024, Reading(clock=ServerClock.named("UTC+2")))
    assert (report.read, report.loaded, report.rejected) == (18, 18, 0)
    assert log_rows(report) == {"orders": 15, "fills": 22, "positions": 12, "account_entries": 1}
    assert report.reckoned == ("10 closed trades and 18 totals reckoned again: all agree",)
    assert report.warnings == ()


@pytest.mark.long
async def test_the_real_report_of_the_strategy_tester_adds_up_and_its_orders_ask_what_they_asked(
    pool: Pool, tmp_path: Path
) -> None:
    report = await imported_twice(pool, tmp_path, REPORT, Reading(clock=NY7, account="tester"))
    assert (report.format, report.read, report.loaded) == (Format.MT5_REPORT, 6_171, 6_171)
    assert log_rows(report) == {"orders": 3_380, "fills": 2_790, "account_entries": 1}
    assert report.reckoned == ("1,395 closed trades and 2,797 totals reckoned again: all agree",)
    assert report.warnings == ()
    kept = await pool.fetch(
        "select fill, fills.price, at, orders.price as asked, fills.profit, fills.side"
        ' from tradelog.fills join tradelog.orders using ("order")'
    )
    by_deal = {row["fill"].rpartition(":")[2]: row for row in kept}
    joined = real(TESTER_FILLS)
    assert len(joined) == len(kept)
    for row in joined:
        fill = by_deal[row["deal"]]
        assert fill["at"] == datetime.fromisoformat(row["fill_time_utc"])
        assert (fill["price"], fill["profit"]) == (Decimal(row["fill_price"]), Decimal(row["profit"]))
        assert fill["asked"] == (Decimal(row["requested_price"]) if row["requested_price"] else None)
        if fill["asked"] is not None:
            worse = (fill["price"] - fill["asked"]) * (1 if fill["side"] == "buy" else -1)
            assert worse == Decimal(row["adverse_slippage"])


@pytest.mark.parametrize("name", [EXPORT, STATEMENT_2026, REPORT])
async def test_the_clock_of_the_real_files_is_among_those_that_fit_and_is_asked_for(pool: Pool, name: str) -> None:
    with pytest.raises(ImportFailed, match=r"may be in NY\+7 \(none of") as failed:
        await import_file(pool, found(name), reading=Reading(source="broker", account="tester"), instruments=KNOWN)
    alone = "EET" not in str(failed.value).partition("may be in")[2]
    assert alone is (name != EXPORT)  # two weeks of winter fit any clock two hours ahead


async def test_the_wrong_clock_is_warned_of_by_the_real_statement(pool: Pool, tmp_path: Path) -> None:
    reading = Reading(clock=ServerClock.named("EET"))
    report = await import_file(
        pool, found(STATEMENT_2026), reading=reading, instruments=KNOWN, rejects=tmp_path / "rejects.csv"
    )
    (warning,) = report.warnings
    assert warning.startswith("read with the clock EET, times lie outside the market's hours: ")
    assert "with NY+7, none of 844 times" in warning


MAPPED: dict[str, tuple[Kind, int, ColumnMap]] = {
    BARS: (
        Kind.BARS,
        13_558,
        ColumnMap(
            {"at": "time_utc", "ticks": "tick_volume", "spread": "spread_points"},
            {"symbol": "XAUUSD", "source": "broker", "period": "60"},
        ),
    ),
    "xauusd_h1_202509_202605.csv": (
        Kind.BARS,
        4_171,
        ColumnMap(
            {"at": "time_utc", "ticks": "tick_volume"}, {"symbol": "XAUUSD", "source": "broker", "period": "3600"}
        ),
    ),
    TESTER_FILLS: (
        Kind.FILLS,
        2_790,
        ColumnMap(
            {"fill": "deal", "side": "type", "price": "fill_price", "at": "fill_time_utc"}, {"account": "tester"}
        ),
    ),
    TRADES: (
        Kind.POSITIONS,
        423,
        ColumnMap(
            {
                **{"position": "ticket", "volume": "lot_size", "open_price": "observed_price", "profit": "pnl"},
                **{"opened_at": "open_time_utc", "closed_at": "close_time_utc"},
            },
            {"account": "retail"},
        ),
    ),
}


@pytest.mark.parametrize("name", MAPPED)
async def test_real_files_that_are_no_brokers_load_with_their_columns_mapped(
    pool: Pool, tmp_path: Path, name: str
) -> None:
    kind, rows, columns = MAPPED[name]
    report = await imported_twice(pool, tmp_path, name, Reading(columns=columns), kind)
    assert (report.kind, report.read, report.loaded) == (kind, rows, rows)


async def test_a_real_csv_in_server_time_loads_by_its_clock_to_the_same_bars(pool: Pool, tmp_path: Path) -> None:
    kind, rows, columns = MAPPED[BARS]
    await imported_twice(pool, tmp_path, BARS, Reading(columns=columns), kind)
    by_server_time = ColumnMap({**columns.columns, "at": "time_server"}, columns.values)
    report = await import_file(pool, found(BARS), reading=Reading(columns=by_server_time, clock=NY7))
    assert (report.loaded, report.duplicates) == (0, rows)


@pytest.mark.usefixtures("instruments")
async def test_server_times_without_their_offset_are_refused_to_the_last_row(pool: Pool, tmp_path: Path) -> None:
    bars = real(BARS)
    naive = ({**quote, "at": bar["time_server"]} for quote, bar in zip(bar_quotes(bars), bars, strict=True))
    report = await import_file(pool, converted(tmp_path / "naive.csv", Kind.QUOTES, naive))
    assert (report.read, report.loaded, report.rejected) == (13_558, 0, 13_558)
