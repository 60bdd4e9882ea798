"""What people say of matters that the customer has brought before an outside body."""

from temporalio import workflow

from domain.case import referrals
from domain.case.complaint import FUTURE_TOLERANCE
from domain.case.looking_again import look_again
from domain.case.messages.handling import Withdraw
from domain.case.messages.outside import RecordReferral, ReportReferral
from domain.ground.messages import NotAllowed
from domain.ground.words import CaseEvent, Stage
from workflows.messages.handling import must_be_ours
from workflows.parts.casework import Casework


def record_referral(work: Casework, request: RecordReferral) -> str:
    """The customer went further. Interest may be owed from now on that was not before."""
    case = work.case
    if case.stage is Stage.CLOSED:
        work.go_on()
    referral = referrals.refer(case, request, workflow.now())
    investigation, rules = case.investigation, case.pack.interest
    if investigation and investigation.version > 1 and any(r.trigger is CaseEvent.REFERRED for r in rules):
        look_again(case)
    return referral.spoken


def must_be_a_route(work: Casework, request: RecordReferral) -> None:
    """The pack has the way, it was gone since the complaint was received, and nothing is there already."""
    case = work.case
    must_be_ours(work, request)
    if before := next((one for one in case.referrals if one.route == request.route), None):
        raise NotAllowed(f"route: {before.spoken} is open; report how it goes on (redress referral report)")
    routes = [route.name for route in case.pack.routes]
    if request.route not in routes:
        known = ", ".join(routes) or "none"
        raise NotAllowed(f"route: the policy pack has no {request.route}; it has {known}")
    if request.referred_at < case.complaint.received_at:
        raise NotAllowed("referred_at: it lies before the complaint was received; give the time it happened")
    if request.referred_at > workflow.now() + FUTURE_TOLERANCE:
        raise NotAllowed("referred_at: it lies in the future; give the time it happened, with offset")


def report_referral(work: Casework, request: ReportReferral) -> str:
    """Something has happened before the outside body."""
    noted = referrals.report(work.case, request, workflow.now())
    if work.case.silent and not work.case.referrals:
        work.rungs.accept_silence()
    return noted


def must_be_reportable(work: Casework, request: ReportReferral) -> None:
    """The referral is open, and that can have happened to it."""
    referrals.check_report(work.case, request, workflow.now())


def must_not_be_outside(work: Casework, request: Withdraw) -> None:
    """What is before an outside body is withdrawn there."""
    if work.case.referrals:
        where = ", ".join(one.spoken for one in work.case.referrals)
        raise NotAllowed(f"{request.name}: {where} is open; withdraw it there, and report_referral says that it ended")
