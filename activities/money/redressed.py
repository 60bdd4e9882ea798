"""The losses that were made good, by case or by incident: each once, whoever finds it again."""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

import asyncpg

from domain.money.parts import Loss

if TYPE_CHECKING:
    from runtime.database import Connection


async def lock_account(connection: "Connection", account: str) -> None:
    """Have awards to one account take turns, whichever case or incident they belong to."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('account:' || $1, 0))", account)


async def record_losses(connection: "Connection", account: str, key: str, losses: Iterable[Loss]) -> None:
    """Note that the posting *key* makes good *losses*; those made good before stay as they are."""
    await connection.executemany(
        "INSERT INTO casefile.redressed (account, part, posting_key, amount, currency) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT DO NOTHING",
        [(account, loss.key, key, loss.amount, loss.currency) for loss in losses],
    )


async def settled_parts(connection: "Connection | asyncpg.Pool[asyncpg.Record]", account: str) -> dict[str, Decimal]:
    """The losses of *account* that were made good so far, by whichever case or incident, and by how much."""
    rows = await connection.fetch(
        "SELECT part, amount FROM casefile.redressed WHERE account = $1 ORDER BY part", account
    )
    return {row["part"]: row["amount"] for row in rows}
