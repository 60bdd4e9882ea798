"""What final responses promise: each loss by one case at a time."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

import asyncpg
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.case.case_file import CaseFile, utc_now
from activities.money.redressed import covered_parts, lock_account
from activities.money.standing import resting_on_the_record
from domain.case.approval import award_of
from domain.case.requests import (
    AwardPromised,
    FoundElsewhere,
    LetterAccepted,
    LookElsewhere,
    PromiseAward,
    SendLetter,
)
from domain.checks.findings import Elsewhere
from domain.checks.losses import Covered
from domain.money.parts import Loss
from domain.people.actors import Proofs
from record.approvals import case_record

if TYPE_CHECKING:
    from runtime.database import Connection

log = structlog.get_logger(__name__)


class Promises:
    """Keeps what is promised. ``clock`` gives the time as an aware datetime, *proofs* know whose signatures count.

    *send* tries the response once, with the promise; without it that goes by itself.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        case_file: CaseFile,
        clock: Callable[[], datetime] = utc_now,
        *,
        proofs: Proofs | None = None,
        send: Callable[[SendLetter], Awaitable[LetterAccepted | None]] | None = None,
    ) -> None:
        self._pool, self._case_file, self._clock = pool, case_file, clock
        self._proofs, self._send = proofs, send

    @activity.defn(name="LookElsewhere")
    async def look_elsewhere(self, request: LookElsewhere) -> FoundElsewhere:
        """Who else promises or has paid what a case has found."""
        async with self._pool.acquire() as connection:
            covered = await covered_parts(connection, request.account, request.reference, self._clock())
        return FoundElsewhere(elsewhere=_where(_given_twice(request.losses, covered)))

    @activity.defn(name="PromiseAward")
    async def promise_award(self, request: PromiseAward) -> AwardPromised:
        """Promise what a final response gives, once. Again, it answers as the first time.

        Cases of one account take turns: of two that decide about one loss at the same moment one promises it, and the
        other is told which. No customer is told of an award that the ledger would refuse for what the record has.
        """
        done = await self._promised(request)
        if not (done.promised and request.letter and self._send):
            return done
        return done.model_copy(update={"letter": await self._send(request.letter)})

    async def _promised(self, request: PromiseAward) -> AwardPromised:
        now = self._clock()
        async with self._pool.acquire() as connection, connection.transaction():
            covered: Mapping[str, Covered] = {}
            if request.account:
                await lock_account(connection, request.account)
            recorded = await self._case_file.apply(connection, request.update)
            if request.account:
                covered = await covered_parts(connection, request.account, request.reference, now)
            left_to = {key: covered.get(key) for key in request.left_out}
            at = await connection.fetchval(_PROMISED_AT, request.reference, request.round)
            if at is None:
                again = _given_twice((one for one in request.losses if one.key not in left_to), covered)
                if again or None in left_to.values():
                    log.info("promised elsewhere", reference=request.reference, round=request.round)
                    return AwardPromised(at=now, recorded=recorded, promised=False, elsewhere=_where(again))
                if refused := await self._refused(connection, request):
                    return AwardPromised(at=now, recorded=recorded, promised=False, refused=refused)
                at = await self._write(connection, request, now)
            await self._case_file.apply(connection, request.then.dated(at))
        return AwardPromised(at=at, recorded=recorded, promised=True, elsewhere=_where(filter(None, left_to.values())))

    async def _refused(self, connection: "Connection", request: PromiseAward) -> str | None:
        """Why the record does not bear the award. Raises `ApplicationError` while that may still be on its way."""
        if request.award is None:
            return None
        try:
            with resting_on_the_record(request.reference):
                award_of(await case_record(connection, request.reference, self._proofs), request.round, request.award)
        except ApplicationError as error:
            if not error.non_retryable:
                raise
            return error.message
        return None

    async def restore(self, request: PromiseAward, promised: AwardPromised) -> None:
        """Write again what a lost case file had of a promise."""
        async with self._pool.acquire() as connection, connection.transaction():
            await self._case_file.apply(connection, request.update)
            if promised.promised:
                await self._write(connection, request, promised.at)
                await self._case_file.apply(connection, request.then.dated(promised.at))

    async def _write(self, connection: "Connection", request: PromiseAward, at: datetime) -> datetime:
        losses = [loss.model_dump(mode="json") for loss in request.losses]
        await connection.execute(_PROMISE, request.reference, request.round, at, request.account, losses)
        return at


def _given_twice(losses: Iterable[Loss], covered: Mapping[str, Covered]) -> list[Covered]:
    """What covers one of *losses* already; what comes to nothing here and there, as part of others, is not twice."""
    found = [(loss, covered[loss.key]) for loss in losses if loss.key in covered]
    return [one for loss, one in found if loss.amount or one.amount]


def _where(covered: Iterable[Covered]) -> tuple[Elsewhere, ...]:
    return tuple(dict.fromkeys(one.under for one in covered if one.under))


_PROMISED_AT: Final = "select at from casefile.promises where (reference, round) = ($1, $2)"
_PROMISE: Final = """
    insert into casefile.promises (reference, round, at, account, losses) values ($1, $2, $3, $4, $5)
    on conflict do nothing
"""
