"""The table of keys in PostgreSQL: made, read, wrapped anew, destroyed. Nothing here is kept in memory."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from runtime.keys.connections import Connection, Connections
from runtime.keys.keyring import KeysUnavailable, Wrapped


@dataclass(frozen=True)
class Row:
    """A key as it is stored; without *wrapped* it was destroyed."""

    scope: str
    version: int
    wrapped: Wrapped | None
    destroyed_at: datetime | None


class KeyStore:
    """The table ``keys.keys`` at the address that *url* gives, each time it is connected to.

    Each method raises `KeysUnavailable` if the table cannot be reached.
    """

    def __init__(self, url: Callable[[], str]) -> None:
        self._connections = Connections(url, "the table of keys")

    async def keep_open(self) -> None:
        """As `Connections.keep_open`."""
        await self._connections.keep_open()

    async def newest(self, scope: str) -> Row | None:
        """The key for new writes of a scope."""
        async with self._connection() as connection:
            found = await connection.fetchrow(_NEWEST, scope)
        return _row(found) if found else None

    async def newest_of(self, scopes: Collection[str]) -> list[Row]:
        """The keys for new writes of these scopes, as many as there are."""
        async with self._connection() as connection:
            return [_row(found) for found in await connection.fetch(_NEWEST_OF, list(scopes))]

    async def add_all(self, first: Sequence[tuple[str, Wrapped]]) -> list[Row]:
        """Add the first key of each of these scopes, unless it has one, and say which there are."""
        scopes = [scope for scope, _ in first]
        async with self._connection() as connection, connection.transaction():
            wrapped = [one.by for _, one in first], [one.data for _, one in first]
            await connection.execute(_ADD_ALL, scopes, *wrapped)
            return [_row(found) for found in await connection.fetch(_NEWEST_OF, scopes)]

    async def find(self, wanted: Collection[tuple[str, int]]) -> list[Row]:
        """The keys of these scopes and versions, as many as there are."""
        scopes, versions = [scope for scope, _ in wanted], [version for _, version in wanted]
        async with self._connection() as connection:
            return [_row(found) for found in await connection.fetch(_FIND, scopes, versions)]

    async def add(self, scope: str, version: int, wrapped: Wrapped) -> Row:
        """Add a key, unless there is one of this version, and say which there is."""
        async with self._connection() as connection:
            found = await connection.fetchrow(_ADD, scope, version, wrapped.by, wrapped.data)
            # What somebody else has added at the same moment, the statement that waited for them does not see.
            found = found or await connection.fetchrow(_FIND_ONE, scope, version)
        assert found  # noqa: S101 (no row ever goes)
        return _row(found)

    async def wrapped_by_others(self, kek: str, after: tuple[str, int], limit: int) -> list[Row]:
        """Keys that another key-encryption key than *kek* wraps, in order, after that scope and version."""
        async with self._connection() as connection:
            return [_row(found) for found in await connection.fetch(_BY_OTHERS, kek, *after, limit)]

    async def wrap_anew(self, rows: Sequence[tuple[Row, Wrapped]]) -> int:
        """Store keys wrapped anew, and say how many; not those destroyed, or in somebody else's hands, meanwhile."""
        columns = [
            (row.scope, row.version, new.by, new.data, row.wrapped.by, row.wrapped.data)
            for row, new in rows
            if row.wrapped
        ]
        async with self._connection() as connection:
            return len(await connection.fetch(_WRAP_ANEW, *map(list, zip(*columns, strict=True)))) if columns else 0

    async def destroy(self, scopes: Collection[str], erasure: str | None = None) -> datetime:
        """Destroy all keys of these scopes, for good, and say when. Those that were destroyed before stay as they are.

        A scope that never had a key has a destroyed one afterwards, so that none is made for it. The *erasure* that
        does it is written down with its scopes, in the same transaction.
        """
        async with self._connection() as connection, connection.transaction():
            at: datetime = await connection.fetchval(_DESTROY, list(scopes))
            if erasure:  # repeated, it happened when it happened first
                await connection.execute(_LOG, erasure, sorted(scopes), at)
                at = await connection.fetchval(_ERASED_AT, erasure)
        return at

    async def give_up(self, scope: str, newest: int, wrapped: Wrapped) -> None:
        """Add key *newest* of a scope; those before it that are not there are destroyed from now on."""
        async with self._connection() as connection, connection.transaction():
            await connection.execute(_LOST, scope, newest)
            await connection.execute(_ADD, scope, newest, wrapped.by, wrapped.data)

    async def erasures(self) -> dict[str, tuple[datetime, list[str]]]:
        """The erasures that were written down here: when, and of which scopes."""
        async with self._connection() as connection:
            rows = await connection.fetch(_ERASURES)
        return {row["erasure"]: (row["erased_at"], row["scopes"]) for row in rows}

    async def in_use(self, prefix: str) -> list[str]:
        """The scopes that begin so and have a key that was not destroyed."""
        async with self._connection() as connection:
            return [row["scope"] for row in await connection.fetch(_IN_USE, prefix)]

    async def by_kek(self) -> dict[str, int]:
        """How many keys each key-encryption key wraps."""
        async with self._connection() as connection:
            return {found["kek"]: found["keys"] for found in await connection.fetch(_BY_KEK)}

    async def destroyed(self) -> int:
        """How many scopes were erased."""
        async with self._connection() as connection:
            return int(await connection.fetchval(_DESTROYED))

    async def close(self) -> None:
        """Close the connections of this event loop."""
        await self._connections.close()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        async with self._connections.one() as connection:
            try:
                yield connection
            except asyncpg.UndefinedTableError:
                raise KeysUnavailable("the database has no table of keys; `redress migrate` makes it") from None


