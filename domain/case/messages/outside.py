"""Updates about what the customer has brought before an outside body."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from domain.ground.base import Identifier, Instant, Text
from domain.ground.messages import Message
from domain.ground.words import Outcome, ReferralStep, Remedy
from domain.money.amounts import PositiveMoney


class RecordReferral(Message):
    """The customer has turned to an ombudsman or another outside body: which of the pack's routes, and when."""

    name = "record_referral"
    route: Identifier
    referred_at: Instant
    outside_reference: Identifier | None = None


class ReportReferral(Message):
    """Say how a referral goes on before the outside body. The case stays open until it ends.

    ``referral`` is its number, ``at`` when it happened, ``until`` by when the file is wanted or the decision is to be
    carried out. ``what`` says what was handed over, decided or agreed, or how it ended; of a decision it goes into the
    letter, in the customer's language. ``award`` is what the firm has still to pay by it. ``accepted`` is whether it
    binds the firm already, or the customer has refused it; without it their answer is waited for.
    """

    name = "report_referral"
    referral: Annotated[int, Field(ge=1)]
    step: ReferralStep
    at: Instant
    until: Instant | None = None
    what: Text | None = None
    outcome: Literal[Outcome.UPHELD, Outcome.PARTLY_UPHELD, Outcome.NOT_UPHELD] | None = None
    award: PositiveMoney | None = None
    remedies: Annotated[tuple[Remedy, ...], Field(max_length=len(Remedy))] = ()
    accepted: bool | None = None

    @property
    def decides(self) -> bool:
        """Whether it tells of a decision or an agreement."""
        return self.step in {ReferralStep.DECIDED, ReferralStep.AGREED}

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        told = self.outcome or self.award or self.remedies or self.accepted is not None
        if not self.decides and told:
            raise ValueError("step: outcome, award, remedies and accepted go with decided and agreed only")
        if self.what is None and (self.decides or self.step in {ReferralStep.FILE_HANDED_OVER, ReferralStep.ENDED}):
            raise ValueError("what: say what was handed over, decided or agreed, or how it ended")
        if self.until and self.until <= self.at:
            raise ValueError("until: it lies before at; give the end that was set")
        if self.until and self.step in {ReferralStep.FILE_HANDED_OVER, ReferralStep.REFUSED, ReferralStep.ENDED}:
            raise ValueError("until: nothing is due after that step")
        if self.decides:
            self._check_decision()
        return self

    def _check_decision(self) -> None:
        if self.outcome is None:
            raise ValueError("outcome: say how the complaint was decided")
        given = self.award or self.remedies
        if self.outcome is Outcome.NOT_UPHELD and given:
            raise ValueError("outcome: a complaint that is not upheld has no award and no remedies")
        if self.outcome is not Outcome.NOT_UPHELD and not given:
            raise ValueError("award: give what the firm has to pay by it, or at least one of remedies")
        if not self.award and {Remedy.REFUND, Remedy.COMPENSATION} & set(self.remedies):
            raise ValueError("award: a refund or compensation is a sum; give it")
        if self.step is ReferralStep.AGREED and self.accepted is False:
            raise ValueError("accepted: what was agreed is accepted")
