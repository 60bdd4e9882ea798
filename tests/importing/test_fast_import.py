"""Plain rows of CSV go to the database as they stand, which must make no difference but in time."""

from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from starter.importing import loading, sources
from starter.importing.formats.cells import Cells
from starter.importing.formats.kinds import Kind
from starter.importing.formats.plain_rows import plain_rows
from starter.importing.formats.trade_log_csv import Layout, RowError
from starter.importing.loading import ImportReport, import_file
from tests.importing.support import QUOTES, Pool, names_in, quote_line, rows_of, with_gold, write
from tests.importing.test_csv import GOOD
from tests.importing.test_importing import counts, rejects_of

PLAIN = (Kind.QUOTES, Kind.BARS, Kind.ORDERS, Kind.FILLS, Kind.POSITIONS)

# Of each sort of cells, first the usual ones, then what is nearly one of them.
PRICE = (
    ["1935.25", "1935.2", "1936", "0.00000001", "9999999999.99999999"],
    ["0", "0.0", "00000001935.25", "12345678901", "1.123456789", "1e3", "-1", "+1", ".5", "5.", "٣", "1 935.25", "NaN"],
)
LOTS = (["0.10", "1", "99999999.999999"], ["0", "100000000", "0.1234567", "-1", "1.", "inf"])
AMOUNT = (["0", "-3.25", "+4", "99999999999999.9999999999"], ["100000000000000", "1.12345678901", "--1", "1,5"])
INSTANT = (
    ["2023-11-12T23:30:00Z", "2023-11-12T23:30:01.250Z", "2024-02-29T00:00:00.123456Z", "9999-12-31T23:59:59Z"],
    [
        *("2023-02-29T00:00:00Z", "2023-04-31T00:00:00Z", "2023-11-12T24:00:00Z", "2023-11-12T23:59:60Z"),
        *("0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "2023-11-12T23:30:00", "2023-11-12 23:30:00Z"),
        *("2023-11-12T23:30:00+02:00", "2023-11-12T23:30:00.1234567Z", "2023-11-12T23:30Z", "infinity", "now"),
    ],
)
IDENTIFIER = (
    ["A", "P-1", "MT4:70012345:46780803", "x" * 100],
    ["x" * 101, "-a", "a b", "ä", "a\\b", "NULL", "\\N", "\\.", "'", "a;b"],
)
SYMBOL = (["XAUUSD"], ["XAUEUR", "XAUUSDx", "XAU", "xauusd"])
COUNT = (["1", "60", "2678400"], ["0", "2678401", "1234567890", "-1", "1.0"])
COMMENT = (["[sl]", "closed by dealer", "x" * 200], ["x" * 201, " x", "x ", "=1+1", "备注", "a\tb", "😀", "\u202ex"])
CHOICES = {
    "side": ["buy", "sell"],
    "type": ["market", "limit", "stop", "stop_loss", "take_profit", "stop_out", "stop_limit"],
    "state": ["filled", "cancelled", "expired", "rejected"],
    "effect": ["open", "close", "reverse"],
    "close_reason": ["client", "stop_loss", "take_profit", "stop_out", "dealer"],
}
SORTS = {
    **dict.fromkeys(["bid", "ask", "open", "high", "low", "close", "price", "stop", "target", "open_price"], PRICE),
    **dict.fromkeys(["at", "sent_at", "received_at", "ended_at", "opened_at", "closed_at"], INSTANT),
    **dict.fromkeys(["order", "fill", "position", "account", "source"], IDENTIFIER),
    **dict.fromkeys(["commission", "swap", "profit", "taxes", "margin_level", "stop_out_level"], AMOUNT),
    **dict.fromkeys(["period", "spread", "ticks"], COUNT),
    **{name: (values, ["BUY", "stop_losses", "none"]) for name, values in CHOICES.items()},
    "close_price": PRICE,
    "limit_price": PRICE,
    "volume": LOTS,
    "symbol": SYMBOL,
    "comment": COMMENT,
}


def cells_of(kind: Kind, name: str) -> st.SearchStrategy[str]:
    """A cell that is nearly always a usual one."""
    usual, odd = SORTS[name]
    some = st.sampled_from([GOOD[kind].get(name, usual[0]), *usual])
    if name not in kind.required:
        some = st.one_of(st.just(""), some)
    return st.integers(0, 19).flatmap(lambda n: st.sampled_from(["", *odd]) if n == 0 else some)


LINES = ["", "   ", '"XAUUSD"', ",,,,", '"a quoted\nline",b', 'he said "hi"', '"XAUUSD","LP-1"']


@st.composite
def files(draw: st.DrawFn) -> tuple[Kind, str]:
    """A file of rows that are good or bad, plain or not, new, repeated or in conflict with one another."""
    kind = draw(st.sampled_from(PLAIN))
    optional = [name for name in kind.columns if name not in kind.required]
    left_out = draw(st.sets(st.sampled_from(optional)) if optional else st.just(set[str]()))
    columns = draw(st.permutations([name for name in kind.columns if name not in left_out]))
    line_end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    row = st.tuples(*(cells_of(kind, name) for name in columns)).map(",".join)
    lines = draw(st.lists(st.one_of(row, row, row, row, st.sampled_from(LINES)), max_size=12))
    last = draw(st.sampled_from([line_end, ""]))
    return kind, line_end.join([",".join(columns), *lines]) + last


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "BATCH_ROWS", 4)


