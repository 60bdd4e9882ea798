"""A key that was lost is told from one that never was: nothing makes another in its place unasked."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import asyncpg
import pytest

from activities.case.written_once import write_contact
from domain.case.requests import RecordContact
from domain.ground.timeline import Entry
from domain.keys.personal import Row, ours
from domain.keys.places import SEALED
from domain.keys.scopes import ACCESSES, LOOKUPS, VISITS, scope_of_customer, scope_of_group, scope_of_message
from runtime.database import migrate
from runtime.keys.envelope import Key
from runtime.keys.here import hold
from runtime.keys.keyring import FileKeyring
from runtime.keys.record import QUERIES, SealedRecord
from runtime.keys.store import KeyStore
from runtime.keys.vault import KeyUnknown, Vault
from runtime.paths import KEY_MIGRATIONS
from tests.case.support import keeping, opened, update

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]


class Table:
    """A table of keys of its own, as it comes back from an older backup, beside the record."""

    def __init__(self, url: str, record: str, folder: Path) -> None:
        self._url, self._record, self._file = url, record, folder / "keyring.json"
        FileKeyring.create(self._file)

    def process(self) -> Vault:
        return Vault(KeyStore(lambda: self._url), FileKeyring(self._file), SealedRecord(lambda: self._record))

    async def restore(self, statement: str, *values: object) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self._url)
        try:
            await connection.execute("set session_replication_role = replica")
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()

    async def lose(self, scopes: Sequence[str]) -> list[asyncpg.Record]:
        return await self.restore("delete from keys.keys where scope = any($1::text[]) returning *", scopes)


@pytest.fixture
async def table(keys: Vault, empty_database_url: str, database_url: str, tmp_path: Path) -> AsyncIterator[Table]:
    await migrate(empty_database_url, folder=KEY_MIGRATIONS)
    table = Table(empty_database_url, database_url, tmp_path)
    hold(table.process())
    yield table
    hold(keys)


LEFT_OUT: Final = {
    "casefile.checkpoints": "of a case, which has lines in its timeline before",
    "casefile.contacts": "of a case, which has lines in its timeline before",
    "casefile.incident_letter_attempts": "of an incident, which has lines in its timeline before",
    "casefile.incident_letters": "of a customer, who is on a list before",
    "casefile.letter_attempts": "of a case, whose letter is there before",
    "casefile.reviews": "of a case, which has lines in its timeline before",
    "casefile.signs": "of a case, which has lines in its timeline before",
    "intake.files": "of a message, which is there before",
}
"""Tables with something sealed that need not be asked whether a key was lost, by reason."""


def test_whether_a_key_was_lost_is_asked_of_every_table_with_something_sealed() -> None:
    asked = {name for name in SEALED if any(f" {name} " in f"{query} " for query in QUERIES.values())}
    assert asked.isdisjoint(LEFT_OUT)
    assert asked | set(LEFT_OUT) == set(SEALED)


async def sealed_of_each_kind(pool: "Pool") -> list[str]:
    """Scopes of each kind under which something is sealed in the record."""
    reference, account, message = await opened(keeping(pool)), f"{uuid4()}", f"{uuid4()}"
    customer, group, visits = scope_of_customer(account), scope_of_group(account), f"{VISITS}{uuid4()}"
    now, came, visitor = datetime.now(UTC), scope_of_message(message), uuid4().bytes
    for query, *values in (
        (
            "casefile.customers (account, language, name) values ($1, 'en', $2)",
            account,
            Row("casefile.customers", customer, account)("name", "A Customer"),
        ),
        (
            "casefile.customer_files (kind, subject, accounts, record, recorded_by)"
            " values ('group', $1, '{}', $2, 'x')",
            account,
            Row("casefile.customer_files", group, f"group/{account}")("record", {"speaker": "A Speaker"}),
        ),
        (
            "intake.received (key, received_at, door, kind, envelope, raw) values ($1, $2, 'api', 'note', '{}', $3)",
            message,
            now,
            Row("intake.received", came, message)("raw", b"What was said"),
        ),
        (
            "web.drafts (visitor, place, touched_at, content) values ($1, 'x', now(), $2)",
            visitor,
            Row("web.drafts", visits, f"{visitor.hex()}/x")("content", b"typed"),
        ),
        (
            "casefile.accesses (who, means, what, reference, purpose) values ('x', 'api', 'show', $1, $2)",
            reference,
            Row("casefile.accesses", ACCESSES, reference)("purpose", "why"),
        ),
    ):
        await pool.execute(f"insert into {query}", *values)
    return [reference, customer, group, came, visits, ACCESSES, LOOKUPS]


async def test_no_key_is_made_where_the_record_needs_the_one_that_was_lost(table: Table, pool: "Pool") -> None:
    """Whatever is to be written waits, until the key is back or somebody gives up what it sealed."""
    scopes = await sealed_of_each_kind(pool)
    lost = await table.lose(scopes)
    assert {row["scope"] for row in lost} == set(scopes)
    for scope in scopes:
        said = f"no key of {scope}, .*`redress keys give-up {scope}`"
        with pytest.raises(KeyUnknown, match=said):
            await table.process().for_writing(scope)
        with pytest.raises(KeyUnknown, match=said):
            await table.process().rotate(scope)
        with pytest.raises(KeyUnknown, match=said):
            await table.process().all_for_writing([scope, *(f"customer:{uuid4()}" for _ in range(10))])
    assert (await table.process().for_writing(f"customer:{uuid4()}")).version == 1
    for row in lost:
        await table.restore("insert into keys.keys select ($1::keys.keys).*", row)
    for scope in scopes:
        assert (await table.process().for_writing(scope)).version == 1


async def test_no_key_is_made_by_who_could_not_open_what_the_lost_one_sealed(table: Table) -> None:
    """As a worker whose record has lost the case as well: it would seal its failure."""
    scope = "RD-K7M4-9QXT-2VBHC"
    await table.process().for_writing(scope)
    [lost] = await table.lose([scope])
    vault = table.process()
    for use in (
        vault.for_reading([(scope, 1)]),
        vault.for_writing(scope),
        vault.all_for_writing([scope, *"abcdefghij"]),
    ):
        with pytest.raises(KeyUnknown, match=f"no key 1 of {scope}"):
            await use
    await table.restore("insert into keys.keys select ($1::keys.keys).*", lost)
    assert (await vault.for_writing(scope)).version == 1


async def test_who_gives_up_what_a_lost_key_sealed_goes_on_without_it(table: Table, pool: "Pool") -> None:
    file, vault = keeping(pool), table.process()
    reference = await opened(file)
    with pytest.raises(ValueError, match=f"no key of {reference} was lost"):
        await vault.give_up(reference)
    await vault.rotate(reference)
    hold(table.process())
    entry = Entry(key="n", at=datetime.now(UTC), kind="note", actor="handler:h-17", text="Noted.")
    await file.record(update(reference, entries=[entry]))
    await table.restore("delete from keys.keys where (scope, version) = ($1, 2)", reference)
    vault = table.process()
    assert await vault.rotate(reference) == 3, "no other key is ever the second one"
    assert await vault.give_up(reference) == 4
    assert (await vault.for_writing(reference)).version == 4
    both = await vault.for_reading([(reference, 1), (reference, 2)])
    assert [isinstance(both[reference, version], Key) for version in (1, 2)] == [True, False]
    assert reference not in await vault.erased([reference])
    await table.lose([reference])
    vault = table.process()
    assert await vault.give_up(reference) == 3
    hold(vault)
    [text] = [row["text"] for row in await pool.fetch("select text from casefile.timeline where key = 'n'")]
    assert text == f"[erased {datetime.now(UTC):%Y-%m-%d}]"


async def test_what_a_lost_key_sealed_is_no_address_either_where_it_is_taken_over(table: Table, pool: "Pool") -> None:
    file, vault, at = keeping(pool), table.process(), datetime.now(UTC)
    reference = await opened(file)
    assert await pool.fetchval("select email from casefile.contacts where reference = $1", reference)
    await table.lose([reference])
    await vault.give_up(reference)
    hold(vault)
    for key, email, phone in (("phone", None, "+442079460034"), ("email", "new@example.org", None)):
        known = await pool.fetchrow(_NEWEST, reference)
        assert known
        assert ours(known["email"], reference) is None, "letters go nowhere"
        async with pool.acquire() as connection:
            await write_contact(
                connection, RecordContact(reference=reference, key=key, at=at, email=email, phone=phone)
            )
    last = await pool.fetchrow(_NEWEST, reference)
    assert last
    assert [ours(last[name], reference) for name in ("email", "phone")] == ["new@example.org", "+442079460034"]
    assert last["name"].startswith("[erased ")


_NEWEST: Final = "select name, email, phone from casefile.contacts where reference = $1 order by id desc limit 1"
