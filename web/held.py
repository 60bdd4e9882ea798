"""Files that were chosen and are not sent yet, and what is known of what was sent."""

from datetime import datetime
from typing import Final

from domain.intake.received import File
from domain.keys.personal import Row
from domain.keys.scopes import scope_of_visits
from runtime.database import Pool
from runtime.files import MOST
from runtime.locking import lock_until_end, locked
from web.doors import Doors
from web.visits import Session

_FILES: Final = """
    select name, title, media_type, sha256, content from web.held_files
    where visitor = $1 and place = $2 order by held_at, name
"""
_HOLD: Final = """
    insert into web.held_files (visitor, place, name, title, media_type, sha256, content, held_at)
    select $1, $2, $3, $4, $5, $6, $7, $8
    where (select count(*) from web.held_files where visitor = $1 and place = $2) < $9
    on conflict do nothing
"""
_HELD: Final = "select exists (select from web.held_files where visitor = $1 and place = $2 and name = $3)"
_REMOVE: Final = "delete from web.held_files where visitor = $1 and place = $2 and name = $3"
_DROP: Final = "delete from web.held_files where visitor = $1 and place = $2"
_FORGOTTEN: Final = "delete from web.held_files where held_at < $1::timestamptz - interval '30 days'"
_RECEIVED_AT: Final = """
    select received_at from intake.received where reference = $1 and kind = 'complaint' order by received_at limit 1
"""


async def files(doors: Doors, session: Session, place: str) -> list[File]:
    """The files that this visitor chose at *place*, in that order."""
    rows = [] if session.unsaved else await doors.pool.fetch(_FILES, session.row, place)
    return [File(**row) for row in rows]


async def hold(doors: Doors, session: Session, place: str, file: File) -> bool:
    """Hold *file* until what it belongs to is sent; whether it is held: there may be the most already.

    Forms that are sent at the same time wait for each other, so that each counts the files of the others.
    """
    now = doors.clock()
    await doors.pool.execute(_FORGOTTEN, now)
    sealed = Row("web.held_files", scope_of_visits(now), f"{session.row.hex()}/{place}/{file.name}")
    row = (file.name, sealed("title", file.title), file.media_type, file.sha256, sealed("content", file.content))
    one_by_one = lock_until_end(f"held {session.row.hex()} {place}")
    async with doors.pool.acquire() as connection, locked(connection, one_by_one):
        await connection.execute(_HOLD, session.row, place, *row, now, MOST)
        is_held: bool = await connection.fetchval(_HELD, session.row, place, file.name)
    return is_held


async def remove(doors: Doors, session: Session, place: str, name: str) -> None:
    """Let go of one file."""
    await doors.pool.execute(_REMOVE, session.row, place, name)


async def drop(doors: Doors, session: Session, place: str) -> None:
    """Let go of all files at *place*."""
    await doors.pool.execute(_DROP, session.row, place)


async def received_at(pool: Pool, reference: str) -> datetime | None:
    """When the complaint *reference* was received here, if it was."""
    found: datetime | None = await pool.fetchval(_RECEIVED_AT, reference)
    return found


async def is_received(pool: Pool, reference: str) -> bool:
    """Whether the complaint *reference* was received here."""
    return await received_at(pool, reference) is not None
