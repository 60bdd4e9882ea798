"""Contact restrictions: how, and through whom, a customer is dealt with for a time.

Never a blacklist: every complaint is read, and letters go out by the form that is allowed. One is proposed with
reasons, approved high up by a second person, and ends by a set day; earlier where nobody keeps it at its review.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from domain.ground.base import Identifier, Instant, Record, StaffId, Text
from domain.ground.messages import Message, NotAllowed
from domain.ground.people import Actor
from domain.ground.words import ContactForm, Role
from domain.people.actors import NotProven, Proofs


class RestrictionStep(StrEnum):
    """What somebody did about a restriction."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    RETURNED = "returned"
    KEPT = "kept"
    """It was reviewed, and goes on."""
    LIFTED = "lifted"


ENDING = frozenset({RestrictionStep.RETURNED, RestrictionStep.LIFTED})


class ProposeRestriction(Message):
    """Propose that a customer be dealt with in that ``form`` only; it is signed for the case that it comes of."""

    name = "propose_restriction"
    form: ContactForm
    until: Instant
    contact: StaffId | None = None
    reasons: Text


class DecideRestriction(Message):
    """Approve, return, keep or lift restriction ``number``; it is signed for the case that the restriction comes of."""

    name = "decide_restriction"
    number: int
    step: RestrictionStep
    reasons: Text


class RestrictionChange(Record):
    """One step of a restriction. ``review_by`` is when it ends unless it is kept, from an approval or a keeping on.

    ``token`` is what proves that ``by`` said so, in a message of that id.
    """

    number: int
    step: RestrictionStep
    by: Actor
    at: Instant
    form: ContactForm
    until: Instant
    reference: Identifier
    contact: StaffId | None = None
    review_by: Instant | None = None
    reasons: Text
    message_id: Identifier | None = None
    token: str | None = None

    @property
    def message(self) -> Message:
        """What ``by`` said, as it was signed. Raises ``ValueError`` where nothing can have been."""
        said = {"message_id": self.message_id, "actor": self.by, "reasons": self.reasons}
        if self.step is RestrictionStep.PROPOSED:
            return ProposeRestriction.model_validate(
                said | {"form": self.form, "until": self.until, "contact": self.contact}
            )
        return DecideRestriction.model_validate(said | {"number": self.number, "step": self.step})


class Restriction(Record):
    """A restriction as it stands: of which case it came, who proposed, approved and ended it, with the last reasons."""

    number: int
    reference: Identifier
    form: ContactForm
    contact: StaffId | None
    until: Instant
    reasons: str
    proposed_by: Actor
    proposed_at: Instant
    approved_by: Actor | None = None
    review_by: Instant | None = None
    ended: RestrictionStep | None = None

    @property
    def ends(self) -> Instant:
        """When it ends by itself: at its end, or at a review that nobody makes."""
        return min(self.until, self.review_by) if self.review_by else self.until

    def in_force(self, at: datetime) -> bool:
        return self.approved_by is not None and self.ended is None and at < self.ends

    def state(self, at: datetime) -> str:
        """In a word, for people."""
        if self.ended:
            return self.ended.value
        if self.approved_by is None:
            return "proposed" if at < self.until else "lapsed"
        return "in force" if self.in_force(at) else "lapsed"


def standing(changes: Iterable[RestrictionChange]) -> list[Restriction]:
    """The restrictions that *changes*, in order, lead to, by number."""
    found: dict[int, Restriction] = {}
    for change in changes:
        known = found.get(change.number)
        if change.step is RestrictionStep.PROPOSED:
            said = change.model_dump(exclude={"step", "by", "at", "review_by", "message_id", "token"})
            found[change.number] = Restriction(**said, proposed_by=change.by, proposed_at=change.at)
        elif known and known.ended is None:
            update: dict[str, object] = {"reasons": change.reasons}
            if change.step in ENDING:
                update["ended"] = change.step
            else:
                update |= {"review_by": change.review_by, "approved_by": known.approved_by or change.by}
            found[change.number] = known.model_copy(update=update)
    return [found[number] for number in sorted(found)]


def in_force(restrictions: Iterable[Restriction], at: datetime) -> list[Restriction]:
    """Those that hold *at* that moment."""
    return [one for one in restrictions if one.in_force(at)]


def founded(
    changes: Iterable[RestrictionChange], proofs: Proofs, approval: Mapping[str, Collection[Role]]
) -> list[RestrictionChange]:
    """Those of *changes*, in order, that somebody is proven to have made who might: each message counts once.

    *approval* are the roles that approve, by the case a restriction came of.
    """
    found: list[RestrictionChange] = []
    heard: set[str] = set()
    for change in changes:
        known = next((one for one in standing(found) if one.number == change.number), None)
        try:
            message = change.message
            proofs.check_recorded(change.token, change.reference, message)
            if change.step is not RestrictionStep.PROPOSED:
                check_step(known, change.step, change.by, change.at, approval.get(change.reference, ()))
            elif known or not change.by.role.is_staff:
                continue
        except (NotProven, ValueError):
            continue
        if message.key not in heard:
            heard.add(message.key)
            found.append(change)
    return found


def check_proposed(form: ContactForm, contact: str | None, until: datetime, at: datetime, latest: datetime) -> None:
    """Raise :class:`NotAllowed` unless such a restriction can be proposed *at* that moment."""
    if until <= at:
        raise NotAllowed("until: it has passed; a restriction ends at a time to come")
    if until > latest:
        raise NotAllowed(f"until: the policy pack lets none last beyond {latest:%Y-%m-%d}; give an earlier day")
    if (contact is not None) is not (form is ContactForm.ONE_PERSON):
        raise NotAllowed("contact: name who deals with the customer, for the form one_person and for no other")


def check_step(
    one: Restriction | None, step: RestrictionStep, by: Actor, at: datetime, approval: Collection[Role]
) -> None:
    """Raise :class:`NotAllowed` unless *by* may take that *step* about the restriction *one*."""
    if one is None:
        raise NotAllowed("restriction: there is none of that number; `redress restriction list` shows them")
    if one.ended or at >= one.ends:
        raise NotAllowed(f"restriction: {one.number} is over ({one.state(at)})")
    waits = one.approved_by is None
    if (
        waits is not (step in {RestrictionStep.APPROVED, RestrictionStep.RETURNED})
        and step is not RestrictionStep.LIFTED
    ):
        raise NotAllowed(f"restriction: {one.number} is {one.state(at)}; it cannot be {step.value}")
    if step is RestrictionStep.LIFTED and by.person == one.proposed_by.person:
        return  # in the customer's favour
    if by.role not in approval:
        raise NotAllowed(f"actor: role {by.role.value} may not; roles that may: {', '.join(approval)}")
    if by.person == one.proposed_by.person:
        raise NotAllowed("actor: who proposed a restriction does not decide on it; a second person does")
