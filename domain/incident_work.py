"""What the workflow of an incident knows, hears, and asks its activities for."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from domain.base import Identifier, Instant, Record, State, Text
from domain.case import Entry
from domain.cohort import Cohort
from domain.findings import Bilingual, Check
from domain.incident import Fault, NewIncident
from domain.messages import Actor, Message
from domain.money import Money
from domain.payment import PaymentOutcome
from domain.policy import Decision
from domain.words import IncidentStage

# -- what it hears -----------------------------------------------------------------------------------------------------


class DecideIncident(Message):
    """Approve the list as a whole, send it back to be listed again, or dismiss the incident.

    ``cohort`` is the hash of the list that the actor has seen; another list is not approved.
    """

    name: ClassVar[str] = "decide_incident"
    decision: Literal["approve", "relist", "dismiss"]
    cohort: Annotated[str, Field(pattern=r"^[0-9a-f]{12,64}$")] | None = None
    reasons: Text | None = None

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.decision == "approve" and not self.cohort:
            raise ValueError("cohort: give the hash of the list that is approved")
        if self.decision != "approve" and not self.reasons:
            raise ValueError("reasons: they are needed for this decision")
        return self


class PauseIncident(Message):
    """Stop compensating after the accounts in hand."""

    name: ClassVar[str] = "pause_incident"
    reason: Text


class ResumeIncident(Message):
    """Go on compensating, at another rate if one is given."""

    name: ClassVar[str] = "resume_incident"
    per_minute: Annotated[int, Field(ge=1, le=6_000)] | None = None


class RetryMember(Message):
    """Try once more to compensate an account that failed, after what stood in the way was put right.

    ``leave`` leaves it to people instead, with the reason; the incident then closes without it.
    """

    name: ClassVar[str] = "retry_member"
    account: Identifier
    leave: Text | None = None


INCIDENT_UPDATES: Final[tuple[type[Message], ...]] = (DecideIncident, PauseIncident, ResumeIncident, RetryMember)


class IncidentReceipt(Record):
    """The answer to an update: the message counted, and where the incident stands now."""

    message_id: Identifier
    reference: str
    stage: IncidentStage
    noted: str
    at: Instant


class IncidentChanged(Message):
    """Told to complaints that are about an incident: it stands at ``stage`` now.

    ``checks`` are those that tell what the fault did; a complaint of any category is investigated by them.
    """

    name: ClassVar[str] = "incident_changed"
    incident: Identifier
    stage: IncidentStage
    checks: Annotated[tuple[Check, ...], Field(max_length=len(Check))] = ()


class Progress(Record):
    """How far an incident is: the answer to the query ``progress``.

    ``done`` of ``cohort.harmed`` accounts are finished: ``paid`` is what went to them under it, ``elsewhere`` counts
    those whose losses a case or another incident had made good by then. ``failed`` need a person.
    """

    reference: str
    stage: IncidentStage
    fault: Fault
    cohort: Cohort | None
    paused: bool
    per_minute: int
    done: int
    elsewhere: int
    failed: int
    under_way: int
    untold: int
    """Accounts compensated whose letter no channel has accepted yet."""
    left: int
    """Accounts that failed and were left to people."""
    paid: tuple[Money, ...]
    cases: int
    opened_at: Instant
    opened_by: str
    approved_by: str | None
    revision: int = 0


class MemberCompensated(Record):
    """What is owed, and the ``rail`` that is to pay it; nothing where others had made everything good by then."""

    at: Instant
    amount: Money | None
    rail: str | None = None


class PayMember(Record):
    """Have a rail pay what is owed to one account, in this ``attempt``. Answered with :class:`MemberPaid`."""

    reference: Identifier
    account: Identifier
    attempt: int


class MemberPaid(Record):
    """How the attempt ended, and whether everything is paid; without an ``outcome`` it had been paid before."""

    at: Instant
    complete: bool
    spoken: str
    outcome: PaymentOutcome | None = None


class Standing(Record):
    """Where an incident stands, as complaints are told: its stage, and how many lists were made."""

    lists: int = 0
    stage: IncidentStage = IncidentStage.LISTING


class Incident(State):
    """The state of one incident's workflow. Continue-as-new hands it over whole."""

    reference: str
    new: NewIncident
    opened_at: Instant
    policy_hash: str = ""
    decision: Decision | None = None
    stage: IncidentStage = IncidentStage.LISTING
    cohort: Cohort | None = None
    lists: int = 0
    approved_by: Actor | None = None
    paused: bool = False
    per_minute: int = 60
    after: str | None = None
    """The last account taken in hand, in the order of their numbers; ``None`` before the first."""
    all_taken: bool = False
    under_way: list[str] = Field(default_factory=list)
    failed: list[str] = Field(default_factory=list)
    done: int = 0
    elsewhere: int = 0
    left: int = 0
    attempts: dict[str, int] = Field(default_factory=dict)
    """How often a rail was to pay an account, where it did not pay at once."""
    untold: dict[str, MemberCompensated] = Field(default_factory=dict)
    """What accounts were paid whose letter is still on its way."""
    paid: list[Money] = Field(default_factory=list)
    cases: list[str] = Field(default_factory=list)
    """Complaints that are about it, as they were last told."""
    told: Standing = Standing()
    """What they were last told, all of them. Before the first list there is nothing to tell."""
    journal: int = 0
    revision: int = 0
    entries: list[Entry] = Field(default_factory=list)
    receipts: dict[str, IncidentReceipt] = Field(default_factory=dict)

    def note(self, at: datetime, kind: str, text: str, actor: Actor, data: dict[str, Any] | None = None) -> str:
        """Add a line to the incident's timeline. Returns its key."""
        self.journal += 1
        self.revision += 1
        key = f"{kind}:{self.journal}"
        self.entries.append(Entry(key=key, at=at, kind=kind, actor=str(actor), text=text, data=data or {}))
        return key

    def checkpoint(self, carried: Collection[str]) -> dict[str, Any]:
        """All that another workflow would have to know, once the file has the entries *carried* there."""
        left = [entry for entry in self.entries if entry.key not in carried]
        kept = {"reference", "new", "opened_at", "policy_hash", "decision", "receipts"}
        part = self.model_copy(update={"entries": left})
        return part.model_dump(mode="json", exclude=kept, exclude_defaults=True)

    @property
    def standing(self) -> Standing:
        return Standing(lists=self.lists, stage=self.stage)

    def add_paid(self, amount: Money) -> None:
        sums = {each.currency: each for each in self.paid}
        sums[amount.currency] = sums.get(amount.currency, Money.zero(amount.currency)) + amount
        self.paid = [sums[currency] for currency in sorted(sums)]

    @property
    def progress(self) -> Progress:
        return Progress(
            reference=self.reference,
            stage=self.stage,
            fault=self.new.fault,
            cohort=self.cohort,
            paused=self.paused,
            per_minute=self.per_minute,
            done=self.done,
            elsewhere=self.elsewhere,
            failed=len(self.failed),
            under_way=len(self.under_way),
            untold=len(self.untold),
            left=self.left,
            paid=tuple(self.paid),
            cases=len(self.cases),
            opened_at=self.opened_at,
            opened_by=str(self.new.opened_by),
            approved_by=str(self.approved_by) if self.approved_by else None,
            revision=self.revision,
        )


