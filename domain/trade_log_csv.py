"""The trade log as CSV: one kind of rows a file, a header with the field names, one row a line.

The format is described for its writers in ``docs/trade-log-csv.md``. Everything here is pure: cells in, values or a
:class:`RowError` out; reading files is the importer's work.
"""

import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any, get_args

from pydantic import AwareDatetime, ValidationError

from domain.base import Record
from domain.trade_log import AccountEntry, AccountMessage, Fill, Instrument, Order, Position, Quote

Cells = tuple[str | None, ...]
"""A row in the order of ``Kind.columns``, ``None`` where a value is absent. Both :meth:`Layout.parse` and PostgreSQL
read these texts as the same values: decimals as they were written, instants with their offset."""


class Kind(StrEnum):
    """A kind of rows; its name is also that of its table in the schema ``tradelog``."""

    INSTRUMENTS = "instruments"
    QUOTES = "quotes"
    ORDERS = "orders"
    FILLS = "fills"
    POSITIONS = "positions"
    ACCOUNT_ENTRIES = "account_entries"
    MESSAGES = "messages"

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
        """The columns that name a row: a second row with the same key is a duplicate or a conflict."""
        return ("symbol", "source", "at") if self is Kind.QUOTES else self.columns[:1]

    @property
    def names_instrument(self) -> bool:
        """Whether each row belongs to an instrument that must be known."""
        return self is not Kind.INSTRUMENTS and "symbol" in self.columns


_MODELS: Mapping[Kind, type[Record]] = {
    Kind.INSTRUMENTS: Instrument,
    Kind.QUOTES: Quote,
    Kind.ORDERS: Order,
    Kind.FILLS: Fill,
    Kind.POSITIONS: Position,
    Kind.ACCOUNT_ENTRIES: AccountEntry,
    Kind.MESSAGES: AccountMessage,
}


class BadHeader(ValueError):
    """The header does not describe rows of the trade log."""


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


def _instant(cell: str) -> datetime:
    shape = _INSTANT(cell)
    if shape is None:
        raise _BadCell("must be an ISO 8601 instant such as 2023-11-12T23:30:00.250Z")
    if shape[1] is None:
        raise _BadCell("has no UTC offset: end it with Z if it is in UTC, else with its offset such as +02:00")
    try:
        return datetime.fromisoformat(cell).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _BadCell("is not a moment of the calendar and clock") from None


def _reader(annotation: Any) -> Callable[[str], object]:
    """How a cell of a field with this annotation is read, before the model judges the value."""
    for type_, read in ((Decimal, _decimal), (AwareDatetime, _instant), (int, _whole)):
        if _mentions(annotation, type_):
            return read
    return str


def _mentions(annotation: Any, type_: Any) -> bool:
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
_PATTERN_REASONS: Mapping[str, str] = {
    "currency": "must be an ISO 4217 code of three letters such as USD",
    "note": "must be one line without tabs",
}
_IDENTIFIER_REASON = "must be 1 to 100 letters, digits and . _ : @ / # -, and begin with a letter or digit"


def _reason(error: ValidationError) -> tuple[str | None, str]:
    first = error.errors(include_url=False)[0]
    field = str(first["loc"][0]) if first["loc"] else None
    if first["type"] == "string_pattern_mismatch":
        return field, _PATTERN_REASONS.get(field or "", _IDENTIFIER_REASON)
    template = _REASONS.get(first["type"])
    return field, first["msg"] if template is None else template.format(**first.get("ctx", {}))


@dataclass(frozen=True)
class Layout:
    """What a file holds: the kind of its rows and the order of its columns, as its header has them."""

    kind: Kind
    columns: tuple[str, ...]

    @classmethod
    def of(cls, header: Sequence[str], kind: Kind | None = None) -> "Layout":
        """Understand *header*. Without *kind* it is recognised. Raises :class:`BadHeader` saying what to mend."""
        columns = tuple(name.strip().lower() for name in header)
        if len(columns) == 1 and (other := next((mark for mark in ";\t|" if mark in columns[0]), None)):
            raise BadHeader(f"its columns are separated by {other!r}: save it with commas")
        if twice := sorted({name for name in columns if columns.count(name) > 1}):
            raise BadHeader(f"its header names {', '.join(twice)} twice")
        if kind is None:
            kind = _recognise(columns)
        unknown = [name for name in columns if name not in kind.columns]
        missing = [name for name in kind.required if name not in columns]
        if unknown or missing:
            faults = [f"unknown column {name!r}" for name in unknown] + [f"no column {name!r}" for name in missing]
            columns_of = f"columns: {_describe(kind)}; those in brackets may be left out"
            raise BadHeader(f"its header does not fit {kind}: {', '.join(faults)} ({columns_of})")
        return cls(kind, columns)

    def parse(self, line: int, cells: Sequence[str], instruments: Container[str]) -> Cells | RowError:
        """Check one row of the file; *instruments* are the symbols it may name."""
        return (self._quick and _quick_quote(cells, instruments)) or self._parse(line, cells, instruments)

    @cached_property
    def _quick(self) -> bool:
        return self.kind is Kind.QUOTES and self.columns == Kind.QUOTES.columns

    @cached_property
    def _cells(self) -> tuple[tuple[str, bool, Callable[[str], object]], ...]:
        """Of each column: its name, whether it must be given, how it is read."""
        fields = self.kind.model.model_fields
        return tuple((name, fields[name].is_required(), _reader(fields[name].annotation)) for name in self.columns)

    def _parse(self, line: int, cells: Sequence[str], instruments: Container[str]) -> Cells | RowError:
        if len(cells) != len(self.columns):
            reason = f"has {len(cells)} values where the header has {len(self.columns)}"
            return RowError(line, None, f"{reason}; a value that holds a comma must stand in double quotes")
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
            record = self.kind.model.model_validate(given)
        except ValidationError as error:
            return RowError(line, *_reason(error))
        if self.kind.names_instrument and (symbol := str(given["symbol"])) not in instruments:
            return RowError(line, "symbol", f"{symbol} is not a known instrument: import its instruments file first")
        return to_cells(record)


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


def _recognise(columns: Sequence[str]) -> Kind:
    given = set(columns)
    for kind in Kind:
        if given.issuperset(kind.required) and given.issubset(kind.columns):
            return kind
    nearest = max(Kind, key=lambda kind: len(given.intersection(kind.columns)) / len(given.union(kind.columns)))
    if not given.intersection(nearest.columns):
        known = "; ".join(f"{kind}: {_describe(kind)}" for kind in Kind)
        raise BadHeader(f"its first line is not a header of the trade log. Known are {known}")
    return nearest


def _describe(kind: Kind) -> str:
    return ", ".join(name if name in kind.required else f"[{name}]" for name in kind.columns)


def to_cells(record: Record) -> Cells:
    """*record* as a row of its kind."""
    return tuple(_to_cell(getattr(record, name)) for name in type(record).model_fields)


def _to_cell(value: str | Decimal | datetime | int | None) -> str | None:
    match value:
        case None:
            return None
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case Decimal():
            return format(value, "f")  # never 1E+3
        case _:
            return str(value)
