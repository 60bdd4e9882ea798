"""The reports, as pages and as files."""

from typing import Final

from starlette.responses import Response

from domain.learning.balance import DoesNotBalance
from domain.learning.periods import Period
from runtime.causes import load_causes
from starter.reading.actions import OptionLine, option_complaints
from starter.reports.making import make_report, rendered
from starter.reports.options import rows_of, to_csv
from starter.reports.pages import laid_out
from web.desk.case import svg
from web.desk.frame import DESK, eyes, shown
from web.pages import NotFound
from web.permissions import staff
from web.visit import Visit

FILES: Final = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}
_MONTHS: Final = 12


@DESK.get("/reports", staff())
async def reports(visit: Visit) -> Response:
    """The months there are; of the one that is asked for, its report."""
    period = _period(visit.request.query_params.get("period", ""))
    blocks, title, unbalanced = [], "", ""
    if period:
        try:
            report = await make_report(visit.doors.pool, period)
        except DoesNotBalance as error:
            unbalanced = str(error)
        else:
            page = laid_out(report, [visit.language], load_causes(), firm=visit.doors.settings.firm_name).pages[0]
            blocks, title = [(type(block).__name__, block) for block in page.blocks], page.title
    return shown(
        visit,
        "reports.html",
        months=_months(visit),
        period=period,
        title=title,
        blocks=blocks,
        unbalanced=unbalanced,
        files=list(FILES),
        svg=svg,
    )


@DESK.get("/options", staff())
async def options(visit: Visit) -> Response:
    """The status table of complaints about binary options."""
    lines = await _options(visit)
    head, rows = rows_of(lines, visit.language)
    return shown(visit, "options.html", head=head, rows=rows)


@DESK.get("/options.csv", staff())
async def options_file(visit: Visit) -> Response:
    """The same as a file."""
    content = to_csv(await _options(visit), visit.language)
    name = 'attachment; filename="option-complaints.csv"'
    return Response(content, media_type=FILES["csv"], headers={"content-disposition": name})


async def _options(visit: Visit) -> list[OptionLine]:
    lines = await option_complaints(eyes(visit))
    visit.seen += [one.number for one in lines]
    return lines


@DESK.get("/reports/{period}/{form}", staff())
async def report_file(visit: Visit) -> Response:
    """A report as a file."""
    period, form = _period(visit.path["period"]), visit.path["form"]
    if period is None or form not in FILES:
        raise NotFound
    report = await make_report(visit.doors.pool, period)
    content = rendered(report, form, (visit.language,), firm=visit.doors.settings.firm_name)
    name = f'attachment; filename="complaints-{period.name}.{form}"'
    return Response(content, media_type=FILES[form], headers={"content-disposition": name})


def _period(name: str) -> Period | None:
    try:
        return Period.named(name) if name else None
    except ValueError:
        return None


def _months(visit: Visit) -> list[str]:
    """This month and those before, the newest first."""
    months = 12 * visit.now.year + visit.now.month - 1
    return [f"{(months - back) // 12}-{(months - back) % 12 + 1:02}" for back in range(_MONTHS)]
