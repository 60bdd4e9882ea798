"""Ticks as bridges, liquidity providers and vendors write them: a line with time, bid and ask each.

Their times say in different ways when something was: with an offset, in seconds or milliseconds since 1970, or as a
wall clock shows it. That last is no instant until somebody says which clock it was: nothing is guessed. MetaTrader
counts its seconds since 1970 on the server's clock, so a clock that is named counts for those too.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import Final, NamedTuple

from domain.log.trade_log import Instrument
from starter.importing.formats.date_order import Contradiction, DateOrder, order_of, unclear, year_first
from starter.importing.formats.prices import Lines, QuoteMaker
from starter.importing.formats.server_clock import BadClock, ServerClock
from starter.importing.formats.source import Options, SourceRow, Unreadable, WallTimes
from starter.importing.formats.trade_log_csv import BadRow

_NAMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("time", "timestamp", "datetime", "date time", "date/time", "date_time", "tick time", "ts"), "time"
    ),
    **dict.fromkeys(("time_msc", "timestamp_ms", "time (ms)", "epoch", "unix", "unixtime", "epoch_ms"), "time"),
    **dict.fromkeys(("date", "day"), "date"),
    **dict.fromkeys(("bid", "bidprice", "bid_price", "bid price"), "bid"),
    **dict.fromkeys(("ask", "askprice", "ask_price", "ask price", "offer"), "ask"),
    **dict.fromkeys(("symbol", "instrument", "pair", "ticker", "currency pair", "item"), "symbol"),
}
_OWN_CLOCK: Final = re.compile(
    r"(?:time|timestamp|datetime|date[ _]time)[ _]*\(?((?:utc|gmt)(?:[+-]\d{1,2}(?::?[0-5]\d)?)?|[ecw]et)\)?"
).fullmatch
_OURS: Final = frozenset({"at", "source"})
"""Columns of the trade log's own CSV, which is no file of a vendor."""

_WALL = re.compile(
    r"(\d{4})([-./]?)(\d\d)\2(\d\d)[ T](\d\d):?([0-5]\d):?([0-5]\d)(?:[.,:](\d{1,9}))? ?(Z|UTC|GMT|[+-]\d\d:?\d\d)?"
).fullmatch
_GROUP: Final = 3
_GROUPED = re.compile(r"[1-9]\d{0,2},\d{3}").fullmatch
_EPOCH = re.compile(r"(\d{10})(?:\.(\d{1,9}))?|(\d{13}|\d{16}|\d{19})(?:\.0+)?").fullmatch
_BARE = re.compile(
    r"(?:\d{10}(?:\.\d{1,9})?|\d{13}|\d{16}|\d{19})([,;\t])(\d{1,10}(?:[.,]\d{1,20})?)\1(\d{1,10}(?:[.,]\d{1,20})?)"
).fullmatch
_WIDEST: Final = Decimal("1.1")
"""How many times the bid an ask may be: what is further from it is something else, such as a volume."""
_1970: Final = datetime(1970, 1, 1)  # noqa: DTZ001 (a wall clock's, or UTC's)

_FXCM = re.compile(r"\d\d/\d\d/\d{4} \d\d:[0-5]\d:[0-5]\d(?:\.\d{1,9})?").fullmatch
_METATRADER: Final = frozenset({"time_msc", "flags", "volume_real"})
"""Columns that only MetaTrader's ticks have."""
TRUEFX: Final = re.compile(r"[A-Z]{3}/[A-Z]{3},\d{8} \d\d:[0-5]\d:[0-5]\d\.\d{3},\d+(?:\.\d+)?,\d+(?:\.\d+)?").fullmatch
WITHOUT_CLOCK: Final = "is that of a wall clock, and the file does not say which: name it with --server-clock"


class Columns(NamedTuple):
    """Where the cells of a tick stand in a line; ``date`` and ``symbol`` where they are cells of their own."""

    delimiter: str
    width: int
    time: int
    bid: int
    ask: int
    date: int | None = None
    symbol: int | None = None
    named: bool = True
    """Whether the file says which they are, and not its first line alone by what it is like."""


