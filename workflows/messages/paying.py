"""What people say of payments."""

from domain.case.messages.paying import ReportPayment, RetryPayment
from domain.case.paying import check_report, check_retry, reversible
from domain.case.payments import last_payment, payment_in_hand
from domain.ground.words import PaymentState
from domain.money.payment import HAND, PaymentReport
from workflows.parts.casework import Casework


def retry_payment(work: Casework, request: RetryPayment) -> str:
    """Have what is owed paid again, to another account if one is named."""
    case = work.case
    case.payment_held = None
    case.payee = request.payee or case.payee
    return f"{case.unpaid} is paid again"


def must_be_payable(work: Casework, request: RetryPayment) -> None:
    """There is something to pay, and the actor may say where to."""
    check_retry(work.case, request)


def report_payment(work: Casework, request: ReportPayment) -> str:
    """Put into the ledger what became of a payment."""
    case = work.case
    if request.state is PaymentState.REVERSED:
        payment, number = reversible(case, request.payment), case.next_number()
    else:
        last = last_payment(case)
        payment = payment_in_hand(case)
        if payment is not last:
            payment.rail = HAND
        number = payment.number
    work.till.book(
        PaymentReport(
            number=number,
            key=payment.key,
            state=request.state,
            bank_reference=request.bank_reference,
            cause=request.cause,
            actor=request.actor,
        )
    )
    return f"{payment.amount} {request.state.value}, {payment.key}"


def must_be_reportable(work: Casework, request: ReportPayment) -> None:
    """There is such a payment, and the actor may say what became of it."""
    check_report(work.case, request)
