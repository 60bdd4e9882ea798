"""The directory as it stands, or stood, in the record."""

from typing import TYPE_CHECKING, Final, TypeGuard

import asyncpg

from domain.ground.base import person_of
from domain.ground.people import Actor
from domain.people.directory import ChangeDirectory, Directory, DirectoryTeam, Person
from record.proofs import is_proven

if TYPE_CHECKING:
    from record.connection import Connection


async def read_directory(connection: "Connection", version: int | None = None) -> Directory:
    """The directory as of *version*, or as it stands now. Without any row it is empty, of version 0.

    What is not proven does not stand, where signatures count: then what was proven before it does.
    """
    rows = await connection.fetch(_DIRECTORY, version)
    standing = [row if _is_proven(row) else await _before(connection, row) for row in rows]
    return Directory(
        version=max((row["latest"] for row in rows), default=0),
        teams=tuple(DirectoryTeam.model_validate(row["record"]) for row in standing if _is(row, "team")),
        people=tuple(Person.model_validate(row["record"]) for row in standing if _is(row, "person")),
    )


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


def _is(row: asyncpg.Record | None, kind: str) -> TypeGuard[asyncpg.Record]:
    return row is not None and row["kind"] == kind and row["record"] is not None


_DIRECTORY: Final = """
    select distinct on (kind, id) kind, id, record, version, recorded_by, message_id, token,
        max(version) over () as latest
    from casefile.directory where $1::bigint is null or version <= $1
    order by kind, id, version desc
"""
_WAS_HERE: Final = "select exists (select from casefile.directory where kind = 'person' and id = $1)"
_BEFORE: Final = """
    select kind, id, record, version, recorded_by, message_id, token
    from casefile.directory where (kind, id) = ($1, $2) and version < $3 order by version desc
"""
