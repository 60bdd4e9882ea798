"""What an award rests on: the decision that stands in the record, taken again by the rules of
:mod:`domain.case.resolution`.

Nothing here believes what a workflow says of a decision. Whoever posts or pays reads what was written down when people
decided, and the rule is applied to the findings that were written down.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, TypeVar

from domain.case.answers import Proposal
from domain.case.assessment import Assessment, reassess
from domain.case.by_rule import drafted, propose_by_rule
from domain.case.case import Case
from domain.case.identity import IDENTIFYING, identity_of
from domain.case.messages.deciding import DecideResolution, ProposeDraft, ProposeResolution, ResolveEarly
from domain.case.messages.handling import Reclassify, VerifyComplainant
from domain.case.messages.outside import ReportReferral
from domain.case.messages.table import UPDATES
from domain.case.outside import OutsideDecision
from domain.case.referrals import CARRYING_OUT, decision_of
from domain.case.resolution import check_draft, check_proposal, propose
from domain.case.two_persons import check_decision, needs_second_person
from domain.checks.findings import Finding, Investigation
from domain.checks.trades import of_one_trade
from domain.ground.messages import Message
from domain.ground.people import SYSTEM, Actor
from domain.ground.timeline import Entry
from domain.money.amounts import Money
from domain.people.actors import LEEWAY, NotProven, Proofs, Vouched
from domain.people.recusal import Recusal, kept_out
from domain.people.signs import SignChange, care_for, standing
from domain.rules.policy import PolicyPack

M = TypeVar("M", bound=Message)

PROPOSING: Final = ("propose_resolution", "resolve_early")
UNDOING: Final = ("investigate", "request_information", "set_aside")
"""What puts a proposal aside that was not approved; ``set_aside`` with ``approved`` one that was."""
BY_PEOPLE: Final = (*PROPOSING, "decide_resolution")
"""The entries by which people propose and decide."""
OF_A_ROUND: Final = (*PROPOSING, *UNDOING, "proposed", "decide_resolution", "retry_payment", "report_payment")
"""The entries of a timeline that name the round they belong to."""
DECISIVE: Final = (
    *OF_A_ROUND,
    *IDENTIFYING,
    CARRYING_OUT,
    ReportReferral.name,
    "assessed",
    "reclassify",
    "add_evidence",
    "finding",
)
"""The entries of a timeline that bear on money."""


BY_STAFF: Final = (VerifyComplainant.name, "reclassify")
"""What people say of a case that bears on what a rule gives by itself, or on who may approve it."""

_KINDS: Final = {kind.name: kind for kind in UPDATES}


class NotApproved(ValueError):
    """What is to be posted or paid does not rest on what stands in the record. The message says why."""


class NotYetRecorded(NotApproved):
    """The record lacks what it would rest on; it may be on its way there."""


@dataclass(frozen=True)
class CaseRecord:
    """What the record holds of a case that bears on money.

    ``entries`` are the :data:`DECISIVE` ones, in the order in which they were noted; ``awards`` what was posted, by
    round; ``recusals`` who is kept out, ``signs`` what became of the case's signs,
    ``had`` in which round each person had the case first, ``given`` what the customer was promised by rule elsewhere
    before, and when; ``made_up`` the findings that no worker of ours has marked. ``proofs`` know whose signatures
    count; without them it is believed who said what is noted. Of a case that was ``erased`` nobody reads any more who
    decided and why: what it was is proved by the chain alone.
    """

    case: Case
    entries: tuple[Entry, ...]
    awards: Mapping[int, Money]
    recusals: tuple[Recusal, ...] = ()
    signs: tuple[SignChange, ...] = ()
    proofs: Proofs | None = None
    erased: bool = False
    had: Mapping[str, int] = field(default_factory=dict)
    given: tuple[tuple[datetime, Money], ...] = ()
    made_up: frozenset[str] = frozenset()

    @property
    def account(self) -> str | None:
        """The case's account: that of the complaint, or the last that somebody corrected it to. Each is proven."""
        for entry in self._corrected:
            self.check_proven(entry)
        return self.said_account

    @property
    def said_account(self) -> str | None:
        """The same, whether that is proven or not."""
        corrected = self._corrected
        return corrected[-1].data["account"] if corrected else self.case.complaint.account

    @property
    def _corrected(self) -> list[Entry]:
        return [entry for entry in self.entries if says(entry, "add_evidence", "account")]

    def check_proven(self, entry: Entry) -> Vouched | None:
        """What the token of *entry* says. Raises :class:`NotApproved` unless it proves that its actor said just that.

        What was said in one round is not said in another. ``None`` where it is believed.
        """
        if self.proofs is None:
            return None
        vouched = proven(self.proofs, self.case.reference, entry)
        for one in self.entries:
            same = (one.kind, one.data.get("message_id")) == (entry.kind, vouched.jti)
            if same and one.data.get("round") != entry.data.get("round"):
                raise NotApproved(f"{entry.key}: it was said once, in another round ({one.key})")
        return vouched

    def as_of(self, round_: int, entry: Entry | None = None) -> Case:
        """The case as it stood in *round_*, just before *entry* was noted: findings, severity, what was awarded."""
        before = self.entries[: self.entries.index(entry)] if entry else self.entries
        found = [one for one in before if one.kind == "finding"]
        last = tuple(Finding.noted(one.data) for one in found if one.at == found[-1].at)
        case = self.case.model_copy()
        case.rounds, case.account, case.had = round_, self.account, dict(self.had)
        lately = self._lately(entry.at) if entry else ()
        trades = of_one_trade(last)
        case.investigation = Investigation(findings=last, version=2, lately=lately, trades=trades) if last else None
        case.assessment = _assessment(before, case.pack)
        for one in before:
            if one.kind in BY_STAFF:
                self.check_proven(one)
        case.identity = identity_of(before)
        case.bound = self._bound_in(round_, before)
        case.proposers = [actor_of(one).id for one in before if one.kind in PROPOSING]
        case.approved_by = {
            one.data["round"]: actor_of(one).role
            for one in before
            if one.kind == DecideResolution.name and one.data.get("decision") == "approve" and "round" in one.data
        }
        case.awarded = _sum(amount for number, amount in self.awards.items() if number < round_)
        if entry:
            case.care = care_for(standing(one for one in self.signs if one.at <= entry.at), entry.at)
        return case

    def check_found(self, entry: Entry) -> None:
        """Raise :class:`NotApproved` unless a worker of ours found what *entry* is decided on, by the case's rules."""
        found = [one for one in self.entries[: self.entries.index(entry)] if one.kind == "finding"]
        for one in found:
            if one.at == found[-1].at and one.key in self.made_up:
                raise NotApproved(f"{one.key}: no worker of ours found this by the rules of the case")

    def _lately(self, at: datetime) -> tuple[Money, ...]:
        since = at - timedelta(self.case.pack.decision.rule_days)
        return tuple(amount for given_at, amount in self.given if given_at > since)

    def _bound_in(self, round_: int, entries: Sequence[Entry]) -> OutsideDecision | None:
        """What was decided outside and is carried out in *round_*; ``None`` where that is any other round."""
        begins = [one for one in entries if one.kind == CARRYING_OUT and one.data.get("round") == round_]
        if not begins:
            return None
        told = [one for one in entries if one.kind == ReportReferral.name]
        for one in reversed([one for one in told if one.data.get("referral") == begins[-1].data.get("referral")]):
            message = _said(one, ReportReferral)
            if message.decides:
                self.check_proven(one)
                return decision_of(message)
        return None

    def known_by(self, moment: datetime) -> "CaseRecord":
        """The record without the recusals that were written down after *moment*."""
        return replace(self, recusals=tuple(one for one in self.recusals if one.at is None or one.at <= moment))


