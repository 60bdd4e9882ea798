"""Real prices and trades through the import: every row accounted for, nothing twice.

The data may not be copied into this repository; the tests are skipped where it is not there. Its conversion is the
tests' own. Server times are New York wall-clock time plus seven hours.
"""

import csv
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from domain.trade_log_csv import Kind
from starter.importing import ImportReport, import_file
from tests.trade_log.support import Pool, write

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
    assert set(reasons) <= {
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


@pytest.mark.usefixtures("instruments")
async def test_server_times_without_their_offset_are_refused_to_the_last_row(pool: Pool, tmp_path: Path) -> None:
    bars = real(BARS)
    naive = ({**quote, "at": bar["time_server"]} for quote, bar in zip(bar_quotes(bars), bars, strict=True))
    report = await import_file(pool, converted(tmp_path / "naive.csv", Kind.QUOTES, naive))
    assert (report.read, report.loaded, report.rejected) == (13_558, 0, 13_558)
