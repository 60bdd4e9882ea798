"""What final responses promise: each loss by one case at a time."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.case.at_once import AtOnce
from activities.case.case_file import CaseFile, utc_now
from activities.money.redressed import covered_by, covered_column, covered_parts, locks_of
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
        reference, row = request.reference, (request.round, request.account)
        updates, locks = (request.update, request.then), locks_of(request.account)
        async with (
            self._pool.acquire() as connection,
            self._case_file.turn(connection, reference, updates, *locks, columns=_BEFORE, values=row) as turn,
        ):
            now = self._clock()  # its turn has come: nobody can have read of it before
            await turn.write(request.update)
            await turn.settle()
            covered = await covered_by(connection, turn.row, reference, now)
            left_to = {key: covered.get(key) for key in request.left_out}
            at, beside = turn.row["promised_at"], AtOnce()
            if at is None:
                again = _given_twice((one for one in request.losses if one.key not in left_to), covered)
                refused = None
                if again or None in left_to.values():
                    log.info("promised elsewhere", reference=reference, round=request.round)
                elif (refused := await self._refused(connection, request)) is None:
                    at = now
                    beside.add(_PROMISE, *_promise(request, at))
            if at is None:
                recorded = await turn.recorded(request.update)
                return AwardPromised(
                    at=now, recorded=recorded, promised=False, elsewhere=_where(again), refused=refused
                )
            await turn.write(request.then.dated(at), beside=beside)
            recorded = await turn.recorded(request.update)
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
                await connection.execute(_PROMISE, *_promise(request, promised.at))
                await self._case_file.apply(connection, request.then.dated(promised.at))


def _promise(request: PromiseAward, at: datetime) -> tuple[Any, ...]:
    losses = [loss.model_dump(mode="json") for loss in request.losses]
    return request.reference, request.round, at, request.account, losses


def _given_twice(losses: Iterable[Loss], covered: Mapping[str, Covered]) -> list[Covered]:
    """What covers one of *losses* already; what comes to nothing here and there, as part of others, is not twice."""
    found = [(loss, covered[loss.key]) for loss in losses if loss.key in covered]
    return [one for loss, one in found if loss.amount or one.amount]


def _where(covered: Iterable[Covered]) -> tuple[Elsewhere, ...]:
    return tuple(dict.fromkeys(one.under for one in covered if one.under))


_BEFORE: Final = f"""
    (select at from casefile.promises where (reference, round) = ($1, $2)) as promised_at, {covered_column("$3", "$1")}
"""  # noqa: S608 (constants)
_PROMISE: Final = """
    insert into casefile.promises (reference, round, at, account, losses) values ($1, $2, $3, $4, $5)
    on conflict do nothing
"""
