"""The firm's own records as CSV: one kind of rows a file, a header with the field names, one row a line.

The format is described for its writers in ``docs/trade-log-csv.md``. Everything here is pure: cells in, values or a
:class:`RowError` out; reading files is the importer's work.
"""

import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum
from functools import cached_property, partial
from typing import Any, Final, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AwareDatetime, StringConstraints, ValidationError

from domain.base import Line, Record
from domain.complaint import Phone
from domain.firm_records import (
    AccountTerms,
    Appropriateness,
    Balance,
    BinaryOption,
    Cancellation,
    ChargeSchedule,
    Customer,
    Disclosure,
    OrderEvent,
    Outage,
)
from domain.money import Currency
from domain.redress import BaseRate, Rate
from domain.server_clock import ServerClock
from domain.trade_log import AccountEntry, AccountMessage, Bar, Fill, Instrument, Order, Position, Quote

Cells = tuple[str | None, ...]
"""A row in the order of ``Kind.columns``, ``None`` where a value is absent. Both :meth:`Layout.parse` and PostgreSQL
read these texts as the same values: decimals as they were written, instants with their offset."""


class Kind(StrEnum):
    """A kind of rows; its name is also that of its table."""

    INSTRUMENTS = "instruments"
    QUOTES = "quotes"
    BARS = "bars"
    ORDERS = "orders"
    FILLS = "fills"
    POSITIONS = "positions"
    ACCOUNT_ENTRIES = "account_entries"
    MESSAGES = "messages"
    ORDER_EVENTS = "order_events"
    ACCOUNT_TERMS = "account_terms"
    BALANCES = "balances"
    CHARGE_SCHEDULES = "charge_schedules"
    OUTAGES = "outages"
    BINARY_OPTIONS = "binary_options"
    CANCELLATIONS = "cancellations"
    DISCLOSURES = "disclosures"
    APPROPRIATENESS = "appropriateness"
    RATES = "rates"
    BASE_RATES = "base_rates"
    CUSTOMERS = "customers"

    @property
    def schema(self) -> str:
        """The schema of its table: customers are no part of the trade log."""
        return "casefile" if self is Kind.CUSTOMERS else "tradelog"

    @property
    def model(self) -> type[Record]:
        return _MODELS[self]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.model.model_fields)

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(name for name, field in self.model.model_fields.items() if field.is_required())

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that name a row: a second one is a duplicate, a completion or version of it, or a conflict."""
        return _KEYS.get(self, self.columns[:1])

    @property
    def completion(self) -> "Completion | None":
        """How a row that was recorded unfinished is completed later; ``None`` where every row is final."""
        return _COMPLETIONS.get(self)

    @property
    def has_versions(self) -> bool:
        """Whether a row with a known key and other values is a newer version, which counts from then on."""
        return self is Kind.CUSTOMERS

    @property
    def names_instrument(self) -> bool:
        """Whether a row may belong to an instrument, which must be known."""
        return self is not Kind.INSTRUMENTS and "symbol" in self.columns


@dataclass(frozen=True, slots=True)
class Completion:
    """A row is unfinished while its column ``mark`` has the value ``while_``.

    A later row with the same key finishes it, once, if it agrees in every column but those ``open_``: what may still
    change, or is not known yet, while the row is unfinished. It stands in ``table``, in full.
    """

    table: str
    mark: str
    while_: str | None
    open_: tuple[str, ...]


_KEYS: Mapping[Kind, tuple[str, ...]] = {
    Kind.QUOTES: ("symbol", "source", "at"),
    Kind.BARS: ("symbol", "source", "period", "at"),
    Kind.RATES: ("base", "quote", "source", "at"),
    Kind.BASE_RATES: ("name", "effective_from"),
}

# The same columns stand in the migrations, where the database holds every writer to them.
_COMPLETIONS: Mapping[Kind, Completion] = {
    Kind.ORDERS: Completion(
        "order_completions", "state", "working", ("state", "ended_at", "price", "stop", "target", "comment")
    ),
    Kind.POSITIONS: Completion(
        "position_completions",
        "closed_at",
        None,
        (
            *("volume", "close_price", "closed_at", "close_reason", "margin_level", "stop_out_level", "swap"),
            *("stop", "target", "commission", "taxes", "profit", "comment"),
        ),
    ),
    Kind.ACCOUNT_ENTRIES: Completion("account_entry_completions", "booked_at", None, ("booked_at",)),
    Kind.OUTAGES: Completion("outage_completions", "until", None, ("until", "cause")),
    Kind.BINARY_OPTIONS: Completion(
        "binary_option_completions", "settled_at", None, ("settled_price", "settled_at", "paid")
    ),
    Kind.DISCLOSURES: Completion("disclosure_completions", "acknowledged_at", None, ("acknowledged_at",)),
}

_MODELS: Mapping[Kind, type[Record]] = {
    Kind.INSTRUMENTS: Instrument,
    Kind.QUOTES: Quote,
    Kind.BARS: Bar,
    Kind.ORDERS: Order,
    Kind.FILLS: Fill,
    Kind.POSITIONS: Position,
    Kind.ACCOUNT_ENTRIES: AccountEntry,
    Kind.MESSAGES: AccountMessage,
    Kind.ORDER_EVENTS: OrderEvent,
    Kind.ACCOUNT_TERMS: AccountTerms,
    Kind.BALANCES: Balance,
    Kind.CHARGE_SCHEDULES: ChargeSchedule,
    Kind.OUTAGES: Outage,
    Kind.BINARY_OPTIONS: BinaryOption,
    Kind.CANCELLATIONS: Cancellation,
    Kind.DISCLOSURES: Disclosure,
    Kind.APPROPRIATENESS: Appropriateness,
    Kind.RATES: Rate,
    Kind.BASE_RATES: BaseRate,
    Kind.CUSTOMERS: Customer,
}


class BadHeader(ValueError):
    """The header does not describe rows of a known kind."""


@dataclass(frozen=True, slots=True)
class RowError:
    """A bad row. ``field`` is the column at fault, ``None`` when it is the row as a whole."""

    line: int
    field: str | None
    reason: str

    def __str__(self) -> str:
        return self.reason if self.field is None else f"{self.field}: {self.reason}"


class _BadCell(ValueError):
    """A cell that cannot be read, with the reason and the way out."""


_DECIMAL = re.compile(r"[+-]?[0-9]{1,24}(\.[0-9]{1,24})?").fullmatch
_WHOLE = re.compile(r"[0-9]{1,9}").fullmatch
_PRICE = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,8})?").fullmatch
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/#-]{0,99}").fullmatch
_PLAIN_UTC = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z").fullmatch
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?").fullmatch
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
).fullmatch


def _decimal(cell: str) -> Decimal:
    if _DECIMAL(cell) is None:
        raise _BadCell("must be a decimal number with a point and no thousands separators, such as 1935.25")
    return Decimal(cell)


def _whole(cell: str) -> int:
    if _WHOLE(cell) is None:
        raise _BadCell("must be a whole number")
    return int(cell)


def _instant(cell: str, clock: ServerClock | None) -> datetime:
    shape = _INSTANT(cell)
    if shape is None:
        raise _BadCell("must be an ISO 8601 instant such as 2023-11-12T23:30:00.250Z")
    if shape[1] is None and clock is None:
        raise _BadCell("has no UTC offset: end it with Z if it is in UTC, else with its offset such as +02:00")
    try:
        read = datetime.fromisoformat(cell)
        if shape[1] is not None or clock is None:
            return read.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _BadCell("is not a moment of the calendar and clock") from None
    readings = clock.readings(read)
    if len(readings) != 1:
        raise _BadCell(f"the clock {clock.name} showed this time {'twice' if readings else 'never'}: give its offset")
    return readings[0]


def _day(cell: str) -> date:
    try:
        if _DAY(cell) is not None:
            return date.fromisoformat(cell)
    except ValueError:
        raise _BadCell("is not a day of the calendar") from None
    raise _BadCell("must be a day such as 2023-11-12")


def _time(cell: str) -> time:
    try:
        if _TIME(cell) is not None:
            return time.fromisoformat(cell)
    except ValueError:
        raise _BadCell("is not a time of the day") from None
    raise _BadCell("must be a time of the day such as 17:00, without an offset")


def _zone(cell: str) -> str:
    # The model cannot ask: it is used in workflows, which open no file.
    try:
        ZoneInfo(cell)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _BadCell("is not a known time zone: give its name, such as America/New_York or Asia/Hong_Kong") from None
    return cell


def _reader(name: str, annotation: Any, clock: ServerClock | None) -> Callable[[str], object]:
    """How a cell of a field of this name and annotation is read, before the model judges the value."""
    if name == "zone":
        return _zone
    readers = (
        (Decimal, _decimal),
        (AwareDatetime, partial(_instant, clock=clock)),
        (date, _day),
        (time, _time),
        (int, _whole),
        (StrEnum, str.lower),
    )
    for type_, read in readers:
        if _mentions(annotation, type_):
            return read
    return str


def _mentions(annotation: Any, type_: Any) -> bool:
    if isinstance(annotation, type) and type_ is StrEnum:
        return issubclass(annotation, StrEnum)
    return annotation is type_ or any(_mentions(part, type_) for part in get_args(annotation))


# What pydantic calls the mistake -> what is wrong and the way out. `{name}` comes from the error's context.
_REASONS: Mapping[str, str] = {
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "decimal_max_digits": "has more than {max_digits} digits",
    "decimal_max_places": "has more than {decimal_places} digits after the point",
    "decimal_whole_digits": "has more than {whole_digits} digits before the point",
    "string_too_long": "is longer than {max_length} characters",
    "value_error": "{error}",
}


def _pattern(text: Any) -> str | re.Pattern[str] | None:
    return next(each.pattern for each in text.__metadata__ if isinstance(each, StringConstraints))


_PATTERN_REASONS: Final = {
    _pattern(Currency): "must be an ISO 4217 code of three letters such as USD",
    _pattern(Line): "must be one line without tabs",
    _pattern(Phone): "must be 5 to 24 digits, spaces, hyphens and brackets, with or without a + before them",
}
_EMAIL_REASON = "must be an e-mail address such as name@example.com"
_IDENTIFIER_REASON = "must be 1 to 100 letters, digits and . _ : @ / # -, and begin with a letter or digit"


def _reason(error: ValidationError) -> tuple[str | None, str]:
    first = error.errors(include_url=False)[0]
    field = str(first["loc"][0]) if first["loc"] else None
    about = first.get("ctx", {})
    if first["type"] == "string_pattern_mismatch":
        return field, _PATTERN_REASONS.get(about["pattern"], _IDENTIFIER_REASON)
    if first["type"] == "value_error" and "error" not in about:
        return field, _EMAIL_REASON  # what the library says of an address may repeat parts of it
    template = _REASONS.get(first["type"])
    return field, first["msg"] if template is None else template.format(**about)


@dataclass(frozen=True)
class ColumnMap:
    """For a file with names of its own: the column of each field, and values that are the same in every row.

    Columns that have the name of a field keep it; every other one is left out.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.columns or self.values)


