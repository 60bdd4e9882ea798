"""Columns with personal data: sealed as a statement is sent, opened as its rows come back, gone once the key is."""

import pytest

from domain.keys.finding import words_of
from domain.keys.personal import Personal
from runtime.database import Pool
from runtime.keys.here import NoKeys, hold
from runtime.keys.vault import Vault

NAME = "Jörg 王小明"
DATA = {"round": 2, "text": NAME, "deep": [{"a": NAME}], "amount": "1.50"}


@pytest.fixture
async def table(pool: Pool) -> Pool:
    await pool.execute("create table casefile.for_a_test (id integer, name text, data jsonb, list jsonb, file bytea)")
    return pool


async def test_what_is_marked_is_ciphertext_in_the_table_and_itself_for_who_reads(table: Pool, keys: Vault) -> None:
    rows = [
        (n, Personal("RD-1", NAME), Personal("RD-1", DATA, {"round"}), Personal("RD-1", [NAME]), None) for n in range(2)
    ]
    await table.executemany("insert into casefile.for_a_test values ($1, $2, $3, $4, $5)", rows)
    file = Personal("RD-1", b"\x89PNG" + NAME.encode())
    await table.execute("update casefile.for_a_test set file = $1 where id = 1", file)

    first, second = await table.fetch("select * from casefile.for_a_test order by id")
    assert dict(first) == {"id": 0, "name": NAME, "data": DATA, "list": [NAME], "file": None}
    assert second["file"] == file.value
    assert (second[1], *second) == (NAME, 1, NAME, DATA, [NAME], file.value)
    assert await table.fetchval("select array_agg(name) from casefile.for_a_test") == [NAME, NAME]
    assert await table.fetchval("select jsonb_agg(jsonb_build_object('d', data)) from casefile.for_a_test") == [
        {"d": DATA},
        {"d": DATA},
    ]
    assert await table.fetchval("select (data ->> 'round')::integer from casefile.for_a_test where id = 0") == 2

    hold(None)
    try:
        told = await table.fetch("select for_a_test::text as row from casefile.for_a_test")
        assert all(part not in row["row"] for row in told for part in ("Jörg", "王小明", "deep", "1.50"))
        assert len({row["row"].split(",")[1] for row in told}) == 2
        with pytest.raises(NoKeys, match="REDRESS_KEYRING"):
            await table.execute("insert into casefile.for_a_test (name) values ($1)", Personal("RD-1", NAME))
        await table.execute("insert into casefile.for_a_test (name) values ($1)", Personal("RD-1", None))
    finally:
        hold(keys)


async def test_what_strangers_write_is_never_taken_for_an_envelope(table: Pool, keys: Vault) -> None:
    await table.execute("insert into casefile.for_a_test values (0, $1)", Personal("RD-2", NAME))
    hold(None)
    real = await table.fetchval("select name from casefile.for_a_test")
    hold(keys)
    moved = real.replace(":RD-2", ":RD-3")
    for given in (real, moved, "sealed:1:t1:AAAA:RD-2", "sealed:1:", "sealed:1:x9:é:RD-2"):
        await table.execute("update casefile.for_a_test set name = $1", Personal("RD-2", given))
        assert await table.fetchval("select name from casefile.for_a_test") == given
    for given in (moved, "sealed:1:t1:AAAA:RD-2", "sealed:1:", "sealed:1:x9:é:RD-2"):
        await table.execute("update casefile.for_a_test set name = $1", given)
        assert await table.fetchval("select name from casefile.for_a_test") == given


async def test_what_was_erased_is_told_to_be_and_what_was_readable_stays(table: Pool, keys: Vault) -> None:
    row = (Personal("RD-4", NAME), Personal("RD-4", DATA, {"round"}))
    await table.execute("insert into casefile.for_a_test values (0, $1, $2)", *row)
    at = await keys.destroy(["RD-4"])
    erased = f"[erased {at:%Y-%m-%d}]"
    found = await table.fetchrow("select name, data from casefile.for_a_test")
    assert found
    assert tuple(found) == (erased, {"round": 2, "erased": erased})


def test_a_name_is_found_by_its_words_and_a_chinese_one_by_any_two_characters_that_stand_together() -> None:
    assert words_of("Jörg O'Neill-王小明") == ["jörg", "o", "neill", "王小", "小明"]
    assert words_of("王") == ["王"]
