"""Two persons for a no: what needs a second one, who may be it, and who may propose at all."""

from domain.case.answers import Proposal
from domain.case.case import Case
from domain.case.drafts import Draft
from domain.case.messages.deciding import DecideResolution
from domain.ground.base import person_of
from domain.ground.messages import NotAllowed
from domain.ground.people import SYSTEM, Actor
from domain.ground.words import Outcome, Priority, Remedy, Role
from domain.money.amounts import Money, total
from domain.rules.deciding import Occasion


def second_person_because(case: Case, proposal: Proposal | Draft) -> tuple[Occasion, ...]:
    """What has a second person decide on *proposal*, if a person proposes it: by the pack, the signs, the sums.

    It may be told to whoever works on the case: of signs it says only that there is one.
    Limits hold for all that the case costs, what was awarded before included.
    """
    care, outcome = case.care, proposal.outcome
    unlimited = case.decision.without_limit(proposal.compensation)
    urgent = case.assessment is not None and care.of(case.assessment.priority) is Priority.P1
    applies = {
        Occasion.REJECTION: outcome is Outcome.NOT_UPHELD,
        Occasion.PARTLY_UPHELD: outcome is Outcome.PARTLY_UPHELD or _gives_less(case, proposal),
        Occasion.REFERRAL: outcome is Outcome.REFERRED,
        Occasion.P1: urgent,
        Occasion.VULNERABILITY: care.skilled,
        Occasion.SIGN: care.second_person,
        Occasion.ABOVE_LIMIT: not unlimited and not _within_limit(case, proposal),
        Occasion.NO_LIMIT: unlimited,
        Occasion.ANOTHER_ROUND: case.rounds > 1 and case.bound is None,
    }
    because = [one for one in Occasion if applies[one] and case.decision.needs_second(one)]
    # Which sign it is stands in the signs' own table and nowhere else.
    return tuple(dict.fromkeys(Occasion.SIGN if one is Occasion.VULNERABILITY else one for one in because))


def needs_second_person(case: Case, proposal: Proposal) -> bool:
    """Whether somebody else must approve *proposal*. What was decided by rule nobody approves any more."""
    return proposal.proposed_by != SYSTEM and bool(second_person_because(case, proposal))


def at_stake(case: Case, proposal: Proposal | Draft) -> Money | None:
    """What the case costs with *proposal*, earlier awards included: limits hold for a case, not for each round."""
    if proposal.compensation is None or case.awarded is None:
        return proposal.compensation
    return case.awarded + proposal.compensation


def _within_limit(case: Case, proposal: Proposal | Draft) -> bool:
    award = proposal.compensation
    if award and case.awarded and award.currency != case.awarded.currency:
        return False
    return case.decision.within_limit(at_stake(case, proposal))


def _gives_less(case: Case, proposal: Proposal | Draft) -> bool:
    """Whether *proposal* upholds the complaint by name and gives less than it asks, or nobody can tell.

    What is owed by a decision made outside is no less than that, whatever was asked.
    """
    if proposal.outcome is not Outcome.UPHELD or case.bound is not None:
        return False
    link, claimed, sought = case.incident, case.complaint.amount_claimed, case.complaint.remedy_sought
    under_incident = (link.paid or link.harm) if link and proposal.incident else None
    given = [one for one in (proposal.compensation, case.awarded, under_incident) if one is not None]
    if claimed is not None:
        if any(one.currency != claimed.currency for one in given):
            return True
        return (total(given) or Money.zero(claimed.currency)) < claimed
    match sought:
        case None | Remedy.APOLOGY | Remedy.EXPLANATION | Remedy.OTHER:
            return False
        case Remedy.COMPENSATION | Remedy.REFUND:
            return not given
        case _:
            return sought not in proposal.remedies


def check_has_the_case(case: Case, actor: Actor) -> None:
    """Raise :class:`NotAllowed` where somebody named has the case and it is not *actor*.

    Where nobody named has it (it is with a role, or with nobody), whoever may propose takes it by proposing.
    """
    handler = case.handler
    if handler is not None and handler not in set(Role) and person_of(handler) != actor.person:
        raise NotAllowed(f"actor: {handler} has the case, and who proposes must have it; assign gives it to {actor.id}")


def approvers(case: Case, proposal: Proposal | Draft) -> list[Role]:
    """The roles that may approve *proposal*, lowest first.

    What was decided before is reviewed by a superior: a role further up the pack's ladder of approval, or the last.
    """
    earlier = [role for round_, role in case.approved_by.items() if round_ < case.rounds]
    return case.decision.approvers(at_stake(case, proposal), after=earlier)


def check_decision(case: Case, message: DecideResolution) -> None:
    """Raise :class:`NotAllowed` unless *message*'s actor may decide the case's proposal."""
    proposal = case.proposal
    if proposal is None or case.approved:
        raise NotAllowed("decision: no proposal waits for approval; propose_resolution comes first")
    if message.actor.person == proposal.proposed_by.person:
        raise NotAllowed("actor: a proposal is decided by a second person, never by its proposer")
    award, decision = at_stake(case, proposal), case.decision
    if not decision.may_approve(message.actor.role, award):
        able = ", ".join(role.value for role in decision.approvers(award)) or "nobody in this pack"
        role = message.actor.role.value
        raise NotAllowed(f"actor: role {role} may not approve {award or 'this'}; roles that may: {able}")
    if message.decision == "approve" and message.actor.role not in (above := approvers(case, proposal)):
        able = ", ".join(role.value for role in above)
        raise NotAllowed(f"actor: a superior of who decided before reviews it; roles that may: {able}")
    if message.decision == "approve" and case.had.get(message.actor.person, case.rounds) < case.rounds:
        raise NotAllowed(f"actor: {message.actor} had the case when it was decided before; somebody else reviews that")
    if message.proposal != proposal.digest:
        raise NotAllowed(
            f"proposal: {message.proposal} does not wait any more, another has taken its place: {proposal.digest}, "
            f"{proposal.spoken}; look at that one before you decide"
        )
