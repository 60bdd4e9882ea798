"""The import of files as brokers and vendors write them: recognised, never guessed at, every row accounted for."""

import gc
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from activities.log.trade_log import TradeLog
from domain.log.trade_log import Instrument
from starter.importing import loading, texts, workbooks
from starter.importing.formats import Format
from starter.importing.formats.kinds import Kind
from starter.importing.formats.server_clock import ServerClock
from starter.importing.formats.trade_log_csv import ColumnMap
from starter.importing.loading import ImportFailed, ImportReport, LogRows, Reading, import_file
from tests.cli.command_line import CommandLine
from tests.cli.conftest import redress as redress  # noqa: PLC0414 (a fixture)
from tests.importing.statements import (
    mt4_balance,
    mt4_pending,
    mt4_statement,
    mt4_trade,
    mt5_balance,
    mt5_deal,
    mt5_order,
    mt5_report,
    workbook,
)
from tests.importing.support import Pool, names_in, rows_of, write

GOLD = Instrument(symbol="XAUUSD", contract_size=Decimal(100), currency="USD", digits=2)
SERVER = Reading(clock=ServerClock.named("NY+7"), source="broker", account="70012345")

TICKS = "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\r\n"
BARS = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\r\n"


def tick(second: int, bid: str = "5010.50", ask: str = "5010.69", day: str = "2026.02.16", hour: str = "02") -> str:
    return f"{day}\t{hour}:{second // 60:02}:{second % 60:02}.250\t{bid}\t{ask}\t\t\t6\r\n"


def bar(minute: int, day: str = "2026.02.16", hour: str = "02") -> str:
    return f"{day}\t{hour}:{minute:02}:00\t5010.50\t5014.78\t5010.50\t5014.77\t271\t0\t19\r\n"


STATEMENT = mt4_statement(
    mt4_balance(1, "10 000.00", "入金 Deposit") + mt4_trade(2, comment="预测[sl]") + mt4_pending(3),
    working=mt4_pending(4, ended="&nbsp;", said=""),
    closed_profit="-800.00",
    deposits="10 000.00",
)
REPORT = workbook(
    (
        "Sheet1",
        mt5_report(
            orders=[mt5_order(2), mt5_order(8, "sell", price=0.0, stop=None, comment="sl 4353.90")],
            deals=[
                mt5_balance(1, 10_000.0, 10_000.0),
                mt5_deal(2, balance=10_000.0),
                mt5_deal(8, "sell", "out", price=4353.89, profit=49.0, balance=10_049.0),
            ],
        ),
    )
)

HISTORY_CENTRE = b"2026.02.16,02:07,5010.50,5014.78,5010.50,5014.77,271\n"

FILES: dict[Format, tuple[str, bytes, int, int]] = {  # name, content, rows read, rows skipped
    Format.CSV: ("q.csv", b"symbol,source,at,bid,ask\nXAUUSD,b,2026-02-16T00:07:00Z,1,2\n", 1, 0),
    Format.MT5_TICKS: ("XAUUSD_2026.csv", (TICKS + tick(1, ask="") + tick(2) + tick(3, bid="")).encode(), 2, 1),
    Format.MT5_BARS: ("XAUUSD_M1_2026.csv", (BARS + bar(7) + bar(8)).encode(), 2, 0),
    Format.MT5_REPORT: ("report.xlsx", REPORT, 5, 6),
    Format.MT4_STATEMENT: ("statement.htm", STATEMENT.encode("gbk"), 4, 12),
    Format.DUKASCOPY_TICKS: (
        "XAUUSD_Ticks.csv",
        b"Gmt time,Ask,Bid,AskVolume,BidVolume\n16.02.2026 10:00:00.123,2,1,1,1\n",
        1,
        0,
    ),
    Format.HISTDATA_TICKS: ("DAT_ASCII_XAUUSD_T_202602.csv", b"20260216 000000123,1,2,0\n", 1, 0),
    Format.HISTDATA_BARS: ("DAT_ASCII_XAUUSD_M1_202602.csv", b"20260216 000000;1;2;1;2;0\n", 1, 0),
    Format.MT4_BARS: ("XAUUSD1.csv", HISTORY_CENTRE, 1, 0),
    Format.TRUEFX_TICKS: ("XAUUSD.csv", b"XAU/USD,20260216 10:00:00.263,1,2\n", 1, 0),
    Format.FXCM_TICKS: ("XAUUSD.csv", b"DateTime,Bid,Ask\n02/16/2026 10:00:00.123,1,2\n", 1, 0),
    Format.TICKS: ("XAUUSD.csv", b"time,bid,ask\n2026-02-16 10:00:00.123,1,2\n", 1, 0),
}


