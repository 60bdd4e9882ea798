"""What a payment rail does for the accounts of an incident: each paid once, however many attempts that takes."""

import hashlib
from typing import TYPE_CHECKING, Final

import asyncpg
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.ledger import Posting, cash, liability, post
from activities.payments import Payments
from domain.incident_work import MemberPaid, PayMember
from domain.money import Money, PositiveMoney
from domain.payment import PaymentOrder, PaymentOutcome

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]

log = structlog.get_logger(__name__)


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

        Raises what :meth:`activities.payments.Payments.settle` does, and, never retried, ``NothingOwed``.
        """
        reference, account, attempt = request.reference, request.account, request.attempt
        keys = [payment_key(reference, account, number) for number in range(1, attempt)]
        row = await self._pool.fetchrow(_OWED, reference, account, keys)
        if row is None:
            raise ApplicationError("nothing is owed to the account", type="NothingOwed", non_retryable=True)
        owed = Money.of(row["amount"] - row["paid"], row["currency"])
        if owed.amount <= 0:
            return MemberPaid(at=row["posted_at"], complete=True, spoken="paid before")
        order = PaymentOrder(
            key=payment_key(reference, account, attempt),
            reference=reference,
            payee=account,
            amount=PositiveMoney(amount=owed.amount, currency=owed.currency),
        )

        async def book(connection: "Connection", outcome: PaymentOutcome) -> MemberPaid:
            if outcome.paid.amount > 0:
                posting = Posting(
                    key=outcome.key,
                    kind="payment",
                    reference=None,
                    number=attempt,
                    amount=outcome.paid,
                    debit=liability(f"{reference}:{account}"),
                    credit=cash(outcome.rail),
                    rail=outcome.rail,
                    incident=reference,
                    account=account,
                )
                await post(connection, posting, outcome.at)
            return MemberPaid(at=outcome.at, complete=outcome.paid == owed, spoken=outcome.spoken)

        return await self._payments.settle(order, book)


_OWED: Final = """
    select award.amount, award.currency, award.posted_at,
        coalesce((select sum(paid) from payments.outcomes where key = any($3)), 0) as paid
    from casefile.postings as award
    where award.incident = $1 and award.account = $2 and award.kind = 'award'
"""
