"""The report on a month: the same numbers however it is read, and the cases behind each of them."""

import csv
import json
import re
from collections.abc import Iterable
from decimal import Decimal
from html.parser import HTMLParser
from io import BytesIO, StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from openpyxl import load_workbook

from bench.generated_cases import generated
from domain.ground.bilingual import Bilingual
from domain.learning.definitions import closed_by
from domain.learning.facts import CaseFact
from domain.learning.monthly import report_of
from domain.learning.periods import Period
from domain.learning.report import Figure, Report
from domain.learning.tally import TOTAL, Tally
from record.facts import cut_off
from runtime.causes import load_causes
from runtime.database import Pool
from runtime.identity.keys import own_keys
from runtime.keys.vault import Vault
from runtime.policies import load_packs
from starter.evidence.pdf import to_pdf
from starter.evidence.words import LANGUAGES
from starter.reports.making import FORMATS, rendered
from starter.reports.pages import laid_out
from starter.reports.words import cell, report_words, row_name
from tests.case.support import OPENED_AT, keeping, opened
from tests.cli.command_line import CommandLine
from tests.cli.conftest import redress as redress  # noqa: PLC0414 (a fixture)
from tests.evidence.test_redaction import pdf_text

FIRM = Bilingual(en="A Firm", zh="某公司")
NOVEMBER = Period.named("2026-11", "Asia/Hong_Kong")


_ACT = "insert into reporting.actions (action, number, at, step, by, data) values ($1, 1, $2, 'opened', 'x', $3)"


@pytest.fixture(scope="module")
def report() -> Report:
    return counted()


def counted(watching: str | None = None, tally: Tally | None = None) -> Report:
    tally = tally or Tally(NOVEMBER, load_causes(), watching)
    for one in generated(2_000):
        tally.count(one)
    return report_of(tally, 4711)


