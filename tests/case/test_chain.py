"""Whoever changes what was written is found out, also who changes all of it and its chain."""

# ruff: noqa: S608, ASYNC221, ASYNC240 (a superuser writes what they like, and the files are small)

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

from activities.case.case_file import CaseFile
from domain.ground.people import Actor
from domain.ground.timeline import Entry
from domain.ground.words import Role, Store
from record import chain_verifier
from record.chain import checkpoints_after, export, make_checkpoints
from record.chain_verifier import (
    CHECKPOINTS,
    EXPORTED,
    TYPE,
    Fault,
    read_issuers,
    read_keys,
    signed_by,
    signed_by_in_python,
    verify,
)
from runtime.identity.keys import SigningKey, new_signing_key, own_keys, read_signing_key
from runtime.outside import FILE, Outside
from runtime.settings import load_settings
from starter.upkeep.restores import declare
from tests.case.support import after, keeping, opened, update
from tests.signing import the_issuer

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Audit:
    """A case file with two cases, its auditor, and a superuser who may do anything but sign."""

    def __init__(
        self, pool: "asyncpg.Pool[asyncpg.Record]", connection: "asyncpg.Connection[asyncpg.Record]", folder: Path
    ) -> None:
        self.pool, self.connection, self.folder = pool, connection, folder
        self.file: CaseFile = keeping(pool)
        self.references: list[str] = []
        signing, _ = own_keys(folder / "key", "auditor")
        self.key: SigningKey = read_signing_key(signing)
        self.outside = folder / "outside.jws"
        self.outside.touch()
        self.exported = folder / "exported"
        self.exported.mkdir()
        self.keys = read_keys(signing)
        self.key_file = signing
        self.issuers = read_issuers(Path(os.environ["REDRESS_ISSUERS"]))

    async def checkpoint(self, at: datetime = NOW) -> int:
        """A checkpoint, of which a copy leaves the firm."""
        made = await make_checkpoints(self.connection, lambda said: self.key.sign(said, TYPE), at)
        tokens = [token for _, token in await checkpoints_after(self.connection, 0)]
        kept = self.outside.read_text().splitlines()
        self.outside.write_text("".join(f"{one}\n" for one in dict.fromkeys([*kept, *tokens])))
        return made

    async def faults(self, *, outside: bool = True) -> list[Fault]:
        exported = self.exported
        await export(self.connection, exported)
        faults, self.notes = verify(exported, [self.outside] if outside else [], self.keys, self.issuers)
        return faults

    async def as_superuser(self, *statements: str) -> None:
        async with self.connection.transaction():
            await self.connection.execute("set local session_replication_role = replica")
            for statement in statements:
                await self.connection.execute(statement)
            await self.connection.execute("set local session_replication_role = origin")

    async def rewrite(self, reference: str) -> None:
        """Make the chain anew over the rows as they are now, as whoever may do anything can."""
        queries = await self.connection.fetch("select place, casefile.rows_of(place) as query from casefile.chained")
        stored = " union all ".join(f"select '{place}' as place, * from ({query}) as r" for place, query in queries)
        await self.as_superuser(
            "set local timezone = 'UTC'; set local intervalstyle = 'iso_8601'",
            "create temporary table kept as select place, key, number from casefile.chain"
            f" where reference = '{reference}'",
            f"delete from casefile.chain where reference = '{reference}'",
            "select casefile.link(reference, place, key, content) from (select stored.*, number"
            f" from ({stored}) as stored join kept using (place, key) where reference = '{reference}'"
            " order by number) as rows",
            "drop table kept",
        )


@pytest.fixture
async def audit(pool: "Pool", database_url: str, tmp_path: Path) -> AsyncIterator[Audit]:
    connection = await asyncpg.connect(database_url, server_settings={"timezone": "Asia/Shanghai"})
    audit = Audit(pool, connection, tmp_path)
    for key in ("1", "2"):
        reference = await opened(audit.file, key)
        entries = [noted(number) for number in range(3)]
        await audit.file.record(update(reference, 1, entries=entries))
        audit.references.append(reference)
    yield audit
    await connection.close()


