"""Restores from a backup are declared by people."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from domain.ground.messages import Message
from domain.ground.people import Actor
from domain.ground.words import Store
from domain.people.restores import DeclareRestore
from record.proofs import signed
from starter.reading.restores import Restore, list_restores

if TYPE_CHECKING:
    from runtime.database import Pool


async def declare(  # noqa: PLR0917 (what is declared)
    pool: "Pool",
    store: Store,
    since: datetime,
    until: datetime,
    reason: str,
    by: Actor,
    now: datetime,
    token_for: Callable[[str, Message], str] | None,
) -> Restore:
    """Write down that *store* was brought back from a backup, signed by *token_for*; to the second.

    Raises ``ValueError`` naming what does not fit, and `NotAllowed` where the token would prove nothing here.
    """
    if not by.role.is_staff:
        raise ValueError(f"actor: role {by.role.value} may not declare a restore; staff may")
    if since >= until:
        raise ValueError("since: it must lie before until")
    if until > now:
        raise ValueError("until: it lies in the future; give the moment from which nothing is lost any more")
    said = DeclareRestore(
        message_id=str(uuid.uuid4()),
        actor=by,
        store=store,
        since=since.replace(microsecond=0),
        until=(until + timedelta(microseconds=999_999)).replace(microsecond=0),  # all that was lost lies within
        reason=reason,
    )
    token = signed(token_for, store.value, said)
    values = (store.value, said.since, said.until, said.reason, now, str(by), said.message_id, token)
    made = await pool.fetchval(_DECLARE, *values)
    return next(one for one in await list_restores(pool) if one.id == made)


_DECLARE = """
    insert into casefile.restores (store, since, until, reason, declared_at, declared_by, message_id, token)
    values ($1, $2, $3, $4, $5, $6, $7, $8) returning id
"""
