"""Ticks of providers and vendors: no time without a zone gets a clock that nobody named, no option is ignored."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.log.trade_log import Quote
from starter.importing.formats import Format, sniff
from starter.importing.formats.kinds import Kind
from starter.importing.formats.server_clock import ServerClock
from starter.importing.formats.ticks import tick_columns
from starter.importing.loading import ImportFailed, Reading
from tests.importing.support import Pool, rows_of, write
from tests.importing.test_importing_formats import load

LP = Reading(source="LP-9", symbol="XAUUSD")
SHANGHAI = replace(LP, clock=ServerClock.named("Asia/Shanghai"))

WALL = {  # of a clock that nobody named
    "iso": ("time,bid,ask", "2026-03-03 10:00:00.250,3000.10,3000.40"),
    "dots": ("Timestamp;Ask;Bid", "2026.03.03 10:00:00.250;3000.40;3000.10"),
    "two columns": ("<DATE>,<TIME>,<BID>,<ASK>", "2026.03.03,10:00:00.250,3000.10,3000.40"),
    "with symbol": ("symbol,time,bid,ask", "XAUUSD,2026-03-03T10:00:00.250,3000.10,3000.40"),
    "TrueFX": ("", "XAU/USD,20260303 10:00:00.250,3000.10,3000.40"),
    "FXCM": ("DateTime,Bid,Ask", "03/03/2026 10:00:00.250,3000.10,3000.40"),
    "MetaTrader": ("time,bid,ask,last,volume,time_msc,flags", "1772532000,3000.10,3000.40,0,0,1772532000250,6"),
}
INSTANTS = {  # of what is said
    "offset": ("time,bid,ask", "2026-03-03 10:00:00.250+08:00,3000.10,3000.40"),
    "zulu": ("time,bid,ask", "2026-03-03T02:00:00.250Z,3000.10,3000.40"),
}
EPOCHS = {
    "seconds": ("time,bid,ask", "1772503200.250,3000.10,3000.40"),
    "milliseconds": ("timestamp,bid,ask", "1772503200250,3000.10,3000.40"),
    "microseconds": ("ts,bid,ask", "1772503200250000,3000.10,3000.40"),
}


def file_of(folder: Path, lines: tuple[str, str]) -> Path:
    return write(folder / "quotes.csv", "".join(f"{line}\n" for line in lines if line))


async def the_quote(pool: Pool) -> tuple[str, str, str]:
    (quote,) = await rows_of(pool, Kind.QUOTES)
    assert isinstance(quote, Quote)
    return quote.at.isoformat(), str(quote.bid), str(quote.ask)


THEN = ("2026-03-03T02:00:00.250000+00:00", "3000.10", "3000.40")


@pytest.mark.parametrize("name", WALL)
async def test_ticks_of_a_wall_clock_are_refused_until_it_is_named_and_then_read_by_it(
    pool: Pool, tmp_path: Path, name: str
) -> None:
    path = file_of(tmp_path, WALL[name])
    with pytest.raises(ImportFailed, match="Name it with --server-clock"):
        await load(pool, path, LP)
    assert await rows_of(pool, Kind.QUOTES) == []
    assert (await load(pool, path, SHANGHAI)).loaded == 1
    assert await the_quote(pool) == THEN


@pytest.mark.parametrize("name", INSTANTS)
async def test_ticks_that_tell_their_offset_need_no_clock_and_refuse_one(pool: Pool, tmp_path: Path, name: str) -> None:
    path = file_of(tmp_path, INSTANTS[name])
    with pytest.raises(ImportFailed, match=r"--server-clock Asia/Shanghai does not concern them\. Leave it out"):
        await load(pool, path, SHANGHAI)
    assert (await load(pool, path, LP)).loaded == 1
    assert await the_quote(pool) == THEN


@pytest.mark.parametrize("name", EPOCHS)
async def test_seconds_since_1970_are_those_of_utc_or_of_the_clock_that_is_named(
    pool: Pool, tmp_path: Path, name: str
) -> None:
    path = file_of(tmp_path, EPOCHS[name])
    assert (await load(pool, path, LP)).loaded == 1
    assert await the_quote(pool) == THEN
    assert (await load(pool, path, replace(SHANGHAI, source="other"))).loaded == 1
    assert (
        await pool.fetchval("select at::text from tradelog.quotes where source = 'other'")
        == "2026-03-02 18:00:00.25+00"
    )


async def test_a_time_without_zone_after_many_with_one_is_a_bad_row(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("starter.importing.sources._SAMPLE", 1)
    header, line = INSTANTS["zulu"]
    path = write(tmp_path / "q.csv", f"{header}\n{line}\n2026-03-03 10:00:00,3000.10,3000.40\n")
    report = await load(pool, path, LP)
    assert (report.loaded, report.rejected) == (1, 1)
    assert report.rejects_path is not None
    assert "and the file does not say which: name it with --server-clock" in report.rejects_path.read_text()


async def test_dukascopys_gmt_refuses_another_clock_and_histdatas_gives_way_to_it(pool: Pool, tmp_path: Path) -> None:
    dukascopy = write(tmp_path / "d.csv", "Gmt time,Ask,Bid,AskVolume,BidVolume\n03.03.2026 02:00:00.250,2,1,1,1\n")
    with pytest.raises(ImportFailed, match="its header says that its times are in GMT"):
        await load(pool, dukascopy, SHANGHAI)
    histdata = write(tmp_path / "h.csv", "20260303 100000250,3000.10,3000.40,0\n")
    assert (await load(pool, histdata, SHANGHAI)).loaded == 1
    assert await the_quote(pool) == THEN


async def test_bars_of_the_history_centre_of_mt4_need_no_heading(pool: Pool, tmp_path: Path) -> None:
    path = write(tmp_path / "XAUUSD60.csv", "2026.03.03,10:00,3000.1,3002,2999,3001,271\n")
    report = await load(pool, path, replace(SHANGHAI, symbol=None))
    assert (report.format, report.loaded) == (Format.MT4_BARS, 1)
    row = await pool.fetchrow("select symbol, period, at, open, ticks from tradelog.bars")
    assert row is not None
    assert tuple(map(str, row)) == ("XAUUSD", "3600", "2026-03-03 02:00:00+00:00", "3000.1", "271")


async def test_what_is_said_of_a_file_counts_before_what_it_looks_like(pool: Pool, tmp_path: Path) -> None:
    path = file_of(tmp_path, WALL["iso"])
    mapped = {"at": "time"}
    columns = type(LP.columns)(mapped, {"symbol": "XAUUSD", "source": "LP-9"})
    report = await load(pool, path, replace(SHANGHAI, columns=columns))
    assert (report.format, report.loaded) == (Format.CSV, 1)
    assert await the_quote(pool) == THEN


@pytest.mark.parametrize(("said", "option"), [({"period": 60}, "--period"), ({"currency": "USC"}, "--currency")])
async def test_what_concerns_nothing_in_a_file_is_refused(
    pool: Pool, tmp_path: Path, said: dict[str, Any], option: str
) -> None:
    path = file_of(tmp_path, WALL["iso"])
    with pytest.raises(ImportFailed, match=f"{option} does not concern ticks: leave it out"):
        await load(pool, path, replace(SHANGHAI, **said))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
def test_ticks_are_known_in_any_encoding_of_unicode(encoding: str) -> None:
    header, line = WALL["FXCM"]
    assert sniff(f"{header}\r\n{line}\r\n".encode(encoding)) is Format.FXCM_TICKS


@given(st.permutations(["time", "bid", "ask", "volume"]), st.sampled_from(",;\t"))
def test_the_columns_of_ticks_may_stand_in_any_order(names: list[str], delimiter: str) -> None:
    columns = tick_columns(delimiter.join(names))
    assert columns is not None
    assert [names[place] for place in (columns.time, columns.bid, columns.ask)] == ["time", "bid", "ask"]


def test_the_trade_logs_own_quotes_and_other_tables_are_no_ticks() -> None:
    for header in ("symbol,source,at,bid,ask", "time,open,high,low,close", "bid,ask", "time,bid"):
        assert tick_columns(header) is None


async def test_a_comma_that_may_stand_between_thousands_is_no_point(pool: Pool, tmp_path: Path) -> None:
    lines = ["time;bid;ask", "2026-03-03 10:00:00;3,000;3,001", "2026-03-03 10:00:01;3000,1;3000,40"]
    report = await load(pool, write(tmp_path / "q.csv", "\n".join(lines) + "\n"), SHANGHAI)
    assert (report.loaded, report.rejected) == (1, 1)
    assert (await the_quote(pool))[1:] == ("3000.1", "3000.40")


async def test_without_a_heading_every_line_is_held_against_what_the_first_was_taken_for(
    pool: Pool, tmp_path: Path
) -> None:
    """A price and a volume look like two prices where the volume happens to be about the price."""
    lines = ["1772503200250,2900,3000.40", "1772503201250,12,3000.41", "1772503202250,3000.40,3000.70"]
    report = await load(pool, write(tmp_path / "q.csv", "\n".join(lines) + "\n"), LP)
    assert (report.loaded, report.rejected) == (2, 1)
    assert report.rejects_path is not None
    assert "too far apart for two prices" in report.rejects_path.read_text()
    headed = ["time,bid,ask", "1772503203250,12,3000.41"]  # what the file says is taken as it says it
    assert (await load(pool, write(tmp_path / "h.csv", "\n".join(headed) + "\n"), LP)).loaded == 1


@pytest.mark.parametrize(
    ("heading", "time", "clocks"),
    [
        ("Time (EET)", "2026.03.03 04:00:00.250", "EET NY+7"),
        ("time_utc", "2026-03-03 02:00:00.250", "GMT EET"),
        ("Timestamp UTC+8", "2026-03-03 10:00:00.250", "UTC+8 Asia/Shanghai"),
        ("datetime (GMT)", "2026-03-03 02:00:00.250", "UTC+0 UTC+1"),
    ],
)
async def test_a_clock_that_the_heading_names_is_that_of_its_times_and_of_no_others(
    pool: Pool, tmp_path: Path, heading: str, time: str, clocks: str
) -> None:
    fits, other = clocks.split()
    path = file_of(tmp_path, (f"{heading},Ask,Bid,Volume", f"{time},3000.40,3000.10,1"))
    with pytest.raises(ImportFailed, match="its header says that its times are those of"):
        await load(pool, path, replace(LP, clock=ServerClock.named(other)))
    for reading in (LP, replace(LP, clock=ServerClock.named(fits))):
        await load(pool, path, reading)
        assert await the_quote(pool) == THEN


def test_a_heading_that_names_no_clock_known_here_is_none_of_ticks() -> None:
    assert tick_columns("time (broker),bid,ask") is None
    assert tick_columns("timestamp_utc+99,bid,ask") is None