async def load(
    pool: Pool,
    path: Path,
    reading: Reading = SERVER,
    *,
    instruments: Sequence[Instrument] = (GOLD,),
    strict: bool = False,
) -> ImportReport:
    if path.name in {FILES[each][0] for each in Format if each.about.clock}:  # whose clock is known
        reading = replace(reading, clock=None)
    report = await import_file(pool, path, reading=reading, instruments=instruments, strict=strict)
    assert report.loaded + report.duplicates + report.rejected == report.read
    return report


def file_of(folder: Path, format_: Format) -> Path:
    name, content, *_ = FILES[format_]
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("format_", Format)
async def test_every_format_is_recognised_loaded_once_and_accounted_for(
    pool: Pool, tmp_path: Path, format_: Format
) -> None:
    path = file_of(tmp_path, format_)
    *_, read, skipped = FILES[format_]
    first, again = await load(pool, path), await load(pool, path)
    assert (first.format, again.format) == (format_, format_)
    assert (first.read, first.loaded, sum(first.skipped.values())) == (read, read, skipped)
    assert (again.read, again.duplicates, sum(again.skipped.values())) == (read, read, skipped)
    for kind, rows in first.log_rows.items():
        assert again.log_rows[kind] == LogRows(duplicates=rows.loaded)
        assert await pool.fetchval(f"select count(*) from tradelog.{kind}") == rows.loaded  # noqa: S608
    assert first.warnings == again.warnings == ()
    assert names_in(tmp_path) == [path.name]


