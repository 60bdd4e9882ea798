"""``redress report``: what all cases say together."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from starter.cli.access import read
from starter.cli.options import By, actor
from starter.cli.program import Answer, ExitCode, InvalidInput, Problem, app, command, invalid
from starter.reading.layout import line, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.learning.periods import Period
    from domain.learning.report import Report
    from runtime.database import Pool
    from starter.reports.issuing import Issued, Sign

report = typer.Typer(help="What all cases say together.", no_args_is_help=True)
app.add_typer(report, name="report", rich_help_panel="Learn")

PeriodName = Annotated[
    str, typer.Argument(metavar="PERIOD", help="A month as 2026-11, a quarter as 2026-Q4, a half-year as 2026-H2.")
]
Zone = Annotated[
    str | None,
    typer.Option("--zone", metavar="ZONE", help="Whose days, such as Asia/Hong_Kong; by default REDRESS_REPORT_ZONE."),
]
CutOff = Annotated[
    int | None,
    typer.Option("--cut-off", metavar="FACT", min=0, help="Of the record up to that fact, as a report names it."),
]
Issue = Annotated[bool, typer.Option("--issue", help="Note that it was issued, signed: whoever asks can check it.")]
PublicKey = Annotated[
    Path | None, typer.Option("--key", metavar="FILE", help="The public key of who signs.", exists=True)
]
_ALL: Final = "all"


@command(report, "month")
def month(
    *,
    period: PeriodName,
    zone: Zone = None,
    cut_off: CutOff = None,
    format_: Annotated[
        str | None, typer.Option("--format", metavar="FORMATS", help="Files: html, pdf, xlsx, csv, json, or all.")
    ] = None,
    language: Annotated[str, typer.Option("--language", metavar="LANGUAGE", help="en, zh-CN or both.")] = "both",
    output: Annotated[Path, typer.Option("--output", help="The folder for the files.")] = Path(),
    issue: Issue = False,
    by: By = None,
) -> Answer:
    """The report on a month, or on any period: volumes, causes, deadlines, outcomes, redress, what stands out.

    It is refused where its figures do not balance.
    """
    from runtime.settings import load_settings
    from starter.reports import issuing, making
    from starter.reports.sheets import to_data

    wanted, formats, languages = named_period(period, zone), _formats(format_), _languages(language)
    over = is_over(wanted, issue=issue)
    who, sign = str(actor(by)) if issue else None, signing() if issue else None

    async def made(pool: "Pool") -> "Report":
        found = await making.make_report(pool, wanted, at=cut_off)
        if who:
            await issuing.issue(pool, making.statement(found), who, sign)
        return found

    found = told(lambda: read(made))
    firm = load_settings().firm
    written = []
    for form in formats:
        path = output / f"complaints-{wanted.name}.{form}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(making.rendered(found, form, languages, firm=firm))
        written.append(path)
    data = {**to_data(found), "files": [str(path) for path in written]}
    note = [] if over else [line("The period is not over: these are its figures so far, ages up to its end.", "yellow")]
    return Answer(data, [*_shown(found, languages[0]), *note, *(whole(str(path)) for path in written)])


@command(report, "verify")
def verify(
    *,
    period: PeriodName,
    zone: Zone = None,
    key: PublicKey = None,
) -> Answer:
    """Make each report that was issued on a period again: the same record, figures and signature, or exit 5."""
    from starter.reports import making

    wanted, keys = named_period(period, zone), public_keys(key)
    found: list[Issued] = read(lambda pool: making.verify(pool, wanted, keys))
    return verified(found)


def public_keys(path: Path | None) -> "Mapping[str, bytes]":
    """The public keys of who signs what is issued: of that file, or else of the key of checkpoints."""
    from record.chain_verifier import read_keys
    from runtime.identity.keys import checkpoint_key
    from runtime.settings import load_settings

    path = path or checkpoint_key(load_settings())
    return read_keys(path) if path else {}


def verified(found: "list[Issued]") -> Answer:
    """What was issued, and whether it still is the same; a problem where it is not."""
    from starter.reading.layout import table, when

    made = table("Issued (UTC)", "By", "Record up to", "Record", "Figures", "Signature", right=["Record up to"])
    for one in found:
        signed = {True: "ours", False: "not ours", None: "none"}[one.signed]
        changed = ("changed" if each else "the same" for each in (one.record_changed, one.figures_changed))
        made.add_row(when(one.at), one.by, f"{one.cut_off:,}", *changed, signed)
    wrong = [one for one in found if one.record_changed or one.figures_changed or one.signed is False]
    told = f"{len(wrong)} of {len(found)} issued on that period are not as they were" if wrong else ""
    problem = Problem("check_failed", ExitCode.CHECK_FAILED, told) if wrong else None
    return Answer(found, [made if found else line("None was issued on that period.")], problem)


def signing() -> "Sign | None":
    """What signs what is issued, where there is a key of who signs checkpoints."""
    from runtime.identity.keys import checkpoint_key, read_signing_key
    from runtime.settings import load_settings
    from starter.reports.issuing import TYPE

    if (path := checkpoint_key(load_settings())) is None:
        return None
    key = read_signing_key(path)
    return lambda said: key.sign(said, TYPE)


@command(report, "cases")
def cases(
    *,
    period: PeriodName,
    key: Annotated[str, typer.Argument(metavar="FIGURE", help="The figure's key, as --json and the CSV give it.")],
    zone: Zone = None,
    cut_off: CutOff = None,
) -> Answer:
    """The cases behind a figure of a report."""
    from starter.reports import making

    wanted = named_period(period, zone)

    async def opened(pool: "Pool") -> making.Opened:
        return await making.open_figure(pool, await making.make_report(pool, wanted, at=cut_off), key)

    found = told(lambda: read(opened))
    behind = (*found.actions, *found.references)
    return Answer(found, [*map(whole, behind), line(f"{len(behind)} of {found.key}", "dim")])


@command(report, "sample")
def sample(
    *,
    period: PeriodName,
    reviewers: Annotated[str, typer.Option("--reviewers", metavar="IDS", help="Who reviews, with commas between.")],
    per_kind: Annotated[int, typer.Option("--per-kind", min=1, max=100, help="Cases of each kind.")] = 5,
    seed: Annotated[str | None, typer.Option("--seed", help="What the draw hangs on; by default the period.")] = None,
    zone: Zone = None,
    cut_off: CutOff = None,
) -> Answer:
    """Draw the cases of a period that compliance reviews, some of each kind; the same seed draws the same.

    Nobody reviews a case that they had or decided on.
    """
    from domain.learning.sampling import Sample, draw
    from record import facts
    from starter.reading.hands import who_may_not_review
    from starter.reading.layout import table

    wanted, who = named_period(period, zone), tuple(filter(None, (one.strip() for one in reviewers.split(","))))
    if not who:
        invalid("--reviewers", "name somebody, such as c-1,c-2")

    async def drawn(pool: "Pool") -> Sample:
        number = await facts.cut_off(pool, cut_off)
        cases = [case async for case in facts.cases_up_to(pool, number)]
        out, hidden = await who_may_not_review(pool, [case.reference for case in cases], datetime.now(UTC))
        seen = (case for case in cases if case.reference not in hidden)
        return draw(seen, wanted, number, seed=seed or wanted.name, per_stratum=per_kind, reviewers=who, kept_out=out)

    found: Sample = told(lambda: read(drawn))
    made = table("Case", "Kind", "Handler", "Reviewer", unbroken=["Case"])
    for one in found.cases:
        made.add_row(one.reference, one.stratum.replace("_", " "), one.handler or "–", one.reviewer or "nobody else")
    said = f"{len(found.cases)} of {sum(found.strata.values())} cases; seed {found.seed}, record up to {found.cut_off}"
    return Answer(found, [made, line(said, "dim")])


def zone_of(zone: str | None) -> str:
    """That *zone*, or the one of the firm's reports."""
    from runtime.settings import load_settings

    return zone or load_settings().report_zone


