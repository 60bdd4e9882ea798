"""Every column that holds text has a place in the map of personal data."""

import re
from itertools import chain
from uuid import uuid4

import asyncpg
import pytest

from domain.keys.personal import ours
from domain.keys.places import KEYED, READABLE, SEALED, TAKEN_OVER, TRADE_LOG, WHY_READABLE
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