def noted(number: int, text: str = "Noted.") -> Entry:
    return Entry(key=f"note:{number}", at=after(number), kind="note", actor="handler:h-17", text=text, data={"n": None})


SET = "update casefile.timeline set {what} where reference = '{first}' and key = 'note:1'"
TRIES: dict[str, tuple[tuple[str, ...], str, str]] = {
    "a text was altered": ((SET.format(what="text = 'Other.'", first="{first}"),), "altered", "note:1"),
    "a time was altered": ((SET.format(what="at = at + interval '1 second'", first="{first}"),), "altered", "note:1"),
    "a token was put beside it": ((SET.format(what="token = 'x'", first="{first}"),), "altered", "note:1"),
    "the complaint was altered": (
        ("update casefile.cases set account = '70099999' where reference = '{first}'",),
        "altered",
        "casefile.cases",
    ),
    "a row was removed": (
        ("delete from casefile.timeline where reference = '{first}' and key = 'note:1'",),
        "removed",
        "note:1",
    ),
    "a row was removed with its link": (
        (
            "delete from casefile.timeline where reference = '{first}' and key = 'note:1'",
            "delete from casefile.chain where reference = '{first}' and key like '%note:1'",
        ),
        "removed",
        "is missing before",
    ),
    "a row was inserted": (
        (
            "insert into casefile.timeline (reference, key, at, kind, actor, text)"
            " values ('{first}', 'note:x', now(), 'note', 'handler:h-17', 'So it was.')",
        ),
        "inserted",
        "note:x",
    ),
    "two rows changed places": (
        (
            "update casefile.chain set number = number + 100 where reference = '{first}' and key like '%note:1'",
            "update casefile.chain set number = number - 1 where reference = '{first}' and key like '%note:2'",
            "update casefile.chain set number = number - 99 where reference = '{first}' and number > 100",
        ),
        "reordered",
        "note:2",
    ),
    "the last rows were cut off": (
        (
            "delete from casefile.timeline where reference = '{first}' and key in ('note:1', 'note:2')",
            "delete from casefile.chain where reference = '{first}' and number >="
            " (select number from casefile.chain where reference = '{first}' and key like '%note:1')",
        ),
        "rewritten",
        "is not what a checkpoint says",
    ),
}


@pytest.mark.parametrize("what", TRIES)
async def test_a_change_is_named_with_the_row(audit: Audit, what: str) -> None:
    await audit.checkpoint()
    assert await audit.faults() == []
    statements, kind, where = TRIES[what]
    await audit.as_superuser(*(one.format(first=audit.references[0]) for one in statements))
    found = await audit.faults(outside=False)
    assert [(fault.reference, fault.kind) for fault in found] == [(audit.references[0], kind)]
    assert where in found[0].what


async def test_who_rewrites_all_of_it_is_found_out_by_what_left_the_firm(audit: Audit) -> None:
    first, second = audit.references
    await audit.checkpoint()
    await audit.as_superuser(SET.format(what="text = 'Other.'", first=first))
    await audit.rewrite(first)
    assert [(one.reference, one.kind) for one in await audit.faults(outside=False)] == [(first, "rewritten")]
    await audit.as_superuser("delete from casefile.chain_checkpoints")
    assert await audit.faults(outside=False) == []  # within the firm nothing tells any more
    found = await audit.faults()
    assert {one.kind for one in found} == {"rewritten"}
    assert {one.reference for one in found} == {"checkpoints", first}
    assert second not in str(found)
    # The firm's own workers, who sign whatever they find, say of the rewritten chain how far it is.
    await audit.as_superuser("update casefile.chain set tx = pg_current_xact_id()")
    audit.outside, left = audit.folder / "after.jws", audit.outside
    audit.outside.touch()
    await audit.checkpoint(NOW + timedelta(minutes=1))
    assert await audit.faults() == []
    audit.outside = left
    assert [(one.reference, one.kind) for one in await audit.faults()] == [
        ("checkpoints", "rewritten"), (first, "rewritten"),
    ]  # fmt: skip


