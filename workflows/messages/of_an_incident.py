"""The messages of an incident, one row each: the model, who may send it when, and what it does."""

from typing import Final, assert_never

from temporalio import workflow

from domain.ground.messages import Message, NotAllowed
from domain.ground.words import IncidentStage
from domain.incidents.messages import DecideIncident, PauseIncident, ResumeIncident, RetryMember
from domain.incidents.requests import LookForRecusal
from domain.incidents.state import IN_PART, check_decision
from workflows import effects
from workflows.messages.training import must_be_trained
from workflows.parts.hearing import Gate, Update
from workflows.parts.incident_work import IncidentWork


def decide_incident(work: IncidentWork, request: DecideIncident) -> str:
    """Approve the list as a whole, list anew, or dismiss the incident."""
    incident = work.incident
    match request.decision:
        case "approve":
            incident.stage, incident.approved_by = IncidentStage.COMPENSATING, request.actor
        case "relist":
            incident.stage = IncidentStage.LISTING
        case "dismiss":
            incident.stage = IncidentStage.DISMISSED
        case _:
            assert_never(request.decision)
    return f"{request.decision}: {request.reasons}" if request.reasons else request.decision


async def must_not_be_kept_out(work: IncidentWork, request: Message) -> None:
    """Whoever has an interest in one account of the list does nothing about any: what follows is the same for all."""
    incident = work.incident
    found = await effects.look_for_recusal(
        LookForRecusal(
            reference=incident.reference, number=incident.lists, person=request.actor.person, at=workflow.now()
        )
    )
    if found.kept_out:
        raise NotAllowed(IN_PART)


async def before_deciding(work: IncidentWork, request: DecideIncident) -> None:
    """No list is approved, made anew or dismissed by the untrained, nor by whoever is kept out."""
    await must_not_be_kept_out(work, request)
    await must_be_trained(work.incident.training, request.actor)


def must_be_decidable(work: IncidentWork, request: DecideIncident) -> None:
    """By a second person, within limits."""
    check_decision(work.incident, request)


def pause_incident(work: IncidentWork, request: PauseIncident) -> str:
    """Take no more accounts in hand."""
    work.incident.paused = True
    return f"paused: {request.reason}"


def must_be_running(work: IncidentWork, request: PauseIncident) -> None:
    """It is not paused."""
    if work.incident.paused:
        raise NotAllowed("pause_incident: it is paused already; resume_incident goes on")


def resume_incident(work: IncidentWork, request: ResumeIncident) -> str:
    """Go on, at another rate if one is given."""
    incident = work.incident
    incident.paused = False
    incident.per_minute = request.per_minute or incident.per_minute
    return f"resumed, {incident.per_minute} accounts a minute"


def must_change_something(work: IncidentWork, request: ResumeIncident) -> None:
    """It is paused, or another rate is given."""
    if not work.incident.paused and request.per_minute is None:
        raise NotAllowed("resume_incident: it is not paused; give per_minute to change the rate")


def retry_member(work: IncidentWork, request: RetryMember) -> str:
    """Try an account once more, or leave it to people."""
    incident = work.incident
    incident.failed.remove(request.account)
    if request.leave:
        incident.left += 1
        return f"left to people: {request.leave}"
    work.till.take(request.account)
    return "tried again"


def must_have_failed(work: IncidentWork, request: RetryMember) -> None:
    """The account failed; who leaves it unpaid may approve the list."""
    incident, decision, role = work.incident, work.incident.decision, request.actor.role
    if request.account not in incident.failed:
        raise NotAllowed("account: it is not among those that failed")
    if request.leave and decision and role not in decision.approvers(None):
        able = ", ".join(one.value for one in decision.approvers(None))
        raise NotAllowed(f"actor: role {role.value} may not leave an account unpaid; roles that may: {able}")
    if not request.leave and incident.paused:
        raise NotAllowed("retry_member: the incident is paused; resume_incident comes first")


_STAFF: Final = Gate(staff=True)

UPDATES: Final = (
    Update(DecideIncident, decide_incident, _STAFF, must_be_decidable, before=before_deciding),
    Update(PauseIncident, pause_incident, _STAFF, must_be_running, before=must_not_be_kept_out),
    Update(ResumeIncident, resume_incident, _STAFF, must_change_something, before=must_not_be_kept_out),
    Update(RetryMember, retry_member, _STAFF, must_have_failed, before=must_not_be_kept_out),
)
