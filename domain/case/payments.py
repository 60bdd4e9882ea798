"""Where the payment of what was awarded stands, and which one is in hand."""

from domain.case.case import Case
from domain.ground.words import PaymentState
from domain.money.payment import Payment


def last_payment(case: Case) -> Payment | None:
    """The payment in hand, or else the last one."""
    return next((one for one in case.payments if one.in_hand), case.payments[-1] if case.payments else None)


def is_reported(case: Case) -> bool:
    """Whether somebody's word on the payment in hand is on its way to the ledger."""
    return any(report.state is not PaymentState.REVERSED for report in case.reports)


def payment_standing(case: Case) -> str | None:
    """``under_way``, ``held`` or ``paid``; ``None`` where no rail pays."""
    if case.rail is None:
        return None
    return "paid" if case.unpaid is None else "held" if case.payment_held else "under_way"


def payment_spoken(case: Case) -> str | None:
    """Where the payment of what was awarded stands, in a few words."""
    if case.rail is None:
        return None
    if case.unpaid is None:
        return f"{case.awarded} paid"
    state = f"held: {case.payment_held}" if case.payment_held else "under way"
    return f"{case.unpaid} through {case.rail}, {state}"


def payment_in_hand(case: Case) -> Payment:
    """The payment in hand; where none is, a further one of all that is unpaid, in hand from now on."""
    if (last := last_payment(case)) and last.in_hand:
        return last
    if case.unpaid is None:
        raise LookupError("nothing is unpaid")
    payment = Payment(
        key=f"{case.reference}:payment:{case.rounds}:{len(case.payments) + 1}",
        number=case.next_number(),
        amount=case.unpaid,
        payee=case.payee or case.account,
        rail=case.rail or "",
    )
    case.payments.append(payment)
    case.revision += 1
    return payment
