"""Findings made again years later: the same hash and cents, or exactly what is different."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from domain.checks.facts import LogFacts
from domain.checks.findings import EvidenceRow, Finding
from domain.checks.tolerances import Tolerances
from domain.checks.withdrawal_delay.finding import check_withdrawal_delay
from domain.log.trade_log import AccountEntry, EntryKind
from starter.cli.program import ExitCode
from starter.reading.evidence_rows import NOT_THERE, TABLES, compare_with_log
from tests.checks.rows import store
from tests.cli import stories
from tests.cli.command_line import CommandLine

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

ASKED = datetime(2026, 3, 2, 9, tzinfo=UTC)


ENTRY = AccountEntry(
    entry="w-1",
    account="70012345",
    kind=EntryKind.WITHDRAWAL,
    amount=Decimal(-12000),
    currency="USD",
    requested_at=ASKED,
    booked_at=ASKED + timedelta(days=9),
)


def late_withdrawal() -> Finding:
    """12,000 USD, seven days later than promised."""
    return check_withdrawal_delay(ENTRY, as_of=ASKED + timedelta(days=30), tolerances=Tolerances())


async def case_with(pool: "Pool", folder: Path, **stored: Any) -> str:
    """A case whose file has that finding, with what is *stored* otherwise than it was found; the log has its row."""
    await store(pool, ENTRY)
    finding = late_withdrawal()
    story = stories.Story(pool, folder, datetime.now(UTC) - timedelta(hours=2))
    await story.open()
    data = {**finding.model_dump(mode="json"), "hash": finding.hash, **stored}
    await story.tell("finding", "withdrawal_delay: firm_fault", data=data)
    return story.reference


@pytest.fixture
def look(redress: CommandLine, database_url: str) -> CommandLine:
    redress.set("DATABASE_URL", database_url)
    return redress


async def test_stored_findings_lead_to_the_same_hash_and_cents(look: CommandLine, pool: "Pool", tmp_path: Path) -> None:
    reference = await case_with(pool, tmp_path)
    ran = await look("recompute", reference)
    assert ran.code == ExitCode.DONE
    told = " ".join(ran.out.split())
    assert told == "1 finding(s) are the same again, with the same hashes. Harm: USD 18.41."
    document = (await look("recompute", reference, "--json")).data
    assert document == {"reference": reference, "findings": [late_withdrawal().hash], "differences": [], "log": []}


async def test_what_is_not_the_same_again_is_named_with_both_values(
    look: CommandLine, pool: "Pool", tmp_path: Path
) -> None:
    reference = await case_with(pool, tmp_path, harm={"amount": "1841.00", "currency": "USD"})
    ran = await look("recompute", reference, "--json")
    assert ran.code == ExitCode.CHECK_FAILED
    told = {one["field"]: (one["stored"], one["computed"]) for one in ran.data["differences"]}
    assert "hash" in told
    assert [(stored, computed) for field, (stored, computed) in told.items() if field.startswith("harm")] == [
        ("USD 1,841.00", "USD 18.41")
    ]


async def test_a_case_without_findings_has_nothing_to_compute(look: CommandLine, pool: "Pool", tmp_path: Path) -> None:
    story = stories.Story(pool, tmp_path, datetime.now(UTC))
    ran = await look("recompute", await story.open())
    assert (ran.code, ran.out.strip()) == (ExitCode.DONE, "The case has no findings.")


@pytest.mark.parametrize(
    ("change", "field", "now"),
    [
        ("update tradelog.account_entries set amount = -13000", "amount", "-13000"),
        ("update tradelog.account_entries set note = 'cancelled by customer'", "note", "cancelled by customer"),
        ("delete from tradelog.account_entries", "row", "not in the log"),
        ("update tradelog.account_entries set currency = 'dollars'", "row", "unreadable: currency"),
    ],
)
async def test_what_the_log_has_otherwise_now_is_told_row_by_row(
    look: CommandLine, pool: "Pool", tmp_path: Path, *, change: str, field: str, now: str
) -> None:
    reference = await case_with(pool, tmp_path)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        for row in await connection.fetch(
            "select conname from pg_constraint where contype = 'c' and conrelid = 'tradelog.account_entries'::regclass"
        ):
            await connection.execute(f'alter table tradelog.account_entries drop constraint "{row["conname"]}"')
        await connection.execute(change)
    ran = await look("recompute", reference, "--json")
    assert ran.code == ExitCode.CHECK_FAILED
    assert ran.data["differences"] == []  # from itself it is still the same
    (told,) = ran.data["log"]
    assert (told["table"], told["key"], told["field"], told["now"]) == ("account_entries", "w-1", field, now)


async def test_rows_of_every_table_that_findings_rest_on_are_looked_up(pool: "Pool") -> None:
    values = {"at": ASKED.isoformat(), "effective_from": "2026-01-01"}
    rows = [
        EvidenceRow(table=table, key="x", values={name: values.get(name, "x") for name in kept.key})
        for table, kept in TABLES.items()
    ]
    finding = late_withdrawal().model_copy(update={"evidence": tuple(rows)})
    found = await compare_with_log(pool, [finding])
    assert {(one.table, one.now) for one in found} == {(table, NOT_THERE) for table in TABLES}
    counted = {"assessments_kept", "feed_medians", "slippage_shares", "requote_shares"}
    assert set(TABLES) == set(LogFacts.model_fields) - counted | {"base_rates"}