def named_period(name: str, zone: str | None) -> "Period":
    """The period of that name in that zone, or the firm's. Raises :class:`~starter.cli.program.InvalidInput`."""
    from zoneinfo import ZoneInfoNotFoundError

    from domain.learning.periods import Period

    try:
        return Period.named(name, zone_of(zone))
    except ZoneInfoNotFoundError:
        invalid("--zone", f"{zone!r} is no time zone; write it as Asia/Hong_Kong")
    except ValueError as error:
        raise InvalidInput(str(error)) from None


def is_over(period: "Period", *, issue: bool = False) -> bool:
    """Whether the period has ended. What is to *issue* on one that has not is refused: all of it would be restated."""
    over = period.end <= datetime.now(UTC)
    if issue and not over:
        invalid("--issue", f"{period.name} is not over; make it without --issue to see how it stands")
    return over


def told(make: Any) -> Any:
    """What *make* gives; what the record does not have is told as such."""
    from domain.learning.balance import DoesNotBalance
    from starter.cli.program import Failed

    try:
        return make()
    except DoesNotBalance as error:
        raise Failed(str(error)) from None
    except LookupError as error:
        raise InvalidInput(str(error)) from None


def _formats(given: str | None) -> tuple[str, ...]:
    from starter.reports.making import FORMATS

    if given is None:
        return ()
    wanted = FORMATS if given == _ALL else tuple(one.strip() for one in given.split(","))
    if unknown := [one for one in wanted if one not in FORMATS]:
        invalid("--format", f"{unknown[0]!r} is not one of {', '.join(FORMATS)}, all")
    return wanted


def _languages(given: str) -> tuple[str, ...]:
    from starter.evidence.words import LANGUAGES

    if given == "both":
        return LANGUAGES
    if given not in LANGUAGES:
        invalid("--language", f"{given!r} is not one of {', '.join(LANGUAGES)}, both")
    return (given,)


def _shown(found: "Report", language: str) -> list[Any]:
    """The report's tables for a terminal."""
    from runtime.causes import load_causes
    from starter.reading.layout import table
    from starter.reports.words import cell, first_column, report_words, row_name

    words_, tree, period = report_words(language), load_causes(), found.period
    days = words_("page", "subtitle", first=period.first_day, last=period.last_day, zone=period.zone)
    shown: list[Any] = [line(days, "dim")]
    for one in found.tables:
        if not one.rows:
            continue
        shown.append(line(words_("table", one.key), "bold"))
        columns = [words_("column", column) for column in one.columns]
        made = table(first_column(one, words_), *columns, right=columns)
        for row in one.rows:
            made.add_row(row_name(one, row.name, words_, tree), *map(cell, row.figures))
        shown.append(made)
    if found.restated_from is not None:
        shown.append(line(words_("page", "restated", first=found.restated_from)))
    shown.append(
        line(
            words_("page", "state", cut_off=found.cut_off, record=found.record[:16] or "–") + f" · {found.hash}", "dim"
        )
    )
    return shown
