"""Resolutions: what follows from clear findings by rule, and who may propose and approve the rest."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from domain.case.answers import Proposal
from domain.case.case import Case
from domain.case.messages import DecideResolution, ExtendDeadline, Resolution, ResolveEarly
from domain.checks.findings import Finding, IncidentLink
from domain.checks.losses import losses
from domain.clocks.deadlines import Deadline
from domain.clocks.reckoning import end_of
from domain.ground.messages import NotAllowed
from domain.ground.people import SYSTEM, Actor
from domain.ground.words import Outcome, Remedy, Severity
from domain.money.amounts import Money, total
from domain.money.parts import Entered, Loss


def decisive(case: Case) -> tuple[Finding, ...]:
    """The findings that a decision can rest on without a person; none while something is left open.

    Open is what is inconclusive, doubtful, or lacks something of its sum (:attr:`Finding.open`), whoever asked for the
    check: the pack, the customer's own words or a handler. It is left to a person, with one exception: where what is
    found for the customer beyond doubt reaches the claim in full, nothing can be lost by deciding at once, and the
    decision rests on that alone. What is found of the orders of all customers counts only where it comes to a sum for
    this one (:attr:`Finding.concerns_the_customer`).

    A case that was investigated before there was confidence in findings is decided as it was then: when none is
    inconclusive.
    """
    investigation = case.investigation
    if investigation is None:
        return ()
    if investigation.version == 1:
        return investigation.findings if investigation.conclusive else ()
    findings = tuple(finding for finding in investigation.findings if finding.concerns_the_customer)
    if not any(finding.open for finding in findings):
        return findings
    sure = tuple(finding for finding in findings if finding.verdict.for_the_customer and not finding.open)
    return sure if case.complaint.amount_claimed and _reached(case, sure) else ()


def follow_from_findings(case: Case, at: datetime) -> Proposal | None:
    """The resolution that the findings lead to, whatever its amount; ``None`` where they are not clear.

    Clear means: something that :func:`decisive` names, all harm in one currency, and that of the claim. The harm found
    is the compensation. Upheld when the loss without the interest of the pack reaches the claim (or nothing was
    claimed), else partly upheld.
    """
    findings = decisive(case)
    if not findings:
        return None
    harms = [finding.harm for finding in findings if finding.verdict.for_the_customer and finding.harm]
    claimed = case.complaint.amount_claimed
    if len({harm.currency for harm in harms} | ({claimed.currency} if claimed and harms else set())) > 1:
        return None
    harm = total(harms)
    compensation = harm if harm and harm.amount > 0 else None
    at_fault = any(finding.verdict.for_the_customer for finding in findings)
    if not at_fault:
        outcome, remedies = Outcome.NOT_UPHELD, (Remedy.EXPLANATION,)
    else:
        outcome = Outcome.UPHELD if claimed is None or _reached(case, findings) else Outcome.PARTLY_UPHELD
        remedies = (Remedy.COMPENSATION,) if compensation else (Remedy.APOLOGY,)
    return Proposal(
        outcome=outcome, compensation=compensation, remedies=remedies, reasons=None, proposed_by=SYSTEM, at=at
    )


def _reached(case: Case, findings: Iterable[Finding]) -> bool:
    """Whether what *findings* say the customer lost, without the pack's interest on it, is all that was claimed."""
    claimed = case.complaint.amount_claimed
    losses = [finding.loss for finding in findings if finding.verdict.for_the_customer and finding.loss]
    if claimed is None or any(loss.currency != claimed.currency for loss in losses):
        return False
    lost = total(losses)
    return lost is not None and claimed <= lost


def behind(case: Case, proposal: Proposal) -> tuple[Finding, ...]:
    """The findings that the customer is told of with *proposal*: those it follows from."""
    if proposal.reasons is None:
        return decisive(case)
    findings = case.investigation.findings if case.investigation and proposal.as_found else ()
    return tuple(finding for finding in findings if finding.verdict.for_the_customer)


