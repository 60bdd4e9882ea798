"""A case: everything the workflow knows about one complaint, in one serialisable object."""

from collections.abc import Collection
from datetime import datetime
from itertools import takewhile
from typing import Any, Literal

from pydantic import Field

from domain.case.answers import Proposal, Question
from domain.case.assessment import Assessment
from domain.case.complaint import Complaint
from domain.case.drafts import Draft
from domain.case.file import CaseUpdate, Rejected
from domain.case.hearing import said_by_customer
from domain.case.messages.deciding import ProposeDraft, ProposeResolution
from domain.case.messages.table import Receipt
from domain.case.obligations import Obligation
from domain.case.outside import OutsideDecision, Referral
from domain.case.requests import EarlyWarning
from domain.case.summary import CaseSummary
from domain.case.task_kinds import Task
from domain.case.told import Told
from domain.checks.findings import Check, Elsewhere, IncidentLink, Investigation
from domain.clocks.deadlines import Deadline, Firing, Occurred
from domain.ground.base import Instant, State, clean
from domain.ground.bilingual import Bilingual
from domain.ground.messages import MOST_HEARD, MOST_RECEIPTS, Message, is_known, remember
from domain.ground.people import SYSTEM, Actor, Language
from domain.ground.sizes import CARRIED_BY_A_LETTER, MOST_CARRIED, first_of, size
from domain.ground.timeline import Entry, beyond
from domain.ground.words import Action, CaseEvent, ContactForm, Outcome, Priority, Role, Stage
from domain.letters.letter import Letter, LetterFacts
from domain.money.amounts import Money
from domain.money.payment import Payment, PaymentReport
from domain.people.matching import Identity
from domain.people.recusal import Why
from domain.people.signs import Care
from domain.rules.deciding import Decision
from domain.rules.policy import PolicyPack

RECENT_ENTRIES = 30
_IN_THE_FILE = {"reference", "complaint", "policy", "policy_hash", "recent", "heard", "receipts"}


