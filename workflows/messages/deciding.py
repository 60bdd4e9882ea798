"""How a case is decided: a proposal, a second person, an early end."""

from temporalio import workflow

from domain.case.messages import DecideResolution, ProposeResolution, ResolveEarly
from domain.case.resolution import at_stake, check_decision, check_early, check_proposal, needs_second_person, propose
from domain.ground.messages import NotAllowed
from domain.ground.words import Role
from workflows.parts.casework import Casework


def propose_resolution(work: Casework, request: ProposeResolution) -> str:
    """Put a proposal before whoever may approve it."""
    case = work.case
    case.proposal = propose(case, request, workflow.now())
    case.proposers.append(request.actor.id)
    case.stop_asking()
    if needs_second_person(case, case.proposal):
        approvers = case.pack.decision.approvers(at_stake(case, case.proposal))
        work.post.tell_staff(approvers[0], "A proposal waits for your decision.", "有一项处理方案待您审批。")
    return case.proposal.spoken


def must_be_proposable(work: Casework, request: ProposeResolution) -> None:
    """One proposal at a time, and one that the rules allow."""
    if work.case.proposal:
        raise NotAllowed("a proposal waits for a decision already; decide_resolution can return it")
    check_proposal(work.case, request)


def decide_resolution(work: Casework, request: DecideResolution) -> str:
    """Approve the proposal, or return it."""
    if request.decision == "approve":
        work.case.approved = True
        return "approved"
    work.case.proposal = None
    work.post.tell_staff(
        Role.HANDLER,
        "The proposal was returned; the reasons are in the timeline.",
        "处理方案已被退回，理由见案件时间线。",
    )
    return "returned"


def must_be_decidable(work: Casework, request: DecideResolution) -> None:
    """By a second person, within limits."""
    check_decision(work.case, request)


def resolve_early(work: Casework, request: ResolveEarly) -> str:
    """The customer regards the complaint as settled."""
    case = work.case
    case.proposal, case.approved, case.settled_early = propose(case, request, workflow.now()), True, True
    case.proposers.append(request.actor.id)
    case.answer = "accept"
    case.stop_asking()
    return case.proposal.spoken


def must_be_early(work: Casework, request: ResolveEarly) -> None:
    """Before a resolution was approved, within the pack's time."""
    if work.case.approved:
        raise NotAllowed("a resolution is approved already; its final response is on its way")
    check_early(work.case, request, workflow.now())
