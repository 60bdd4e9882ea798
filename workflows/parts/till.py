"""The till: the award posted once and, where a payment rail is to pay it, paid once.

With the ledger alone the posting settles the case. With a rail it only makes the debt; the case is settled when nothing
of it is unpaid. Whatever the rail does, each payment has one key and one outcome; another attempt is another payment.
"""

import asyncio
import contextlib
from itertools import takewhile
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError

from domain.case.case import Case
from domain.case.file import CaseUpdate, Recorded
from domain.case.payments import is_reported, payment_in_hand
from domain.case.remedies import outstanding
from domain.case.requests import BookPayment, PayCompensation, RecordCompensation
from domain.case.resolution import made_good
from domain.ground import spoken
from domain.ground.words import CaseEvent, LetterKind, PaymentReason, PaymentState, Role, Stage
from domain.money.amounts import Money, PositiveMoney
from domain.money.payment import Payment, PaymentOrder, PaymentOutcome, PaymentReport
from workflows import effects
from workflows.parts.beside import Beside
from workflows.parts.faults import Faults
from workflows.parts.ladder import Ladder
from workflows.parts.post import Post
from workflows.parts.recorder import Recorder
from workflows.parts.waiting import Waiting

_MOST_PARTS: Final = 3
"""So many times in a row a rail may pay in parts before a person looks at it."""


