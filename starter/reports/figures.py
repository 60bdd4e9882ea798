"""What a firm gives for a return: read from a TOML file, written among the facts, and read up to a cut-off."""

import uuid
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from domain.ground.base import Identifier, Line, Record
from domain.ground.messages import NotAllowed
from domain.ground.people import Actor
from domain.learning.given import GIVING, Figure, GivenCell, GivenFigures
from domain.learning.periods import Period
from domain.learning.returns import Form, definitions_of
from runtime.toml_files import read_toml, to_record

if TYPE_CHECKING:
    from runtime.database import Pool


class Read(Record):
    """Where the firm has read the definitions of these cells: the document, its version, the day."""

    where: Line
    cells: Annotated[tuple[Identifier, ...], Field(min_length=1)]


class FiguresFile(Record):
    """The file: the return, for which period and company (for all, where it names none), figures, and what was read."""

    form: Identifier
    period: Identifier | None = None
    entity: Identifier | None = None
    cells: dict[str, Figure] = Field(default_factory=dict)
    read: tuple[Read, ...] = ()


def figures_in(path: Path) -> FiguresFile:
    """What the file says. Raises :class:`~runtime.toml_files.TomlFileError`."""
    return to_record(path, read_toml(path), FiguresFile)


def given_of(file: FiguresFile, form: Form, by: Actor, at: datetime) -> GivenFigures:
    """What *by* gives for *form*. Raises ``ValueError`` naming the field, and `NotAllowed`."""
    if by.role not in GIVING:
        raise NotAllowed(f"actor: role {by.role.value} may not; {', '.join(sorted(GIVING))} may")
    if file.period and Period.named(file.period).length != form.every:
        raise ValueError(f"period: {form.id} is made for each {form.every.replace('_', '-')}, not for {file.period}")
    definitions, cells = definitions_of(form), {cell.name: cell for cell in form.cells}
    read = {cell: one.where for one in file.read for cell in one.cells}
    if unknown := sorted({*file.cells, *read} - cells.keys()):
        raise ValueError(f"cells: {form.id} has no {unknown[0]!r}; it has {', '.join(cells)}")
    for name, figure in file.cells.items():
        if (figure.value is None) is not bool(figure.values):
            raise ValueError(f"cells.{name}: give either value or values")
        if figure.value is not None and cells[name].measure:
            raise ValueError(f"cells.{name}: the record knows it; give values as codes for what it says, or nothing")
        if figure.by and (cells[name].measure or form.kind != "list"):
            raise ValueError(f"cells.{name}: by is for cells of a list that the record does not know")
    return GivenFigures(
        form=form.id,
        period=file.period,
        entity=file.entity,
        cells=tuple(
            GivenCell(
                cell=name, definition=definitions[name], figure=file.cells.get(name), read_in=read.get(name)
            )
            for name in cells
            if name in file.cells or name in read
        ),
        by=by,
        at=at,
    )  # fmt: skip


async def give(pool: "Pool", given: GivenFigures) -> None:
    """Write it among the facts: returns made from then on rest on it, those up to an earlier one do not."""
    key = f"given:{uuid.uuid4()}"
    await pool.execute(_GIVE, _about(given.form), given.at, key, given.model_dump(mode="json"))


async def given_up_to(pool: "Pool", form: str, number: int) -> list[GivenFigures]:
    """What was given for *form*, in order, of the facts up to *number*."""
    return [GivenFigures.model_validate(row["data"]) for row in await pool.fetch(_GIVEN, _about(form), number)]


def _about(form: str) -> str:
    return f"return:{form}"


_GIVE: Final = "insert into reporting.facts (reference, kind, at, key, data) values ($1, 'given', $2, $3, $4)"
_GIVEN: Final = """
    select data from reporting.facts where reference = $1 and kind = 'given' and number <= $2 order by number
"""
