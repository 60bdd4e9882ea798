"""What the workflow of an incident knows, hears, and asks its activities for."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from pydantic import Field

from domain.ground.base import Instant, State
from domain.ground.messages import MOST_HEARD, MOST_RECEIPTS, Message, NotAllowed, is_known, remember
from domain.ground.people import SYSTEM, Actor
from domain.ground.sizes import MOST_CARRIED, first_of
from domain.ground.timeline import Entry
from domain.ground.words import IncidentStage
from domain.incidents.incident import NewIncident
from domain.incidents.messages import DecideIncident, IncidentReceipt
from domain.incidents.progress import Cohort, Progress
from domain.incidents.requests import IncidentUpdate, MemberCompensated, Standing
from domain.money.amounts import Money
from domain.rules.deciding import Decision, TrainingRule


class Incident(State):
    """The state of one incident's workflow. Continue-as-new hands it over whole."""

    reference: str
    new: NewIncident
    opened_at: Instant
    policy_hash: str = ""
    decision: Decision | None = None
    training: tuple[TrainingRule, ...] = ()
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
    """What the last updates were answered: a repeated send gets the same answer."""
    heard: dict[str, str] = Field(default_factory=dict)
    """Digests of the last messages' ids, with digests of what they said."""

    def knows(self, message: Message) -> bool:
        """Whether this very message was heard before. Raises ``ValueError`` if its id was used for another one."""
        return is_known(self.heard, message)

    def hear(self, message: Message) -> None:
        """Remember *message*, for as long as a sender may repeat it."""
        remember(self.heard, message.id_digest, message.content_digest, MOST_HEARD)

    def confirm(self, message: Message, noted: str, at: datetime, *, token: str | None = None) -> IncidentReceipt:
        """Write down that an update did what is *noted*, with its *token*, and what it is answered."""
        self.note(at, message.name, noted, message.actor, message.body, token=token)
        receipt = IncidentReceipt(
            message_id=message.message_id, reference=self.reference, stage=self.stage, noted=noted, at=at
        )
        remember(self.receipts, message.key, receipt, MOST_RECEIPTS)
        return receipt

    def note(
        self,
        at: datetime,
        kind: str,
        text: str,
        actor: Actor,
        data: dict[str, Any] | None = None,
        *,
        token: str | None = None,
    ) -> str:
        """Add a line to the incident's timeline. Returns its key."""
        self.journal += 1
        self.revision += 1
        key = f"{kind}:{self.journal}"
        self.entries.append(Entry(key=key, at=at, kind=kind, actor=str(actor), text=text, data=data or {}, token=token))
        return key

    def give_back_for_approval(self, at: datetime, why: str) -> bool:
        """Have the list approved by somebody else, if nothing of it was paid yet. Returns whether that is so."""
        if self.done or self.left:
            return False
        if self.stage is IncidentStage.COMPENSATING:
            self.stage, self.approved_by = IncidentStage.APPROVAL, None
            self.after, self.all_taken, self.failed = None, False, []
            self.note(at, "void", why, SYSTEM)
        return True

    def has_unrecorded(self, in_flight: Collection[str] = ()) -> bool:
        """Whether there is something that the file does not know and that is not on its way there."""
        return any(entry.key not in in_flight for entry in self.entries)

    def unrecorded(self, in_flight: Collection[str] = ()) -> IncidentUpdate:
        """How far the incident is, and what of it the file does not know yet and is not on its way there."""
        entries = first_of((entry for entry in self.entries if entry.key not in in_flight), MOST_CARRIED)
        return IncidentUpdate(reference=self.reference, progress=self.progress, entries=tuple(entries))

    def checked(self, update: IncidentUpdate) -> IncidentUpdate:
        """The *update* with all that another workflow would have to know, once the file has that update."""
        kept = {"reference", "new", "opened_at", "policy_hash", "decision", "training", "heard", "receipts"}
        left = [entry for entry in self.entries if entry.key not in update.keys]
        part = self.model_copy(update={"entries": left})
        checkpoint = part.model_dump(mode="json", exclude=kept, exclude_defaults=True)
        return update.model_copy(update={"checkpoint": checkpoint})

    def recorded(self, update: IncidentUpdate) -> None:
        """The file knows *update*."""
        self.entries = [entry for entry in self.entries if entry.key not in update.keys]

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


IN_PART: Final = "actor: you do not see the whole list, so somebody else decides about it"
"""What whoever is kept out of a complaint about the incident, or of an account on its list, is told."""


def check_decision(incident: Incident, message: DecideIncident) -> None:
    """Raise :class:`NotAllowed` unless *message*'s actor may decide so.

    A list is approved by a second person whose limit, in each currency, the total of the whole list does not exceed.
    """
    cohort, decision = incident.cohort, incident.decision
    if message.decision == "dismiss" and incident.stage is IncidentStage.LISTING:
        return
    if incident.stage is not IncidentStage.APPROVAL or cohort is None or decision is None:
        raise NotAllowed(f"decision: the incident is at stage {incident.stage.value}; only a finished list is decided")
    if incident.under_way:
        raise NotAllowed("decision: accounts are on their way under the approval before; decide again in a moment")
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
