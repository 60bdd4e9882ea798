"""The reports, as pages and as files."""

from collections import Counter
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.responses import Response

from domain.ground.messages import NotAllowed
from domain.learning.balance import DoesNotBalance
from domain.learning.periods import Length, Period
from domain.learning.report import Report
from runtime.causes import load_causes
from starter.reading.actions import OptionLine, option_complaints
from starter.reports.making import make_report, open_figure, rendered
from starter.reports.options import rows_of, to_csv
from starter.reports.pages import laid_out
from starter.reports.words import cell, report_words, row_name
from web.apart import Apart
from web.desk.case import svg
from web.desk.frame import DESK, eyes, shown
from web.pages import NotFound
from web.permissions import staff
from web.visit import FieldError, Visit

FILES: Final = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}
_MONTHS: Final = 12
_MOST: Final = 200
_MOST_IN_FILE: Final = 10_000


@DESK.get("/reports", staff())
async def reports(visit: Visit) -> Response:
    """The periods there are; of the one that is asked for, its report."""
    asked = visit.request.query_params
    period, errors = None, []
    try:
        period = _period(visit, asked.get("period", "").strip())
    except ZoneInfoNotFoundError:
        errors = [FieldError("zone", "desk.reports.no_zone")]
    except ValueError:
        errors = [FieldError("period", "desk.reports.no_period")]
    blocks, title, days, unbalanced, cut_off, report = [], "", "", "", 0, None
    if period:
        try:
            report = await _report(visit, period)
        except DoesNotBalance as error:
            unbalanced = str(error)
        if report:
            page = laid_out(report, [visit.language], load_causes(), firm=visit.doors.settings.firm).pages[0]
            cut_off = report.cut_off
            blocks = [(type(block).__name__, block) for block in page.blocks]
            title, days = page.title, page.subtitle
    return shown(
        visit,
        "reports.html",
        errors=errors,
        months=_latest(visit, "month", _MONTHS),
        longer=[*_latest(visit, "quarter", 4), *_latest(visit, "half_year", 2), *_latest(visit, "year", 2)],
        asked=asked.get("period", ""),
        zone=asked.get("zone", "").strip(),
        usual=visit.doors.settings.report_zone,
        period=period,
        title=title,
        days=days,
        blocks=blocks,
        unbalanced=unbalanced,
        making=bool(period and not report and not unbalanced),
        files=list(FILES),
        cut_off=cut_off,
        is_over=period is None or period.end <= visit.now,
        of_zone=_of_zone(visit),
        opened_at=lambda key: (
            f"/desk/reports/{period.name}/cases?" + urlencode({"figure": key, "cut_off": cut_off, **_of_zone(visit)})
            if period
            else ""
        ),
        svg=svg,
    )


@DESK.get("/options", staff())
async def options(visit: Visit) -> Response:
    """The status table of complaints about binary options."""
    lines = await _options(visit, _MOST)
    head, rows = rows_of(lines, visit.language)
    return shown(visit, "options.html", head=head, rows=rows, most=_MOST)


@DESK.get("/options.csv", staff())
async def options_file(visit: Visit) -> Response:
    """The same as a file."""
    content = to_csv(await _options(visit, _MOST_IN_FILE), visit.language)
    name = 'attachment; filename="option-complaints.csv"'
    return Response(content, media_type=FILES["csv"], headers={"content-disposition": name})


async def _options(visit: Visit, most: int) -> list[OptionLine]:
    lines = await option_complaints(eyes(visit), most)
    visit.seen += [one.number for one in lines]
    return lines


