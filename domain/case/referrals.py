"""What is before an outside body: from the day the customer turned to it until it has ended and is carried out.

A referral is open until somebody reports its end. Meanwhile the file may be wanted, which has a clock of its own, and
something decided or agreed. Where that binds the firm, the case has a further round in which nothing is decided any
more: its resolution carries the decision out, and with that the referral ends.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from domain.case.case import Case
from domain.case.complaint import FUTURE_TOLERANCE
from domain.case.looking_again import UNDER_INVESTIGATION, go_on, take_up_again
from domain.case.messages.deciding import Resolution
from domain.case.messages.outside import RecordReferral, ReportReferral
from domain.case.outside import OutsideDecision, Referral
from domain.case.remedies import outstanding
from domain.ground.messages import NotAllowed
from domain.ground.words import CaseEvent, Outcome, ReferralStep, Stage
from domain.money.amounts import Money, total

REFERRAL: Final = "referral"
"""The entry of a timeline that says how far a referral is."""
CARRYING_OUT: Final = "carrying_out"
"""The entry of a timeline that says whose decision a round carries out."""


def refer(case: Case, message: RecordReferral, now: datetime) -> Referral:
    """The customer has turned to an outside body."""
    number = case.happened(CaseEvent.REFERRED, message.referred_at)
    referral = Referral(
        number=number, route=message.route, since=message.referred_at, reference=message.outside_reference
    )
    case.referrals = [*case.referrals, referral]
    _note(case, referral, now)
    return referral


def find(case: Case, number: int) -> Referral | None:
    """The open referral of that number."""
    return next((one for one in case.referrals if one.number == number), None)


def binding(case: Case) -> Referral | None:
    """An open referral whose decision binds the firm and is not being carried out yet."""
    here = case.bound.referral if case.bound else None
    return next((one for one in case.referrals if one.binds and one.number != here), None)


def check_report(case: Case, message: ReportReferral, now: datetime) -> None:
    """Raise :class:`NotAllowed` unless that can have happened to a referral that is open."""
    referral = find(case, message.referral)
    if referral is None:
        known = ", ".join(f"{one.number} ({one.route})" for one in case.referrals) or "none"
        raise NotAllowed(f"referral: {message.referral} is not open; open are: {known}")
    if message.at < referral.since:
        raise NotAllowed("at: it lies before the customer turned there; give the time it happened")
    if message.at > now + FUTURE_TOLERANCE:
        raise NotAllowed("at: it lies in the future; give the time it happened, with offset")
    answers = message.step in {ReferralStep.ACCEPTED, ReferralStep.REFUSED}
    if referral.binds:
        raise NotAllowed("step: what was decided binds the firm already; the referral ends once that is carried out")
    if answers and referral.decision is None:
        raise NotAllowed(f"step: nothing was decided that the customer could have {message.step.value}")
    if message.decides and referral.decision:
        raise NotAllowed("step: it is decided already, and the customer's answer is waited for: accepted or refused")
    if message.step is ReferralStep.FILE_HANDED_OVER and referral.request is None:
        raise NotAllowed("step: the file was not asked for; report file_requested first")
    if message.step is ReferralStep.FILE_REQUESTED and referral.request is not None:
        raise NotAllowed("step: the file was asked for already; report file_handed_over first")


def report(case: Case, message: ReportReferral, now: datetime) -> str:
    """What *message* reports has happened; returns the few words that the timeline says of it."""
    referral = find(case, message.referral)
    if referral is None:
        raise LookupError(f"referral {message.referral} is not open")
    match message.step:
        case ReferralStep.FILE_REQUESTED:
            request = case.happened(CaseEvent.FILE_REQUESTED, message.at, until=message.until)
            _change(case, referral, now, request=request)
        case ReferralStep.FILE_HANDED_OVER:
            case.happened(CaseEvent.FILE_HANDED_OVER, message.at, of=referral.request)
            _change(case, referral, now, request=None)
        case ReferralStep.DECIDED | ReferralStep.AGREED:
            _decide(case, referral, message, now)
        case ReferralStep.ACCEPTED:
            _bind(case, referral, message, now)
        case ReferralStep.REFUSED:
            end(case, referral, "the customer refused what was decided", now)
        case ReferralStep.ENDED:
            end(case, referral, "without a decision", now)
    return f"{referral.spoken}: {message.step.value.replace('_', ' ')}"


def decision_of(message: ReportReferral) -> OutsideDecision:
    """What *message* says was decided. Raises ``LookupError`` where it says no such thing."""
    if not message.decides or message.outcome is None or message.what is None:
        raise LookupError(f"{message.step.value} is no decision")
    return OutsideDecision(
        referral=message.referral,
        at=message.at,
        agreed=message.step is ReferralStep.AGREED,
        outcome=message.outcome,
        award=message.award,
        remedies=message.remedies,
        what=message.what,
        until=message.until,
    )


def carry_out(case: Case, referral: Referral, now: datetime) -> None:
    """The round that begins now carries out what binds the firm."""
    take_up_again(case)
    case.bound = referral.decision
    data = {"round": case.rounds, "referral": referral.number}
    case.note(now, CARRYING_OUT, f"{referral.spoken}: its decision is carried out", data=data)


def carried_out(case: Case, now: datetime) -> None:
    """What bound the firm is done, and with that the referral ends."""
    if case.bound is None:
        return
    referral = find(case, case.bound.referral)
    case.bound = None
    if referral:
        end(case, referral, "its decision is carried out", now)


def end(case: Case, referral: Referral, how: str, at: datetime) -> None:
    """Nothing is before the outside body any more."""
    case.referrals = [one for one in case.referrals if one.number != referral.number]
    case.happened(CaseEvent.REFERRAL_ENDED, at, of=referral.number)
    if referral.request is not None:
        case.happened(CaseEvent.REFERRAL_ENDED, at, of=referral.request)
    _note(case, referral.model_copy(update={"ended": how}), at)


def check_carries_out(case: Case, message: Resolution, sums: Iterable[Money]) -> None:
    """Raise :class:`NotAllowed` where *message*, which gives *sums*, gives less than what binds the firm."""
    bound = case.bound
    if bound is None:
        return
    given = [one for one in sums if bound.award and one.currency == bound.award.currency]
    if bound.award and (total(given) or Money.zero(bound.award.currency)) < bound.award:
        raise NotAllowed(f"compensation: {bound.award} is owed by what was decided outside; give no less")
    if missing := [one.value for one in bound.remedies if one not in message.remedies]:
        raise NotAllowed(f"remedies: {', '.join(missing)} is owed by what was decided outside as well")


def _decide(case: Case, referral: Referral, message: ReportReferral, now: datetime) -> None:
    decided = _change(case, referral, now, decision=decision_of(message))
    if message.outcome is Outcome.NOT_UPHELD:
        end(case, decided, "the complaint was not upheld there", now)
    elif message.accepted is False:
        end(case, decided, "the customer refused what was decided", now)
    elif message.accepted or message.step is ReferralStep.AGREED:
        _bind(case, decided, message, now)


def _bind(case: Case, referral: Referral, message: ReportReferral, now: datetime) -> None:
    """What was decided binds the firm: it is carried out as soon as nothing of the case is half done."""
    until = message.until or (referral.decision.until if referral.decision else None)
    case.happened(CaseEvent.DECIDED_OUTSIDE, message.at, number=referral.number, until=until)
    _change(case, referral, now, binds=True)
    if case.stage in UNDER_INVESTIGATION and case.asking:
        go_on(case)
    elif case.stage is Stage.SETTLING and outstanding(case):
        case.to_investigate = True  # what waits for a remedy goes on


def _change(case: Case, referral: Referral, now: datetime, **changes: object) -> Referral:
    changed = referral.model_copy(update=changes)
    case.referrals = [changed if one.number == referral.number else one for one in case.referrals]
    _note(case, changed, now)
    return changed


def _note(case: Case, referral: Referral, now: datetime) -> None:
    how = f", {referral.ended}" if referral.ended else ""
    case.note(now, REFERRAL, f"{referral.spoken}: {referral.state}{how}", data=referral.noted)
