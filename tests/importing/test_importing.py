"""The import of CSV files into the trade log: every row accounted for, nothing twice, nothing overwritten."""

import asyncio
import csv
import stat
import subprocess
import sys
import tracemalloc
import uuid
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.ground.base import Record
from starter.importing import loading, texts
from starter.importing.formats.kinds import Kind
from starter.importing.loading import ImportFailed, ImportReport, import_file
from tests.importing.support import GOLD, QUOTES, Pool, names_in, quote_line, rows_of, with_gold, write, write_rows
from tests.importing.test_csv import GOOD


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    """read, loaded, duplicates, rejected"""
    assert report.loaded + report.duplicates + report.rejected == report.read
    return report.read, report.loaded, report.duplicates, report.rejected


def rejects_of(report: ImportReport) -> list[tuple[str, ...]]:
    assert report.rejects_path is not None
    with report.rejects_path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["line", "reason", "original"]
    return [tuple(row) for row in rows]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that files of some rows have several."""
    monkeypatch.setattr(loading, "BATCH_ROWS", 4)


def one_of_each() -> dict[Kind, Record]:
    more: dict[Kind, dict[str, str]] = {
        Kind.ORDERS: {"price": "1935.10", "position": "P-1", "received_at": "2023-11-12T23:30:00.123456Z"},
        Kind.FILLS: {"source": "LP-2"},
        Kind.POSITIONS: {"close_price": "1909.66", "closed_at": "2023-11-12T23:30:01Z", "margin_level": "15.01"},
        Kind.ACCOUNT_ENTRIES: {"requested_at": "2023-11-01T00:00:00Z", "note": 'C:\\new "and" \\N, 备注'},
        Kind.MARGIN_RATES: {"percent": "1"},
        Kind.MESSAGES: {"text": 'Zeile 1\n\\.\n\\N\tTab, "Zitat" \\t 😀\n，最后一行'},
    }
    return {kind: kind.model.model_validate({**GOOD[kind], **more.get(kind, {})}) for kind in Kind}


async def test_every_kind_of_rows_arrives_with_every_value(pool: Pool, tmp_path: Path) -> None:
    for kind, row in one_of_each().items():
        report = await import_file(pool, write_rows(tmp_path / f"{kind}.csv", kind, [row]))
        assert (report.kind, counts(report)) == (kind, (1, 1, 0, 0))
        assert report.rejects_path is None
        assert await rows_of(pool, kind) == [row]


async def test_a_second_import_of_the_same_file_loads_nothing(pool: Pool, tmp_path: Path) -> None:
    await with_gold(pool, tmp_path)
    file = write(tmp_path / "quotes.csv", QUOTES + "".join(quote_line(second) for second in range(10)))
    assert counts(await import_file(pool, file)) == (10, 10, 0, 0)
    before = await rows_of(pool, Kind.QUOTES)

    assert counts(await import_file(pool, file)) == (10, 0, 10, 0)
    assert await rows_of(pool, Kind.QUOTES) == before


async def test_an_export_that_overlaps_the_last_one_loads_what_is_new(pool: Pool, tmp_path: Path) -> None:
    await with_gold(pool, tmp_path)
    first = write(tmp_path / "monday.csv", QUOTES + "".join(quote_line(second) for second in range(10)))
    second = write(tmp_path / "tuesday.csv", QUOTES + "".join(quote_line(second) for second in range(6, 31)))
    await import_file(pool, first)

    assert counts(await import_file(pool, second)) == (25, 21, 4, 0)
    assert len(await rows_of(pool, Kind.QUOTES)) == 31


async def test_the_same_values_written_differently_are_duplicates(pool: Pool, tmp_path: Path) -> None:
    await with_gold(pool, tmp_path)
    file = write(
        tmp_path / "quotes.csv",
        QUOTES
        + "XAUUSD,LP-1,2023-11-12T23:30:00Z,1935.1,1935.40\n"
        + "XAUUSD,LP-1,2023-11-13 01:30:00.000+02:00,1935.10,01935.4\n",
    )
    assert counts(await import_file(pool, file)) == (2, 1, 1, 0)


async def test_a_known_row_with_other_values_is_rejected_and_the_first_one_stays(pool: Pool, tmp_path: Path) -> None:
    await with_gold(pool, tmp_path)
    await import_file(pool, write(tmp_path / "first.csv", QUOTES + quote_line(5, "1935.25", "1935.55")))
    lines = [quote_line(second) for second in range(10)]
    lines[5] = quote_line(5, "1911.00", "1911.30")

    report = await import_file(pool, write(tmp_path / "second.csv", QUOTES + "".join(lines)))

    assert counts(report) == (10, 9, 0, 1)
    assert report.conflicts == 1
    assert rejects_of(report) == [
        ("7", "symbol, source, at: is in the trade log with other values of bid, ask", lines[5].rstrip("\n"))
    ]
    assert {str(row.bid) for row in await rows_of(pool, Kind.QUOTES)} == {"1935.25"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("apart", [0, 1, 9], ids="{} rows apart".format)
async def test_a_row_that_contradicts_one_further_up_in_the_same_file_is_rejected(
    pool: Pool, tmp_path: Path, apart: int
) -> None:
    await with_gold(pool, tmp_path)
    between = [quote_line(second) for second in range(1, apart + 1)]
    lines = [quote_line(0), *between, quote_line(0), quote_line(0, "1900.00")]

    report = await import_file(pool, write(tmp_path / "quotes.csv", QUOTES + "".join(lines)))

    assert counts(report) == (apart + 3, apart + 1, 1, 1)
    assert [line for line, _, _ in rejects_of(report)] == [str(len(lines) + 1)]


async def test_an_absent_value_is_another_value_than_a_given_one(pool: Pool, tmp_path: Path) -> None:
    await with_gold(pool, tmp_path)
    header = ",".join(GOOD[Kind.FILLS])
    without = ",".join(GOOD[Kind.FILLS].values())
    await import_file(pool, write(tmp_path / "a.csv", f"{header}\n{without}\n"))

    report = await import_file(pool, write(tmp_path / "b.csv", f"{header},source\n{without},\n{without},LP-2\n"))

    assert counts(report) == (2, 0, 1, 1)


async def test_bad_rows_are_kept_with_line_and_reason_while_the_good_ones_load(pool: Pool, tmp_path: Path) -> None:
    file = write(
        tmp_path / "messages.csv",
        "message,account,at,direction,text\r\n"
        'M-1,70012345,2023-11-12T23:30:00Z,from_customer,"two\r\nlines"\r\n'
        "\r\n"
        "M-2,70012345,2023-11-12 23:30:00,from_customer,no offset\r\n"
        'M-3,70012345,2023-11-12T23:30:00Z,nowhere,"two\r\nlines, ""again"""\r\n'
        'M-4,70012345,2023-11-12T23:30:00Z,from_customer,"he said "hi"\r\n'
        "M-5,70012345,2023-11-12T23:30:00Z,from_customer,good\r\n",
    )
    report = await import_file(pool, file)

    assert counts(report) == (5, 2, 0, 3)
    assert report.rejects_path == tmp_path / "messages.csv.rejects.csv"
    assert stat.S_IMODE(report.rejects_path.stat().st_mode) == 0o600
    assert rejects_of(report) == [
        (
            "5",
            "at: has no UTC offset: end it with Z if it is in UTC, else with its offset such as +02:00",
            "M-2,70012345,2023-11-12 23:30:00,from_customer,no offset",
        ),
        (
            "6",
            "direction: must be one of 'from_customer' or 'to_customer'",
            'M-3,70012345,2023-11-12T23:30:00Z,nowhere,"two\r\nlines, ""again"""',
        ),
        (
            "8",
            "is not well-formed CSV: put a value with commas or quotes in double quotes, and write a quote in it twice",
            'M-4,70012345,2023-11-12T23:30:00Z,from_customer,"he said "hi"',
        ),
    ]
    assert [row.message for row in await rows_of(pool, Kind.MESSAGES)] == ["M-1", "M-5"]  # type: ignore[attr-defined]


