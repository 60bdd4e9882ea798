"""What a form of the desk decides about, and whether it was sent already."""

from collections.abc import Sequence
from typing import Any

from domain.case.approval import proposal_digest
from domain.case.messages.deciding import DecideResolution, ProposeResolution
from domain.case.messages.handling import ExtendDeadline
from domain.case.messages.paying import ReportPayment, RetryPayment
from domain.ground.messages import Message, OfAResponse
from domain.ground.timeline import Entry
from domain.ground.words import Outcome, PaymentState
from domain.money.amounts import Money
from starter.reading.cases import CaseView
from starter.reading.deadlines import get_deadlines
from starter.reading.payments import PaymentView, get_payments
from web.desk.frame import eyes, stamp
from web.desk.sentences import spoken
from web.visit import Visit


async def named_by(visit: Visit, case: CaseView, kind: type[Message], entries: Sequence[Entry]) -> dict[str, Any]:
    """The fields by which such a message names what it decides about, as it stands: nobody types them.

    A payment that was typed, or that is of another kind than the one in hand, stays what it is.
    """
    if kind is DecideResolution:
        about = _proposal(entries)
        return {"proposal": proposal_digest(about)} if about else {}
    if issubclass(kind, OfAResponse):
        return {"response": case.response} if case.response else {}
    if kind is ReportPayment and visit.text("state") in {PaymentState.PAID, PaymentState.DECLINED}:
        last = await _last_payment(visit, case)
        return {"payment": last.key} if last and last.state is PaymentState.ORDERED else {}
    return {}


async def told_of(visit: Visit, case: CaseView, message: Message, entries: Sequence[Entry]) -> list[str]:
    """What *message* decides about, in sentences: the proposal, the payment, the deadline."""
    match message:
        case DecideResolution():
            return _proposed(visit, _proposal(entries))
        case OfAResponse(response=int(number)):
            return [visit.t("desk.causes.response", number=number)]
        case ReportPayment() | RetryPayment():
            last = await _last_payment(visit, case)
            facts = {"sum": f"{last.currency} {last.amount:,f}", "state": spoken(visit, last.state)} if last else {}
            return [visit.t("desk.causes.last_payment", key=last.key, **facts)] if last else []
        case ExtendDeadline(clock=clock):
            rows = await get_deadlines(eyes(visit), case.reference)
            ends = [row.clock_due for row in rows if row.clock == clock and not (row.satisfied_at or row.replaced)]
            return [visit.t("desk.causes.ends", at=stamp(visit, max(ends)))] if ends else []
        case _:
            return []


def was_said(message: Message, entries: Sequence[Entry]) -> bool:
    """Whether the record has *message* already: its button was pressed twice."""
    return any(entry.data.get("message_id") == message.message_id for entry in entries)


def _proposal(entries: Sequence[Entry]) -> Entry | None:
    return next((one for one in reversed(entries) if one.kind == ProposeResolution.name), None)


async def _last_payment(visit: Visit, case: CaseView) -> PaymentView | None:
    payments = await get_payments(eyes(visit), case.reference)
    return next((one for one in payments if one.state is PaymentState.ORDERED), payments[-1] if payments else None)


def _proposed(visit: Visit, about: Entry | None) -> list[str]:
    """The outcome and the sum of the proposal that is decided about."""
    if about is None:
        return []
    told = [visit.t("desk.causes.outcome", what=spoken(visit, Outcome(about.data["outcome"])))]
    if about.data.get("compensation"):
        told.append(visit.t("desk.causes.sum", sum=str(Money.model_validate(about.data["compensation"]))))
    return told
