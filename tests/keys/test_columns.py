"""Columns with personal data: sealed as a statement is sent, opened as its rows come back, gone once the key is."""

# ruff: noqa: S608 (the table is the one made here)

import pytest

from domain.keys.finding import words_of
from domain.keys.personal import Displaced, Opened, Row
from runtime.database import Pool
from runtime.keys.here import NoKeys, hold, keys_here
from runtime.keys.vault import Vault

NAME = "Jörg 王小明"
DATA = {"round": 2, "text": NAME, "deep": [{"a": NAME}], "amount": "1.50"}
TABLE = "casefile.for_a_test"


@pytest.fixture
async def table(pool: Pool) -> Pool:
    await pool.execute(f"create table {TABLE} (id integer, name text, data jsonb, findings jsonb, content bytea)")
    return pool


async def test_what_is_marked_is_ciphertext_in_the_table_and_itself_for_who_reads(table: Pool, keys: Vault) -> None:
    row = Row(TABLE, "RD-1", f"{NAME}:1:t1:")
    told = row("name", NAME), row("data", DATA, {"round"}), row("findings", [NAME])
    await table.executemany(f"insert into {TABLE} values ($1, $2, $3, $4, $5)", [(n, *told, None) for n in range(2)])
    file = row("content", b"\x89PNG" + NAME.encode())
    await table.execute(f"update {TABLE} set content = $1 where id = 1", file)

    first, second = await table.fetch(f"select * from {TABLE} order by id")
    assert dict(first) == {"id": 0, "name": NAME, "data": DATA, "findings": [NAME], "content": None}
    assert isinstance(first["name"], Opened)
    assert first["name"].scope == "RD-1"
    assert second["content"] == file.value
    assert (second[1], *second) == (NAME, 1, NAME, DATA, [NAME], file.value)
    assert await table.fetchval(f"select array_agg(name) from {TABLE}") == [NAME, NAME]
    together = f"select jsonb_agg(jsonb_build_object('data', data)) from {TABLE}"
    assert await table.fetchval(together) == [{"data": DATA}, {"data": DATA}]
    assert await table.fetchval(f"select (data ->> 'round')::integer from {TABLE} where id = 0") == 2
    assert await table.fetchval(f"select split_part(casefile.sealed_part(name), ':', 1) from {TABLE}") == "t1"

    hold(None)
    try:
        whole = await table.fetch(f"select for_a_test::text as row from {TABLE}")
        assert all(part not in one["row"].replace(row.name, "") for one in whole for part in ("Jörg", "deep", "1.50"))
        assert len({one["row"].split(",")[1] for one in whole}) == 2
        with pytest.raises(NoKeys, match="REDRESS_KEYRING"):
            await table.execute(f"insert into {TABLE} (name) values ($1)", row("name", NAME))
        await table.execute(f"insert into {TABLE} (name) values ($1)", row("name", None))
    finally:
        hold(keys)


async def test_what_strangers_write_is_never_taken_for_an_envelope(table: Pool, keys: Vault) -> None:
    row = Row(TABLE, "RD-2", "a")
    await table.execute(f"insert into {TABLE} values (0, $1)", row("name", NAME))
    hold(None)
    real = await table.fetchval(f"select name from {TABLE}")
    hold(keys)
    changed = [
        real.replace(":RD-2", ":RD-3"),
        real.replace(":1:a:", ":1:b:"),
        real.replace(":1:a:", ":0::"),
        real.replace(".name:", ".data:"),
        real.replace(f":{TABLE}.", ":casefile.contacts."),
    ]
    made_up = ("sealed:2:x:0::t1:AAAA:RD-2", "sealed:2:", "sealed:2:x:1:a:x9:é:RD-2", "sealed:2:x:é", "sealed:2:x:9:a")
    for given in (real, *changed, *made_up):
        await table.execute(f"update {TABLE} set name = $1", row("name", given))
        assert await table.fetchval(f"select name from {TABLE}") == given
    for given in (real, *made_up):  # in what stays readable as well
        for where in ({"round": given}, {"round": [{"a": given}]}, {"sealed": given}):
            await table.execute(f"update {TABLE} set data = $1", row("data", where, {"round"}))
            assert await table.fetchval(f"select data from {TABLE}") == where
            assert await table.fetchval(f"select casefile.sealed_for('{TABLE}.data', 'a', data) from {TABLE}")
    for given in (*changed, *made_up):
        assert given != real
        await table.execute(f"update {TABLE} set name = $1", given)
        assert await table.fetchval(f"select name from {TABLE}") == given


async def test_what_looks_sealed_is_written_with_a_blank_before_it_where_nothing_is(
    table: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the clear it would be refused, and a stranger's words would keep a case from being opened."""
    monkeypatch.setattr("runtime.keys.here._plain", [True])
    row, said = Row(TABLE, "RD-2", "a"), "sealed:2:x:0::t1:AAAA:RD-2"
    values = row("name", said), row("data", {"a": [said]}), row("findings", [said]), row("content", said.encode())
    keys = keys_here()
    hold(None)
    try:
        await table.execute(f"insert into {TABLE} values (0, $1, $2, $3, $4)", *values)
        found = await table.fetchrow(f"select name, data, findings, content from {TABLE}")
        assert found
        assert tuple(found) == (f" {said}", {"a": [f" {said}"]}, [f" {said}"], f" {said}".encode())
    finally:
        hold(keys)


async def test_what_is_read_as_another_column_does_not_open_and_says_where_it_is_from(table: Pool) -> None:
    """In the readable part of JSON as well, which nothing keeps a writer from filling."""
    row = Row(TABLE, "RD-3", "a")
    await table.execute(f"insert into {TABLE} values (0, $1, $2)", row("name", NAME), row("data", DATA, {"round"}))
    for moved in (
        "name as who",
        "data as findings",
        "jsonb_build_object('anything', name) as data",
        "jsonb_build_object('round', data) as data",
        "jsonb_build_object('sealed', name) as data",
        "name::bytea as content",
    ):
        found = await table.fetchval(f"select {moved} from {TABLE}")
        assert "[moved here from casefile.for_a_test." in str(found)
        assert not {part for part in (NAME, "1.50") if part in str(found)}
    assert isinstance(await table.fetchval(f"select name as who from {TABLE}"), Displaced)
    assert await table.fetchval(f"select name as whoever from {TABLE}") == NAME


async def test_what_was_erased_is_told_to_be_and_what_was_readable_stays(table: Pool, keys: Vault) -> None:
    row = Row(TABLE, "RD-4", "a")
    await table.execute(f"insert into {TABLE} values (0, $1, $2)", row("name", NAME), row("data", DATA, {"round"}))
    at = await keys.destroy(["RD-4"])
    erased = f"[erased {at:%Y-%m-%d}]"
    found = await table.fetchrow(f"select name, data from {TABLE}")
    assert found
    assert tuple(found) == (erased, {"round": 2, "erased": erased})


def test_a_name_is_found_by_its_words_and_a_chinese_one_by_any_two_characters_that_stand_together() -> None:
    assert words_of("Jörg O'Neill-王小明") == ["jörg", "o", "neill", "王小", "小明"]
    assert words_of("王") == ["王"]
