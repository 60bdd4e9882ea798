"""The command that brings complaints in: submit."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from starter.cli.access import talk
from starter.cli.options import BRING_IN, content_of
from starter.cli.pages import submitted as pages_submitted
from starter.cli.program import Answer, InvalidInput, Problem, app, command, explain

if TYPE_CHECKING:
    from domain.case.complaint import Complaint
    from starter.client.complaints import Complaints, Submitted

_AT_ONCE: Final = 16  # complaints submitted at the same time


@dataclass
class _Item:
    """A complaint as it was given, and what became of it. ``position`` counts from 1."""

    position: int
    complaint: "Complaint | None" = None
    submitted: "Submitted | None" = None
    problem: Problem | None = None


@command(app, "submit", panel=BRING_IN)
def submit(
    *,
    file: Annotated[
        Path, typer.Argument(metavar="FILE|-", help="A JSON object, a JSON array, or JSON lines; - is standard input.")
    ],
) -> Answer:
    """Submit complaints. Each gets a case; one that has a case already keeps it. What does not fit is named."""
    text, name = content_of(file)
    values = _values(text, name)
    items = [_checked(position, value) for position, value in enumerate(values, start=1)]
    if good := [item for item in items if item.complaint]:
        talk(lambda complaints: _submit(complaints, good))
    done = [{"position": item.position, **item.submitted._asdict()} for item in items if item.submitted]
    bad = [
        {"position": item.position, "kind": item.problem.kind, "error": item.problem.message}
        for item in items
        if item.problem
    ]
    problem = None
    if problems := [item.problem for item in items if item.problem]:
        worst = max(problems, key=lambda problem: problem.code)
        many = f"{len(problems)} of {len(items)} complaints were not submitted"
        problem = worst if len(items) == 1 else worst._replace(message=f"{name}: {many}")
        if len(items) == 1:
            return Answer({"submitted": done, "rejected": bad}, [], problem)
    return Answer({"submitted": done, "rejected": bad}, pages_submitted(done, bad), problem)


def _checked(position: int, value: Any) -> _Item:
    from pydantic import ValidationError

    from domain.case.complaint import Complaint
    from runtime.policies import PolicyIncomplete, UnknownPolicyPack, find_policy

    if isinstance(value, InvalidInput):
        return _Item(position, problem=explain(value))
    try:
        complaint = Complaint.model_validate(value)
        if complaint.policy:
            find_policy(complaint.policy, complaint.received_at)
    except (ValidationError, UnknownPolicyPack, PolicyIncomplete) as error:
        return _Item(position, problem=explain(error))
    except ValueError as error:  # of two packs that cannot be combined
        return _Item(position, problem=explain(InvalidInput(str(error))))
    return _Item(position, complaint=complaint)


async def _submit(complaints: "Complaints", items: list[_Item]) -> None:
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(item: _Item) -> None:
        async with turns:
            assert item.complaint is not None  # noqa: S101
            try:
                item.submitted = await complaints.submit(item.complaint)
            except Exception as error:
                item.problem = explain(error)

    await asyncio.gather(*map(one, items))


def _values(text: str, name: str) -> list[Any]:
    """The JSON values in *text*: of an array, of lines, or the one there is. A bad line is its error."""
    if not text.strip():
        raise InvalidInput(f"{name}: there is nothing in it")
    try:
        value = _parse(text, name)
    except InvalidInput:
        lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
        # An object spread over lines has none that is an object by itself and stands at the margin.
        if not text.lstrip().startswith("{") or not any(_is_object(line) for _, line in lines):
            raise
        return [_or_error(line, name, number) for number, line in lines]
    return value if isinstance(value, list) else [value]


def _or_error(line: str, name: str, number: int) -> Any:
    try:
        return _parse(line, name, number)
    except InvalidInput as error:
        return error


def _is_object(line: str) -> bool:
    try:
        return line.startswith("{") and isinstance(_parse(line, ""), dict)
    except InvalidInput:
        return False


def _parse(text: str, name: str, first_line: int = 1) -> Any:
    """*text* as JSON, numbers exact. Raises :class:`InvalidInput` with line and column."""
    from domain.ground.json_text import read_json

    try:
        return read_json(text)
    except json.JSONDecodeError as error:
        where = f"{name}, line {first_line + error.lineno - 1}, column {error.colno}"
        raise InvalidInput(f"{where}: not JSON: {error.msg}") from None
    except RecursionError:
        raise InvalidInput(f"{name}: nested too deeply") from None
    except ValueError as error:
        raise InvalidInput(f"{name}: {error}") from None
