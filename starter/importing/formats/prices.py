"""Prices as platforms and data vendors export them: bars and ticks, one line of text each.

MT5 writes ``<DATE>`` and ``<TIME>`` in the server's clock; Dukascopy GMT, or local time with its offset; HistData
Eastern Standard Time all year (its own specification: "EST without daylight saving adjustments").
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from starter.importing.formats.cells import Cells
from starter.importing.formats.kinds import Kind
from starter.importing.formats.server_clock import ServerClock
from starter.importing.formats.source import Options, SourceRow, Unreadable, WallTimes, number, record
from starter.importing.formats.trade_log_csv import BadRow

EST = ServerClock.named("UTC-5")
GMT = ServerClock.named("UTC")

Lines = Iterable[tuple[int, str]]
"""Lines of the file with their numbers, without line ends; the heading is the first of them where there is one."""

_PRICE = re.compile(r"\d{1,10}(?:\.\d{1,20})?").fullmatch
_PLACES = 8  # what the trade log keeps; vendors print floats, whose noise lies beyond it

PERIODS = {
    **{f"M{minutes}": minutes * 60 for minutes in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)},
    **{f"H{hours}": hours * 3_600 for hours in (1, 2, 3, 4, 6, 8, 12)},
    "D1": 86_400,
    "W1": 604_800,
    "MN1": 2_678_400,
}


class QuoteMaker:
    """Turns ticks into quotes.

    Ticks bear milliseconds, and several may share one. Each that says something new after another of the same instant
    is put a microsecond later than the one before: their order is kept, and so is the time they state. A tick that
    repeats the one before it in everything is the same quote, a duplicate.
    """

    def __init__(self, symbol: str, source: str) -> None:
        self._symbol = symbol
        self._source = source
        self._stated = ""
        self._given = ("", "", "")
        self._same = 0

    def quote(self, at: str, bid: str, ask: str) -> tuple[tuple[Kind, Cells], ...]:
        """The quote of a tick. Raises :class:`BadRow`."""
        (bid, lower), (ask, upper) = _price(bid, "bid"), _price(ask, "ask")
        if lower > upper:
            raise BadRow(None, "bid is above ask")
        if at != self._stated:
            self._stated, self._same = at, 0
        elif (bid, ask) != self._given[1:]:
            self._same += 1
            if self._same > 999:
                raise BadRow("time", "is shared by more than a thousand ticks")
        self._given = (at, bid, ask)
        if self._same:
            at = _later(at, self._same)
        return ((Kind.QUOTES, (self._symbol, self._source, at, bid, ask)),)


@lru_cache(maxsize=1 << 15)
def _price(text: str, name: str) -> tuple[str, Decimal]:
    """The price as the trade log has it, and its value. A file has the same few thousands again and again."""
    if _PRICE(text) is None:
        raise BadRow(name, f"{text[:40]!r} is no price such as 1935.25")
    point = text.find(".")
    if point >= 0 and len(text) - point - 1 > _PLACES:
        text = format(Decimal(text).quantize(Decimal(1).scaleb(-_PLACES)), "f")
    if not (value := Decimal(text)):
        raise BadRow(name, "must be above 0")
    return text, value


def _later(at: str, microseconds: int) -> str:
    stated = datetime.fromisoformat(at.replace("Z", "+00:00"))
    return (stated + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds").replace("+00:00", "Z")


# --- MT5 --------------------------------------------------------------------------------------------------------------

_MT5_TICK = re.compile(
    r"(\d{4})\.(\d\d)\.(\d\d)\t(\d\d):([0-5]\d:[0-5]\d(?:\.\d{1,6})?)\t([\d.]*)\t([\d.]*)(?:\t[^\t]*)*"
).fullmatch
_MT5_DAY = re.compile(r"(\d{4})\.(\d\d)\.(\d\d)").fullmatch
_MT5_TIME = re.compile(r"(\d\d):([0-5]\d(?::[0-5]\d)?)").fullmatch


def mt5_ticks(lines: Lines, options: Options, times: WallTimes) -> Iterator[SourceRow]:
    """``<DATE> <TIME> <BID> <ASK> …``: an empty bid or ask means that it has not changed.

    Until both are known there is no quote: such a row is skipped. So is one with neither, which tells of a trade.
    """
    make = QuoteMaker(options.the_instrument().symbol, options.the_source())
    rows = iter(lines)
    next(rows, None)
    bid = ask = ""
    for line, text in rows:
        shape = _MT5_TICK(text)
        if shape is None:
            yield SourceRow(line, text, reason="is no tick: <DATE> <TIME> <BID> <ASK> … between tabs")
            continue
        year, month, day, hour, rest, new_bid, new_ask = shape.groups()
        if not new_bid and not new_ask:
            yield SourceRow(line, text, skipped="tick without bid and ask")
            continue
        try:
            at = times.utc(f"{year}-{month}-{day} {hour}", rest)
            if new_bid:
                _price(new_bid, "bid")
            if new_ask:
                _price(new_ask, "ask")
            bid, ask = new_bid or bid, new_ask or ask
            if bid and ask:
                yield SourceRow(line, text, make.quote(at, bid, ask))
            else:
                yield SourceRow(line, text, skipped="tick before both sides were known")
        except BadRow as bad:
            yield SourceRow(line, text, reason=str(bad))


def mt5_bars(lines: Lines, options: Options, times: WallTimes) -> Iterator[SourceRow]:
    """``<DATE> <TIME> <OPEN> <HIGH> <LOW> <CLOSE> …``; bars of a day and longer have no ``<TIME>``."""
    rows = iter(lines)
    _, header = next(rows, (0, ""))
    names = [name.strip().strip("<>").upper() for name in header.split("\t")]
    known = {"symbol": options.the_instrument().symbol, "source": options.the_source(), "period": _period(options)}
    for line, text in rows:
        cells = text.split("\t")
        if len(cells) != len(names):
            yield SourceRow(line, text, reason=f"has {len(cells)} values where the header has {len(names)}")
            continue
        row = dict(zip(names, cells, strict=True))
        try:
            day, time = _MT5_DAY(row["DATE"]), _MT5_TIME(row.get("TIME", "00:00:00"))
            if day is None or time is None:
                raise BadRow("time", f"{row['DATE']} {row.get('TIME', '')} is no time such as 2026.02.16 02:07:00")
            rest = time[2] if ":" in time[2] else f"{time[2]}:00"
            at = times.utc(f"{day[1]}-{day[2]}-{day[3]} {time[1]}", rest)
            yield SourceRow(line, text, (_bar(at, [row[name] for name in _OHLC], known, row),))
        except BadRow as bad:
            yield SourceRow(line, text, reason=str(bad))


_OHLC = ("OPEN", "HIGH", "LOW", "CLOSE")


def _bar(at: str, prices: Sequence[str], known: dict[str, object], row: dict[str, str]) -> tuple[Kind, Cells]:
    quick = _quick_bar(at, prices, row.get("SPREAD") or None, row.get("TICKVOL") or None)
    if quick:
        return Kind.BARS, (str(known["symbol"]), str(known["source"]), str(known["period"]), *quick)
    open_, high, low, close = (number(price, name.lower()) for price, name in zip(prices, _OHLC, strict=True))
    more = {field: int(number(row[name], field)) for field, name in _MORE if row.get(name)}
    return record(Kind.BARS, at=at, open=open_, high=high, low=low, close=close, **known, **more)


_PLAIN_PRICE = re.compile(r"\d{1,10}(?:\.\d{1,8})?").fullmatch
_PLAIN_COUNT = re.compile(r"\d{1,9}").fullmatch


def _quick_bar(at: str, prices: Sequence[str], *counts: str | None) -> Cells | None:
    """A bar in plain form as it stands, or ``None`` to let the model judge, which takes five times as long.

    It may say yes only where :class:`domain.log.trade_log.Bar` would: a property test holds the two together.
    """
    if not all(map(_PLAIN_PRICE, prices)) or not all(count is None or _PLAIN_COUNT(count) for count in counts):
        return None
    values = [Decimal(price) for price in prices]
    open_, high, low, close = values
    if not 0 < low <= min(open_, close) <= max(open_, close) <= high:
        return None
    return (at, *prices, *counts)


_MORE = (("spread", "SPREAD"), ("ticks", "TICKVOL"))


def _period(options: Options) -> int:
    if options.period is None:
        raise Unreadable("neither its name nor its times tell how long a bar is: say --period M1")
    return options.period


def period_of(name: str, lines: Sequence[str]) -> int | None:
    """How many seconds a bar of a file with this *name* and these first *lines* lasts; ``None`` if nothing tells.

    Terminals name the file ``XAUUSD_M1_…``. Otherwise it is the shortest distance between two bars, if that is a
    period of the platform.
    """
    if shape := re.search(r"(?:^|_)(M\d+|H\d+|D1|W1|MN1|Daily|Weekly|Monthly)(?:_|\.|$)", name):
        long = {"Daily": "D1", "Weekly": "W1", "Monthly": "MN1"}
        return PERIODS.get(long.get(shape[1], shape[1]))
    seen: list[datetime] = []
    for line in lines:
        day, time, *_ = [*re.split(r"[\t,]", line, maxsplit=2), ""]
        try:
            time = time if time.count(":") == 2 else f"{time}:00"
            seen.append(datetime.strptime(f"{day} {time}"[:19], "%Y.%m.%d %H:%M:%S").replace(tzinfo=UTC))
        except ValueError:
            continue
    distances = [(later - earlier).total_seconds() for earlier, later in pairwise(seen)]
    shortest = min((int(distance) for distance in distances if distance > 0), default=0)
    return shortest if shortest in PERIODS.values() else None


def symbol_of(name: str) -> str:
    """The symbol a terminal or vendor puts at the beginning of a file's *name* (HistData: after ``DAT_ASCII_``)."""
    return re.split(r"[_\s]", re.sub(r"^DAT_(?:ASCII|MT|NT|XLSX)_", "", name.rsplit(".", 1)[0]))[0]