class Till:
    """Pays what a case awarded."""

    def __init__(
        self,
        case: Case,
        beside: Beside,
        recorder: Recorder[CaseUpdate, Recorded],
        waiting: Waiting,
        *,
        post: Post,
        ladder: Ladder,
        faults: Faults,
    ) -> None:
        self._case, self._beside, self._recorder, self._waiting = case, beside, recorder, waiting
        self._post, self._ladder, self._faults = post, ladder, faults

    def book(self, report: PaymentReport) -> None:
        """Have what a person reports put into the ledger, and go on from there."""
        self._case.reports.append(report)
        self._beside.start(self._book(report))

    def resume(self) -> None:
        """Go on with the reports that an earlier run was putting into the ledger."""
        for report in self._case.reports:
            self._beside.start(self._book(report))

    async def post_award(self, award: Money) -> None:
        """Post the *award*, once.

        Raises :class:`~workflows.parts.faults.GivenUp` where the ledger never will, and people lead the case out.
        """
        case = self._case
        case.awarding = case.awarding or case.next_number()
        update = self._recorder.take_all()
        awarded: Money | None = award if case.awarded is None else case.awarded + award
        # With something else still owed, the posting alone settles nothing.
        owed = bool(outstanding(case))
        then = None if owed else case.anticipating(Stage.FOLLOWING_UP, workflow.now(), compensation=awarded)
        request = RecordCompensation(
            key=f"{case.reference}:compensation:{case.rounds}",
            number=case.awarding,
            award=award,
            announces=() if owed else (CaseEvent.SETTLED,),
            update=update,
            then=then,
            account=case.account,
            losses=made_good(case, case.proposal) if case.proposal else (),
            deduct=bool(case.proposal and (case.proposal.reasons is None or case.proposal.as_found)),
        )
        posted = await self._faults.insist(
            spoken.said("compensation", "赔偿入账"),
            update,
            lambda: effects.record_compensation(request),
            led_out=lambda: case.to_investigate,
        )
        case.awarding = None
        if posted.further:
            award = award.rounded() + posted.further
            case.note(posted.at, "award", f"{posted.further} of it is interest that ran on since the findings")
            awarded = award if case.awarded is None else case.awarded + award
        if posted.already:
            award = Money.of(award.amount - posted.already.amount, award.currency)
            case.note(posted.at, "award", f"{posted.already} of it had been made good under another case or incident")
            self._post.tell_staff(
                Role.HANDLER,
                f"{posted.already} of the award had been made good under another case or incident and is not paid "
                "again. See that the customer knows.",
                f"裁定金额中的 {posted.already} 已在其他投诉或事件中赔付，不再重复支付。请确认客户知悉。",
            )
            awarded = case.awarded if award.amount <= 0 else award if case.awarded is None else case.awarded + award
        case.awarded, case.posted_round = awarded, case.rounds
        if posted.rail is None and then:
            case.entered(Stage.FOLLOWING_UP, posted.at, then)
        elif posted.rail:
            # Where it goes is settled now; afterwards only a second person changes it.
            case.rail, case.payee = posted.rail, case.payee or case.account
            payable = award.rounded()
            case.unpaid = payable if case.unpaid is None else case.unpaid + payable
            case.note(posted.at, "award", f"{payable} is owed, to be paid through {posted.rail}")
        else:
            case.note(posted.at, "award", f"{award.rounded()} is in the ledger; remedies are still owed")
        self._recorder.put(update, posted.recorded)

    # -- payments through a rail --------------------------------------------------------------------------------------

    async def pay(self) -> None:
        """Return when nothing is unpaid. A payment in hand is never given up; what fails waits for a person."""
        case = self._case
        while case.unpaid:
            if case.payment_held or is_reported(case):
                await self._waiting.until(
                    lambda: case.unpaid is None or not (case.payment_held or is_reported(case)),
                    f"a person: {case.payment_held}" if case.payment_held else "a report of a payment to be recorded",
                    diverts=False,
                )
                continue
            payment = payment_in_hand(case)
            if payment.payee is None:
                self._payment_ended(
                    payment, PaymentState.DECLINED, Money.zero(payment.amount.currency), PaymentReason.NO_PAYEE
                )
            else:
                await self._pay_through_the_rail(payment, payment.payee)

    async def _pay_through_the_rail(self, payment: Payment, payee: str) -> None:
        """Have the rail asked until it has its last word, or until a person says what became of the payment."""
        case = self._case
        update = self._recorder.take(self._case.by_the_way)
        amount = PositiveMoney(amount=payment.amount.amount, currency=payment.amount.currency)
        order = PaymentOrder(key=payment.key, reference=case.reference, payee=payee, amount=amount)
        request = PayCompensation(number=payment.number, order=order, update=update)
        paying = asyncio.create_task(effects.pay_compensation(request))
        await self._waiting.until(
            lambda: paying.done() or not payment.in_hand,
            f"{payment.rail} to pay {payment.amount} ({payment.key})",
            idle=False,
            diverts=False,
        )
        if not paying.done():
            paying.cancel()
            with contextlib.suppress(ActivityError, asyncio.CancelledError):
                await paying
            self._recorder.release(update)
            return
        try:
            recorded = paying.result()
        except ActivityError as error:
            self._recorder.release(update)
            if payment.in_hand:
                self._faults.note(spoken.said(f"payment {payment.key}", f"付款 {payment.key}"), error)
                self._hold_payments(
                    "what became of the payment is not known; report_payment, or retry_payment to ask again"
                )
            return
        self._recorder.put(update, recorded.recorded)
        self._conclude_payment(payment, recorded.outcome)

    def _conclude_payment(self, payment: Payment, outcome: PaymentOutcome) -> None:
        if payment.in_hand:
            by_hand = None if outcome.by.startswith("rail:") else outcome.by.partition(":")[2]
            self._payment_ended(payment, outcome.state, outcome.paid, outcome.reason, by_hand)

    def _payment_ended(
        self,
        payment: Payment,
        state: PaymentState,
        paid: Money,
        reason: PaymentReason | None,
        reported_by: str | None = None,
    ) -> None:
        """The payment has ended, and the customer and the handler are told, unless all is well."""
        case = self._case
        payment.state, payment.paid, payment.reason, payment.reported_by = state, paid, reason, reported_by
        case.revision += 1
        if case.unpaid and paid.amount > 0:
            left = Money(amount=case.unpaid.amount - paid.amount, currency=paid.currency)
            case.unpaid = left if left.amount > 0 else None
        if case.unpaid is None:
            case.payment_held = None
        if state is PaymentState.PAID:
            return
        if state is PaymentState.PARTIAL:
            self._tell_customer(LetterKind.PAYMENT_PARTIAL, payment, paid=paid)
            if self._parts_in_a_row >= _MOST_PARTS:
                self._hold_payments(
                    f"the rail paid in parts only, {_MOST_PARTS} times; retry_payment, or report_payment"
                )
                self._alarm("payment was made in parts only, several times", "赔偿款多次仅支付了一部分")
            return
        kind = LetterKind.PAYMENT_DECLINED if state is PaymentState.DECLINED else LetterKind.PAYMENT_REVERSED
        if reason is PaymentReason.NO_PAYEE:
            case.note(workflow.now(), "payment", "not ordered: the case has no account to pay to")
        self._tell_customer(kind, payment)
        self._stop_paying(payment, "was declined" if state is PaymentState.DECLINED else "came back")

    @property
    def _parts_in_a_row(self) -> int:
        in_parts = (one.state is PaymentState.PARTIAL for one in reversed(self._case.payments))
        return sum(1 for _ in takewhile(bool, in_parts))

    def _stop_paying(self, payment: Payment, what: str) -> None:
        reason = spoken.PAYMENT_REASONS[payment.reason] if payment.reason else None
        why, why_zh = (f" ({reason.en})", f"，原因：{reason.zh}") if reason else ("", "")
        self._hold_payments(f"the payment {what}{why}; put the details right and retry_payment, or report_payment")
        zh = "付款未成功" if payment.state is PaymentState.DECLINED else "付款被退回"
        self._alarm(f"payment of {payment.amount} {what}{why}", f"{payment.amount} 的{zh}{why_zh}")

    def _hold_payments(self, why: str) -> None:
        self._case.payment_held = why
        self._case.revision += 1

    def _alarm(self, en: str, zh: str) -> None:
        """Tell the handler and raise the case."""
        self._post.tell_staff(
            Role.HANDLER,
            f"The {en}. Nothing more is paid before somebody has it tried again (redress pay retry) or reports what "
            "became of it (redress pay report).",
            f"{zh}。在有人要求重新付款（redress pay retry）或报告付款结果（redress pay report）之前，"
            "系统不会再次付款。",
        )
        self._ladder.climb(spoken.said(en, zh))

    def _tell_customer(self, kind: LetterKind, payment: Payment, paid: Money | None = None) -> None:
        facts = self._post.facts(
            paid=paid,
            unpaid=self._case.unpaid,
            payee=payment.payee[-3:] if payment.payee else None,
            payment_reason=payment.reason,
        )
        self._post.send(kind, facts, f"{kind.value}:{payment.number}", CaseEvent.CONTACTED)

    async def _book(self, report: PaymentReport) -> None:
        """Have what a person reports put into the ledger, and go on from there."""
        case = self._case
        payment = next(one for one in case.payments if one.key == report.key)
        update = self._recorder.take(self._case.by_the_way)
        request = BookPayment(
            number=report.number,
            key=report.key,
            state=report.state,
            payee=payment.payee,
            amount=payment.amount,
            bank_reference=report.bank_reference,
            cause=report.cause,
            actor=report.actor,
            update=update,
        )
        what = spoken.said(f"report of payment {report.key}", f"付款 {report.key} 的报告入账")
        booked = await self._faults.insist(what, update, lambda: effects.book_payment(request))
        case.reports = [other for other in case.reports if other is not report]
        if report.state is PaymentState.REVERSED:
            self._payment_reversed(payment, booked.outcome, report.actor.id)
        else:
            self._conclude_payment(payment, booked.outcome)
        if booked.outcome.state is not report.state:
            told = f"not recorded as reported: {booked.outcome.spoken} was known before"
            case.note(workflow.now(), "payment", told, data={"payment": report.key})
        self._recorder.put(update, booked.recorded)

    def _payment_reversed(self, payment: Payment, outcome: PaymentOutcome, reported_by: str) -> None:
        """What was paid is owed again."""
        case = self._case
        payment.state, payment.reason, payment.reported_by = PaymentState.REVERSED, outcome.reason, reported_by
        case.unpaid = outcome.paid if case.unpaid is None else case.unpaid + outcome.paid
        case.happened(CaseEvent.PAYMENT_RETURNED, outcome.at)
        case.happened(CaseEvent.PAYMENT_DUE, outcome.at)
        self._tell_customer(LetterKind.PAYMENT_REVERSED, payment)
        self._stop_paying(payment, "came back")
