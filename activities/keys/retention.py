"""Retention runs out: what was kept as long as its rules ask is erased, and what a restore brought back is again."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import structlog
from temporalio import activity

from domain.keys.erasure import RanOut, RunOut
from domain.keys.scopes import VISITS, scope_of_visits
from record.erasing import SYSTEM, apply_again, carry_out, held_of_case, letters_of, run_out, write_step
from runtime.keys.here import keys_here
from runtime.left_behind import left_of
from runtime.mail import Outbox

if TYPE_CHECKING:
    from runtime.database import Pool
    from runtime.keys.vault import Vault

AT_ONCE: Final = 100
"""Cases that one look erases; the others wait for the next."""
_VISITS_KEPT: Final = timedelta(days=70)  # drafts are forgotten after 30 days

log = structlog.get_logger(__name__)


class Retention:
    """Erases by rule. ``clock`` gives the time as an aware datetime; *backup_days* is how long keys are backed up."""

    def __init__(self, pool: "Pool", outbox: Outbox, clock: Callable[[], datetime], backup_days: int) -> None:
        self._pool = pool
        self._outbox = outbox
        self._clock = clock
        self._backup_days = backup_days

    @activity.defn(name="RunOut")
    async def run_out(self, request: RunOut) -> RanOut:
        """Erase the cases whose pack has them kept no longer. Repeated, it goes on where it was broken off."""
        vault = keys_here()
        if vault is None:
            return RanOut(erased=())  # nothing is sealed here, and nothing can be erased
        now = self._clock()
        async with self._pool.acquire() as connection:
            due = await run_out(connection, now, AT_ONCE)
            for reference in due:
                held = await held_of_case(connection, reference)
                left = await left_of(connection, self._outbox, None, held.cases, held.letters)
                data = await asyncio.to_thread(left.counted) | {"backup_days": self._backup_days}
                await write_step(connection, f"ER-{reference}", "approved", now, SYSTEM, data)
                await asyncio.to_thread(left.remove)
                await carry_out(connection, vault, held, f"ER-{reference}")
        await self._forget_visits(vault, now)
        if due:
            log.info("retention ran out", cases=len(due))
        return RanOut(erased=tuple(due))

    async def _forget_visits(self, vault: "Vault", now: datetime) -> None:
        oldest = scope_of_visits(now - _VISITS_KEPT)
        old = [scope for scope in await vault.store.in_use(VISITS) if scope < oldest]
        if old:
            await vault.destroy(old)


async def erased_again(
    pool: "Pool", vault: "Vault", outbox: Outbox, backup_days: int, outside: Iterable[str] = ()
) -> list[str]:
    """Apply every erasure again that a restore undid, in the record or beside the keys; returns which. Idempotent.

    *outside* are the proofs of erasures that left (`runtime.outside.read_erasures`).
    """
    logged = await vault.store.erasures()
    async with pool.acquire() as connection:
        again = await apply_again(connection, vault, logged, outside, backup_days)
        paths = [outbox.path(key) for key in await letters_of(connection, again)]

    def remove() -> None:
        for path in paths:
            path.unlink(missing_ok=True)

    await asyncio.to_thread(remove)
    return again
