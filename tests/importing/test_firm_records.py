"""What the firm records beside the platform's log, and customers, by CSV; every kind's template and document."""

import csv
import io
import itertools
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.ground.shapes import SHAPES
from domain.keys.scopes import scope_of_customer
from runtime.keys.here import keys_needed
from starter.importing import loading
from starter.importing.formats.csv_templates import template
from starter.importing.formats.kinds import Kind
from starter.importing.formats.server_clock import ServerClock
from starter.importing.formats.trade_log_csv import Layout, RowError
from starter.importing.loading import ImportFailed, ImportReport, LogRows, Reading, import_file
from starter.reading.customers import find_customers
from tests.importing.support import Pool, rows_of, with_gold, write

DOCUMENT = (Path(__file__).parents[2] / "docs" / "trade-log-csv.md").read_text(encoding="utf-8")

CUSTOMERS = "account,name,email,phone,language\n"
ANN = "70012345,A. Example,a@example.org,,en\n"
ANN_MOVED = "70012345,A. Example,a.new@example.org,,en\n"
BEN = "70012346,B. 样例,,+852 5555 0100,zh-CN\n"


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    """read, loaded, duplicates, rejected"""
    assert report.loaded + report.duplicates + report.rejected == report.read
    return report.read, report.loaded, report.duplicates, report.rejected


def reasons(report: ImportReport) -> list[tuple[str, str]]:
    """Line and reason of the rejected rows."""
    assert report.rejects_path is not None
    with report.rejects_path.open(encoding="utf-8", newline="") as file:
        return [(line, reason) for line, reason, _ in itertools.islice(csv.reader(file), 1, None)]


def row(kind: Kind, /, **other: str) -> str:
    """The example row of *kind* with *other* values, under its header."""
    file = io.StringIO()
    header, cells = csv.reader(io.StringIO(template(kind)))
    csv.writer(file, lineterminator="\n").writerows(
        [header, list({**dict(zip(header, cells, strict=True)), **other}.values())]
    )
    return file.getvalue()


# --- templates and document -------------------------------------------------------------------------------------------


async def test_the_template_of_every_kind_is_imported_once_as_it_stands(pool: Pool, tmp_path: Path) -> None:
    for kind in Kind:
        file = write(tmp_path / "template.csv", template(kind))
        first, again = await import_file(pool, file), await import_file(pool, file)
        assert (first.kind, counts(first), counts(again)) == (kind, (1, 1, 0, 0), (1, 0, 1, 0))
        assert len(await rows_of(pool, kind)) == 1


@pytest.mark.parametrize("kind", Kind)
def test_the_document_shows_every_column_of_a_kind_and_its_template(kind: Kind) -> None:
    section = DOCUMENT.split(f"### `{kind}`\n")[1].split("\n#")[0]
    assert f"```csv\n{template(kind)}```" in section
    told = re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE)[1:]
    named = ", ".join(told).split(", ")
    assert set(named) == {name if name in kind.required else f"[{name}]" for name in kind.columns}
    assert len(named) == len(kind.columns)


def test_every_example_in_the_document_is_a_template() -> None:
    assert re.findall(r"```csv\n(.+?)```", DOCUMENT, re.DOTALL) == [template(kind) for kind in Kind]


def test_no_header_fits_two_kinds() -> None:
    for one, other in itertools.combinations(Kind, 2):
        assert not (set(one.required) <= set(other.columns) and set(other.required) <= set(one.columns))