def made_good(case: Case, proposal: Proposal) -> tuple[Loss, ...]:
    """The losses that the compensation of *proposal* makes good.

    Those it follows from; of a person's own sum all that were found, if it reaches them. A smaller one may be for
    something else, and makes none good.
    """
    if proposal.compensation is None:
        return ()
    if proposal.reasons is None or proposal.as_found:
        return losses(behind(case, proposal))
    findings = case.investigation.findings if case.investigation else ()
    harms = [finding.harm for finding in findings if finding.verdict.for_the_customer and finding.harm]
    if any(harm.currency != proposal.compensation.currency for harm in harms):
        return ()
    harm = total(harms)
    awards = sum((award.amount.amount for award in proposal.awards), Decimal(0))
    given = Money(amount=proposal.compensation.amount - awards, currency=proposal.compensation.currency)
    return losses(findings) if harm and harm <= given else ()


def found(case: Case) -> Money:
    """What all findings for the customer come to, clear or not. Raises :class:`NotAllowed` where it is no one sum."""
    findings = case.investigation.findings if case.investigation else ()
    harms = [finding.harm for finding in findings if finding.verdict.for_the_customer and finding.harm]
    if len({harm.currency for harm in harms}) > 1:
        raise NotAllowed("as_found: the findings are in several currencies; give compensation")
    harm = total(harms)
    if harm is None or harm.amount <= 0:
        raise NotAllowed("as_found: the findings come to no sum for the customer; give compensation")
    return harm


def propose_by_rule(case: Case, at: datetime) -> Proposal | None:
    """The resolution decided by rule: clear findings, a sum within the pack's limit, and no reason for a person.

    A person decides where life or livelihood is at stake or a sign asks for one, and whenever the customer has disputed
    or the case was reopened. A complaint about an incident waits until that is decided, and is then answered from it.
    """
    if case.rounds > 1 or (case.assessment and case.assessment.severity is Severity.CRITICAL) or case.care.by_people:
        return None
    if case.incident and not case.incident.stage.ended and not case.incident.stage.approved:
        return None
    if case.incident and (answer := answer_from(case.incident, case, at)):
        return answer
    proposal = follow_from_findings(case, at)
    return proposal if proposal and case.pack.decision.decided_by_rule(proposal.compensation) else None


def answer_from(link: IncidentLink, case: Case, at: datetime) -> Proposal | None:
    """What the approved list of an incident says of the complaint; ``None`` where that is not all there is to say.

    The loss is made good under the incident, whether the customer accepts the decision or not, so the case awards
    nothing. A person decides where the case's own findings tell of a loss that is not on the list, or leave something
    open of another matter; where the incident paid nothing because others had; and where it has ended without paying.
    """
    harm = link.paid or link.harm
    if not link.stage.approved or harm is None or (link.paid is None and (link.ended or link.stage.ended)):
        return None
    findings = case.investigation.findings if case.investigation else ()
    listed, trades = set(link.losses), set(link.trades)
    for finding in findings:
        lost = finding.verdict.for_the_customer and finding.harm is not None and finding.harm.amount > 0
        if lost and not listed.issuperset(part.key for part in finding.parts):
            return None
        if finding.open and finding.concerns_the_customer and finding.subject not in trades:
            return None
    claimed = case.complaint.amount_claimed
    if claimed and claimed.currency != harm.currency:
        return None
    chinese = case.complaint.language.startswith("zh")
    if chinese:
        paid = "已记入您名下" if link.paid else "将依该事件的处理记入您名下"
        reasons = (
            f"您投诉的问题属于一起我们已对所有受影响客户逐一核查的事件（编号 {link.incident}）：{link.title.zh}。"
            f"经核查您的订单，损失为 {harm}，{paid}，您无须办理任何手续，是否接受本处理决定亦不影响该款项。"
        )
    else:
        paid = "has been credited to you" if link.paid else "is being credited to you"
        reasons = (
            f"What you complain of is part of an incident that we have examined for every customer it touched "
            f"({link.incident}): {link.title.en}. The loss on your orders comes to {harm}, which {paid} under that "
            "incident. You need do nothing for it, and it does not depend on whether you accept this decision."
        )
    return Proposal(
        outcome=Outcome.UPHELD if claimed is None or claimed <= harm else Outcome.PARTLY_UPHELD,
        compensation=None,
        remedies=(Remedy.APOLOGY,),
        reasons=reasons,
        proposed_by=SYSTEM,
        at=at,
        incident=link.incident,
    )


