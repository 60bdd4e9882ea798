"""The compensation ledger: every award one balanced double-entry posting, made once."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import asyncpg
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.case.at_once import AtOnce
from activities.case.case_file import CaseFile, utc_now
from activities.case.turns import Turn
from activities.money.ledger import Posting, expense, liability, post
from activities.money.redressed import add_losses, locks_of
from activities.money.standing import resting_on_the_record
from domain.case.approval import Approved, NotYetRecorded, award_of
from domain.case.file import CaseUpdate, Recorded
from domain.case.requests import CompensationRecorded, RecordCompensation
from domain.case.resolution import made_good, running
from domain.checks.accrual import Accrual, growth, run_on
from domain.clocks.deadlines import Occurred
from domain.ground.words import CaseEvent
from domain.money.amounts import Money
from domain.money.parts import Loss
from domain.people.actors import Proofs
from record.approvals import case_record, round_of

if TYPE_CHECKING:
    from runtime.database import Connection


log = structlog.get_logger(__name__)


class Compensation:
    """Posts awards. ``clock`` gives the time as an aware datetime; ``rail`` is the payment rail that is to pay them.

    ``proofs`` know whose signatures count; without them who decided is believed.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        case_file: CaseFile,
        clock: Callable[[], datetime] = utc_now,
        *,
        rail: str | None = None,
        proofs: Proofs | None = None,
    ) -> None:
        self._pool = pool
        self._case_file = case_file
        self._clock = clock
        self._rail = rail
        self._proofs = proofs

    @activity.defn(name="RecordCompensation")
    async def record_compensation(self, request: RecordCompensation) -> CompensationRecorded:
        """Post the award, rounded to the currency's smallest unit, under its key. Again, it answers as the first time.

        Where the case owes something beside money, the posting does not settle it either: ``announces`` is empty then.
        Debit ``expense:redress``, what redress costs the firm; credit ``liability:customer:<reference>``, what it owes
        the customer of that case. Where a rail is to pay it, the case is not settled yet: in place of what the request
        announces the payment is due, and ``then`` is not recorded. What others have made good of its losses meanwhile
        is taken off where it was awarded as found, and interest that has run on since the findings is added, to the
        release of a withdrawal or to this day; where nothing is left nothing is posted, and the case is settled.

        No workflow is believed: the sum, the two persons and their limits, or the rule by which it was decided, must
        stand in the record, and which losses it makes good follows from that.

        Raises `ApplicationError`, never retried, of type ``NotApproved`` if they do not stand there,
        ``CompensationConflict`` if the key or the number was used for another award, ``InvalidCompensation`` if nothing
        is left of the award.
        """
        return await self._record(request)

    async def restore(self, request: RecordCompensation, recorded: CompensationRecorded) -> None:
        """Write again what a lost ledger had of an award, whatever others have made good of it since."""
        await self._record(request, recorded)

    async def _record(
        self, request: RecordCompensation, known: CompensationRecorded | None = None
    ) -> CompensationRecorded:
        reference = request.update.reference
        award = request.award.rounded()
        if award.amount <= 0:
            raise ApplicationError(
                f"award: {award} is not above zero; a case without compensation needs no posting",
                type="InvalidCompensation",
                non_retryable=True,
            )
        updates, locks = [one for one in (request.update, request.then) if one], locks_of(request.account)
        row = (request.key, request.account)
        async with (
            self._pool.acquire() as connection,
            self._case_file.turn(connection, reference, updates, *locks, columns=_BEFORE, values=row) as turn,
        ):
            await turn.write(request.update)
            await turn.settle()
            approved, losses = await self._approved(connection, request, award)
            deducted = losses if approved.deducts else ()
            already = known.already if known else _made_good(turn, request, award, deducted)
            if already and not already < award:
                return await self._settled_elsewhere(turn, request, already)
            further = Money.zero(award.currency)
            if approved.case.proposal and request.account and not already:  # else others have reckoned the interest
                at = known.at if known else turn.row["posted_at"] or self._clock()
                running_on = running(approved.case, approved.case.proposal)
                grown = run_on(running_on, losses, await self._ends(connection, request.account, running_on, at))
                further, losses = growth(losses, grown, award.currency), grown
            posting = Posting(
                key=request.key,
                kind="award",
                reference=reference,
                number=request.number,
                amount=Money.of(award.amount - already.amount, award.currency) if already else award + further,
                debit=expense(),
                credit=liability(reference),
                rail=self._rail,
                decision=approved.key,
            )
            posted = await post(connection, posting, self._clock())
            beside = AtOnce()
            if request.account:
                add_losses(beside, request.account, request.key, losses)
            announces = request.announces if posted.rail is None else (CaseEvent.PAYMENT_DUE,)
            events = [Occurred(event=event, at=posted.at, number=request.number) for event in announces]
            then = request.then.dated(posted.at) if posted.rail is None and request.then else None
            recorded = await _conclude(turn, request, events, then, beside)
        log.info("compensation recorded", reference=reference, number=request.number)
        grew = further if further.amount > 0 else None
        return CompensationRecorded(at=posted.at, recorded=recorded, rail=posted.rail, already=already, further=grew)

    async def _ends(
        self, connection: "Connection", account: str, running_on: Sequence[Accrual], at: datetime
    ) -> dict[str, datetime]:
        """Until when each runs, as of *at*: to the release of its withdrawal, or until then."""
        entries = [one.release for one in running_on if one.release]
        rows = await connection.fetch(_RELEASED, account, entries, at) if entries else []
        released = {row["entry"]: row["booked_at"] for row in rows}
        return {one.key: released.get(one.release, at) if one.release else at for one in running_on}

    async def _approved(
        self, connection: "Connection", request: RecordCompensation, award: Money
    ) -> tuple[Approved, tuple[Loss, ...]]:
        """What the record says of the award, and the losses that it makes good by that."""
        reference = request.update.reference
        with resting_on_the_record(reference):
            record = await case_record(connection, reference, self._proofs)
            round_ = round_of(request.key, reference)
            approved = award_of(record, round_, award)
            if request.account != record.account:
                raise NotYetRecorded("the account that is compensated is not the one in the case file")
        case = record.as_of(round_)
        return approved, made_good(case, approved.case.proposal) if approved.case.proposal else ()

    async def _settled_elsewhere(self, turn: Turn, request: RecordCompensation, already: Money) -> CompensationRecorded:
        """Others have made everything good: the case is settled, and nothing is posted."""
        at = self._clock()
        events = [Occurred(event=event, at=at, number=request.number) for event in request.announces]
        recorded = await _conclude(turn, request, events, request.then and request.then.dated(at), AtOnce())
        log.info("compensation made good elsewhere", reference=request.update.reference, number=request.number)
        return CompensationRecorded(at=at, recorded=recorded, already=already)