@pytest.mark.parametrize("encoding", ["gbk", "utf-8", "utf-8-sig", "utf-16"])
async def test_a_statement_is_read_in_gbk_utf_8_and_utf_16(pool: Pool, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "statement.htm"
    path.write_bytes(STATEMENT.encode(encoding))
    assert (await load(pool, path)).loaded == 4
    (position,) = await rows_of(pool, Kind.POSITIONS)
    assert position.comment == "预测[sl]"  # type: ignore[attr-defined]


async def test_a_statement_in_another_encoding_is_read_when_that_is_named(pool: Pool, tmp_path: Path) -> None:
    path = tmp_path / "statement.htm"
    path.write_bytes(mt4_statement(mt4_balance(1, "5.00", "Пополнение\u00a0я")).encode("cp1251") + b"\xff")
    with pytest.raises(ImportFailed, match="does not read as the Chinese of GBK: name its encoding with --encoding"):
        await load(pool, path)
    assert (await load(pool, path, replace(SERVER, encoding="cp1251"))).loaded == 1
    with pytest.raises(ImportFailed, match="'klingon' is no encoding"):
        await load(pool, path, replace(SERVER, encoding="klingon"))


# --- the clock --------------------------------------------------------------------------------------------------------

WITHOUT_CLOCK = replace(SERVER, clock=None)


@pytest.mark.parametrize("format_", [each for each in Format if each is not Format.CSV and not each.about.clock])
async def test_server_times_without_a_clock_are_refused_and_nothing_is_loaded(
    pool: Pool, tmp_path: Path, format_: Format
) -> None:
    with pytest.raises(
        ImportFailed, match=r"Name it with --server-clock: NY\+7 is New York plus seven hours"
    ) as failed:
        await load(pool, file_of(tmp_path, format_), WITHOUT_CLOCK)
    assert "By its weekends and breaks the file may be in NY+7 (none of" in str(failed.value)
    for kind in Kind:
        assert await rows_of(pool, kind) == []


async def test_the_refusal_names_only_the_clocks_that_fit(pool: Pool, tmp_path: Path) -> None:
    edges = [("2026.03.11", "01"), ("2026.03.11", "23"), ("2026.03.13", "23"), ("2026.03.16", "01")]
    text = BARS + "".join(bar(minute, day, hour) for day, hour in edges for minute in range(60))
    path = write(tmp_path / "XAUUSD_M1.csv", text)
    with pytest.raises(ImportFailed) as failed:
        await load(pool, path, WITHOUT_CLOCK)
    assert "may be in NY+7 (none of 240 times outside the market's hours), UTC+3 (none of" in str(failed.value)
    assert "EET (" not in str(failed.value)

    report = await load(pool, path, replace(SERVER, clock=ServerClock.named("EET")))
    assert report.loaded == 240
    assert report.warnings == (
        "read with the clock EET, times lie outside the market's hours: 60 in the weekend and 60 in the daily break of"
        " 240 times; with NY+7, none of 240 times; with UTC+3, none of 240 times",
    )
    path = write(tmp_path / "GBPUSD_M1.csv", text)  # currencies have no daily break, and begin an hour earlier
    pound = GOLD.model_copy(update={"symbol": "GBPUSD"})
    report = await load(pool, path, replace(SERVER, clock=ServerClock.named("EET")), instruments=[pound])
    assert "60 in the weekend of 240 times" in report.warnings[0]


async def test_a_clock_that_fits_warns_of_nothing_and_one_that_skips_times_refuses_them(
    pool: Pool, tmp_path: Path
) -> None:
    path = write(tmp_path / "XAUUSD_M1.csv", BARS + bar(30, "2026.03.09", "09") + bar(30, "2026.03.08", "09"))
    report = await load(pool, path)
    assert (report.loaded, report.rejected, report.warnings) == (1, 1, ())


# --- what else a file does not tell -----------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    ("end", "told"), [("\t5020", True), ("\t5020.69\t\t\t6", False), ("\t5020.69\t\t\t6\r\n", False)]
)
async def test_of_prices_that_were_cut_off_the_last_is_told(
    pool: Pool, tmp_path: Path, end: str, told: bool, encoding: str
) -> None:
    """A price that lost its last digits is a price: nothing else tells that it is another."""
    whole = TICKS + tick(0) + tick(1)
    path = tmp_path / "XAUUSD_ticks.csv"
    path.write_bytes((whole + tick(2).partition("\t5010.69")[0] + end).encode(encoding))
    report = await import_file(pool, path, reading=SERVER, instruments=[GOLD])
    assert [warning for warning in report.warnings if "if the file was cut off there" in warning] == list(
        report.warnings
    )
    assert (report.loaded, bool(report.warnings)) == (3, told)


async def test_the_instrument_of_prices_is_named_by_the_file_or_the_option_and_must_be_known(
    pool: Pool, tmp_path: Path
) -> None:
    named = file_of(tmp_path, Format.MT5_TICKS)
    unnamed = write(tmp_path / "export.csv", TICKS + tick(1))
    with pytest.raises(ImportFailed, match=r"name the instrument with --symbol"):
        await load(pool, named, instruments=[])
    with pytest.raises(ImportFailed, match=r"XAUUSD is not a known instrument: add it with --instrument XAUUSD="):
        await load(pool, unnamed, replace(SERVER, symbol="XAUUSD"), instruments=[])
    with pytest.raises(ImportFailed, match=r"name the instrument with --symbol"):
        await load(pool, unnamed)
    assert (await load(pool, unnamed, replace(SERVER, symbol="xauusd"))).loaded == 1
    assert (await load(pool, named, instruments=[])).loaded == 2


async def test_an_instrument_that_is_known_with_other_terms_is_not_made_known_again(pool: Pool, tmp_path: Path) -> None:
    path = file_of(tmp_path, Format.MT5_TICKS)
    await load(pool, path)
    other = GOLD.model_copy(update={"contract_size": Decimal(10)})
    with pytest.raises(ImportFailed, match=r"XAUUSD is in the trade log with other terms: XAUUSD=100,USD,2"):
        await load(pool, path, instruments=[other])
    assert await rows_of(pool, Kind.INSTRUMENTS) == [GOLD]


