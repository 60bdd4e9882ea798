"""What people add to a case to learn more: evidence, checks, questions to the customer."""

from typing import Final

from temporalio import workflow

from domain.case.answers import Question
from domain.case.identity import check_says_nothing_new
from domain.case.looking_again import BEFORE_RESPONSE, add_trades, look_again
from domain.case.messages.evidence import AddEvidence, Investigate, RequestInformation
from domain.ground.messages import NotAllowed
from workflows.messages.handling import must_be_ours
from workflows.parts.casework import Casework


def add_evidence(work: Casework, request: AddEvidence) -> str:
    """Look at other trades, or another account."""
    case = work.case
    add_trades(case, request.trades, workflow.now())
    if request.account and request.account != case.account:
        case.account = request.account
        look_again(case)
    late = case.approved or case.stage not in BEFORE_RESPONSE
    return f"evidence added{_NOT_LOOKED_AT if late and (request.trades or request.account) else ''}"


_NOT_LOOKED_AT: Final = ", and not looked at: the case is decided; it is once the case is taken up again (reopen)"


def must_leave_an_approved_account(work: Casework, request: AddEvidence) -> None:
    """What is awarded is paid to it: it is no slip of the pen any more."""
    case = work.case
    if request.account in {None, case.account}:
        return
    if case.approved or case.stage not in BEFORE_RESPONSE or case.rounds > 1:
        raise NotAllowed("account: a resolution was approved for the case's account; it stays")
    if case.account is not None and not request.actor.role.is_staff:
        raise NotAllowed(f"account: role {request.actor.role.value} may not change the case's account; staff may")


def investigate(work: Casework, request: Investigate) -> str:
    """Run further checks; a proposal was made without knowing what will now be found."""
    case = work.case
    case.asked_checks = tuple(dict.fromkeys((*case.asked_checks, *request.checks)))
    add_trades(case, request.trades, workflow.now())
    case.proposal = None
    look_again(case)
    return ", ".join(check.value for check in request.checks)


def must_be_investigable(work: Casework, request: Investigate) -> None:
    """There is something to look at, and time for it."""
    must_be_ours(work, request)
    if work.case.approved:
        raise NotAllowed("investigate: a resolution is approved already; its final response is on its way")
    if work.case.account is None:
        raise NotAllowed("investigate: the case has no trading account to look at; add_evidence names it")


def request_information(work: Casework, request: RequestInformation) -> str:
    """Have the customer asked."""
    case = work.case
    case.question = Question(number=case.next_number(), questions=request.questions, by_rule=False)
    case.proposal, case.to_investigate = None, True
    return "the customer is asked"


def must_not_be_asking(work: Casework, request: RequestInformation) -> None:
    """One question at a time, and none once it is decided."""
    if work.case.asking:
        raise NotAllowed("questions: the customer has been asked and has not answered yet")
    if work.case.approved:
        raise NotAllowed("questions: the resolution is approved already")
    check_says_nothing_new(work.case, "questions", request.questions)