async def test_the_originals_of_rejected_rows_can_be_mended_and_imported(pool: Pool, tmp_path: Path) -> None:
    file = write(tmp_path / "quotes.csv", QUOTES + "".join(quote_line(second) for second in range(10)))
    report = await import_file(pool, file)
    assert counts(report) == (10, 0, 0, 10)
    assert {reason for _, reason, _ in rejects_of(report)} == {
        "symbol: XAUUSD is not a known instrument: import its instruments file first"
    }
    await with_gold(pool, tmp_path)
    mended = write(tmp_path / "mended.csv", QUOTES + "".join(f"{original}\n" for *_, original in rejects_of(report)))

    assert counts(await import_file(pool, mended)) == (10, 10, 0, 0)


async def test_a_strict_import_with_a_bad_row_loads_nothing_and_names_the_bad_rows(pool: Pool, tmp_path: Path) -> None:
    await with_gold(pool, tmp_path)
    lines = [quote_line(second) for second in range(10)] + [quote_line(3, "1900.00"), quote_line(11, "no price")]
    file = write(tmp_path / "quotes.csv", QUOTES + "".join(lines))
    rejects = tmp_path / "elsewhere.csv"

    with pytest.raises(ImportFailed, match=r"nothing was loaded, because the import is strict and 2 of 12") as failed:
        await import_file(pool, file, strict=True, rejects=rejects)

    assert failed.value.rejects_path == rejects
    assert [row.split(",")[0] for row in rejects.read_text().splitlines()] == ["line", "12", "13"]
    assert await rows_of(pool, Kind.QUOTES) == []