# --- what is refused, and in which words ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "cells", "said"),
    [
        (Kind.ORDER_EVENTS, {"kind": "lost"}, "kind: must be one of 'sent', 'received', 'forwarded', 'answered'"),
        (
            Kind.ORDER_EVENTS,
            {"symbol": "XAGUSD"},
            "symbol: XAGUSD is not a known instrument: import its instruments file",
        ),
        (Kind.ORDER_EVENTS, {"reason": "two\nlines"}, "reason: must be one line without tabs"),
        (Kind.ACCOUNT_TERMS, {"leverage": "0"}, "leverage: must be above 0"),
        (Kind.ACCOUNT_TERMS, {"leverage": "1:100"}, "leverage: must be a decimal number"),
        (Kind.ACCOUNT_TERMS, {"client_class": "vip"}, "client_class: must be one of 'retail', 'professional' or"),
        (Kind.BALANCES, {"amount": "15,250.40"}, "amount: must be a decimal number with a point and no thousands"),
        (Kind.CHARGE_SCHEDULES, {"triple_day": "Wednesday"}, "triple_day: must be a whole number"),
        (Kind.CHARGE_SCHEDULES, {"triple_day": "8"}, "triple_day: must be 7 or less"),
        (Kind.CHARGE_SCHEDULES, {"rollover": "5 pm"}, "rollover: must be a time of the day such as 17:00"),
        (
            Kind.CHARGE_SCHEDULES,
            {"rollover": "17:00Z"},
            "rollover: must be a time of the day such as 17:00, without an",
        ),
        (Kind.CHARGE_SCHEDULES, {"rollover": "24:30"}, "rollover: is not a time of the day"),
        (
            Kind.CHARGE_SCHEDULES,
            {"zone": "Mars/Base"},
            "zone: is not a known time zone: give its name, such as America/",
        ),
        (Kind.CHARGE_SCHEDULES, {"zone": "../etc"}, "zone: is not a known time zone"),
        (Kind.CHARGE_SCHEDULES, {"symbol": "XAGUSD"}, "symbol: XAGUSD is not a known instrument"),
        (Kind.OUTAGES, {"until": "2023-11-14T13:29:54Z"}, "until is before since"),
        (Kind.OUTAGES, {"symbol": "XAGUSD"}, "symbol: XAGUSD is not a known instrument"),
        (Kind.BINARY_OPTIONS, {"direction": "above"}, "direction: must be one of 'up' or 'down'"),
        (Kind.BINARY_OPTIONS, {"symbol": "XAGUSD"}, "symbol: XAGUSD is not a known instrument"),
        (Kind.CANCELLATIONS, {"amount": "-1"}, "amount: must be 0 or more"),
        (Kind.DISCLOSURES, {"about": ""}, "about: is missing"),
        (Kind.APPROPRIATENESS, {"symbol": "XAGUSD"}, "symbol: XAGUSD is not a known instrument"),
        (Kind.RATES, {"base": "euro"}, "base: must be an ISO 4217 code of three letters such as USD"),
        (Kind.RATES, {"rate": "0"}, "rate: must be above 0"),
        (Kind.BASE_RATES, {"effective_from": "03.08.2023"}, "effective_from: must be a day such as 2023-11-12"),
        (Kind.BASE_RATES, {"effective_from": "2023-02-30"}, "effective_from: is not a day of the calendar"),
        (Kind.CUSTOMERS, {"language": "fr"}, "language: must be one of 'zh-CN' or 'en'"),
        (Kind.CUSTOMERS, {"language": ""}, "language: is missing"),
        (Kind.CUSTOMERS, {"name": ""}, "name: is missing"),
    ],
)
def test_a_bad_row_is_refused_naming_the_field_at_fault_and_the_way_out(
    kind: Kind, cells: dict[str, str], said: str
) -> None:
    header, bad = csv.reader(io.StringIO(row(kind, **cells), newline=""))
    outcome = Layout.of(header).parse(2, bad, frozenset({"XAUUSD"}))
    assert isinstance(outcome, RowError)
    assert str(outcome).startswith(said)