def tick_columns(header: str) -> Columns | None:
    """The columns of a file with this *header*, ``None`` if it is not one of ticks."""
    delimiter = max(",;\t", key=header.count)
    names = [_name(name) for name in header.split(delimiter)]
    meant = [_NAMES.get(name) or ("time" if _with_clock(name) else "") for name in names]
    if _OURS & set(names) or meant.count("bid") != 1 or meant.count("ask") != 1 or not {"time", "date"} & set(meant):
        return None
    time = names.index("time_msc") if "time_msc" in names else meant.index("time") if "time" in meant else None
    date = meant.index("date") if "date" in meant else None
    symbol = meant.index("symbol") if "symbol" in meant else None
    if time is None:
        time, date = date, None
    if time is None:
        return None
    return Columns(delimiter, len(names), time, meant.index("bid"), meant.index("ask"), date, symbol)


def clock_of(header: str) -> ServerClock | None:
    """The clock that the heading of the times names, such as ``Time (EET)`` or ``timestamp_utc``."""
    delimiter = max(",;\t", key=header.count)
    return next((clock for name in header.split(delimiter) if (clock := _with_clock(_name(name)))), None)


def _with_clock(name: str) -> ServerClock | None:
    if (shape := _OWN_CLOCK(name)) is None:
        return None
    try:
        return ServerClock.named(shape[1].upper())
    except BadClock:
        return None


def _name(heading: str) -> str:
    return heading.strip().strip('"<>').lower()


def _names(header: str, delimiter: str) -> set[str]:
    return {_name(heading) for heading in header.split(delimiter)}


def bare_columns(first: str) -> Columns | None:
    """The columns of ticks without a heading, ``epoch,bid,ask``, whose *first* line this is; ``None`` if it is not.

    The lower of the two prices is the bid.
    """
    if (shape := _BARE(first.strip())) is None or (shape[1] == "," and first.count(",") != 2):
        return None
    one, other = (Decimal(price.replace(",", ".")) for price in shape.groups()[1:])
    if not _alike(one, other):
        return None
    return Columns(shape[1], 3, 0, *((1, 2) if one <= other else (2, 1)), named=False)


def _alike(one: Decimal, other: Decimal) -> bool:
    """Whether both may be prices of one instrument at one instant."""
    return 0 < max(one, other) <= min(one, other) * _WIDEST


def is_fxcm(lines: Sequence[str]) -> bool:
    """Whether a file that begins with *lines* may be FXCM's, whose days come after their months."""
    if len(lines) < 2 or [name.strip().lower() for name in lines[0].split(",")] != ["datetime", "bid", "ask"]:
        return False
    return bool(_FXCM(lines[1].split(",")[0].strip()))


def date_order(lines: Lines, stated: DateOrder | None) -> DateOrder | None:
    """How the dates in a file of ticks are written, ``None`` if their year comes first. Raises :class:`Unreadable`."""
    rows = iter(lines)
    _, header = next(rows, (0, ""))
    if (columns := tick_columns(header)) is None:
        return stated
    place = columns.time if columns.date is None else columns.date
    cells = (text.split(columns.delimiter) for _, text in rows)
    try:
        return order_of((row[place].strip().strip('"') for row in cells if place < len(row)), stated)
    except Contradiction as error:
        raise Unreadable(str(error)) from None


def plain_ticks(lines: Lines, options: Options, times: WallTimes, source: str | None = None) -> Iterator[SourceRow]:
    """A header that names time, bid and ask, in any order and beside others; a symbol, if each line has its own.

    Or none, and ``epoch,bid,ask``.
    """
    rows = iter(lines)
    first = next(rows, (0, ""))
    if columns := bare_columns(first[1]):
        rows = chain([first], rows)
    elif (columns := tick_columns(first[1])) is None:
        raise Unreadable("its first line does not name a time, a bid and an ask")
    of_server = bool(_METATRADER & _names(first[1], columns.delimiter))
    return _ticks(rows, columns, options, times, source=options.the_source(source), of_server=of_server)


def fxcm_ticks(lines: Lines, options: Options, times: WallTimes) -> Iterator[SourceRow]:
    """``DateTime,Bid,Ask``: ``01/30/2015 22:00:00.001``, month first."""
    return plain_ticks(lines, options, times, source="fxcm")


def truefx_ticks(lines: Lines, options: Options, times: WallTimes) -> Iterator[SourceRow]:
    """``EUR/USD,20090501 00:00:00.263,1.32287,1.3229``, without a heading."""
    columns = Columns(",", 4, 1, 2, 3, symbol=0)
    return _ticks(iter(lines), columns, options, times, source=options.the_source("truefx"))