@dataclass(frozen=True)
class Layout:
    """What a file holds: the kind of its rows and the order of its columns, as its header has them.

    With a mapping, ``taken`` are the places of those columns among the ``width`` of the file; the values that are the
    same throughout follow them.
    """

    kind: Kind
    columns: tuple[str, ...]
    clock: ServerClock | None = None
    width: int | None = None
    taken: tuple[int, ...] = ()
    values: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        header: Sequence[str],
        kind: Kind | None = None,
        *,
        mapping: ColumnMap | None = None,
        clock: ServerClock | None = None,
    ) -> "Layout":
        """Understand *header*. Without *kind* it is recognised. Raises :class:`BadHeader` saying what to mend.

        With *clock*, instants without an offset are its wall-clock times.
        """
        columns = tuple(name.strip().lower() for name in header)
        if len(columns) == 1 and (other := next((mark for mark in ";\t|" if mark in columns[0]), None)):
            raise BadHeader(f"its columns are separated by {other!r}: save it with commas")
        if twice := sorted({name for name in columns if columns.count(name) > 1}):
            raise BadHeader(f"its header names {', '.join(twice)} twice")
        taken: tuple[int, ...] = ()
        width = None
        if mapping:
            width = len(columns)
            taken, columns = _mapped(columns, kind, mapping)
        if kind is None:
            kind = _recognise(columns)
        unknown = [name for name in columns if name not in kind.columns]
        missing = [name for name in kind.required if name not in columns]
        if unknown or missing:
            faults = [f"unknown column {name!r}" for name in unknown] + [f"no column {name!r}" for name in missing]
            columns_of = f"columns: {_describe(kind)}; those in brackets may be left out"
            raise BadHeader(f"its header does not fit {kind}: {', '.join(faults)} ({columns_of})")
        return cls(kind, columns, clock, width, taken, tuple(mapping.values.values()) if mapping else ())

    def parse(self, line: int, cells: Sequence[str], instruments: Container[str]) -> Cells | RowError:
        """Check one row of the file; *instruments* are the symbols it may name."""
        if self.width is not None:
            if len(cells) != self.width:
                return RowError(line, None, _wrong_number(cells, self.width))
            cells = [*(cells[place] for place in self.taken), *self.values]
        return (self._quick and _quick_quote(cells, instruments)) or self._parse(line, cells, instruments)

    @cached_property
    def _quick(self) -> bool:
        return self.kind is Kind.QUOTES and self.columns == Kind.QUOTES.columns

    @cached_property
    def _cells(self) -> tuple[tuple[str, bool, Callable[[str], object]], ...]:
        """Of each column: its name, whether it must be given, how it is read."""
        fields = self.kind.model.model_fields
        return tuple(
            (name, fields[name].is_required(), _reader(name, fields[name].annotation, self.clock))
            for name in self.columns
        )

    def _parse(self, line: int, cells: Sequence[str], instruments: Container[str]) -> Cells | RowError:
        if len(cells) != len(self.columns):
            return RowError(line, None, _wrong_number(cells, len(self.columns)))
        given: dict[str, object] = {}
        for (name, required, read), cell in zip(self._cells, cells, strict=True):
            if text := cell.strip():
                try:
                    given[name] = read(text)
                except _BadCell as bad:
                    return RowError(line, name, str(bad))
            elif required:
                return RowError(line, name, "is missing")
        try:
            row = row_of(self.kind, given)
        except BadRow as bad:
            return RowError(line, bad.field, bad.reason)
        symbol = given.get("symbol") if self.kind.names_instrument else None
        if symbol is not None and str(symbol) not in instruments:
            return RowError(line, "symbol", f"{symbol} is not a known instrument: import its instruments file first")
        return row


