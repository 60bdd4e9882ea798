"""Ticks whose dates or times could be read in two ways: the file decides, or whoever brings it; nothing is guessed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.log.trade_log import Quote
from starter.importing.formats import Format, sniff
from starter.importing.formats.date_order import Contradiction, DateOrder, order_of, year_first
from starter.importing.formats.kinds import Kind
from starter.importing.formats.server_clock import ServerClock
from starter.importing.formats.ticks import bare_columns
from starter.importing.formats.trade_log_csv import ColumnMap
from starter.importing.loading import ImportFailed
from tests.importing.support import Pool, rows_of, write
from tests.importing.test_importing_formats import load
from tests.importing.test_ticks import LP, SHANGHAI

DAY, MONTH = DateOrder
UTC = replace(LP, clock=ServerClock.named("UTC"))


def ticks(folder: Path, times: Sequence[str], header: str = "Time,Bid,Ask", prices: str = ",3000.1,3000.4") -> Path:
    lines = [header, *(f"{time}{prices}" for time in times)] if header else [f"{time}{prices}" for time in times]
    return write(folder / "q.csv", "".join(f"{line}\n" for line in lines))


async def moments(pool: Pool) -> list[str]:
    return [f"{quote.at:%m-%d %H:%M:%S}" for quote in await rows_of(pool, Kind.QUOTES) if isinstance(quote, Quote)]


HEADERS = pytest.mark.parametrize("header", ["Time,Bid,Ask", "DateTime,Bid,Ask"], ids=["plain", "like FXCM"])


@HEADERS
@pytest.mark.parametrize(
    ("days", "read"),
    [
        (("03/04/2026", "13/04/2026"), ["04-03 10:00:00", "04-13 10:00:00"]),
        (("04/03/2026", "04/13/2026"), ["04-03 10:00:00", "04-13 10:00:00"]),
        (("03/03/2026", "04/04/2026"), ["03-03 10:00:00", "04-04 10:00:00"]),
    ],
    ids=["day first", "month first", "the same"],
)
async def test_a_day_beyond_the_twelfth_decides(
    pool: Pool, tmp_path: Path, header: str, days: tuple[str, ...], read: list[str]
) -> None:
    report = await load(pool, ticks(tmp_path, [f"{day} 10:00:00" for day in days], header), UTC)
    assert (report.loaded, await moments(pool)) == (2, read)


@HEADERS
async def test_a_file_that_does_not_tell_is_refused_until_somebody_says(
    pool: Pool, tmp_path: Path, header: str
) -> None:
    file = ticks(tmp_path, ["03/04/2026 10:00:00", "04/04/2026 10:00:00"], header)
    with pytest.raises(ImportFailed, match="say --dates day-first or --dates month-first"):
        await load(pool, file, UTC)
    assert await rows_of(pool, Kind.QUOTES) == []
    await load(pool, file, replace(UTC, dates=DAY))
    assert await moments(pool) == ["04-03 10:00:00", "04-04 10:00:00"]
    await load(pool, file, replace(UTC, dates=MONTH, source="LP-z"))
    assert (await moments(pool))[2:] == ["03-04 10:00:00", "04-04 10:00:00"]


async def test_fxcms_format_says_that_the_month_is_first(pool: Pool, tmp_path: Path) -> None:
    file = ticks(tmp_path, ["03/04/2026 10:00:00"], "DateTime,Bid,Ask")
    report = await load(pool, file, replace(UTC, format=Format.FXCM_TICKS, source=None))
    assert (report.loaded, await moments(pool)) == (1, ["03-04 10:00:00"])
    assert await pool.fetchval("select source from tradelog.quotes") == "fxcm"


@pytest.mark.parametrize(
    ("times", "dates", "said"),
    [
        (["13/04/2026 10:00:00", "04/13/2026 10:00:00"], None, "in one of its dates the day comes first"),
        (["13/04/2026 10:00:00"], MONTH, "--dates says month-first, and 13/04/2026"),
        (["2026-04-13 10:00:00"], MONTH, "--dates month-first does not concern them"),
    ],
    ids=["both", "otherwise", "no such date"],
)
async def test_what_contradicts_the_dates_is_refused(
    pool: Pool, tmp_path: Path, times: list[str], dates: DateOrder | None, said: str
) -> None:
    with pytest.raises(ImportFailed, match=said):
        await load(pool, ticks(tmp_path, times), replace(UTC, dates=dates))


@pytest.mark.parametrize(
    ("header", "time"),
    [
        ("Time,Bid,Ask", "4/13/2026 1:05:00 PM"),
        ("Time,Bid,Ask", "13.04.2026 1:05:00.000 p.m."),
        ("Time,Bid,Ask", "2026/4/13 下午 1:05:00"),
        ("Time,Bid,Ask", "2026-04-13 01:05:00\u202fPM"),
        ("Time,Bid,Ask", "13-04-2026T13:05:00"),
        ("Date,Time,Bid,Ask", "13/4/2026,1:05:00 PM"),
    ],
)
async def test_a_time_of_twelve_hours_is_before_or_after_noon(
    pool: Pool, tmp_path: Path, header: str, time: str
) -> None:
    report = await load(pool, ticks(tmp_path, [time], header), SHANGHAI)
    assert (report.loaded, await moments(pool)) == (1, ["04-13 05:05:00"])


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)), st.sampled_from("./-"))  # noqa: DTZ001 (a clock's face)
def test_every_way_to_write_a_moment_is_read_as_that_moment(at: datetime, stroke: str) -> None:
    at = at.replace(microsecond=0)
    day = {
        DAY: f"{at.day}{stroke}{at.month:02}{stroke}{at.year}",
        MONTH: f"{at.month}{stroke}{at.day}{stroke}{at.year}",
    }
    for order, date in day.items():
        for time in (f"{at:%I:%M:%S %p}", f"{at:%H:%M:%S}"):
            assert year_first(f"{date} {time}", order) == f"{at:%Y-%m-%d %H:%M:%S}"
        assert year_first(date, None) == date
        if at.day > 12:
            assert order_of([date], None) is order
            with pytest.raises(Contradiction):
                order_of([date], order.other)


@pytest.mark.parametrize("time", ["13:00:00 AM", "24:00:00 PM", "25:00:00"])
async def test_an_hour_that_no_clock_shows_is_a_bad_row(pool: Pool, tmp_path: Path, time: str) -> None:
    report = await load(pool, ticks(tmp_path, [f"2026-04-13 {time}"]), SHANGHAI)
    assert (report.loaded, report.rejected) == (0, 1)


async def test_own_csv_reads_such_dates_as_ticks_do(pool: Pool, tmp_path: Path) -> None:
    columns = ColumnMap({"at": "Time"}, {"symbol": "XAUUSD", "source": "LP-9"})
    file = ticks(tmp_path, ["03/04/2026 1:05:00 PM"])
    with pytest.raises(ImportFailed, match="say --dates day-first or --dates month-first"):
        await load(pool, file, replace(UTC, columns=columns))
    await load(pool, file, replace(UTC, columns=columns, dates=DAY))
    assert await moments(pool) == ["04-03 13:05:00"]
    await load(pool, ticks(tmp_path, ["05/04/2026 10:00:00", "13/04/2026 10:00:00"]), replace(UTC, columns=columns))
    assert (await moments(pool))[1:] == ["04-05 10:00:00", "04-13 10:00:00"]
    mixed = ticks(tmp_path, ["2026-04-14 10:00:00", "03/04/2026 10:00:00"])
    report = await load(pool, mixed, replace(UTC, columns=columns))
    assert report.rejects_path is not None
    assert "--dates says whether its day or its month comes first" in report.rejects_path.read_text()
    with pytest.raises(ImportFailed, match="does not concern them"):
        await load(pool, ticks(tmp_path, ["2026-04-14 10:00:00"]), replace(UTC, columns=columns, dates=DAY))


# --- without a heading ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "1772503200.250,3000.10,3000.40",
        "1772503200250,3000.10,3000.40",
        "1772503200250,3000.40,3000.10",
        "1772503200250;3000,10;3000,40",
        "1772503200250000\t3000.10\t3000.40",
    ],
    ids=["seconds", "milliseconds", "ask first", "comma", "microseconds"],
)
async def test_an_epoch_and_two_prices_need_no_heading(pool: Pool, tmp_path: Path, line: str) -> None:
    report = await load(pool, ticks(tmp_path, [line], "", ""), LP)
    assert (report.format, report.loaded, report.warnings) == (Format.TICKS, 1, ())
    (quote,) = await rows_of(pool, Kind.QUOTES)
    assert isinstance(quote, Quote)
    assert (quote.at.isoformat(), str(quote.bid), str(quote.ask)) == (
        "2026-03-03T02:00:00.250000+00:00",
        "3000.10",
        "3000.40",
    )


@pytest.mark.parametrize(
    "line", ["1772503200,3000.10,5", "1772503200,3000.10,0", "17725032,3000.1,3000.4", "1772503200,1"]
)
def test_an_epoch_and_what_is_no_pair_of_prices_is_not_taken_for_ticks(line: str) -> None:
    assert bare_columns(line) is None
    assert sniff(f"{line}\n".encode()) is Format.CSV


async def test_seconds_since_1970_that_lie_where_nobody_trades_are_told(pool: Pool, tmp_path: Path) -> None:
    friday = int(datetime.fromisoformat("2026-03-06T22:30:00+00:00").timestamp())
    report = await load(pool, ticks(tmp_path, [f"{friday}"], ""), LP)
    (warning,) = report.warnings
    assert warning.startswith("its seconds since 1970 read with the clock UTC, times lie outside the market's hours")
