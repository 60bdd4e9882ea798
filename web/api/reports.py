"""Reports on all cases together, for programs that see all of them and for people: the figures of the page."""

from typing import Annotated
from zoneinfo import ZoneInfoNotFoundError

from pydantic import Field

from domain.ground.base import Record
from domain.learning.balance import DoesNotBalance
from domain.learning.periods import Period
from domain.learning.report import Report
from record.facts import NoSuchCutOff
from starter.reports.making import Opened, make_report, open_figure
from starter.upkeep.api_keys import Scope
from web.api.frame import API, Call
from web.api.problems import Problem, wrong_field


class ReportQuery(Record):
    """In whose days (``zone``), and of the facts up to which (``cut_off``, a number).

    By default in those of the firm's reports, and of all facts there are.
    """

    zone: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    cut_off: Annotated[int, Field(ge=0, lt=2**63)] | None = None


class FigureQuery(ReportQuery):
    """Which ``figure``, by its key."""

    figure: Annotated[str, Field(min_length=1, max_length=500)]


class ReportMade(Record):
    """A report, and the SHA-256 of its figures."""

    hash: str
    report: Report


@API.get("/reports/{period}", Scope.READ, Scope.EVERY_SOURCE, query=ReportQuery, answer=ReportMade)
async def show_report(call: Call) -> ReportMade:
    """What all cases say together in a month, quarter, half-year or year, such as 2026-11 or 2026-Q4."""
    report = await _report(call)
    return ReportMade(hash=report.hash, report=report)


@API.get("/reports/{period}/cases", Scope.READ, Scope.EVERY_SOURCE, query=FigureQuery, answer=Opened)
async def show_figure(call: Call) -> Opened:
    """The cases behind a figure of a report."""
    try:
        opened = await open_figure(call.pool, await _report(call), call.query.figure)
    except LookupError as error:
        raise wrong_field("figure", str(error)) from None
    call.seen += opened.references
    return opened


async def _report(call: Call) -> Report:
    """Raises `Problem`."""
    asked: ReportQuery = call.query
    try:
        period = Period.named(call.request.path_params["period"], asked.zone or call.doors.settings.report_zone)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        raise Problem("not_found") from None
    try:
        return await make_report(call.pool, period, at=asked.cut_off)
    except NoSuchCutOff as error:
        raise wrong_field("cut_off", str(error)) from None
    except DoesNotBalance as error:
        raise Problem("refused", str(error)) from None
