"""Reports that claim to be more than they are: a few kilobytes, and what they would cost."""

import io
import re
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from starter.importing.failing import ImportFailed
from starter.importing.formats.html_rows import html_rows
from starter.importing.formats.kinds import Kind
from starter.importing.formats.source import Unreadable
from starter.importing.loading import LogRows
from tests.importing.statements import mt5_deal, mt5_order, mt5_report, workbook
from tests.importing.support import Pool
from tests.importing.test_importing_formats import load

REPORT = workbook(("Report", mt5_report(orders=[mt5_order(2)], deals=[mt5_deal(2, balance=0.0)])))
SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"
BOOK = "xl/workbook.xml"
LOADED = {Kind.ORDERS: LogRows(loaded=1), Kind.FILLS: LogRows(loaded=1)}
MB = 1 << 20


def changed(part: str, pattern: str, by: str) -> bytes:
    """The report, with one place of a part changed; what replaces it is not escaped."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(REPORT)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            text = old.read(info)
            if info.filename == part:
                text, count = re.subn(pattern.encode(), lambda _: by.encode(), text, count=1)
                assert count, f"no {pattern} in {part}"
            new.writestr(info.filename, text)
    return out.getvalue()


def more_rows(xml: str) -> bytes:
    return changed(SHEET, "</sheetData>", f"{xml}</sheetData>")


def more_sheets(count: int) -> bytes:
    """Sheets that are all the same part."""
    sheets = "".join(f'<sheet name="s{number}" sheetId="{number}" r:id="rId1"/>' for number in range(9, 9 + count))
    return changed(BOOK, "</sheets>", f"{sheets}</sheets>")


def with_texts(xml: str) -> bytes:
    """The report with a table of texts, which openpyxl reads at once."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    override = f'<Override PartName="/{STRINGS}" ContentType="{kind}"/></Types>'
    out = io.BytesIO(changed(r"[Content_Types].xml", "</Types>", override))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        name = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        archive.writestr(STRINGS, f'<sst xmlns="{name}">{xml}</sst>')
    return out.getvalue()


def entities() -> str:
    """Ten texts in ten texts, and so on: a billion of them where the first attribute stands."""
    lines = [f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10)]
    return f'<!DOCTYPE worksheet [<!ENTITY e0 "0123456789">{"".join(lines)}]><worksheet all="&e9;" '


HOSTILE: dict[str, tuple[Callable[[], bytes], str | None]] = {
    "one cell in the last corner": (
        lambda: more_rows('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
        "empty rows",
    ),
    "one cell in the last column": (lambda: more_rows('<row><c r="XFD30"><v>1</v></c></row>'), "columns"),
    "a row beyond all numbers": (lambda: more_rows(f'<row r="{10**30}"><c><v>1</v></c></row>'), "empty rows"),
    "a row before the first": (lambda: more_rows('<row r="-5"><c r="A1"><v>1</v></c></row>' * 3), None),
    "every row in the last column": (lambda: more_rows('<row><c r="XFD9"/></row>' * 50_000), "columns"),
    "a cell beyond all columns": (lambda: more_rows('<row><c r="ZZZZZZZZ9"/></row>'), "damaged"),
    "a hundred megabytes of nothing": (lambda: more_rows(" " * (100 * MB)), "unpack to"),
    "a hundred megabytes of rows": (lambda: more_rows('<row r="40"/>' * (8 * MB)), "unpack to"),
    "texts without end": (lambda: with_texts("<si><t>" + "x" * (50 * MB) + "</t></si>"), "unpack to"),
    "texts in texts in texts": (lambda: with_texts("<si>" + "<r>" * 90_000 + "</r>" * 90_000 + "</si>"), None),
    "one sheet a thousand times": (lambda: more_sheets(1_000), "damaged"),
    "names that stand for names": (lambda: changed(SHEET, "<worksheet ", entities()), "damaged"),
}


@pytest.mark.parametrize(("made", "said"), HOSTILE.values(), ids=HOSTILE)
async def test_a_workbook_that_claims_more_than_it_holds_is_refused_with_the_way_out(
    pool: Pool, tmp_path: Path, made: Callable[[], bytes], said: str | None
) -> None:
    path = tmp_path / "report.xlsx"
    content = made()
    path.write_bytes(content)
    assert len(content) < MB
    if said is None:  # harmless as it stands
        assert (await load(pool, path)).log_rows == LOADED
        return
    with pytest.raises(ImportFailed, match=said) as failed:
        await load(pool, path)
    assert re.search("export it|save it anew", str(failed.value))


async def test_what_a_sheet_says_of_its_size_is_not_believed(pool: Pool, tmp_path: Path) -> None:
    path = tmp_path / "report.xlsx"
    path.write_bytes(changed(SHEET, '<dimension ref="[^"]*"', '<dimension ref="A1:XFD1048576"'))
    assert (await load(pool, path)).log_rows == LOADED


def in_pieces(page: str) -> Iterable[str]:
    return (page[at : at + 65_536] for at in range(0, len(page), 65_536))


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("<table><tr>" + "<td></td>" * 500_000, "cells"),
        ("<table><tr>" + "<td colspan=100></td>" * 100_000, "cells"),
        ("<table>" * 100_000 + "<tr><td>" + "x" * (2 * MB), "characters"),
        ("<table><tr><td " + "a " * MB, "does not end"),
        ("<table><tr><td>1</td></tr>" + "<a" * 100_000, "does not end"),
        ("<table><tr><td>1</td></tr><!--" + "-" * 100_000, "does not end"),
    ],
    ids=["empty cells", "spanning cells", "one cell", "one tag", "tags that break off", "a comment"],
)
def test_a_page_with_more_in_one_place_than_a_statement_has_is_refused(page: str, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        list(html_rows(in_pieces(page)))


def test_tables_in_tables_without_end_are_read_as_their_rows() -> None:
    rows = list(html_rows(in_pieces("<table><tr><td>1</td>" * 5_000 + "</tr></table>" * 5_000)))
    assert [row.values for row in rows] == [["1"]] * 5_000
