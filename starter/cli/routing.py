"""Commands about whose hands a case is in."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from starter.cli.access import read
from starter.cli.case_pages import tasks
from starter.cli.options import By, Reference, actor
from starter.cli.program import Answer, ExitCode, Problem, app, command
from starter.reading.layout import NONE, exactly, from_now, line, spoken, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from domain.people.directory import Refresher
    from domain.people.inbox import Item
    from domain.people.recusal import Recusal
    from domain.people.routing import Candidate
    from starter.reading.hands import Assignment

route = typer.Typer(help="Routing: in whose hands a case is, and why.", no_args_is_help=True)
app.add_typer(route, name="route", rich_help_panel="Look")


@command(route, "explain")
def explain(*, reference: Reference) -> Answer:
    """Why the case is in the hands it is in, and who is kept out; exit 5 where the record leads to somebody else."""
    from domain.ground.reference import parse_reference
    from starter.reading.hands import explain_route

    found = read(lambda pool: explain_route(pool, parse_reference(reference)))
    shown: list[RenderableType] = []
    for one in found.assignments:
        shown += _assignment(one)
    shown = shown or [line("Nobody was looked for: the directory was empty when the case was opened.")]
    wrong = [one.number for one in found.assignments if one.reproduced is False]
    problem = None
    if wrong:
        text = f"assignment {wrong[0]}: what was recorded leads to somebody else now"
        problem = Problem("check_failed", ExitCode.CHECK_FAILED, text)
    return Answer(found, [*shown, *_recusals(found.recusals)], problem)


def _assignment(one: "Assignment") -> "list[RenderableType]":
    who = one.person or "nobody"
    head = f"{one.number}. {exactly(one.at)}  {who} as {spoken(one.role)}, {spoken(one.cause.partition(':')[0])}"
    if one.need is None:
        return [line(f"{head}, by {one.by}", "bold")]
    made = table("Looked at", "Role", "Language", "Room", "Earlier case", "Skills", "Why not")
    for candidate in one.candidates:
        made.add_row(*_row(candidate))
    need = one.need
    asked = f"{spoken(need.category)}, {need.language}, {need.priority.value}, team {need.team or NONE}"
    return [line(head, "bold"), line(f"Needed: {asked}; directory {one.directory}", "dim"), made]


def _row(candidate: "Candidate") -> "list[RenderableType]":
    if candidate.why_not:
        return [line(candidate.id), spoken(candidate.role), *[NONE] * 4, line(candidate.why_not, "yellow")]
    marks = ["yes" if said else "no" for said in (candidate.speaks_language, candidate.has_room, candidate.had_earlier)]
    return [line(candidate.id, "bold"), spoken(candidate.role), *marks, str(candidate.skills), ""]


def _recusals(recusals: "tuple[Recusal, ...]") -> "list[RenderableType]":
    shown: list[RenderableType] = []
    for one in recusals:
        days = f", {one.first} to {one.last or 'further notice'}" if one.first else ""
        shown.append(line(f"Kept out: {one.person} ({one.why.value}: {one.about}{days})", "yellow"))
    return shown


@command(app, "inbox", panel="Look")
def inbox(
    *,
    by: By = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many at most.")] = 50,
) -> Answer:
    """What is on your desk, recurrences first, by next duty: tasks, cases, what you decide, your team's cases."""
    from starter.reading.inbox import read_inbox, read_refreshers
    from starter.reading.tasks import get_tasks

    who, now = actor(by), datetime.now(UTC)
    given = read(lambda pool: get_tasks(pool, now, owner=who.id, limit=limit))
    items = read(lambda pool: read_inbox(pool, who.id, now, limit=limit))
    courses = read(lambda pool: read_refreshers(pool, who.id, now))
    data = {
        "training": [one.model_dump(mode="json") for one in courses],
        "tasks": [{**one.model_dump(mode="json"), "command": one.command} for one in given],
        "cases": [{**item.model_dump(mode="json"), "command": item.command} for item in items],
    }
    shown: list[RenderableType] = [tasks(given, now)] if given else []
    shown += [_training(courses)] if courses else []
    if items:
        shown += _cases(items, now)
    return Answer(data, shown or [line("Nothing is on your desk.", "green")])


def _training(courses: "list[Refresher]") -> "RenderableType":
    made = table("Training", "Who", "Counts until", "Next step", unbroken=["Training", "Counts until"])
    for one in courses:
        until = line(one.due.isoformat(), "bold red" if one.overdue else "")
        made.add_row(line(one.course, "bold"), one.person, until, "pass it again, and have the directory say so")
    return made


def _cases(items: "list[Item]", now: datetime) -> "list[RenderableType]":
    made = table("Case", "Why", "Pri", "Next duty", "Next step", unbroken=["Case", "Why", "Next duty"])
    for item in items:
        case = item.case
        late = case.next_duty is not None and case.next_duty <= now
        due = line(from_now(case.next_duty, now, 1) if case.next_duty else NONE, "bold red" if late else "")
        made.add_row(
            line(case.reference, "bold"),
            f"{item.why}, again" if case.repeat else item.why,
            case.priority or NONE,
            due,
            line(f"{item.step.value} (you lack {', '.join(item.lacking)})" if item.lacking else item.step.value),
        )
    commands = [line(f"redress {item.command}", "dim") for item in items[:1] if item.command]
    return [made, *commands]
