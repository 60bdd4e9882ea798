"""What the firm's own records say of remedies that are owed: whether they were carried out."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from temporalio import activity

from activities.case.case_file import utc_now
from domain.case.obligations import Obligation, Proof
from domain.case.requests import LookForRemedies, RemediesSeen, RemedySeen
from domain.checks.withdrawal_delay.finding import CANCELLED_BY_CUSTOMER
from domain.ground.words import Remedy

if TYPE_CHECKING:
    import asyncpg

THE_LOG: Final = "trade_log"
THE_LEDGER: Final = "ledger"


class CarriedOut:
    """Looks for proof of remedies. ``clock`` gives the time as an aware datetime."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Callable[[], datetime] = utc_now) -> None:
        self._pool, self._clock = pool, clock

    @activity.defn(name="LookForRemedies")
    async def look(self, request: LookForRemedies) -> RemediesSeen:
        """Which of the remedies are done, by the firm's own records as they stand now; the others are left out.

        A withdrawal is released when it is booked, and lapses when the customer called it off. What an incident makes
        good is done with its posting, and lapses where everything had been made good elsewhere.
        """
        now = self._clock()
        seen = []
        for one in request.remedies:
            for kind, look in self._looks().items():
                if one.kind is kind and (found := await look(one, request.account, now)):
                    seen.append(found)
        return RemediesSeen(seen=tuple(seen))

    def _looks(self) -> "Mapping[Remedy, Look]":
        return {Remedy.RELEASE: self._released, Remedy.COMPENSATION: self._made_good}

    async def _released(self, one: Obligation, account: str | None, now: datetime) -> RemedySeen | None:
        row = await self._pool.fetchrow(_RELEASED, account, one.subject, now)
        if row is None:
            return None
        off = (row["note"] or "").lower().startswith(CANCELLED_BY_CUSTOMER)
        how = f"withdrawal {one.subject} was " + ("called off by the customer" if off else "released")
        return RemedySeen(number=one.number, proof=Proof(by=THE_LOG, at=row["booked_at"], how=how), lapsed=off)

    async def _made_good(self, one: Obligation, account: str | None, _now: datetime) -> RemedySeen | None:
        row = await self._pool.fetchrow(_MADE_GOOD, one.subject, account)
        if row is None:
            return None
        posted = row["posting_key"]
        how = f"posting {posted}" if posted else f"incident {one.subject}: made good elsewhere"
        return RemedySeen(number=one.number, proof=Proof(by=THE_LEDGER, at=row["at"], how=how), lapsed=not posted)


if TYPE_CHECKING:
    from collections.abc import Awaitable

    Look = Callable[[Obligation, str | None, datetime], Awaitable[RemedySeen | None]]

_RELEASED: Final = """
    select booked_at, note from tradelog.known_account_entries
    where account = $1 and entry = $2 and booked_at <= $3
"""
_MADE_GOOD: Final = "select at, posting_key from casefile.incident_results where reference = $1 and account = $2"