@dataclass(frozen=True)
class Approved:
    """An award that may be posted: the case with its approved proposal, and the ``key`` of the entry it rests on."""

    case: Case
    key: str

    @property
    def compensation(self) -> Money | None:
        """The sum that was approved, before what others made good meanwhile is taken off."""
        return self.case.proposal.compensation if self.case.proposal else None

    @property
    def deducts(self) -> bool:
        """Whether it is just what was found, so that what others made good of that is taken off."""
        proposal = self.case.proposal
        return bool(proposal and (proposal.reasons is None or proposal.as_found))


def approved_award(record: CaseRecord, round_: int) -> Approved:
    """The award of *round_* that the record bears.

    Raises :class:`NotYetRecorded` where nothing was proposed, or approved by a second person who is needed, and
    :class:`NotApproved` where what was recorded does not suffice: the same person, a role or limit, another sum.
    """
    proposed, approval = _decided(record.entries, round_)
    if proposed is None:
        raise NotYetRecorded(f"no proposal of round {round_} stands in the case file")
    case = record.as_of(round_, proposed)
    try:
        if proposed.kind == "proposed":
            return _by_rule(record, case, proposed)
        return _by_people(record, case, proposed, approval)
    except NotApproved:
        raise
    except (ValueError, LookupError) as error:
        raise NotApproved(f"{proposed.key}: {error}") from None


