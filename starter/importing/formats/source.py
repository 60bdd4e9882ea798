"""What every reader shares: its options, the rows it hands on, and how it reads numbers and times."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from math import isfinite
from typing import NamedTuple

from domain.log.trade_log import Instrument
from starter.importing.formats.cells import Cells
from starter.importing.formats.date_order import DateOrder
from starter.importing.formats.kinds import Kind
from starter.importing.formats.server_clock import ServerClock
from starter.importing.formats.trade_log_csv import BadRow, row_of


class Unreadable(ValueError):
    """The file as a whole cannot be read; the text says why and what to do. It follows the file's name."""


class SourceRow(NamedTuple):
    """A row of the file: the rows of the trade log it gives, or why it gives none.

    ``reason`` is set for a bad row; ``skipped`` names what kind of row it is if it carries nothing for the log.
    """

    line: int
    text: str
    records: tuple[tuple[Kind, Cells], ...] = ()
    reason: str | None = None
    skipped: str | None = None


@dataclass(frozen=True)
class Options:
    """What the file itself does not tell. ``period`` is the length of a bar in seconds.

    ``currency`` is that of the amounts, or a code of its cents such as USC; ``dates`` which of the first two numbers of
    a date is the day, where its year is last.
    """

    source: str | None = None
    account: str | None = None
    symbol: str | None = None
    period: int | None = None
    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    currency: str | None = None
    dates: DateOrder | None = None

    def instrument(self, symbol: str) -> Instrument:
        """The known instrument meant by *symbol*; case counts only between two that differ in nothing else.

        Raises :class:`BadRow`.
        """
        if known := self.instruments.get(symbol):
            return known
        alike = [each for name, each in self.instruments.items() if name.casefold() == symbol.casefold()]
        if len(alike) != 1:
            reason = f"{symbol} is not a known instrument: add it with --instrument {symbol}=LOT,CURRENCY,DIGITS"
            raise BadRow("symbol", f"{reason} (for gold: {symbol}=100,USD,2)")
        return alike[0]

    def the_instrument(self) -> Instrument:
        """The one instrument of a file of prices. Raises :class:`Unreadable`."""
        if self.symbol is None:
            raise Unreadable("it does not say whose prices it holds: name the instrument with --symbol XAUUSD")
        try:
            return self.instrument(self.symbol)
        except BadRow as bad:
            raise Unreadable(bad.reason) from None

    def the_source(self, default: str | None = None) -> str:
        """Who the prices come from. Raises :class:`Unreadable`."""
        if source := self.source or default:
            return source
        raise Unreadable("it does not say who the prices come from: name the broker or feed with --source NAME")


_ANY = ServerClock.named("UTC")


class WallTimes:
    """Reads wall-clock times of one clock, fast, and counts them by the hour.

    Without a clock (``stated`` is false) what is left of them is the count, which tells of which clock they may be.
    ``since_1970`` counts what was read as seconds of UTC.

    *ordered*: the rows follow each other in time, so in the hour that a clock shows twice the order decides: a time is
    its earlier reading unless that lies before the row above. Otherwise such a time is a bad one, as is one in the hour
    that the clock skips.
    """

    def __init__(self, clock: ServerClock | None, *, ordered: bool) -> None:
        self.hours: Counter[str] = Counter()
        self.since_1970: Counter[str] = Counter()
        self.stated = clock is not None
        self.clock = clock or _ANY
        self._ordered = ordered
        self._prefixes: dict[str, str | None] = {}
        self._last: datetime | None = None

    def utc(self, hour: str, rest: str) -> str:
        """The instant, in ISO 8601, of ``hour`` (``2026-02-16 02``) and ``rest`` (``07:00.123``). Raises `BadRow`."""
        try:
            prefix = self._prefixes[hour]
        except KeyError:
            if len(self._prefixes) > 50_000:
                self._prefixes.clear()
            prefix = self._prefixes[hour] = self._prefix(hour)
        if prefix is None:
            return self._slow(hour, rest)
        self.hours[hour] += 1
        return f"{prefix}:{rest}Z"

    def counted(self) -> dict[datetime, int]:
        """How many times lay in each hour of the clock's face."""
        return counted(self.hours)

    def _prefix(self, hour: str) -> str | None:
        """The hour in UTC, if the whole hour is one hour of UTC."""
        try:
            begins = datetime.fromisoformat(f"{hour}:00:00")
        except ValueError:
            raise BadRow("time", "is not a moment of the calendar and clock") from None
        first, last = (
            self.clock.readings(begins),
            self.clock.readings(begins + timedelta(minutes=59, seconds=59)),
        )
        if len(first) != 1 or len(last) != 1 or first[0].minute or last[0] - first[0] > timedelta(hours=1):
            return None
        if self._ordered:  # the hour after this one may come twice
            self._last = first[0]
        return first[0].strftime("%Y-%m-%dT%H")

    def _slow(self, hour: str, rest: str) -> str:
        shown = datetime.fromisoformat(f"{hour}:{rest}")
        readings = self.clock.readings(shown)
        if not readings:
            raise BadRow("time", f"the clock {self.clock.name} skipped {hour}:{rest}: another clock wrote it")
        if len(readings) > 1:
            if not self._ordered:
                reason = f"the clock {self.clock.name} showed {hour}:{rest} twice, and nothing tells which is meant"
                raise BadRow("time", reason)
            readings = tuple(at for at in readings if self._last is None or at >= self._last) or readings[-1:]
        self._last = readings[0]
        self.hours[hour] += 1
        return readings[0].isoformat().replace("+00:00", "Z")