def _quick_quote(cells: Sequence[str], instruments: Container[str]) -> Cells | None:
    """A quote in plain form as it stands, or ``None`` to let the model judge.

    Quotes come in tens of millions, and a model for each makes reading them four times as slow. This may say yes only
    where :class:`Quote` would, to the same values: a property test holds the two together.
    """
    if len(cells) != 5:
        return None
    symbol, source, at, bid, ask = cells
    if not (symbol in instruments and _SOURCE(source) and _PRICE(bid) and _PRICE(ask) and _PLAIN_UTC(at)):
        return None
    try:
        datetime.fromisoformat(at)
    except ValueError:
        return None
    return (symbol, source, at, bid, ask) if 0 < Decimal(bid) <= Decimal(ask) else None


def _wrong_number(cells: Sequence[str], width: int) -> str:
    reason = f"has {len(cells)} values where the header has {width}"
    return f"{reason}; a value that holds a comma must stand in double quotes"


def _mapped(columns: tuple[str, ...], kind: Kind | None, mapping: ColumnMap) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The places of the columns that are wanted, and the fields they and the fixed values are for."""
    fields = {name for each in ([kind] if kind else Kind) for name in each.columns}
    if strange := sorted({*mapping.columns, *mapping.values} - fields):
        known = ", ".join(sorted(fields))
        raise BadHeader(f"there is no field {', '.join(strange)} to map a column to (fields: {known})")
    if both := sorted(set(mapping.columns) & set(mapping.values)):
        raise BadHeader(f"{', '.join(both)} is mapped to a column and has a value as well")
    places: dict[str, int] = {}
    for name, column in mapping.columns.items():
        if column.strip().lower() not in columns:
            raise BadHeader(f"there is no column {column!r} for {name} (columns: {', '.join(columns)})")
        places[name] = columns.index(column.strip().lower())
    for place, name in enumerate(columns):
        if name in fields and name not in places and name not in mapping.values and place not in places.values():
            places[name] = place
    if kind is None:  # the kind that these fields make up, leaving out columns that are none of its fields
        given = {*places, *mapping.values}
        named = {*mapping.columns, *mapping.values}
        fitting = [each for each in Kind if given.issuperset(each.required) and named.issubset(each.columns)]
        if len(fitting) != 1:
            raise BadHeader("its columns and those mapped do not tell what kind of rows it holds: name it with --kind")
        places = {name: place for name, place in places.items() if name in fitting[0].columns}
    return tuple(places.values()), (*places, *mapping.values)


def _recognise(columns: Sequence[str]) -> Kind:
    given = set(columns)
    for kind in Kind:
        if given.issuperset(kind.required) and given.issubset(kind.columns):
            return kind
    nearest = max(Kind, key=lambda kind: len(given.intersection(kind.columns)) / len(given.union(kind.columns)))
    if not given.intersection(nearest.columns):
        raise BadHeader(
            f"its first line is not a header of a kind of rows that is known here: {', '.join(Kind)}"
            " (redress import --template KIND prints one)"
        )
    return nearest


def _describe(kind: Kind) -> str:
    return ", ".join(name if name in kind.required else f"[{name}]" for name in kind.columns)


class BadRow(ValueError):
    """A row that does not fit its kind. ``field`` is the one at fault, ``None`` when it is the row as a whole."""

    def __init__(self, field: str | None, reason: str) -> None:
        super().__init__(reason if field is None else f"{field}: {reason}")
        self.field = field
        self.reason = reason


def row_of(kind: Kind, given: Mapping[str, object]) -> Cells:
    """A row of *kind* with these values. Raises :class:`BadRow`."""
    try:
        return to_cells(kind.model.model_validate(given))
    except ValidationError as error:
        raise BadRow(*_reason(error)) from None


def to_cells(record: Record) -> Cells:
    """*record* as a row of its kind."""
    return tuple(_to_cell(getattr(record, name)) for name in type(record).model_fields)


def _to_cell(value: str | Decimal | date | time | int | None) -> str | None:
    match value:
        case None:
            return None
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case Decimal():
            return format(value, "f")  # never 1E+3
        case _:
            return str(value)