def award_of(record: CaseRecord, round_: int, award: Money) -> Approved:
    """As :func:`approved_award`, where that comes to *award*; else raises :class:`NotApproved`."""
    approved = approved_award(record, round_)
    if approved.compensation is None or approved.compensation.rounded() != award.rounded():
        raise NotApproved(f"{approved.key}: {approved.compensation or 'nothing'} was approved, not {award.rounded()}")
    return approved


def _decided(entries: Iterable[Entry], round_: int) -> tuple[Entry | None, Entry | None]:
    """The proposal of *round_* that was not returned or put aside, and its approval.

    A workflow that was reset lives a part of its life again, and both lives stand in the record. So an approval goes
    with the proposal that it names, and of two approvals the later counts.
    """
    waiting: dict[str | None, Entry] = {}
    decided: tuple[Entry, Entry] | None = None
    for entry in entries:
        if entry.data.get("round") != round_:
            continue
        match entry.kind:
            case "set_aside" if entry.data.get("approved"):
                waiting, decided = {}, None
            case "proposed" | "propose_resolution":
                named = proposal_digest(entry)
                waiting.pop(named, None)
                waiting[named] = entry
            case "resolve_early":
                decided = entry, entry
            case "decide_resolution" if entry.data.get("decision") == "approve":
                last = next(reversed(waiting.values()), None)
                if approved := waiting.get(entry.data.get("proposal"), None if decided else last):
                    decided = approved, entry
            case kind if kind in UNDOING or kind == "decide_resolution":
                waiting = {}
    return decided or (next(reversed(waiting.values()), None), None)


def _by_rule(record: CaseRecord, case: Case, proposed: Entry) -> Approved:
    if case.bound is None:
        record.check_found(proposed)
    case.proposal = propose_by_rule(case, proposed.at)
    noted = proposed.data.get("compensation")
    given = Money.model_validate(noted) if noted else None
    if proposed.actor != str(SYSTEM) or case.proposal is None or case.proposal.compensation != given:
        raise NotApproved(f"{proposed.key}: the rule does not lead from the findings in the case file to this proposal")
    return Approved(case, proposed.key)


def check_not_kept_out(record: CaseRecord, entry: Entry) -> None:
    """Raise :class:`NotApproved` if who *entry* is by was kept out then, or decided in an earlier round."""
    actor, round_ = actor_of(entry), entry.data.get("round", 1)
    for one in record.entries:
        if one.kind in BY_PEOPLE and one.data.get("round", 1) < round_ and actor_of(one).person == actor.person:
            raise NotApproved(f"{entry.key}: {actor} decided in an earlier round ({one.key}) and is kept out")
    here = {one.key for one in record.entries}
    elsewhere = [
        one for one in record.recusals if one.about not in here and (one.since is None or one.since < entry.at)
    ]
    if recusal := kept_out(elsewhere, entry.at).get(actor.person):
        raise NotApproved(f"{entry.key}: {actor} is kept out of the case ({recusal.why.value}: {recusal.about})")


