"""The command that brings files into the trade log: import."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from starter.cli.access import database
from starter.cli.options import BRING_IN, one_of
from starter.cli.program import Answer, ExitCode, InvalidInput, Problem, app, aside, command
from starter.reading.layout import NONE, spoken, table, whole
from starter.reading.layout import line as pages_line

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import TaskID

    from domain.log.trade_log import Instrument
    from starter.importing.formats.kinds import Kind
    from starter.importing.formats.server_clock import ServerClock
    from starter.importing.loading import ImportReport, LogRows, Reading

KINDS: Final = (
    "instruments, quotes, bars, orders, fills, positions, account_entries, messages, order_events, account_terms,"
    " balances, margin_rates, charge_schedules, outages, binary_options, cancellations, disclosures, appropriateness,"
    " account_log, rates, base_rates, customers"
)
"""The kinds of CSV rows, said without loading what they are."""


_Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="FILE...", exists=True, dir_okay=False, readable=True, help="Files, in this order."),
]
_ListFormats = Annotated[bool, typer.Option("--list-formats", help="Name the formats that are read.")]
_Template = Annotated[
    str | None,
    typer.Option("--template", metavar="KIND", help="Print the CSV header of a kind with an example row."),
]
_Format = Annotated[
    str | None, typer.Option("--format", metavar="FORMAT", help="Format of the files; otherwise recognised.")
]
_Clock = Annotated[
    str | None,
    typer.Option(
        "--server-clock",
        metavar="CLOCK",
        help="Clock of times without a zone: NY+7 (New York plus 7 hours), EET, UTC+2 (fixed), any zone.",
    ),
]
_Source = Annotated[
    str | None,
    typer.Option("--source", metavar="NAME", help="Who the prices, or the server that the tickets, come from."),
]
_Account = Annotated[str | None, typer.Option("--account", help="The trading account, where the file names none.")]
_Symbol = Annotated[
    str | None, typer.Option("--symbol", help="The instrument of a file of prices that does not name it.")
]
_Period = Annotated[
    str | None, typer.Option("--period", metavar="M1|H1|D1|...", help="Length of bars, where nothing tells it.")
]
_Instruments = Annotated[
    list[str] | None,
    typer.Option(
        "--instrument",
        metavar="SYMBOL=LOT,CURRENCY,DIGITS",
        help="Make an instrument known, such as XAUUSD=100,USD,2. May be repeated.",
    ),
]
_Columns = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="FIELD=COLUMN", help="CSV: the column that has a field. May be repeated."),
]
_Values = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="CSV: a value all rows have. May be repeated."),
]
_Encoding = Annotated[
    str | None, typer.Option("--encoding", help="Of a file of text that is not UTF-8, such as gbk, big5 or cp1251.")
]
_Currency = Annotated[
    str | None,
    typer.Option(
        "--currency", metavar="CODE", help="Currency of a statement's amounts, where it names none; USC: US cents."
    ),
]
_Dates = Annotated[
    str | None,
    typer.Option(
        "--dates",
        metavar="day-first|month-first",
        help="Ticks and CSV: what 03/04/2026 begins with, where no day beyond the twelfth tells.",
    ),
]
_Kind = Annotated[
    str | None,
    typer.Option(
        "--kind", metavar="KIND", help=f"CSV: kind of the rows; otherwise recognised by the header. One of {KINDS}."
    ),
]
_Strict = Annotated[bool, typer.Option("--strict", help="One bad row keeps its whole file out.")]
_Rejects = Annotated[Path | None, typer.Option("--rejects", help="File for the bad rows (default: FILE.rejects.csv).")]


@command(app, "import", panel=BRING_IN)
def import_(
    *,
    files: _Files = None,
    list_formats: _ListFormats = False,
    template: _Template = None,
    format_: _Format = None,
    server_clock: _Clock = None,
    source: _Source = None,
    account: _Account = None,
    symbol: _Symbol = None,
    period: _Period = None,
    instrument: _Instruments = None,
    columns: _Columns = None,
    values: _Values = None,
    encoding: _Encoding = None,
    currency: _Currency = None,
    dates: _Dates = None,
    kind: _Kind = None,
    strict: _Strict = False,
    rejects: _Rejects = None,
) -> Answer:
    """Load files of brokers, price vendors and our own CSV into the trade log, and customers into the case file.

    Rows that are there already do no harm; bad rows are kept with line and reason. Formats: see --list-formats; columns
    of CSV: see --template.
    """
    from starter.importing.formats import Format
    from starter.importing.formats.date_order import DateOrder
    from starter.importing.formats.kinds import Kind
    from starter.importing.formats.trade_log_csv import ColumnMap
    from starter.importing.loading import Reading

    if list_formats:
        return _formats()
    if template is not None:
        return _template(template)
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
        currency=_currency(currency),
        dates=one_of(DateOrder, dates, "--dates") if dates else None,
    )
    instruments = [_instrument(each) for each in instrument or ()]
    kind_of_rows = one_of(Kind, kind, "--kind") if kind else None
    reports, problems = asyncio.run(_import(files, kind_of_rows, reading, instruments, strict=strict, rejects=rejects))
    return _what_became(reports, problems)


def _formats() -> Answer:
    from starter.importing.formats import Format

    shown = table("Format", "What it is", "Needs --server-clock")
    for each in Format:
        needs = "if its times have no offset" if each is Format.CSV else NONE if each.about.clock else "yes"
        shown.add_row(each.value, pages_line(each.about.what), needs)
    return Answer({"formats": {each.value: each.about.what for each in Format}}, [shown])


def _template(kind: str) -> Answer:
    from starter.importing.formats.csv_templates import template
    from starter.importing.formats.kinds import Kind

    wanted = one_of(Kind, kind, "--template")
    text = template(wanted)
    return Answer({"kind": wanted, "template": text}, [whole(text.rstrip("\n"))])


def _what_became(reports: "Mapping[Path, ImportReport]", problems: Mapping[Path, Problem]) -> Answer:
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
    from starter.importing.formats.server_clock import BadClock, ServerClock

    try:
        return ServerClock.named(name) if name else None
    except BadClock as error:
        raise InvalidInput(f"--server-clock: {error}") from None


def _identifier(text: str | None, option: str) -> str | None:
    from pydantic import TypeAdapter, ValidationError

    from domain.ground.base import Identifier

    try:
        return None if text is None else TypeAdapter(Identifier).validate_python(text)
    except ValidationError:
        raise InvalidInput(f"{option}: {text!r} may only have letters, digits and . _ : @ / # -") from None


def _period(text: str | None) -> int | None:
    from starter.importing.formats.prices import PERIODS

    if text is not None and text.upper() not in PERIODS:
        raise InvalidInput(f"--period: {text!r} is none of {', '.join(PERIODS)}")
    return PERIODS[text.upper()] if text else None


def _currency(code: str | None) -> str | None:
    from domain.money.currencies import DIGITS, OF_PARTS, is_of_parts
    from starter.importing.formats.reckoning import CENTS

    if code is not None and is_of_parts(code):
        raise InvalidInput(f"--currency: {OF_PARTS.format(code=code, whole=code.upper())}")
    if code is not None and code.upper() not in {*DIGITS, *CENTS}:
        cents = ", ".join(CENTS)
        raise InvalidInput(f"--currency: {code!r} is neither a currency such as USD nor one kept in cents ({cents})")
    return code.upper() if code else None


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
    from domain.log.trade_log import Instrument
    from starter.importing.formats.kinds import Kind
    from starter.importing.formats.trade_log_csv import BadRow, row_of

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
    made = table("File", "What", *numbers, right=numbers)
    for path, report in reports.items():
        skipped = sum(report.skipped.values())
        counts = (report.read, report.loaded, report.duplicates, report.rejected, skipped)
        speed = f"{(report.read + skipped) / max(report.seconds, 0.001):,.0f}"
        what = spoken(report.kind) if report.kind else str(report.format)
        made.add_row(pages_line(str(path)), what, *(f"{count:,}" for count in counts), speed)
    shown: list[RenderableType] = [made]
    for path, report in reports.items():
        told: list[tuple[str, str]] = [("", each) for each in report.reckoned]
        if report.kind is None or any(rows.completed for rows in report.log_rows.values()):
            told += [("", f"{spoken(kind)}: {_counted(rows)}") for kind, rows in report.log_rows.items()]
        if report.skipped:
            what = ", ".join(f"{count:,} {name}" for name, count in report.skipped.items())
            told.append(("", f"rows that carry nothing for the log: {what}"))
        told += [("yellow", f"Look at this: {each}") for each in report.warnings]
        if told:
            shown.append(pages_line(f"\n{path}", "bold"))
        shown += [pages_line(text, style) for style, text in told]
        if report.rejects_path:
            shown.append(whole(f"Bad rows of {path}, with line and reason: {report.rejects_path}", "yellow"))
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

    from starter.importing.loading import ImportFailed, import_file

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
