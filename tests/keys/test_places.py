"""Every column that holds text has a place in the map of personal data."""

from itertools import chain

from domain.keys.places import KEYED, READABLE, SEALED, TRADE_LOG, WHY_READABLE
from runtime.database import Pool

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


def test_every_readable_column_has_one_reason() -> None:
    reasons = [name for names in WHY_READABLE.values() for name in names.split()]
    assert len(reasons) == len(set(reasons))
    assert {name for columns in READABLE.values() for name in columns.split()} - set(reasons) == set()
