"""A report: tables of figures, each with a key by which it opens to its cases. Words come when it is shown."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

from domain.ground.base import Record, content_hash
from domain.learning.definitions import Definition
from domain.learning.periods import Period
from domain.learning.tally import TOTAL

Unit = Literal["count", "share", "days", "score", "money", "per_thousand", "text"]
Shape = Literal["none", "bars", "trend"]


class Figure(Record):
    """One number. ``value`` is ``None`` where nothing is known; ``low`` and ``high`` its 95 % interval.

    ``first`` is what the same figure was when the period was first reported, where it has changed since.
    """

    key: str
    unit: Unit
    value: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    currency: str | None = None
    first: Decimal | None = None
    restated: bool = False


class Row(Record):
    """A row: what it is of (``name``, a word of the group of its table, or a name of the firm's), and its figures."""

    name: str
    figures: tuple[Figure, ...]


class Table(Record):
    """``of`` is the group of words that the rows' names are of, ``columns`` the names of the columns' words."""

    key: str
    of: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    shape: Shape = "none"
    drawn: tuple[str, ...] = ()
    """The columns that its picture shows."""


class Report(Record):
    """A report on a period, made of the facts up to number ``cut_off``, whose digest is ``record``.

    ``restated_from`` is the cut-off of the first report on the period, where figures have changed since.
    """

    name: str
    period: Period
    cut_off: int
    record: str = ""
    policies: tuple[str, ...]
    tables: tuple[Table, ...]
    definitions: tuple[Definition, ...]
    restated_from: int | None = None

    @property
    def hash(self) -> str:
        """SHA-256 over all figures."""
        return content_hash(self)

    def table(self, key: str) -> Table:
        """The table of that key. Raises ``LookupError``."""
        for table in self.tables:
            if table.key == key:
                return table
        raise LookupError(f"table: the report has no {key!r}; it has {', '.join(one.key for one in self.tables)}")

    def figures(self) -> Iterator[Figure]:
        for table in self.tables:
            for row in table.rows:
                yield from row.figures

    def figure(self, key: str) -> Figure:
        """The figure of that key. Raises ``LookupError``."""
        for figure in self.figures():
            if figure.key == key:
                return figure
        raise LookupError(f"figure: the report has no {key!r}; `redress report month PERIOD --json` lists them")

    def restated(self, first: "Report") -> "Report":
        """This report, with what its figures were in the *first* one on the period where they have changed.

        A row that is no longer there stays, without figures: nothing that was told of disappears unsaid.
        """
        before = {table.key: table for table in first.tables}
        tables = tuple(_restated(table, before[table.key]) if table.key in before else table for table in self.tables)
        if tables == self.tables:
            return self
        return self.model_copy(update={"tables": tables, "restated_from": first.cut_off})


def _restated(table: Table, first: Table) -> Table:
    now, before = (
        {row.name: row for row in _with_total(one, other)} for one, other in ((table, first), (first, table))
    )
    gone = [_emptied(row) for name, row in before.items() if name not in now and any(one.value for one in row.figures)]
    rows = sorted((*now.values(), *gone), key=lambda row: row.name == TOTAL)
    return table.model_copy(update={"rows": tuple(_marked(row, before.get(row.name)) for row in rows)})


def _with_total(table: Table, other: Table) -> tuple[Row, ...]:
    """The rows, with a total where the *other* has one: a table of one row has none, for the row is the total."""
    has, is_there = ([row for row in one.rows if row.name == TOTAL] for one in (table, other))
    if has or not is_there or len(table.rows) != 1:
        return table.rows
    (only,) = table.rows
    figures = tuple(
        one.model_copy(update={"key": f"{table.key}.{TOTAL}.{column}"})
        for column, one in zip(table.columns, only.figures, strict=True)
    )
    return (only, Row(name=TOTAL, figures=figures))


def _emptied(row: Row) -> Row:
    nothing = {"value": None, "low": None, "high": None}
    return row.model_copy(update={"figures": tuple(one.model_copy(update=nothing) for one in row.figures)})


def _marked(row: Row, before: Row | None) -> Row:
    """The row, with its figures marked that were others before; of a row that was not there, those that are not 0."""
    first = [one.value for one in before.figures] if before else [None] * len(row.figures)
    figures = tuple(
        one.model_copy(update={"first": was, "restated": True}) if one.value != was and (one.value or was) else one
        for one, was in zip(row.figures, first, strict=True)
    )
    return row.model_copy(update={"figures": figures})
