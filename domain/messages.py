"""The messages a case takes, each with its name on the wire.

Signals are for anybody and never break a case: what does not fit is kept as a rejected message. Updates are for
internal tools that must know whether it worked: what does not fit is refused to the sender.
"""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import EmailStr, Field, StringConstraints, model_validator

from domain.base import Identifier, Instant, Line, Record, StaffId, Text
from domain.complaint import Phone
from domain.money import PositiveMoney
from domain.words import Category, Complexity, Outcome, Remedy, Role, Severity, Stage


class Actor(Record):
    """Who sends a message, as the sending tool asserts it."""

    id: StaffId
    role: Role

    def __str__(self) -> str:
        return f"{self.role.value}:{self.id}"


class Message(Record):
    """What every message carries: an id, so that a repeated send counts once, and who sent it."""

    name: ClassVar[str]
    message_id: Identifier
    actor: Actor


class Attachment(Record):
    """Something that supports a statement, kept elsewhere: its title, where it is, and its SHA-256."""

    title: Line
    location: Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None


class CustomerReply(Message):
    """The customer says something: information, a question, or accepts or disputes the final response."""

    name = "customer_reply"
    intent: Literal["information", "accept", "dispute"] = "information"
    text: Text | None = None
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=20)] = ()
    trades: Annotated[tuple[Identifier, ...], Field(max_length=100)] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.intent == "information" and not (self.text or self.attachments or self.trades):
            raise ValueError("text: an information reply needs a text, an attachment or trades")
        return self


class Escalate(Message):
    """Raise the case one level (or to ``level``) of the pack's escalation ladder."""

    name = "escalate"
    reason: Text
    level: Annotated[int, Field(ge=1, le=10)] | None = None


class Assign(Message):
    """Give the case to a handler, and to another team if named."""

    name = "assign"
    handler: StaffId
    team: StaffId | None = None


class Reclassify(Message):
    """Correct the assessment. ``in_scope`` false refers the customer elsewhere.

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


class ProposeResolution(Message):
    """Propose how to resolve the complaint. ``reasons`` go into the final response, in the customer's language."""

    name = "propose_resolution"
    outcome: Literal[Outcome.UPHELD, Outcome.PARTLY_UPHELD, Outcome.NOT_UPHELD]
    compensation: PositiveMoney | None = None
    remedies: tuple[Remedy, ...] = ()
    reasons: Text

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.outcome is Outcome.UPHELD and not self.compensation and not self.remedies:
            raise ValueError("compensation: an upheld complaint needs compensation or at least one of remedies")
        return self


class DecideResolution(Message):
    """Approve the proposal, or return it with reasons. Never by its proposer; role and limit are checked."""

    name = "decide_resolution"
    decision: Literal["approve", "return"]
    reasons: Text | None = None

    @model_validator(mode="after")
    def _return_has_reasons(self) -> Self:
        if self.decision == "return" and not self.reasons:
            raise ValueError("reasons: a proposal is returned with reasons")
        return self


class ResolveEarly(Message):
    """The customer regards the complaint as settled, within the pack's time for that: a summary letter ends the case.

    ``reasons`` say in the customer's language what was settled.
    """

    name = "resolve_early"
    outcome: Literal[Outcome.UPHELD, Outcome.PARTLY_UPHELD, Outcome.NOT_UPHELD]
    compensation: PositiveMoney | None = None
    remedies: tuple[Remedy, ...] = ()
    reasons: Text


class ExtendDeadline(Message):
    """Grant an extension that the pack names for a clock that runs; the actor approves it.

    It counts once the customer has been told by letter; ``reasons`` go into that, in the customer's language.
    """

    name = "extend_deadline"
    clock: Identifier
    extension: Identifier
    reasons: Text


class RecordReferral(Message):
    """The customer has turned to an ombudsman or another outside body: which of the pack's routes, and when."""

    name = "record_referral"
    route: Identifier
    referred_at: Instant
    outside_reference: Identifier | None = None


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


class Withdraw(Message):
    """The customer takes the complaint back. It ends today, with a letter."""

    name = "withdraw"
    reason: Text | None = None


class Reopen(Message):
    """Take the case up again within its follow-up window."""

    name = "reopen"
    reason: Text


class Receipt(Record):
    """The answer to an update: the message counted, and where the case stands now."""

    message_id: Identifier
    reference: str
    stage: Stage
    noted: str
    at: Instant


SIGNALS: tuple[type[Message], ...] = (CustomerReply, Escalate)
UPDATES: tuple[type[Message], ...] = (
    Assign,
    Reclassify,
    AddEvidence,
    RequestInformation,
    ProposeResolution,
    DecideResolution,
    ResolveEarly,
    ExtendDeadline,
    RecordReferral,
    ReplanDeadlines,
    RecordFeedback,
    CorrectContact,
    Withdraw,
    Reopen,
)
