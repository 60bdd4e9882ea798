"""What was recorded unfinished is finished once, by a later row; nothing recorded is ever changed."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.checks.evidence_queries import EvidenceSnapshot
from activities.log.trade_log import TradeLog
from starter.importing import loading
from starter.importing.formats.kinds import Kind
from starter.importing.loading import ImportReport, LogRows, import_file
from tests.importing.support import Pool, with_gold, write

ENTRY = "entry,account,kind,amount,currency,requested_at,booked_at\n"
PENDING = "w-1,70012345,withdrawal,-12000,USD,2026-03-02T09:00:00Z,\n"
BOOKED = "w-1,70012345,withdrawal,-12000,USD,2026-03-02T09:00:00Z,2026-03-11T09:00:00Z\n"

POSITION = (
    "position,account,symbol,side,volume,open_price,opened_at,close_price,closed_at,close_reason,swap,stop,profit\n"
)
OPEN = "p-1,70012345,XAUUSD,sell,1.00,4537.79,2026-02-02T05:49:19Z,,,,1.46,4545.79,\n"
STILL_OPEN = "p-1,70012345,XAUUSD,sell,1.00,4537.79,2026-02-02T05:49:19Z,,,,2.01,4541.00,\n"
CLOSED = (
    "p-1,70012345,XAUUSD,sell,0.40,4537.79,2026-02-02T05:49:19Z,"
    "4541,2026-02-02T06:00:00Z,stop_loss,2.01,4541.00,-128.40\n"
)

ORDER = "order,account,symbol,side,type,volume,price,received_at,state,ended_at\n"
WORKING = "o-1,70012345,XAUUSD,buy,stop,1.00,4600.10,2026-02-02T06:00:01Z,working,\n"
CANCELLED = "o-1,70012345,XAUUSD,buy,stop,1.00,4601.10,2026-02-02T06:00:01Z,cancelled,2026-02-03T08:00:00Z\n"

OUTAGE = "outage,service,since,until,cause\n"
GOING_ON = "d-1,70012345,2026-03-02T09:00:00Z,,\n"  # the service, which is told apart as accounts are
OVER = "d-1,70012345,2026-03-02T09:00:00Z,2026-03-11T09:00:00Z,failover\n"

OPTION = (
    "option,account,symbol,source,direction,stake,currency,payout_percent,strike,struck_at,expires_at,"
    "settled_price,settled_at,paid\n"
)
RUNNING = "x-1,70012345,XAUUSD,LP-1,up,200,USD,80,4537.79,2026-02-02T05:49:19Z,2026-02-02T06:00:00Z,,,\n"
SETTLED = (
    "x-1,70012345,XAUUSD,LP-1,up,200,USD,80,4537.79,2026-02-02T05:49:19Z,2026-02-02T06:00:00Z,"
    "4537.80,2026-03-11T06:00:00Z,360\n"
)

DISCLOSURE = "disclosure,account,kind,about,at,acknowledged_at\n"
TOLD = "n-1,70012345,fee,inactivity fee,2026-03-02T09:00:00Z,\n"
ACKNOWLEDGED = "n-1,70012345,fee,inactivity fee,2026-03-02T09:00:00Z,2026-03-11T09:00:00Z\n"

STORIES = {
    Kind.ACCOUNT_ENTRIES: (ENTRY, PENDING, BOOKED),
    Kind.POSITIONS: (POSITION, OPEN, CLOSED),
    Kind.ORDERS: (ORDER, WORKING, CANCELLED),
    Kind.OUTAGES: (OUTAGE, GOING_ON, OVER),
    Kind.BINARY_OPTIONS: (OPTION, RUNNING, SETTLED),
    Kind.DISCLOSURES: (DISCLOSURE, TOLD, ACKNOWLEDGED),
}


@pytest.fixture(autouse=True)
async def gold(pool: Pool, tmp_path: Path) -> None:
    await with_gold(pool, tmp_path)


async def load(pool: Pool, folder: Path, header: str, *rows: str) -> ImportReport:
    return await import_file(pool, write(folder / "rows.csv", header + "".join(rows)))


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    """loaded, completed, duplicates, conflicts: of the rows of the one table"""
    (rows,) = report.log_rows.values()
    assert (report.loaded, report.duplicates) == (rows.loaded + rows.completed, rows.duplicates)
    assert report.loaded + report.duplicates + report.rejected == report.read
    return rows.loaded, rows.completed, rows.duplicates, rows.conflicts


@pytest.mark.parametrize("kind", STORIES)
async def test_a_row_recorded_unfinished_is_completed_by_a_later_one_and_both_are_kept(
    pool: Pool, tmp_path: Path, kind: Kind
) -> None:
    header, unfinished, finished = STORIES[kind]
    assert counts(await load(pool, tmp_path, header, unfinished)) == (1, 0, 0, 0)
    before = await pool.fetchrow(f"select * from tradelog.{kind}")  # noqa: S608

    assert counts(await load(pool, tmp_path, header, finished)) == (0, 1, 0, 0)

    assert await pool.fetchrow(f"select * from tradelog.{kind}") == before  # noqa: S608
    known = await pool.fetch(f"select * from tradelog.known_{kind}")  # noqa: S608
    assert len(known) == 1
    assert known[0] != before


@pytest.mark.parametrize("kind", STORIES)
async def test_in_whatever_order_and_how_often_the_two_come_the_log_knows_the_end(
    pool: Pool, tmp_path: Path, kind: Kind
) -> None:
    header, unfinished, finished = STORIES[kind]
    for rows in (
        [finished],
        [unfinished, finished],
        [finished, unfinished],
        [unfinished, unfinished, finished, finished],
    ):
        table = await pool.fetchval("select gen_random_uuid()::text")
        mine = [row.replace("-1,70012345", f"-{table},70012345", 1) for row in rows]
        first = await load(pool, tmp_path, header, *mine)
        again = await load(pool, tmp_path, header, *mine)
        assert (first.rejected, again.rejected) == (0, 0)
        assert (first.loaded, again.loaded) == (first.read - first.duplicates, 0)
        key = kind.key[0]
        ended = await pool.fetchval(
            f"select {kind.completion.mark} from tradelog.known_{kind}"  # type: ignore[union-attr]  # noqa: S608
            f' where "{key}" like $1',
            f"%{table}",
        )
        assert ended not in (None, "working")


async def test_an_open_position_that_is_told_again_says_nothing_new(pool: Pool, tmp_path: Path) -> None:
    await load(pool, tmp_path, POSITION, OPEN)
    assert counts(await load(pool, tmp_path, POSITION, STILL_OPEN)) == (0, 0, 1, 0)
    await load(pool, tmp_path, POSITION, CLOSED)
    assert counts(await load(pool, tmp_path, POSITION, OPEN, STILL_OPEN, CLOSED)) == (0, 0, 3, 0)


@pytest.mark.parametrize(
    ("header", "unfinished", "other"),
    [
        (ENTRY, PENDING, BOOKED.replace("-12000", "-11000")),
        (ENTRY, PENDING, BOOKED.replace("03-02T09", "03-03T09")),
        (ENTRY, PENDING, PENDING.replace("-12000", "-11000")),
        (POSITION, OPEN, CLOSED.replace("4537.79", "4537.80")),
        (POSITION, OPEN, CLOSED.replace("sell", "buy")),
        (ORDER, WORKING, CANCELLED.replace("1.00", "2.00")),
        (OUTAGE, GOING_ON, OVER.replace("03-02T09", "03-02T08")),
        (OPTION, RUNNING, SETTLED.replace("200", "300")),
        (DISCLOSURE, TOLD, ACKNOWLEDGED.replace("fee,inactivity", "product,inactivity")),
    ],
)
async def test_what_could_not_change_must_agree(
    pool: Pool, tmp_path: Path, header: str, unfinished: str, other: str
) -> None:
    await load(pool, tmp_path, header, unfinished)
    assert counts(await load(pool, tmp_path, header, other)) == (0, 0, 0, 1)


@pytest.mark.parametrize("kind", STORIES)
async def test_an_end_is_final(pool: Pool, tmp_path: Path, kind: Kind) -> None:
    header, unfinished, finished = STORIES[kind]
    other = finished.replace("2026-03-11", "2026-03-12").replace("06:00:00", "06:00:01").replace("02-03T08", "02-03T09")
    assert other != finished
    report = await load(pool, tmp_path, header, unfinished, finished, other)
    assert report.log_rows[kind] == LogRows(loaded=1, completed=1, conflicts=1)
    assert report.read == 3
    assert report.rejected == 1
    assert counts(await load(pool, tmp_path, header, other)) == (0, 0, 0, 1)


async def test_a_row_of_a_kind_that_is_always_final_is_not_completed(pool: Pool, tmp_path: Path) -> None:
    header = "fill,order,account,symbol,side,volume,price,at,source\n"
    fill = "f-1,o-1,70012345,XAUUSD,buy,1,4600,2026-02-02T06:00:01Z,"
    await load(pool, tmp_path, header, fill + "\n")
    assert counts(await load(pool, tmp_path, header, fill + "LP-1\n")) == (0, 0, 0, 1)


@pytest.mark.parametrize("kind", STORIES)
async def test_the_database_holds_every_writer_to_it(pool: Pool, tmp_path: Path, kind: Kind) -> None:
    header, unfinished, finished = STORIES[kind]
    await load(pool, tmp_path, header, unfinished)
    completion = kind.completion
    assert completion is not None
    table = f"tradelog.{completion.table}"
    columns = ", ".join(f'"{name}"' for name in kind.columns)
    finishing = {"state": "'cancelled'"}.get(completion.mark, "now()")
    for changes in ({}, {kind.columns[1]: "'7'", completion.mark: finishing}):
        values = ", ".join(changes.get(each, f'"{each}"') for each in kind.columns)
        with pytest.raises(asyncpg.CheckViolationError, match="no completion of the row recorded"):
            await pool.execute(f"insert into {table} ({columns}) select {values} from tradelog.{kind}")  # noqa: S608
    await load(pool, tmp_path, header, finished)
    update = f"update {table} set {completion.mark} = {completion.mark}"  # noqa: S608
    for statement in (update, f"delete from {table}", f"truncate {table}"):  # noqa: S608
        with pytest.raises(asyncpg.RestrictViolationError, match="the trade log is a record"):
            await pool.execute(statement)


@pytest.mark.parametrize("kind", STORIES)
async def test_the_database_leaves_open_what_the_import_leaves_open(pool: Pool, kind: Kind) -> None:
    completion = kind.completion
    assert completion is not None
    definition = await pool.fetchval(
        "select pg_get_triggerdef(oid) from pg_trigger where tgrelid = $1::regclass and tgname = 'check_completion'",
        f"tradelog.{completion.table}",
    )
    assert f"'{completion.mark}', '{completion.while_ or ''}', '{','.join(completion.open_)}'" in definition
    found = await pool.fetch(
        "select column_name from information_schema.columns where table_schema = 'tradelog' and table_name = $1"
        " order by ordinal_position",
        f"known_{kind}",
    )
    assert tuple(row["column_name"] for row in found) == kind.columns


async def test_an_investigation_reads_what_is_known_now(pool: Pool, tmp_path: Path) -> None:
    log = TradeLog(pool)
    for rows, booked in ((PENDING, False), (BOOKED, True)):
        await load(pool, tmp_path, ENTRY, rows)
        async with log.snapshot() as snapshot:
            (found,) = await snapshot.withdrawals("70012345", ["w-1"])
        assert (found.booked_at is not None) is booked
    for rows, state in ((WORKING, "working"), (CANCELLED, "cancelled")):
        await load(pool, tmp_path, ORDER, rows)
        async with log.snapshot() as snapshot:
            (execution,) = await snapshot.executions("70012345", ["o-1"])
        assert execution.order is not None
        assert execution.order.state == state
    day = datetime(2026, 3, 11, tzinfo=UTC)
    for rows, ended in ((GOING_ON, None), (OVER, "failover")):
        await load(pool, tmp_path, OUTAGE, rows)
        async with log.snapshot(EvidenceSnapshot) as evidence:
            (outage,) = await evidence.outages(day, day, limit=9)
        assert outage.cause == ended
    for rows, price in ((RUNNING, None), (SETTLED, Decimal("4537.80"))):
        await load(pool, tmp_path, OPTION, rows)
        async with log.snapshot(EvidenceSnapshot) as evidence:
            (option,) = await evidence.options("70012345", ["x-1"], None, None, limit=9)
        assert option.settled_price == price
    for rows, acknowledged in ((TOLD, False), (ACKNOWLEDGED, True)):
        await load(pool, tmp_path, DISCLOSURE, rows)
        async with log.snapshot(EvidenceSnapshot) as evidence:
            (disclosure,) = await evidence.disclosures("70012345")
        assert (disclosure.acknowledged_at is not None) is acknowledged


ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["", "11", "12"]), st.sampled_from(["1", "2"])), max_size=20
)


@given(files=st.lists(ROWS, max_size=3), batch=st.integers(1, 5))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_first_end_of_each_row_stands_whatever_comes_in_whatever_batches(
    pool: Pool, tmp_path: Path, files: list[list[tuple[int, str, str]]], batch: int
) -> None:
    account = uuid.uuid4().hex
    recorded: dict[int, tuple[str, str]] = {}  # day and amount
    ends: dict[int, tuple[str, str]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "BATCH_ROWS", batch)
        for rows in files:
            expected = {"loaded": 0, "completed": 0, "duplicates": 0, "conflicts": 0}
            for key, day, amount in rows:
                row = (day, amount)
                first = recorded.setdefault(key, row)
                if key not in ends and first is row:
                    outcome = "loaded"
                    ends.update({key: row} if day else {})
                elif amount != first[1]:
                    outcome = "conflicts"
                elif not day or ends.get(key) == row:
                    outcome = "duplicates"
                elif key in ends:
                    outcome = "conflicts"
                else:
                    outcome, ends[key] = "completed", row
                expected[outcome] += 1
            lines = (
                f"{account}-{key},{account},adjustment,{amount},USD,,{f'2026-03-{day}T09:00:00Z' if day else ''}\n"
                for key, day, amount in rows
            )
            report = await import_file(pool, write(tmp_path / "entries.csv", ENTRY + "".join(lines)))
            assert report.log_rows.get(Kind.ACCOUNT_ENTRIES, LogRows()).model_dump() == expected
    known = await pool.fetch("select entry, booked_at from tradelog.known_account_entries where account = $1", account)
    assert {int(row["entry"].rsplit("-")[-1]): str(row["booked_at"] or "")[8:10] for row in known} == {
        key: ends.get(key, ("", ""))[0] for key in recorded
    }
