"""A report as a workbook: a sheet a table, to be reckoned on with."""

from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from domain.learning.report import Figure, Report, Table
from domain.rules.causes import CauseTree
from starter.evidence.words import Words
from starter.reports.words import first_column, report_words, row_name

_FORMATS: Final = {"count": "#,##0", "share": "0.0%", "days": "#,##0.0", "score": "#,##0.0", "money": "#,##0.00"}
_MADE: Final = datetime(2000, 1, 1)  # noqa: DTZ001 (what a workbook has is local time; no time, so that bytes are the same)


def to_workbook(report: Report, tree: CauseTree, language: str = "en", *, firm: str = "") -> bytes:
    """A sheet a table, numbers as numbers. The same report gives the same bytes."""
    words = report_words(language)
    book = Workbook()
    book.properties.created = book.properties.modified = _MADE
    book.properties.creator = "redress"
    first = book.active
    if not isinstance(first, Worksheet):
        raise TypeError("a new workbook has a sheet")
    _title_sheet(first, report, words, firm)
    for table in report.tables:
        sheet = book.create_sheet(words("table", table.key)[:31])
        _fill(sheet, table, words, tree)
        _dress(sheet)
    target = BytesIO()
    book.save(target)
    return _without_time(target.getvalue())


def _fill(sheet: Worksheet, table: Table, words: Words, tree: CauseTree) -> None:
    """A row a row of the table; to the right of the figures their intervals, and what they were first."""
    beside = [
        (place, which)
        for place in range(len(table.columns))
        for which in ("low", "high", "first")
        if any(_has(row.figures[place], which) for row in table.rows)
    ]
    titles = [words("column", column) for column in table.columns]
    more = [words("beside", which, column=titles[place]) for place, which in beside]
    sheet.append([first_column(table, words), *titles, *more])
    for row in table.rows:
        found = [(one, one.value) for one in row.figures]
        found += [(row.figures[place], _beside(row.figures[place], which)) for place, which in beside]
        _add(sheet, row_name(table, row.name, words, tree), *(_number(one, value) for one, value in found))
        for place, (one, _) in enumerate(found, 2):
            sheet.cell(sheet.max_row, place).number_format = _FORMATS.get(one.unit, "General")


def _add(sheet: Worksheet, name: str, *values: float | None) -> None:
    sheet.append([name, *values])
    sheet.cell(sheet.max_row, 1).data_type = "s"  # a name that begins with "=" is no formula


def _has(figure: Figure, which: str) -> bool:
    return figure.restated if which == "first" else _beside(figure, which) is not None


def _beside(figure: Figure, which: str) -> Decimal | None:
    if which == "first":
        return figure.first if figure.restated else figure.value
    return figure.low if which == "low" else figure.high


def _number(figure: Figure, value: Decimal | None) -> float | int | None:
    """A workbook counts in binary fractions; money of this size is exact to the cent in them."""
    if value is None:
        return None
    return int(value) if figure.unit == "count" else float(value)


def _title_sheet(sheet: Worksheet, report: Report, words: Words, firm: str) -> None:
    period = report.period
    sheet.title = period.name
    lines = [
        firm,
        words("page", "title", period=period.name),
        words("page", "subtitle", first=period.first_day, last=period.last_day, zone=period.zone),
        words("page", "state", cut_off=report.cut_off, record=report.record or "–"),
        words("page", "hash") + words("page", "colon") + report.hash,
        words("page", "packs") + words("page", "colon") + ", ".join(report.policies),
    ]
    if report.restated_from is not None:
        lines.append(words("beside", "note", first=report.restated_from))
    for line in lines:
        _add(sheet, line)
    for definition in report.definitions:
        mark = words("definition", "confirmed" if definition.confirmed else "unconfirmed")
        sheet.append([words("definition", definition.name), words("definition_source", definition.source), mark])
    sheet.column_dimensions["A"].width = 90
    sheet["A2"].font = Font(bold=True, size=14)


def _dress(sheet: Worksheet) -> None:
    for head in sheet[1]:
        head.font = Font(bold=True)
        head.fill = PatternFill("solid", fgColor="E3E7EC")
        head.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "B2"
    sheet.column_dimensions["A"].width = 46
    for number in range(2, sheet.max_column + 1):
        sheet.column_dimensions[get_column_letter(number)].width = 16


def _without_time(content: bytes) -> bytes:
    """The same workbook, without the moment at which it was packed."""
    target = BytesIO()
    with ZipFile(BytesIO(content)) as before, ZipFile(target, "w", ZIP_DEFLATED) as after:
        for name in before.namelist():
            data = before.read(name)
            if name == "docProps/core.xml":
                data = _fixed_core(data)
            info = ZipInfo(name, (2000, 1, 1, 0, 0, 0))
            info.compress_type = ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            after.writestr(info, data)
    return target.getvalue()


def _fixed_core(data: bytes) -> bytes:
    import re

    return re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>2000-01-01T00:00:00Z", data)
