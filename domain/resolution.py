"""Resolutions: what follows from clear findings by rule, and who may propose and approve the rest."""

from collections.abc import Iterable
from datetime import datetime

from domain.case import SYSTEM, Case, Proposal
from domain.deadlines import Deadline, reach
from domain.messages import Actor, DecideResolution, ExtendDeadline, ProposeResolution, ResolveEarly
from domain.money import Money, total
from domain.words import Outcome, Remedy, Severity


class NotAllowed(ValueError):
    """The actor may not do this, or not now. The message says who may, or when."""


def follow_from_findings(case: Case, at: datetime) -> Proposal | None:
    """The resolution that the findings lead to, whatever its amount; ``None`` where they are not clear.

    Clear means: at least one finding, none inconclusive, all harm in one currency, and that of the claim. The harm
    found is the compensation. Upheld when it reaches the claim (or nothing was claimed), else partly upheld.
    """
    investigation = case.investigation
    if investigation is None or not investigation.findings or not investigation.conclusive:
        return None
    harms = [finding.harm for finding in investigation.findings if finding.verdict.for_the_customer and finding.harm]
    claimed = case.complaint.amount_claimed
    if len({harm.currency for harm in harms} | ({claimed.currency} if claimed and harms else set())) > 1:
        return None
    harm = total(harms)
    compensation = harm if harm and harm.amount > 0 else None
    at_fault = any(finding.verdict.for_the_customer for finding in investigation.findings)
    if not at_fault:
        outcome, remedies = Outcome.NOT_UPHELD, (Remedy.EXPLANATION,)
    elif claimed is None or (compensation is not None and claimed <= compensation):
        outcome = Outcome.UPHELD
        remedies = (Remedy.COMPENSATION,) if compensation else (Remedy.APOLOGY,)
    else:
        outcome = Outcome.PARTLY_UPHELD
        remedies = (Remedy.COMPENSATION,) if compensation else (Remedy.APOLOGY,)
    return Proposal(
        outcome=outcome, compensation=compensation, remedies=remedies, reasons=None, proposed_by=SYSTEM, at=at
    )


def propose_by_rule(case: Case, at: datetime) -> Proposal | None:
    """The resolution decided by rule: clear findings, a sum within the pack's limit, and no reason for a person.

    A person decides where life or livelihood is at stake, and whenever the customer has disputed or the case was
    reopened.
    """
    if case.rounds > 1 or (case.assessment and case.assessment.severity is Severity.CRITICAL):
        return None
    proposal = follow_from_findings(case, at)
    return proposal if proposal and case.pack.decision.decided_by_rule(proposal.compensation) else None


def check_proposal(case: Case, message: ProposeResolution | ResolveEarly) -> None:
    """Raise :class:`NotAllowed` if the compensation cannot be paid as it stands, or not in that currency."""
    award = message.compensation
    if award is None:
        return
    if Money(amount=award.amount, currency=award.currency).rounded().amount != award.amount:
        raise NotAllowed(f"compensation: {award.currency} has no units that small; give a payable amount")
    if case.awarded and award.currency != case.awarded.currency:
        raise NotAllowed(f"compensation: {case.awarded} was awarded before; use the same currency")


def propose(message: ProposeResolution | ResolveEarly, at: datetime) -> Proposal:
    """A handler's proposal."""
    compensation = message.compensation
    return Proposal(
        outcome=message.outcome,
        compensation=Money(amount=compensation.amount, currency=compensation.currency) if compensation else None,
        remedies=message.remedies,
        reasons=message.reasons,
        proposed_by=message.actor,
        at=at,
    )


