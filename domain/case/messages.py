"""The messages a case takes, each with its name on the wire.

Signals are for anybody and never break a case: what does not fit is kept as a rejected message. Updates are for
internal tools that must know whether it worked: what does not fit is refused to the sender.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import EmailStr, Field, StringConstraints, model_validator

from domain.case.reasons import check_said, check_whole, is_said
from domain.checks.findings import Check
from domain.ground.base import Identifier, Instant, Line, Record, StaffId, Text
from domain.ground.messages import Message
from domain.ground.people import Phone
from domain.ground.words import (
    Category,
    Circumstance,
    Complexity,
    Outcome,
    PaymentReason,
    PaymentState,
    ReferralStep,
    Remedy,
    Severity,
    SignStep,
    Stage,
    TaskKind,
)
from domain.keys.public import Readable
from domain.money.amounts import PositiveMoney
from domain.money.parts import PartKind
from domain.people.directory import StaffRole
from domain.people.matching import IdentityState
from domain.people.signs import Sign
from domain.rules.causes import CauseId


class Attachment(Record):
    """Something that supports a statement, kept elsewhere: its title, where it is, and its SHA-256."""

    title: Line
    location: Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None


class CustomerReply(Message):
    """The customer says something: information, a question, or accepts or disputes the final response.

    Who asks for ``progress`` only wants to know how far the complaint is, and is told by letter from the record.
    """

    name = "customer_reply"
    intent: Literal["information", "accept", "dispute", "progress"] = "information"
    text: Text | None = None
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=20)] = ()
    trades: Annotated[tuple[Identifier, ...], Field(max_length=100)] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.intent == "information" and not (self.text or self.attachments or self.trades):
            raise ValueError("text: an information reply needs a text, an attachment or trades")
        if self.intent == "progress" and (self.attachments or self.trades):
            raise ValueError("intent: who asks for progress brings nothing; files and trades are information")
        return self


class Escalate(Message):
    """Raise the case one level (or to ``level``) of the pack's escalation ladder."""

    name = "escalate"
    reason: Text
    level: Annotated[int, Field(ge=1, le=10)] | None = None


class Arrived(Message):
    """Something came in that the case does not hear, and its handler is told: nothing of what it says is passed on.

    What is ``unproven`` may not be the customer's own: it waits in the intake until somebody vouches for it. What is
    ``returned`` is a ``letter`` that a mail server sent back, so that the address is in doubt.
    """

    name = "arrived"
    what: Literal["unproven", "returned"]
    letter: Annotated[int, Field(ge=1)] | None = None


class PeopleChanged(Message):
    """Who works here has changed, or how the customer is dealt with: whose hands the case is in is looked at again."""

    name = "people_changed"


class Assign(Message):
    """Give the case to a handler, and to another team if named."""

    name = "assign"
    handler: StaffId
    team: StaffId | None = None


class Reclassify(Message):
    """Correct the assessment. With ``in_scope`` false the case's draft is to refer the customer elsewhere.

    A statutory clock follows only to an earlier end; for a later one see :class:`ExtendDeadline`.
    """

    name = "reclassify"
    reason: Text
    category: Category | None = None
    severity: Severity | None = None
    complexity: Complexity | None = None
    in_scope: bool | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if {self.category, self.severity, self.complexity, self.in_scope} == {None}:
            raise ValueError("give at least one of category, severity, complexity, in_scope")
        return self


class AddEvidence(Message):
    """Put evidence into the case file. ``trades`` are trade-log ids to be investigated as well."""

    name = "add_evidence"
    note: Text
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=20)] = ()
    trades: Annotated[tuple[Identifier, ...], Field(max_length=100)] = ()
    account: Identifier | None = None


class RequestInformation(Message):
    """Ask the customer for missing facts. ``questions`` are in the customer's language."""

    name = "request_information"
    questions: Text


class Investigate(Message):
    """Run these checks on top of those the case has, on ``trades`` as well; all findings are then made anew."""

    name = "investigate"
    checks: Annotated[tuple[Check, ...], Field(min_length=1, max_length=len(Check))]
    trades: Annotated[tuple[Identifier, ...], Field(max_length=100)] = ()


class Award(Record):
    """Money for what no formula measures. ``reason`` goes into the letter, in the customer's language."""

    kind: Literal[PartKind.DISTRESS, PartKind.GOODWILL]
    amount: PositiveMoney
    reason: Line


