"""What every command of ``redress`` has in common: an answer for people or as JSON, errors, exit codes."""

import functools
import inspect
import io
import json
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any, Final, NamedTuple, NoReturn, TypeVar

import typer
from rich.console import Console, RenderableType
from rich.text import Text
from typer.core import TyperGroup
from typer.main import get_command


class ExitCode(IntEnum):
    """What the end of a command means. Documented in ``docs/command-line.md``."""

    DONE = 0
    FAILED = 1
    INVALID = 2
    NOT_FOUND = 3
    UNAVAILABLE = 4
    CHECK_FAILED = 5
    INTERRUPTED = 130


class InvalidInput(ValueError):
    """What was typed or read does not fit. The message names the option, argument or field."""


class Failed(RuntimeError):
    """The command could not do what it was asked. The message says why and what to do."""


@dataclass(frozen=True)
class Answer:
    """What a command found or did: ``data`` is the document of ``--json``, ``shown`` is for people.

    ``problem``, if something was wrong all the same, is told on standard error after it.
    """

    data: Any
    shown: Sequence[RenderableType]
    problem: "Problem | None" = None


class Problem(NamedTuple):
    """What went wrong: its kind for programs, the exit code, and the words for people."""

    kind: str
    code: ExitCode
    message: str


# Errors by name, so that reporting one does not load what it is about.
_ERRORS: Final[Mapping[str, tuple[str, ExitCode]]] = {
    "starter.cli.program.InvalidInput": ("invalid_input", ExitCode.INVALID),
    "starter.cli.program.Failed": ("failed", ExitCode.FAILED),
    "pydantic_core._pydantic_core.ValidationError": ("invalid_input", ExitCode.INVALID),
    "domain.people.actors.NotProven": ("refused", ExitCode.FAILED),
    "domain.ground.reference.InvalidReference": ("invalid_reference", ExitCode.INVALID),
    "starter.client.complaints.InvalidComplaint": ("invalid_input", ExitCode.INVALID),
    "starter.client.complaints.CaseNotFound": ("not_found", ExitCode.NOT_FOUND),
    "starter.client.complaints.CaseClosed": ("refused", ExitCode.FAILED),
    "starter.client.conversation.Refused": ("refused", ExitCode.FAILED),
    "starter.client.conversation.NotAnswered": ("no_answer", ExitCode.UNAVAILABLE),
    "starter.reading.database.CaseNotFound": ("not_found", ExitCode.NOT_FOUND),
    "starter.upkeep.api_keys.NoSuchKey": ("not_found", ExitCode.NOT_FOUND),
    "starter.upkeep.subscriptions.NoSuchSubscription": ("not_found", ExitCode.NOT_FOUND),
    "starter.upkeep.subscriptions.TooMany": ("refused", ExitCode.FAILED),
    "starter.upkeep.erasing.ErasureNotFound": ("not_found", ExitCode.NOT_FOUND),
    "record.erasing.NobodyHeld": ("not_found", ExitCode.NOT_FOUND),
    "domain.ground.messages.NotAllowed": ("refused", ExitCode.FAILED),
    "starter.reading.intake.NothingReceived": ("not_found", ExitCode.NOT_FOUND),
    "starter.client.incidents.IncidentNotFound": ("not_found", ExitCode.NOT_FOUND),
    "starter.client.directory.DirectoryInvalid": ("invalid_input", ExitCode.INVALID),
    "runtime.toml_files.TomlFileError": ("invalid_input", ExitCode.INVALID),
    "starter.importing.failing.ImportFailed": ("failed", ExitCode.FAILED),
    "runtime.settings.ConfigurationError": ("invalid_configuration", ExitCode.INVALID),
    "runtime.shelf.PolicyError": ("invalid_configuration", ExitCode.INVALID),
    "runtime.policies.UnknownPolicyPack": ("invalid_input", ExitCode.INVALID),
    "runtime.policies.PolicyIncomplete": ("invalid_input", ExitCode.INVALID),
    "runtime.calendars.CalendarError": ("invalid_configuration", ExitCode.INVALID),
    "starter.reading.comparing.NothingPinned": ("invalid_input", ExitCode.INVALID),
    "runtime.postgres.DatabaseUnavailable": ("unavailable", ExitCode.UNAVAILABLE),
    "runtime.database.MigrationError": ("failed", ExitCode.FAILED),
    "runtime.keys.keyring.KeysUnavailable": ("unavailable", ExitCode.UNAVAILABLE),
    "runtime.keys.vault.KeyUnknown": ("unavailable", ExitCode.UNAVAILABLE),
    "runtime.keys.vault.KeyDestroyed": ("failed", ExitCode.FAILED),
    "runtime.keys.here.NoKeys": ("invalid_configuration", ExitCode.INVALID),
    "runtime.connection.TemporalUnavailable": ("unavailable", ExitCode.UNAVAILABLE),
    "runtime.child.StackError": ("failed", ExitCode.FAILED),
    "asyncpg.exceptions.UndefinedTableError": ("unavailable", ExitCode.UNAVAILABLE),
    "asyncpg.exceptions.UndefinedColumnError": ("unavailable", ExitCode.UNAVAILABLE),
    "asyncpg.exceptions.InsufficientPrivilegeError": ("unavailable", ExitCode.UNAVAILABLE),
    "asyncpg.exceptions._base.PostgresError": ("unavailable", ExitCode.UNAVAILABLE),
    "asyncpg.exceptions._base.InterfaceError": ("unavailable", ExitCode.UNAVAILABLE),
    "asyncpg.exceptions._base.InternalClientError": ("unavailable", ExitCode.UNAVAILABLE),
    "builtins.OSError": ("failed", ExitCode.FAILED),
}

