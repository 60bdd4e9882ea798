"""Whether something personal stands anywhere in the clear, in whatever way it may have been written down."""

import base64
import json
import mmap
import quopri
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

from domain.keys.places import SEALED, TRADE_LOG

if TYPE_CHECKING:
    from runtime.database import Pool


_TELLING: Final = 12


def forms(secret: str) -> set[bytes]:
    """How a text may be written down: in UTF-8, UTF-16 and GB 18030, escaped in JSON, in addresses of pages, in mail
    (quoted-printable) and in SQL (hexadecimal), and in base64 at any of three places.

    In base64 a few characters are too few to tell: their middle stands in much that is something else.
    """
    plain = secret.encode()
    shifted = {base64.b64encode(b"x" * n + plain)[4:-4] for n in range(3)}
    telling = {one for one in shifted if len(one) >= _TELLING}
    escaped = {json.dumps(secret)[1:-1].encode(), quote(secret).encode(), quote_plus(secret).encode()}
    coded = {secret.encode("utf-16-le"), secret.encode("gb18030"), quopri.encodestring(plain), plain.hex().encode()}
    return {plain, *escaped, *coded, *telling}


def leaks(folder: Path, secrets: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The files under *folder* with a secret in their content or their name, by their path in it."""
    looked_for = [(secret, form) for secret in secrets for form in sorted(forms(secret))]
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        yield from ((name, secret) for secret, form in looked_for if form in name.encode())
        if not path.is_file() or path.stat().st_size == 0:
            continue
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            yield from ((name, secret) for secret, form in looked_for if content.find(form) >= 0)


async def rows_with(pool: "Pool", secrets: Iterable[str]) -> list[tuple[str, str]]:
    """The tables beside the trade log with a secret in a row: in its files PostgreSQL compresses what is long."""
    looked_for = [(secret, form.decode()) for secret in secrets for form in forms(secret) if form.isascii()]
    looked_for += [(secret, secret) for secret in secrets]
    found = []
    for row in await pool.fetch(_TABLES, TRADE_LOG):
        told = await pool.fetchval(f"select string_agg(t::text, ' ') from {row['name']} t") or ""  # noqa: S608
        found += [(row["name"], secret) for secret, form in looked_for if form in told]
    return found


async def unsealed(pool: "Pool") -> list[str]:
    """The columns that the map says are sealed and of which some row is not.

    Left out is what may be readable throughout: timelines and actions have lines that are ours alone, and envelopes
    words of ours.
    """
    found = []
    for table, columns in SEALED.items():
        if table in ("casefile.timeline", "reporting.actions"):
            continue
        types = {row["name"]: row["type"] for row in await pool.fetch(_TYPES, *table.split("."))}
        for column in columns.split():
            if column == "envelope":
                continue
            plain = _PLAIN[types[column]].format(column=column)
            if await pool.fetchval(f"select exists (select from {table} where {plain})"):  # noqa: S608 (our own names)
                found.append(f"{table}.{column}")
    return found


_TABLES = """
    select format('%I.%I', schemaname, tablename) as name from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema', $1)
"""
_TYPES = """
    select column_name as name, data_type as type from information_schema.columns
    where table_schema = $1 and table_name = $2
"""
_PLAIN = {
    "text": "{column} not like 'sealed:2:%'",
    "jsonb": "{column}::text not like '%sealed:2:%' and {column} not in ('{{}}', '[]')",
    "bytea": "substring({column} for 9) <> 'sealed:2:'::bytea",
}