async def test_bad_rows_are_kept_with_their_lines_while_the_good_ones_load(pool: Pool, tmp_path: Path) -> None:
    header, good = template(Kind.CHARGE_SCHEDULES).splitlines()
    rows = [header, good, good.replace("c-2023-1,XAUUSD", "c-2,XAGUSD"), good.replace("17:00", "5 pm"), ""]
    await with_gold(pool, tmp_path)
    report = await import_file(pool, write(tmp_path / "schedules.csv", "\n".join(rows)))
    assert counts(report) == (3, 1, 0, 2)
    assert [(line, reason.split(":")[0]) for line, reason in reasons(report)] == [("3", "symbol"), ("4", "rollover")]


def test_an_outage_of_every_instrument_names_none() -> None:
    header, *_ = csv.reader(io.StringIO(template(Kind.OUTAGES)))
    outcome = Layout.of(header).parse(2, ["d-1", "web", "2023-11-14T13:29:55Z", "", "", ""], frozenset())
    assert not isinstance(outcome, RowError)


async def test_times_without_an_offset_are_read_by_the_server_clock(pool: Pool, tmp_path: Path) -> None:
    reading = Reading(clock=ServerClock.named("NY+7"))
    naive = row(Kind.OUTAGES, since="2023-11-14 15:29:55", until="2023-11-14 15:47:10", symbol="")
    await import_file(pool, write(tmp_path / "naive.csv", naive), reading=reading)
    said = row(Kind.OUTAGES, since="2023-11-14T13:29:55Z", until="2023-11-14T13:47:10Z", symbol="")
    assert counts(await import_file(pool, write(tmp_path / "said.csv", said))) == (1, 0, 1, 0)
    times = row(Kind.CHARGE_SCHEDULES, effective_from="2023-01-02 02:00:00")
    await with_gold(pool, tmp_path)
    await import_file(pool, write(tmp_path / "times.csv", times), reading=reading)
    assert await pool.fetchval("select rollover::text from tradelog.charge_schedules") == "17:00:00"


# --- conflicts --------------------------------------------------------------------------------------------------------


CONFLICTS: tuple[tuple[Kind, dict[str, str], str], ...] = (
    (Kind.ORDER_EVENTS, {"price": "1930.20", "reason": ""}, "event"),
    (Kind.ACCOUNT_TERMS, {"leverage": "200"}, "terms"),
    (Kind.BALANCES, {"amount": "15250.41"}, "balance"),
    (Kind.CHARGE_SCHEDULES, {"triple_day": "5", "rollover": "17:01"}, "schedule"),
    (Kind.OUTAGES, {"until": "2023-11-14T13:47:11Z"}, "outage"),
    (Kind.BINARY_OPTIONS, {"paid": "360"}, "option"),
    (Kind.CANCELLATIONS, {"clause": "terms 9"}, "cancellation"),
    (Kind.DISCLOSURES, {"about": "swap"}, "disclosure"),
    (Kind.APPROPRIATENESS, {"result": "appropriate"}, "assessment"),
    (Kind.RATES, {"rate": "1.0671"}, "base, quote, source, at"),
    (Kind.BASE_RATES, {"percent": "5.5"}, "name, effective_from"),
)


async def test_a_conflict_names_its_line_and_what_differs(pool: Pool, tmp_path: Path) -> None:
    await with_gold(pool, tmp_path)
    for kind, other, key in CONFLICTS:
        await import_file(pool, write(tmp_path / "first.csv", template(kind)))
        recorded = await rows_of(pool, kind)
        report = await import_file(pool, write(tmp_path / "second.csv", row(kind, **other)))
        assert (counts(report), report.conflicts) == ((1, 0, 0, 1), 1)
        assert reasons(report) == [("2", f"{key}: is in the trade log with other values of {', '.join(other)}")]
        assert await rows_of(pool, kind) == recorded


