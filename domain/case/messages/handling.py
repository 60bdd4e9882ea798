"""Updates about the case itself: whose it is, how it is judged, its deadlines, who complains, its end."""

from typing import Annotated, Literal, Self

from pydantic import EmailStr, Field, StringConstraints, model_validator

from domain.case.reasons import is_said
from domain.ground.base import Identifier, Line, StaffId, Text
from domain.ground.messages import Message, OfAResponse
from domain.ground.people import Language, Phone
from domain.ground.words import Category, Circumstance, Complexity, Severity, SignStep
from domain.people.matching import IdentityState
from domain.people.signs import Sign
from domain.rules.causes import CauseId


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
        if self.in_scope is False and not is_said(self.reason):
            raise ValueError("reason: one word turns nobody away; say in a sentence whose matter it is")
        return self


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


class ReplanDeadlines(Message):
    """Count anew, on a calendar that was extended since, what lay beyond its verified days.

    ``calendar`` is the calendar's SHA-256 in the case file, where `redress calendar replan` puts it.
    """

    name = "replan_deadlines"
    calendar: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class RecordFeedback(OfAResponse):
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


class ChooseChannel(Message):
    """The customer says how they want to be written to in this matter: by e-mail, by post, or to their telephone; and
    in which language.

    What is left out stays as it was. The channel holds once it is known that whoever complains is the customer, and
    goes before what is on file of them. Where there is no such way, the others are taken. The language holds at once,
    for letters that are not written yet.
    """

    name = "choose_channel"
    channel: Literal["email", "post", "message"] | None = None
    language: Language | None = None

    @model_validator(mode="after")
    def _chooses_something(self) -> Self:
        if self.channel is None and self.language is None:
            raise ValueError("give at least one of channel, language")
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
