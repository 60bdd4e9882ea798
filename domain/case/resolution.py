"""Resolutions: what follows from findings, and what people propose."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, localcontext

from domain.case.answers import Proposal
from domain.case.case import Case
from domain.case.drafts import Draft, because
from domain.case.elsewhere import PromisedElsewhere, check_not_elsewhere, spoken
from domain.case.messages.deciding import ProposeDraft, Resolution, ResolveEarly
from domain.case.messages.handling import ExtendDeadline
from domain.case.referrals import check_carries_out
from domain.case.two_persons import second_person_because
from domain.checks.accrual import Accrual, accruals
from domain.checks.findings import Finding, IncidentLink
from domain.checks.losses import losses
from domain.clocks.deadlines import Deadline
from domain.clocks.reckoning import end_of
from domain.ground.messages import NotAllowed
from domain.ground.words import Outcome, Remedy
from domain.money.amounts import Money, total
from domain.money.parts import PRECISION, Entered, Loss


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


def leading(case: Case) -> tuple[Finding, ...]:
    """The findings that a draft rests on: :func:`decisive`, or where something is open all that is for the customer.

    What is doubtful against the customer leads to nothing: a machine never guesses a no.
    """
    if (sure := decisive(case)) or case.investigation is None:
        return sure
    findings = case.investigation.findings
    return tuple(finding for finding in findings if finding.concerns_the_customer and finding.verdict.for_the_customer)


def follow_from_findings(case: Case) -> Draft | None:
    """What the findings lead to, whatever its amount; ``None`` where they are of no one currency or lead to nothing.

    The harm found is the compensation. Upheld when the loss without the interest of the pack reaches the claim (or
    nothing was claimed), else partly upheld.
    """
    findings = leading(case)
    if not findings:
        return None
    harms = [finding.harm for finding in findings if finding.verdict.for_the_customer and finding.harm]
    claimed = case.complaint.amount_claimed
    if len({harm.currency for harm in harms} | ({claimed.currency} if claimed and harms else set())) > 1:
        return None
    harm = total(harms)
    compensation = harm if harm and harm.amount > 0 else None
    if not any(finding.verdict.for_the_customer for finding in findings):
        return Draft(outcome=Outcome.NOT_UPHELD, remedies=(Remedy.EXPLANATION,))
    return Draft(
        outcome=Outcome.UPHELD if claimed is None or _reached(case, findings) else Outcome.PARTLY_UPHELD,
        compensation=compensation,
        remedies=(Remedy.COMPENSATION,) if compensation else (Remedy.APOLOGY,),
    )


def _reached(case: Case, findings: Iterable[Finding]) -> bool:
    """Whether what *findings* say the customer lost, without the pack's interest on it, is all that was claimed."""
    claimed = case.complaint.amount_claimed
    lost = [finding for finding in findings if finding.verdict.for_the_customer and finding.harm]
    if not lost or claimed is None or any(one.harm and one.harm.currency != claimed.currency for one in lost):
        return False
    with localcontext(prec=PRECISION):
        return claimed <= Money.of(sum((one.principal for one in lost), Decimal(0)), claimed.currency)


def behind(case: Case, proposal: Proposal) -> tuple[Finding, ...]:
    """The findings that the customer is told of with *proposal*: those it follows from."""
    if proposal.reasons is None:
        return leading(case)
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


def running(case: Case, proposal: Proposal) -> tuple[Accrual, ...]:
    """The interest that runs on, on top of the compensation of *proposal*, until what it is owed on is made good."""
    findings = case.investigation.findings if case.investigation else ()
    keys = {loss.key for loss in made_good(case, proposal)}
    return tuple(one for one in accruals(findings) if one.key in keys)


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


def answer_from(link: IncidentLink, case: Case) -> Draft | None:
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
    chinese = case.language.startswith("zh")
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
    return Draft(
        outcome=Outcome.UPHELD if claimed is None or claimed <= harm else Outcome.PARTLY_UPHELD,
        remedies=(Remedy.APOLOGY,),
        reasons=reasons,
        incident=link.incident,
    )


def check_proposal(case: Case, message: Resolution) -> None:
    """Raise :class:`NotAllowed` if the sums cannot be paid as they stand, or not in that currency."""
    loss = found(case) if message.as_found else message.compensation
    sums = [("compensation", loss), *((f"awards: {award.kind.value}", award.amount) for award in message.awards)]
    given = [(field, sum_) for field, sum_ in sums if sum_ is not None]
    if case.bound is None:  # what binds the firm is owed, whatever others have made good
        check_not_elsewhere(case, loss)
    check_carries_out(case, message, (sum_ for _, sum_ in given))
    for field, sum_ in given:
        if case.awarded and sum_.currency != case.awarded.currency:
            raise NotAllowed(f"{field}: {case.awarded} was awarded before; use the same currency")
        if sum_.currency != given[0][1].currency:
            raise NotAllowed(f"{field}: the other sums are in {given[0][1].currency}; use the same currency")


def check_draft(case: Case, message: ProposeDraft) -> None:
    """Raise :class:`NotAllowed` unless *message* names the draft that the case has, and it can be paid as it stands."""
    draft = case.draft
    if draft is None or draft.outcome is None:
        raise NotAllowed("draft: the case has none; propose_resolution says what you propose")
    if draft.digest != message.draft:
        raise NotAllowed(f"draft: another one ({draft.digest}) has taken its place; look at that first")
    if draft.compensation and case.elsewhere and case.bound is None:
        where = spoken(case.elsewhere)
        raise PromisedElsewhere(f"draft: {where} promises or has paid it; another draft follows without that")
    if draft.compensation and case.awarded and draft.compensation.currency != case.awarded.currency:
        raise NotAllowed(f"draft: {case.awarded} was awarded before; propose_resolution with the same currency")


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
        digest=message.digest,
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
    if why := second_person_because(case, proposal):
        raise NotAllowed(
            f"{because(why, proposal.compensation).en}, which needs a second person's approval; use propose_resolution"
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


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
