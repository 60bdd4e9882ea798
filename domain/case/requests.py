"""What the workflow of a case asks its activities for, and what they answer."""

from datetime import date
from typing import Any, Literal

from pydantic import Field

from domain.case.assessment import Assessment
from domain.case.complaint import Complaint
from domain.case.file import CaseUpdate, Recorded
from domain.case.obligations import Obligation, Proof
from domain.case.told import Told
from domain.checks.findings import Check, Elsewhere
from domain.ground.base import Identifier, Instant, Record, StaffId
from domain.ground.bilingual import Bilingual
from domain.ground.people import Actor
from domain.ground.timeline import Entry
from domain.ground.words import CaseEvent, LetterKind, PaymentReason, PaymentState, Role
from domain.letters.letter import LetterFacts
from domain.money.amounts import Money
from domain.money.parts import Loss
from domain.money.payment import PaymentOrder, PaymentOutcome
from domain.people.matching import Identity
from domain.rules.policy import PolicyPack


class EarlyWarning(Record):
    """Several complaints, this one the last, point to the same ``topic``: ``symbol:XAUUSD`` or ``service:platform``."""

    topic: str
    complaints: tuple[str, ...]


class OpenCase(Record):
    """Open the case file. ``OpenCase`` answers with :class:`Opened`.

    ``run`` is the first run of the case's workflow, the same in every attempt and in every run that goes on with it.
    """

    reference: Identifier
    complaint: Complaint
    at: Instant
    run: Identifier


class TakeUpCase(Record):
    """Let the workflow with the first run ``run`` go on with a case that is closed. Answered with :class:`TakenUp`."""

    reference: Identifier
    at: Instant
    run: Identifier


class TakenUp(Record):
    """A closed case, as its file has it; ``state`` is what its last workflow knew beside."""

    complaint: Complaint
    policy: PolicyPack
    state: dict[str, Any]
    recorded: Recorded


class RefusedMessage(Record):
    """What was sent to a workflow that is no case: the signal's name, ``start`` for its input, and what came of it."""

    name: str
    payload: str


class RefuseStart(Record):
    """Write down a start that can be no case, and what was sent to it; ``number`` counts these requests."""

    workflow_id: str
    run: Identifier
    number: int
    at: Instant
    reason: str
    messages: tuple[RefusedMessage, ...]


class Turn(Record):
    """Nothing is asked: see ``TakeTurn``."""


class Opened(Record):
    """The case file is open: the pack pinned, the assessment made, the clocks started by receipt."""

    policy: PolicyPack
    policy_hash: str
    assessment: Assessment
    recorded: Recorded
    early_until: Instant | None = None
    """Until when the pack lets a complaint end with a summary letter."""
    warning: EarlyWarning | None = None
    """That with this complaint there are so many about one thing that they point to an incident."""
    pointed: tuple[Check, ...] = ()
    """The checks that the words of the complaint point to."""
    told: tuple[Told, ...] = ()
    """What the words of the complaint tell of the facts that lead into the log."""
    mentioned: tuple[str, ...] = ()
    """What may be the number of a trade in the closed complaint that it goes on from."""
    about_rules: Bilingual | None = None
    """What people are told of the rules that the case has: that nobody found them, or that others were found."""
    identity: Identity = Identity()
    """Who complains, compared with the customer on file."""
    checkpoint: dict[str, Any] | None = None
    """Where the case stood when its first workflow was lost, for the workflow that goes on with it."""


class SendLetter(Record):
    """Send one letter once.

    ``update`` is recorded when the letter is written, before the first attempt: a letter that cannot be delivered must
    not hold back the case file. ``announces`` are the events its acceptance means, all with the letter's number.
    ``facts.reply_by`` may be left open for kinds whose own acceptance starts the wait for a reply: it is planned from
    the moment of writing.
    """

    key: str
    number: int
    kind: LetterKind
    language: str
    facts: LetterFacts
    announces: tuple[CaseEvent, ...]
    update: CaseUpdate


class LetterPreview(Record):
    """A letter as it would be written now; ``missing`` says what it cannot be written without."""

    subject: str | None = None
    body: str | None = None
    missing: str | None = None


class LetterAccepted(Record):
    """A channel took the letter over: when, which channel, and the clocks that started or ended with it.

    ``in_doubt``: an address did not take it before.
    """

    at: Instant
    channel: str
    recorded: Recorded
    in_doubt: bool = False