def _row(found: asyncpg.Record) -> Row:
    wrapped = Wrapped(found["kek"], found["wrapped"]) if found["wrapped"] is not None else None
    return Row(found["scope"], found["version"], wrapped, found["destroyed_at"])


_NEWEST: Final = """
    select scope, version, kek, wrapped, destroyed_at from keys.keys where scope = $1 order by version desc limit 1
"""
_NEWEST_OF: Final = """
    select distinct on (scope) scope, version, kek, wrapped, destroyed_at
    from keys.keys where scope = any($1::text[]) order by scope, version desc
"""
_ADD_ALL: Final = """
    insert into keys.keys (scope, version, kek, wrapped)
    select scope, 1, kek, wrapped from unnest($1::text[], $2::text[], $3::bytea[]) as first (scope, kek, wrapped)
    order by scope on conflict do nothing
"""
_FIND: Final = """
    select scope, version, kek, wrapped, destroyed_at
    from unnest($1::text[], $2::integer[]) as wanted (scope, version) join keys.keys using (scope, version)
"""
_FIND_ONE: Final = """
    select scope, version, kek, wrapped, destroyed_at from keys.keys where (scope, version) = ($1, $2)
"""
_ADD: Final = """
    with added as (
        insert into keys.keys (scope, version, kek, wrapped) values ($1, $2, $3, $4) on conflict do nothing
        returning scope, version, kek, wrapped, destroyed_at
    )
    select * from added
    union all
    select scope, version, kek, wrapped, destroyed_at from keys.keys where (scope, version) = ($1, $2)
"""
_BY_OTHERS: Final = """
    select scope, version, kek, wrapped, destroyed_at from keys.keys
    where wrapped is not null and kek <> $1 and (scope, version) > ($2, $3) order by scope, version limit $4
"""
# It waits for nobody while it has rows of its own: an erasure that destroys several of them at once would wait for it.
_WRAP_ANEW: Final = """
    with anew as (
        select * from unnest($1::text[], $2::integer[], $3::text[], $4::bytea[], $5::text[], $6::bytea[])
            as anew (scope, version, new_kek, new_wrapped, kek, wrapped)
    ), free as (
        select scope, version, new_kek, new_wrapped from keys.keys join anew using (scope, version, kek, wrapped)
        for update of keys skip locked
    )
    update keys.keys set kek = new_kek, wrapped = new_wrapped
    from free where (keys.scope, keys.version) = (free.scope, free.version) returning true
"""
_DESTROY: Final = """
    with destroyed as (
        update keys.keys set kek = null, wrapped = null, destroyed_at = now()
        where scope = any ($1::text[]) and wrapped is not null returning true
    ), never_made as (
        insert into keys.keys (scope, version, destroyed_at) select scope, 1, now() from unnest($1::text[]) as scope
        on conflict do nothing
    )
    select now()
"""
_LOST: Final = """
    insert into keys.keys (scope, version, destroyed_at)
    select $1, version, now() from generate_series(1, $2::integer - 1) as version on conflict do nothing
"""
_LOG: Final = """
    insert into keys.erasures (erasure, scopes, erased_at) values ($1, $2, $3) on conflict (erasure) do nothing
"""
_ERASED_AT: Final = "select erased_at from keys.erasures where erasure = $1"
_ERASURES: Final = "select erasure, scopes, erased_at from keys.erasures order by erased_at, erasure"
_IN_USE: Final = """
    select distinct scope from keys.keys where starts_with(scope, $1) and wrapped is not null order by scope
"""
_BY_KEK: Final = """
    select kek, count(*) as keys from keys.keys where wrapped is not null group by kek order by kek
"""
_DESTROYED: Final = "select count(distinct scope) from keys.keys where destroyed_at is not null"
