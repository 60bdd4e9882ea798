"""Bars and ticks of MT5, Dukascopy and HistData: every line becomes a row, a bad one, or one that says nothing."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.log.trade_log import Bar, Instrument
from starter.importing.formats import Format, prices, sniff
from starter.importing.formats.cells import to_cells
from starter.importing.formats.kinds import Kind
from starter.importing.formats.prices import EST, GMT, QuoteMaker
from starter.importing.formats.server_clock import ServerClock
from starter.importing.formats.source import Options, SourceRow, Unreadable, WallTimes
from starter.importing.formats.trade_log_csv import BadRow

GOLD = Instrument(symbol="XAUUSD", contract_size=Decimal(100), currency="USD", digits=2)
OPTIONS = Options(source="broker", symbol="XAUUSD", period=60, instruments={"XAUUSD": GOLD})
NY7 = ServerClock.named("NY+7")

Reader = Callable[[Iterable[tuple[int, str]], Options, WallTimes], Iterator[SourceRow]]


def read(reader: Reader, text: str, clock: ServerClock = NY7, options: Options = OPTIONS) -> list[SourceRow]:
    lines = enumerate(text.splitlines(), start=1)
    return list(reader(lines, options, WallTimes(clock, ordered=True)))


def quotes(rows: Iterable[SourceRow]) -> list[tuple[str | None, ...]]:
    """At, bid and ask."""
    return [cells[2:] for row in rows for kind, cells in row.records if kind is Kind.QUOTES]


def reasons(rows: Iterable[SourceRow]) -> list[tuple[int, str | None]]:
    return [(row.line, row.reason) for row in rows if row.reason]


# --- MT5 --------------------------------------------------------------------------------------------------------------

TICKS = "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\n"
BARS = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"


def test_an_empty_side_of_an_mt5_tick_has_not_changed() -> None:
    rows = read(
        prices.mt5_ticks,
        TICKS
        + "2026.02.16\t02:07:00.100\t5010.50\t5010.69\t\t\t6\n"
        + "2026.02.16\t02:07:00.350\t5010.55\t\t\t\t2\n"
        + "2026.02.16\t02:07:01.000\t\t5010.80\t\t\t4\n",
    )
    assert quotes(rows) == [
        ("2026-02-16T00:07:00.100Z", "5010.50", "5010.69"),
        ("2026-02-16T00:07:00.350Z", "5010.55", "5010.69"),
        ("2026-02-16T00:07:01.000Z", "5010.55", "5010.80"),
    ]


def test_an_mt5_tick_is_no_quote_before_both_sides_are_known_or_without_either() -> None:
    rows = read(
        prices.mt5_ticks,
        TICKS
        + "2026.02.16\t02:07:00.100\t5010.50\t\t\t\t2\n"
        + "2026.02.16\t02:07:00.200\t\t\t5010.60\t1\t24\n"
        + "2026.02.16\t02:07:00.300\t\t5010.69\t\t\t4\n",
    )
    assert [row.skipped for row in rows] == ["tick before both sides were known", "tick without bid and ask", None]
    assert quotes(rows) == [("2026-02-16T00:07:00.300Z", "5010.50", "5010.69")]


def test_ticks_of_one_millisecond_keep_their_order_and_repeated_ones_are_the_same_quote() -> None:
    line = "2026.02.16\t02:07:00.100\t{}\t5010.69\t\t\t6\n"
    rows = read(prices.mt5_ticks, TICKS + "".join(map(line.format, ["5010.50", "5010.55", "5010.55", "5010.50"])))
    assert [at for at, *_ in quotes(rows)] == [
        "2026-02-16T00:07:00.100Z",
        "2026-02-16T00:07:00.100001Z",
        "2026-02-16T00:07:00.100001Z",
        "2026-02-16T00:07:00.100002Z",
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2026.02.16\t02:07:00\t5010.50\t5010.40\t\t\t6", "bid is above ask"),
        ("2026.02.16\t02:07:00\t0\t5010.40\t\t\t6", "bid: must be above 0"),
        ("2026.02.16\t02:07:00\t1.2.3\t5010.40\t\t\t6", "bid: '1.2.3' is no price"),
        ("2026.02.16\t02:07:00\t5 010.50\t5010.60\t\t\t6", "is no tick"),
        ("2026.02.16 02:07:00,5010.50,5010.60", "is no tick"),
        ("2026.02.30\t02:07:00\t5010.50\t5010.60\t\t\t6", "time: is not a moment of the calendar"),
        ("2026.03.08\t09:07:00\t5010.50\t5010.60\t\t\t6", "time: the clock NY+7 skipped"),
    ],
)
def test_a_bad_tick_is_refused_with_its_line_and_changes_nothing(line: str, said: str) -> None:
    good = "2026.02.16\t02:06:00\t5010.50\t5010.69\t\t\t6\n"
    rows = read(prices.mt5_ticks, TICKS + good + line + "\n2026.02.17\t02:08:00\t\t5010.80\t\t\t4\n")
    assert [number for number, _ in reasons(rows)] == [3]
    assert said in (rows[1].reason or "")
    assert rows[1].text == line
    assert quotes(rows)[-1] == ("2026-02-17T00:08:00Z", "5010.50", "5010.80")


def test_mt5_bars_stay_bars_with_spread_and_ticks() -> None:
    rows = read(prices.mt5_bars, BARS + "2026.02.16\t02:07:00\t5010.50\t5014.78\t5010.50\t5014.77\t271\t0\t19\n")
    assert rows[0].records == (
        (
            Kind.BARS,
            (
                *("XAUUSD", "broker", "60", "2026-02-16T00:07:00Z"),
                *("5010.50", "5014.78", "5010.50", "5014.77", "19", "271"),
            ),
        ),
    )


def test_bars_of_a_day_have_no_time() -> None:
    text = "<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\n2026.02.16\t5010.5\t5014\t5010\t5012\n"
    assert read(prices.mt5_bars, text)[0].records[0][1][3] == "2026-02-15T22:00:00Z"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2026.02.16\t02:07:00\t5010.50\t5010.40\t5010.50\t5014.77\t271\t0\t19", "its high is not its highest price"),
        ("2026.02.16\t02:07:00\t5010.50\t5014.78\t0\t5014.77\t271\t0\t19", "low: must be above 0"),
        ("2026.02.16\t02:07:00\t5010.50\t5014.78", "has 4 values where the header has 9"),
        ("2026.02.16\tnoon\t5010.50\t5014.78\t5010.50\t5014.77\t271\t0\t19", "time: 2026.02.16 noon is no time"),
        ("2026.02.16\t02:07:00\tn/a\t5014.78\t5010.50\t5014.77\t271\t0\t19", "open: 'n/a' is no number"),
    ],
)
def test_a_bad_bar_is_refused_with_its_line(line: str, said: str) -> None:
    ((number, reason),) = reasons(read(prices.mt5_bars, BARS + line))
    assert number == 2
    assert said in str(reason)


PRICE = st.one_of(
    st.decimals(min_value=0, max_value=3, places=2).map(str),
    st.sampled_from(["0", "1", "1.123456789", "12345678901", "", "-1", "1e3", "1.0"]),
)
COUNT = st.one_of(st.none(), st.sampled_from(["0", "271", "-1", "1.5", "9999999999"]))


@given(values=st.tuples(PRICE, PRICE, PRICE, PRICE), spread=COUNT, ticks=COUNT)
def test_the_quick_way_of_reading_a_bar_says_what_the_model_says(
    values: tuple[str, str, str, str], spread: str | None, ticks: str | None
) -> None:
    at = "2026-02-16T00:07:00Z"
    quick = prices._quick_bar(at, values, spread, ticks)
    if quick is not None:
        bar = Bar.model_validate(
            {
                **{"symbol": "XAUUSD", "source": "broker", "period": 60, "at": at, "spread": spread, "ticks": ticks},
                **dict(zip(("open", "high", "low", "close"), values, strict=True)),
            }
        )
        assert to_cells(bar)[3:] == quick


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("XAUUSD_M1_202602160207_202602272359.csv", 60),
        ("XAUUSD_H4_2026.csv", 14_400),
        ("XAUUSD_Daily_2026.csv", 86_400),
        ("gold.csv", 300),
    ],
)
def test_how_long_a_bar_is_stands_in_the_files_name_or_between_its_bars(name: str, seconds: int) -> None:
    lines = [BARS, "2026.02.16\t02:05:00\t1", "2026.02.16\t02:20:00\t1", "2026.02.16\t02:25:00\t1"]
    assert prices.period_of(name, lines) == seconds
    assert prices.period_of("gold.csv", lines[:2]) is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Options(source="broker", period=60), "name the instrument with --symbol"),
        (Options(source="broker", period=60, symbol="XAUUSD"), "add it with --instrument XAUUSD=LOT,CURRENCY,DIGITS"),
        (Options(symbol="XAUUSD", period=60, instruments={"XAUUSD": GOLD}), "name the broker or feed with --source"),
        (Options(symbol="XAUUSD", source="broker", instruments={"XAUUSD": GOLD}), "say --period M1"),
    ],
)
def test_what_a_file_of_bars_does_not_tell_is_asked_for(options: Options, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        read(prices.mt5_bars, BARS, options=options)


def test_the_case_of_a_symbol_counts_only_between_two_known_ones() -> None:
    known = {"XAUUSD": GOLD, "gold": GOLD.model_copy(update={"symbol": "gold"})}
    assert Options(instruments=known).instrument("xauusd").symbol == "XAUUSD"
    assert Options(instruments=known).instrument("gold").symbol == "gold"
    both = {**known, "GOLD": GOLD.model_copy(update={"symbol": "GOLD"})}
    with pytest.raises(BadRow, match="Gold is not a known instrument"):
        Options(instruments=both).instrument("Gold")


# --- Dukascopy and HistData -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Gmt time,Ask,Bid,AskVolume,BidVolume\n15.01.2024 10:00:00.123,2050.3,2050.1,1,1\n",
        "Local time,Ask,Bid,AskVolume,BidVolume\n15.01.2024 13:00:00.123 GMT+0300,2050.3,2050.1,1,1\n",
        "timestamp,askPrice,bidPrice,askVolume,bidVolume\n1705312800123,2050.3,2050.1,1,1\n",
    ],
    ids=["GMT", "local time", "epoch"],
)
def test_ticks_of_dukascopy_are_in_gmt_or_tell_their_offset(text: str) -> None:
    assert sniff(text.encode()) is Format.DUKASCOPY_TICKS
    rows = read(prices.dukascopy_ticks, text, GMT)
    assert quotes(rows) == [("2024-01-15T10:00:00.123Z", "2050.1", "2050.3")]


def test_the_noise_of_a_printed_float_is_cut_off_behind_what_the_log_keeps() -> None:
    header = "Gmt time,Ask,Bid,AskVolume,BidVolume\n"
    rows = read(prices.dukascopy_ticks, header + "01.07.2019 13:30:03.304,203.14900000000003,203.107,1,1\n", GMT)
    assert quotes(rows) == [("2019-07-01T13:30:03.304Z", "203.107", "203.14900000")]


def test_local_time_without_its_offset_is_refused() -> None:
    rows = read(
        prices.dukascopy_ticks, "Local time,Ask,Bid,AskVolume,BidVolume\n15.01.2024 10:00:00.123,2,1,1,1\n", GMT
    )
    assert reasons(rows) == [(2, "time: is in local time without its offset: export the file in GMT")]


def test_histdata_is_in_eastern_standard_time_in_summer_too() -> None:
    ticks = "20240702 000000123,2331.10,2331.45,0\n"
    bars = "20240702 000000;2331.10;2331.45;2331.00;2331.20;0\n"
    assert (sniff(ticks.encode()), sniff(bars.encode())) == (Format.HISTDATA_TICKS, Format.HISTDATA_BARS)
    assert quotes(read(prices.histdata_ticks, ticks, EST)) == [("2024-07-02T05:00:00.123Z", "2331.10", "2331.45")]
    ((_, cells),) = read(prices.histdata_bars, bars, EST)[0].records
    assert cells[:8] == ("XAUUSD", "broker", "60", "2024-07-02T05:00:00Z", "2331.10", "2331.45", "2331.00", "2331.20")


def test_vendors_are_the_source_of_their_prices_unless_another_is_named() -> None:
    ticks = "20240702 000000123,2331.10,2331.45,0\n"
    for named, source in ((None, "histdata"), ("lp-1", "lp-1")):
        options = Options(source=named, symbol="XAUUSD", instruments={"XAUUSD": GOLD})
        ((_, cells),) = read(prices.histdata_ticks, ticks, EST, options)[0].records
        assert cells[1] == source


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        (prices.histdata_ticks, "20240702 000000123,2331.10\n20240702,1,2\n20240702 000000123,2331.10,2331.00,0\n"),
        (prices.histdata_bars, "20240702 000000;1;2\n\t\n20240702 000000;3;2;1;1;0\n"),
        (prices.dukascopy_ticks, "Gmt time,Ask,Bid\nnoon,2,1\n15.01.2024 10:00:00,1\n15.01.2024 10:00:00,1,2\n"),
    ],
)
def test_bad_lines_of_vendors_are_refused_one_by_one(reader: Reader, text: str) -> None:
    rows = read(reader, text, GMT)
    assert len(reasons(rows)) == len(rows) == 3


# --- all --------------------------------------------------------------------------------------------------------------

HEADINGS: dict[Reader, str] = {
    prices.mt5_ticks: TICKS,
    prices.mt5_bars: BARS,
    prices.dukascopy_ticks: "Gmt time,Ask,Bid,AskVolume,BidVolume\n",
    prices.histdata_ticks: "",
    prices.histdata_bars: "",
}


@given(
    reader=st.sampled_from(list(HEADINGS)),
    lines=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"))
    ),
)
def test_whatever_stands_in_a_line_it_is_one_row_of_one_kind(reader: Reader, lines: list[str]) -> None:
    rows = list(
        reader(enumerate([*HEADINGS[reader].splitlines(), *lines], start=1), OPTIONS, WallTimes(NY7, ordered=True))
    )
    assert [row.text for row in rows] == lines
    assert all([bool(row.records), row.reason is not None, row.skipped is not None].count(True) == 1 for row in rows)


@given(
    ticks=st.lists(
        st.tuples(st.integers(0, 3), st.integers(1, 3), st.integers(0, 3)), min_size=1, max_size=40
    )  # milliseconds on, bid, spread
)
def test_quotes_follow_each_other_as_the_ticks_did_and_two_of_one_instant_are_the_same(
    ticks: list[tuple[int, int, int]],
) -> None:
    make = QuoteMaker("XAUUSD", "broker")
    milliseconds, made = 0, []
    for on, bid, spread in ticks:
        milliseconds += on
        at = f"2026-02-16T00:07:00.{milliseconds:03}Z"
        made.append(make.quote(at, str(bid), str(bid + spread))[0][1])
        stated, kept = (datetime.fromisoformat(str(each)).astimezone(UTC) for each in (at, made[-1][2]))
        assert 0 <= (kept - stated).total_seconds() < 0.001
    instants = [datetime.fromisoformat(str(cells[2])) for cells in made]
    assert instants == sorted(instants)
    assert len({cells[2] for cells in made}) == len(set(made))


def test_what_is_none_of_the_formats_is_our_own_csv() -> None:
    assert sniff(b"symbol,source,at,bid,ask\n") is Format.CSV
    assert sniff(b"") is Format.CSV
    assert sniff("\ufeff<DATE>\t<TIME>\t<BID>\t<ASK>\n".encode()) is Format.MT5_TICKS
    assert sniff(BARS.encode()) is Format.MT5_BARS
    assert sniff(b"PK\x03\x04...") is Format.MT5_REPORT
    assert sniff(b'\n<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN">') is Format.MT4_STATEMENT
