"""Payments: each ordered once by its key, never paid blind, and in the ledger with the words of whoever knew.

:meth:`Payments.settle` is the conversation with a rail, for whatever is to be paid; the activities are what a case does
with it. Before a rail hears of a payment for the first time, the intent is committed. Whoever finds an intent without
an outcome asks the rail for the key, and has it paid only if the rail has never heard of it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, TypeVar

import asyncpg
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.case.case_file import CaseFile, utc_now
from activities.money.ledger import Posting, cash, liability, post
from activities.money.payment_rows import known_payment, outcome_of, write_intent, write_outcome
from activities.money.standing import resting_on_the_record
from domain.case.approval import NotApproved, NotYetRecorded
from domain.case.approved_payments import check_paid_again, check_reported, payee_of
from domain.case.requests import BookPayment, PayCompensation, PaymentRecorded
from domain.ground.people import SYSTEM
from domain.ground.timeline import Entry
from domain.ground.words import PaymentReason, PaymentState
from domain.money.amounts import Money
from domain.money.payment import HAND, PaymentOrder, PaymentOutcome, RailAnswer, RailState
from domain.people.actors import Proofs
from record.approvals import case_record, ended_unpaid, owed
from runtime.payment_rail import PaymentRail, RailConflict, RailFailed

if TYPE_CHECKING:
    from runtime.database import Connection

T = TypeVar("T")

FIRST_WAIT: Final = timedelta(seconds=5)
LONGEST_WAIT: Final = timedelta(minutes=15)
"""How long a payment without an outcome waits until the rail is asked again: first, and at most."""

log = structlog.get_logger(__name__)


class Payments:
    """Has payments made. ``rail`` is ``None`` where the ledger alone is kept."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        case_file: CaseFile,
        rail: PaymentRail | None,
        clock: Callable[[], datetime] = utc_now,
        *,
        proofs: Proofs | None = None,
    ) -> None:
        """*clock* gives the time as an aware datetime; *proofs* know whose signatures count."""
        self._pool = pool
        self._case_file = case_file
        self._rail = rail
        self._clock = clock
        self._proofs = proofs
        # A payment keeps its connection while it talks to the rail; a slow one must not take them all.
        self._connections = asyncio.Semaphore(max(1, pool.get_max_size() // 2))

    @property
    def rail(self) -> str | None:
        """The rail's name."""
        return self._rail.name if self._rail else None

    # -- the conversation with a rail ---------------------------------------------------------------------------------

    async def settle(
        self,
        order: PaymentOrder,
        book: "Callable[[Connection, PaymentOutcome], Awaitable[T]]",
        *,
        intend: "Callable[[Connection], Awaitable[object]] | None" = None,
    ) -> T:
        """Have *order* paid once, by its key, and return what *book* makes of the outcome.

        *book* runs in the transaction that records the outcome, and again whenever an order is given again whose
        outcome is known: what it writes needs a key of its own. *intend* runs in the transaction of the intent.

        Raises `ApplicationError`, each with the time to wait before the next try, of type ``PaymentPending`` (the rail
        has it), ``PaymentUnknown`` (no answer that can be trusted; the rail is asked for the key next time),
        ``PaymentRailMissing`` (no rail is configured) or ``PaymentRailChanged`` (another one has the payment); and,
        never retried, ``PaymentConflict`` if the key belongs to another payment, here or at the rail, or if what the
        rail paid is not what it was told to pay.
        """
        async with self._alone(order.key) as connection:
            known = await known_payment(connection, order)
            outcome = await outcome_of(connection, order.key)
            if outcome is None:
                rail = self._usable(known)
                if known is None:
                    async with connection.transaction():
                        if intend:
                            await intend(connection)
                        await write_intent(connection, order, rail.name, self._clock())
                answer = await self._converse(connection, rail, order, ask_first=known is not None)
                outcome = self._outcome_of(order, rail, answer)
            async with connection.transaction():
                await write_outcome(connection, outcome)
                return await book(connection, outcome)

    async def restore(
        self,
        order: PaymentOrder,
        ordered_at: datetime,
        outcome: PaymentOutcome | None,
        rail: str,
        book: "Callable[[Connection], Awaitable[object]] | None" = None,
    ) -> None:
        """Write again what a lost case file knew of a payment; without an *outcome* only that *rail* was told of it.

        No rail is told to pay; whoever goes on with the payment finds the order, and asks the rail first. *book* runs
        in the same transaction.
        """
        async with self._alone(order.key) as connection, connection.transaction():
            if await known_payment(connection, order) is None:
                await write_intent(connection, order, outcome.rail if outcome else rail, ordered_at)
            if outcome:
                await write_outcome(connection, outcome)
            if book:
                await book(connection)

    @asynccontextmanager
    async def _alone(self, key: str) -> "AsyncIterator[Connection]":
        """A connection that holds the lock on *key*; whoever else wants the payment waits, then finds its outcome."""
        async with self._connections, self._pool.acquire() as connection:
            # Let go when the session ends, or when the pool resets the connection on its way back.
            await connection.execute("SELECT pg_advisory_lock(hashtextextended('payment:' || $1, 0))", key)
            yield connection

    def _usable(self, known: str | None) -> PaymentRail:
        """The rail, if it is *known*, the one that may know the payment: another would pay it a second time."""
        if self._rail is None:
            raise ApplicationError(
                "no payment rail is configured; set REDRESS_PAYMENT_URL and REDRESS_PAYMENT_SECRET",
                type="PaymentRailMissing",
                next_retry_delay=LONGEST_WAIT,
            )
        if known is not None and known != self._rail.name:
            raise ApplicationError(
                f"the payment was ordered from rail {known}, and this worker has {self._rail.name}: set"
                " REDRESS_PAYMENT_URL back, or report what became of it",
                type="PaymentRailChanged",
                next_retry_delay=LONGEST_WAIT,
            )
        return self._rail

    async def _converse(
        self, connection: "Connection", rail: PaymentRail, order: PaymentOrder, *, ask_first: bool
    ) -> RailAnswer:
        """The rail's last word on *order*."""
        answer = RailAnswer(state=RailState.UNKNOWN)
        if ask_first:
            answer = await self._exchange(connection, order, "ask", lambda: rail.ask(order.key))
        if answer.state is RailState.UNKNOWN:
            answer = await self._exchange(connection, order, "pay", lambda: rail.pay(order))
        if answer.state is RailState.PENDING:
            wait = await _next_wait(connection, order.key)
            raise ApplicationError(
                "the rail has not made the payment yet", type="PaymentPending", next_retry_delay=wait
            )
        return answer

    async def _exchange(
        self,
        connection: "Connection",
        order: PaymentOrder,
        asked: Literal["pay", "ask"],
        talk: Callable[[], Awaitable[RailAnswer]],
    ) -> RailAnswer:
        """What the rail says, written down. An answer that cannot be is none."""

        async def note(answer: str, detail: str) -> None:
            await connection.execute(
                "INSERT INTO payments.exchanges (key, at, asked, answer, detail) VALUES ($1, $2, $3, $4, $5)",
                order.key,
                self._clock(),
                asked,
                answer,
                detail,
            )

        try:
            answer = await talk()
            if asked == "pay" and answer.state is RailState.UNKNOWN:
                raise RailFailed("the rail was told to pay, and says that it has never heard of it")
            if problem := answer.problem_with(order):
                raise RailConflict(f"the rail says {problem}")
        except RailConflict as error:
            await note("conflict", str(error))
            log.error("payment in conflict", payment=order.key, why=str(error))  # noqa: TRY400 (where is no news)
            raise ApplicationError(f"{order.key}: {error}", type="PaymentConflict", non_retryable=True) from None
        except RailFailed as error:
            await note("failed", f"nothing was ordered: {error}" if error.unsent else str(error))
            wait = await _next_wait(connection, order.key)
            log.error("payment without an answer", payment=order.key, why=str(error))  # noqa: TRY400 (as above)
            what = "nothing was ordered" if error.unsent else "whether it was paid is not known"
            raise ApplicationError(
                f"{error}; {what}, and the rail is asked next time", type="PaymentUnknown", next_retry_delay=wait
            ) from None
        await note(answer.state.value, answer.reason.value if answer.reason else "")
        return answer

    def _outcome_of(self, order: PaymentOrder, rail: PaymentRail, answer: RailAnswer) -> PaymentOutcome:
        state = {
            RailState.PAID: PaymentState.PAID,
            RailState.PARTIAL: PaymentState.PARTIAL,
            RailState.DECLINED: PaymentState.DECLINED,
            RailState.REVERSED: PaymentState.REVERSED,
        }[answer.state]
        paid = answer.paid if state in {PaymentState.PAID, PaymentState.PARTIAL} else None
        return PaymentOutcome.model_validate(
            {
                "key": order.key,
                "state": state,
                "paid": paid or Money.zero(order.amount.currency),
                "rail": rail.name,
                "rail_reference": answer.rail_reference,
                "reason": None if paid else answer.reason or PaymentReason.OTHER,
                "by": f"rail:{rail.name}",
                "at": self._clock(),
            }
        )

    # -- what a case does with it -------------------------------------------------------------------------------------

    @activity.defn(name="PayCompensation")
    async def pay_compensation(self, request: PayCompensation) -> PaymentRecorded:
        """Have a case's payment made, and post it: debit ``liability:customer:<reference>``, credit ``cash:<rail>``.

        Raises what :meth:`settle` does, ``CompensationConflict`` if the ledger has something else in its place, and,
        never retried, ``NotApproved`` if the record bears no such payment: more than is owed, another account than the
        case's or the one that a second person chose, or one that nobody had tried again.
        """

        async def intend(connection: "Connection") -> None:
            # Now, not with the outcome: a payment that is under way for days must not hold back the case file.
            await self._case_file.apply(connection, request.update)
            await _check_order(connection, request, self._proofs)

        async def book(connection: "Connection", outcome: PaymentOutcome) -> PaymentRecorded:
            return await self._book(connection, request, outcome)

        recorded = await self.settle(request.order, book, intend=intend)
        log.info("payment settled", payment=request.order.key, outcome=recorded.outcome.state.value)
        return recorded

    async def restore_paid(
        self, request: PayCompensation, ordered_at: datetime, outcome: PaymentOutcome | None, rail: str
    ) -> None:
        """:meth:`restore` of a case's payment, with what goes with it."""

        async def book(connection: "Connection") -> None:
            await self._case_file.apply(connection, request.update)
            if outcome:
                await self._book(connection, request, outcome)

        await self.restore(request.order, ordered_at, outcome, rail, book)

    async def restore_reported(self, request: BookPayment, outcome: PaymentOutcome) -> None:
        """Write again what somebody had reported of a payment, and what the ledger made of it."""
        if request.state is not PaymentState.REVERSED:
            async with self._alone(request.key) as connection, connection.transaction():
                await connection.execute(
                    "INSERT INTO payments.orders (key, reference, payee, amount, currency, rail, ordered_at)"
                    " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
                    request.key,
                    request.update.reference,
                    request.payee,
                    request.amount.amount,
                    request.amount.currency,
                    outcome.rail,
                    outcome.at,
                )
                await write_outcome(connection, outcome)
        await self.book_payment(request)

    @activity.defn(name="BookPayment")
    async def book_payment(self, request: BookPayment) -> PaymentRecorded:
        """Post what a person says became of a payment. If its outcome is known already, that stands and is answered.

        A payment that no rail was told to make is one by hand. Raises `ApplicationError`, never retried, of type
        ``NotPaid`` for the reversal of a payment that was never made, or ``NotApproved`` if the record has no report of
        it by somebody who may tell.
        """
        async with self._alone(request.key) as connection, connection.transaction():
            await self._case_file.apply(connection, request.update)
            await _check_report(connection, request, self._proofs)
            if request.state is PaymentState.REVERSED:
                return await self._reverse(connection, request)
            outcome = await outcome_of(connection, request.key)
            if outcome is None:
                await connection.execute(
                    "INSERT INTO payments.orders (key, reference, payee, amount, currency, rail, ordered_at)"
                    " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
                    request.key,
                    request.update.reference,
                    request.payee,
                    request.amount.amount,
                    request.amount.currency,
                    HAND,
                    self._clock(),
                )
                rail = await connection.fetchval("SELECT rail FROM payments.orders WHERE key = $1", request.key)
                outcome = self._reported(request, rail)
                await write_outcome(connection, outcome)
            return await self._book(connection, request, outcome)

    def _reported(self, request: BookPayment, rail: str) -> PaymentOutcome:
        made = request.state is PaymentState.PAID
        return PaymentOutcome(
            key=request.key,
            state=request.state,
            paid=request.amount if made else Money.zero(request.amount.currency),
            rail=rail,
            rail_reference=request.bank_reference,
            reason=None if made else request.cause or PaymentReason.OTHER,
            by=str(request.actor),
            at=self._clock(),
        )

    async def _book(
        self, connection: "Connection", request: PayCompensation | BookPayment, outcome: PaymentOutcome
    ) -> PaymentRecorded:
        """Post what was paid, and tell the case file. Again, it changes nothing and answers the same."""
        reference = request.update.reference
        if outcome.paid.amount > 0:
            posting = Posting(
                key=outcome.key,
                kind="payment",
                reference=reference,
                number=request.number,
                amount=outcome.paid,
                debit=liability(reference),
                credit=cash(outcome.rail),
                rail=outcome.rail,
            )
            await post(connection, posting, outcome.at)
        return await self._tell(connection, request, outcome, f"{outcome.key}:outcome")

    async def _reverse(self, connection: "Connection", request: BookPayment) -> PaymentRecorded:
        """Post the opposite of what was paid."""
        paid = await outcome_of(connection, request.key)
        if paid is None or paid.paid.amount <= 0:
            raise ApplicationError(
                f"{request.key} was not paid, so it cannot have come back", type="NotPaid", non_retryable=True
            )
        await connection.execute(
            "INSERT INTO payments.reversals (key, bank_reference, reason, said_by, at) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT DO NOTHING",
            request.key,
            request.bank_reference or "",
            request.cause.value if request.cause else None,
            str(request.actor),
            self._clock(),
        )
        row = await connection.fetchrow("SELECT * FROM payments.reversals WHERE key = $1", request.key)
        assert row is not None  # noqa: S101 (just inserted, or there before)
        reference = request.update.reference
        posting = Posting(
            key=f"{request.key}:reversed",
            kind="reversal",
            reference=reference,
            number=request.number,
            amount=paid.paid,
            debit=cash(paid.rail),
            credit=liability(reference),
            rail=paid.rail,
        )
        await post(connection, posting, row["at"])
        returned = paid.model_copy(
            update={
                "state": PaymentState.REVERSED,
                "rail_reference": row["bank_reference"],
                "reason": PaymentReason(row["reason"]) if row["reason"] else PaymentReason.OTHER,
                "by": row["said_by"],
                "at": row["at"],
            }
        )
        return await self._tell(connection, request, returned, f"{request.key}:reversed")

    async def _tell(
        self, connection: "Connection", request: PayCompensation | BookPayment, outcome: PaymentOutcome, key: str
    ) -> PaymentRecorded:
        entry = Entry(
            key=key,
            at=outcome.at,
            kind="payment",
            actor=str(SYSTEM) if outcome.by.startswith("rail:") else outcome.by,
            text=outcome.spoken,
            data=outcome.model_dump(mode="json"),
        )
        update = request.update.model_copy(update={"entries": (*request.update.entries, entry)})
        return PaymentRecorded(outcome=outcome, recorded=await self._case_file.apply(connection, update))


async def _check_order(connection: "Connection", request: PayCompensation, proofs: Proofs | None) -> None:
    """Raise unless the record bears the order of a case's payment, whose case is locked."""
    order, reference = request.order, request.update.reference
    with resting_on_the_record(reference):
        if order.reference != reference or not order.key.startswith(f"{reference}:payment:"):
            raise NotApproved(f"{order.key} is not a payment of the case")
        left = await owed(connection, reference, order.amount.currency, besides=order.key)
        if left < order.amount:
            raise NotApproved(f"{order.key}: {order.amount} is more than is owed and not ordered yet, {left}")
        record = await case_record(connection, reference, proofs)
        if order.payee != payee_of(record):
            raise NotYetRecorded(f"{order.key}: the case file names another account to pay to")
        if said_by := await ended_unpaid(connection, reference, besides=order.key):
            check_paid_again(record, said_by)


async def _check_report(connection: "Connection", request: BookPayment, proofs: Proofs | None) -> None:
    """Raise unless the record bears what somebody reports of a payment of a case, which is locked."""
    reference, key = request.update.reference, request.key
    with resting_on_the_record(reference):
        record = await case_record(connection, reference, proofs)
        check_reported(record, request.actor, request.state, request.bank_reference)
        order = await connection.fetchrow("select reference, amount, currency from payments.orders where key = $1", key)
        if order is None:
            left = await owed(connection, reference, request.amount.currency, besides=key)
            if not key.startswith(f"{reference}:payment:") or left < request.amount:
                raise NotApproved(f"{key}: {request.amount} is more than is owed and not ordered yet, {left}")
        elif tuple(order) != (reference, request.amount.amount, request.amount.currency):
            raise NotApproved(f"{key} is another payment than the one reported")


async def _next_wait(connection: "Connection", key: str) -> timedelta:
    """Twice as long after each exchange, whichever worker had it."""
    exchanges = int(await connection.fetchval("SELECT count(*) FROM payments.exchanges WHERE key = $1", key))
    wait: timedelta = FIRST_WAIT * 2 ** min(exchanges - 1, 20)
    return min(wait, LONGEST_WAIT)
