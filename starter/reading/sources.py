"""What a program sees of the complaints that it submitted, and lists that go on where one ended."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from domain.ground.base import Instant, Record
from domain.ground.timeline import Entry
from domain.intake.received import Ending
from starter.reading.cases import CASES, ListedCase, listed_in
from starter.reading.database import must_see

if TYPE_CHECKING:
    from runtime.database import Pool


class Arrival(Record):
    """A complaint as it was received, and what became of it; ``ending`` is None while it waits to be dealt with."""

    reference: str
    received_at: Instant
    ending: Ending | None
    reason: str | None


class Kept(Record):
    """A file that came with a complaint or a message. Its content is under its ``name``."""

    name: str
    title: str
    media_type: str
    size: int
    sha256: str
    added_at: Instant


class Noted(NamedTuple):
    """A line of the timeline, and its place in the order in which the lines were written."""

    place: int
    entry: Entry


async def is_of(pool: "Pool", reference: str, source: str) -> bool:
    """Whether the complaint *reference* was submitted by the service *source*, be it opened already or not."""
    found: bool = await pool.fetchval(_IS_OF, reference, source)
    return found


async def arrival_of(pool: "Pool", reference: str) -> Arrival | None:
    """The complaint *reference* as it was received, if it came through the intake."""
    row = await pool.fetchrow(_ARRIVAL, reference)
    return Arrival(**row) if row else None


async def page_of_cases(
    pool: "Pool",
    *,
    source: str | None,
    at: datetime,
    after: tuple[datetime, str] | None = None,
    limit: int = 50,
    **filters: Any,
) -> list[ListedCase]:
    """Cases of *source*, or of all, that fit *filters* (columns of cases, and ``overdue``), the last received first.

    *after* is when the last case of the page before was received, and its reference.
    """
    values: list[Any] = [at, limit]
    conditions = ["c.reference not in (select casefile.hidden_cases())"]
    overdue = filters.pop("overdue", None)
    for column, value in {"source": source, **filters}.items():
        if value is not None:
            values.append(value)
            conditions.append(f"c.{column} = ${len(values)}")
    if overdue is not None:
        conditions.append("w.next_duty < $1" if overdue else "coalesce(w.next_duty >= $1, true)")
    if after:
        values += after
        conditions.append(
            f"c.received_at <= ${len(values) - 1}"
            f" and (c.received_at < ${len(values) - 1} or c.reference > ${len(values)})"
        )
    rows = await pool.fetch(
        f"{CASES} where {' and '.join(conditions)} order by c.received_at desc, c.reference limit $2", *values
    )
    return [ListedCase(**listed_in(row)) for row in rows]


async def page_of_timeline(pool: "Pool", reference: str, *, after: int = 0, limit: int = 50) -> list[Noted]:
    """Lines of the timeline in the order in which they were written, *after* that place.

    Raises :class:`~starter.reading.database.CaseNotFound`.
    """
    await must_see(pool, reference)
    rows = await pool.fetch(_TIMELINE, reference, after, limit)
    return [Noted(row["id"], Entry(**{name: value for name, value in row.items() if name != "id"})) for row in rows]


async def list_files(pool: "Pool", reference: str) -> list[Kept]:
    """The files that came with the complaint and with what the customer said since, in that order."""
    return [Kept(**row) for row in await pool.fetch(_FILES, reference)]


async def read_file(pool: "Pool", reference: str, name: str, *, with_notes: bool = False) -> tuple[Kept, bytes] | None:
    """A file of the complaint and its content, if there is one of that *name*; *with_notes*, of the firm's own too."""
    row = await pool.fetchrow(_FILE, reference, name, with_notes)
    if row is None:
        return None
    return Kept(**{field: row[field] for field in Kept.model_fields}), row["content"]


_IS_OF: Final = """
    select exists (select from casefile.cases where reference = $1 and source = $2)
        or exists (select from intake.received
                   where reference = $1 and door = 'api' and kind = 'complaint' and envelope ->> 'service' = $2)
"""
_ARRIVAL: Final = """
    select r.reference, r.received_at, e.ending, e.reason
    from intake.received r
    left join lateral (select ending, reason from intake.endings where key = r.key order by id desc limit 1) e on true
    where r.reference = $1 and r.kind = 'complaint' order by r.received_at limit 1
"""
_TIMELINE: Final = """
    select id, key, at, kind, actor, text, data, journal, token from casefile.timeline
    where reference = $1 and id > $2 order by id limit $3
"""
_NO_NOTE: Final = "exists (select from intake.received r where r.key = f.key and r.kind <> 'note')"
_HEARD: Final = "('case_opened', 'already_known', 'on_case')"
_OF_THE_CASE: Final = f"""
    coalesce((select e.reference from intake.endings e where e.key = f.key and e.ending in {_HEARD}
        order by e.id desc limit 1), f.reference) = $1
"""  # noqa: S608 (constants)
"""A file is of the case that heard what it came with, be it another than the one it was sent to; else of that one."""
_FILES: Final = f"""
    select name, title, media_type, size, sha256, added_at from intake.files f
    where name in (
            select name from intake.files where reference = $1
            union select name from intake.endings e join intake.files using (key)
            where e.reference = $1 and e.ending in {_HEARD}
        ) and {_OF_THE_CASE} and {_NO_NOTE}
    order by added_at, key, number
"""  # noqa: S608 (constants)
_FILE: Final = f"""
    select name, title, media_type, size, sha256, added_at, content from intake.files f
    where name = $2 and {_OF_THE_CASE} and ($3 or {_NO_NOTE})
"""  # noqa: S608 (constants)
