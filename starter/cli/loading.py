"""Commands that bring something in, or look something up in the trade log: submit, import, investigate."""

import asyncio
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from starter.cli import pages
from starter.cli.access import database, talk
from starter.cli.acting import send
from starter.cli.options import By, Language, MessageId, Tongue, content_of, one_of
from starter.cli.program import Answer, ExitCode, Failed, InvalidInput, Problem, app, aside, command, explain

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import TaskID

    from domain.complaint import Complaint
    from domain.findings import Investigation, InvestigationRequest
    from domain.server_clock import ServerClock
    from domain.trade_log import Instrument
    from domain.trade_log_csv import Kind
    from starter.client import Complaints, Submitted
    from starter.importing import ImportReport, LogRows, Reading

_PANEL = "Bring in"

# -- submit ------------------------------------------------------------------------------------------------------------

_AT_ONCE: Final = 16  # complaints submitted at the same time


@dataclass
class _Item:
    """A complaint as it was given, and what became of it. ``position`` counts from 1."""

    position: int
    complaint: "Complaint | None" = None
    submitted: "Submitted | None" = None
    problem: Problem | None = None


@command(app, "submit", panel=_PANEL)
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
    return Answer({"submitted": done, "rejected": bad}, pages.submitted(done, bad), problem)


def _checked(position: int, value: Any) -> _Item:
    from pydantic import ValidationError

    from domain.complaint import Complaint

    if isinstance(value, InvalidInput):
        return _Item(position, problem=explain(value))
    try:
        return _Item(position, complaint=Complaint.model_validate(value))
    except ValidationError as error:
        return _Item(position, problem=explain(error))


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
    from domain.json_text import read_json

    try:
        return read_json(text)
    except json.JSONDecodeError as error:
        where = f"{name}, line {first_line + error.lineno - 1}, column {error.colno}"
        raise InvalidInput(f"{where}: not JSON: {error.msg}") from None
    except RecursionError:
        raise InvalidInput(f"{name}: nested too deeply") from None
    except ValueError as error:
        raise InvalidInput(f"{name}: {error}") from None


# -- import ------------------------------------------------------------------------------------------------------------


KINDS: Final = (
    "instruments, quotes, bars, orders, fills, positions, account_entries, messages, order_events, account_terms,"
    " balances, charge_schedules, outages, binary_options, cancellations, disclosures, appropriateness, rates,"
    " base_rates, customers"
)
"""The kinds of CSV rows, said without loading what they are."""


