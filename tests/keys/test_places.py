"""Every column that holds text has a place in the map of personal data."""

import re
from itertools import chain
from uuid import uuid4

import asyncpg
import pytest

from domain.keys.personal import Row, ours
from domain.keys.places import KEYED, READABLE, SEALED, TAKEN_OVER, TRADE_LOG, WHY_READABLE
from domain.keys.scopes import scope_of_customer
from runtime.database import Pool, open_pool
from runtime.keys.here import hold
from runtime.keys.vault import Vault
from runtime.roles import WRITER
from tests.case.support import keeping, opened

_COLUMNS = """
    select table_schema || '.' || table_name || '.' || column_name as place
    from information_schema.columns join information_schema.tables using (table_schema, table_name)
    where table_type = 'BASE TABLE'
        and (udt_name in ('text', 'jsonb', 'json', 'bytea', 'varchar', 'bpchar', 'xml', 'tsvector', '_int8')
            or udt_name in ('_text', '_jsonb', '_bytea', '_varchar'))
        and table_schema not in ('pg_catalog', 'information_schema', 'keys', 'public', $1)
"""


async def test_every_column_that_holds_text_has_one_place_in_the_map(pool: Pool) -> None:
    there = {row["place"] for row in await pool.fetch(_COLUMNS, TRADE_LOG)}
    named = [
        f"{table}.{column}"
        for table, columns in chain(SEALED.items(), KEYED.items(), READABLE.items())
        for column in columns.split()
    ]
    assert there - set(named) == set(), "is it personal? seal it, and name it in domain/keys/places.py"
    assert set(named) - there == set(), "domain/keys/places.py names columns that there are not"
    assert len(named) == len(set(named))


_SEALED_FOR = """
    select conrelid::regclass::text as name, pg_get_constraintdef(oid) as rule
    from pg_constraint where conname = 'sealed_for'
"""


async def test_every_sealed_column_takes_only_what_was_sealed_for_it(pool: Pool) -> None:
    rules = {row["name"]: row["rule"] for row in await pool.fetch(_SEALED_FOR)}
    assert set(rules) == set(SEALED)
    for table, columns in SEALED.items():
        for column in columns.split():
            sealed_as = TAKEN_OVER.get(column, column)
            takes = rf"sealed_for\('{table}.{sealed_as}'::text, .*?, {column}\)"
            assert re.search(takes, rules[table].replace('"', "")), column


async def test_a_writer_moves_nothing_sealed_to_another_column_or_row(database_url: str, keys: Vault) -> None:
    """Of the same case, of another, and in a list; nor is it read where the place in its name was changed."""
    as_writer = database_url.replace("postgres@", f"{WRITER}@")
    pool = await open_pool(as_writer, max_size=2)
    case, other = [await opened(keeping(pool), f"{uuid4()}") for _ in range(2)]
    hold(None)
    taken = await pool.fetchrow("select * from casefile.contacts where reference = $1", case)
    complaint = await pool.fetchval("select complaint from casefile.cases where reference = $1", case)
    contact = "insert into casefile.contacts (reference, at, key, name, email) values ($1, now(), $2, $3, $4)"
    entry = (
        "insert into casefile.timeline (reference, key, at, kind, actor, text, data)"
        " values ($1, $2, now(), 'customer_reply', 'customer:c', $3, $4)"
    )
    assert taken
    try:
        for statement, *values in (
            (contact, case, "z", taken["name"], taken["email"]),  # an address that was given up would come back
            (contact, other, "a", taken["name"], None),
            (contact, case, "b", "A", taken["name"]),
            (contact, case, "c", taken["email"], None),
            (entry, case, "d", taken["name"], {}),
            (entry, case, "e", "He said so.", {"sealed": complaint["sealed"]}),
            (entry, case, "f", "He said so.", [{"sealed": complaint["sealed"]}]),
            (entry, case, "g", "He said so.", complaint["sealed"]),
            (entry, case, "h", "He said so.", {"text": taken["name"]}),
            (entry, case, "i", "He said so.", {"sealed": {"text": taken["name"]}}),
            (entry, case, "j", "He said so.", [[{"text": taken["name"]}]]),
            ("insert into casefile.checkpoints (reference, revision, state) values ($1, 0, $2)", other, complaint),
            ("insert into web.drafts values ('x', 'y', $1, now())", taken["name"].encode()),
        ):
            with pytest.raises(asyncpg.CheckViolationError, match="sealed_for"):
                await pool.execute(statement, *values)
        renamed = taken["name"].replace(f":{len(taken['key'])}:{taken['key']}:", ":1:h:")
        for key, name in (("h", renamed), ("i", renamed.replace(":h:", ":i:").replace(f":{case}", f":{other}"))):
            await pool.execute(contact, other, key, name, None)
        hold(keys)
        for key in ("h", "i"):
            read = await pool.fetchval("select name from casefile.contacts where key = $1", key)
            assert read.startswith("sealed:2:casefile.contacts.name:")
            assert ours(read, other) is None
    finally:
        hold(keys)
        await pool.close()


