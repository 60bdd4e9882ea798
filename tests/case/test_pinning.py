"""A policy pack counts where a worker that knows it has marked it: who may write to the record alone makes none."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import asyncpg
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.case.pinning import mark_known, pin
from activities.keys.retention import Retention
from domain.clocks.calendar import Closure
from domain.clocks.deadlines import Occurred
from domain.ground.words import CaseEvent
from domain.keys.erasure import RunOut
from domain.rules.policy import PolicyPack
from record import packs as pinned_packs
from record.approvals import case_record
from record.packs import pinned_pack
from record.proofs import hold_proofs, proofs_here
from runtime.identity.verifying import Verifier
from runtime.mail import Outbox
from runtime.policies import calendars_in_use, find_policy, load_packs
from runtime.settings import load_settings
from tests.case.support import OPENED_AT, after, keeping, opened, update

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

NOW = datetime.now(UTC)
WAYS = {
    "one of their own": "delete from casefile.pack_marks where hash = $1",
    "with a mark of their own": "update casefile.pack_marks set mark = repeat('0', 32) where hash = $1",
    "under the hash of one that we know": "update casefile.policy_packs set content ="
    """ jsonb_set(content, '{decision,by_rule}', '"always"') where hash = $1""",
}
"""How whoever may do anything in the database but has no keys may pin a pack, as statements on one that is there."""


@pytest.fixture(autouse=True)
def signatures_count(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(pinned_packs, "_KNOWN", {})  # what other tests have read
    held = proofs_here()
    hold_proofs(Verifier.of(load_settings()))
    yield
    hold_proofs(held)


async def by_force(pool: Pool, statement: str, *values: object) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        await connection.execute(statement, *values)


@pytest.mark.parametrize("way", WAYS)
async def test_by_a_pack_that_no_worker_knew_nothing_is_paid_and_nothing_erased(
    pool: Pool, tmp_path: Path, way: str
) -> None:
    reference = await opened(keeping(pool), f"made-up-{way}")
    closed = "update casefile.cases set closed_at = $2, revision = revision + 1 where reference = $1"
    await pool.execute(closed, reference, NOW - timedelta(days=9 * 365))
    pinned = await pool.fetchval("select policy_hash from casefile.cases where reference = $1", reference)
    proofs = proofs_here()
    async with pool.acquire() as connection:
        assert (await case_record(connection, reference, proofs)).case.policy_hash == pinned
        pinned_packs._KNOWN.clear()
        await by_force(pool, WAYS[way], pinned)
        for rests_on_it in (case_record(connection, reference, proofs), pinned_pack(connection, pinned)):
            with pytest.raises(LookupError, match="none that a worker of ours knew"):
                await rests_on_it
    retention = Retention(pool, Outbox(tmp_path), lambda: NOW, 35)
    assert (await ActivityEnvironment().run(retention.run_out, RunOut())).erased == ()


async def test_what_was_pinned_before_there_were_marks_is_marked_where_it_is_a_pack_of_the_workers(pool: Pool) -> None:
    packs = load_packs()
    alone = find_policy(["platform-default"], OPENED_AT, packs)
    together = find_policy(["hk-hkma", "platform-default"], OPENED_AT, packs)
    lax = alone.model_copy(update={"recurs_within_days": 1})
    async with pool.acquire() as connection:
        for pack in (alone, together, lax):
            await pin(connection, pack.hash, pack, OPENED_AT)
    await by_force(pool, "delete from casefile.pack_marks")
    assert await mark_known(pool, packs, OPENED_AT) == [lax.hash]
    assert await mark_known(pool, packs, OPENED_AT) == [lax.hash]
    async with pool.acquire() as connection:
        assert [await pinned_pack(connection, pack.hash) for pack in (alone, together)] == [alone, together]
        with pytest.raises(LookupError):
            await pinned_pack(connection, lax.hash)


@pytest.mark.parametrize("real", [True, False])
async def test_deadlines_are_counted_on_the_very_calendar_whose_hash_was_signed_for(pool: Pool, real: bool) -> None:
    case_file = keeping(pool)
    reference = await opened(case_file, f"calendar-{real}")
    [calendar] = [one for one in calendars_in_use().values() if one.id == "hk"]
    lax = calendar.model_copy(update={"closures": (Closure(day=date(2026, 3, 9), why="Nobody works."),)})
    content = (calendar if real else lax).model_dump(mode="json")
    await pool.execute(
        "insert into casefile.calendars (hash, id, content, added_at, added_by) values ($1, 'hk', $2, now(), 'test')",
        calendar.hash,
        content,
    )
    replanned = Occurred(event=CaseEvent.REPLANNED, at=after(60), number=50, calendar=calendar.hash)
    recording = case_file.record(update(reference, events=(replanned,)))
    if real:
        await recording
    else:
        with pytest.raises(ApplicationError, match="has no calendar"):
            await recording


@pytest.mark.parametrize("what", ["no pack", "a pack twice"])
async def test_a_worker_begins_though_somebody_pinned_what_can_be_no_pack(pool: Pool, what: str) -> None:
    packs = load_packs()
    pack = find_policy(["hk-hkma", "platform-default"], OPENED_AT, packs)
    twice = pack.model_copy(update={"parts": pack.parts[:1] * 2})
    made_up = {"no pack": {"id": "platform-default"}, "a pack twice": twice.model_dump(mode="json")}[what]
    async with pool.acquire() as connection:
        await pin(connection, pack.hash, pack, OPENED_AT)
    await by_force(pool, "delete from casefile.pack_marks")
    await pool.execute(
        "insert into casefile.policy_packs (hash, id, version, content, pinned_at) values ('0', 'x', '1', $1, now())",
        made_up,
    )
    assert await mark_known(pool, packs, OPENED_AT) == ["0"]
    async with pool.acquire() as connection:
        assert await pinned_pack(connection, pack.hash) == pack


def test_a_pack_goes_by_the_same_hash_as_it_was_pinned() -> None:
    for pack in (pack for versions in load_packs().values() for pack in versions):
        assert isinstance(pack, PolicyPack)
        assert pinned_packs.digest(pack.model_dump(mode="json")) == pack.hash
