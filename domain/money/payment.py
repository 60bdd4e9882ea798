"""Payments: what a rail is asked to pay, what it answers, and what became of it."""

from enum import StrEnum
from typing import Final, Literal

from domain.ground.base import Identifier, Instant, Line, Record, State
from domain.ground.people import Actor
from domain.ground.words import PaymentReason, PaymentState
from domain.money.amounts import Money, PositiveMoney

HAND: Final = "hand"
"""In place of a rail's name: people paid it, outside of Redress."""


class RailState(StrEnum):
    """What a rail says of a payment. All but ``pending`` and ``unknown`` are its last word, but for a reversal."""

    PAID = "paid"
    PENDING = "pending"
    PARTIAL = "partial"
    """A part was paid; the rest will never be paid under this key."""
    DECLINED = "declined"
    """Nothing was paid, and nothing will be under this key."""
    REVERSED = "reversed"
    """It was paid and came back."""
    UNKNOWN = "unknown"
    """The rail has never heard of the key."""


class PaymentOrder(Record):
    """What a rail is to pay: *amount* to the account *payee*, once for the *key*.

    ``reference`` is what the payment is about, a case or an incident; the rail may show it on a statement.
    """

    key: Identifier
    reference: Identifier
    payee: Identifier
    amount: PositiveMoney


class RailAnswer(Record):
    """What a rail says of the payment of a key. ``rail_reference`` is its own number for it."""

    state: RailState
    paid: Money | None = None
    rail_reference: Line | None = None
    reason: PaymentReason | None = None

    def problem_with(self, order: PaymentOrder) -> str | None:
        """Why this cannot be the answer to *order*; ``None`` if it can."""
        ordered = Money(amount=order.amount.amount, currency=order.amount.currency)
        match self.state:
            case RailState.PAID:
                return None if self.paid == ordered else f"paid {self.paid or 'an amount not named'} of {ordered}"
            case RailState.PARTIAL:
                fits = self.paid and self.paid.currency == ordered.currency and 0 < self.paid.amount < ordered.amount
                payable = self.paid and self.paid.rounded().amount == self.paid.amount
                return None if fits and payable else f"in part paid {self.paid or 'an amount not named'} of {ordered}"
            case _:
                return None


class PaymentOutcome(Record):
    """How the payment of a key ended. ``paid`` is what the customer got, zero where that is nothing.

    ``by`` is who says so: the rail, as ``rail:NAME``, or the person who reported it, as ``role:id``.
    """

    key: str
    state: Literal[PaymentState.PAID, PaymentState.PARTIAL, PaymentState.DECLINED, PaymentState.REVERSED]
    paid: Money
    rail: str
    rail_reference: str | None
    reason: PaymentReason | None
    by: str
    at: Instant

    @property
    def spoken(self) -> str:
        """In a few words, for the timeline."""
        what = {
            PaymentState.PAID: f"{self.paid} paid",
            PaymentState.PARTIAL: f"only {self.paid} paid",
            PaymentState.DECLINED: "declined",
            PaymentState.REVERSED: f"{self.paid} came back",
        }[self.state]
        why = f" ({self.reason.value.replace('_', ' ')})" if self.reason else ""
        number = f", reference {self.rail_reference}" if self.rail_reference else ""
        return f"{what}{why}, {self.rail}{number}"


class Payment(State):
    """A payment of a case: one key, one amount, one payee. Another attempt is another payment."""

    key: str
    number: int
    """Orders it among the case's events, and numbers its posting."""
    amount: Money
    payee: str | None
    rail: str
    state: PaymentState = PaymentState.ORDERED
    paid: Money | None = None
    reason: PaymentReason | None = None
    reported_by: str | None = None
    """The id of the person by whose word it ended, if it was not the rail's."""

    @property
    def in_hand(self) -> bool:
        return self.state is PaymentState.ORDERED

    @property
    def has_paid(self) -> bool:
        return self.state in {PaymentState.PAID, PaymentState.PARTIAL}


class PaymentReport(State):
    """What somebody says of a payment, until it is in the ledger."""

    number: int
    key: str
    state: Literal[PaymentState.PAID, PaymentState.DECLINED, PaymentState.REVERSED]
    bank_reference: str | None
    cause: PaymentReason | None
    actor: Actor
