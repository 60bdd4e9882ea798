"""Record and keys come back from older backups, in any order: who was erased stays so, and what is lost is told."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import asyncpg
import pytest

from activities.keys.retention import erased_again
from domain.ground.people import Actor
from domain.ground.words import Role
from domain.keys.erasure import DecideErasure, RequestErasure
from domain.keys.personal import Row
from domain.keys.places import SEALED
from record.chain_verifier import TYPE
from record.checkpointing import Checkpointing
from record.proofs import hold_proofs, proofs_here
from recovery.reconcile import Doubt, Why
from recovery.sealed import _TEXT, _texts, keys_in_doubt
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.identity.keys import new_signing_key
from runtime.identity.verifying import Verifier
from runtime.keys.vault import Vault
from runtime.mail import Outbox
from runtime.outside import Outside, read_erasures
from runtime.settings import Settings, load_settings
from starter.upkeep.erasing import ask, decide
from tests.case.support import keeping, opened

KEPT_STEPS: Final = {
    "record before it was asked for": (),
    "record before it was approved": ("requested",),
    "record before it was done": ("requested", "approved"),
}
"""By how old the backup of the record is: the steps of the erasure that it has."""
NEWER: Final = ("record", "keys")
"""Backups that have the erasure: nothing is lost."""
ONE: Final = (*KEPT_STEPS, "keys before it", *NEWER)
ORDERS: Final = [order for length in (1, 2, 3) for order in product(ONE, repeat=length)]


@dataclass
class Restores:
    """One erasure, and what backups from before it have. Both databases are written to as a restore does."""

    pool: "asyncpg.Pool[asyncpg.Record]"
    vault: Vault
    writing: "asyncpg.Connection[asyncpg.Record]"
    beside: "asyncpg.Connection[asyncpg.Record]"
    settings: Settings
    reference: str
    erasure: str
    scopes: Sequence[str]
    keys: list[Any]
    steps: list[Any]

    async def restore(self, what: str) -> None:
        if what in KEPT_STEPS:
            await self.record(KEPT_STEPS[what])
        elif what not in NEWER:
            await self.older_keys()

    async def record(self, kept: Sequence[str]) -> None:
        await self.writing.execute("delete from casefile.erasures where erasure = $1", self.erasure)
        for row in self.steps:
            if row["step"] in kept:
                again = "insert into casefile.erasures overriding system value select ($1::casefile.erasures).*"
                await self.writing.execute(again, row)
        await self.writing.execute("delete from casefile.timeline where kind = 'erased'")
        rows = [f"{self.erasure}|{row['step']}" for row in self.steps if row["step"] not in kept]
        lost = "delete from casefile.chain where key = any($1::text[]) or key like '%|erased:%'"
        await self.writing.execute(lost, rows)
        found_by = "insert into casefile.lookups values ('email', 'x', $1) on conflict do nothing"
        await self.writing.execute(found_by, self.reference)

    async def older_keys(self) -> None:
        await self.beside.execute("delete from keys.keys where scope = any($1::text[])", self.scopes)
        for row in self.keys:
            await self.beside.execute("insert into keys.keys select ($1::keys.keys).*", row)
        await self.beside.execute("delete from keys.erasures where erasure = $1", self.erasure)

    async def started(self, outside: Sequence[str] = ()) -> list[str]:
        return await erased_again(self.pool, self.vault, Outbox(self.settings.outbox_dir), 35, outside)

    async def is_erased(self) -> bool:
        """Whether it is so for both, in all of its traces."""
        row = await self.pool.fetchrow(
            "select exists (select from casefile.erasures where erasure = $1 and step = 'erased')"
            " and exists (select from casefile.timeline where reference = $2 and kind = 'erased')"
            " and not exists (select from casefile.lookups where scope = $2)",
            self.erasure,
            self.reference,
        )
        assert row
        gone = set(await self.vault.erased(self.scopes)) == set(self.scopes)
        return bool(row[0]) and gone and self.erasure in await self.vault.store.erasures()


@pytest.fixture
async def restores(
    pool: "asyncpg.Pool[asyncpg.Record]", keys: Vault, postgres: EmbeddedPostgres, tmp_path: Path
) -> AsyncIterator[Restores]:
    settings = load_settings(outbox_dir=tmp_path / "outbox", checkpoint_dir=tmp_path / "share")
    account = f"of-restores-{uuid4().hex}"  # the tests share the keys
    reference = await opened(keeping(pool), account, account=account)
    closed = "update casefile.cases set closed_at = $2, revision = revision + 1 where reference = $1"
    await pool.execute(closed, reference, datetime.now(UTC) - timedelta(days=3650))
    await pool.execute("insert into casefile.lookups values ('email', 'x', $1)", reference)
    database = await pool.fetchval("select current_database()")
    writing, beside = [await asyncpg.connect(postgres.url(name)) for name in (database, "keys")]
    for connection in (writing, beside):
        await connection.execute("set session_replication_role = replica")
    kept = await beside.fetch("select * from keys.keys where scope = $1", reference)
    asked = RequestErasure(message_id="1", actor=Actor(id="h-1", role=Role.HANDLER), subject=account, reason="asked")
    erasure = (await ask(pool, settings, asked)).erasure
    officer = Actor(id="c-1", role=Role.COMPLIANCE_OFFICER)
    said = DecideErasure(message_id="2", actor=officer, approve=True, reason="nothing against it")
    done = (await decide(pool, settings, erasure, said)).certificate
    assert done
    steps = await writing.fetch("select * from casefile.erasures where erasure = $1 order by id", erasure)
    await erased_again(pool, keys, Outbox(tmp_path), 35)  # those of other tests, which share the keys
    yield Restores(pool, keys, writing, beside, settings, reference, erasure, done.scopes, kept, steps)
    await writing.close()
    await beside.close()


@pytest.fixture(autouse=True)
def signatures_count() -> Iterator[None]:
    held = proofs_here()
    hold_proofs(Verifier.of(load_settings()))
    yield
    hold_proofs(held)


async def test_one_after_the_other_in_any_order_ends_with_the_erasure_applied(restores: Restores) -> None:
    """Each time a worker starts; and nothing that left is needed."""
    for order in ORDERS:
        for what in order:
            await restores.restore(what)
            again = await restores.started()
            assert again == ([] if what in NEWER else [restores.erasure]), order
            assert await restores.is_erased(), order
        assert await restores.started() == [], order


@pytest.mark.parametrize("backup", KEPT_STEPS)
async def test_both_at_once_are_put_right_by_what_left(backup: str, restores: Restores) -> None:
    """Also where a part of it came back and other keys wrote it down."""
    [proof] = [row["token"] for row in restores.steps if row["step"] == "erased"]
    await Outside(restores.settings).deliver([], [proof, proof[: len(proof) // 2]])
    await Outside(restores.settings).deliver([], [proof, f"ER-other:{proof.partition(':')[2]}"])
    outside = read_erasures(restores.settings)
    assert outside.count(proof) == 1
    for first, then in product(("keys before it", backup), repeat=2):
        await restores.restore(backup)
        await restores.restore("keys before it")
        assert await restores.started(outside) == [restores.erasure]
        await restores.restore(first)
        await restores.restore(then)
        await restores.started(outside)
        assert await restores.is_erased()
        assert await restores.started(outside) == []


async def test_proofs_leave_with_the_checkpoints_also_of_what_was_written_again(restores: Restores) -> None:
    key = new_signing_key("auditor")
    leaving = Outside(restores.settings).deliver
    making = Checkpointing(restores.pool, lambda said: key.sign(said, TYPE), leaving, lambda: datetime.now(UTC))

    def left() -> list[str]:  # without those of other tests, which share the keys
        return [one for one in read_erasures(restores.settings) if one.startswith(restores.erasure)]

    await making.once()
    assert left() == [row["token"] for row in restores.steps if row["step"] == "erased"]
    await restores.restore("record before it was asked for")
    await restores.started()
    await making.once()
    [_, second] = left()
    assert await restores.vault.attested(second) == (restores.erasure, sorted(restores.scopes))


async def test_where_nothing_is_left_that_knows_of_it_what_is_half_there_is_told(restores: Restores) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)

    async def told() -> list[Doubt]:
        process = Vault(restores.vault.store, restores.vault.wrapping)
        found = await keys_in_doubt(restores.pool, process, later)
        return [one for one in found if one.reference in {restores.erasure, restores.reference}]

    assert await told() == []
    for backup, steps in KEPT_STEPS.items():
        await restores.restore(backup)
        await restores.restore("keys before it")
        assert await restores.started() == []
        doubts = [(one.why, f"redress erase approve {restores.erasure}" in one.cannot[0]) for one in await told()]
        assert doubts == ([(Why.NOT_ERASED, True)] if "approved" in steps else [])
    await restores.restore("record before it was asked for")
    data = {"scopes": [restores.reference], "cases": []}
    forged = "insert into casefile.erasures (erasure, step, at, by, data) values ($1, 'erased', now(), 'x', $2)"
    await restores.pool.execute(forged, restores.erasure, data)
    assert await restores.started() == []
    [doubt] = await told()
    assert "`redress erase request`" in doubt.cannot[0]


async def test_every_table_with_something_sealed_is_looked_into(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    """But for what visitors type; in objects, in lists of them and in text."""
    async with pool.acquire() as connection:
        query = await _texts(connection)
        assert {name for name in SEALED if f"from {name} " not in query} == {
            name for name in SEALED if name.startswith("web.")
        }
        for found in ({"sealed": "sealed:2:x", "at": 1}, [{"sealed": "sealed:2:x"}, {}], "sealed:2:x"):
            told = await connection.fetchval(f"select {_TEXT['jsonb'].format('$1::jsonb')}", found)
            assert told == "sealed:2:x"


async def test_what_no_key_opens_is_told_with_the_reason(restores: Restores) -> None:
    """A key that the backup did not have, one that was made anew since, and one that was destroyed by no erasure."""
    file, vault = keeping(restores.pool), restores.vault
    missing, anew, destroyed, rotated, given_up = [await opened(file, f"{uuid4()}", account=None) for _ in range(5)]
    await vault.rotate(rotated)
    letter = "insert into casefile.contacts (reference, key, name, at) values ($1, 'later', $2, now())"
    await restores.pool.execute(letter, rotated, Row("casefile.contacts", rotated, "later")("name", "A Customer"))
    found = await keys_in_doubt(restores.pool, vault, datetime.now(UTC))
    assert not {one.reference for one in found} & {missing, anew, destroyed, rotated, given_up, restores.reference}
    await restores.beside.execute("delete from keys.keys where scope = any($1::text[])", [missing, anew, given_up])
    await vault.store.give_up(given_up, 2, await vault._fresh(given_up, 2))
    await restores.beside.execute("delete from keys.keys where (scope, version) = ($1, 2)", rotated)
    fresh = Vault(vault.store, vault.wrapping)
    await fresh.for_writing(anew)
    await fresh.destroy([destroyed])
    found = await keys_in_doubt(restores.pool, fresh, datetime.now(UTC))
    told = {one.reference: (one.why, one.cannot[0].partition(":")[0]) for one in found}
    assert told == {
        missing: (Why.KEY_LOST, "the table of keys has no key 1 of it"),
        anew: (Why.KEY_LOST, "key 1 of it was lost and made anew since"),
        destroyed: (Why.KEY_LOST, f"its key was destroyed on {datetime.now(UTC):%Y-%m-%d}"),
        rotated: (Why.KEY_LOST, "the table of keys has no key 2 of it"),
        given_up: (Why.KEY_LOST, f"key 1 of it was given up on {datetime.now(UTC):%Y-%m-%d}"),
    }
    advised = {one.reference for one in found if "`redress keys give-up`" in one.cannot[0]}
    assert advised == {missing, anew, destroyed, rotated}, "nobody is told to do what was done"
