"""What is in the case file stays there: the database itself refuses to change it."""

from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest

from activities.money.compensation import Compensation
from domain.case.file import Rejected
from domain.clocks.deadlines import Firing
from domain.ground.words import CaseEvent
from tests.case.support import (
    OPENED_AT,
    RECEIVED_AT,
    TABLES,
    after,
    all_rows,
    awarding,
    keeping,
    occurred,
    opened,
    update,
    usd,
)

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]

APPEND_ONLY = [table for table in TABLES if table != "cases"]


@pytest.fixture
async def full(pool: "Pool") -> "Pool":
    """A database with at least one row in every table of the case file."""
    case_file = keeping(pool)
    reference = await opened(case_file)
    due = RECEIVED_AT + timedelta(hours=24)
    await case_file.record(
        update(
            reference,
            events=(occurred(CaseEvent.ACKNOWLEDGED, 2),),
            firings=(Firing(clock="acknowledgement", number=1, rung="due", due=due, fired_at=after(9), breach=True),),
            rejected=(Rejected(key="r", at=after(1), name="x", reason="no such signal", payload="[]"),),
        )
    )
    await Compensation(pool, case_file, lambda: OPENED_AT).record_compensation(awarding(reference, usd("12.50")))
    await pool.execute(
        "INSERT INTO casefile.letters VALUES ('k', $1, 2, 'progress', 'en', NULL, 'subject', 'body', '<m@x>', now())",
        reference,
    )
    await pool.execute(
        "INSERT INTO casefile.letter_attempts (key, at, channel, outcome) VALUES ('k', now(), 'smtp', 'accepted')"
    )
    assert all((await all_rows(pool)).values())
    return pool


async def test_rows_are_never_updated_nor_deleted_nor_truncated(full: "Pool") -> None:
    before = await all_rows(full)
    for table in APPEND_ONLY:
        column = await full.fetchval(
            "SELECT column_name FROM information_schema.columns WHERE (table_schema, table_name) = ('casefile', $1)"
            " AND (is_identity, is_generated) = ('NO', 'NEVER') LIMIT 1",
            table,
        )
        for operation, statement in {
            "UPDATE": f"UPDATE casefile.{table} SET {column} = {column}",  # noqa: S608
            "DELETE": f"DELETE FROM casefile.{table}",  # noqa: S608
            "TRUNCATE": f"TRUNCATE casefile.{table} CASCADE",
        }.items():
            message = rf"{operation} on casefile\.{table} is refused: what is in the case file stays there"
            with pytest.raises(asyncpg.RestrictViolationError, match=message):
                await full.execute(statement)
    assert await all_rows(full) == before


async def test_a_case_is_never_removed(full: "Pool") -> None:
    for statement in ("DELETE FROM casefile.cases", "TRUNCATE casefile.cases CASCADE"):
        with pytest.raises(asyncpg.RestrictViolationError, match=r"on casefile\.cases is refused"):
            await full.execute(statement)


async def test_what_was_received_is_never_changed(full: "Pool") -> None:
    for change in (
        "reference = 'RD-2222-2222-22222'",
        "source = 'elsewhere'",
        "idempotency_key = 'other'",
        "received_at = received_at + interval '1 second'",
        "opened_at = opened_at + interval '1 second'",
        "language = 'zh-CN'",
        "channel = 'post'",
        "account = NULL",
        'complaint = complaint || \'{"description": "nothing happened"}\'',
        "policy_hash = 'other'",
    ):
        with pytest.raises(asyncpg.RestrictViolationError, match="what was received, and the pinned policy pack"):
            await full.execute(f"UPDATE casefile.cases SET revision = revision + 1, {change}")  # noqa: S608


async def test_a_summary_is_only_replaced_by_a_newer_one(full: "Pool") -> None:
    await full.execute("UPDATE casefile.cases SET revision = revision + 1, breached = true, handler = 'h-18'")
    with pytest.raises(asyncpg.RestrictViolationError, match="is not newer than"):
        await full.execute("UPDATE casefile.cases SET stage = 'closed'")
    with pytest.raises(asyncpg.RestrictViolationError, match="is not newer than"):
        await full.execute("UPDATE casefile.cases SET stage = 'closed', handler = 'h-19'")
    await full.execute("UPDATE casefile.cases SET handler = 'h-19'")  # the file itself gives a case to somebody


async def test_a_breach_is_never_taken_back(full: "Pool") -> None:
    await full.execute("UPDATE casefile.cases SET revision = revision + 1, breached = true")
    with pytest.raises(asyncpg.RestrictViolationError, match="a breach, once it happened, stays"):
        await full.execute("UPDATE casefile.cases SET revision = revision + 1, breached = false")


async def test_a_letter_is_accepted_once(full: "Pool") -> None:
    attempt = "INSERT INTO casefile.letter_attempts (key, at, channel, outcome) VALUES ('k', now(), 'smtp', $1)"
    await full.execute(attempt, "failed")
    await full.execute(attempt, "refused")
    with pytest.raises(asyncpg.UniqueViolationError, match="letter_accepted_once"):
        await full.execute(attempt, "accepted")
    with pytest.raises(asyncpg.CheckViolationError):
        await full.execute(attempt, "perhaps")


async def test_a_rung_that_was_never_planned_cannot_fire(full: "Pool") -> None:
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await full.execute(
            "INSERT INTO casefile.firings (reference, clock, number, rung, due, fired_at, breach)"
            " SELECT reference, 'response', 99, 'due', now(), now(), true FROM casefile.cases"
        )