app = typer.Typer(
    name="redress",
    help="Complaints, handled durably: submit them, see where they stand, and act on them.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def by_default(name: str) -> type[TyperGroup]:
    """A group of commands in which *name* may be left out: its arguments alone are that command."""

    class Group(TyperGroup):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            known = {*self.commands, *ctx.help_option_names}
            if (args or not self.no_args_is_help) and (not args or args[0] not in known):
                args = [name, *args]
            parsed: list[str] = super().parse_args(ctx, args)
            return parsed

    return Group


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"redress {version('redress-service')}")  # noqa: T201
        except PackageNotFoundError:
            print("redress, not installed")  # noqa: T201
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
_DEBUG = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


Command = Callable[..., "Answer | ExitCode"]
F = TypeVar("F", bound=Command)


COMMAND: Final[ContextVar[str]] = ContextVar("COMMAND", default="command")
"""The command that is given, such as ``intake show``."""


def command(group: typer.Typer, name: str, *, panel: str | None = None) -> Callable[[F], F]:
    """Make a function a command of *group*, with ``--json`` and ``--debug``.

    It returns what is to be printed; or it takes ``as_json``, prints by itself and returns the exit code.
    """

    def register(function: F) -> F:
        @functools.wraps(function)
        def run(*, as_json: bool, debug: bool, **arguments: Any) -> int:
            of = [one.name for one in app.registered_groups if one.typer_instance is group]
            COMMAND.set(" ".join([*map(str, of), name]))
            if prints_itself:
                arguments["as_json"] = as_json
            try:
                answer = function(**arguments)
                if isinstance(answer, ExitCode):
                    return answer
                show(answer, as_json=as_json)
            except KeyboardInterrupt:
                return ExitCode.INTERRUPTED
            except BrokenPipeError:  # a reader such as `head` has seen enough; typer ends quietly
                raise
            except Exception as error:
                if debug:
                    traceback.print_exception(error)
                return _report(*explain(error), as_json=as_json)
            return _report(*answer.problem, as_json=as_json) if answer.problem else ExitCode.DONE

        signature = inspect.signature(function, eval_str=True)
        others = [parameter for parameter in signature.parameters.values() if parameter.name != "as_json"]
        prints_itself = "as_json" in signature.parameters
        own = [
            inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_JSON),
            inspect.Parameter("debug", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_DEBUG),
        ]
        run.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[*others, *own], return_annotation=int
        )
        group.command(name, rich_help_panel=panel)(run)
        return function

    return register