async def test_of_a_row_that_was_completed_a_conflict_names_what_differs_from_its_end(
    pool: Pool, tmp_path: Path
) -> None:
    await with_gold(pool, tmp_path)
    since, later = "2023-11-14T13:00:00Z", "2023-11-14T13:00:01Z"
    for cells, differs in (
        ({"since": since, "until": "", "cause": "not known"}, None),
        ({"since": since, "until": "2023-11-14T14:00:00Z", "cause": "failover"}, None),
        ({"since": since, "until": "2023-11-14T15:00:00Z", "cause": "failover"}, "until"),
        ({"since": later, "until": "2023-11-14T15:00:00Z", "cause": "failover"}, "since"),
    ):
        report = await import_file(pool, write(tmp_path / "outages.csv", row(Kind.OUTAGES, **cells)))
        if differs:
            assert reasons(report) == [("2", f"outage: is in the trade log with other values of {differs}")]
        else:
            assert report.rejected == 0


# --- customers --------------------------------------------------------------------------------------------------------


async def emails(pool: Pool, account: str = "70012345") -> list[str | None]:
    rows = await pool.fetch("select email from casefile.customers where account = $1 order by id", account)
    return [row["email"] for row in rows]


async def test_the_same_customer_again_is_a_duplicate_and_another_row_a_newer_version(
    pool: Pool, tmp_path: Path
) -> None:
    file = tmp_path / "customers.csv"
    for rows, expected in (
        (ANN + BEN, (2, 2, 0, 0)),
        (ANN + BEN, (2, 0, 2, 0)),
        (BEN + ANN_MOVED + ANN_MOVED, (3, 1, 2, 0)),
        (ANN, (1, 1, 0, 0)),  # and back again
        (ANN.replace("en", "en-GB"), (1, 0, 1, 0)),
    ):
        report = await import_file(pool, write(file, CUSTOMERS + rows))
        assert (counts(report), report.conflicts) == (expected, 0)
        assert report.log_rows[Kind.CUSTOMERS] == LogRows(loaded=expected[1], duplicates=expected[2])
    assert await emails(pool) == ["a@example.org", "a.new@example.org", "a@example.org"]
    assert await emails(pool, "70012346") == [None]
    assert [one.account for one in await find_customers(pool, "a.new@example.org")] == []
    assert [one.account for one in await find_customers(pool, "a@example.org")] == ["70012345"]
    there = await pool.fetchval("select string_agg(customers::text, '') from casefile.customers")
    assert "example.org" not in there
    gone = ANN.replace("70012345", "erased-in-a-test")
    await keys_needed().destroy([scope_of_customer("erased-in-a-test")])
    report = await import_file(pool, write(file, CUSTOMERS + gone + BEN))
    assert counts(report) == (2, 0, 1, 1)
    assert "erased" in reasons(report)[0][1]


async def test_a_file_with_two_versions_of_an_account_can_be_repeated(pool: Pool, tmp_path: Path) -> None:
    file = write(tmp_path / "customers.csv", CUSTOMERS + ANN + BEN + ANN_MOVED)
    assert counts(await import_file(pool, file)) == (3, 3, 0, 0)
    assert counts(await import_file(pool, file)) == (3, 0, 3, 0)
    assert await emails(pool) == ["a@example.org", "a.new@example.org"]


@given(files=st.lists(st.lists(st.tuples(st.sampled_from("12"), st.sampled_from("ab")), max_size=6), max_size=4))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_comes_the_last_row_of_an_account_counts_and_repeating_a_file_adds_nothing(
    pool: Pool, tmp_path: Path, files: list[list[tuple[str, str]]]
) -> None:
    prefix = await pool.fetchval("select gen_random_uuid()::text")
    last: dict[str, str] = {}
    for rows in files:
        lines = "".join(f"{prefix}-{account},{name},,,en\n" for account, name in rows)
        file = write(tmp_path / "customers.csv", CUSTOMERS + lines)
        first, again = await import_file(pool, file), await import_file(pool, file)
        assert (first.rejected, again.rejected, again.loaded) == (0, 0, 0)
        last.update(rows)
    found = await pool.fetch(
        "select distinct on (account) account, name from casefile.customers where account like $1"
        " order by account, id desc",
        f"{prefix}-%",
    )
    assert {row["account"].rsplit("-")[-1]: row["name"] for row in found} == last


