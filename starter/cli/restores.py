"""Commands for after a restore from a backup: declare it, and bring case file and workflows together again."""

import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final
from zoneinfo import ZoneInfo

import typer
from rich.console import RenderableType

from domain.ground.words import Store
from starter.cli.access import read, signs
from starter.cli.options import By, actor, instant, words
from starter.cli.program import Answer, ExitCode, app, command, invalid
from starter.reading.layout import line, table, when

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starter.reading.restores import Restore

_PANEL = "Run"
_UTC: Final = ZoneInfo("UTC")

restore = typer.Typer(help="Restores from a backup.", no_args_is_help=True)
app.add_typer(restore, name="restore", rich_help_panel=_PANEL)


@command(restore, "declare")
def declare(
    *,
    store: Annotated[Store, typer.Option("--store", help="What was brought back from the backup.")],
    since: Annotated[
        str, typer.Option("--since", metavar="MOMENT", help="When the backup was taken; UTC without an offset.")
    ],
    until: Annotated[
        str | None, typer.Option("--until", metavar="MOMENT", help="From when on nothing is lost; by default now.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="What happened (- reads standard input).")],
    by: By = None,
) -> Answer:
    """Write into the record that a store was brought back from a backup, and what range of time it lost."""
    from starter.upkeep import restores

    who, now = actor(by), datetime.now(UTC)
    said = words(reason, "--reason")
    if not said or not said.strip():
        invalid("--reason", "say what happened; it stands in the record")
    begun = instant(since, _UTC, "--since")
    ended = instant(until, _UTC, "--until") if until else now
    try:
        made = read(lambda pool: restores.declare(pool, store, begun, ended, said.strip(), who, now, signs()))
    except ValueError as error:
        option, _, why = str(error).partition(": ")
        invalid("--as" if option == "actor" else f"--{option}", why)
    return Answer(made, [*_table([made]), line("Next: redress reconcile lists every case in doubt.", "dim")])


@command(restore, "list")
def list_() -> Answer:
    """The restores that were declared, the last first."""
    from starter.reading.restores import list_restores

    found = read(list_restores)
    return Answer(found, _table(found) if found else [line("No restore was ever declared.", "green")])


def _table(restores: "Sequence[Restore]") -> list[RenderableType]:
    made = table("No.", "Store", "Lost (UTC)", "Repaired", "Why, and who says so", right=["No.", "Repaired"])
    for one in restores:
        lost = f"{when(one.since)} to {when(one.until)}"
        said = f"{one.reason} ({one.declared_by}, {when(one.declared_at)})"
        made.add_row(str(one.id), one.store, lost, str(one.repaired), line(said))
    return [made]


def _parsed(reference: str) -> str:
    from domain.ground.reference import parse_reference

    return parse_reference(reference)


@command(app, "reconcile", panel=_PANEL)
def reconcile(
    *,
    as_json: bool,
    repair: Annotated[
        bool, typer.Option("--repair", help="Put right what can be; without it nothing is changed.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="MOMENT", help="Leave out what ended before; by default the last restore's."),
    ] = None,
    number: Annotated[
        int | None, typer.Option("--restore", metavar="NO", help="The declared restore; by default the last.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--end", metavar="REF", help="End this case, whose key was given up; with --reason.")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why it is ended (- reads standard input).")] = None,
    by: By = None,
) -> ExitCode:
    """After a restore: list the cases of which file and workflow do not agree, and put them right with --repair."""
    begun = instant(since, _UTC, "--since").isoformat() if since else None
    said = (words(reason, "--reason") or "").strip()
    if bool(end) != bool(said):
        invalid("--reason" if end else "--end", "give both: the case that is ended, and why; it stands in the record")
    ends = {"--end": _parsed(end), "--reason": said} if end else {}
    who = str(actor(by)) if repair or end else None
    given = {"--since": begun, "--restore": number, "--as": who, **ends}
    arguments = [text for option, value in given.items() if value is not None for text in (option, str(value))]
    flags = [flag for flag, wanted in (("--repair", repair), ("--json", as_json)) if wanted]
    # Its program knows the workflows and the activities, which the command line does not.
    command_line = [sys.executable, "-m", "recovery", *arguments, *flags]
    ran = subprocess.run(command_line, capture_output=True, text=True, encoding="utf-8", check=False)  # noqa: S603
    sys.stdout.write(ran.stdout)
    sys.stderr.write(ran.stderr)
    return ExitCode(ran.returncode) if ran.returncode in set(ExitCode) else ExitCode.FAILED