def main(arguments: Sequence[str] | None = None, *, of: typer.Typer = app, name: str = "redress") -> int:
    """Run ``redress`` with these arguments, by default those of the process. Returns the exit code.

    A program of its own that speaks as ``redress`` does gives its own commands, *of*, and its *name*.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot show a character still shows the others
            stream.reconfigure(errors="replace")
    try:
        return int(_tree(of).main(args=list(arguments), prog_name=name, standalone_mode=False) or 0)
    except (KeyboardInterrupt, typer.Abort):
        return ExitCode.INTERRUPTED
    except Exception as error:
        if not (wrong_usage := getattr(error, "format_message", None)):
            raise
        if not error.args or not str(wrong_usage()):  # `redress` alone has printed its help
            return ExitCode.INVALID
        context = getattr(error, "ctx", None)
        hint = f" (see {context.command_path} --help)" if context else ""
        text = _too_early(error, arguments) or wrong_usage().replace(": Value error, ", ": ").rstrip(".")
        return _report("usage", ExitCode.INVALID, f"{text}{hint}", as_json=as_json)


def _too_early(error: Exception, typed: Sequence[str]) -> str | None:
    """What to say of an option that stands before the command that has it."""
    context, option = getattr(error, "ctx", None), getattr(error, "option_name", None)
    if context is None or option is None or (of := _having(option, context.command, typed)) is None:
        return None
    example = " ".join([context.command_path, *of, option])
    return f"{option} belongs after the command, as in `{example}`"


def _having(option: str, group: Any, typed: Sequence[str]) -> list[str] | None:
    """A command below *group* that has *option*, the first that was typed before others; ``None`` where none has."""
    place = {word: at for at, word in reversed(list(enumerate(typed)))}
    for name, one in sorted(getattr(group, "commands", {}).items(), key=lambda each: place.get(each[0], len(typed))):
        if any(option in (*parameter.opts, *parameter.secondary_opts) for parameter in one.params):
            return [name]
        if (below := _having(option, one, typed)) is not None:
            return [name, *below]
    return None


_tree: Final = functools.cache(get_command)
"""The commands of a program, put together once: that takes longer than most of them."""


def people() -> Console:
    """Where people read: standard output."""
    return Console(markup=False, highlight=False, emoji=False)


def aside() -> Console:
    """Where progress and errors go: standard error."""
    return Console(stderr=True, markup=False, highlight=False, emoji=False)


def to_json(data: Any) -> str:
    """*data*, of models and plain values, as a JSON document."""
    from pydantic_core import to_jsonable_python

    plain = to_jsonable_python(data)
    ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    return json.dumps(plain, ensure_ascii=ascii_only, indent=2)


def show(answer: Answer, *, as_json: bool) -> None:
    """Print *answer* on standard output."""
    if as_json:
        sys.stdout.write(to_json(answer.data) + "\n")
        sys.stdout.flush()
        return
    console = people()
    for shown in answer.shown:
        # A line with a path or an address to copy is left whole, whatever the width.
        console.print(shown, soft_wrap=isinstance(shown, Text) and bool(shown.no_wrap))


def explain(error: Exception) -> Problem:
    """What *error* means to whoever gave the command."""
    for known in type(error).__mro__:
        if found := _ERRORS.get(f"{known.__module__}.{known.__qualname__}"):
            return Problem(*found, _words(error))
    text = f"unexpected {type(error).__name__}: {error}. Repeat it with --debug to see where."
    return Problem("internal", ExitCode.FAILED, text)


def _words(error: Exception) -> str:
    module = type(error).__module__
    if module.startswith("pydantic_core"):
        from domain.case import complaint

        return complaint.explain(error)  # type: ignore[arg-type]
    if module.startswith("asyncpg"):
        if type(error).__name__ in {"UndefinedTableError", "UndefinedColumnError"}:
            return "the database has no case file, or an older one: run `redress migrate`"
        from runtime.redaction import in_a_line

        return f"PostgreSQL: {in_a_line(error)}"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _report(kind: str, code: ExitCode, message: str, *, as_json: bool) -> ExitCode:
    if as_json:
        sys.stderr.write(to_json({"error": {"kind": kind, "message": message}}) + "\n")
    else:
        aside().print(Text.assemble(("redress: ", "bold red"), message), soft_wrap=True)
    return code


def invalid(option: str, reason: str) -> NoReturn:
    """Raise :class:`InvalidInput` for what was given for *option*."""
    raise InvalidInput(f"{option}: {reason}")