class NotAllowed(ValueError):
    """The actor may not decide this, or not now. The message says who may."""


def check_decision(incident: Incident, message: DecideIncident) -> None:
    """Raise :class:`NotAllowed` unless *message*'s actor may decide so.

    A list is approved by a second person whose limit, in each currency, the total of the whole list does not exceed.
    """
    cohort, decision = incident.cohort, incident.decision
    if message.decision == "dismiss" and incident.stage is IncidentStage.LISTING:
        return
    if incident.stage is not IncidentStage.APPROVAL or cohort is None or decision is None:
        raise NotAllowed(f"decision: the incident is at stage {incident.stage.value}; only a finished list is decided")
    if message.decision != "approve":
        return
    if not message.cohort or not cohort.hash.startswith(message.cohort):
        raise NotAllowed(f"cohort: the list has the hash {cohort.hash[:12]}…; look at it before you approve it")
    if message.actor.person == incident.new.opened_by.person:
        raise NotAllowed("actor: a list is approved by a second person, never by who opened the incident")
    for harm in cohort.harm or (None,):
        if not decision.may_approve(message.actor.role, harm):
            able = ", ".join(role.value for role in decision.approvers(harm)) or "nobody in this pack"
            raise NotAllowed(
                f"actor: role {message.actor.role.value} may not approve {harm or 'this'}; roles that may: {able}"
            )


# -- what the activities are asked -------------------------------------------------------------------------------------


class IncidentUpdate(Record):
    """What has changed since the incident was last written down."""

    reference: Identifier
    progress: Progress
    entries: tuple[Entry, ...] = ()
    checkpoint: dict[str, Any] | None = None
    """What another workflow would go on from, should Temporal lose this one."""


class OpenIncident(Record):
    """Write down a new incident and pin its policy pack. Answered with :class:`IncidentOpened`.

    ``run`` is the first run of the incident's workflow, the same in every attempt.
    """

    reference: Identifier
    new: NewIncident
    at: Instant
    run: Identifier | None = None


class IncidentOpened(Record):
    """The incident is written down; ``revision``, ``journal`` and ``lists`` tell how far it had come before."""

    policy_hash: str
    decision: Decision
    revision: int = 0
    journal: int = 0
    lists: int = 0
    checkpoint: dict[str, Any] | None = None
    """Where it stood when its first workflow was lost, for the workflow that goes on with it."""


class ListCohort(Record):
    """List the accounts that the fault touched, as the log stands ``as_of``. Answered with :class:`Cohort`."""

    reference: Identifier
    number: int
    fault: Fault
    policy_hash: str
    as_of: Instant


class NextMembers(Record):
    """Which harmed accounts come after ``after``, at most ``limit``. Answered with :class:`Members`."""

    reference: Identifier
    number: int
    after: str | None
    limit: int


class Members(Record):
    accounts: tuple[str, ...]


class CompensateMember(Record):
    """Make good what the list says of one account, once. Answered with :class:`MemberCompensated`."""

    reference: Identifier
    number: int
    account: Identifier


class TellMember(Record):
    """Write to the customer what happened and what was paid, once."""

    reference: Identifier
    account: Identifier
    title: Bilingual
    fault: Fault
    amount: Money
    at: Instant


class FindCases(Record):
    """Which open complaints are about the incident. Answered with :class:`CasesFound`."""

    reference: Identifier
    number: int


class CasesFound(Record):
    references: tuple[str, ...]
