"""By rule only in the customer's favour: what a machine may say, and why it leaves the rest to people as a draft."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from domain.case.answers import Proposal
from domain.case.case import Case
from domain.case.drafts import Draft, WhyPeople
from domain.case.identity import verified
from domain.case.remedies import in_kind
from domain.case.resolution import answer_from, decisive, follow_from_findings, leading
from domain.case.two_persons import second_person_because
from domain.checks.trades import OF_AN_ORDER
from domain.ground.people import SYSTEM
from domain.ground.words import Outcome, Remedy, Severity
from domain.money.amounts import total
from domain.rules.deciding import ByRule

_A_FIRM_MAY_SIGN_FOR: Final = frozenset(
    {
        WhyPeople.REJECTION,
        WhyPeople.PARTLY_UPHELD,
        WhyPeople.IN_DOUBT,
        WhyPeople.NOT_ALL_FOUND,
        WhyPeople.ASKS_MORE,
    }
)
"""What keeps nobody from deciding by rule under ``by_rule = "always"``, where the findings are clear."""


def propose_by_rule(case: Case, at: datetime) -> Proposal | None:
    """The resolution that is decided by rule; ``None`` where people decide."""
    draft = drafted(case)
    return draft.proposed(SYSTEM, at) if draft.by_rule else None


def drafted(case: Case) -> Draft:
    """What the rule leads to as the case stands, and all that has people decide it."""
    draft = _leads_to(case)
    second = second_person_because(case, draft) if draft.outcome else ()
    why = tuple(dict.fromkeys((*_why_people(case, draft), *(WhyPeople(one) for one in second))))
    if case.decision.by_rule is ByRule.ALWAYS and decisive(case):
        why = tuple(one for one in why if one not in _A_FIRM_MAY_SIGN_FOR)
    return draft.model_copy(update={"why": why, "second_person": second})


def _leads_to(case: Case) -> Draft:
    if case.bound:
        bound = case.bound
        return Draft(outcome=bound.outcome, compensation=bound.award, remedies=bound.remedies, reasons=bound.what)
    if case.assessment and not case.assessment.in_scope:
        return Draft(outcome=Outcome.REFERRED)
    if case.rounds > 1 or _incident_undecided(case):
        return Draft()
    if case.incident and (answer := answer_from(case.incident, case)):
        return answer
    return follow_from_findings(case) or Draft()


def _why_people(case: Case, draft: Draft) -> Iterator[WhyPeople]:
    """Why *draft* is not sent as it is, but for what has a second person decide."""
    findings = case.investigation.findings if case.investigation else ()
    of_the_customer = [finding for finding in findings if finding.concerns_the_customer]
    applies = {
        WhyPeople.UNVERIFIED: not verified(case),
        WhyPeople.PACK: case.decision.by_rule is ByRule.NEVER,
        WhyPeople.REFERRAL: draft.outcome is Outcome.REFERRED,
        WhyPeople.REJECTION: draft.outcome is Outcome.NOT_UPHELD,
        WhyPeople.PARTLY_UPHELD: draft.outcome is Outcome.PARTLY_UPHELD,
        WhyPeople.INCIDENT: _incident_undecided(case),
        WhyPeople.IN_DOUBT: any(finding.open for finding in of_the_customer),
        WhyPeople.NOT_ALL_FOUND: draft.outcome is Outcome.UPHELD and not _all_found(case),
        WhyPeople.ASKS_MORE: draft.outcome is Outcome.UPHELD and _asks_more(case, draft),
        WhyPeople.LATELY: not _within_lately(case, draft),
        WhyPeople.STILL_OWED: bool(in_kind(case)),
        WhyPeople.ELSEWHERE: bool(case.elsewhere),
        WhyPeople.NOT_BORNE: case.not_borne,
        WhyPeople.ANOTHER_ROUND: case.rounds > 1,
        WhyPeople.TAKEN_UP: bool(case.proposers) and case.rounds == 1,
        WhyPeople.CRITICAL: case.assessment is not None and case.assessment.severity is Severity.CRITICAL,
        WhyPeople.SIGN: case.care.by_people,
    }
    yield from (why for why, so in applies.items() if so)
    if draft.outcome is None and leading(case) and case.rounds == 1 and not _incident_undecided(case):
        yield WhyPeople.SEVERAL_CURRENCIES
    elif draft.outcome is None and not any(applies.values()):
        yield WhyPeople.NOTHING_FOUND


def _within_lately(case: Case, draft: Draft) -> bool:
    """Whether a *draft* within the limit of a single case is so with all that the customer was given by rule lately."""
    given, lately = draft.compensation, case.investigation.lately if case.investigation else ()
    if given is None or not case.decision.within_limit(given):
        return True
    together = total([given, *(one for one in lately if one.currency == given.currency)])
    return case.decision.within_limit(together)


def _incident_undecided(case: Case) -> bool:
    return case.incident is not None and not case.incident.stage.ended and not case.incident.stage.approved


def _all_found(case: Case) -> bool:
    """Whether nothing that the complaint asks about was found in order: a claim that is reached is all it asks.

    Where a part of a trade is the firm's fault and cost something, the others of that trade may be in order: it is one
    trade that the complaint is about, and what was lost by it is given. What is in order of another trade, or in
    another matter than how its orders fared, is for people: to the customer it is a no.
    """
    if case.complaint.amount_claimed or case.incident:
        return True
    findings = decisive(case)
    faulty = {finding.subject for finding in findings if finding.verdict.for_the_customer}
    paid = {
        finding.subject
        for finding in findings
        if finding.check in OF_AN_ORDER and finding.verdict.for_the_customer and finding.harm and finding.harm.amount
    }
    trades = case.investigation.trades if case.investigation else ()
    beside = {subject for trade in trades if paid.intersection(trade) for subject in trade}
    return all(
        finding.subject in faulty or (finding.check in OF_AN_ORDER and finding.subject in beside)
        for finding in findings
    )


def _asks_more(case: Case, draft: Draft) -> bool:
    """Whether the customer asks for something that *draft* does not give; money is given by an incident as well."""
    match case.complaint.remedy_sought:
        case None | Remedy.APOLOGY | Remedy.EXPLANATION:
            return False
        case Remedy.COMPENSATION | Remedy.REFUND:
            return draft.compensation is None and draft.incident is None
        case _:
            return True
