"""How a case is decided: a proposal, a second person, an early end."""

from temporalio import workflow

from domain.case.answers import Proposal
from domain.case.drafts import because
from domain.case.identity import check_may_be_told
from domain.case.messages.deciding import DecideResolution, ProposeDraft, ProposeResolution, ResolveEarly
from domain.case.resolution import check_draft, check_early, check_proposal, propose
from domain.case.two_persons import approvers, check_decision, check_has_the_case, second_person_because
from domain.ground.messages import Message, NotAllowed
from domain.ground.words import Role
from workflows.messages.training import must_be_trained
from workflows.parts.casework import Casework


async def before_proposing(work: Casework, request: Message) -> None:
    """Nothing is proposed by the untrained, nor anything that another case or an incident promises or has paid."""
    if work.case.pack.courses(request.actor.role):
        await must_be_trained(work.case.pack.training, request.actor)
    await work.promising.look()


async def before_deciding(work: Casework, request: DecideResolution) -> None:
    """Nothing is decided by the untrained."""
    await must_be_trained(work.case.pack.training, request.actor)


def propose_resolution(work: Casework, request: ProposeResolution) -> str:
    """Put a proposal before whoever may approve it."""
    return _put_forward(work, propose(work.case, request, workflow.now()))


def _put_forward(work: Casework, proposal: Proposal) -> str:
    case = work.case
    case.proposal = proposal
    case.proposers.append(proposal.proposed_by.id)
    case.stop_asking()
    if second := second_person_because(case, proposal):
        why = because(second, proposal.compensation)
        work.post.tell_staff(
            approvers(case, proposal)[0],
            f"A proposal waits for your decision, as a second person: {why.en}.",
            f"有一项处理方案待您作为第二人审批：{why.zh}。",
        )
    return proposal.spoken


def must_be_proposable(work: Casework, request: ProposeResolution) -> None:
    """One proposal at a time, and one that the rules allow."""
    _must_be_open_to_proposals(work, request)
    check_proposal(work.case, request)
    check_may_be_told(work.case, propose(work.case, request, workflow.now()))


def propose_draft(work: Casework, request: ProposeDraft) -> str:
    """Put the draft before whoever may approve it."""
    case = work.case
    if case.draft is None:
        raise LookupError("no draft")
    return _put_forward(work, case.draft.proposed(request.actor, workflow.now(), request.digest))


def must_be_the_draft(work: Casework, request: ProposeDraft) -> None:
    """The one that its sender has seen."""
    _must_be_open_to_proposals(work, request)
    check_draft(work.case, request)
    if work.case.draft:
        check_may_be_told(work.case, work.case.draft.proposed(request.actor, workflow.now()))


def _must_be_open_to_proposals(work: Casework, request: Message) -> None:
    check_has_the_case(work.case, request.actor)
    if work.case.proposal:
        raise NotAllowed("a proposal waits for a decision already; decide_resolution can return it")


def decide_resolution(work: Casework, request: DecideResolution) -> str:
    """Approve the proposal, or return it."""
    if request.decision == "approve":
        work.case.approved = True
        work.case.approved_by[work.case.rounds] = request.actor.role
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
    if work.case.proposal and request.decision == "approve":
        check_may_be_told(work.case, work.case.proposal)


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
    check_may_be_told(work.case, propose(work.case, request, workflow.now()), early=True)
