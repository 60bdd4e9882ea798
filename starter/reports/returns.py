"""Returns to authorities: which there are, made from the record, and written as CSV and JSON."""

import csv
import json
from collections.abc import Mapping
from functools import cache
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from domain.learning.periods import Period
from domain.learning.returns import Form, ReturnMade, make_return
from record.facts import cases_up_to, cut_off, digest_up_to
from runtime.calendars import read_calendars
from runtime.paths import POLICIES
from runtime.toml_files import read_toml, to_record
from starter.reports import issuing
from starter.reports.figures import given_up_to
from starter.reports.issuing import Issued, Statement
from starter.reports.words import inert

if TYPE_CHECKING:
    from domain.clocks.calendar import Calendar
    from runtime.database import Pool

SUPPRESSED: Final = "*"
"""What stands for what is not given: a count that is too small, or one by which such a count can be worked out."""


@cache
def load_forms(folder: Path = POLICIES / "learning" / "returns") -> dict[str, Form]:
    """The forms by id. Raises :class:`~runtime.toml_files.TomlFileError`."""
    forms = [to_record(path, read_toml(path), Form) for path in sorted(folder.glob("*.toml"))]
    return {form.id: form for form in forms}


def form_of(name: str) -> Form:
    """The form of that id. Raises ``LookupError`` naming those there are."""
    forms = load_forms()
    if name not in forms:
        raise LookupError(f"return: there is no {name!r}; there are {', '.join(forms)}")
    return forms[name]


async def make(
    pool: "Pool", form: Form, period: Period, *, at: int | None = None, entity: str | None = None
) -> ReturnMade:
    """The return of *form* on *period*, of the facts up to number *at*. Raises ``ValueError`` and ``LookupError``."""
    number = await cut_off(pool, at)
    cases = [case async for case in cases_up_to(pool, number)]
    record = await digest_up_to(pool, number)
    given = await given_up_to(pool, form.id, number)
    calendar = _calendar(form)
    return make_return(form, cases, period, number, calendar=calendar, entity=entity, record=record, given=given)


def statement(made: ReturnMade) -> Statement:
    """What is said of a return when it is issued."""
    return Statement(
        report=_noted(made.form),
        period=made.period.name,
        zone=made.period.zone,
        entity=made.entity,
        cut_off=made.cut_off,
        record=made.record,
        hash=made.hash,
    )


async def verify(
    pool: "Pool", form: Form, period: Period, keys: Mapping[str, bytes], *, entity: str | None = None
) -> list[Issued]:
    """Make each return of *form* that was issued on *period* again, and compare; *keys* are those of who signs."""

    async def again(number: int) -> Statement:
        return statement(await make(pool, form, period, at=number, entity=entity))

    return await issuing.verify(pool, _noted(form.id), period, again, keys, entity=entity)


def _noted(form: str) -> str:
    """What returns of that form are called where they are noted as issued."""
    return f"return:{form}"


def _calendar(form: Form) -> "Calendar | None":
    if form.calendar is None:
        return None
    found = read_calendars(POLICIES / "calendars").get(POLICIES / "calendars" / f"{form.calendar}.toml")
    if found is None or isinstance(found, Exception):
        raise LookupError(f"calendar: {form.id} counts days of {form.calendar}, which is not there")
    return found


def to_csv(made: ReturnMade) -> str:
    """A row a line, a column a cell. What is not known is empty; what is suppressed reads ``*``."""
    target = StringIO()
    writer = csv.writer(target, lineterminator="\n")
    by_row = form_of(made.form).kind == "cells"
    writer.writerow([*(["row"] if by_row else []), *made.columns])
    for name, row in made.rows:
        cells = [SUPPRESSED if one.suppressed else inert(one.value or "") for one in row]
        writer.writerow([*([inert(name)] if by_row else []), *cells])
    return target.getvalue()


def to_json(made: ReturnMade, *, over: bool = True) -> str:
    """The return as a JSON document, with what it lacks."""
    return json.dumps(to_data(made, over=over), ensure_ascii=False, indent=2) + "\n"


def to_data(made: ReturnMade, *, over: bool = True) -> dict[str, Any]:
    """The return as data, with whether it is complete and the SHA-256 of what it says.

    None is complete whose period is not *over*.
    """
    return {**made.model_dump(mode="json"), "complete": made.complete and over, "hash": made.hash}
