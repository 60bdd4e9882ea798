"""Commands about the directory: who works on complaints, and what they hold, know and may do."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.cli.access import read, signs
from starter.cli.options import By, actor
from starter.cli.program import Answer, ExitCode, Problem, app, command, invalid
from starter.reading.layout import NONE, exactly, facts, line, spoken, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from domain.people.directory import Directory, Person, Span
    from domain.people.directory_check import DirectoryProblem
    from starter.client.directory import Change

directory = typer.Typer(help="The directory: people, teams, roles, skills, absences, training.", no_args_is_help=True)
app.add_typer(directory, name="directory", rich_help_panel="Look")

_File = Annotated[Path, typer.Argument(metavar="FILE", help="The directory as TOML.", exists=True, dir_okay=False)]


@command(directory, "check")
def check(*, file: _File) -> Answer:
    """Say what is wrong with a directory's file, also for the policy packs in force; exit 5 if anything is."""
    from starter.client.directory import problems, read_directory_file

    found = problems(read_directory_file(file), datetime.now(UTC))
    problem = Problem("check_failed", ExitCode.CHECK_FAILED, f"{file.name}: {len(found)} problems") if found else None
    shown = _problems(found) if found else [line(f"{file.name} is in order, for every policy pack in force.", "green")]
    return Answer({"problems": found}, shown, problem)


@command(directory, "import")
def import_(
    *,
    file: _File,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    by: By = None,
) -> Answer:
    """Have the directory be what the file says; who is not in it has left. What was before stays in the history."""
    from domain.ground.people import SYSTEM
    from starter.client.directory import People, problems, read_directory_file

    who = SYSTEM if dry_run else actor(by)
    if not who.role.is_staff and not dry_run:
        invalid("--as", f"role {who.role.value} may not change the directory; staff may")
    new = read_directory_file(file)
    warnings = [one for one in problems(new, datetime.now(UTC)) if one.severity == "warning"]
    changes = read(lambda pool: People(pool, signs()).replace(new, by=who, dry_run=dry_run))
    shown: list[RenderableType] = [line(f"{one.what:<8} {one.kind} {one.id}") for one in changes]
    shown = shown or [line("The directory was like that already.")]
    return Answer({"dry_run": dry_run, "changes": changes, "problems": warnings}, [*shown, *_problems(warnings)])


@command(directory, "show")
def show(
    *,
    identifier: Annotated[str | None, typer.Argument(metavar="[ID]", help="One person; otherwise all.")] = None,
    history: Annotated[bool, typer.Option("--history", help="What was changed, when and by whom.")] = False,
    version: Annotated[int | None, typer.Option("--version", min=0, help="As it was then.")] = None,
) -> Answer:
    """Who is in which team, holds which roles, knows what, and is away."""
    from starter.client.directory import People

    if history:
        changes = read(lambda pool: People(pool).history(identifier))
        return Answer({"changes": changes}, _history(changes))
    found = read(lambda pool: People(pool).directory(version))
    if identifier is None:
        return Answer(found, _everybody(found))
    one = found.find(identifier)
    if one is None:
        invalid("ID", f"nobody in the directory is called {identifier!r}; `redress directory show` lists everybody")
    return Answer(one, _page(one))


def _problems(found: "list[DirectoryProblem]") -> "list[RenderableType]":
    return [line(f"{one.field}: {one.message}", "red" if one.severity == "error" else "yellow") for one in found]


def _history(changes: "list[Change]") -> "list[RenderableType]":
    made = table("When (UTC)", "Version", "What", "Who", "By", right=["Version"], unbroken=["When (UTC)"])
    for one in changes:
        made.add_row(exactly(one.at), str(one.version), one.what, line(f"{one.kind} {one.id}"), line(one.by))
    return [made]


def _everybody(found: "Directory") -> "list[RenderableType]":
    if not found.people:
        return [line("The directory is empty: redress directory import FILE")]
    today = datetime.now(UTC).date()
    made = table("Person", "Roles", "Teams", "Speaks", "Cases", "", right=["Cases"], unbroken=["Person"])
    for one in sorted(found.people, key=lambda one: one.person):
        made.add_row(
            line(one.id, "bold"),
            ", ".join(spoken(role) for role in one.roles),
            ", ".join(one.teams),
            ", ".join(one.languages),
            str(one.capacity),
            line("away", "yellow") if one.away(today) else "",
        )
    return [made, line(f"Version {found.version}. Cases: how many a person can have open at once.", "dim")]


def _page(one: "Person") -> "list[RenderableType]":
    return [
        line(one.id, "bold"),
        facts(
            {
                "Roles": ", ".join(spoken(role) for role in one.roles),
                "Teams": ", ".join(one.teams),
                "Languages": ", ".join(one.languages),
                "Skills": ", ".join(spoken(skill) for skill in one.skills) or NONE,
                "Cases": f"{one.capacity} at once",
                "Notices": one.address or "to the team",
                "Away": "; ".join(map(_days, one.absences)) or NONE,
                "Training": "; ".join(f"{training.course} {_days(training)}" for training in one.training) or NONE,
                "Conflicts": "; ".join(f"{conflict.account} {_days(conflict)}" for conflict in one.conflicts) or NONE,
            }
        ),
    ]


def _days(days: "Span") -> str:
    return f"{days.first} to {days.last}" if days.last else f"since {days.first}"