# --- MT4 --------------------------------------------------------------------------------------------------------------

MT4_BAR = re.compile(
    r"(\d{4})\.(\d\d)\.(\d\d),(\d\d):([0-5]\d(?::[0-5]\d)?),([\d.]+),([\d.]+),([\d.]+),([\d.]+)(?:,(\d+))?"
).fullmatch
_MT4_NAME = re.compile(r"(.+?)(10080|43200|1440|240|60|30|15|5|1)").fullmatch


def mt4_bars(lines: Lines, options: Options, times: WallTimes) -> Iterator[SourceRow]:
    """``2026.02.16,02:07,open,high,low,close,volume``: the export of the history centre, without a heading."""
    known = {"symbol": options.the_instrument().symbol, "source": options.the_source(), "period": _period(options)}
    for line, text in lines:
        shape = MT4_BAR(text)
        if shape is None:
            yield SourceRow(line, text, reason="is no bar: 2026.02.16,02:07,open,high,low,close,volume")
            continue
        year, month, day, hour, rest, *prices, volume = shape.groups()
        try:
            at = times.utc(f"{year}-{month}-{day} {hour}", rest if ":" in rest else f"{rest}:00")
            yield SourceRow(line, text, (_bar(at, prices, known, {"TICKVOL": volume} if volume else {}),))
        except BadRow as bad:
            yield SourceRow(line, text, reason=str(bad))