async def test_a_strict_import_of_good_rows_and_duplicates_loads(pool: Pool, tmp_path: Path) -> None:
    await with_gold(pool, tmp_path)
    file = write(tmp_path / "quotes.csv", QUOTES + "".join(quote_line(second) for second in [*range(10), 3, 3, 10]))
    assert counts(await import_file(pool, file, strict=True)) == (13, 11, 2, 0)
    assert counts(await import_file(pool, file, strict=True)) == (13, 0, 13, 0)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind.names_instrument and "symbol" in kind.required])
async def test_a_row_of_an_unknown_instrument_is_rejected(pool: Pool, tmp_path: Path, kind: Kind) -> None:
    report = await import_file(pool, write_rows(tmp_path / "rows.csv", kind, [one_of_each()[kind]]))
    assert counts(report) == (1, 0, 0, 1)
    assert rejects_of(report)[0][1].startswith("symbol: XAUUSD is not a known instrument")


BROKEN = {
    "empty": (b"", "the file is empty. Its first line must name the columns"),
    "blank": (b"\n\n", "the file is empty"),
    "no header": (quote_line(0).encode(), "first line is not a header of a kind of rows"),
    "unknown column": (b"symbol,source,at,bid,ask,mood\n", "unknown column 'mood'"),
    "UTF-16": ((QUOTES + quote_line(0)).encode("utf-16")[:-1], "ends in the middle of a character"),
    "Latin-1": ((QUOTES + quote_line(0)).encode() + "XAUUSD,Börse".encode("latin-1"), "line 3: not UTF-8"),
    "half a character": ((QUOTES + quote_line(0)).encode() + "好".encode()[:2], "ends in the middle of a character"),
    "NUL": ((QUOTES + quote_line(0) + quote_line(1)).encode() + b"XAUUSD\0", "line 4: a NUL byte"),
    "unclosed quote": (
        (QUOTES + quote_line(0) * 5 + '"XAUUSD,' + quote_line(1) * 5).encode(),
        "line 7: a quoted value begins there and its closing quote is missing",
    ),
    "unclosed quote at the end": (
        (QUOTES + quote_line(0) * 9 + '"XAUUSD').encode(),
        "line 11: a quoted value begins there and its closing quote is missing",
    ),
    "no lines": (b"\x01" * (3 << 20), "line 1: longer than a megabyte"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_file_is_refused_and_nothing_of_it_is_loaded(pool: Pool, tmp_path: Path, name: str) -> None:
    await with_gold(pool, tmp_path)
    content, said = BROKEN[name]
    file = tmp_path / "broken.csv"
    file.write_bytes(content)

    with pytest.raises(ImportFailed) as failed:
        await import_file(pool, file)

    assert said in str(failed.value)
    assert "broken.csv" in str(failed.value)
    assert await rows_of(pool, Kind.QUOTES) == []
    assert names_in(tmp_path) == ["broken.csv", "instruments.csv"]


async def test_a_file_that_is_not_there_or_no_file_is_refused(pool: Pool, tmp_path: Path) -> None:
    for path, said in ((tmp_path / "absent.csv", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(ImportFailed, match=said):
            await import_file(pool, path)


async def test_a_quote_mark_within_a_value_is_no_unclosed_quote(pool: Pool, tmp_path: Path) -> None:
    header = "message,account,at,direction,text\n"
    file = write(tmp_path / "m.csv", header + 'M-1,70012345,2023-11-12T23:30:00Z,to_customer,a 5" screen\n')
    assert counts(await import_file(pool, file)) == (1, 1, 0, 0)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
async def test_a_byte_order_mark_and_every_line_end_are_understood(pool: Pool, tmp_path: Path, end: str) -> None:
    await with_gold(pool, tmp_path)
    text = "\ufeff" + QUOTES + quote_line(0) + quote_line(1, "broken") + quote_line(2).rstrip("\n")

    report = await import_file(pool, write(tmp_path / "quotes.csv", text.replace("\n", end)))

    assert counts(report) == (3, 2, 0, 1)
    assert rejects_of(report)[0][0] == "3"


async def test_a_file_with_a_header_only_has_no_rows(pool: Pool, tmp_path: Path) -> None:
    assert counts(await import_file(pool, write(tmp_path / "quotes.csv", QUOTES))) == (0, 0, 0, 0)


async def test_the_kind_can_be_named_and_must_fit(pool: Pool, tmp_path: Path) -> None:
    file = write(tmp_path / "instruments.csv", GOLD)
    with pytest.raises(ImportFailed, match="does not fit quotes: unknown column 'contract_size'"):
        await import_file(pool, file, kind=Kind.QUOTES)
    assert counts(await import_file(pool, file, kind=Kind.INSTRUMENTS)) == (1, 1, 0, 0)


async def test_progress_counts_the_bytes_of_the_file(pool: Pool, tmp_path: Path) -> None:
    await with_gold(pool, tmp_path)
    file = write(tmp_path / "quotes.csv", QUOTES + "".join(quote_line(second) for second in range(1000)))
    told: list[tuple[int, int]] = []

    await import_file(pool, file, progress=lambda done, size, _: told.append((done, size)))

    assert len(told) == 250
    assert told == sorted(told)
    assert {size for _, size in told} == {file.stat().st_size}
    assert told[0][0] < told[-1][0] == file.stat().st_size


async def test_memory_does_not_grow_with_the_file(pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await with_gold(pool, tmp_path)
    monkeypatch.setattr(loading, "BATCH_ROWS", 500)
    monkeypatch.setattr(texts, "CHUNK", 1 << 14)

    async def peak(rows: int, source: str) -> int:
        lines = (quote_line(second, source=source) for second in range(rows))
        file = write(tmp_path / f"{rows}.csv", QUOTES + "".join(lines))
        tracemalloc.start()
        try:
            await import_file(pool, file)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    small = await peak(2_000, "LP-1")
    assert await peak(20_000, "LP-2") < 1.5 * small


async def test_the_file_of_rejects_follows_the_last_import(pool: Pool, tmp_path: Path) -> None:
    await with_gold(pool, tmp_path)
    file = write(tmp_path / "quotes.csv", QUOTES + quote_line(0) + quote_line(1, "bad") + quote_line(2, "bad"))
    assert len(rejects_of(await import_file(pool, file))) == 2
    write(file, QUOTES + quote_line(0) + quote_line(1) + quote_line(2, "bad"))
    assert len(rejects_of(await import_file(pool, file))) == 1
    write(file, QUOTES + quote_line(0) + quote_line(1) + quote_line(2))
    assert (await import_file(pool, file)).rejects_path is None
    assert names_in(tmp_path) == ["instruments.csv", "quotes.csv"]


async def test_rejects_never_overwrite_another_file(pool: Pool, tmp_path: Path) -> None:
    file = write(tmp_path / "quotes.csv", QUOTES + quote_line(0))
    precious = write(tmp_path / "precious.csv", "what,ever\n")
    for rejects in (precious, file):
        with pytest.raises(ImportFailed, match="is no earlier file of rejects and is left alone: name another one"):
            await import_file(pool, file, rejects=rejects)
    assert precious.read_text() == "what,ever\n"


async def test_a_database_without_the_trade_log_is_named_as_such(pool: Pool, tmp_path: Path) -> None:
    await pool.execute("drop schema tradelog cascade")
    with pytest.raises(ImportFailed, match="no trade log: apply the migrations first"):
        await with_gold(pool, tmp_path)


# --- what goes wrong on the way ---------------------------------------------------------------------------------------


async def test_a_connection_lost_on_the_way_fails_clearly_and_the_repeated_import_completes_it(
    pool: Pool, tmp_path: Path
) -> None:
    await with_gold(pool, tmp_path)
    lines = [quote_line(second) for second in range(1000)]
    lines.insert(7, quote_line(5, "1900.00"))
    file = write(tmp_path / "quotes.csv", QUOTES + "".join(lines))

    async with pool.acquire() as administrator:
        cutting: list[asyncio.Task[str]] = []

        def cut(done: int, size: int, _rows: int) -> None:
            if done > size // 2 and not cutting:
                statement = (
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = current_database() and pid <> pg_backend_pid()"
                )
                cutting.append(asyncio.create_task(administrator.execute(statement)))

        with pytest.raises(ImportFailed, match=r"the database broke the import off: .* Repeat the import"):
            await import_file(pool, file, progress=cut)
        await asyncio.gather(*cutting)
    loaded = len(await rows_of(pool, Kind.QUOTES))
    assert 0 < loaded < 1000
    assert names_in(tmp_path) == ["instruments.csv", "quotes.csv"]

    assert counts(await import_file(pool, file)) == (1001, 1000 - loaded, loaded, 1)


async def test_a_process_killed_in_the_middle_leaves_what_a_repeated_import_completes(
    pool: Pool, database_url: str, tmp_path: Path
) -> None:
    await with_gold(pool, tmp_path)
    file = write(tmp_path / "quotes.csv", QUOTES + "".join(quote_line(second) for second in range(40_000)))
    script = f"""
import asyncio
from pathlib import Path
from runtime.database import open_pool
from starter.importing import loading
loading.BATCH_ROWS = 100
async def main():
    pool = await open_pool({database_url!r})
    await loading.import_file(pool, Path({str(file)!r}), progress=lambda done, size, _: print(done, flush=True))
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=subprocess.PIPE)
    assert process.stdout is not None
    for _ in range(5):
        await process.stdout.readline()
    process.kill()
    await process.communicate()
    loaded = len(await rows_of(pool, Kind.QUOTES))
    assert 500 <= loaded < 40_000

    loading.BATCH_ROWS = 20_000  # the fixture puts it back
    report = await import_file(pool, file)

    assert report.loaded + report.duplicates == 40_000
    assert await pool.fetchval("select count(*) from tradelog.quotes") == 40_000


async def test_a_cancelled_import_leaves_nothing_open_and_can_be_repeated(pool: Pool, tmp_path: Path) -> None:
    await with_gold(pool, tmp_path)
    file = write(tmp_path / "quotes.csv", QUOTES + "".join(quote_line(second) for second in range(1000)))
    begun = asyncio.Event()
    importing_it = asyncio.create_task(import_file(pool, file, progress=lambda *_: begun.set()))
    await begun.wait()
    importing_it.cancel()
    with pytest.raises(asyncio.CancelledError):
        await importing_it

    report = await import_file(pool, file)
    assert 0 < report.duplicates < 1000
    assert report.loaded + report.duplicates == 1000


@pytest.mark.parametrize("strict", [False, True], ids=["batch by batch", "strict"])
async def test_two_imports_of_the_same_rows_in_another_order_do_not_get_in_each_others_way(
    pool: Pool, tmp_path: Path, strict: bool
) -> None:
    await with_gold(pool, tmp_path)
    lines = [quote_line(second) for second in range(200)]
    files = [
        write(tmp_path / "up.csv", QUOTES + "".join(lines)),
        write(tmp_path / "down.csv", QUOTES + "".join(reversed(lines))),
    ]
    reports = await asyncio.gather(*(import_file(pool, file, strict=strict) for file in files))
    assert sum(report.loaded for report in reports) == 200
    assert {counts(report)[3] for report in reports} == {0}


class Given(NamedTuple):
    """A row of a generated file: a key out of a few, a value out of two, or a bad one."""

    key: int
    value: str


@given(
    files=st.lists(
        st.lists(st.builds(Given, st.integers(0, 9), st.sampled_from(["1", "2", "bad"])), max_size=25), max_size=3
    )
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_the_rows_each_is_loaded_once_or_a_duplicate_or_rejected(
    pool: Pool, tmp_path: Path, files: list[list[Given]]
) -> None:
    account = uuid.uuid4().hex
    known: dict[int, str] = {}
    for rows in files:
        expected = {"loaded": 0, "duplicates": 0, "rejected": 0}
        for row in rows:
            if row.value == "bad" or known.get(row.key, row.value) != row.value:
                expected["rejected"] += 1
            else:
                expected["duplicates" if row.key in known else "loaded"] += 1
                known[row.key] = row.value
        lines = (f"{account}-{row.key},{account},adjustment,{row.value},USD\n" for row in rows)
        file = write(tmp_path / "entries.csv", "entry,account,kind,amount,currency\n" + "".join(lines))

        report = await import_file(pool, file)

        assert report.model_dump(include=set(expected)) == expected
        assert report.read == len(rows)
    found = await pool.fetch("select entry, amount from tradelog.account_entries where account = $1", account)
    assert {int(row["entry"].rsplit("-")[-1]): str(row["amount"]) for row in found} == known


# --- the record -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", Kind)
async def test_the_table_of_a_kind_has_its_columns(pool: Pool, kind: Kind) -> None:
    found = await pool.fetch(
        "select column_name, is_nullable, column_default from information_schema.columns"
        " where table_schema = $1 and table_name = $2 and not column_name = any($3) order by ordinal_position",
        kind.schema,
        kind.value,
        ["id", "recorded_at", "fingerprint"] if kind.has_versions else ["fingerprint"],
    )
    assert tuple(row["column_name"] for row in found) == kind.columns
    optional = {row["column_name"] for row in found if row["is_nullable"] == "YES" or row["column_default"]}
    assert optional == set(kind.columns) - set(kind.required)


@pytest.mark.parametrize("kind", Kind)
async def test_the_database_refuses_to_change_or_remove_rows(pool: Pool, tmp_path: Path, kind: Kind) -> None:
    await with_gold(pool, tmp_path)
    await import_file(pool, write_rows(tmp_path / "rows.csv", kind, [one_of_each()[kind]]))
    before = await rows_of(pool, kind)
    column = f'"{kind.columns[-1]}"'
    for statement in (
        f"update {kind.schema}.{kind} set {column} = {column}",  # noqa: S608
        f"delete from {kind.schema}.{kind}",  # noqa: S608
        f"truncate {kind.schema}.{kind} cascade",
    ):
        with pytest.raises(asyncpg.RestrictViolationError, match="refused: "):
            await pool.execute(statement)
    assert await rows_of(pool, kind) == before


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("instruments", "'XAGUSD', 0, 'USD', 3"),
        ("quotes", "'XAUUSD', 'LP-1', now(), 1935.5, 1935.4"),
        ("quotes", "'XAUUSD', 'LP-1', now(), 0, 1935.4"),
        ("orders", "'O-1', '7', 'XAUUSD', 'long', 'market', 1"),
        ("orders", "'O-1', '7', 'XAUUSD', 'buy', 'market', 0"),
        ("fills", "'F-1', 'O-1', '7', 'XAUUSD', 'buy', 1, -1, now()"),
        ("positions", "'P-1', '7', 'XAUUSD', 'buy', 1, 1935, now(), 1936, now() - interval '1 s'"),
        ("account_entries", "'E-1', '7', 'withdrawal', 12000, 'USD'"),
        ("account_entries", "'E-1', '7', 'deposit', 0, 'USD'"),
        ("messages", "'M-1', '7', now(), 'sideways', 'text'"),
    ],
)
async def test_the_database_refuses_what_the_models_refuse(pool: Pool, tmp_path: Path, table: str, values: str) -> None:
    await with_gold(pool, tmp_path)
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute(f"insert into tradelog.{table} values ({values})")  # noqa: S608


@pytest.mark.parametrize(
    "kind",
    [Kind.ORDERS, Kind.FILLS, Kind.POSITIONS, Kind.ORDER_EVENTS, Kind.CHARGE_SCHEDULES, Kind.BINARY_OPTIONS],
)
async def test_the_database_wants_a_known_instrument(pool: Pool, kind: Kind) -> None:
    names = ", ".join(f'"{name}"' for name in GOOD[kind])
    values = ", ".join(f"'{value}'" for value in GOOD[kind].values())
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await pool.execute(f"insert into tradelog.{kind} ({names}) values ({values})")  # noqa: S608
