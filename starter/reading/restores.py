"""Restores from a backup as they stand in the record, so that what was lost is no riddle later."""

from typing import TYPE_CHECKING

from domain.ground.base import Instant, Record
from domain.ground.words import Store

if TYPE_CHECKING:
    from runtime.database import Pool


class Restore(Record):
    """A restore: of what ``store`` held, the time from ``since`` to ``until`` may be lost.

    ``repaired`` counts the cases and incidents that were put right after it.
    """

    id: int
    store: Store
    since: Instant
    until: Instant
    reason: str
    declared_at: Instant
    declared_by: str
    repaired: int


class Repair(Record):
    """What was put right in one case after the restore ``restore``: ``written`` are the keys of all that."""

    restore: int
    at: Instant
    by: str
    written: tuple[str, ...]


async def list_restores(pool: "Pool") -> list[Restore]:
    """All restores, the last declared first."""
    return [Restore(**row) for row in await pool.fetch(_LIST)]


async def restores_of(pool: "Pool", reference: str) -> tuple[list[Restore], list[Repair]]:
    """The restores that may have taken something from a case, and what was put right in it."""
    restores = [Restore(**row) for row in await pool.fetch(_OF_CASE, reference)]
    repairs = [Repair(**row) for row in await pool.fetch(_REPAIRS, reference)]
    return restores, repairs


_COLUMNS = """
    select id, store, since, until, reason, declared_at, declared_by,
        (select count(distinct reference) from casefile.repairs where restore = restores.id)::integer as repaired
    from casefile.restores
"""
_LIST = f"{_COLUMNS} order by id desc"
# A case that was open at some time of the lost range may have lost something, and so may one that was opened in it.
_OF_CASE = f"""
    {_COLUMNS}
    where not casefile.hidden($1) and (
        exists (select from casefile.repairs where restore = restores.id and reference = $1)
        or exists (
            select from casefile.cases
            where reference = $1 and opened_at <= until and coalesce(closed_at, 'infinity') >= since
        )
    )
    order by id
"""  # noqa: S608 (nothing from outside)
_REPAIRS = (
    "select restore, at, by, written from casefile.repairs where reference = $1 and not casefile.hidden($1) order by id"
)
