"""What a payment rail does for the accounts of an incident: each paid once, however many attempts that takes."""

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Final

import asyncpg
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.money.ledger import Posting, cash, liability, post
from activities.money.payments import Payments
from activities.money.redressed import lock_account
from activities.money.standing import resting_on_the_record
from domain.case.approval import NotApproved
from domain.incidents.requests import MemberPaid, PayMember
from domain.money.amounts import Money, PositiveMoney
from domain.money.payment import PaymentOrder, PaymentOutcome

if TYPE_CHECKING:
    from runtime.database import Connection


def payment_key(reference: str, account: str, attempt: int) -> str:
    """The idempotency key of an attempt to pay an account. It is in logs, so it does not tell the account."""
    whose = hashlib.sha256(f"{reference}:{account}".encode()).hexdigest()[:16]
    return f"{reference}:payment:{whose}:{attempt}"


class IncidentPayments:
    """Has the accounts of an incident paid."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", payments: Payments) -> None:
        self._pool = pool
        self._payments = payments

    @activity.defn(name="PayMember")
    async def pay_member(self, request: PayMember) -> MemberPaid:
        """Have what is still owed to the account paid, and post it: debit its liability, credit ``cash:<rail>``.

        Raises what :meth:`activities.money.payments.Payments.settle` does, and, never retried, ``NothingOwed``, and
        ``NotApproved`` for more than is owed: an order without an outcome may have been paid.
        """
        reference, account = request.reference, request.account
        owed, posted_at = await self._owed(request)
        if owed.amount <= 0:
            return MemberPaid(at=posted_at, complete=True, spoken="paid before")
        order = _order(request, owed)

        async def book(connection: "Connection", outcome: PaymentOutcome) -> MemberPaid:
            await _post(connection, request, outcome)
            return MemberPaid(at=outcome.at, complete=outcome.paid == owed, spoken=outcome.spoken, outcome=outcome)

        async def intend(connection: "Connection") -> None:
            await lock_account(connection, account)
            left = await connection.fetchval(_LEFT, reference, account, order.key)
            with resting_on_the_record(reference):
                if left is None or left < order.amount.amount:
                    raise NotApproved(f"{order.key}: {order.amount} is more than is still owed to the account")

        return await self._payments.settle(order, book, intend=intend)

    async def restore(
        self, request: PayMember, ordered_at: datetime, outcome: PaymentOutcome | None, rail: str
    ) -> None:
        """Write again what a lost case file knew of a payment; without an *outcome* only that *rail* was told of it."""
        owed, _ = await self._owed(request)
        if owed.amount > 0:
            book = None if outcome is None else lambda connection: _post(connection, request, outcome)
            await self._payments.restore(_order(request, owed), ordered_at, outcome, rail, book=book)

    async def _owed(self, request: PayMember) -> tuple[Money, datetime]:
        """What this attempt is to pay, and since when it is owed. Raises ``NothingOwed``."""
        reference, account = request.reference, request.account
        keys = [payment_key(reference, account, number) for number in range(1, request.attempt)]
        row = await self._pool.fetchrow(_OWED, reference, account, keys)
        if row is None:
            raise ApplicationError("nothing is owed to the account", type="NothingOwed", non_retryable=True)
        return Money.of(row["amount"] - row["paid"], row["currency"]), row["posted_at"]


def _order(request: PayMember, owed: Money) -> PaymentOrder:
    return PaymentOrder(
        key=payment_key(request.reference, request.account, request.attempt),
        reference=request.reference,
        payee=request.account,
        amount=PositiveMoney(amount=owed.amount, currency=owed.currency),
    )


async def _post(connection: "Connection", request: PayMember, outcome: PaymentOutcome) -> None:
    """Post what was paid."""
    if outcome.paid.amount > 0:
        posting = Posting(
            key=outcome.key,
            kind="payment",
            reference=None,
            number=request.attempt,
            amount=outcome.paid,
            debit=liability(f"{request.reference}:{request.account}"),
            credit=cash(outcome.rail),
            rail=outcome.rail,
            incident=request.reference,
            account=request.account,
        )
        await post(connection, posting, outcome.at)


_LEFT: Final = """
    select award.amount - coalesce((
        select sum(coalesce(paid, orders.amount)) from payments.orders left join payments.outcomes using (key)
        where orders.reference = $1 and payee = $2 and key <> $3
    ), 0)
    from casefile.postings as award
    where award.incident = $1 and award.account = $2 and award.kind = 'award'
"""
_OWED: Final = """
    select award.amount, award.currency, award.posted_at,
        coalesce((select sum(paid) from payments.outcomes where key = any($3)), 0) as paid
    from casefile.postings as award
    where award.incident = $1 and award.account = $2 and award.kind = 'award'
"""
