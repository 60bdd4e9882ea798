"""The typed client of the directory: read it, see its history, replace it."""

import uuid
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel

from domain.ground.base import Instant, Record, person_of
from domain.ground.messages import NotAllowed
from domain.ground.people import Actor
from domain.ground.words import Role
from domain.people.directory import ChangeDirectory, Directory, DirectoryTeam, Person
from domain.people.directory_check import DirectoryProblem, check_directory
from domain.rules.policy import PolicyPack
from record.directory import read_directory
from record.proofs import signed
from runtime.paths import POLICIES
from runtime.policies import load_packs
from runtime.toml_files import read_toml, to_record

if TYPE_CHECKING:
    from runtime.database import Pool
    from runtime.identity.speaking import TokenFor

DEMO: Final = POLICIES / "directories" / "demo.toml"
"""The directory of the embedded stack: roles rather than people."""


class DirectoryInvalid(ValueError):
    """A directory that cannot be used. The message names the fields."""


class Change(Record):
    """A change of the directory: who or which team came, changed or left. ``version`` is absent until it is made."""

    kind: Literal["person", "team"]
    id: str
    what: Literal["added", "changed", "left"]
    at: Instant
    by: str
    version: int | None = None


def read_directory_file(path: Path) -> Directory:
    """The directory in the TOML file *path*. Raises ``TomlFileError`` naming the fields that do not fit."""
    return to_record(path, read_toml(path), Directory)


def problems(directory: Directory, now: datetime) -> list[DirectoryProblem]:
    """What is wrong with *directory*, for the packs that are in force today."""
    return check_directory(directory, packs_in_force(now), now.date())


def packs_in_force(now: datetime) -> list[PolicyPack]:
    """Of every policy pack the version that is in force today."""
    return [pack for versions in load_packs().values() for pack in versions if pack.in_force(now.date())]


class People:
    """The directory in the record, over a pool of connections. Safe to share between tasks."""

    def __init__(self, pool: "Pool", token_for: "TokenFor | None" = None) -> None:
        """*token_for* makes the token of what is said: the service goes by what is proven, unless anybody may act."""
        self._pool = pool
        self._token_for = token_for

    async def directory(self, version: int | None = None) -> Directory:
        """The directory as of *version*, or as it stands."""
        async with self._pool.acquire() as connection:
            return await read_directory(connection, version)

    async def history(self, identifier: str | None = None) -> list[Change]:
        """The changes, of one person or team or of all, the first first."""
        rows = await self._pool.fetch(_HISTORY, identifier and person_of(identifier), identifier)
        return [Change(**row) for row in rows]

    async def replace(
        self, directory: Directory, *, by: Actor, at: datetime | None = None, dry_run: bool = False
    ) -> list[Change]:
        """Have the directory be what *directory* says: who is not in it has left. Repeated, it changes nothing.

        Returns what is different afterwards. Raises :class:`DirectoryInvalid` where something in it is an error, and
        :class:`NotAllowed` where who says it is not proven.
        """
        at = at or datetime.now(UTC)
        if errors := [one for one in check_directory(directory, (), at.date()) if one.severity == "error"]:
            raise DirectoryInvalid("; ".join(f"{one.field}: {one.message}" for one in errors))
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_LOCK)
            known = _records(await read_directory(connection))
            wanted = _records(directory)
            changes: list[Change] = []
            rows: list[tuple[Any, ...]] = []
            for kind, identifier in sorted({*known, *wanted}):
                before, after = known.get((kind, identifier)), wanted.get((kind, identifier))
                if before == after:
                    continue
                what = "added" if before is None else "left" if after is None else "changed"
                changes.append(Change(kind=kind, id=identifier, what=what, at=at, by=str(by)))
                said = ChangeDirectory(message_id=str(uuid.uuid4()), actor=by, kind=kind, record=after)
                if not dry_run:
                    token = signed(self._token_for, identifier, said)
                    rows.append((kind, identifier, after, said.message_id, token))
            if not rows:
                return changes
            written = await connection.fetch(_WRITE, *map(list, zip(*rows, strict=True)), at, str(by))
            versions = {(row["kind"], row["id"]): row["version"] for row in written}
            return [one.model_copy(update={"version": versions[one.kind, one.id]}) for one in changes]


async def load_demo(pool: "Pool", token_for: "TokenFor | None") -> None:
    """Have a directory that nobody has written anything into be that of the demonstration.

    Where nothing here signs and signatures count, it stays empty.
    """
    people = People(pool, token_for)
    if (await people.directory()).version == 0:
        with suppress(NotAllowed):
            await people.replace(read_directory_file(DEMO), by=_WHO_STARTED_IT)


_WHO_STARTED_IT: Final = Actor(id="this-machine", role=Role.TEAM_LEAD)


_Key = tuple[Literal["person", "team"], str]


def _records(directory: Directory) -> dict[_Key, dict[str, Any]]:
    return {
        **{_key(team): _record(team) for team in directory.teams},
        **{_key(person): _record(person) for person in directory.people},
    }


def _key(one: DirectoryTeam | Person) -> _Key:
    return ("person", one.person) if isinstance(one, Person) else ("team", one.name)


def _record(one: BaseModel) -> dict[str, Any]:
    return one.model_dump(mode="json", exclude_defaults=True)


_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended('directory', 0))"
# At once, so that what follows from it is looked up once: see casefile.follow_people.
_WRITE: Final = """
    insert into casefile.directory (kind, id, record, message_id, token, recorded_at, recorded_by)
    select told.*, $6, $7 from unnest($1::text[], $2::text[], $3::jsonb[], $4::text[], $5::text[]) as told
    returning kind, id, version
"""
_HISTORY: Final = """
    select kind, id, version, recorded_at as at, recorded_by as by,
        case when record is null then 'left'
            when lag(record) over (partition by kind, id order by version) is null then 'added'
            else 'changed' end as what
    from casefile.directory
    where $1::text is null or (kind, id) in (('person', $1), ('team', $2::text))
    order by version
"""
