"""Whoever writes to a case takes locks in one order, so that no two writers wait for each other."""

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

from recovery.history import Step
from recovery.rewriting import Rewriting
from runtime.settings import load_settings
from tests.case.support import after, keeping, opened, update
from tests.patience import eventually

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

ROWS: Final = {
    "casefile.timeline": "(reference, key, at, kind, actor, text)"
    " values ($1, 'propose_resolution:9', now(), 'propose_resolution', 'handler:h-17', 'upheld')",
    "casefile.events": "(reference, number, event, at) values ($1, 9, 'contacted', now())",
    "casefile.deadlines": "(reference, clock, number, rung, statutory, started_at, due, clock_due, actions, how)"
    " values ($1, 'progress', 9, 'due', false, now(), now(), now(), '{}', '')",
    "casefile.satisfactions": "(reference, clock, number, by_event, by_number, at)"
    " values ($1, 'progress', 9, 'contacted', 9, now())",
    "casefile.firings": "(reference, clock, number, rung, due, fired_at, breach)"
    " values ($1, 'progress', 9, 'due', now(), now(), false)",
    "casefile.letters": "(key, reference, number, kind, language, subject, body, message_id, rendered_at)"
    " values ($1 || ':letter:9', $1, 9, 'progress', 'en', 's', 'b', 'm', now())",
    "casefile.letter_attempts": "(key, at, channel, outcome) values ($1 || ':letter:9', now(), 'outbox', 'accepted')",
}
"""One row that whoever likes may add to a case."""
FOLLOWED: Final = """
    select tgrelid::regclass::text from pg_trigger join pg_proc on pg_proc.oid = tgfoid
    where prosrc ~ 'casefile.worklist' and tgrelid <> 'casefile.cases'::regclass
"""
EFFECTS: Final = {
    ("SendLetter", "RD-1:letter:x"): "letter:RD-1:letter:x",
    ("BookPayment", "RD-1:payment:1"): "payment:RD-1:payment:1",
    ("RecordCompensation", "70010001"): "account:70010001",
    ("PromiseAward", "70010001"): "account:70010001",
    ("CompensateMember", "70010001"): "account:70010001",
}
"""What an effect locks before the case, by what it is asked for."""
LOCK_CASE: Final = "select from casefile.cases where reference = $1 for no key update nowait"
WAITING: Final = """
    select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')
"""


async def test_whoever_adds_a_row_of_a_case_waits_for_the_case_and_holds_nothing_of_it_meanwhile(pool: "Pool") -> None:
    assert {row[0] for row in await pool.fetch(FOLLOWED)} <= ROWS.keys()
    reference = await opened(keeping(pool), "1")

    for table, row in ROWS.items():
        async with pool.acquire() as writer, writer.transaction():
            await writer.execute(LOCK_CASE, reference)
            adding = asyncio.create_task(pool.execute(f"insert into {table} {row}", reference))
            await eventually(lambda: pool.fetchval(WAITING), f"who adds to {table}")
            await writer.execute("select casefile.list_work($1)", reference)
        await adding


async def test_what_is_written_again_after_a_restore_locks_nothing_of_a_case_while_an_effect_is_under_way(
    pool: "Pool",
) -> None:
    reference = await opened(keeping(pool), "1")
    for (effect, asked), locked in EFFECTS.items():
        steps = [
            Step("Record", update(reference, 1), after(1), done=after(1)),
            Step(effect, SimpleNamespace(key=asked, account=asked, letter=None), after(2)),
        ]
        async with pool.acquire() as effect_under_way, effect_under_way.transaction():
            await effect_under_way.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", locked)
            async with pool.acquire() as connection, connection.transaction():
                writing = asyncio.create_task(Rewriting(connection, pool, load_settings()).write(steps))
                await eventually(lambda: pool.fetchval(WAITING), "the writing again")
                await effect_under_way.execute(LOCK_CASE, reference)
                writing.cancel()
                await asyncio.wait([writing])
