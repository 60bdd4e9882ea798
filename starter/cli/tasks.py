"""Commands about tasks: what somebody has to do beside handling a case."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from domain.ground.words import Role, TaskKind
from starter.cli.access import read
from starter.cli.acting import send
from starter.cli.case_pages import tasks
from starter.cli.options import By, MessageId, Reference, moment, one_of, words
from starter.cli.program import Answer, app, command, invalid
from starter.reading.layout import line

task = typer.Typer(help="What somebody has to do beside handling a case.", no_args_is_help=True)
app.add_typer(task, name="task", rich_help_panel="Act on a case")

_Number = Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="The task, as redress task list has it.")]


@command(task, "list")
def list_(
    *,
    reference: Annotated[str | None, typer.Argument(metavar="[REF]", help="One case, or all open tasks.")] = None,
    owner: Annotated[str | None, typer.Option("--owner", metavar="ID", help="Only whose they are.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many at most.")] = 200,
) -> Answer:
    """The tasks of a case; or all that are open, the earliest due first."""
    from domain.ground.reference import parse_reference
    from starter.reading.tasks import get_tasks

    now, asked = datetime.now(UTC), parse_reference(reference) if reference else None
    found = read(lambda pool: get_tasks(pool, now, reference=asked, owner=owner, limit=limit))
    if owner and asked:
        found = [one for one in found if one.owner and one.owner.casefold() == owner.casefold()]
    data = [{**one.model_dump(mode="json"), "command": one.command} for one in found]
    return Answer(data, [tasks(found, now)] if found else [line("There is no task.")])


@command(task, "give")
def give(
    *,
    reference: Reference,
    kind: Annotated[str, typer.Argument(metavar="KIND", help=", ".join(TaskKind))],
    what: Annotated[str | None, typer.Option("--what", help="More of it, in a line.")] = None,
    owner: Annotated[str | None, typer.Option("--to", metavar="ID", help="Who has it.")] = None,
    role: Annotated[
        str | None, typer.Option("--role", metavar="ROLE", help="Somebody in this role, whom the directory names.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="WHEN", help="When it is due; by default as the pack says.")
    ] = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Give somebody a task: an expert to be consulted, a call, a review."""
    return send(
        "give_task",
        reference,
        by,
        message_id,
        kind=one_of(TaskKind, kind, "KIND"),
        what=what,
        owner=owner,
        role=_role(role) if role else None,
        until=moment(until, "--until") if until else None,
    )


def _role(text: str) -> str:
    roles = [role.value for role in Role if role.is_staff]
    if text not in roles:
        invalid("--role", f"{text!r} is not one of {', '.join(roles)}")
    return text


@command(task, "done")
def done(
    *,
    reference: Reference,
    number: _Number,
    result: Annotated[str, typer.Option("--result", help="What came of it (- reads standard input).")],
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Say that a task is done, and what came of it."""
    return send("finish_task", reference, by, message_id, task=number, result=words(result, "--result"))


@command(task, "reassign")
def reassign(
    *,
    reference: Reference,
    number: _Number,
    owner: Annotated[str, typer.Option("--to", metavar="ID", help="Who has it from now on.")],
    reason: Annotated[str | None, typer.Option("--reason", help="Why (- reads standard input).")] = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Give a task to somebody else."""
    return send("reassign_task", reference, by, message_id, task=number, owner=owner, reason=words(reason, "--reason"))