@command(app, "import", panel=_PANEL)
def import_(
    *,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE...", exists=True, dir_okay=False, readable=True, help="Files, in this order."),
    ] = None,
    list_formats: Annotated[bool, typer.Option("--list-formats", help="Name the formats that are read.")] = False,
    template: Annotated[
        str | None,
        typer.Option("--template", metavar="KIND", help="Print the CSV header of a kind with an example row."),
    ] = None,
    format_: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="Format of the files; otherwise recognised.")
    ] = None,
    server_clock: Annotated[
        str | None,
        typer.Option(
            "--server-clock",
            metavar="CLOCK",
            help="Clock of times without a zone: NY+7 (New York plus 7 hours), EET, UTC+2 (fixed), any zone.",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="NAME", help="Who the prices, or the server that the tickets, come from."),
    ] = None,
    account: Annotated[
        str | None, typer.Option("--account", help="The trading account, where the file names none.")
    ] = None,
    symbol: Annotated[
        str | None, typer.Option("--symbol", help="The instrument of a file of prices that does not name it.")
    ] = None,
    period: Annotated[
        str | None, typer.Option("--period", metavar="M1|H1|D1|...", help="Length of bars, where nothing tells it.")
    ] = None,
    instrument: Annotated[
        list[str] | None,
        typer.Option(
            "--instrument",
            metavar="SYMBOL=LOT,CURRENCY,DIGITS",
            help="Make an instrument known, such as XAUUSD=100,USD,2. May be repeated.",
        ),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help="CSV: the column that has a field. May be repeated."),
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="CSV: a value all rows have. May be repeated."),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="Of a statement that is neither UTF-8 nor GBK, such as cp1251.")
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind", metavar="KIND", help=f"CSV: kind of the rows; otherwise recognised by the header. One of {KINDS}."
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="One bad row keeps its whole file out.")] = False,
    rejects: Annotated[
        Path | None, typer.Option("--rejects", help="File for the bad rows (default: FILE.rejects.csv).")
    ] = None,
) -> Answer:
    """Load files of brokers, price vendors and our own CSV into the trade log, and customers into the case file.

    Rows that are there already do no harm; bad rows are kept with line and reason. Formats: see --list-formats; columns
    of CSV: see --template.
    """
    from domain.readers import Format
    from domain.trade_log_csv import ColumnMap, Kind
    from starter.importing import Reading

    if list_formats:
        about = {each.value: each.about.what for each in Format}
        shown = pages.table("Format", "What it is", "Needs --server-clock")
        for each in Format:
            needs = "if its times have no offset" if each is Format.CSV else pages.NONE if each.about.clock else "yes"
            shown.add_row(each.value, pages.line(each.about.what), needs)
        return Answer({"formats": about}, [shown])
    if template is not None:
        from domain.csv_templates import template as template_of

        wanted = one_of(Kind, template, "--template")
        text = template_of(wanted)
        return Answer({"kind": wanted, "template": text}, [pages.whole(text.rstrip("\n"))])
    if not files:
        raise InvalidInput("FILE: name at least one file to import, or see --list-formats")
    if rejects and len(files) > 1:
        raise InvalidInput("--rejects: it is one file's; import several files without it")
    reading = Reading(
        format=one_of(Format, format_, "--format") if format_ else None,
        clock=_clock(server_clock),
        source=_identifier(source, "--source"),
        account=_identifier(account, "--account"),
        symbol=_identifier(symbol, "--symbol"),
        period=_period(period),
        columns=ColumnMap(_pairs(columns, "--map"), _pairs(values, "--set")),
        encoding=encoding,
    )
    instruments = [_instrument(each) for each in instrument or ()]
    kind_of_rows = one_of(Kind, kind, "--kind") if kind else None
    reports, problems = asyncio.run(_import(files, kind_of_rows, reading, instruments, strict=strict, rejects=rejects))
    data = [{"file": str(path), **report.model_dump(mode="json")} for path, report in reports.items()]
    data += [{"file": str(path), "kind": problem.kind, "error": problem.message} for path, problem in problems.items()]
    problem = None
    if problems:
        worst = max(problems.values(), key=lambda problem: problem.code)
        problem = worst._replace(message="\n".join(problem.message for problem in problems.values()))
    elif bad := sum(report.rejected for report in reports.values()):
        problem = Problem("invalid_input", ExitCode.INVALID, f"{bad:,} bad row(s) were left out")
    return Answer({"files": data}, _imported(reports) if reports else [], problem)


def _clock(name: str | None) -> "ServerClock | None":
    from domain.server_clock import BadClock, ServerClock

    try:
        return ServerClock.named(name) if name else None
    except BadClock as error:
        raise InvalidInput(f"--server-clock: {error}") from None


def _identifier(text: str | None, option: str) -> str | None:
    from pydantic import TypeAdapter, ValidationError

    from domain.base import Identifier

    try:
        return None if text is None else TypeAdapter(Identifier).validate_python(text)
    except ValidationError:
        raise InvalidInput(f"{option}: {text!r} may only have letters, digits and . _ : @ / # -") from None


def _period(text: str | None) -> int | None:
    from domain.readers.prices import PERIODS

    if text is not None and text.upper() not in PERIODS:
        raise InvalidInput(f"--period: {text!r} is none of {', '.join(PERIODS)}")
    return PERIODS[text.upper()] if text else None


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for each in given or ():
        name, equals, value = each.partition("=")
        if not (name.strip() and equals and value.strip()):
            raise InvalidInput(f"{option}: {each!r} is not FIELD={'COLUMN' if option == '--map' else 'VALUE'}")
        if name.strip() in pairs:
            raise InvalidInput(f"{option}: {name.strip()} is given twice")
        pairs[name.strip()] = value.strip()
    return pairs


