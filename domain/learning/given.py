"""What a firm itself says for a return: figures that the record does not know, and which definitions it has read.

It stands among the facts, with who gave it and when, so a return is made again with what was given by its cut-off.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal

from pydantic import Field

from domain.ground.base import Identifier, Instant, Line, Record
from domain.ground.people import Actor
from domain.ground.words import Role

GIVING: Final = frozenset({Role.COMPLIANCE_OFFICER, Role.EXECUTIVE})
"""Who speaks for the firm to an authority."""
NONE_NAMED: Final = "-"
"""The key of a value for cases that have nothing there."""


class Figure(Record):
    """What a cell holds: one ``value`` in all rows, or one of ``values`` by what the row is.

    ``values`` go by what the record measures for the cell, as codes for it; where it measures nothing by the row's
    name, or in a list by that field of the case (``by``).
    """

    value: Line | None = None
    by: Literal["category", "product", "channel", "entity", "outcome", "policy", "residence"] | None = None
    values: dict[str, Line] = Field(default_factory=dict)


class GivenCell(Record):
    """Of a ``cell`` as it was defined then (``definition``, a hash): a figure, or where its definition was read."""

    cell: Identifier
    definition: str
    figure: Figure | None = None
    read_in: Line | None = None


class GivenFigures(Record):
    """What was given at once for the return ``form``: for one period and one company, or for all of them."""

    form: Identifier
    period: Identifier | None = None
    entity: Identifier | None = None
    cells: Annotated[tuple[GivenCell, ...], Field(min_length=1)]
    by: Actor
    at: Instant


class Stated(Record):
    """What a return rests on beside the record: who gave it when."""

    cell: str
    what: Literal["figure", "definition"]
    read_in: str | None
    by: str
    at: Instant


class Standing(Record):
    """What stands of what was given, for one return: the last word on each cell, its own period's before others'."""

    figures: dict[str, Figure] = Field(default_factory=dict)
    read: dict[str, str] = Field(default_factory=dict)
    stated: tuple[Stated, ...] = ()


def standing(
    given: Iterable[GivenFigures], definitions: Mapping[str, str], period: str, entity: str | None
) -> Standing:
    """What stands of *given*, in order, for the return on that period.

    *definitions* are the hashes of the cells as they are: what was said of another definition says nothing of this.
    """
    fits = [one for one in given if one.period in {None, period} and one.entity in {None, entity}]
    figures: dict[str, Figure] = {}
    read: dict[str, str] = {}
    stated: dict[tuple[str, str], Stated] = {}
    for one in sorted(fits, key=lambda each: (each.period is not None, each.entity is not None)):  # stable: last word
        for cell in one.cells:
            if definitions.get(cell.cell) != cell.definition:
                continue
            if cell.figure:
                figures[cell.cell] = cell.figure
                stated[cell.cell, "figure"] = _stated(one, cell, "figure")
            if cell.read_in:
                read[cell.cell] = cell.read_in
                stated[cell.cell, "definition"] = _stated(one, cell, "definition")
    return Standing(figures=figures, read=read, stated=tuple(stated[key] for key in sorted(stated)))


def _stated(one: GivenFigures, cell: GivenCell, what: Literal["figure", "definition"]) -> Stated:
    read_in = cell.read_in if what == "definition" else None
    return Stated(cell=cell.cell, what=what, read_in=read_in, by=str(one.by), at=one.at)