class Case(State):
    """The state of one complaint's workflow. Continue-as-new hands it over whole."""

    reference: str
    complaint: Complaint
    opened_at: Instant
    policy: PolicyPack | None = None
    policy_hash: str = ""

    stage: Stage = Stage.RECEIVED
    stage_since: Instant
    assessment: Assessment | None = None
    counted_as: Priority | None = None
    """The urgency by which the clocks are counted."""
    handler: str | None = None
    """Who has the case: a person's id, or the role it was escalated to where nobody in a directory holds it."""
    hands_version: int = 0
    kept_out: dict[str, Why] = Field(default_factory=dict)
    """Who must have no part in it, by person, and why."""
    had: dict[str, int] = Field(default_factory=dict)
    """In which round each person had the case first: whoever had it before decides on no review of it."""
    identity: Identity = Identity()
    """Who complains, as far as that is known; see :mod:`domain.case.identity`."""
    care: Care = Care()
    """What the signs of the case ask for."""
    restricted: tuple[ContactForm, ...] = ()
    """To which forms contact with the customer is limited."""
    address_in_doubt: int = 0
    """The number of the letter that first did not arrive at the address on file; 0 where all did."""
    alarmed: bool = False
    """Whether somebody was told of danger to life."""
    escalation_level: int = 0
    written_in: Language | None = None
    """The language that the customer chose to be written to in."""
    last_message: str | None = None
    progress_told_at: Instant | None = None
    """When the customer was last told, because they asked, how far the case is."""
    refuses_plain: bool = False
    """Whether what is said in plain JSON does not count, as the file answered last: every replay goes by that."""

    deadlines: list[Deadline] = Field(default_factory=list)
    """Rungs still to come. Those that acted or whose clock is satisfied are in the deadline ledger, not here."""
    ended: dict[str, Instant | None] = Field(default_factory=dict)
    """Rounds whose end was told before their start, and when they were satisfied (``None``: another has their place):
    two effects may finish in either order, and what was late is late in both.
    """
    begun: list[str] = Field(default_factory=list)
    """Rounds that were planned so far."""
    breached: bool = False
    acted: dict[str, str] = Field(default_factory=dict)
    """Where several packs set a time for one duty: what was done for it, and by which clock at last."""
    about_rules: Bilingual | None = None
    """What people are still to be told of the rules that the case has."""
    new_dates: int = 0
    """How often a rule gave the customer a new date after one was missed."""
    early_until: Instant | None = None
    extended: list[str] = Field(default_factory=list)
    """Extensions granted, as ``clock:extension:start of the clock``."""

    warning: EarlyWarning | None = None
    """That several complaints point to an incident, until somebody was told."""
    account: str | None = None
    trades: tuple[str, ...] = ()
    pointed: tuple[Check, ...] = ()
    """The checks that the words of the complaint point to, beside those of the pack."""
    told: tuple[Told, ...] = ()
    """What the words of the complaint tell, so that nobody is asked for it again."""
    mentioned: tuple[str, ...] = ()
    """What may be the number of a trade in the closed complaint that this one goes on from."""
    pointed_later: tuple[Check, ...] = ()
    """Those that the words of the customer's replies point to: they go with the next investigation."""
    asked_checks: tuple[Check, ...] = ()
    """Those that a person of the firm asked for."""
    first: dict[CaseEvent, Instant] = Field(default_factory=dict)
    """When each kind of event happened first, but for those that letters mean."""
    investigation: Investigation | None = None
    elsewhere: tuple[Elsewhere, ...] = ()
    """Where that is promised or paid which the case has found as well, until it was looked at anew."""
    to_investigate: bool = True
    looking: bool = False
    """Whether the trade log is being queried."""
    question: Question | None = None
    questions_by_rule: int = 0
    proposal: Proposal | None = None
    draft: Draft | None = None
    """What the rule leads to while people decide, and why it is left to them."""
    referred: bool = False
    """Whether people have said that the complaint is for somebody else."""
    approved: bool = False
    approved_by: dict[int, Role] = Field(default_factory=dict)
    """The role of the second person who approved, by round."""
    settled_early: bool = False
    """The customer regards the complaint as settled: a summary letter takes the place of the final response."""
    answer: Literal["accept", "dispute", "silence"] | None = None
    told_at: Instant | None = None
    """When the response of this round could first be read, as far as the workflow knows: no answer is older."""
    said_early: dict[Literal["accept", "dispute"], Instant] = Field(default_factory=dict)
    """When the customer last accepted or disputed while it was not known whether there was a response to answer."""

    outcome: Outcome | None = None
    awarded: Money | None = None
    """What was posted to the compensation ledger so far."""
    rounds: int = 1
    """Final responses: the first, and one more after each dispute or reopening."""
    referrals: list[Referral] = Field(default_factory=list)
    """What is before outside bodies."""
    bound: OutsideDecision | None = None
    """What was decided there and is carried out in this round."""
    silent: bool = False
    """Whether the time for an answer is over while something is before an outside body."""
    window_over: bool = False
    withdrawn: bool = False
    blocked: str | None = None
    """Why the ledger will never take the award, until the case is taken up again."""

    rail: str | None = None
    """The payment rail that the case's awards are paid through; ``None`` where the ledger alone is kept."""
    awarding: int | None = None
    """The number of the award that is being posted."""
    posted_round: int = 0
    """The last round whose award is posted, or was found to be made good elsewhere."""
    proposers: list[str] = Field(default_factory=list)
    """Ids of those who proposed an award in any round."""
    not_borne: bool = False
    """Whether the record has refused an award that did not rest on it: nothing is decided by rule after that."""
    unpaid: Money | None = None
    """What a rail still has to pay of all that was awarded."""
    payments: list[Payment] = Field(default_factory=list)
    payment_held: str | None = None
    """Why no payment is tried before a person says so."""
    payee: str | None = None
    """The account to pay to, where a person named another than the case's."""
    reports: list[PaymentReport] = Field(default_factory=list)
    """What people report of payments, and is not in the ledger yet."""
    remedies: list[Obligation] = Field(default_factory=list)
    """What was or is owed beside money, and temporary relief."""
    relief_ended: tuple[int, ...] = ()
    """The numbers of the relief that has ended."""
    tasks: list[Task] = Field(default_factory=list)
    """What somebody has to do beside handling the case, until it is done."""
    tasks_done: list[str] = Field(default_factory=list)
    """The conditions, still there, for which a task was given and has ended."""
    closed_at: Instant | None = None
    cause: str | None = None
    """The root cause, as a person recorded it."""
    cause_asked: bool = False
    """Whether somebody was told that it is missing."""

    letters: list[Letter] = Field(default_factory=list)
    """Letters on their way."""
    delivered: list[str] = Field(default_factory=list)
    """Purposes of the letters a channel accepted."""
    receipts: dict[str, Receipt] = Field(default_factory=dict)
    """What the last updates were answered, by message id: a repeated send gets the same answer."""
    heard: dict[str, str] = Field(default_factory=dict)
    """Digests of the last messages' ids, with digests of what they said: a repeated send counts once."""

    numbers_lost: int = 0
    """What the numbers of tasks lie above since the workflow was reset; see :func:`beyond`."""
    numbers: int = 1
    """The last number given to an event; receipt is number 1."""
    revision: int = 0
    journal: int = 0
    """How many entries the timeline had from here; makes their keys."""
    stages_entered: int = 0
    recent: list[Entry] = Field(default_factory=list)
    entries: list[Entry] = Field(default_factory=list)
    events: list[Occurred] = Field(default_factory=list)
    firings: list[Firing] = Field(default_factory=list)
    rejected: list[Rejected] = Field(default_factory=list)

    @classmethod
    def received(cls, reference: str, complaint: Complaint, at: datetime) -> "Case":
        """The state of a case on its first instant."""
        return cls(
            reference=reference,
            complaint=complaint,
            opened_at=at,
            stage_since=at,
            account=complaint.account,
            trades=complaint.trades,
        )

    @property
    def pack(self) -> PolicyPack:
        """The pinned pack. Only once the case file is open."""
        if self.policy is None:
            raise LookupError("the case file is not open yet")
        return self.policy

    @property
    def language(self) -> Language:
        """The language of what is written to the customer."""
        return self.written_in or self.complaint.language

    @property
    def decision(self) -> Decision:
        """Who may decide what in this case: by its category and urgency."""
        assessment, decision = self.assessment, self.pack.decision
        if assessment is None:
            return decision
        return decision.of(assessment.category, self.care.of(assessment.priority))

    @property
    def incident(self) -> IncidentLink | None:
        """The incident that the complaint is about, as far as it was known when it was investigated."""
        return self.investigation.incident if self.investigation else None

    @property
    def lacks_cause(self) -> bool:
        """Whether a person upheld the complaint, and nobody has said yet what the cause was."""
        rule, proposal = self.pack.causes, self.proposal
        if not (rule and rule.required) or self.cause or proposal is None or proposal.proposed_by == SYSTEM:
            return False
        return self.outcome in {Outcome.UPHELD, Outcome.PARTLY_UPHELD}

    # -- what happened --------------------------------------------------------------------------------------------

    def next_number(self) -> int:
        self.numbers += 1
        return self.numbers

    def begin_anew(self, at: datetime, text: str, *, begun: datetime) -> None:
        """The workflow was reset to this earlier moment: what came after that is done again.

        The workflow *begun* then. A case that was reset to before its opening is opened once more, later.
        """
        self.numbers_lost = beyond(begun, at)
        self.revision += self.numbers_lost
        tasks = [task.model_dump(mode="json") for task in self.tasks]
        self.note(at, "reset", text, data={"tasks": tasks})

    def note(
        self,
        at: datetime,
        kind: str,
        text: str,
        actor: Actor = SYSTEM,
        data: dict[str, Any] | None = None,
        *,
        token: str | None = None,
    ) -> None:
        """Add a line to the timeline."""
        self.journal += 1
        key = f"{kind}:{self.journal}"
        self._write(
            Entry(
                key=key,
                at=at,
                kind=kind,
                actor=str(actor),
                text=text,
                data=data or {},
                journal=self.revision,
                token=token,
            )
        )

    def knows(self, message: Message) -> bool:
        """Whether this very message was heard before. Raises ``ValueError`` if its id was used for another one."""
        return is_known(self.heard, message)

    def hear(self, message: Message) -> None:
        """Remember *message*, for as long as a sender may repeat it."""
        remember(self.heard, message.id_digest, message.content_digest, MOST_HEARD)

    def answer_with(self, key: str, receipt: Receipt) -> None:
        """Remember what an update was answered."""
        remember(self.receipts, key, receipt, MOST_RECEIPTS)

    def confirm(self, message: Message, noted: str, at: datetime, *, token: str | None = None, **more: Any) -> Receipt:
        """Write down that an update did what is *noted*, with *more* data and its *token*, and what it is answered."""
        self.last_message = f"{message.name}, {at:%Y-%m-%d %H:%M:%S} UTC"
        # A draft that somebody proposes is a proposal: the record has one kind of them.
        kind = ProposeResolution.name if isinstance(message, ProposeDraft) else message.name
        self.note(at, kind, noted, message.actor, message.body | more, token=token)
        receipt = Receipt(message_id=message.message_id, reference=self.reference, stage=self.stage, noted=noted, at=at)
        self.answer_with(message.key, receipt)
        return receipt

    def enter(self, stage: Stage, at: datetime) -> None:
        """Go on to *stage*."""
        entry = self._entering(stage, at)
        self.stage, self.stage_since = stage, at
        self.stages_entered += 1
        self._write(entry)

    def anticipating(self, stage: Stage, at: datetime, **more: Any) -> CaseUpdate:
        """The update that an effect records along with itself when its success means that *stage* is entered."""
        summary = self.summary.model_copy(
            update={"stage": stage, "stage_since": at, "revision": self.revision + 1, **more},
        )
        entries = (self._entering(stage, at),)
        return CaseUpdate(reference=self.reference, policy_hash=self.policy_hash, summary=summary, entries=entries)

    def entered(self, stage: Stage, at: datetime, update: CaseUpdate) -> None:
        """The effect has succeeded: go on to the anticipated *stage*.

        If the case changed meanwhile, the anticipated summary was already out of date; the stage is recorded once more.
        """
        undisturbed = self.revision < update.summary.revision
        self.enter(stage, at)
        if undisturbed:
            self.entries = [entry for entry in self.entries if entry.key not in update.keys]

    def _entering(self, stage: Stage, at: datetime) -> Entry:
        key = f"stage:{self.stages_entered + 1}:{stage.value}"
        data = {"round": self.rounds}
        return Entry(
            key=key, at=at, kind="stage", actor=str(SYSTEM), text=stage.value, data=data, journal=self.revision
        )

    def _write(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.recent = [*self.recent[1 - RECENT_ENTRIES :], entry.model_copy(update={"data": {}})]
        self.revision += 1

    @property
    def answered_early(self) -> dict[Literal["accept", "dispute"], Instant]:
        """What was ``said_early`` and answers the response: it could be read by then."""
        return {intent: at for intent, at in self.said_early.items() if self.told_at and at >= self.told_at}

    @property
    def asking(self) -> bool:
        """Whether the customer has been asked something and has not answered."""
        return self.question is not None and not self.question.answered

    def stop_asking(self) -> None:
        """The question is answered, or no longer of interest."""
        if self.question:
            self.question = self.question.model_copy(update={"answered": True})

    def give_back(self, facts: LetterFacts) -> None:
        """The extension that a letter with these *facts* was to tell of does not come about: it was not granted."""
        of = f"{facts.clock}:{facts.extension}:"
        granted = [key for key in self.extended if key.startswith(of)]
        if granted:
            self.extended.remove(granted[-1])

    def happened(self, event: CaseEvent, at: datetime, *, number: int | None = None, **particulars: Any) -> int:
        """Note that *event* happened, for the clocks, with what :class:`Occurred` says of it. Returns its number.

        That is the next one, or that of another event by the same cause.
        """
        number = number or self.next_number()
        self.first.setdefault(event, at)
        self.events.append(Occurred(event=event, at=at, number=number, **particulars))
        self.revision += 1
        return number

    def reject(self, name: str, payload: str, reason: str, at: datetime) -> None:
        """Keep a message that does not fit."""
        self.journal += 1
        self.rejected.append(
            Rejected(
                key=f"rejected:{self.journal}", at=at, name=clean(name)[:100], reason=clean(reason), payload=payload
            )
        )
        self.note(at, "rejected", f"message {clean(name)[:100]!r} does not fit: {clean(reason)[:500]}")

    # -- what is to be written to the case file -----------------------------------------------------------------------

    def has_unrecorded(self, in_flight: Collection[str] = ()) -> bool:
        """Whether there is something that the case file does not know and that is not on its way there."""
        return any(
            item.key not in in_flight
            for items in (self.entries, self.events, self.firings, self.rejected)
            for item in items
        )

    @property
    def is_light(self) -> bool:
        """Whether little is to be written down beside what letters take along: they may be on their way for days."""
        return sum(map(size, (*self.entries, *self.rejected))) <= CARRIED_BY_A_LETTER * (1 + len(self.letters))

    def unrecorded(self, in_flight: Collection[str] = ()) -> CaseUpdate:
        """What the case file does not know yet and is not on its way there, the earliest of it."""
        return self._unrecorded(in_flight, by_the_way=False)

    def by_the_way(self, in_flight: Collection[str] = ()) -> CaseUpdate:
        """What of it goes along with something that may take days: nothing that a clock waits for, nothing large."""
        return self._unrecorded(in_flight, by_the_way=True)

    def _unrecorded(self, in_flight: Collection[str], *, by_the_way: bool) -> CaseUpdate:
        # What the customer said goes with all that is written until the file has it, though it is on its way already:
        # whom they name has no part in what follows, and of two things on their way either may come first.
        entries = [
            entry
            for entry in self.entries
            if entry.key not in in_flight or (_has_words(entry) and size(entry) <= CARRIED_BY_A_LETTER)
        ]
        rejected = [one for one in self.rejected if one.key not in in_flight]
        earliest: list[Entry | Rejected] = sorted([*entries, *rejected], key=lambda item: item.at)
        if by_the_way:
            earliest = list(takewhile(lambda item: size(item) <= CARRIED_BY_A_LETTER, earliest))
        carried = {item.key for item in first_of(earliest, CARRIED_BY_A_LETTER if by_the_way else MOST_CARRIED)}
        return CaseUpdate(
            reference=self.reference,
            policy_hash=self.policy_hash,
            summary=self.summary,
            entries=tuple(entry for entry in entries if entry.key in carried),
            events=tuple(event for event in self.events if not by_the_way and event.key not in in_flight),
            firings=tuple(firing for firing in self.firings if firing.key not in in_flight),
            rejected=tuple(one for one in rejected if one.key in carried),
        )

    def checked(self, update: CaseUpdate) -> CaseUpdate:
        """The *update* with all that the file does not tell of the case, once it has that update.

        It grows with nothing that strangers send: of what else is on its way to the file it has what is little.
        """
        carried = update.keys
        items: list[Entry | Rejected] = [*self.entries, *self.rejected]
        left = CARRIED_BY_A_LETTER - sum(size(item) for item in items if item.key in carried)
        waiting = {item.key for item in items if item.key not in carried and (left := left - size(item)) >= 0}
        part = self.model_copy(
            update={
                "entries": [entry for entry in self.entries if entry.key in waiting],
                "rejected": [rejected for rejected in self.rejected if rejected.key in waiting],
            }
        )
        checkpoint = part.model_dump(mode="json", exclude=_IN_THE_FILE, exclude_defaults=True)
        return update.model_copy(update={"checkpoint": checkpoint})

    def taken_up(self) -> "Case":
        """The case as another workflow goes on with it: what was under way is done again, under the same keys."""
        again = {"to_investigate": self.to_investigate or self.looking, "looking": False, "blocked": None}
        return self.model_copy(update=again)

    def has_recorded(self, update: CaseUpdate) -> None:
        """The case file knows *update*."""
        known = update.keys
        self.entries = [entry for entry in self.entries if entry.key not in known]
        self.events = [event for event in self.events if event.key not in known]
        self.firings = [firing for firing in self.firings if firing.key not in known]
        self.rejected = [rejected for rejected in self.rejected if rejected.key not in known]

    @property
    def summary(self) -> CaseSummary:
        """What lists and reports show."""
        assessment = self.assessment
        return CaseSummary(
            revision=self.revision,
            stage=self.stage,
            stage_since=self.stage_since,
            category=assessment.category if assessment else None,
            severity=assessment.severity if assessment else None,
            priority=assessment.priority if assessment else None,
            in_scope=assessment.in_scope if assessment else True,
            repeat=assessment.repeat if assessment else False,
            team=assessment.team if assessment else None,
            handler=self.handler,
            escalation_level=self.escalation_level,
            outcome=self.outcome,
            compensation=self.awarded,
            next_deadline=self.next_due,
            breached=self.breached,
            closed_at=self.closed_at,
        )

    @property
    def next_deadline(self) -> Deadline | None:
        return min(self.deadlines, key=lambda deadline: deadline.due, default=None)

    @property
    def next_duty(self) -> Deadline | None:
        """The next one whose missing is a breach."""
        duties = [deadline for deadline in self.deadlines if Action.BREACH in deadline.actions]
        return min(duties, key=lambda deadline: deadline.due, default=None)

    @property
    def next_due(self) -> datetime | None:
        deadline = self.next_deadline
        return deadline.due if deadline else None


def _has_words(entry: Entry) -> bool:
    """Whether *entry* has words of the customer."""
    return said_by_customer(entry.kind, entry.actor, entry.data) is not None