def _instrument(text: str) -> "Instrument":
    from domain.trade_log import Instrument
    from domain.trade_log_csv import BadRow, Kind, row_of

    symbol, _, terms = text.partition("=")
    given = dict(zip(("contract_size", "currency", "digits"), terms.split(","), strict=False))
    if len(terms.split(",")) != len(given) or len(given) < 3:
        raise InvalidInput(f"--instrument: {text!r} is not SYMBOL=LOT,CURRENCY,DIGITS, such as XAUUSD=100,USD,2")
    try:
        row = row_of(Kind.INSTRUMENTS, {"symbol": symbol, **given})
    except BadRow as bad:
        raise InvalidInput(f"--instrument: {text!r}: {bad}") from None
    return Instrument.model_validate(dict(zip(Kind.INSTRUMENTS.columns, row, strict=True)))


def _imported(reports: "Mapping[Path, ImportReport]") -> "list[RenderableType]":
    """What became of the rows of each file."""
    numbers = ["Rows", "New", "There", "Bad", "Skipped", "Rows/s"]
    made = pages.table("File", "What", *numbers, right=numbers)
    for path, report in reports.items():
        skipped = sum(report.skipped.values())
        counts = (report.read, report.loaded, report.duplicates, report.rejected, skipped)
        speed = f"{(report.read + skipped) / max(report.seconds, 0.001):,.0f}"
        what = pages.spoken(report.kind) if report.kind else str(report.format)
        made.add_row(pages.line(str(path)), what, *(f"{count:,}" for count in counts), speed)
    shown: list[RenderableType] = [made]
    for path, report in reports.items():
        told: list[tuple[str, str]] = [("", each) for each in report.reckoned]
        if report.kind is None or any(rows.completed for rows in report.log_rows.values()):
            told += [("", f"{pages.spoken(kind)}: {_counted(rows)}") for kind, rows in report.log_rows.items()]
        if report.skipped:
            what = ", ".join(f"{count:,} {name}" for name, count in report.skipped.items())
            told.append(("", f"rows that carry nothing for the log: {what}"))
        told += [("yellow", f"Look at this: {each}") for each in report.warnings]
        if told:
            shown.append(pages.line(f"\n{path}", "bold"))
        shown += [pages.line(text, style) for style, text in told]
        if report.rejects_path:
            shown.append(pages.whole(f"Bad rows of {path}, with line and reason: {report.rejects_path}", "yellow"))
    return shown


def _counted(rows: "LogRows") -> str:
    counts = {"new": rows.loaded, "completed": rows.completed, "there": rows.duplicates, "in conflict": rows.conflicts}
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)


async def _import(
    files: list[Path],
    kind: "Kind | None",
    reading: "Reading",
    instruments: "Sequence[Instrument]",
    *,
    strict: bool,
    rejects: Path | None,
) -> "tuple[dict[Path, ImportReport], dict[Path, Problem]]":
    import asyncpg
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from starter.importing import ImportFailed, import_file

    reports: dict[Path, ImportReport] = {}
    problems: dict[Path, Problem] = {}
    console = aside()
    speed = TextColumn("{task.fields[speed]}")
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), speed, TimeRemainingColumn())
    async with database() as pool:
        with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
            for path in files:
                bar = bars.add_task(path.name, total=None, speed="")
                began = time.monotonic()

                def show(done: int, size: int, rows: int, bar: "TaskID" = bar, began: float = began) -> None:
                    seconds = max(time.monotonic() - began, 0.001)
                    bars.update(bar, completed=done, total=size, speed=f"{rows / seconds:,.0f} rows/s")

                try:
                    reports[path] = await import_file(
                        pool,
                        path,
                        kind=kind,
                        reading=reading,
                        instruments=instruments,
                        strict=strict,
                        rejects=rejects,
                        progress=show,
                    )
                except ImportFailed as error:
                    of_database = isinstance(error.__context__, asyncpg.PostgresError | asyncpg.InterfaceError)
                    problems[path] = (
                        Problem("unavailable", ExitCode.UNAVAILABLE, str(error))
                        if of_database
                        else Problem("invalid_input", ExitCode.INVALID, str(error))
                    )
    return reports, problems