class Resolution(Message):
    """What a resolution consists of.

    ``compensation`` makes good the loss; with ``as_found`` it is the sum that the findings come to, interest and all.
    ``awards``, one of a kind at most, come on top of it, and are told apart wherever the sum is. ``reasons`` are more
    than a word; of a no they say what was claimed, looked at and found (:mod:`domain.case.reasons`).
    """

    outcome: Literal[Outcome.UPHELD, Outcome.PARTLY_UPHELD, Outcome.NOT_UPHELD]
    compensation: PositiveMoney | None = None
    as_found: bool = False
    awards: Annotated[tuple[Award, ...], Field(max_length=2)] = ()
    remedies: Annotated[tuple[Remedy, ...], Field(max_length=len(Remedy))] = ()
    reasons: Text

    @model_validator(mode="after")
    def _sums_fit(self) -> Self:
        if self.as_found and self.compensation:
            raise ValueError("compensation: give a sum or as_found, not both")
        if len({award.kind for award in self.awards}) < len(self.awards):
            raise ValueError("awards: give one award of a kind, with all that it is for")
        if self.outcome is Outcome.UPHELD:
            check_said(self.reasons)
        else:
            check_whole(self.reasons)
        return self


class ProposeResolution(Resolution):
    """Propose how to resolve the complaint. ``reasons`` go into the final response, in the customer's language."""

    name = "propose_resolution"

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        redressed = self.compensation or self.as_found or self.awards or self.remedies
        if self.outcome is Outcome.UPHELD and not redressed:
            raise ValueError("compensation: an upheld complaint needs compensation or at least one of remedies")
        return self


class ProposeDraft(Message):
    """Propose the case's draft as it stands. ``draft`` is its digest: another draft has taken its place otherwise."""

    name = "propose_draft"
    draft: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]


class DecideResolution(Message):
    """Approve a proposal, or return it with reasons. Never by its proposer; role and limit are checked.

    ``proposal`` is its digest: where another has taken its place meanwhile, nobody has decided on that.
    """

    name = "decide_resolution"
    decision: Literal["approve", "return"]
    proposal: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
    reasons: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _names_the_proposal(cls, said: Any) -> Any:
        if isinstance(said, Mapping) and said.get("proposal") is None:
            raise ValueError(
                "proposal: name the proposal that is decided by its digest; redress show has it, and the query status "
                "as proposal_digest"
            )
        return said

    @model_validator(mode="after")
    def _return_has_reasons(self) -> Self:
        if self.decision == "return" and not self.reasons:
            raise ValueError("reasons: a proposal is returned with reasons")
        return self


class ResolveEarly(Resolution):
    """The customer regards the complaint as settled, within the pack's time for that: a summary letter ends the case.

    ``reasons`` say in the customer's language what was settled.
    """

    name = "resolve_early"


class ExtendDeadline(Message):
    """Grant an extension that the pack names for a clock that runs; the actor approves it.

    It counts once the customer has been told by letter; ``reasons`` go into that, in the customer's language. Where the
    rule grants it in exceptional circumstances only, ``circumstance`` says which of them the reasons are.
    """

    name = "extend_deadline"
    clock: Identifier
    extension: Identifier
    circumstance: Circumstance | None = None
    reasons: Text


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
        if self.step is ReferralStep.AGREED and self.accepted is False:
            raise ValueError("accepted: what was agreed is accepted")


class ReplanDeadlines(Message):
    """Count anew, on a calendar that was extended since, what lay beyond its verified days.

    ``calendar`` is the calendar's SHA-256 in the case file, where `redress calendar replan` puts it.
    """

    name = "replan_deadlines"
    calendar: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class RecordFeedback(Message):
    """How satisfied the customer is: 1 (not at all) to 5."""

    name = "record_feedback"
    score: Annotated[int, Field(ge=1, le=5)]
    comment: Text | None = None


class RecordCause(Message):
    """Say what the root cause was, and whether it also touched customers who did not complain.

    ``cause`` and ``contributing`` are of the tree of causes, such as ``pricing/provider_quote``. The last one counts.
    """

    name = "record_cause"
    cause: CauseId
    contributing: Annotated[tuple[CauseId, ...], Field(max_length=5)] = ()
    others_touched: Literal["yes", "no", "not_known"] | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({self.cause, *self.contributing}) <= len(self.contributing):
            raise ValueError("contributing: name each cause once, and not the root cause again")
        return self


class CorrectContact(Message):
    """Replace the customer's address; letters not yet delivered go to the new one.

    ``by_post`` removes the e-mail address: letters then wait in the outbox to be posted.
    """

    name = "correct_contact"
    email: EmailStr | None = None
    phone: Phone | None = None
    by_post: bool = False

    @model_validator(mode="after")
    def _corrects_something(self) -> Self:
        if self.email is None and self.phone is None and not self.by_post:
            raise ValueError("give at least one of email, phone, by_post")
        if self.email and self.by_post:
            raise ValueError("by_post: it removes the e-mail address; do not give email as well")
        return self


class NoteSign(Message):
    """Raise, confirm or withdraw a sign of what handlers should know.

    See :mod:`domain.people.signs`.
    """

    name = "note_sign"
    step: SignStep
    sign: Sign
    reason: Text | None = None