def _by_people(record: CaseRecord, case: Case, proposed: Entry, approval: Entry | None) -> Approved:
    for entry in filter(None, (proposed, approval)):
        check_not_kept_out(record, entry)
    _check_said_in_order(record, proposed, approval)
    case.proposal = proposal = _proposal(case, proposed)
    if not proposal.proposed_by.role.is_staff:
        role = proposal.proposed_by.role.value
        raise NotApproved(f"{proposed.key}: role {role} may not propose a resolution")
    if proposed.kind == ResolveEarly.name:
        if case.rounds > 1 or case.pack.early_closure is None or needs_second_person(case, proposal):
            raise NotApproved(f"{proposed.key}: {proposal.compensation} cannot be given by an early closure")
    elif needs_second_person(case, proposal):
        if approval is None:
            raise NotYetRecorded(f"{proposed.key}: no approval by a second person stands in the case file")
        check_decision(case, _said(approval, DecideResolution))
    return Approved(case, (approval or proposed).key)


def proposal_digest(proposed: Entry) -> str | None:
    """Names what the entry *proposed* puts forward; ``None`` where that cannot be read any more."""
    try:
        return _said(proposed, _kind_of(proposed)).digest
    except (ValueError, LookupError):
        return None


def _check_said_in_order(record: CaseRecord, proposed: Entry, approval: Entry | None) -> None:
    """Raise :class:`NotApproved` unless both are proven, and the approval was signed after what it approves."""
    offered = record.check_proven(proposed)
    approved = record.check_proven(approval) if approval else None
    if offered and approved and approved.iat < offered.iat - LEEWAY:
        raise NotApproved(f"{approved.jti}: the approval was signed before the proposal that it is to approve")


def _proposal(case: Case, proposed: Entry) -> Proposal:
    """What the entry *proposed* puts before whoever may approve it, made again from the record."""
    if "draft" in proposed.data:
        case.draft = drafted(case)
        check_draft(case, _said(proposed, ProposeDraft))
        return case.draft.proposed(actor_of(proposed), proposed.at, proposal_digest(proposed) or "")
    kind = ResolveEarly if proposed.kind == ResolveEarly.name else ProposeResolution
    message = _said(proposed, kind)
    check_proposal(case, message)
    return propose(case, message, proposed.at)


def says(entry: Entry, kind: str, field: str) -> bool:
    return entry.kind == kind and bool(entry.data.get(field))


def actor_of(entry: Entry) -> Actor:
    try:
        return Actor.named(entry.actor)
    except ValueError:
        raise NotApproved(f"{entry.key}: {entry.actor} names no role and id") from None


def _said(entry: Entry, kind: type[M]) -> M:
    """The message of that *kind* which *entry* notes, without what is noted beside it."""
    said = {name: value for name, value in entry.data.items() if name in kind.model_fields}
    return kind.model_validate({"message_id": "recorded", **said, "actor": actor_of(entry).model_dump()})


def _kind_of(entry: Entry) -> type[Message]:
    """What was sent: a draft that somebody proposed is noted as a proposal."""
    return ProposeDraft if entry.kind == ProposeResolution.name and "draft" in entry.data else _KINDS[entry.kind]


def proven(proofs: Proofs, reference: str, entry: Entry, kind: type[Message] | None = None) -> Vouched:
    """What the token of *entry* says, a message of this *kind*. Raises :class:`NotApproved` where it proves nothing."""
    try:
        return proofs.check_recorded(entry.token, reference, _said(entry, kind or _kind_of(entry)))
    except NotProven as error:
        raise NotApproved(f"{entry.key}: {error}") from None
    except (ValueError, LookupError):
        raise NotApproved(f"{entry.key}: it is no message that somebody can have signed") from None


def _assessment(entries: Iterable[Entry], pack: PolicyPack) -> Assessment | None:
    assessment: Assessment | None = None
    for entry in entries:
        if entry.kind == "assessed":
            assessment = Assessment.model_validate(entry.data)
        elif assessment and entry.kind == Reclassify.name:
            said = _said(entry, Reclassify)
            assessment = reassess(
                assessment,
                pack,
                category=said.category,
                severity=said.severity,
                complexity=said.complexity,
                in_scope=said.in_scope,
                by=entry.actor,
            )
    return assessment


def _sum(amounts: Iterable[Money]) -> Money | None:
    known = list(amounts)
    if not known:
        return None
    if len({amount.currency for amount in known}) > 1:
        raise NotApproved("the case has awards in several currencies")
    return Money(amount=sum((amount.amount for amount in known), Decimal(0)), currency=known[0].currency)