# -- investigate -------------------------------------------------------------------------------------------------------

_WAIT: Final = timedelta(seconds=60)


@command(app, "investigate", panel="Look")
def investigate(
    *,
    account: Annotated[str | None, typer.Option("--account", help="The trading account.")] = None,
    case: Annotated[
        str | None,
        typer.Option("--case", metavar="REF", help="A case: its checks are run again, and those of --check on top."),
    ] = None,
    trade: Annotated[
        list[str] | None, typer.Option("--trade", metavar="ID", help="An order, fill or position. May be repeated.")
    ] = None,
    check: Annotated[
        list[str] | None,
        typer.Option(
            "--check", metavar="CHECK", help="Such as execution, slippage or stop_out; otherwise all. May be repeated."
        ),
    ] = None,
    occurred_from: Annotated[
        str | None, typer.Option("--from", metavar="INSTANT", help="ISO 8601 with offset, such as 2026-03-02T09:00Z.")
    ] = None,
    occurred_until: Annotated[str | None, typer.Option("--until", metavar="INSTANT")] = None,
    policy: Annotated[
        str | None,
        typer.Option("--policy", metavar="ID", help="The pack whose tolerances apply; otherwise the default."),
    ] = None,
    language: Language = Tongue.EN,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Query the trade log without a case, and print the findings; or have a case investigated further, with --case."""
    from domain.findings import Check, InvestigationRequest
    from runtime.policies import find_pack
    from runtime.settings import load_settings

    if case is not None:
        if account or occurred_from or occurred_until or policy:
            raise InvalidInput("--case: account, time and pack are the case's; leave out what else names them")
        if not check:
            raise InvalidInput("--check: name at least one check to run on top of the case's own")
        checks = [one_of(Check, name, "--check") for name in check]
        return send("investigate", case, by, message_id, checks=checks, trades=trade)
    if account is None:
        raise InvalidInput("--account: name the trading account, or the case with --case")
    now = datetime.now(UTC)
    settings = load_settings()
    request = InvestigationRequest.model_validate(
        {
            "checks": [one_of(Check, name, "--check") for name in check] if check else list(Check),
            "account": account,
            "trades": trade or (),
            "occurred_from": occurred_from,
            "occurred_until": occurred_until,
            "as_of": now,
            "tolerances": find_pack(policy or settings.default_policies[0], now).tolerances,
        }
    )
    investigation = talk(lambda complaints: _investigate(complaints, request, settings.task_queue))
    return Answer(investigation, pages.findings(investigation.findings, language))


async def _investigate(complaints: "Complaints", request: "InvestigationRequest", task_queue: str) -> "Investigation":
    from temporalio.client import WorkflowFailureError
    from temporalio.exceptions import FailureError, TimeoutError
    from temporalio.service import RPCError

    from domain.findings import Investigation
    from runtime.temporal import TemporalUnavailable
    from starter.client import NotAnswered
    from starter.contracts import INVESTIGATION

    try:
        found: Investigation = await complaints.client.execute_workflow(
            INVESTIGATION,
            request,
            id=f"investigation-{uuid.uuid4()}",
            task_queue=task_queue,
            result_type=Investigation,
            execution_timeout=_WAIT,
            static_summary="Investigation without a case",
        )
    except WorkflowFailureError as error:
        cause: BaseException = error.cause
        if isinstance(cause, TimeoutError):
            raise NotAnswered(f"no worker answered within {_WAIT.seconds} s") from None
        while isinstance(cause, FailureError) and cause.cause:
            cause = cause.cause
        raise Failed(f"the investigation failed: {cause}") from None
    except RPCError as error:
        raise TemporalUnavailable(f"Temporal: {error.message}") from None
    return found
