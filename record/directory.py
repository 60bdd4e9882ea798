"""The directory as it stands, or stood, in the record."""

import asyncio
import hashlib
from typing import TYPE_CHECKING, Final

import asyncpg

from domain.ground.base import person_of
from domain.ground.people import Actor
from domain.people.actors import Proofs
from domain.people.directory import ChangeDirectory, Directory, DirectoryTeam, Person
from record.proofs import is_proven, proofs_here

if TYPE_CHECKING:
    from record.connection import Connection


LOCK_DIRECTORY: Final = "pg_advisory_xact_lock_shared(hashtextextended('directory', 0))"
"""Who imports a directory waits for whoever gives a case to somebody of the last one, and the other way round.

It is taken by a statement before the one that reads the directory: what that statement sees is older than its wait.
"""
DIRECTORY_DIGEST: Final = """
    select sha256(string_agg(digest, '' order by kind, id)) from (
        select distinct on (kind, id) kind, id, sha256(convert_to(d::text, 'UTF8')) as digest
        from casefile.directory d order by kind, id, version desc) as newest
"""
"""The directory as it stands, by all that its rows say; null without any row."""


class _Kept:
    """What stands of the rows that were looked at before, by all that they say, while the same signatures count.

    To prove 10,000 people takes seconds, and every step of a case asks for them.
    """

    def __init__(self, proofs: Proofs | None) -> None:
        self._as_of = proofs and proofs.as_of
        self.standing: dict[bytes, Person | DirectoryTeam | None] = {}
        self.whole: dict[bytes, Directory] = {}

    def counts(self, proofs: Proofs | None) -> bool:
        return self._as_of == (proofs and proofs.as_of) and len(self.standing) < _MOST_KEPT


async def read_directory(connection: "Connection", version: int | None = None) -> Directory:
    """The directory as of *version*, or as it stands now. Without any row it is empty, of version 0.

    What is not proven does not stand, where signatures count: then what was proven before it does.
    """
    newest = await connection.fetch(_NEWEST, version)
    digests = [row["digest"] for row in newest]
    whole, kept = hashlib.sha256(b"".join(digests)).digest(), _kept()
    if (known := kept.whole.get(whole)) is None:
        new = [row["version"] for row in newest if row["digest"] not in kept.standing]
        for number, row in enumerate(await connection.fetch(_ROWS, new) if new else ()):
            if row["digest"] not in kept.standing:
                kept.standing[row["digest"]] = await _standing(connection, row)
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)  # others in this process go on, and find what was looked at
        standing = [kept.standing[digest] for digest in digests]
        known = Directory(
            version=max((row["version"] for row in newest), default=0),
            teams=tuple(one for one in standing if isinstance(one, DirectoryTeam)),
            people=tuple(one for one in standing if isinstance(one, Person)),
        )
        if len(kept.whole) >= _MOST_WHOLE:
            del kept.whole[next(iter(kept.whole))]
        kept.whole[whole] = known
    return known


async def directory_of(connection: "Connection", digest: bytes | None) -> Directory:
    """The directory that stands now, and of which another statement has just read the *digest*."""
    if digest is None:
        return Directory()
    return _kept().whole.get(digest) or await read_directory(connection)


def _kept() -> _Kept:
    proofs = proofs_here()
    if not _KEPT or not _KEPT[0].counts(proofs):
        _KEPT[:] = [_Kept(proofs)]
    return _KEPT[0]


async def _standing(connection: "Connection", row: asyncpg.Record) -> Person | DirectoryTeam | None:
    """What *row* says, or what the last one before it that is proven does; ``None``: they have left."""
    proven = row if _is_proven(row) else await _before(connection, row)
    if proven is None or proven["record"] is None:
        return None
    return (Person if proven["kind"] == "person" else DirectoryTeam).model_validate(proven["record"])


async def has_left(connection: "Connection", directory: Directory, identifier: str | None) -> bool:
    """Whether *directory* had somebody once whom it has no more. Cases and tasks are given to others, too, by hand."""
    if identifier is None or directory.find(identifier):
        return False
    return bool(await connection.fetchval(_WAS_HERE, person_of(identifier)))


async def _before(connection: "Connection", row: asyncpg.Record) -> asyncpg.Record | None:
    """The last row before *row* of the same person or team that is proven."""
    rows = await connection.fetch(_BEFORE, row["kind"], row["id"], row["version"])
    return next(filter(_is_proven, rows), None)


def _is_proven(row: asyncpg.Record) -> bool:
    return is_proven(
        row["token"],
        row["id"],
        lambda: ChangeDirectory(
            message_id=row["message_id"],
            actor=Actor.named(row["recorded_by"]),
            kind=row["kind"],
            record=row["record"],
        ),
    )


_KEPT: Final[list[_Kept]] = []
_MOST_KEPT: Final = 100_000
_MOST_WHOLE: Final = 8
"""Directories of earlier versions are read again where somebody asks why a case went to whom."""
_AT_ONCE: Final = 50
_NEWEST: Final = """
    select distinct on (kind, id) version, sha256(convert_to(d::text, 'UTF8')) as digest
    from casefile.directory d where $1::bigint is null or version <= $1
    order by kind, id, version desc
"""
_ROWS: Final = """
    select kind, id, record, version, recorded_by, message_id, token, sha256(convert_to(d::text, 'UTF8')) as digest
    from casefile.directory d where version = any($1)
"""
_WAS_HERE: Final = "select exists (select from casefile.directory where kind = 'person' and id = $1)"
_BEFORE: Final = """
    select kind, id, record, version, recorded_by, message_id, token
    from casefile.directory where (kind, id) = ($1, $2) and version < $3 order by version desc
"""
