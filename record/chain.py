"""The chains of the case file, read for the verifier, and the checkpoints that say how far each was."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from record.chain_verifier import CHAIN, CHECKPOINTS, EXPORTED, RESTORES, STRAYS

if TYPE_CHECKING:
    from record.connection import Connection

MOST_HEADS: Final = 5_000
"""In one checkpoint; where more are new there are several."""
Sign = Callable[[Mapping[str, Any]], str]
"""Makes a signed token of what a checkpoint says."""


async def make_checkpoints(connection: "Connection", sign: Sign, at: datetime, *, though_nothing: bool = False) -> int:
    """Say in a signed checkpoint how far the chains are that grew since the last; returns how many were made.

    None is made while somebody else makes one, or where nothing is new, but *though_nothing*. *at* is when that is.
    """
    async with connection.transaction(isolation="repeatable_read"):
        if not await connection.fetchval(_ALONE):
            return 0
        last = await connection.fetchrow(_LAST)
        through = await connection.fetchval(_THROUGH)
        # Brought back into another server, where transactions are counted anew: all chains are said once more.
        since = 0 if last is None or int(last["through"]) > int(through) else int(last["through"])
        until = through if since else None
        heads = [list(row) for row in await connection.fetch(_NEW_HEADS, str(since), until)]
        if not heads and not (though_nothing and last):
            return 0
        number = last["number"] if last else 0
        previous = hashlib.sha256(last["token"].encode()).hexdigest() if last else ""
        pieces = [heads[start : start + MOST_HEADS] for start in range(0, len(heads), MOST_HEADS)] or [[]]
        for piece in pieces:
            number += 1
            said = {"number": number, "previous": previous, "at": at.isoformat(timespec="seconds"), "heads": piece}
            token = sign(said)
            await connection.execute(_ADD, number, previous, token, through)
            previous = hashlib.sha256(token.encode()).hexdigest()
        return len(pieces)


async def checkpoints_after(connection: "Connection", number: int) -> list[tuple[int, str]]:
    """The checkpoints after the one with that *number*: number and token, in order."""
    return [(row["number"], row["token"]) for row in await connection.fetch(_AFTER, number)]


async def erasures_after(connection: "Connection", last: int) -> list[tuple[int, str]]:
    """The proofs of the erasures whose rows come after the one with the id *last*: id and proof, in order."""
    return [(row["id"], row["token"]) for row in await connection.fetch(_ERASURES_AFTER, last)]


async def export(connection: "Connection", folder: Path) -> int:
    """Write what the verifier reads into *folder*; returns how many rows the chains have.

    All is as of one moment, so that who writes meanwhile raises no alarm. *connection* must give columns as they are
    stored, sealed ones too.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(_AS_STORED)
        at = (await connection.fetchval("select statement_timestamp()")).astimezone(UTC)
        said = json.dumps({"at": at.isoformat(timespec="seconds")})
        (folder / EXPORTED).write_text(said, encoding="utf-8")
        stored = await _stored(connection)
        rows = await _write(folder / CHAIN, _records(connection, _CHAIN.format(stored=stored)))
        await _write(folder / STRAYS, _records(connection, _STRAYS.format(stored=stored)))
        await _write(folder / RESTORES, _records(connection, _RESTORES))
        with (folder / CHECKPOINTS).open("w", encoding="utf-8") as file:
            async for row in connection.cursor("select token from casefile.chain_checkpoints order by number"):
                file.write(f"{row['token']}\n")
    return rows


async def _stored(connection: "Connection") -> str:
    """The query for all rows that are chained, as they are stored now."""
    places = await connection.fetch("select place, casefile.rows_of(place) as query from casefile.chained")
    one = "select '{place}' as place, reference, key, content from ({query}) as rows"
    return " union all ".join(one.format(**row) for row in places)


async def _records(connection: "Connection", query: str) -> AsyncIterator[Mapping[str, Any]]:
    async for row in connection.cursor(query, prefetch=1_000):
        yield dict(row)


async def _write(path: Path, rows: AsyncIterator[Mapping[str, Any]]) -> int:
    written = 0
    with path.open("w", encoding="utf-8") as file:
        async for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            written += 1
    return written


_AS_STORED: Final = "set local timezone = 'UTC'; set local intervalstyle = 'iso_8601'"
_ALONE: Final = "select pg_try_advisory_xact_lock(1668047214, 0)"
_LAST: Final = """
    select number, token, through::text as through from casefile.chain_checkpoints order by number desc limit 1
"""
_THROUGH: Final = "select pg_snapshot_xmin(pg_current_snapshot())::text"
_NEW_HEADS: Final = """
    select distinct on (reference) reference, number, encode(digest, 'hex') from casefile.chain
    where tx >= $1::text::xid8 and ($2::text is null or tx < $2::text::xid8) order by reference, number desc
"""
_ADD: Final = """
    insert into casefile.chain_checkpoints (number, previous, token, through) values ($1, $2, $3, $4::text::xid8)
"""
_AFTER: Final = "select number, token from casefile.chain_checkpoints where number > $1 order by number"
_ERASURES_AFTER: Final = """
    select id, token from casefile.erasures where step = 'erased' and token is not null and id > $1 order by id
"""
_CHAIN: Final = """
    select chain.reference, number, place, key, encode(chain.content, 'hex') as content,
        encode(previous, 'hex') as previous, encode(digest, 'hex') as digest, stored.content as stored
    from casefile.chain left join ({stored}) as stored using (place, key, reference)
    order by chain.reference, number
"""
_STRAYS: Final = """
    select reference, place, key from ({stored}) as stored
    where not exists (select from casefile.chain as c
        where (c.place, c.key, c.reference) = (stored.place, stored.key, stored.reference))
    order by reference, place, key
"""
_RESTORES: Final = """
    select to_char(since at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"') as since,
        to_char(until at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"') as until, reason, declared_by,
        store, message_id, token
    from casefile.restores where store = 'postgresql' order by id
"""