def test_every_readable_column_has_one_reason() -> None:
    reasons = [name for names in WHY_READABLE.values() for name in names.split()]
    assert len(reasons) == len(set(reasons))
    assert {name for columns in READABLE.values() for name in columns.split()} - set(reasons) == set()


COPIED = """
    insert into casefile.customers (account, language, name, email, phone)
    select account, 'en', {} from casefile.customers order by id limit 1
"""


@pytest.mark.parametrize("copied", ["name", "email", "phone"])
async def test_what_an_earlier_import_said_of_a_customer_is_not_written_again_as_the_newest(
    database_url: str, keys: Vault, copied: str
) -> None:
    """Nor is a part of it; whoever has the keys says it again, and it is sealed anew."""
    pool = await open_pool(database_url.replace("postgres@", f"{WRITER}@"), max_size=2)
    of = Row("casefile.customers", scope_of_customer("70012345"), "70012345")
    async with pool:
        for name, email, phone in (("Old", "old@example.com", "+41 1"), ("New", "new@example.com", "+41 2")) * 2:
            sealed = (of("name", name), of("email", email), of("phone", phone))
            await pool.execute(
                "insert into casefile.customers (account, language, name, email, phone)"
                " values ('70012345', 'en', $1, $2, $3)",
                *sealed,
            )
        columns = ", ".join(one if one == copied else "'J'" for one in ("name", "email", "phone"))
        with pytest.raises(asyncpg.UniqueViolationError):
            await pool.execute(COPIED.format(columns))


async def test_what_was_sealed_and_is_spelled_in_another_way_is_not_opened(pool: Pool, keys: Vault) -> None:
    """The database would take it for another, and so twice."""
    of, read = Row("casefile.customers", scope_of_customer("70012345"), "70012345"), "select $1::text as name"
    spelled: set[str] = set()
    for text in ("a", "ab", "abc"):  # one of them ends within a byte
        await pool.execute(
            "insert into casefile.customers (account, language, name) values ('70012345', 'en', $1)", of("name", text)
        )
        stored = await pool.fetchval("select '=' || name from casefile.customers order by id desc limit 1")
        *head, version, envelope, scope = stored[1:].split(":", 7)
        assert await pool.fetchval(read, stored[1:]) == text
        bare = envelope.rstrip("=")
        others = [f"{version[0]}0{version[1:]}:{envelope}", f"{version[0]}+{version[1:]}:{envelope}"]
        if bare != envelope:
            others.append(f"{version}:{bare[:-1]}{chr(ord(bare[-1]) + 1)}{envelope[len(bare) :]}")
        spelled |= {":".join([*head, one, scope]) for one in others}
    assert len(spelled) > 6
    for one in spelled:
        assert await pool.fetchval(read, one) == one