@DESK.get("/reports/{period}/cases", staff())
async def figure(visit: Visit) -> Response:
    """What is behind a figure: its cases, or why who looks may not open it."""
    asked = visit.request.query_params
    try:
        period = _period(visit, visit.path["period"])
        if period is None:
            raise NotFound
        report, key = await _report(visit, period, int(asked.get("cut_off", ""))), asked.get("figure", "")
        if report is None:
            return _being_made(visit, period)
        name, number = _named(report, key, visit.language)
        asking = ("figure", visit.staff.id, period, report.cut_off, key)
        opened = await _apart(visit).ask(asking, lambda: open_figure(eyes(visit), report, key))
        if opened is None:
            return _being_made(visit, period)
    except NotAllowed:
        return shown(
            visit, "figure.html", period=period, name=name, number=number, kept_out=True, of_zone=_of_zone(visit)
        )
    except (LookupError, ValueError):
        raise NotFound from None
    visit.seen += opened.references
    times = Counter(opened.references)
    return shown(
        visit,
        "figure.html",
        period=period,
        name=name,
        number=number,
        times=times,
        actions=opened.actions,
        kept_out=False,
        of_zone=_of_zone(visit),
    )


def _apart(visit: Visit) -> Apart:
    found: Apart = visit.doors.kept.setdefault("reports", Apart())
    return found


async def _report(visit: Visit, period: Period, at: int | None = None) -> Report | None:
    """The report on *period*, of the facts up to number *at* or of all; None while it is being made.

    Among very many cases that takes longer than a page. Raises as `make_report`.
    """
    pool, apart = visit.doors.pool, _apart(visit)
    latest: Report | None = apart.kept(("report", period, None))
    if latest and latest.cut_off == at:
        return latest
    return await apart.ask(("report", period, at), lambda: make_report(pool, period, at=at))


def _being_made(visit: Visit, period: Period) -> Response:
    return visit.redirect(f"/desk/reports?{urlencode({'period': period.name, **_of_zone(visit)})}")


def _named(report: Report, key: str, language: str) -> tuple[str, str]:
    """What the figure of that *key* is of, and the figure itself. Raises ``LookupError``."""
    said, tree = report_words(language), load_causes()
    for table in report.tables:
        for row in table.rows:
            for column, one in zip(table.columns, row.figures, strict=True):
                if one.key == key:
                    of = (said("table", table.key), row_name(table, row.name, said, tree), said("column", column))
                    return " · ".join(of), cell(one)
    raise LookupError(key)


@DESK.get("/reports/{period}/{form}", staff())
async def report_file(visit: Visit) -> Response:
    """A report as a file."""
    form = visit.path["form"]
    asked = visit.request.query_params.get("cut_off", "")
    try:
        period = _period(visit, visit.path["period"])
        if period is None or form not in FILES:
            raise NotFound
        report = await _report(visit, period, int(asked) if asked else None)
    except (LookupError, ValueError):
        raise NotFound from None
    if report is None:
        return _being_made(visit, period)
    content = rendered(report, form, (visit.language,), firm=visit.doors.settings.firm)
    name = f'attachment; filename="complaints-{period.name}.{form}"'
    return Response(content, media_type=FILES[form], headers={"content-disposition": name})


def _period(visit: Visit, name: str) -> Period | None:
    """The period of that name in the zone that is asked for, or that of the firm's reports.

    Raises ``ZoneInfoNotFoundError`` (a ``KeyError``) and ``ValueError``.
    """
    zone = _of_zone(visit).get("zone", visit.doors.settings.report_zone)
    try:
        ZoneInfo(zone)
    except (ValueError, OSError):  # a path, or a folder of zones
        raise ZoneInfoNotFoundError(zone) from None
    return Period.named(name, zone) if name else None


def _of_zone(visit: Visit) -> dict[str, str]:
    """What an address carries of the zone that is asked for, where one is."""
    zone = visit.request.query_params.get("zone", "").strip()
    return {"zone": zone} if zone else {}


def _latest(visit: Visit, length: Length, count: int) -> list[str]:
    """This period of that length and those before, the newest first."""
    this = Period.of(length, visit.now, visit.doors.settings.report_zone)
    return [this.before(back).name for back in range(count)]