async def outcome(pool: Pool, kind: Kind, file: Path) -> tuple[Any, ...]:
    """What an import of *file* comes to, undone afterwards."""
    try:
        report = await import_file(pool, file, kind=kind)
    except loading.ImportFailed as error:
        said: object = str(error)
    else:
        rejects = rejects_of(report) if report.rejects_path else []
        said = (report.model_dump(exclude={"seconds"}), rejects)
    rows = await rows_of(pool, kind)
    # To empty a table costs less than a new one; nothing of ours is asked, as for a replica.
    change = f"delete from tradelog.{kind}"  # noqa: S608
    await pool.execute(f"begin; set local session_replication_role = replica; {change}; commit")
    return said, rows


@pytest.mark.long
@given(file=files())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(file=(Kind.QUOTES, QUOTES + quote_line(1) + quote_line(2, "1936", "1935") + quote_line(3)))
@example(file=(Kind.QUOTES, QUOTES + quote_line(1) + "XAUUSD,LP-1,2023-02-30T00:00:00Z,1935.25,1935.55\n"))
async def test_rows_that_go_as_they_stand_come_to_the_same_as_rows_that_are_judged_one_by_one(
    pool: Pool, tmp_path: Path, file: tuple[Kind, str]
) -> None:
    if not await pool.fetchval("select exists (select from tradelog.instruments)"):
        await with_gold(pool, tmp_path)
    kind, text = file
    path = write(tmp_path / "rows.csv", text)
    quick = await outcome(pool, kind, path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "plain_rows", lambda *_, **__: None)
        slow = await outcome(pool, kind, path)
    assert quick == slow