def check_early(case: Case, message: ResolveEarly, now: datetime) -> None:
    """Raise :class:`NotAllowed` unless *message* may end the case with a summary letter *now*."""
    if case.early_until is None:
        raise NotAllowed(f"policy pack {case.pack.id} has no early closure; propose_resolution leads to a response")
    early = case.pack.early_closure
    if early and case.assessment and case.assessment.category in early.not_for:
        category = case.assessment.category.value
        raise NotAllowed(f"complaints about {category} are owed a final response; propose_resolution leads to it")
    if case.rounds > 1:
        raise NotAllowed("the final response was sent before; propose_resolution leads to another one")
    if now > case.early_until:
        ended = f"{case.early_until:%Y-%m-%d %H:%M:%S} UTC"
        raise NotAllowed(f"the time for an early closure ended at {ended}; propose_resolution leads to a response")
    check_proposal(case, message)
    proposal = propose(message, now)
    if needs_second_person(case, proposal):
        raise NotAllowed(
            f"compensation: {proposal.compensation} needs a second person's approval; use propose_resolution"
        )


def check_extension(case: Case, message: ExtendDeadline, now: datetime) -> None:
    """Raise :class:`NotAllowed` unless *message*'s actor may extend the clock *now*."""
    running = {deadline.clock: deadline for deadline in case.deadlines}
    deadline = running.get(message.clock)
    if deadline is None:
        able = [name for name in running if case.pack.clock(name).extensions]
        raise NotAllowed(f"clock: {message.clock} is not running; clocks that can be extended: {_listed(able)}")
    clock = case.pack.clock(message.clock)
    extension = next((one for one in clock.extensions if one.name == message.extension), None)
    if extension is None:
        names = [one.name for one in clock.extensions]
        raise NotAllowed(
            f"extension: the pack knows no {message.extension} for {clock.name}; it knows {_listed(names)}"
        )
    if message.actor.role not in extension.approval:
        roles = _listed([role.value for role in extension.approval])
        raise NotAllowed(
            f"actor: role {message.actor.role.value} may not approve {extension.name}; roles that may: {roles}"
        )
    if now >= deadline.clock_due:
        raise NotAllowed(f"clock: {clock.name} has passed; a breach is not undone by an extension")
    calendar = case.pack.calendar_of(clock)
    if extension.to and reach(calendar, deadline.started_at, extension.to) <= deadline.clock_due:
        raise NotAllowed(f"extension: {clock.name} runs for {extension.to} or longer already; nothing would change")
    if case.extended.count(extension_key(message, deadline)) >= extension.at_most:
        raise NotAllowed(f"extension: {extension.name} was granted as often as the rule allows ({extension.at_most})")


def extension_key(message: ExtendDeadline, deadline: Deadline) -> str:
    """Names an extension of one run of a clock, whatever its rounds."""
    return f"{message.clock}:{message.extension}:{deadline.started_at.isoformat()}"


def needs_second_person(case: Case, proposal: Proposal) -> bool:
    """Whether somebody else must approve *proposal*: whenever the case's sum exceeds what may be decided by rule."""
    return not case.pack.decision.decided_by_rule(at_stake(case, proposal))


def at_stake(case: Case, proposal: Proposal) -> Money | None:
    """What the case costs with *proposal*, earlier awards included: limits hold for a case, not for each round."""
    if proposal.compensation is None or case.awarded is None:
        return proposal.compensation
    return case.awarded + proposal.compensation


def check_decision(case: Case, message: DecideResolution) -> None:
    """Raise :class:`NotAllowed` unless *message*'s actor may decide the case's proposal."""
    proposal = case.proposal
    if proposal is None or case.approved:
        raise NotAllowed("decision: no proposal waits for approval; propose_resolution comes first")
    if message.actor.id == proposal.proposed_by.id:
        raise NotAllowed("actor: a proposal is decided by a second person, never by its proposer")
    _check_limit(case, message.actor, at_stake(case, proposal))


def _check_limit(case: Case, actor: Actor, award: Money | None) -> None:
    decision = case.pack.decision
    if decision.may_approve(actor.role, award):
        return
    able = ", ".join(role.value for role in decision.approvers(award)) or "nobody in this pack"
    raise NotAllowed(f"actor: role {actor.role.value} may not approve {award or 'this'}; roles that may: {able}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