async def test_an_export_that_is_older_than_a_checkpoint_is_no_forgery_and_a_record_that_was_cut_off_is_one(
    audit: Audit,
) -> None:
    first, began = audit.references[0], datetime.now(UTC)
    await audit.checkpoint(began - timedelta(hours=1))
    await export(audit.connection, audit.exported)
    after_it = [began + timedelta(minutes=minutes) for minutes in (1, 2)]
    for number, at in enumerate(after_it, 2):
        await audit.file.record(update(first, number, entries=[noted(5 + number)]))
        await audit.checkpoint(at)

    faults, [note] = verify(audit.exported, [audit.outside], audit.keys, audit.issuers)
    assert faults == []
    assert f"older than checkpoint 2 of {after_it[0].isoformat(timespec='seconds')} and the 1 after it" in note

    # The same content, exported when these checkpoints were there already: the record was cut off.
    said = audit.exported / EXPORTED
    said.write_text(json.dumps({"at": (after_it[0] + timedelta(minutes=1)).isoformat()}))
    faults, _ = verify(audit.exported, [audit.outside], audit.keys, audit.issuers)
    assert {(one.reference, one.kind) for one in faults} == {("checkpoints", "rewritten"), (first, "rewritten")}
    said.unlink()  # of an export that does not say
    assert faults[0].kind == verify(audit.exported, [audit.outside], audit.keys, audit.issuers)[0][0].kind


async def test_an_older_export_that_was_altered_is_still_told_by_what_left_before_it(audit: Audit) -> None:
    first, began = audit.references[0], datetime.now(UTC)
    await audit.checkpoint(began - timedelta(hours=1))
    await audit.as_superuser(SET.format(what="text = 'Other.'", first=first))
    await audit.rewrite(first)
    await export(audit.connection, audit.exported)
    await audit.file.record(update(first, 2, entries=[noted(7)]))
    await audit.checkpoint(began + timedelta(minutes=1))
    faults, [note] = verify(audit.exported, [audit.outside], audit.keys, audit.issuers)
    assert [(one.reference, one.kind) for one in faults] == [(first, "rewritten")]
    assert "older than checkpoint 2" in note
    # Nor do they excuse one that does not go on from what the export has.
    (audit.exported / CHECKPOINTS).write_text("")
    later = audit.folder / "later.jws"
    later.write_text(audit.outside.read_text().splitlines()[-1] + "\n")
    faults, _ = verify(audit.exported, [later], audit.keys, audit.issuers)
    assert "checkpoint 2" in next(
        one.what for one in faults if (one.reference, one.kind) == ("checkpoints", "rewritten")
    )


async def test_a_file_of_checkpoints_that_was_emptied_cut_or_mixed_is_told_of(audit: Audit) -> None:
    await audit.checkpoint()
    whole = audit.outside.read_text()
    audit.outside.write_text("")
    assert [(one.reference, one.kind) for one in await audit.faults()] == [("checkpoints", "removed")]
    await audit.file.record(update(audit.references[0], 2, entries=[noted(9)]))
    await audit.checkpoint(NOW + timedelta(minutes=1))
    both = audit.outside.read_text()
    audit.outside.write_text(whole)
    assert await audit.faults() == []
    assert audit.notes == [
        f"the checkpoints that left the firm end at {NOW.isoformat()}; the rest is the database's word alone"
    ]
    audit.outside.write_text(both[:-20])
    assert [(one.reference, one.kind) for one in await audit.faults()] == [("checkpoints", "unsigned")]
    elsewhere = new_signing_key("auditor").sign({"number": 1, "previous": "", "at": "", "heads": []}, TYPE)
    audit.outside.write_text(f"{both}{elsewhere}\n")
    assert [(one.reference, one.kind) for one in await audit.faults()] == [("checkpoints", "unsigned")]


