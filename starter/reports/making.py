"""Reports made from the record: for the command line, for pages, for the mail of the month."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from domain.ground.base import Record
from domain.ground.bilingual import Bilingual
from domain.ground.messages import NotAllowed
from domain.learning.actions import ActionStanding, ActionState, ReportOrder, counted_under
from domain.learning.monthly import COMPLAINTS, report_of
from domain.learning.periods import Period
from domain.learning.report import Report
from domain.learning.reviewing import behind
from domain.learning.tally import Tally
from domain.rules.causes import CauseTree
from record.facts import cases_up_to, cut_off, digest_up_to, reviewed_in
from runtime.causes import load_causes
from starter.evidence.html import to_html
from starter.reports import issuing
from starter.reports.issuing import Issued, Sign, Statement, first_issued, issue
from starter.reports.pages import laid_out, period_name
from starter.reports.sheets import to_csv, to_json
from starter.reports.words import report_words

if TYPE_CHECKING:
    from runtime.database import Pool

ALL: Final = 2**63 - 1
FORMATS: Final = ("html", "pdf", "xlsx", "csv", "json")


class Opened(Record):
    """The cases behind a figure, by reference, and the figure's key; behind one of corrective actions also those."""

    key: str
    references: tuple[str, ...]
    actions: tuple[str, ...] = ()


async def make_report(pool: "Pool", period: Period, *, at: int | None = None, tree: CauseTree | None = None) -> Report:
    """The report on *period* of the facts up to number *at*, by default of all there are now.

    Where the period was reported before and figures have changed since, they are shown as restated. Raises
    :class:`~domain.learning.balance.DoesNotBalance` and :class:`~record.facts.NoSuchCutOff`.
    """
    tree = tree or load_causes()
    number = await cut_off(pool, at)
    report = await _made(pool, period, number, tree)
    first = await first_issued(pool, report.name, period, number)
    if first is None or first == number:
        return report
    return report.restated(await _made(pool, period, first, tree))


async def _made(pool: "Pool", period: Period, number: int, tree: CauseTree) -> Report:
    # Side by side: the database adds up the facts while we count cases.
    tally, record = await asyncio.gather(_counted(pool, number, Tally(period, tree)), digest_up_to(pool, number))
    actions = await standing_actions(pool, period.end, number)
    reviews = await reviewed_in(pool, period.start, period.end, number)
    return report_of(tally, number, actions, reviews, record)


async def _counted(pool: "Pool", number: int, tally: Tally) -> Tally:
    async for case in cases_up_to(pool, number):
        tally.count(case)
    return tally


async def open_figure(pool: "Pool", report: Report, key: str, tree: CauseTree | None = None) -> Opened:
    """The cases behind the figure of that *key*. Raises ``LookupError`` where the report has no such figure.

    Figures are of the firm as a whole; whoever is kept out of a case opens none (:class:`NotAllowed`), for what is
    missing behind one would tell of it.
    """
    report.figure(key)
    if await pool.fetchval(_KEPT_OUT, report.cut_off):
        raise NotAllowed("figure: you are kept out of a case of the reports; ask somebody who is not to open it")
    tally = await _counted(pool, report.cut_off, Tally(report.period, tree or load_causes(), watching=key))
    reviews = await reviewed_in(pool, report.period.start, report.period.end, report.cut_off)
    standing = await standing_actions(pool, report.period.end, report.cut_off)
    actions = [one.action for one in standing if counted_under(one) == key]
    begun_for = [row["reference"] for row in await pool.fetch(_BEGUN_FOR, actions)]
    references = sorted((*tally.seen, *behind(key, reviews), *begun_for))
    return Opened(key=key, references=tuple(references), actions=tuple(actions))


def statement(report: Report) -> Statement:
    """What is said of *report* when it is issued."""
    period = report.period
    return Statement(
        report=report.name,
        period=period.name,
        zone=period.zone,
        cut_off=report.cut_off,
        record=report.record,
        hash=report.hash,
    )


async def verify(pool: "Pool", period: Period, keys: Mapping[str, bytes]) -> list[Issued]:
    """Make each report that was issued on *period* again, and compare. *keys* are the public ones of who signs."""

    async def again(number: int) -> Statement:
        return statement(await make_report(pool, period, at=number))

    return await issuing.verify(pool, COMPLAINTS, period, again, keys)


def rendered(report: Report, form: str, languages: tuple[str, ...], *, firm: Bilingual) -> bytes:
    """*report* in one of :data:`FORMATS`; of a workbook and CSV the first language.

    What writes documents and workbooks is loaded where one is asked for: the pages start a sixth sooner without it.
    """
    tree = load_causes()
    match form:
        case "html":
            return to_html(laid_out(report, languages, tree, firm=firm)).encode()
        case "pdf":
            from starter.evidence.pdf import to_pdf

            return to_pdf(laid_out(report, languages, tree, firm=firm))
        case "xlsx":
            from starter.reports.workbook import to_workbook

            return to_workbook(report, tree, languages[0], firm=firm.in_language(languages[0]))
        case "csv":
            return to_csv(report, tree, languages[0]).encode()
        case "json":
            return to_json(report).encode()
    raise ValueError(f"format: {form!r} is not one of {', '.join(FORMATS)}")


def files_to_mail(
    firm: Bilingual, sign: Sign | None = None
) -> "Callable[[Pool, Period, ReportOrder], Awaitable[tuple[str, dict[str, bytes]]]]":
    """How the report of a month is made for the mail: its name in the first language, and its files by name."""

    async def make(pool: "Pool", period: Period, order: ReportOrder) -> tuple[str, dict[str, bytes]]:
        report = await make_report(pool, period)
        await issue(pool, statement(report), "system:redress", sign)
        words = report_words(order.languages[0])
        title = words("page", "title", period=period_name(period, words))
        forms = ("html", "pdf", "xlsx")
        made = {form: rendered(report, form, order.languages, firm=firm) for form in forms}
        return title, {f"complaints-{period.name}.{form}": content for form, content in made.items()}

    return make


async def standing_actions(pool: "Pool", at: datetime, number: int = ALL) -> list[ActionStanding]:
    """The corrective actions as they stood at that moment, of the facts up to *number*."""
    rows = await pool.fetch(_ACTIONS, at, number)
    return [
        ActionStanding(
            action=row["action"],
            cause=row["cause"],
            owner=row["owner"],
            due=row["due"],
            state=ActionState.OPEN if row["step"] == "opened" else ActionState(row["step"]),
            reopened=row["reopened"],
        )
        for row in rows
    ]


_ACTIONS: Final = """
    select action, cause, owner, due, step, reopened from reporting.actions_at($1, $2)
    where cause is not null order by action
"""
_BEGUN_FOR: Final = """
    select data ->> 'case' as reference from reporting.actions
    where action = any ($1) and step = 'opened' and data ->> 'case' is not null
"""
_KEPT_OUT: Final = """
    select exists (
        select from casefile.hidden_cases() as hidden (reference) join reporting.facts using (reference)
        where number <= $1
    )
"""
