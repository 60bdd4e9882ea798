"""The command that says what is wrong: doctor."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import RenderableType

from starter.cli.access import viewer
from starter.cli.program import Answer, ExitCode, Problem, app, command
from starter.reading.layout import line, span

if TYPE_CHECKING:
    from starter.upkeep.diagnosis import Diagnosis


@command(app, "doctor", panel="Look")
def doctor() -> Answer:
    """What is wrong with the installation now, on one page, and what to do about it; exit code 1 if anything is."""
    from runtime.settings import load_settings
    from runtime.temporal import run
    from starter.upkeep.doctor import diagnose

    found = run(diagnose(load_settings(), viewer()))
    problem = None
    if found.troubles or found.unchecked:
        count = len(found.troubles) + sum(found.more.values())
        told = f"{count} thing(s) are wrong" if count else "not everything could be looked at"
        problem = Problem("failed", ExitCode.FAILED, told)
    return Answer(found, _page(found), problem)


def _page(found: "Diagnosis") -> list[RenderableType]:
    from starter.upkeep.diagnosis import TO_DO, Kind

    now = datetime.now(UTC)
    shown: list[RenderableType] = []
    for kind in Kind:
        troubles = [trouble for trouble in found.troubles if trouble.kind is kind]
        if not troubles:
            continue
        shown.append(line(kind.value.replace("_", " ").capitalize(), "bold red"))
        for trouble in troubles:
            age = f", for {span(now - trouble.since)}" if trouble.since else ""
            shown.append(line(f"  {trouble.subject}: {trouble.what}{age}"))
        if kind in found.more:
            shown.append(line(f"  and {found.more[kind]} more"))
        shown.append(line(f"  → {TO_DO[kind]}", "yellow"))
    shown += [line(f"Not looked at: {part}", "yellow") for part in found.unchecked]
    return shown or [line("Nothing is wrong.", "green")]
