"""Letters: what each one is told, and by which key it is sent once."""

import re
import unicodedata
from decimal import Decimal
from typing import Final

from pydantic import Field

from domain.checks.accrual import Accrual
from domain.checks.findings import Elsewhere, Finding
from domain.ground.base import Identifier, Instant, Record, StaffId, State
from domain.ground.bilingual import Bilingual
from domain.ground.words import CaseEvent, Category, LetterKind, Outcome, PaymentReason, Remedy, Role, Stage
from domain.letters.kinds import LETTERS, LetterRow
from domain.money.amounts import Money
from domain.money.parts import Entered


class LetterFacts(Record):
    """What a letter may speak of. Who it is for is looked up in the case file when it is sent.

    Which facts a kind needs, its row tells (:data:`domain.letters.kinds.LETTERS`).
    """

    category: Category | None = None
    stage: Stage | None = None
    received_at: Instant | None = None
    expected_by: Instant | None = None
    reply_by: Instant | None = None
    questions: str | None = None
    outcome: Outcome | None = None
    reasons: str | None = None
    findings: tuple[Finding, ...] = ()
    compensation: Money | None = None
    awards: tuple[Entered, ...] = ()
    """What of the compensation people awarded for what no formula measures."""
    elsewhere: tuple[Elsewhere, ...] = ()
    """Where that is made good which is not given again."""
    running: tuple[Accrual, ...] = ()
    """The interest that comes on top of the compensation for each further day."""
    remedies: tuple[Remedy, ...] = ()
    notice: Bilingual | None = None
    audience: Role | None = None
    task: int | None = None
    """Of a notice: the task whose owner it is for."""
    person: StaffId | None = None
    """Of a notice: the member of staff whom it is for."""
    letter: Identifier | None = None
    clock: Identifier | None = None
    extension: Identifier | None = None
    route: Identifier | None = None
    """The outside body that decided, with the complaint's number there and when; ``agreed`` if both sides agreed."""
    outside_reference: Identifier | None = None
    decided_at: Instant | None = None
    agreed: bool = False
    asked_for: bool = False
    """It answers what the customer has asked just now."""
    paid: Money | None = None
    unpaid: Money | None = None
    """What of the compensation the customer does not have yet."""
    payee: str | None = None
    """The last characters of the account it was to be paid to."""
    payment_reason: PaymentReason | None = None


def may_be_told(kind: LetterKind, facts: LetterFacts, *, verified: bool) -> bool:
    """Whether a letter of *kind* may go to a complainant who is, or is not, known to be the customer.

    Where that is not known, a person may still refuse in words of their own, and nothing found or awarded goes along.
    """
    if verified or not LETTERS[kind].discloses:
        return True
    bare = not (facts.findings or facts.compensation or facts.awards or facts.remedies or facts.elsewhere)
    return kind is LetterKind.FINAL_RESPONSE and facts.outcome is Outcome.NOT_UPHELD and bool(facts.reasons) and bare


def untold(text: str, complaint: str) -> list[str]:
    """The numbers in *text* that *complaint* does not say: what may be an amount, a price, a trade or a date.

    Numbers are the same whatever their thousands and zeros look like. One below ten tells nothing.
    """
    said = _numbers(complaint)
    return [one for number, one in _numbers(text).items() if number not in said and number >= _TELLS]


_TELLS: Final = 10
_NUMBER: Final = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


def _numbers(text: str) -> dict[Decimal, str]:
    plain = unicodedata.normalize("NFKC", text)
    return {Decimal(one.replace(",", "")): one for one in _NUMBER.findall(plain)}


class Letter(State):
    """A letter on its way. ``purpose`` is unique within the case and makes its key; ``number`` orders its events.

    ``announces`` are the events that its acceptance by a channel means, ``then`` the stage entered with it.
    """

    purpose: str
    number: int
    kind: LetterKind
    facts: LetterFacts = Field(default_factory=LetterFacts)
    announces: tuple[CaseEvent, ...] = ()
    then: Stage | None = None
    with_promise: bool = False
    """Whether it goes with the promise of what it gives, and by itself only after that."""
    failed: bool = False
    """Whether the last attempt failed for good, and no other has begun: something must change before it can succeed."""

    @property
    def sort(self) -> LetterRow:
        """What is true of every letter of its kind."""
        return LETTERS[self.kind]
