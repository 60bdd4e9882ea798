"""Updates about payments."""

from typing import Literal, Self

from pydantic import model_validator

from domain.ground.base import Identifier, Text
from domain.ground.messages import Message
from domain.ground.words import PaymentReason, PaymentState


class RetryPayment(Message):
    """Have the payment tried again, now that what was in its way has been put right.

    ``payee`` is the account to pay to from now on, where the one on file is wrong. That needs a role that may approve
    what was awarded, and not the person who proposed it.
    """

    name = "retry_payment"
    reason: Text
    payee: Identifier | None = None


class ReportPayment(Message):
    """What became of a payment, by somebody who knows it from the bank.

    The state ``paid`` means that the payment in hand was made or, where none is, that what is owed was paid outside of
    Redress; ``declined``, that the payment in hand did not happen and never will; ``reversed``, that what had been paid
    came back. ``payment`` is the key of the payment that is meant, where there are several. This moves money in the
    ledger, so it needs a role that may approve what was awarded, and not the person who proposed it; a reversal may be
    told by a program as well.
    """

    name = "report_payment"
    state: Literal[PaymentState.PAID, PaymentState.DECLINED, PaymentState.REVERSED]
    bank_reference: Identifier | None = None
    payment: Identifier | None = None
    cause: PaymentReason | None = None
    reason: Text | None = None

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.state is PaymentState.DECLINED:
            if self.reason is None:
                raise ValueError("reason: say how it is known that the payment will never happen")
        elif self.bank_reference is None:
            raise ValueError("bank_reference: give the bank's own number for the transaction")
        if self.state is PaymentState.PAID and self.cause:
            raise ValueError("cause: a payment that was made has none")
        return self