class VerifyComplainant(Message):
    """Say who complains, after looking at the proof: the customer or who may speak for them, or somebody else.

    ``how`` it was proven, in more than a word, stays in the case file: letters tell of the account from then on.
    """

    name = "verify_complainant"
    result: Literal[IdentityState.VERIFIED, IdentityState.MISMATCH]
    how: Line

    @model_validator(mode="after")
    def _says_how(self) -> Self:
        if not is_said(self.how):
            raise ValueError("how: one word proves nothing; say what was looked at, or how they were reached")
        return self


class Withdraw(Message):
    """The customer takes the complaint back. It ends today, with a letter.

    A member of staff who passes that on says in ``reason`` how the customer told it.
    """

    name = "withdraw"
    reason: Text | None = None

    @model_validator(mode="after")
    def _is_the_customers_own(self) -> Self:
        if self.actor.role.is_staff and not (self.reason and is_said(self.reason)):
            raise ValueError("reason: it is the customer who withdraws; say in a sentence how they told you")
        return self


class Reopen(Message):
    """Take the case up again within its follow-up window."""

    name = "reopen"
    reason: Text


class GrantRelief(Message):
    """Grant temporary relief while the case is looked into: what is held or lifted, by whom, and until when.

    It is to be put in place (``confirm_remedy``) and ends at ``until``, or when the case is settled.
    """

    name = "grant_relief"
    kind: Literal[Remedy.UNFREEZE, Remedy.SERVICE, Remedy.OTHER] = Remedy.OTHER
    what: Line
    until: Instant
    owner: StaffId | None = None


class ConfirmRemedy(Message):
    """Say that a remedy was carried out, and what shows it; or, ``lapsed``, why it is owed no longer.

    ``remedy`` is its number, and ``kind``, where it is given, must be that of the remedy. The last takes back what was
    promised: it needs a team lead or a higher role, who neither proposed it nor has it to do, and reasons.
    """

    name = "confirm_remedy"
    remedy: Annotated[int, Field(ge=1)]
    kind: Remedy | None = None
    proof: Line
    lapsed: bool = False

    @model_validator(mode="after")
    def _has_reasons(self) -> Self:
        if self.lapsed and not is_said(self.proof):
            raise ValueError("proof: one word is no reason; say in a sentence why it is owed no longer")
        return self


class ReassignRemedy(Message):
    """Give a remedy to somebody else. ``remedy`` is its number."""

    name = "reassign_remedy"
    remedy: Annotated[int, Field(ge=1)]
    owner: StaffId
    reason: Text | None = None


class GiveTask(Message):
    """Give somebody a task beside the case: an expert to be consulted, a call, a review.

    ``owner`` is who has it; without one the directory is asked for somebody in ``role``. It is due at ``until``, or
    when the policy pack says. ``what`` says more of it.
    """

    name = "give_task"
    kind: TaskKind
    what: Line | None = None
    owner: StaffId | None = None
    role: StaffRole | None = None
    until: Instant | None = None

    @model_validator(mode="after")
    def _to_one(self) -> Self:
        if self.owner and self.role:
            raise ValueError("role: give an owner or a role, not both")
        return self


class FinishTask(Message):
    """Say that a task is done, and what came of it. ``task`` is its number."""

    name = "finish_task"
    task: Annotated[int, Field(ge=1)]
    result: Text


class ReassignTask(Message):
    """Give a task to somebody else. ``task`` is its number."""

    name = "reassign_task"
    task: Annotated[int, Field(ge=1)]
    owner: StaffId
    reason: Text | None = None


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


class Receipt(Record, Readable):
    """The answer to an update: the message counted, and where the case stands now."""

    message_id: Identifier
    reference: str
    stage: Stage
    noted: str
    at: Instant


BY_ANYBODY: tuple[type[Message], ...] = (CustomerReply, Escalate)
"""The signals by which somebody says something: who that is, no token need prove."""
SIGNALS: tuple[type[Message], ...] = (*BY_ANYBODY, Arrived, PeopleChanged)
UPDATES: tuple[type[Message], ...] = (
    Assign,
    Reclassify,
    AddEvidence,
    Investigate,
    RequestInformation,
    ProposeResolution,
    ProposeDraft,
    DecideResolution,
    ResolveEarly,
    ExtendDeadline,
    RecordReferral,
    ReportReferral,
    ReplanDeadlines,
    RecordFeedback,
    RecordCause,
    CorrectContact,
    NoteSign,
    VerifyComplainant,
    Withdraw,
    Reopen,
    GrantRelief,
    ConfirmRemedy,
    ReassignRemedy,
    GiveTask,
    FinishTask,
    ReassignTask,
    RetryPayment,
    ReportPayment,
)
