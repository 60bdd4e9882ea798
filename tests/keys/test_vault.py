"""Keys are random, one a scope, found again by others, rotated while in use, and gone once they are destroyed."""

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from runtime.database import migrate
from runtime.keys.envelope import Key
from runtime.keys.here import hold, keys_here
from runtime.keys.keyring import FileKeyring, KeysUnavailable
from runtime.keys.store import KeyStore
from runtime.keys.vault import KEPT_FOR, Erased, KeyDestroyed, KeyUnknown, Vault
from runtime.paths import KEY_MIGRATIONS
from runtime.settings import ConfigurationError


class House:
    """A keyring, a table, and as many processes as are asked for."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.file = folder / "keyring.json"
        self.seconds = 0.0
        FileKeyring.create(self.file)

    def process(self, **options: Any) -> Vault:
        return Vault(KeyStore(lambda: self.url), FileKeyring(self.file), clock=lambda: self.seconds, **options)

    async def rows(self, query: str) -> list[Any]:
        connection = await asyncpg.connect(self.url)
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()


@pytest.fixture
async def house(empty_database_url: str, tmp_path: Path) -> House:
    await migrate(empty_database_url, folder=KEY_MIGRATIONS)
    return House(empty_database_url, tmp_path)


async def test_each_scope_has_a_random_key_that_all_processes_share_and_the_table_has_it_wrapped(house: House) -> None:
    vaults = [house.process() for _ in range(3)]
    keys = await asyncio.gather(*(vault.for_writing(f"RD-{n % 2}") for n in range(20) for vault in vaults))
    assert len(keys) == 60
    assert len({key.secret for key in keys}) == 2
    assert {key.version for key in keys} == {1}
    [(kek,)] = await house.rows("select distinct kek from keys.keys")
    assert kek == json.loads(house.file.read_text())["current"]
    stored = [row[0] for row in await house.rows("select wrapped from keys.keys")]
    assert len(stored) == 2
    assert not any(key.secret in row for key in keys for row in stored)
    assert stat.S_IMODE(house.file.stat().st_mode) == 0o600

    found = await house.process().for_reading([("RD-0", 1), ("RD-1", 1)])
    assert {one.secret for one in found.values() if isinstance(one, Key)} == {key.secret for key in keys}
    assert await vaults[0].lookup("email", "a@example.org") == await house.process().lookup("email", "a@example.org")
    assert await vaults[0].lookup("email", "a@example.org") != await vaults[0].lookup("name", "a@example.org")


async def test_a_client_that_starts_two_hundred_cases_at_once_leaves_connections_for_others(house: House) -> None:
    vault, most = house.process(), 0
    making = asyncio.gather(*(vault.for_writing(f"RD-{number}") for number in range(200)))
    while not making.done():
        [(now,)] = await house.rows("select count(*) from pg_stat_activity where application_name = 'redress keys'")
        most = max(most, now)
    assert len({key.secret for key in await making}) == 200
    assert 0 < most <= 2 * 3, "PostgreSQL has one that was closed for a moment longer"


async def test_a_destroyed_key_is_of_no_use_within_a_minute_anywhere_and_none_is_made_again(house: House) -> None:
    here, there = house.process(), house.process()
    await here.for_writing("RD-1")
    await there.for_writing("RD-1")
    at = await here.destroy(["RD-1", "customer:7"])
    assert await here.destroy(["RD-1"]) >= at

    house.seconds = KEPT_FOR + 0.1
    for vault in (here, there, house.process()):
        for scope in ("RD-1", "customer:7"):
            with pytest.raises(KeyDestroyed, match=f"{scope} was erased on {at:%Y-%m-%d}"):
                await vault.for_writing(scope)
            with pytest.raises(KeyDestroyed):
                await vault.rotate(scope)
        assert await vault.for_reading([("RD-1", 1)]) == {("RD-1", 1): Erased("RD-1", 1, at)}
    assert await house.rows("select count(*) from keys.keys where wrapped is not null and scope = 'RD-1'") == [(0,)]
    for change in ("delete from keys.keys", "update keys.keys set kek = 'k', wrapped = '', destroyed_at = null"):
        with pytest.raises(asyncpg.RestrictViolationError):
            await house.rows(change)


async def test_who_holds_the_keys_proves_an_erasure_and_nobody_else(house: House, tmp_path: Path) -> None:
    scopes = ["customer:7", "RD-1"]
    proof = await house.process().attest("ER-1", scopes)
    assert not any(scope in proof for scope in scopes)
    assert await house.process().attested(proof) == ("ER-1", sorted(scopes))
    name, _, envelope = proof.partition(":")
    for forged in (f"ER-2:{envelope}", f"{name}:{envelope[:-8]}", f"{name}:", name, f"{name}:AAAA", f"{name}:§"):
        assert await house.process().attested(forged) is None


async def test_what_was_erased_stays_written_down_beside_the_keys(house: House) -> None:
    at = await house.process().destroy(["RD-1"], "ER-1")
    connection = await asyncpg.connect(house.url)
    try:
        for statement in (
            "delete from keys.erasures",
            "update keys.erasures set scopes = '{}'",
            "update keys.erasures set erased_at = now()",
            "truncate keys.erasures",
        ):
            with pytest.raises(asyncpg.RestrictViolationError, match="what was erased stays erased"):
                await connection.execute(statement)
    finally:
        await connection.close()
    vault = house.process()
    assert await vault.destroy(["RD-1"], "ER-1") == at
    assert await vault.store.erasures() == {"ER-1": (at, ["RD-1"])}


async def test_a_lost_key_and_a_table_that_is_away_are_waited_for(house: House) -> None:
    vault = house.process()
    with pytest.raises(KeyUnknown, match="no key 1 of RD-1; bring it back"):
        await vault.for_reading([("RD-1", 1)])
    at = await vault.destroy(["RD-3"])  # an older table has no more of it than this
    assert await vault.for_reading([("RD-3", 2)]) == {("RD-3", 2): Erased("RD-3", 2, at)}
    url, house.url = house.url, "postgresql://nobody@127.0.0.1:9/nothing"
    with pytest.raises(KeysUnavailable):
        await house.process().for_writing("RD-2")
    house.url = url
    with pytest.raises(KeyUnknown):  # who could not read with it makes no other in its place
        await vault.for_writing("RD-1")
    made = await house.process().for_writing("RD-1")
    ring = house.file.read_text()
    house.file.unlink()
    with pytest.raises(KeysUnavailable, match=r"keyring .* cannot be read"):
        await house.process().for_writing("RD-1")
    house.file.write_text(ring.replace('"keys"', '"kees"'))
    with pytest.raises(KeysUnavailable, match="is no keyring") as told:
        await house.process().for_writing("RD-1")
    assert not any(key in str(told.value) for key in json.loads(ring)["keys"].values())
    house.file.write_text(ring)
    assert await house.process().for_writing("RD-1") == made


async def test_the_key_encryption_key_rotates_in_two_phases_while_processes_run(house: House) -> None:
    older, newer = house.process(), house.process()
    before = {scope: (await older.for_writing(scope)).secret for scope in ("RD-1", "RD-2", "RD-3")}
    ring = FileKeyring(house.file)
    old, new = await ring.current(), ring.add()
    assert (await older.for_writing("RD-4")).version == 1
    ring.use(new)
    with pytest.raises(ConfigurationError, match="is the current key"):
        ring.remove(new)
    await newer.for_writing("RD-5")
    assert await newer.store.by_kek() == {old: 4, new: 1}
    [broken_off] = await newer.store.wrapped_by_others(new, ("", 0), 1)
    assert await newer.store.wrap_anew([(broken_off, await newer._wrapped_anew(broken_off))]) == 1
    assert await newer.rewrap(batch=2) == 3
    assert await newer.rewrap() == 0
    assert await newer.store.by_kek() == {new: 5}
    ring.remove(old)
    house.seconds = KEPT_FOR + 0.1
    for vault in (older, newer):
        assert {scope: (await vault.for_writing(scope)).secret for scope in before} == before


async def test_a_key_that_does_not_open_keeps_no_other_from_being_wrapped_anew(house: House) -> None:
    vault = house.process()
    for number in range(6):
        await vault.for_writing(f"RD-{number}")
    await house.rows("update keys.keys set wrapped = wrapped || 'x' where scope in ('RD-1', 'RD-2')")
    ring = FileKeyring(house.file)
    old, new = await ring.current(), ring.add()
    ring.use(new)
    with pytest.raises(KeysUnavailable, match=r"4 keys were wrapped anew, .* 2 not: the key of 1:RD-1 cannot be"):
        await vault.rewrap(batch=4)
    assert await vault.store.by_kek() == {old: 2, new: 4}
    with pytest.raises(KeysUnavailable, match="0 keys"):  # a whole batch: nothing opens, a vault that is away perhaps
        await vault.rewrap(batch=1)


async def test_keys_are_wrapped_anew_beside_an_erasure_that_is_under_way(house: House) -> None:
    vault = house.process()
    await vault.all_for_writing([f"customer:{number}" for number in range(20)])
    ring = FileKeyring(house.file)
    old, new = await ring.current(), ring.add()
    ring.use(new)
    erasing = await asyncpg.connect(house.url)
    try:
        async with erasing.transaction():
            await erasing.execute("select from keys.keys where scope = 'customer:7' for update")
            assert await vault.rewrap(batch=5) == 19, "it waits for nobody while others may wait for it"
        assert await vault.store.by_kek() == {old: 1, new: 19}
        await vault.destroy(["customer:7"], "E-1")
        assert await vault.store.by_kek() == {new: 19}
    finally:
        await erasing.close()


async def test_a_case_goes_on_under_another_key_and_what_was_sealed_before_opens(house: House) -> None:
    vault = house.process()
    first = await vault.for_writing("RD-1")
    assert await vault.rotate("RD-1") == 2
    second = await vault.for_writing("RD-1")
    assert (second.version, second.secret != first.secret) == (2, True)
    assert await vault.for_reading([("RD-1", 1), ("RD-1", 2)]) == {("RD-1", 1): first, ("RD-1", 2): second}


async def test_a_process_keeps_only_so_many_opened_keys(house: House) -> None:
    vault = house.process(kept=3)
    secrets = [(await vault.for_writing(f"RD-{n}")).secret for n in range(8)]
    assert len(vault._opened) == len(vault._newest) == 3
    assert [(await vault.for_writing(f"RD-{n}")).secret for n in range(8)] == secrets


async def test_the_command_line_rotates_the_key_encryption_key(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from starter.cli.program import main

    monkeypatch.setenv("REDRESS_KEYRING", str(house.file))
    monkeypatch.setenv("REDRESS_KEYS_DATABASE_URL", house.url)
    held = keys_here()
    await house.process().for_writing("RD-1")

    async def redress(*arguments: str) -> Any:
        code = await asyncio.to_thread(main, ["keys", *arguments, "--json"])
        told = capsys.readouterr()
        return json.loads(told.out) if code == 0 else told.err

    try:
        old = (await redress("status"))["current"]
        house.file.chmod(0o640)
        new = (await redress("add"))["added"]
        assert stat.S_IMODE(house.file.stat().st_mode) == 0o640, "who could read it still can"
        assert (await redress("status"))["wrapped"] == {old: 1, new: 0}
        await redress("use", new)
        assert f"{old} wraps 1 keys" in await redress("remove", old)
        assert await redress("rewrap") == {"wrapped": 1, "left": 0}
        assert await redress("remove", old) == {"removed": old}
        assert await redress("status") == {"current": new, "wrapped": {new: 1}, "erased": 0}
        assert "exists already" in await redress("create", str(house.file))
    finally:
        hold(held)
