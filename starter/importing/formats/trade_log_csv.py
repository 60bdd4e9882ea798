"""The firm's own records as CSV: one kind of rows a file, a header with the field names, one row a line.

The format is described for its writers in ``docs/trade-log-csv.md``. Everything here is pure: cells in, values or a
:class:`RowError` out; reading files is the importer's work.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from pydantic import ValidationError

from domain.money.currencies import DIGITS, OF_PARTS, is_of_parts
from starter.importing.formats.cells import (
    PLAIN_UTC,
    PRICE,
    SOURCE,
    BadCell,
    Cells,
    is_dated,
    reader_of,
    reason_of,
    to_cells,
)
from starter.importing.formats.date_order import DateOrder
from starter.importing.formats.kinds import Kind
from starter.importing.formats.server_clock import ServerClock


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
    dates: DateOrder | None = None
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
        dates: DateOrder | None = None,
    ) -> "Layout":
        """Understand *header*. Without *kind* it is recognised. Raises :class:`BadHeader` saying what to mend.

        With *clock*, instants without an offset are its wall-clock times; with *dates*, those whose year is last are
        read.
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
        unknown = [name for name in columns if name not in (*kind.columns, *kind.beside)]
        missing = [name for name in kind.required if name not in columns]
        if unknown or missing:
            faults = [f"unknown column {name!r}" for name in unknown] + [f"no column {name!r}" for name in missing]
            columns_of = f"columns: {_describe(kind)}; those in brackets may be left out"
            raise BadHeader(f"its header does not fit {kind}: {', '.join(faults)} ({columns_of})")
        return cls(kind, columns, clock, dates, width, taken, tuple(mapping.values.values()) if mapping else ())

    def parse(self, line: int, cells: Sequence[str], instruments: Container[str]) -> Cells | RowError:
        """Check one row of the file; *instruments* are the symbols it may name."""
        if self.width is not None:
            if len(cells) != self.width:
                return RowError(line, None, _wrong_number(cells, self.width))
            cells = self._own(cells)
        return (self._quick and _quick_quote(cells, instruments)) or self._parse(line, cells, instruments)

    @property
    def dated(self) -> list[int]:
        """The places in a row of the file of what holds an instant or a day."""
        fields = self.kind.model.model_fields
        places = range(len(self.columns)) if self.width is None else self.taken
        named = zip(places, self.columns, strict=False)  # those of the same value throughout follow, without a place
        return [place for place, name in named if name in fields and is_dated(fields[name].annotation)]

    @property
    def told_beside(self) -> tuple[str, ...]:
        """The columns of the file that are compared and not kept."""
        return tuple(name for name in self.columns if name in self.kind.beside)

    def beside(self, cells: Sequence[str]) -> dict[str, str]:
        """What a row that :meth:`parse` takes says in those columns, where it says something."""
        return {
            name: text
            for name, cell in zip(self.columns, self._own(cells), strict=True)
            if name in self.kind.beside and (text := cell.strip().upper())
        }

    def _own(self, cells: Sequence[str]) -> Sequence[str]:
        """The cells of a row in the order of the columns."""
        return cells if self.width is None else [*(cells[place] for place in self.taken), *self.values]

    @cached_property
    def _quick(self) -> bool:
        return self.kind is Kind.QUOTES and self.columns == Kind.QUOTES.columns

    @cached_property
    def _cells(self) -> tuple[tuple[str, bool, Callable[[str], object]], ...]:
        """Of each column: its name, whether it must be given, how it is read."""
        fields = self.kind.model.model_fields
        return tuple(
            (name, False, _currency)
            if name in self.kind.beside
            else (name, fields[name].is_required(), reader_of(name, fields[name].annotation, self.clock, self.dates))
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
                except BadCell as bad:
                    return RowError(line, name, str(bad))
            elif required:
                return RowError(line, name, "is missing")
        try:
            row = row_of(self.kind, {name: value for name, value in given.items() if name not in self.kind.beside})
        except BadRow as bad:
            return RowError(line, bad.field, bad.reason)
        symbol = given.get("symbol") if self.kind.names_instrument else None
        if symbol is not None and str(symbol) not in instruments:
            return RowError(line, "symbol", f"{symbol} is not a known instrument: import its instruments file first")
        return row


def _quick_quote(cells: Sequence[str], instruments: Container[str]) -> Cells | None:
    """A quote in plain form as it stands, or ``None`` to let the model judge.

    Quotes come in tens of millions, and a model for each makes reading them four times as slow. This may say yes only
    where :class:`~domain.log.trade_log.Quote` would, to the same values: a property test holds the two together.
    """
    if len(cells) != 5:
        return None
    symbol, source, at, bid, ask = cells
    if not (symbol in instruments and SOURCE(source) and PRICE(bid) and PRICE(ask) and PLAIN_UTC(at)):
        return None
    try:
        datetime.fromisoformat(at)
    except ValueError:
        return None
    return (symbol, source, at, bid, ask) if 0 < Decimal(bid) <= Decimal(ask) else None


def _currency(cell: str) -> str:
    if is_of_parts(cell):
        raise BadCell(OF_PARTS.format(code=cell, whole=cell.upper()))
    if cell.upper() not in DIGITS:
        raise BadCell("must be an ISO 4217 code of three letters such as USD")
    return cell


def _wrong_number(cells: Sequence[str], width: int) -> str:
    reason = f"has {len(cells)} values where the header has {width}"
    return f"{reason}; a value that holds a comma must stand in double quotes"


def _mapped(columns: tuple[str, ...], kind: Kind | None, mapping: ColumnMap) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The places of the columns that are wanted, and the fields they and the fixed values are for."""
    fields = {name for each in ([kind] if kind else Kind) for name in (*each.columns, *each.beside)}
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
        fitting = [
            each for each in Kind if given.issuperset(each.required) and named.issubset((*each.columns, *each.beside))
        ]
        if len(fitting) != 1:
            raise BadHeader("its columns and those mapped do not tell what kind of rows it holds: name it with --kind")
        fields = {*fitting[0].columns, *fitting[0].beside}
        places = {name: place for name, place in places.items() if name in fields}
    return tuple(places.values()), (*places, *mapping.values)


def _recognise(columns: Sequence[str]) -> Kind:
    given = set(columns)
    for kind in Kind:
        if given.issuperset(kind.required) and given.issubset((*kind.columns, *kind.beside)):
            return kind
    nearest = max(Kind, key=lambda kind: len(given.intersection(kind.columns)) / len(given.union(kind.columns)))
    if not given.intersection(nearest.columns):
        raise BadHeader(
            f"its first line is not a header of a kind of rows that is known here: {', '.join(Kind)}"
            " (redress import --template KIND prints one)"
        )
    return nearest


def _describe(kind: Kind) -> str:
    return ", ".join(name if name in kind.required else f"[{name}]" for name in (*kind.columns, *kind.beside))


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
        raise BadRow(*reason_of(error)) from None
