"""Contract specifications: what a lot is, since when, and by whom it was corrected."""

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from starter.cli.access import read
from starter.cli.options import By, actor, instant, words
from starter.cli.program import Answer, app, command, invalid
from starter.reading.layout import NONE, exactly, facts, line, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from domain.log.trade_log import Instrument
    from starter.upkeep.instruments import Correction, Specification

instrument = typer.Typer(help="Contract specifications: dated, and corrected with a reason.", no_args_is_help=True)
app.add_typer(instrument, name="instrument", rich_help_panel="Bring in")
_Symbol = Annotated[str, typer.Argument(metavar="SYMBOL", help="The instrument, such as XAUUSD.")]


@command(instrument, "show")
def show(*, symbol: _Symbol) -> Answer:
    """What a lot of an instrument is, since when, and what was corrected, by whom and why."""
    from starter.upkeep.instruments import UnknownInstrument, specifications

    try:
        found = read(lambda pool: specifications(pool, symbol))
    except UnknownInstrument as error:
        invalid("SYMBOL", str(error))
    return Answer(found, _history(found))


@command(instrument, "correct")
def correct(
    *,
    symbol: _Symbol,
    reason: Annotated[str, typer.Option("--reason", help="Why (- reads standard input).")],
    contract_size: Annotated[str | None, typer.Option("--contract-size", help="Units a lot.")] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="Of its prices.")] = None,
    digits: Annotated[int | None, typer.Option("--digits", min=0, max=8, help="Decimals of its prices.")] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="MOMENT", help="From when on; otherwise from the beginning.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what rests on the old one.")] = False,
    by: By = None,
) -> Answer:
    """Correct what a lot of an instrument is, and name the cases and incidents that were reckoned with the old one.

    Findings stay as they were made; `redress investigate --case` makes them anew, `redress incident relist` a list.
    """
    from pydantic import ValidationError

    from starter.upkeep.instruments import NothingToCorrect, UnknownInstrument
    from starter.upkeep.instruments import correct as record

    who = actor(by)
    if not who.role.is_staff:
        invalid("--as", f"role {who.role.value} may not correct an instrument; staff may")
    given = {"contract_size": _size(contract_size), "currency": currency, "digits": digits}
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        invalid("--contract-size", "say what is to be corrected: --contract-size, --currency or --digits")
    moment, why = instant(since, ZoneInfo("UTC"), "--from") if since else None, words(reason, "--reason") or ""
    try:
        done = read(
            lambda pool: record(pool, symbol, changes, effective_from=moment, by=who, reason=why, dry_run=dry_run)
        )
    except (UnknownInstrument, NothingToCorrect) as error:
        invalid("SYMBOL", str(error))
    except ValidationError as error:
        invalid("--" + str(error.errors()[0]["loc"][0]).replace("_", "-"), error.errors()[0]["msg"])
    return Answer({"dry_run": dry_run, "correction": done}, _corrected(done, dry_run=dry_run))


def _size(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        invalid("--contract-size", f"{text!r} is no number")


def _said(one: "Instrument") -> str:
    return f"{one.contract_size.normalize():f} units a lot, {one.currency}, {one.digits} digits"


def _corrected(done: "Correction", *, dry_run: bool) -> "list[RenderableType]":
    shown = {
        "Was": _said(done.old),
        "Would be" if dry_run else "Is": _said(done.new),
        "From": exactly(done.effective_from) if done.effective_from else "the beginning",
        "Rows of the log": f"{done.fills} fills and {done.positions} positions",
        "Cases": ", ".join(done.cases) or "none was reckoned with it",
        "Incidents": ", ".join(done.incidents) or "none was reckoned with it",
    }
    after = "Findings stay as they were made; investigate these cases again, and list these incidents anew."
    return [facts(shown), *([line(after, "yellow")] if done.cases or done.incidents else [])]


def _history(found: "list[Specification]") -> "list[RenderableType]":
    made = table("From", "What a lot is", "Recorded", "By", "Why")
    for one in found:
        made.add_row(
            exactly(one.effective_from) if one.effective_from else "the beginning",
            _said(one.instrument),
            exactly(one.recorded_at) if one.recorded_at else NONE,
            line(one.recorded_by or NONE),
            line(one.reason or NONE),
        )
    return [made]
