"""The directory as it stands, or stood, in the record."""

from typing import TYPE_CHECKING, Final

import asyncpg

from domain.people.directory import Directory, DirectoryTeam, Person

if TYPE_CHECKING:
    from record.connection import Connection


async def read_directory(connection: "Connection", version: int | None = None) -> Directory:
    """The directory as of *version*, or as it stands now. Without any row it is empty, of version 0."""
    rows = await connection.fetch(_DIRECTORY, version)
    return Directory(
        version=max((row["latest"] for row in rows), default=0),
        teams=tuple(DirectoryTeam.model_validate(row["record"]) for row in rows if _is(row, "team")),
        people=tuple(Person.model_validate(row["record"]) for row in rows if _is(row, "person")),
    )


def _is(row: asyncpg.Record, kind: str) -> bool:
    return row["kind"] == kind and row["record"] is not None


_DIRECTORY: Final = """
    select distinct on (kind, id) kind, id, record, max(version) over () as latest
    from casefile.directory where $1::bigint is null or version <= $1
    order by kind, id, version desc
"""
