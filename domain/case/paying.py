"""Who may have a payment tried again, and who may say what became of one."""

from domain.case.case import Case
from domain.case.messages.paying import ReportPayment, RetryPayment
from domain.case.payments import last_payment
from domain.ground.base import person_of
from domain.ground.messages import NotAllowed
from domain.ground.people import Actor
from domain.ground.words import PaymentState, Role, Stage
from domain.money.payment import Payment


def check_retry(case: Case, message: RetryPayment) -> None:
    """Raise :class:`NotAllowed` unless *message*'s actor may have the payment tried again now.

    Who reported by hand that the last payment did not happen, or came back, does not also have it paid again.
    """
    _check_waits(case)
    last = last_payment(case)
    if case.payment_held is None:
        raise NotAllowed("retry_payment: the payment is under way; nothing waits for a person")
    if last and last.reported_by and person_of(last.reported_by) == message.actor.person:
        raise NotAllowed(
            "actor: who reported what became of the payment does not have it paid again; a second person may"
        )
    if message.payee is None and case.payee is None and case.account is None:
        raise NotAllowed("payee: the case has no account to pay to; give one")
    if message.payee not in {None, case.payee or case.account}:
        if last and last.in_hand:
            raise NotAllowed(
                f"payee: {last.key} may have been paid to the old account; report_payment first what became of it"
            )
        check_second_person(case, message.actor, "choose another account")


def check_report(case: Case, message: ReportPayment) -> None:
    """Raise :class:`NotAllowed` unless *message*'s actor may report that of a payment of the case."""
    if message.state is PaymentState.REVERSED:
        meant = reversible(case, message.payment)
        if message.actor.role is not Role.SERVICE:
            check_second_person(case, message.actor, "report a reversal")
        if any(report.key == meant.key for report in case.reports):
            raise NotAllowed(f"payment: a report of {meant.key} is being recorded already")
        return
    check_second_person(case, message.actor, f"report a payment as {message.state.value}")
    _check_waits(case)
    last = last_payment(case)
    in_hand = last if last and last.in_hand else None
    if message.state is PaymentState.DECLINED and in_hand is None:
        raise NotAllowed("state: no payment is in hand that could have been declined")
    if message.payment and message.payment != (in_hand.key if in_hand else None):
        hand = f"it is {in_hand.key}" if in_hand else "none is; leave the field out for a payment outside of Redress"
        raise NotAllowed(f"payment: {message.payment} is not in hand; {hand}")


def reversible(case: Case, key: str | None) -> Payment:
    """The payment that came back: that of *key*, or the only one. Raises :class:`NotAllowed`."""
    made = [payment for payment in case.payments if payment.has_paid]
    if key is None and len(made) == 1:
        return made[0]
    for payment in made:
        if payment.key == key:
            return payment
    known = ", ".join(payment.key for payment in made) or "none"
    raise NotAllowed(f"payment: name the one that came back; those made are: {known}")


def _check_waits(case: Case) -> None:
    if case.unpaid is None or case.stage is not Stage.SETTLING:
        raise NotAllowed("nothing is to be paid in this case now")
    if case.reports:
        raise NotAllowed("a report of a payment is being recorded; try again in a moment")


def check_second_person(case: Case, actor: Actor, what: str) -> None:
    """Raise :class:`NotAllowed` unless *actor* proposed nothing and may approve all that was awarded."""
    decision = case.decision
    if not decision.may_approve(actor.role, case.awarded):
        able = ", ".join(role.value for role in decision.approvers(case.awarded)) or "nobody in this pack"
        raise NotAllowed(
            f"actor: role {actor.role.value} may not {what} where {case.awarded} was awarded; roles that may: {able}"
        )
    proposers = {person_of(one) for one in case.proposers}
    if actor.person in proposers or (case.proposal and case.proposal.proposed_by.person == actor.person):
        raise NotAllowed(f"actor: who proposed the award may not {what}; a second person may")
