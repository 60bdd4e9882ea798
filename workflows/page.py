"""The page of a running case in the Temporal UI: what an operator needs to know without reading code."""

from datetime import datetime

from domain.case.case import Case
from domain.case.drafts import because
from domain.case.identity import verified
from domain.case.payments import payment_spoken
from domain.case.remedies import outstanding
from domain.case.two_persons import approvers, second_person_because
from domain.ground.words import Stage

_NEXT = {
    Stage.RECEIVED: "Nothing: the case file is being opened. If this lasts, the database is out of reach.",
    Stage.ACKNOWLEDGED: "Nothing: the acknowledgement is on its way. If this lasts, look at the mail server "
    "(pending activity *SendLetter*) or send `correct_contact`.",
    Stage.INVESTIGATING: "Send `add_evidence`, `investigate`, `request_information` or `propose_resolution`; pass "
    "answers on with `customer_reply`.",
    Stage.DECIDING: "Send `propose_resolution`, or `investigate` to run further checks first.",
    Stage.RESPONDED: "Wait for the customer; pass on the answer with `customer_reply` (accept or dispute).",
    Stage.SETTLING: "See that what is owed is carried out; `confirm_remedy` says that it was.",
    Stage.FOLLOWING_UP: "Send `record_feedback`; `reopen` takes the case up again.",
    Stage.CLOSED: "Nothing: the case is closed.",
}


def page(case: Case, waiting_for: str | None) -> str:
    """The case in a few lines of Markdown. No personal data: the UI is seen by many."""
    assessment = case.assessment
    what = (
        f"{assessment.category.value} · {assessment.severity.value} · {assessment.priority.value}"
        if assessment
        else "–"
    )
    deadline = case.next_deadline
    lines = [
        f"## {case.reference}: {case.stage.value.replace('_', ' ')}",
        f"**What** {what} · team {assessment.team if assessment else '–'}",
        f"**Since** {_at(case.stage_since)}",
        f"**Handler** {case.handler or 'not assigned'} · escalation level {case.escalation_level}",
        f"**Next deadline** {_at(deadline.due)} — {deadline.clock}, {deadline.rung} ({deadline.spoken})"
        if deadline
        else "**Next deadline** none",
    ]
    if duty := case.next_duty:
        kind = "statutory" if duty.statutory else "internal"
        lines.append(f"**To be kept** {duty.clock} ({kind}) by {_at(duty.clock_due)}")
    if case.breached:
        lines.append("**Breached** a deadline was missed; see the deadline ledger")
    if case.incident:
        lines.append(f"**Incident** {case.incident.incident}, {case.incident.stage.value}")
    if case.outcome:
        lines.append(f"**Outcome** {case.outcome.value.replace('_', ' ')}")
    if case.letters:
        lines.append(f"**On its way** {', '.join(letter.kind.value.replace('_', ' ') for letter in case.letters)}")
    if owed := outstanding(case):
        lines.append(f"**Owed** {'; '.join(f'{one.spoken}, by {one.owner}' for one in owed)}")
    if case.referrals:
        lines.append(f"**Before an outside body** {'; '.join(one.spoken for one in case.referrals)}")
    if case.tasks:
        lines.append(f"**Tasks** {'; '.join(f'{one.spoken}, {one.owner or one.role.value}' for one in case.tasks)}")
    if case.rail:
        lines.append(f"**Payment** {payment_spoken(case)}")
    lines.append(f"**Last message** {case.last_message or 'none'}")
    if waiting_for:
        lines.append(f"**Waiting for** {waiting_for}")
    lines.append(f"**What you can do** {_advice(case)} {_at_any_time(case)}".rstrip())
    return "\n\n".join(lines)


def _advice(case: Case) -> str:
    if case.stage is Stage.DECIDING and case.proposal and not case.approved:
        roles = ", ".join(role.value for role in approvers(case, case.proposal))
        why = because(second_person_because(case, case.proposal), case.proposal.compensation).en
        by = f"by {roles}, not by {case.proposal.proposed_by.id}"
        return f"Send `decide_resolution` on {case.proposal.digest} ({by}): {why}."
    if case.stage is Stage.DECIDING and not verified(case) and not case.approved:
        return (
            "Send `verify_complainant`: until it is known who complains no decision may tell of the account. "
            "Then `propose_resolution`."
        )
    if case.stage is Stage.DECIDING and case.draft and case.draft.outcome and not case.approved:
        why = because(case.draft.why, case.draft.compensation).en
        return f"Send `propose_draft` ({case.draft.digest}), or `propose_resolution`; {why}."
    if case.stage is Stage.FOLLOWING_UP and case.lacks_cause:
        return "Send `record_cause`, without which the case is not closed; `record_feedback`; or `reopen`."
    if case.stage is Stage.SETTLING and case.blocked:
        return f"Send `reopen`, and propose another resolution: the ledger refuses the award ({case.blocked})."
    if case.stage is Stage.SETTLING and case.rail and case.unpaid:
        return _while_paying(case)
    return _NEXT[case.stage]


def _while_paying(case: Case) -> str:
    roles = ", ".join(role.value for role in case.decision.approvers(case.awarded))
    report = f"`report_payment` (by {roles}) if you know from the bank what became of it"
    if case.payment_held:
        return f"Send `retry_payment` once the details are right, or {report}."
    return f"Nothing: {case.rail} is asked until it has paid. Send {report}."


def _at_any_time(case: Case) -> str:
    if case.stage is Stage.CLOSED:
        return "`record_referral` takes it up again." if case.policy and case.policy.routes else ""
    messages = ["escalate", "withdraw"]
    if case.policy and any(case.policy.clock(deadline.clock).extensions for deadline in case.deadlines):
        messages.insert(1, "extend_deadline")
    if case.policy and case.policy.routes:
        messages.append("record_referral")
    if case.referrals:
        messages.append("report_referral")
    *others, last = (f"`{message}`" for message in messages)
    return f"{', '.join(others)} and {last} at any time."


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