async def test_customers_come_through_in_batches_and_strictly(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "BATCH_ROWS", 3)
    lines = [f"7{n:07},Customer {n},c{n}@example.org,,en\n" for n in range(10)]
    file = write(tmp_path / "customers.csv", CUSTOMERS + "".join(lines) + "70000099,,,,en\n")
    with pytest.raises(ImportFailed, match="1 of 11 rows are bad"):
        await import_file(pool, file, strict=True)
    assert await pool.fetchval("select count(*) from casefile.customers") == 0
    assert counts(await import_file(pool, file)) == (11, 10, 0, 1)
    assert counts(await import_file(pool, file)) == (11, 0, 10, 1)
    told_twice = write(tmp_path / "twice.csv", CUSTOMERS + 2 * (ANN + BEN + ANN.replace("70012345", "70012347")))
    assert counts(await import_file(pool, told_twice)) == (6, 3, 3, 0)


UNFIT = (
    ("70012345,Zebra,zebra,,en", "email: must be an e-mail address such as name@example.com"),
    ("70012345,Zebra,x@zebra..example,,en", "email: must be an e-mail address such as name@example.com"),
    ("70012345,Zebra,,zebra,en", "phone: must be 5 to 24 digits, spaces, hyphens and brackets, with or"),
    ('70012345,"Zebra\nZebra",,,en', "name: must be one line without tabs"),
    ("zebra zebra,Zebra,,,en", "account: must be 1 to 100 letters, digits and"),
    ("70012345,Zebra,,,zebra", "language: must be one of 'zh-CN' or 'en'"),
    ("70012345,Zebra," + "zebra" * 50 + "@example.org,,en", "email: must be an e-mail address"),
    ("70012345," + "Zebra" * 50 + ",,,en", "name: is longer than 200 characters"),
    ("70012345,Zebra,zebra@example.org", "has 3 values where the header has 5"),
)


async def test_neither_a_reason_nor_the_log_repeats_what_is_known_of_a_customer(
    pool: Pool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    file = write(tmp_path / "customers.csv", CUSTOMERS + "".join(f"{cells}\n" for cells, _ in UNFIT) + ANN)
    report = await import_file(pool, file)
    assert counts(report) == (len(UNFIT) + 1, 1, 0, len(UNFIT))
    for (_, reason), (_, said) in zip(reasons(report), UNFIT, strict=True):
        assert reason.startswith(said)
        assert "zebra" not in reason.lower()
    for told in (caplog.text, report.model_dump_json()):
        assert "zebra" not in told.lower()
        assert "a@example.org" not in told


async def test_a_language_that_the_file_does_not_tell_is_set_for_all_rows(pool: Pool, tmp_path: Path) -> None:
    from starter.importing.formats.trade_log_csv import ColumnMap

    file = write(tmp_path / "crm.csv", "login,full_name,mail\n70012345,A. Example,a@example.org\n")
    mapping = ColumnMap({"account": "login", "name": "full_name", "email": "mail"}, {"language": "en"})
    report = await import_file(pool, file, reading=Reading(columns=mapping))
    assert (report.kind, counts(report)) == (Kind.CUSTOMERS, (1, 1, 0, 0))
    assert await pool.fetchval("select language from casefile.customers") == "en"


@pytest.mark.parametrize("kind", Kind)
def test_a_cell_of_another_shape_is_told_in_words_of_its_own_field(kind: Kind) -> None:
    assert set(shapes(kind.model.model_json_schema())) <= set(SHAPES)


def shapes(schema: object) -> Iterator[str]:
    """The patterns in a JSON schema."""
    if isinstance(schema, dict):
        yield from (value for name, value in schema.items() if name == "pattern" and isinstance(value, str))
    parts = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    for part in parts:
        yield from shapes(part)