async def _conclude(
    turn: Turn, request: RecordCompensation, events: Sequence[Occurred], then: CaseUpdate | None, beside: AtOnce
) -> Recorded:
    """Write what follows the update of the request: *events*, what comes *then*, and what goes *beside* them."""
    await turn.write(then or request.update.emptied, events, beside=beside)
    return await turn.recorded(request.update, events)


def _made_good(turn: Turn, request: RecordCompensation, award: Money, losses: Sequence[Loss]) -> Money | None:
    """What others made good before of these *losses* of the award; ``None`` for nothing."""
    own = {loss.key: loss for loss in losses}
    if request.account is None or not own:
        return None
    made = [row for row in turn.row["others"] if row["part"] in own]
    if any(row["currency"] != own[row["part"]].currency or row["currency"] != award.currency for row in made):
        raise ApplicationError(
            "others have made good some of these losses in another currency; look at the case again",
            type="CompensationConflict",
            non_retryable=True,
        )
    # Of each loss no more than the case itself found: what is awarded beside the losses is not touched.
    whole = sum((min(Decimal(row["amount"]), own[row["part"]].amount) for row in made), Decimal(0))
    return Money.of(whole, award.currency) if Money.of(whole, award.currency).amount > 0 else None


_BEFORE: Final = """
    (select posted_at from casefile.postings where key = $2) as posted_at,
    (select coalesce(jsonb_agg(jsonb_build_object('part', part, 'amount', amount::text, 'currency', currency)), '[]')
     from casefile.redressed where account = $3 and posting_key <> $2) as others
"""
_RELEASED: Final = """
    select entry, booked_at from tradelog.known_account_entries
    where account = $1 and entry = any($2) and booked_at <= $3
"""