def mt4_name(name: str) -> tuple[str, int | None]:
    """The symbol and period that the history centre puts into a file's *name*: ``XAUUSD60.csv`` has bars of an hour."""
    symbol = symbol_of(name)
    shape = _MT4_NAME(symbol)
    return (shape[1], int(shape[2]) * 60) if shape else (symbol, None)


# --- Dukascopy --------------------------------------------------------------------------------------------------------

_DUKASCOPY_TIME = re.compile(
    r"(?:(\d\d)\.(\d\d)\.(\d{4})|(\d{4})[-.](\d\d)[-.](\d\d))[ T](\d\d):([0-5]\d:[0-5]\d(?:\.\d{1,6})?)"
    r"(?: ?(?:GMT|UTC)?([+-]\d\d):?(\d\d)|Z)?"
).fullmatch
_EPOCH = re.compile(r"\d{12,13}").fullmatch

_DUKASCOPY_NAMES = {
    **{"gmt time": "time", "local time": "time", "time": "time", "timestamp": "time", "time (utc)": "time"},
    **{"ask": "ask", "askprice": "ask", "bid": "bid", "bidprice": "bid"},
}


def dukascopy_ticks(lines: Lines, options: Options, times: WallTimes) -> Iterator[SourceRow]:
    """``Gmt time,Ask,Bid,AskVolume,BidVolume``, or the same with ``Local time`` and an offset in each row.

    ``timestamp,askPrice,bidPrice`` with milliseconds since 1970 is understood as well.
    """
    make = QuoteMaker(options.the_instrument().symbol, options.the_source("dukascopy"))
    rows = iter(lines)
    _, header = next(rows, (0, ""))
    names = dukascopy_columns(header)
    local = header.lower().startswith("local")
    width = len(header.split(","))
    for line, text in rows:
        cells = [cell.strip() for cell in text.split(",")]
        try:
            if len(cells) != width:
                raise BadRow(None, f"has {len(cells)} values where the header has {width}")
            at = _dukascopy_time(cells[names["time"]], times, local=local)
            yield SourceRow(line, text, make.quote(at, cells[names["bid"]], cells[names["ask"]]))
        except BadRow as bad:
            yield SourceRow(line, text, reason=str(bad))