async def test_a_strict_import_that_fails_leaves_not_even_the_instrument(pool: Pool, tmp_path: Path) -> None:
    path = write(tmp_path / "XAUUSD.csv", TICKS + tick(1) + tick(2, bid="x"))
    with pytest.raises(ImportFailed, match=r"1 of 2 rows are bad"):
        await load(pool, path, strict=True)
    assert await rows_of(pool, Kind.INSTRUMENTS) == await rows_of(pool, Kind.QUOTES) == []


async def test_columns_of_other_names_are_mapped(pool: Pool, tmp_path: Path) -> None:
    path = write(tmp_path / "m1.csv", "time_utc,open,high,low,close,volume\n2026-02-16T00:07:00Z,1,3,1,2,9\n")
    columns = ColumnMap({"at": "time_utc", "ticks": "volume"}, {"symbol": "XAUUSD", "source": "b", "period": "60"})
    report = await load(pool, path, Reading(columns=columns))
    assert (report.format, report.kind, report.loaded) == (Format.CSV, Kind.BARS, 1)
    with pytest.raises(ImportFailed, match="--map and --set are for CSV"):
        await load(pool, file_of(tmp_path, Format.MT5_TICKS), replace(SERVER, columns=columns))


# --- several rows of the log from one of the file ---------------------------------------------------------------------


async def test_a_row_is_rejected_whole_if_one_of_its_log_rows_conflicts_and_duplicate_only_if_all_are(
    pool: Pool, tmp_path: Path
) -> None:
    path = write(tmp_path / "s.htm", mt4_statement(mt4_trade(1) + mt4_trade(2)))
    assert (await load(pool, path)).loaded == 2
    write(path, mt4_statement(mt4_trade(1, profit="-801.00") + mt4_trade(2) + mt4_trade(3)))

    report = await load(pool, path)

    assert (report.loaded, report.duplicates, report.rejected, report.conflicts) == (1, 1, 1, 1)
    assert report.log_rows[Kind.POSITIONS] == LogRows(loaded=1, duplicates=1, conflicts=1)
    assert report.log_rows[Kind.FILLS] == LogRows(loaded=2, duplicates=2)
    assert report.rejects_path is not None
    assert "position: is in the trade log with other values" in report.rejects_path.read_text()
    assert report.warnings == ("profit of 1: states -801.00, its rows give -800.00",)


async def test_a_row_with_a_conflict_is_rejected_and_not_loaded_although_it_told_something_new(
    pool: Pool, tmp_path: Path
) -> None:
    await load(pool, write(tmp_path / "s.htm", mt4_statement(open_=mt4_trade(1))))
    report = await load(
        pool, write(tmp_path / "later.htm", mt4_statement(mt4_trade(1, price="4537.80", profit="-799.00")))
    )
    assert (report.read, report.loaded, report.rejected) == (1, 0, 1)
    assert report.log_rows[Kind.FILLS] == LogRows(conflicts=1)
    assert report.log_rows[Kind.POSITIONS] == LogRows(conflicts=1)


async def test_a_later_statement_closes_what_an_earlier_one_had_open(pool: Pool, tmp_path: Path) -> None:
    path = write(tmp_path / "s.htm", mt4_statement(open_=mt4_trade(1), working=mt4_pending(2, ended="", said="")))
    await load(pool, path)
    later = write(tmp_path / "later.htm", mt4_statement(mt4_trade(1, comment="[sl]") + mt4_pending(2)))

    report = await load(pool, later)

    assert (report.loaded, report.rejected) == (2, 0)
    assert report.log_rows[Kind.POSITIONS] == LogRows(completed=1)
    assert report.log_rows[Kind.ORDERS] == LogRows(loaded=1, completed=1)
    assert (await load(pool, path)).duplicates == 2
    assert await pool.fetchval("select close_reason from tradelog.known_positions") == "stop_loss"


async def test_a_pending_order_that_became_a_trade_keeps_the_price_it_asked_for(pool: Pool, tmp_path: Path) -> None:
    await load(pool, write(tmp_path / "s.htm", mt4_statement(working=mt4_pending(1, "sell stop", ended="", said=""))))
    await load(pool, write(tmp_path / "later.htm", mt4_statement(mt4_trade(1, comment="[sl]"))))
    async with TradeLog(pool).snapshot() as snapshot:
        found = await snapshot.orders_of("70012345", ["1"])
        (opening, closing) = await snapshot.executions("70012345", found["1"])
    assert opening.order is not None
    assert (opening.order.type, opening.order.price, opening.fills[0].price) == (
        "stop",
        Decimal("4600.10"),
        Decimal("4537.79"),
    )
    assert closing.position is not None
    assert closing.position.close_reason == "stop_loss"