class RecordCompensation(Record):
    """Post one award to the compensation ledger once.

    ``announces`` are the events the posting means; ``update`` and ``then`` are recorded with it, where the posting
    settles the case. ``losses`` of
    ``account`` are what the workflow takes it to make good, with ``deduct`` what others made good of them to be taken
    off: what is posted follows from the record.
    """

    key: str
    number: int
    award: Money
    announces: tuple[CaseEvent, ...]
    update: CaseUpdate
    then: CaseUpdate | None
    account: Identifier | None = None
    losses: tuple[Loss, ...] = ()
    deduct: bool = False


class CompensationRecorded(Record):
    """The award is in the ledger. ``rail`` is to pay it; ``None`` where the ledger alone is kept.

    ``already`` is what others had made good of it by then, and was not posted; ``further`` the interest that had run on
    since the findings, and was posted with it.
    """

    at: Instant
    recorded: Recorded
    rail: str | None = None
    already: Money | None = None
    further: Money | None = None


class LookForTraining(Record):
    """Look which of these ``courses`` the ``person`` has not passed, or no longer, on that ``day``.

    With ``others``, who holds one of those roles may have passed its courses in their place.
    """

    person: StaffId
    courses: tuple[Identifier, ...]
    day: date
    others: dict[Role, tuple[Identifier, ...]] = Field(default_factory=dict)


class Training(Record):
    """Those that they lack; none where there is no directory."""

    lacking: tuple[Identifier, ...]


class LookElsewhere(Record):
    """Look whether others promise or have paid these ``losses`` of ``account``, which the case has found."""

    reference: Identifier
    account: Identifier
    losses: tuple[Loss, ...]


class FoundElsewhere(Record):
    """Who promises or has paid them; empty where nobody does."""

    elsewhere: tuple[Elsewhere, ...]


class PromiseAward(Record):
    """Promise the ``losses`` of ``account`` in the final response of ``round``, unless others promise or paid one.

    ``left_out`` are those that the response leaves to others. ``award`` is what it gives in all, which must rest on the
    record as it does when it is posted. ``update`` is recorded in any case, ``then`` with the promise.

    ``letter`` is the response: it is tried once, after the promise, which does not wait for a mail server that is slow
    or down.
    """

    reference: Identifier
    round: int
    account: Identifier | None
    award: Money | None = None
    losses: tuple[Loss, ...]
    left_out: tuple[str, ...]
    update: CaseUpdate
    then: CaseUpdate
    letter: SendLetter | None = None


class AwardPromised(Record):
    """What became of it. Where it is ``promised``, ``elsewhere`` is who makes good what the response leaves out.

    Else it is who promises or has paid what it was to give; empty where what was left to others nobody gives any more,
    or where the award was ``refused``: why it does not rest on the record. ``letter`` is set where a channel has taken
    the response over by now.
    """

    at: Instant
    recorded: Recorded
    promised: bool
    elsewhere: tuple[Elsewhere, ...] = ()
    refused: str | None = None
    letter: LetterAccepted | None = None


class PayCompensation(Record):
    """Have a rail pay *order* once. ``update`` is recorded before the rail is asked for the first time.

    ``number`` is that of the posting.
    """

    number: int
    order: PaymentOrder
    update: CaseUpdate


class BookPayment(Record):
    """Put into the ledger what ``actor`` reports of the payment ``key``; ``update`` is recorded with it.

    ``amount`` and ``payee`` are those of the payment.
    """

    number: int
    key: str
    state: Literal[PaymentState.PAID, PaymentState.DECLINED, PaymentState.REVERSED]
    payee: str | None
    amount: Money
    bank_reference: str | None
    cause: PaymentReason | None
    actor: Actor
    update: CaseUpdate


class PaymentRecorded(Record):
    """How a payment ended: it is in the ledger."""

    outcome: PaymentOutcome
    recorded: Recorded


class LookForRemedies(Record):
    """Look in the firm's own records whether these remedies of a case were carried out."""

    reference: Identifier
    account: Identifier | None
    remedies: tuple[Obligation, ...]


class RemedySeen(Record):
    """What the records say of one remedy, by its number."""

    number: int
    proof: Proof
    lapsed: bool = False


class RemediesSeen(Record):
    """Those that are owed no longer."""

    seen: tuple[RemedySeen, ...]


class RecordContact(Record):
    """Replace the address letters go to."""

    key: str
    reference: Identifier
    at: Instant
    email: str | None
    phone: str | None
    by_post: bool = False
    entries: tuple[Entry, ...] = ()
    """What of the timeline is to stand in the case file with it."""