def dukascopy_columns(header: str) -> dict[str, int]:
    """Where time, bid and ask stand in a file with this *header*; empty if it is not Dukascopy's."""
    names = [_DUKASCOPY_NAMES.get(name.strip().strip('"').lower(), "") for name in header.split(",")]
    return {name: names.index(name) for name in ("time", "ask", "bid")} if {"time", "ask", "bid"} <= set(names) else {}


def is_dukascopy(header: str) -> bool:
    """Whether *header* is Dukascopy's: it says that its times are in GMT, or local with an offset in each row."""
    names = {name.strip().strip('"').lower() for name in header.split(",")}
    own = names & {"gmt time", "local time", "time (utc)"} or {"timestamp", "askprice", "bidprice"} <= names
    return bool(own and dukascopy_columns(header))


def _dukascopy_time(text: str, times: WallTimes, *, local: bool) -> str:
    if _EPOCH(text):
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text))
        return times.utc(at.strftime("%Y-%m-%d %H"), f"{at:%M:%S}.{at.microsecond // 1000:03}")
    shape = _DUKASCOPY_TIME(text)
    if shape is None:
        raise BadRow("time", f"{text[:40]!r} is no time such as 15.01.2024 10:00:00.123")
    day, month, year, year_2, month_2, day_2, hour, rest, offset, minutes = shape.groups()
    prefix = f"{year or year_2}-{month or month_2}-{day or day_2} {hour}"
    if offset is None and local and not text.endswith("Z"):
        raise BadRow("time", "is in local time without its offset: export the file in GMT")
    if offset is None or (offset[1:], minutes) == ("00", "00"):
        return times.utc(prefix, rest)
    try:
        at = datetime.fromisoformat(f"{prefix}:{rest}{offset}:{minutes}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRow("time", "is not a moment of the calendar and clock") from None
    return times.utc(
        at.strftime("%Y-%m-%d %H"), f"{at:%M:%S}" + (f".{at.microsecond // 1000:03}" if "." in rest else "")
    )


# --- HistData ---------------------------------------------------------------------------------------------------------

HISTDATA_TICK = re.compile(
    r"(\d{4})(\d\d)(\d\d) (\d\d)([0-5]\d)([0-5]\d)(\d{3}),(\d+(?:\.\d+)?),(\d+(?:\.\d+)?)(?:,\d+)?"
).fullmatch
HISTDATA_BAR = re.compile(
    r"(\d{4})(\d\d)(\d\d) (\d\d)([0-5]\d)([0-5]\d);([\d.]+);([\d.]+);([\d.]+);([\d.]+)(?:;\d+)?"
).fullmatch


def histdata_ticks(lines: Lines, options: Options, times: WallTimes) -> Iterator[SourceRow]:
    """``20240102 000000123,bid,ask,volume``: generic ASCII ticks, without a heading."""
    make = QuoteMaker(options.the_instrument().symbol, options.the_source("histdata"))
    for line, text in lines:
        shape = HISTDATA_TICK(text)
        if shape is None:
            yield SourceRow(line, text, reason="is no tick: 20240102 000000123,bid,ask,volume")
            continue
        year, month, day, hour, minute, second, thousandth, bid, ask = shape.groups()
        try:
            at = times.utc(f"{year}-{month}-{day} {hour}", f"{minute}:{second}.{thousandth}")
            yield SourceRow(line, text, make.quote(at, bid, ask))
        except BadRow as bad:
            yield SourceRow(line, text, reason=str(bad))


def histdata_bars(lines: Lines, options: Options, times: WallTimes) -> Iterator[SourceRow]:
    """``20240102 000000;open;high;low;close;volume``: generic ASCII one-minute bars, without a heading."""
    known: dict[str, object] = {
        "symbol": options.the_instrument().symbol,
        "source": options.the_source("histdata"),
        "period": 60,
    }
    for line, text in lines:
        shape = HISTDATA_BAR(text)
        if shape is None:
            yield SourceRow(line, text, reason="is no bar: 20240102 000000;open;high;low;close;volume")
            continue
        year, month, day, hour, minute, second, *prices = shape.groups()
        try:
            at = times.utc(f"{year}-{month}-{day} {hour}", f"{minute}:{second}")
            yield SourceRow(line, text, (_bar(at, prices, known, {}),))
        except BadRow as bad:
            yield SourceRow(line, text, reason=str(bad))