async def test_a_ticket_is_found_as_the_customer_knows_it_within_the_account_only(pool: Pool, tmp_path: Path) -> None:
    page = mt4_statement(mt4_balance(9, "-5.00", "Withdrawal") + mt4_trade(42))
    await load(pool, write(tmp_path / "s.htm", page))
    await load(pool, write(tmp_path / "t.htm", page), replace(SERVER, account="70054321"))
    id_ = "broker:70012345:42"
    async with TradeLog(pool).snapshot() as snapshot:
        for asked in ("42", "70012345:42", id_):
            assert await snapshot.orders_of("70012345", [asked]) == {asked: [id_, f"{id_}:close"]}
            assert await snapshot.tables_of("70012345", [asked]) == {asked: {"fills", "positions"}}
        assert await snapshot.orders_of("70012345", ["2", "_2", "70054321:42"]) == {}
        assert [entry.entry for entry in await snapshot.withdrawals("70012345", ["9"])] == ["broker:70012345:9"]


# --- damaged files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (REPORT[:-200], "is no workbook, or a damaged one"),
        (b"PK\x03\x04 nothing", "is no workbook, or a damaged one"),
        (workbook(("Invoice", [["Total", 7]])), "it has no section 'Orders', 'Deals' or 'Positions'"),
        (b"<html><p>hello</p></html>", "it has no section 'Closed Transactions:'"),
        ((TICKS + tick(1)).encode("utf-16")[:-1], "ends in the middle of a character"),
        ((TICKS + tick(1)).encode() + b"\xff\n", "line 3: not UTF-8"),
        ((BARS + bar(1)).encode() + b"\0", "line 3: a NUL byte"),
    ],
)
async def test_a_damaged_file_is_refused_in_words(pool: Pool, tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "XAUUSD_M1"
    path.write_bytes(content)
    with pytest.raises(ImportFailed, match="XAUUSD_M1") as failed:
        await load(pool, path)
    assert said in str(failed.value)
    for kind in set(Kind) - {Kind.INSTRUMENTS}:
        assert await rows_of(pool, kind) == []


async def test_a_workbook_that_unpacks_to_more_than_fits_is_refused(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbooks, "_WORKBOOK", 10_000)
    with pytest.raises(ImportFailed, match="more than a workbook may hold here"):
        await load(pool, file_of(tmp_path, Format.MT5_REPORT))


async def test_sections_may_be_sheets_of_their_own(pool: Pool, tmp_path: Path) -> None:
    rows = mt5_report(orders=[mt5_order(2)], deals=[mt5_deal(2, balance=0.0)])
    split = rows.index(["Deals"])
    path = tmp_path / "report.xlsx"
    path.write_bytes(workbook(("Orders", rows[3:split]), ("Deals", rows[split + 1 :])))
    assert (await load(pool, path)).log_rows == {Kind.ORDERS: LogRows(loaded=1), Kind.FILLS: LogRows(loaded=1)}


# --- memory and progress ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["ticks", "statement"])
async def test_memory_does_not_grow_with_the_file(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    monkeypatch.setattr(loading, "BATCH_ROWS", 50)
    monkeypatch.setattr(texts, "CHUNK", 1 << 12)

    async def peak(rows: int, source: str) -> int:
        """Of Python's own memory, in bytes: what else runs on the machine has no part in it."""
        if format_ == "ticks":
            path = write(tmp_path / "XAUUSD.csv", TICKS + "".join(tick(second) for second in range(rows)))
        else:
            path = write(tmp_path / "s.htm", mt4_statement("".join(mt4_trade(row) for row in range(1, rows // 4))))
        await load(pool, write(tmp_path / "XAUUSD_.csv", TICKS + tick(1)))  # what is imported once and for all
        gc.collect()
        tracemalloc.start()
        try:
            assert (await load(pool, path, replace(SERVER, source=source))).rejected == 0
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # Four times as many rows, and of both many times what is held at once.
    small = await peak(400, "small")
    assert await peak(1_600, "large") < 2 * small


@pytest.mark.parametrize("format_", Format)
async def test_progress_ends_with_the_whole_file(
    pool: Pool, tmp_path: Path, format_: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "BATCH_ROWS", 1)
    told: list[tuple[int, int, int]] = []
    path = file_of(tmp_path, format_)
    reading = replace(SERVER, clock=None) if format_.about.clock else SERVER
    await import_file(pool, path, reading=reading, instruments=[GOLD], progress=lambda *each: told.append(each))
    *_, read, skipped = FILES[format_]
    assert told == sorted(told)
    assert told[-1] == (path.stat().st_size, path.stat().st_size, read + skipped)


# --- the command ------------------------------------------------------------------------------------------------------


async def test_the_command_reads_a_statement_and_tells_what_became_of_it(
    redress: CommandLine, pool: Pool, database_url: str, tmp_path: Path
) -> None:
    redress.set("DATABASE_URL", database_url)
    path = file_of(tmp_path, Format.MT4_STATEMENT)
    refused = await redress("import", path, "--instrument", "XAUUSD=100,USD,2", "--json")
    assert "--server-clock" in refused.error["message"]

    arguments = ("import", path, "--instrument", "XAUUSD=100,USD,2", "--server-clock", "NY+7", "--source", "Live2")
    told = (await redress(*arguments, "--json")).data["files"][0]
    assert (told["format"], told["loaded"], told["log_rows"]["fills"]["loaded"]) == ("mt4-statement", 4, 2)
    shown = (await redress(*arguments)).out
    assert "1 closed trades and 2 totals reckoned again: all agree" in shown
    assert "account entries: 1 there" in shown
    assert await pool.fetchval("select at from tradelog.fills order by at limit 1") == datetime(
        2026, 2, 2, 5, 49, 19, tzinfo=UTC
    )


async def test_the_command_maps_columns_and_takes_their_times_by_the_clock(
    redress: CommandLine, pool: Pool, database_url: str, tmp_path: Path
) -> None:
    redress.set("DATABASE_URL", database_url)
    path = write(tmp_path / "h1.csv", "time,open,high,low,close\n2026-02-16 02:00:00,1,3,1,2\n")
    values = ("--set", "symbol=XAUUSD", "--set", "source=b", "--set", "period=3600")
    ran = await redress(
        "import", path, "--map", "at=time", *values, "--server-clock", "NY+7", "--instrument", "XAUUSD=100,USD,2"
    )
    assert ran.code == 0
    assert await pool.fetchval("select at from tradelog.bars") == datetime(2026, 2, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "FILE: name at least one file"),
        (["--server-clock", "Mars"], "--server-clock: 'Mars' is no clock"),
        (["--format", "mt6"], "--format"),
        (["--period", "M7"], "--period: 'M7' is none of M1, M2"),
        (["--symbol", "X AU"], "--symbol: 'X AU' may only have"),
        (["--instrument", "XAUUSD"], "--instrument: 'XAUUSD' is not SYMBOL=LOT,CURRENCY,DIGITS"),
        (["--instrument", "XAUUSD=100,USD,two"], "--instrument: 'XAUUSD=100,USD,two': digits"),
        (["--instrument", "XAUUSD=100,USD,2,9"], "is not SYMBOL=LOT,CURRENCY,DIGITS"),
        (["--map", "at"], "--map: 'at' is not FIELD=COLUMN"),
        (["--set", "a=1", "--set", "a=2"], "--set: a is given twice"),
    ],
)
async def test_a_bad_option_is_named_before_anything_is_read(
    redress: CommandLine, tmp_path: Path, arguments: list[str], said: str
) -> None:
    files = [write(tmp_path / "a.csv", "")] if arguments else []
    ran = await redress("import", *files, *arguments, "--json")
    assert ran.code == 2
    assert said in ran.error["message"]


async def test_the_command_names_the_formats(redress: CommandLine) -> None:
    assert set((await redress("import", "--list-formats", "--json")).data["formats"]) == set(Format)