def _ticks(
    rows: Iterator[tuple[int, str]],
    columns: Columns,
    options: Options,
    times: WallTimes,
    *,
    source: str,
    of_server: bool = False,
) -> Iterator[SourceRow]:
    makers: dict[str, QuoteMaker] = {}
    digits: dict[str, int] = {}
    if columns.symbol is None:
        only = options.the_instrument()
        makers[""], digits[""] = QuoteMaker(only.symbol, source), only.digits
    for line, text in rows:
        cells = [cell.strip().strip('"') for cell in text.split(columns.delimiter)]
        try:
            if len(cells) != columns.width:
                raise BadRow(None, f"has {len(cells)} values where the header has {columns.width}")
            symbol = "" if columns.symbol is None else cells[columns.symbol]
            if (make := makers.get(symbol)) is None:
                found = _instrument(symbol, options)
                make = makers[symbol] = QuoteMaker(found.symbol, source)
                digits[symbol] = found.digits
            time = cells[columns.time] if columns.date is None else f"{cells[columns.date]} {cells[columns.time]}"
            bid, ask = cells[columns.bid], cells[columns.ask]
            if not bid or not ask:
                yield SourceRow(line, text, skipped="tick with one side only")
                continue
            if columns.delimiter != ",":
                bid, ask = (_with_point(price, digits[symbol]) for price in (bid, ask))
            if not columns.named and not _priced(bid, ask):
                raise BadRow("bid, ask", "are too far apart for two prices, and no heading says what they are")
            at = _instant(time, times, options.dates, of_server=of_server)
            yield SourceRow(line, text, make.quote(at, bid, ask))
        except BadRow as bad:
            yield SourceRow(line, text, reason=str(bad))


def _priced(bid: str, ask: str) -> bool:
    """Whether *bid* and *ask* may be two prices; what is no number is told of elsewhere."""
    try:
        return _alike(Decimal(bid), Decimal(ask))
    except InvalidOperation:
        return True


def _with_point(price: str, digits: int) -> str:
    """*price* with a point for its comma, unless that may stand between thousands. Raises :class:`BadRow`."""
    if _GROUPED(price) and digits != _GROUP:
        raise BadRow("bid, ask", f"{price!r} could be two numbers: write {price.replace(',', '')} or {price}0")
    return price.replace(",", ".")


def _instrument(written: str, options: Options) -> Instrument:
    """The instrument of a line: as written, or without its stroke. Raises :class:`BadRow`."""
    try:
        found = options.instrument(written)
    except BadRow:
        found = options.instrument(written.replace("/", ""))
    if options.symbol is not None and options.instrument(options.symbol) != found:
        raise BadRow("symbol", f"is {found.symbol}, and --symbol says {options.symbol}")
    return found


def _instant(text: str, times: WallTimes, dates: DateOrder | None, *, of_server: bool) -> str:
    """The instant of a time, in ISO 8601. Raises :class:`BadRow`.

    Seconds since 1970 are those of the server's clock where they are *of_server*, as MetaTrader's are.
    """
    if shape := _WALL(text) or _WALL(year_first(text, dates)):
        year, _, month, day, hour, minute, second, fraction, zone = shape.groups()
        rest = f"{minute}:{second}" + (f".{fraction[:6]}" if fraction else "")
        if zone is None:
            return times.utc(f"{year}-{month}-{day} {hour}", rest)
        offset = "+00:00" if zone in ("Z", "UTC", "GMT") else zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
        try:
            at = datetime.fromisoformat(f"{year}-{month}-{day}T{hour}:{minute}:{second}{offset}").astimezone(UTC)
        except (ValueError, OverflowError):
            raise BadRow("time", "is not a moment of the calendar and clock") from None
        return f"{at:%Y-%m-%dT%H:%M:%S}" + (f".{fraction[:6]}" if fraction else "") + "Z"
    if shape := _EPOCH(text):
        return _epoch(shape, times, of_server=of_server)
    raise BadRow("time", f"{text[:40]!r} is no time such as 2026-03-03 10:00:00.250{unclear(text)}")


def _epoch(shape: re.Match[str], times: WallTimes, *, of_server: bool) -> str:
    """Seconds, milli-, micro- or nanoseconds since 1970: of UTC, unless they were counted on a clock that is named."""
    seconds, fraction, long = shape.groups()
    if long:
        seconds, fraction = long[:10], long[10:]
    at = _1970 + timedelta(seconds=int(seconds))
    rest = f"{at:%M:%S}" + (f".{fraction[:6]}" if fraction else "")
    if times.stated or of_server:
        return times.utc(f"{at:%Y-%m-%d %H}", rest)
    times.since_1970[f"{at:%Y-%m-%d %H}"] += 1
    return f"{at:%Y-%m-%dT%H}:{rest}Z"
