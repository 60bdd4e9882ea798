"""``redress returns``: what authorities are told of complaints."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.cli.access import read
from starter.cli.options import By, actor
from starter.cli.program import Answer, ExitCode, InvalidInput, Problem, app, command
from starter.cli.reports import (
    CutOff,
    Issue,
    PeriodName,
    PublicKey,
    Zone,
    is_over,
    named_period,
    public_keys,
    signing,
    told,
    verified,
)
from starter.reading.layout import line, table, whole

if TYPE_CHECKING:
    from domain.learning.returns import ReturnMade
    from runtime.database import Pool
    from starter.reports.issuing import Issued

returns = typer.Typer(help="Returns to authorities.", no_args_is_help=True)
app.add_typer(returns, name="returns", rich_help_panel="Learn")

Entity = Annotated[str | None, typer.Option("--entity", metavar="ID", help="Of one company of the firm.")]
FormName = Annotated[str, typer.Argument(metavar="RETURN", help="Such as disp-annex-1r: redress returns list.")]


@command(returns, "list")
def list_() -> Answer:
    """The returns there are."""
    from starter.reports.returns import load_forms

    forms = list(load_forms().values())
    made = table("Return", "What", "To", "Every", "Not confirmed", right=["Not confirmed"], unbroken=["Return"])
    for form in forms:
        open_ = sum(not cell.confirmed for cell in form.cells)
        made.add_row(form.id, form.title.en, form.to, form.every.replace("_", "-"), f"{open_} of {len(form.cells)}")
    return Answer(forms, [made])


@command(returns, "check")
def check(*, name: FormName) -> Answer:
    """Each cell of a return: what it means, where that is said, whether it was read there. Exit 5 if any is open."""
    from starter.reports.returns import form_of

    form = told(lambda: form_of(name))
    made = table("Cell", "Means", "Source", "", unbroken=["Cell"])
    for cell in form.cells:
        state = "confirmed" if cell.confirmed else "not confirmed"
        made.add_row(cell.name, cell.means, cell.source, state if cell.measure else f"{state}, not known here")
    open_ = [cell.name for cell in form.cells if not cell.confirmed or (cell.needed and cell.measure is None)]
    problem = None
    if open_:
        text = f"{form.id} cannot be called complete: {', '.join(open_)}"
        problem = Problem("check_failed", ExitCode.CHECK_FAILED, text)
    return Answer({"form": form, "open": open_}, [made], problem)


@command(returns, "give")
def give(
    *,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="TOML: form, period, cells, read.", exists=True)],
    by: By = None,
) -> Answer:
    """Give what the record does not know of a return, and say where its definitions were read; signed for by --as."""
    from domain.ground.messages import NotAllowed
    from runtime.toml_files import TomlFileError
    from starter.reports import figures
    from starter.reports.returns import form_of

    who = actor(by)
    try:
        file = figures.figures_in(path)
        given = figures.given_of(file, form_of(file.form), who, datetime.now(UTC))
    except (TomlFileError, NotAllowed, ValueError, LookupError) as error:
        raise InvalidInput(str(error)) from None
    read(lambda pool: figures.give(pool, given))
    of = " of ".join(filter(None, (given.period or "every period", given.entity)))
    return Answer(given, [line(f"{given.form}: {len(given.cells)} cell(s) given for {of} by {given.by}")])


@command(returns, "make")
def make(
    *,
    name: FormName,
    period: PeriodName,
    zone: Zone = None,
    cut_off: CutOff = None,
    entity: Entity = None,
    output: Annotated[Path, typer.Option("--output", help="The folder for the files.")] = Path(),
    issue: Issue = False,
    by: By = None,
) -> Answer:
    """Write a return as CSV and JSON. What is not known is left empty and listed; exit code 5 while anything is."""
    from starter.reports import issuing
    from starter.reports import returns as making

    wanted = named_period(period, zone)
    over = is_over(wanted, issue=issue)
    who, sign = str(actor(by)) if issue else None, signing() if issue else None

    async def made(pool: "Pool") -> "ReturnMade":
        found = await making.make(pool, making.form_of(name), wanted, at=cut_off, entity=entity)
        if who:
            await issuing.issue(pool, making.statement(found), who, sign)
        return found

    found: ReturnMade = told(lambda: read(made))
    stem = "-".join(filter(None, (found.form, entity, wanted.name)))
    output.mkdir(parents=True, exist_ok=True)
    files = {output / f"{stem}.csv": making.to_csv(found), output / f"{stem}.json": making.to_json(found, over=over)}
    for path, content in files.items():
        path.write_text(content, encoding="utf-8")
    shown = [whole(str(path)) for path in files]
    nil = ": a nil return" if found.nil else ""
    shown.append(line(f"{len(found.rows)} row(s), of the record up to fact {found.cut_off}{nil}"))
    data = {**making.to_data(found, over=over), "files": [str(path) for path in files]}
    return Answer(data, shown, _problem(found, over=over))


@command(returns, "verify")
def verify(
    *,
    name: FormName,
    period: PeriodName,
    zone: Zone = None,
    entity: Entity = None,
    key: PublicKey = None,
) -> Answer:
    """Make each return that was issued on a period again: the same record, figures and signature, or exit 5."""
    from starter.reports import returns as making

    form, wanted, keys = told(lambda: making.form_of(name)), named_period(period, zone), public_keys(key)
    found: list[Issued] = read(lambda pool: making.verify(pool, form, wanted, keys, entity=entity))
    return verified(found)


def _problem(found: "ReturnMade", *, over: bool) -> Problem | None:
    lacks = [] if over else ["the period is not over"]
    lacks += [f"not known: {', '.join(found.missing)}"] if found.missing else []
    lacks += [f"not confirmed: {', '.join(found.unconfirmed)}"] if found.unconfirmed else []
    if not lacks:
        return None
    return Problem("check_failed", ExitCode.CHECK_FAILED, f"the return is not complete: {'; '.join(lacks)}")