async def test_a_checkpoint_that_was_broken_off_as_it_left_leaves_again_and_raises_no_alarm(audit: Audit) -> None:
    settings = load_settings(checkpoint_dir=audit.folder / "out")
    await audit.checkpoint()
    await Outside(settings).deliver(await checkpoints_after(audit.connection, 0))
    audit.outside = settings.checkpoint_dir / FILE
    audit.outside.write_text(audit.outside.read_text()[:-20])
    for minutes in (1, 2):
        await audit.file.record(update(audit.references[0], minutes + 1, entries=[noted(7 + minutes)]))
        await make_checkpoints(audit.connection, lambda said: audit.key.sign(said, TYPE), NOW)
        await Outside(settings).deliver(await checkpoints_after(audit.connection, 0))
    assert await audit.faults() == []
    assert (len(audit.outside.read_text().splitlines()), audit.notes) == (4, [])


async def test_a_checkpoint_that_somebody_else_signed_counts_as_none(audit: Audit) -> None:
    other = new_signing_key("auditor")
    await make_checkpoints(audit.connection, lambda said: other.sign(said, TYPE), NOW)
    [fault] = await audit.faults(outside=False)
    assert fault.kind == "unsigned"
    assert "is not among those given" in fault.what


LEAD = Actor(id="o-1", role=Role.TEAM_LEAD)
NOBODY_DECLARED = (
    "until = until + interval '1 day'",
    "since = since - interval '1 day'",
    "declared_by = 'team_lead:o-2'",
    "declared_by = 'executive:o-1'",
    "message_id = 'other'",
    "token = null",
)


async def test_a_declared_restore_is_told_apart_from_one_that_nobody_declared(audit: Audit) -> None:
    await audit.checkpoint()
    first = audit.references[0]
    await audit.file.record(update(first, 2, entries=[noted(7)]))
    await audit.checkpoint(NOW + timedelta(minutes=1))
    lost = "reference = '{first}' and key {like} '%note:7'"
    await audit.as_superuser(
        "delete from casefile.chain_checkpoints where number = 2",
        f"delete from casefile.chain where {lost.format(first=first, like='like')}",
        f"delete from casefile.timeline where {lost.format(first=first, like='like')}",
    )
    assert {one.kind for one in await audit.faults()} == {"rewritten"}
    lost_from, lost_until = NOW + timedelta(seconds=30, milliseconds=700), NOW + timedelta(minutes=5)
    said = (audit.pool, Store.POSTGRESQL, lost_from, lost_until, "A disk “failed”, 磁盘。", LEAD, lost_until)
    await declare(*said, token_for=the_issuer().speaks_for_its_user)
    await audit.file.record(update(first, 2, entries=[noted(8)]))
    assert await audit.checkpoint(NOW + timedelta(minutes=6)) == 1
    assert await audit.faults() == []
    [note] = audit.notes
    assert "that team_lead:o-1 declared: A disk “failed”, 磁盘。" in note
    # Whoever has the database alone declares nothing, not even by what somebody signed for another time.
    audit.issuers = {kid: one._replace(roles=["customer"]) for kid, one in audit.issuers.items()}
    assert {one.kind for one in await audit.faults()} == {"unsigned", "rewritten"}
    audit.issuers = read_issuers(Path(os.environ["REDRESS_ISSUERS"]))
    await audit.as_superuser("create table kept as table casefile.restores")
    for what in NOBODY_DECLARED:
        await audit.as_superuser(f"update casefile.restores set {what}")
        assert ("restores", "unsigned") in {(one.reference, one.kind) for one in await audit.faults()}, what
        await audit.as_superuser(
            "delete from casefile.restores", "insert into casefile.restores overriding system value table kept"
        )


async def test_each_checkpoint_has_what_is_new_and_together_they_have_all(audit: Audit) -> None:
    assert await audit.checkpoint() == 1
    assert await audit.checkpoint() == 0
    await audit.file.record(update(audit.references[0], 2, entries=[noted(9)]))
    waiting = await audit.pool.acquire()
    async with waiting.transaction():
        # What is not committed yet is in the next one.
        await audit.file.record(update(audit.references[1], 2, entries=[noted(9)]))
        await waiting.execute("select pg_current_xact_id()")
        await audit.checkpoint()
    await audit.pool.release(waiting)
    await audit.checkpoint()
    exported = audit.exported
    assert await export(audit.connection, exported) > 10
    checkpoints, _ = chain_verifier.read_checkpoints(audit.outside.read_text().splitlines(), audit.keys)
    heads = {head[:2] for one in checkpoints for head in one.heads}
    last = await audit.pool.fetch("select reference, max(number) from casefile.chain group by reference")
    assert {tuple(row) for row in last} <= heads