@pytest.mark.parametrize("kind", PLAIN)
async def test_every_cell_that_is_nearly_a_usual_one_comes_to_the_same_as_judged_by_the_model(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    await with_gold(pool, tmp_path)
    rows = []
    for name in kind.columns:
        for number, cell in enumerate(["", *SORTS[name][0], *SORTS[name][1]]):
            row = {each: GOOD[kind].get(each, "") for each in kind.columns}
            if kind is Kind.POSITIONS:
                row["swap"] = "0"
            row[kind.key[0] if kind.key[0] != "symbol" else "source"] = f"{name}-{number}"
            rows.append(",".join((row | {name: cell}).values()) + "\n")
    path = write(tmp_path / "rows.csv", ",".join(kind.columns) + "\n" + "".join(rows))
    monkeypatch.setattr(loading, "BATCH_ROWS", 1)  # what the table refuses refuses no other row
    quick = await outcome(pool, kind, path)
    monkeypatch.setattr(sources, "plain_rows", lambda *_, **__: None)
    assert quick == await outcome(pool, kind, path)


async def test_good_rows_do_not_pass_through_their_model(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_gold(pool, tmp_path)
    judged: list[int] = []
    parse = Layout.parse

    def counted(self: Layout, line: int, cells: list[str], instruments: Any) -> Cells | RowError:
        judged.append(line)
        return parse(self, line, cells, instruments)

    monkeypatch.setattr(Layout, "parse", counted)
    lines = [quote_line(second) for second in range(30)]
    lines[7] = lines[7].replace("XAUUSD", '"XAUUSD"')
    lines[20] = "XAUUSD,LP-1,yesterday,1935.25,1935.55\n"
    report = await import_file(pool, write(tmp_path / "quotes.csv", QUOTES + "".join(lines)))
    assert counts(report) == (30, 29, 0, 1)
    assert judged == [9, 22]
    assert [line for line, *_ in rejects_of(report)] == ["22"]


@pytest.mark.parametrize("kind", PLAIN)
def test_a_good_row_of_what_comes_in_masses_is_plain(kind: Kind) -> None:
    row = {name: GOOD[kind].get(name, "0" if name == "swap" else "") for name in kind.columns}
    pattern = plain_rows(Layout.of(kind.columns, kind), ["XAUUSD"], line_end="\n", most=9)
    assert pattern is not None
    assert pattern.fullmatch((",".join(row.values()) + "\n") * 9)


async def refused(pool: Pool, folder: Path, *lines: str) -> ImportReport:
    await with_gold(pool, folder)
    report = await import_file(pool, write(folder / "quotes.csv", QUOTES + "".join(lines)))
    assert report.loaded + report.duplicates + report.rejected == report.read == len(lines)
    return report


async def test_what_the_table_refuses_is_told_with_line_and_reason_and_the_rest_is_loaded(
    pool: Pool, tmp_path: Path
) -> None:
    crossed, no_day = quote_line(5, "1936.00", "1935.00"), "XAUUSD,LP-1,2023-02-30T00:00:00Z,1935.25,1935.55\n"
    good = [quote_line(second) for second in range(6, 20)]
    report = await refused(pool, tmp_path, *good[:6], crossed, *good[6:], no_day)
    assert rejects_of(report) == [
        ("8", "bid is above ask", crossed.rstrip()),
        ("17", "at: is not a moment of the calendar and clock", no_day.rstrip()),
    ]
    assert len(await rows_of(pool, Kind.QUOTES)) == 14


async def test_a_conflict_is_told_by_its_line_also_below_a_row_of_several_lines(pool: Pool, tmp_path: Path) -> None:
    odd = '"XAUUSD","LP-\n1",2023-11-12T23:30:00Z,1,2\n'
    conflict = quote_line(3, "1900.00")
    report = await refused(pool, tmp_path, *(quote_line(second) for second in range(5)), odd, quote_line(9), conflict)
    assert [(line, original) for line, _, original in rejects_of(report)] == [
        ("7", odd.rstrip("\n")),
        ("10", conflict.rstrip("\n")),
    ]


async def test_a_strict_import_that_the_table_refuses_loads_nothing_and_names_the_row(
    pool: Pool, tmp_path: Path
) -> None:
    await with_gold(pool, tmp_path)
    lines = [quote_line(second) for second in range(10)] + [quote_line(11, "1936", "1935")]
    with pytest.raises(loading.ImportFailed, match="1 of 11 rows are bad"):
        await import_file(pool, write(tmp_path / "quotes.csv", QUOTES + "".join(lines)), strict=True)
    assert await rows_of(pool, Kind.QUOTES) == []
    assert "quotes.csv.rejects.csv" in names_in(tmp_path)


@given(st.sets(st.from_regex(r"\A[A-D]{1,4}(\.[a-c])?\Z"), min_size=1, max_size=200), st.data())
def test_of_many_instruments_each_is_known_and_no_other(symbols: set[str], data: st.DataObject) -> None:
    pattern = plain_rows(Layout.of(QUOTES.strip().split(","), Kind.QUOTES), symbols, line_end="\n", most=9)
    assert pattern is not None
    some = data.draw(st.one_of(st.sampled_from(sorted(symbols)), st.from_regex(r"\A[A-D]{1,4}(\.[a-c])?\Z")))
    assert bool(pattern.fullmatch(quote_line(1).replace("XAUUSD", some))) == (some in symbols)


def test_no_row_is_plain_where_values_have_to_be_understood_first() -> None:
    """A default that only the model knows, columns under other names, a kind that nobody has millions of."""
    without_swap = [name for name in Kind.POSITIONS.columns if name != "swap"]
    assert plain_rows(Layout.of(without_swap, Kind.POSITIONS), ["XAUUSD"], line_end="\n", most=9) is None
    assert plain_rows(Layout.of(Kind.MESSAGES.columns, Kind.MESSAGES), ["XAUUSD"], line_end="\n", most=9) is None
    mapped = Layout(Kind.QUOTES, Kind.QUOTES.columns, width=5, taken=(0, 1, 2, 3, 4))
    assert plain_rows(mapped, ["XAUUSD"], line_end="\n", most=9) is None


async def test_rows_that_are_there_are_looked_up_by_a_plan_that_knows_how_many_they_are(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A general plan compares every row of a batch with every other, and a file with repeats takes the whole night."""
    monkeypatch.setattr(loading, "BATCH_ROWS", 20)
    path = write(tmp_path / "quotes.csv", QUOTES + "".join(map(quote_line, range(400))))
    async with asyncpg.create_pool(database_url, min_size=1, max_size=1) as pool:
        await with_gold(pool, tmp_path)
        await import_file(pool, path)
        assert (await import_file(pool, path)).duplicates == 400
        ((general, own),) = await pool.fetch(
            "select sum(generic_plans), sum(custom_plans) from pg_prepared_statements"
            " where statement ~ 'incoming_quotes.*[$]1'"
        )
    assert own > general == 0
