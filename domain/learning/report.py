"""A report: tables of figures, each with a key by which it opens to its cases. Words come when it is shown."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

from domain.ground.base import Record, content_hash
from domain.learning.definitions import Definition
from domain.learning.periods import Period

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
        """This report, with what its figures were in the *first* one on the period where they have changed."""
        before = {figure.key: figure.value for figure in first.figures()}
        changed = {one.key for one in self.figures() if before.get(one.key) != one.value}
        if not changed:
            return self
        tables = tuple(
            table.model_copy(update={"rows": tuple(_restated(row, before, changed) for row in table.rows)})
            for table in self.tables
        )
        return self.model_copy(update={"tables": tables, "restated_from": first.cut_off})


def _restated(row: Row, before: dict[str, Decimal | None], changed: set[str]) -> Row:
    figures = tuple(
        one.model_copy(update={"first": before.get(one.key), "restated": True}) if one.key in changed else one
        for one in row.figures
    )
    return row.model_copy(update={"figures": figures})
