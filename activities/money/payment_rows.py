"""Payments in the case file: what is intended, and how each ended."""

from datetime import datetime
from typing import TYPE_CHECKING

from temporalio.exceptions import ApplicationError

from domain.money.amounts import Money
from domain.money.payment import PaymentOrder, PaymentOutcome

if TYPE_CHECKING:
    from runtime.database import Connection


async def known_payment(connection: "Connection", order: PaymentOrder) -> str | None:
    """The rail that *order* was given to before, if it was."""
    row = await connection.fetchrow("SELECT * FROM payments.orders WHERE key = $1", order.key)
    if row is None:
        return None
    there = (row["reference"], row["payee"], row["amount"], row["currency"])
    if there != (order.reference, order.payee, order.amount.amount, order.amount.currency):
        raise ApplicationError(
            f"the key {order.key} belongs to another payment ({row['currency']} {row['amount']} for"
            f" {row['reference']}); give this one a key of its own",
            type="PaymentConflict",
            non_retryable=True,
        )
    return str(row["rail"])


async def write_intent(connection: "Connection", order: PaymentOrder, rail: str, at: datetime) -> None:
    """Write down that a rail is to be asked for the payment, before it is."""
    await connection.execute(
        "INSERT INTO payments.orders (key, reference, payee, amount, currency, rail, ordered_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        order.key,
        order.reference,
        order.payee,
        order.amount.amount,
        order.amount.currency,
        rail,
        at,
    )


async def outcome_of(connection: "Connection", key: str) -> PaymentOutcome | None:
    """How the payment of *key* ended, if it has."""
    row = await connection.fetchrow(
        "SELECT e.*, currency, rail FROM payments.outcomes e JOIN payments.orders USING (key) WHERE key = $1", key
    )
    if row is None:
        return None
    return PaymentOutcome.model_validate(
        {
            "key": key,
            "state": row["outcome"],
            "paid": Money(amount=row["paid"], currency=row["currency"]),
            "rail": row["rail"],
            "rail_reference": row["rail_reference"],
            "reason": row["reason"],
            "by": row["said_by"],
            "at": row["at"],
        }
    )


async def write_outcome(connection: "Connection", outcome: PaymentOutcome) -> None:
    """Write down how a payment ended."""
    await connection.execute(
        "INSERT INTO payments.outcomes (key, outcome, paid, rail_reference, reason, said_by, at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        outcome.key,
        outcome.state.value,
        outcome.paid.amount,
        outcome.rail_reference,
        outcome.reason.value if outcome.reason else None,
        outcome.by,
        outcome.at,
    )