class Cells(HTMLParser):
    """The text of the cells of all tables."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "td" or (self._inside and tag != "tr")
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "td"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.cells[-1] += data


def numbers(texts: Iterable[str]) -> list[str]:
    return re.findall(r"\d[\d,]*(?:\.\d+)?", "\n".join(texts))


def test_every_format_has_the_same_numbers(report: Report) -> None:
    told = [cell(figure) for figure in report.figures()]
    made = {form: rendered(report, form, ("en",), firm=FIRM) for form in FORMATS}

    page = Cells()
    page.feed(made["html"].decode())
    assert all(one in page.cells for one in told)
    assert is_within(numbers(told), numbers(page.cells))

    plain = to_pdf(laid_out(report, ("en",), load_causes(), firm=FIRM), compress=False)
    written = pdf_text(plain.replace(rb"\226", b"-"))  # the dash of an interval
    assert is_within(numbers(told), numbers([written]))

    rows = list(csv.DictReader(StringIO(made["csv"].decode())))
    assert [(row["key"], row["value"]) for row in rows] == [
        (one.key, "" if one.value is None else str(one.value)) for one in report.figures()
    ]
    data = json.loads(made["json"])
    assert Report.model_validate({name: value for name, value in data.items() if name != "hash"}) == report
    assert data["hash"] == report.hash

    sheets = load_workbook(BytesIO(made["xlsx"])).worksheets[1:]
    for table, sheet in zip(report.tables, sheets, strict=True):
        last = len(table.columns) + 1
        in_sheet = [
            value for row in sheet.iter_rows(min_row=2, min_col=2, max_col=last, values_only=True) for value in row
        ]
        known = [None if one.value is None else float(one.value) for row in table.rows for one in row.figures]
        assert [None if value is None else float(str(value)) for value in in_sheet if table.rows] == known


def is_within(wanted: list[str], found: list[str]) -> bool:
    """Whether all that is wanted is found, in that order."""
    left = iter(found)
    return all(one in left for one in wanted)


def test_the_same_report_gives_the_same_bytes_in_every_format(report: Report) -> None:
    again = counted()
    for form in FORMATS:
        assert rendered(again, form, LANGUAGES, firm=FIRM) == rendered(report, form, LANGUAGES, firm=FIRM), form


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_row_column_and_table_has_a_word(report: Report, language: str) -> None:
    words, tree = report_words(language), load_causes()
    for table in report.tables:
        assert words.has("table", table.key)
        assert words.has("lead", table.key)
        assert all(words.has("column", column) for column in table.columns)
        for row in table.rows:
            name = row_name(table, row.name, words, tree)
            known_by_the_firm = table.of in {"own", "product", "clock"}
            has_word = name != row.name or words.has(table.of, row.name)
            assert has_word or known_by_the_firm or table.of == "score", (table.key, row.name)
            assert "_" not in name
    assert set(words.groups) == set(report_words("en").groups)
    for group in words.groups:
        assert set(words.names(group)) == set(report_words("en").names(group)), group


def test_the_clocks_of_all_packs_are_called_by_chinese_names_in_chinese() -> None:
    clocks = {clock.name for versions in load_packs().values() for pack in versions for clock in pack.clocks}
    table: Any = SimpleNamespace(of="clock")
    called = {row_name(table, f"own:{name}", report_words("zh-CN"), load_causes()) for name in clocks}
    assert [one for one in called if not re.search("[一-鿿]", one)] == []


def test_every_figure_of_cases_opens_to_them_and_every_count_to_as_many() -> None:
    cases = list(generated(120))
    tally = Tally(NOVEMBER, load_causes())
    for one in cases:
        tally.count(one)
    for figure in report_of(tally, 1).figures():
        watching = Tally(NOVEMBER, load_causes(), figure.key)
        for one in cases:
            watching.count(one)
        if figure.unit == "count":
            assert len(watching.seen) == figure.value, figure.key
        elif figure.value is not None or figure.key != "satisfaction.not_asked.share":
            assert bool(watching.seen) == bool(figure.value), figure.key
    assert {".".join(place) for place in tally.counts if place[0] == "balance"} <= {
        figure.key for figure in report_of(tally, 1).figures()
    }


def test_what_several_tables_count_adds_up_to_the_same_in_each(report: Report) -> None:
    def added(table: str, column: str, *rows: str) -> Decimal:
        found = report.table(table)
        at = found.columns.index(column)
        counted = [row for row in found.rows if row.name != TOTAL and (not rows or row.name in rows)]
        return sum((row.figures[at].value or Decimal(0) for row in counted), Decimal(0))

    for column, tables in (
        ("opened", ("balance", "categories", "channels", "workload")),
        ("closed", ("outcomes", "categories", "workload", "vulnerable")),
    ):
        assert len({added(table, column) for table in tables}) == 1, column
    assert added("balance", "after") == added("ages", "open") == added("workload", "open")
    upheld = added("outcomes", "closed", "upheld", "partly_upheld")
    assert upheld == added("categories", "upheld") == added("causes", "upheld") > 0
    assert added("outcomes", "closed", "not_upheld") == added("causes", "rejected") > 0
    asked = added("outcomes", "closed") - added("outcomes", "closed", "withdrawn", "referred")
    assert added("satisfaction", "cases") == asked


def test_of_all_changes_between_two_reports_none_goes_unsaid_in_any_format() -> None:
    cases = list(generated(90))
    for first, later in ((cases[:40], cases[20:60]), (cases[:1], cases[1:2]), (cases[:1], []), ([], cases[:30])):
        was, now = report_on(first), report_on(later)
        shown = now.restated(was)
        told = {one.key: (one.first, one.value) for one in shown.figures() if one.restated}
        before, after = ({one.key: one.value or 0 for one in each.figures()} for each in (was, now))
        for key in before.keys() | after.keys():
            if before.get(key, 0) != after.get(key, 0) and ".total." not in key:
                assert told[key] == (was_or(was, key), was_or(now, key)), key
        assert shown.restated_from == was.cut_off
        rows = list(csv.DictReader(StringIO(rendered(shown, "csv", ("en",), firm=FIRM).decode())))
        assert {row["key"] for row in rows if row["restated"]} == told.keys()
        assert rendered(shown, "html", ("en",), firm=FIRM).count("‡".encode()) == len(told) + 1
        for table, sheet in zip(
            shown.tables,
            load_workbook(BytesIO(rendered(shown, "xlsx", ("en",), firm=FIRM))).worksheets[1:],
            strict=True,
        ):
            in_sheet = in_columns(sheet)
            for row in table.rows:
                for column, figure in zip(table.columns, row.figures, strict=True):
                    said = report_words("en")("column", column)
                    for title, value in (
                        (f"{said}: 95 % interval from", figure.low),
                        (f"{said}: first reported", figure.first),
                    ):
                        if value is not None:
                            assert float(value) in in_sheet[title]


def in_columns(sheet: Any) -> dict[str, list[Any]]:
    return {column[0]: list(column[1:]) for column in sheet.iter_cols(values_only=True)}


def report_on(cases: Iterable[CaseFact]) -> Report:
    tally = Tally(NOVEMBER, load_causes())
    for one in cases:
        tally.count(one)
    return report_of(tally, 1)


def was_or(report: Report, key: str) -> Decimal | None:
    return next((one.value for one in report.figures() if one.key == key), None)


def test_the_total_of_a_table_that_had_or_has_one_row_is_restated_by_it() -> None:
    fee, other = (CaseFact(name, NOVEMBER.start, "uk-fca", "web", category=name) for name in ("fee", "other"))
    one, two = report_on([fee]), report_on([fee, other])
    told = {figure.key: (figure.first, figure.value) for figure in two.restated(one).figures() if figure.restated}
    assert told["categories.total.opened"] == (Decimal(1), Decimal(2))
    assert told["categories.other.opened"] == (None, Decimal(1))
    assert "categories.other.closed" not in told
    told = {figure.key: (figure.first, figure.value) for figure in one.restated(two).figures() if figure.restated}
    assert told["categories.total.opened"] == (Decimal(2), Decimal(1))
    assert told["categories.other.opened"] == (Decimal(1), None)
    assert one.restated(two).table("categories").rows[-1].name == "total"


def test_a_word_that_packs_mean_by_different_sources_is_told_by_each() -> None:
    packs = ("uk-fca", "us-consumer", "cn-banking")
    cases = [CaseFact(pack, NOVEMBER.start, pack, "web") for pack in packs]
    told = {(one.source, one.confirmed) for one in report_on(cases).definitions if one.name.startswith("closed")}
    assert told == {(one.source, one.confirmed) for _, one in map(closed_by, packs)}
    assert len(told) == len(packs)


def test_a_name_that_a_spreadsheet_would_take_for_a_formula_is_text() -> None:
    report = report_on([CaseFact("RD-1", NOVEMBER.start, "uk-fca", "web", product="=HYPERLINK(1)")])
    sheet = load_workbook(BytesIO(rendered(report, "xlsx", ("en",), firm=Bilingual(en="=A", zh="=A")))).worksheets
    assert {cell.data_type for one in sheet for row in one.iter_rows() for cell in row} <= {"s", "n"}
    rows = csv.DictReader(StringIO(rendered(report, "csv", ("en",), firm=FIRM).decode()))
    assert "'=HYPERLINK(1)" in {row["name"] for row in rows}


def test_a_restated_figure_shows_what_it_was_first() -> None:
    figure = Figure(key="k", unit="count", value=Decimal(12), first=Decimal(11), restated=True)
    assert cell(figure) == "12 ‡ (11)"
    assert cell(figure.model_copy(update={"first": None})) == "12 ‡ (–)"


async def test_the_command_writes_it_opens_a_figure_and_restates_what_was_issued(
    redress: CommandLine, pool: Pool, database_url: str, tmp_path: Path
) -> None:
    redress.set("DATABASE_URL", database_url)
    reference = await opened(keeping(pool))
    month = ("report", "month", "2026-03", "--output", tmp_path)
    issued = await redress(*month, "--format", "all", "--issue", "--as", "compliance_officer:c-1", "--json")
    assert sorted(Path(path).suffix for path in issued.data["files"]) == [".csv", ".html", ".json", ".pdf", ".xlsx"]
    key = "categories.execution.opened"
    assert (await redress("report", "cases", "2026-03", key, "--json")).data["references"] == [reference]
    begun = {"cause": "payments/own_delay", "owner": "h-1", "due": "2026-04-01", "case": reference}
    await pool.execute(_ACT, "CA-1", OPENED_AT, begun)
    behind = (await redress("report", "cases", "2026-03", "actions.open.actions", "--json")).data
    assert (behind["actions"], behind["references"]) == (["CA-1"], [reference])
    await opened(keeping(pool), "2")
    later = await redress(*month, "--json")
    assert later.data["restated_from"] == issued.data["cut_off"] < later.data["cut_off"]
    shown = await redress(*month, "--language", "en")
    assert "2 ‡ (1)" in shown.out
    again = await redress(*month, "--cut-off", issued.data["cut_off"], "--json")
    assert again.data["hash"] == issued.data["hash"]


async def test_what_was_issued_is_signed_and_made_again_to_the_byte_after_an_erasure_and_later_actions(
    redress: CommandLine, pool: Pool, database_url: str, keys: Vault, tmp_path: Path
) -> None:
    key, _ = own_keys(tmp_path / "key", "auditor")
    redress.set("REDRESS_CHECKPOINT_KEY", str(key))
    redress.set("DATABASE_URL", database_url)
    reference = await opened(keeping(pool), "erased here")
    begun = {"cause": "payments/own_delay", "owner": "h-1", "due": "2026-04-01"}
    await pool.execute(_ACT, "CA-1", OPENED_AT, begun)
    month = ("report", "month", "2026-03", "--format", "all", "--output")
    issued = await redress(*month, tmp_path, "--issue", "--as", "compliance_officer:c-1", "--json")
    assert (await redress("report", "verify", "2026-03", "--json")).data[0]["signed"] is True

    await pool.execute(_ACT, "CA-2", OPENED_AT, begun)
    await keys.destroy([reference])
    again = await redress(*month, tmp_path / "again", "--cut-off", issued.data["cut_off"], "--json")
    for name in map(Path, issued.data["files"]):
        assert (tmp_path / "again" / name.name).read_bytes() == name.read_bytes(), name
    assert again.data["record"] in (tmp_path / "again" / "complaints-2026-03.json").read_text(encoding="utf-8")
    other, _ = own_keys(tmp_path / "other", "somebody else")
    assert (await redress("report", "verify", "2026-03", "--key", other)).code == 5

    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        await connection.execute("update reporting.facts set at = at + interval '1 s' where kind = 'opened'")
    ran = await redress("report", "verify", "2026-03", "--json")
    assert (ran.code, ran.data[0]["record_changed"]) == (5, True)


async def test_what_cannot_be_reported_is_refused_with_the_way_out(
    redress: CommandLine, pool: Pool, database_url: str
) -> None:
    redress.set("DATABASE_URL", database_url)
    for arguments, told in (
        (("month", "2026-13"), "write a month as 2026-11"),
        (("month", "2026-11", "--zone", "Mars/Base"), "--zone: 'Mars/Base' is no time zone"),
        (("month", "2026-11", "--format", "docx"), "--format: 'docx' is not one of html, pdf, xlsx, csv, json, all"),
        (("month", "2026-11", "--cut-off", "99"), f"the record ends with fact {await cut_off(pool)}"),
        (("month", "2026-10", "--issue"), "--as: who acts is not known"),
        (("month", "2099-11", "--issue"), "--issue: 2099-11 is not over"),
        (("cases", "2026-11", "categories.fee.guessed"), "figure: the report has no 'categories.fee.guessed'"),
    ):
        ran = await redress("report", *arguments)
        assert ran.code == 2, arguments
        assert told in " ".join(ran.err.split()), arguments
