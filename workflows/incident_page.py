"""The page of a running incident in the Temporal UI. No account numbers: the UI is seen by many."""

from domain.ground.words import IncidentStage
from domain.incidents.state import Incident

_NEXT = {
    IncidentStage.LISTING: "Nothing: the accounts are being looked for.",
    IncidentStage.COMPENSATING: "`pause_incident` stops it, `resume_incident` goes on or changes the rate; "
    "`retry_member` takes up an account that failed.",
    IncidentStage.CLOSED: "Nothing: whom the list has as harmed was made good and told. Unclear accounts, and "
    "those left to people, are theirs.",
    IncidentStage.DISMISSED: "Nothing: the incident was dismissed.",
}


def page(incident: Incident, waiting_for: str | None) -> str:
    """The incident in a few lines of Markdown."""
    cohort = incident.cohort
    lines = [
        f"## {incident.reference}: {incident.stage.value}{', paused' if incident.paused else ''}",
        f"**Fault** {incident.new.fault.spoken}",
        f"**Opened** {incident.opened_at:%Y-%m-%d %H:%M:%S} UTC by {incident.new.opened_by}",
    ]
    if cohort:
        harm = ", ".join(str(each) for each in cohort.harm) or "nothing"
        lines.append(
            f"**List {cohort.number}** `{cohort.hash[:12]}` {cohort.accounts} accounts: {cohort.harmed} harmed "
            f"({harm}; {cohort.doubtful} doubtful), {cohort.unharmed} unharmed, {cohort.unclear} unclear"
        )
    if incident.stage.approved and cohort:
        paid = ", ".join(str(each) for each in incident.paid) or "nothing yet"
        lines.append(f"**Made good** {incident.done} of {cohort.harmed}, {paid}; {_bar(incident.done, cohort.harmed)}")
        lines.append(
            f"**Open** {len(incident.under_way)} under way, {len(incident.failed)} failed, "
            f"{len(incident.untold)} letters on their way, {incident.elsewhere} made good elsewhere, "
            f"{incident.left} left to people; {incident.per_minute} accounts a minute"
        )
        lines.append(f"**Approved** by {incident.approved_by}")
    if incident.cases:
        lines.append(f"**Complaints** {', '.join(incident.cases)}")
    if waiting_for:
        lines.append(f"**Waiting for** {waiting_for}")
    lines.append(f"**What you can do** {_advice(incident)}")
    return "\n\n".join(lines)


def _bar(done: int, of: int) -> str:
    full = 20 * done // of if of else 20
    return f"`{'█' * full}{'░' * (20 - full)}` {100 * done // of if of else 100} %"


def _advice(incident: Incident) -> str:
    cohort, decision = incident.cohort, incident.decision
    if incident.stage is not IncidentStage.APPROVAL or cohort is None or decision is None:
        return _NEXT.get(incident.stage, "")
    able = [
        role.value for role in decision.approvers(None) if all(decision.may_approve(role, harm) for harm in cohort.harm)
    ]
    return (
        f"Look at the list (`redress incident cohort {incident.reference}`), then send `decide_incident` "
        f"(approve by {', '.join(able) or 'nobody in this pack'}, not by {incident.new.opened_by.id})."
    )