def counted(hours: Mapping[str, int]) -> dict[datetime, int]:
    """The hours of a count of times, such as ``2026-02-16 02``, as hours of a clock's face."""
    return {datetime.fromisoformat(f"{hour}:00:00"): count for hour, count in hours.items()}


_TIME = re.compile(r"(\d{4})[.\-/](\d\d)[.\-/](\d\d)[ T](\d\d):([0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?)").fullmatch


def moment(times: WallTimes, text: str) -> str:
    """The instant of a wall-clock time such as ``2026.02.16 02:07:00``. Raises :class:`BadRow`."""
    shape = _TIME(text.strip())
    if shape is None:
        raise BadRow("time", f"{text.strip()[:40]!r} is no time such as 2026.02.16 02:07:00")
    year, month, day, hour, rest = shape.groups()
    return times.utc(f"{year}-{month}-{day} {hour}", rest if ":" in rest else f"{rest}:00")


class NamedAccount:
    """The account of one statement or report: ``id`` is what its rows are booked under."""

    def __init__(self, said: str | None) -> None:
        """*said* is what the importer calls it, which counts before what the file does."""
        self.id = said
        self._named: str | None = None

    def names(self, account: str) -> None:
        """The file names its account. Raises :class:`Unreadable` where it names a second one."""
        if self._named not in (None, account):
            raise Unreadable(f"it is of two accounts, {self._named} and {account}: save the report of each by itself")
        self._named = account
        self.id = self.id or account

    @property
    def notes(self) -> list[str]:
        if self._named in (None, self.id):
            return []
        return [f"it is of the account {self._named}; its rows are booked under {self.id}, as --account says"]


_SPACES = str.maketrans("", "", " \u00a0\u2007\u2009\u202f'’")
_PLAIN = re.compile(r"[+-]?\d{1,24}(?:\.\d{1,24})?").fullmatch
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:(?:,\d{3})+\.\d{1,24}|(?:,\d{3}){2,})").fullmatch
_COMMA = re.compile(r"[+-]?(?:\d{1,24},(?:\d{1,2}|\d{4,24})|(?:\d{4,24}|0),\d{3})").fullmatch
_DOTTED = re.compile(r"[+-]?\d{1,3}(?:(?:\.\d{3})+,\d{1,24}|(?:\.\d{3}){2,})").fullmatch


def number(cell: object, name: str) -> Decimal:
    """A number as platforms write it, or the spreadsheet that saved it anew. Raises :class:`BadRow`.

    ``10 000.00``, ``10,000.00``, ``10 000,00``, ``10.000,00`` and ``10'000.00`` are the same. A float of a workbook is
    the shortest decimal that means it. ``1,234`` is refused: it has two meanings.
    """
    if isinstance(cell, int | float) and not isinstance(cell, bool) and isfinite(cell):
        return Decimal(repr(cell))
    text = ("" if cell is None else str(cell)).translate(_SPACES).replace("−", "-")
    if _PLAIN(text):
        return Decimal(text)
    if _GROUPED(text):
        return Decimal(text.replace(",", ""))
    if _COMMA(text):
        return Decimal(text.replace(",", "."))
    if _DOTTED(text):
        return Decimal(text.replace(".", "").replace(",", "."))
    raise BadRow(name, f"{str(cell or '')[:40]!r} is no number such as 10 000.00")


def price_or_none(cell: object, name: str) -> Decimal | None:
    """A price; platforms write 0 or nothing where there is none. Raises :class:`BadRow`."""
    if cell is None or not str(cell).strip():
        return None
    return number(cell, name) or None


def record(kind: Kind, /, **given: object) -> tuple[Kind, Cells]:
    """A row of the trade log, checked by its model. Raises :class:`BadRow`."""
    return kind, row_of(kind, {name: value for name, value in given.items() if value is not None})


def cents(amount: Decimal, digits: int = 2) -> Decimal:
    """*amount* rounded as the platforms do: half away from zero."""
    return amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