async def test_many_who_write_at_once_make_one_chain_and_no_false_alarm(audit: Audit) -> None:
    writers, entries = 32, 10
    first = audit.references[0]

    async def write(writer: int) -> None:
        for number in range(entries):
            await audit.pool.execute(
                "insert into casefile.timeline (reference, key, at, kind, actor, text)"
                " values ($1, $2, $3, 'n', 'a:b', '-')",
                first,
                f"{writer}/{number}",
                NOW,
            )

    await audit.checkpoint()
    writing = asyncio.gather(*map(write, range(writers)))
    while not writing.done():
        assert await audit.faults() == []
        await audit.checkpoint()
    await writing
    rows = await audit.pool.fetch("select number from casefile.chain where reference = $1 order by number", first)
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) >= writers * entries
    assert await audit.faults() == []


async def test_the_verifier_works_as_a_file_alone(audit: Audit) -> None:
    await audit.checkpoint()
    exported = audit.exported
    await export(audit.connection, exported)
    alone = audit.folder / "verify.py"
    alone.write_bytes(Path(chain_verifier.__file__).read_bytes())
    given = ("--key", audit.key_file, "--checkpoints", audit.outside)
    command = [str(one) for one in (sys.executable, "-I", "-S", alone, exported, *given)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=audit.folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "all is as it was written\n", "")
    chain = exported / "chain.jsonl"
    chain.write_text(chain.read_text().replace("handler:h-17", "handler:h-18"))  # texts are sealed
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=audit.folder)
    assert done.returncode == 1
    assert f"altered: {audit.references[0]}: casefile.timeline" in done.stdout


def test_signatures_are_verified_without_any_library_as_with_one() -> None:
    key = new_signing_key("auditor")
    token = key.sign({"a": 1}, TYPE)
    signed, _, signature = token.rpartition(".")
    public = chain_verifier._bytes(key.public["x"])
    octets = chain_verifier._bytes(signature)
    for verified in (signed_by, signed_by_in_python):
        assert verified(public, signed.encode(), octets)
        assert not verified(public, signed.encode() + b" ", octets)
        assert not verified(public, signed.encode(), octets[:32] + bytes(32))
        assert not verified(bytes([*public[:31], public[31] ^ 1]), signed.encode(), octets)


UNCHAINED = {
    "casefile.accesses": "of who reads, who must not hold up who writes",
    "casefile.calendars": "named by its hash",
    "casefile.pack_marks": "of packs, not of cases",
    "casefile.policy_packs": "named by its hash",
    "casefile.case_topics": "follows from the complaint",
    "casefile.chain": "is the chain",
    "casefile.chain_checkpoints": "have a chain of their own",
    "casefile.customer_files": "of customers, not of cases",
    "casefile.customers": "of customers, not of cases",
    "casefile.directory": "of the firm, not of cases",
    "casefile.incident_warnings": "of topics, not of cases",
    "casefile.promises": "follow from the final responses",
    "casefile.redressed": "of accounts, not of cases; follows from postings",
    "casefile.restrictions": "of customers, not of cases",
    "casefile.repairs": "what they put right is chained where it is written",
    "casefile.unopened": "of what has no case",
    "payments.exchanges": "said while a rail is spoken to; orders and outcomes are chained",
}


async def test_every_table_of_the_case_file_that_only_grows_is_chained_or_it_is_said_why_not(pool: "Pool") -> None:
    rows = await pool.fetch(
        "select n.nspname || '.' || c.relname as name from pg_trigger t join pg_class c on c.oid = tgrelid"
        " join pg_namespace n on n.oid = relnamespace"
        " where tgfoid = 'casefile.refuse_change'::regproc and nspname in ('casefile', 'payments')"
    )
    chained = {row["place"] for row in await pool.fetch("select place from casefile.chained")}
    assert {row["name"] for row in rows} - chained == set(UNCHAINED)
