"""What an error may say where others read it: logs, and failures in Temporal. Never what a customer wrote.

Messages of our own errors, and of Temporal's, are made of words that are safe to tell. Everybody else's may quote the
value that they are about, as pydantic's do, PostgreSQL's, or a `KeyError`: of these their kind is told, what is known
about the place, and never their text.
"""

import traceback
from collections.abc import Iterator
from typing import Final

import asyncpg
from pydantic import ValidationError

OURS: Final = frozenset(
    {"domain", "workflows", "activities", "runtime", "starter", "recovery", "trial", "worker", "__main__"}
)
"""The rooms whose errors and loggers say nothing that they may not."""
_SAFE: Final = OURS | {"temporalio"}
_MOST_TOLD: Final = 5
# Of the server itself, of rights and of names in statements, of locks and limits, and what our own triggers raise.
_ABOUT_NO_ROW: Final = frozenset({"08", "25", "28", "3D", "40", "42", "53", "54", "55", "57", "58", "P0"})


def told(error: BaseException) -> str:
    """What *error* may say, without its type; empty if nothing."""
    if type(error).__module__.partition(".")[0] in _SAFE:
        return str(error)
    match error:
        case ValidationError():
            return _misfits(error)
        case asyncpg.PostgresError():
            return _of_postgres(error)
        case OSError():
            return error.strerror or ""
        case _:
            return ""


def kind(error: BaseException) -> str:
    """The type of *error*, with its module unless everybody knows it."""
    module, name = type(error).__module__, type(error).__qualname__
    return name if module in {"builtins", "__main__"} else f"{module}.{name}"


def in_a_line(error: BaseException) -> str:
    """Type and words of *error*, as the last line of a traceback."""
    words = told(error)
    return f"{kind(error)}: {words}" if words else kind(error)


def traced(error: BaseException) -> str:
    """The traceback of *error* and of those it came from: places in the code, and no values."""
    return "".join(_traced(error, set())).rstrip("\n")


def chain(error: BaseException) -> Iterator[BaseException]:
    """*error*, those it came from, and those of a group."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions


def _traced(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    if error.__cause__ is not None and id(error.__cause__) not in seen:
        yield from _traced(error.__cause__, seen)
        yield "\nThe above exception was the direct cause of the following exception:\n\n"
    elif error.__context__ is not None and not error.__suppress_context__ and id(error.__context__) not in seen:
        yield from _traced(error.__context__, seen)
        yield "\nDuring handling of the above exception, another exception occurred:\n\n"
    if error.__traceback__:
        yield "Traceback (most recent call last):\n"
        yield from traceback.format_tb(error.__traceback__)
    yield f"{in_a_line(error)}\n"
    if isinstance(error, BaseExceptionGroup):
        for number, each in enumerate(error.exceptions, start=1):
            yield f"\nException {number} of {len(error.exceptions)} in it:\n\n"
            yield from _traced(each, seen)


def _misfits(error: ValidationError) -> str:
    """The fields, by name and kind of misfit. Deeper down, and where there is no such field, names are input too."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    problems = [
        f"{problem['loc'][0]}: {problem['type']}"
        if problem["loc"] and problem["type"] != "extra_forbidden"
        else problem["type"]
        for problem in found[:_MOST_TOLD]
    ]
    more = [f"and {len(found) - _MOST_TOLD} more"] if len(found) > _MOST_TOLD else []
    return f"{error.title} ({'; '.join([*problems, *more])})"


def _of_postgres(error: asyncpg.PostgresError) -> str:
    state = str(error.sqlstate or "")
    if state[:2] in _ABOUT_NO_ROW and error.args:
        return f"{state} {error.args[0]}"  # the message; detail and hint are not in it
    names = ("schema_name", "table_name", "column_name", "constraint_name")
    where = ".".join(str(name) for each in names if (name := getattr(error, each, None)))
    return f"{state} {where}".strip()