def check_proposal(case: Case, message: Resolution) -> None:
    """Raise :class:`NotAllowed` if the sums cannot be paid as they stand, or not in that currency."""
    loss = found(case) if message.as_found else message.compensation
    sums = [("compensation", loss), *((f"awards: {award.kind.value}", award.amount) for award in message.awards)]
    given = [(field, sum_) for field, sum_ in sums if sum_ is not None]
    for field, sum_ in given:
        if case.awarded and sum_.currency != case.awarded.currency:
            raise NotAllowed(f"{field}: {case.awarded} was awarded before; use the same currency")
        if sum_.currency != given[0][1].currency:
            raise NotAllowed(f"{field}: the other sums are in {given[0][1].currency}; use the same currency")


def propose(case: Case, message: Resolution, at: datetime) -> Proposal:
    """A handler's proposal: the sum is what makes good the loss, and the awards on top of it."""
    awards = tuple(
        Entered(
            kind=award.kind,
            subject=case.reference,
            amount=award.amount,
            entered_by=str(message.actor),
            at=at,
            reason=award.reason,
        )
        for award in message.awards
    )
    loss = found(case) if message.as_found else message.compensation
    sums = [loss, *(award.amount for award in awards)]
    return Proposal(
        outcome=message.outcome,
        compensation=total(Money(amount=sum_.amount, currency=sum_.currency) for sum_ in sums if sum_ is not None),
        remedies=message.remedies,
        reasons=message.reasons,
        proposed_by=message.actor,
        at=at,
        awards=awards,
        as_found=message.as_found,
    )


def check_early(case: Case, message: ResolveEarly, now: datetime) -> None:
    """Raise :class:`NotAllowed` unless *message* may end the case with a summary letter *now*."""
    if case.early_until is None:
        raise NotAllowed(f"policy pack {case.pack.id} has no early closure; propose_resolution leads to a response")
    early = case.pack.early_closure
    if early and case.assessment and early.bars(case.assessment.facts(case.complaint)):
        category = case.assessment.category.value
        raise NotAllowed(f"such complaints ({category}) are owed a final response; propose_resolution leads to it")
    if case.rounds > 1:
        raise NotAllowed("the final response was sent before; propose_resolution leads to another one")
    if now > case.early_until:
        ended = f"{case.early_until:%Y-%m-%d %H:%M:%S} UTC"
        raise NotAllowed(f"the time for an early closure ended at {ended}; propose_resolution leads to a response")
    check_proposal(case, message)
    proposal = propose(case, message, now)
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
    if extension.circumstances and message.circumstance not in extension.circumstances:
        sorts = _listed([one.value for one in extension.circumstances])
        raise NotAllowed(
            f"circumstance: the rule grants {extension.name} in exceptional circumstances only; say which of them the "
            f"reasons are: {sorts}"
        )
    if now >= deadline.clock_due:
        raise NotAllowed(f"clock: {clock.name} has passed; a breach is not undone by an extension")
    calendar = case.pack.calendar_of(clock)
    if extension.to and end_of(calendar, clock, deadline.started_at, extension.to) <= deadline.clock_due:
        raise NotAllowed(f"extension: {clock.name} runs for {extension.to} or longer already; nothing would change")
    if case.extended.count(extension_key(message, deadline)) >= extension.at_most:
        raise NotAllowed(f"extension: {extension.name} was granted as often as the rule allows ({extension.at_most})")


def extension_key(message: ExtendDeadline, deadline: Deadline) -> str:
    """Names an extension of one run of a clock, whatever its rounds."""
    return f"{message.clock}:{message.extension}:{deadline.started_at.isoformat()}"


def needs_second_person(case: Case, proposal: Proposal) -> bool:
    """Whether somebody else must approve *proposal*: whenever the case's sum exceeds what may be decided by rule, and
    whatever a person proposes where the signs of the case ask for a second one.
    """
    if case.care.second_person and proposal.reasons is not None:
        return True
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
    if message.actor.person == proposal.proposed_by.person:
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
