"""Restores from a backup are declared by people."""

from datetime import datetime
from typing import TYPE_CHECKING

from domain.ground.people import Actor
from domain.ground.words import Store
from starter.reading.restores import Restore, list_restores

if TYPE_CHECKING:
    from runtime.database import Pool


async def declare(  # noqa: PLR0917 (what is declared)
    pool: "Pool", store: Store, since: datetime, until: datetime, reason: str, by: Actor, now: datetime
) -> Restore:
    """Write down that *store* was brought back from a backup. Raises ``ValueError`` naming what does not fit."""
    if not by.role.is_staff:
        raise ValueError(f"actor: role {by.role.value} may not declare a restore; staff may")
    if since >= until:
        raise ValueError("since: it must lie before until")
    if until > now:
        raise ValueError("until: it lies in the future; give the moment from which nothing is lost any more")
    made = await pool.fetchval(_DECLARE, store.value, since, until, reason, now, str(by))
    return next(one for one in await list_restores(pool) if one.id == made)


_DECLARE = """
    insert into casefile.restores (store, since, until, reason, declared_at, declared_by)
    values ($1, $2, $3, $4, $5, $6) returning id
"""
