"""The page of a case, and its parts. Times are UTC."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, set_cell_size
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from domain.ground.words import PaymentState
from starter.reading.layout import NONE, exactly, facts, from_now, line, plainly, span, spoken, table, when

if TYPE_CHECKING:
    from domain.checks.findings import Finding
    from domain.rules.routes import Eligibility
    from starter.reading.cases import Attempt, CaseView, WrittenLetter
    from starter.reading.dossier import Dossier, DraftView, ProposalView
    from starter.reading.payments import PaymentView
    from starter.reading.referrals import ReferralView
    from starter.reading.remedies import RemedyView
    from starter.reading.tasks import TaskView


def case_page(dossier: "Dossier", now: datetime, language: str) -> list[RenderableType]:
    """All that matters about a case, on one page."""
    case = dossier.case
    page: list[RenderableType] = [
        _heading(case, now),
        facts(_about(case) | _standing(dossier, now)),
        *_section("Complaint", [facts(_complaint(case))]),
        *_section("The same matter", _same_matter(dossier)),
        *_section("Perhaps the same matter", _alike(dossier)),
        *_section("Findings", findings(dossier.findings, language)),
        *_section("Proposal", _proposal(dossier.proposal)),
        *_section("Draft", _draft(dossier.draft)),
        *_section("Letters", [_letters(dossier.letters)] if dossier.letters else []),
        *_section("Payments", payments(dossier.payments)),
        *_section("Tasks", [tasks(dossier.tasks, now)] if dossier.tasks else []),
        *_section("Remedies", [remedies(dossier.remedies)] if dossier.remedies else []),
        *_section("Before outside bodies", [referrals(dossier.referrals)] if dossier.referrals else []),
        *_section("Ways to go further", _routes(dossier.routes, language)),
        *_section("After a restore", _restored(dossier)),
        *_section("What you can do", [line(f"redress {possible}") for possible in dossier.possible]),
    ]
    if case.rejected_messages:
        page.append(
            line(f"\n{case.rejected_messages} message(s) did not fit: redress rejected {case.reference}", "yellow")
        )
    return page


def _same_matter(dossier: "Dossier") -> list[RenderableType]:
    """The other files about the same matter, the last received first."""
    return [
        line(f"{one.reference}  received {when(one.received_at)} UTC, {spoken(one.outcome or one.stage)}")
        for one in dossier.related.cases
        if one.same_matter
    ]


def _alike(dossier: "Dossier") -> list[RenderableType]:
    """Files of others that may be about the same matter, the last received first."""
    return [
        line(f"{one.reference}  received {when(one.received_at)} UTC, {spoken(one.outcome or one.stage)}")
        for one in dossier.related.alike
    ]


def _restored(dossier: "Dossier") -> list[RenderableType]:
    told = [
        line(f"{one.store}: what happened from {when(one.since)} to {when(one.until)} UTC may be lost ({one.reason})")
        for one in dossier.restores
    ]
    count = sum(len(one.written) for one in dossier.repairs)
    return [*told, *([line(f"{count} things were put right since; table casefile.repairs", "green")] if count else [])]


def _heading(case: "CaseView", now: datetime) -> Text:
    summary = case.summary
    heading = Text.assemble((case.reference, "bold"), "  ", (spoken(summary.stage), "bold cyan"))
    heading.append(f" for {span(now - summary.stage_since)}, since {when(summary.stage_since)} UTC", "dim")
    return heading


def _about(case: "CaseView") -> dict[str, RenderableType | None]:
    summary = case.summary
    what = " · ".join(spoken(word) for word in (summary.category, summary.severity, summary.priority) if word)
    marks = [
        mark for mark, set_ in (("not ours", not summary.in_scope), ("complained of it before", summary.repeat)) if set_
    ]
    outcome = spoken(summary.outcome) if summary.outcome else None
    if outcome and summary.compensation:
        outcome += f", {summary.compensation}"
    return {
        "What": line(", ".join([what or NONE, *marks])),
        "Outcome": outcome,
        "Final response": f"number {case.response}" if case.response else None,
        "Team, handler": f"{summary.team or NONE}, {summary.handler or 'nobody yet'}"
        + (f", escalation level {summary.escalation_level}" if summary.escalation_level else ""),
        "Received": f"{when(case.received_at)} UTC by {spoken(case.channel)}, in {case.language}",
        "Policy pack": f"{case.policy} {case.policy_version}",
        "Customer": ", ".join(part for part in (case.contact.name, case.contact.email, case.contact.phone) if part)
        + f", written to in {case.written_in}",
        "Breached": line("a deadline was missed: redress deadlines " + case.reference, "red")
        if summary.breached
        else None,
    }


def _standing(dossier: "Dossier", now: datetime) -> dict[str, RenderableType | None]:
    status, deadline = dossier.status, dossier.next_deadline
    waits: RenderableType | None = None
    if status is not None:
        waits = line(plainly(status.waiting_for)) if status.waiting_for else None
    elif dossier.unasked:
        waits = line(dossier.unasked, "yellow")
    due = None
    if deadline:
        text = f"{deadline.clock}: {deadline.rung} {from_now(deadline.due, now)}, {when(deadline.due)} UTC"
        due = line(text, "bold red" if dossier.case.overdue else "")
    return {
        "Waits for": waits,
        "Next deadline": due,
        "": line(deadline.how, "dim") if deadline else None,
        "Early closure": f"with a summary letter until {when(dossier.early_until)} UTC, "
        f"{from_now(dossier.early_until, now)}"
        if dossier.early_until
        else None,
        "Kept until": f"{when(dossier.kept_until)} UTC" if dossier.kept_until else None,
        "On its way": ", ".join(map(spoken, status.letters_on_their_way)) or None if status else None,
    }


def _complaint(case: "CaseView") -> dict[str, RenderableType | None]:
    complaint = case.complaint
    occurred = [when(instant) for instant in (complaint.occurred_from, complaint.occurred_until) if instant]
    return {
        "Subject": complaint.subject,
        "About": complaint.about,
        "Account": complaint.account,
        "Trades": ", ".join(complaint.trades) or None,
        "Happened": f"{' to '.join(occurred)} UTC" if occurred else None,
        "Claims": str(complaint.amount_claimed) if complaint.amount_claimed else None,
        "Wants": spoken(complaint.remedy_sought) if complaint.remedy_sought else None,
        "Says": shortened(complaint.description),
    }


def shortened(text: str, longest: int = 600) -> str:
    """*text*, or as much of it as fits into *longest* columns and how much there is."""
    if cell_len(text) <= longest:
        return text
    return f"{set_cell_size(text, longest).rstrip()}… ({len(text):,} characters; all of it with --json)"


def findings(found: "Sequence[Finding]", language: str) -> list[RenderableType]:
    """Findings with their reasons."""
    shown: list[RenderableType] = []
    for finding in found:
        verdict = Text.assemble(
            (spoken(finding.verdict), "bold"),
            f"  {spoken(finding.check)} {finding.subject}  ",
            (finding.formula, "dim"),
        )
        if finding.harm is not None:
            verdict.append(f"  harm {finding.harm}")
        shown += [verdict, Padding(line(finding.reason.in_language(language)), (0, 0, 0, 2))]
        shown += [Padding(line(text, "dim"), (0, 0, 0, 2)) for text in _interest(finding)]
        if finding.missing:
            shown.append(Padding(line(f"not in the log: {', '.join(finding.missing)}", "yellow"), (0, 0, 0, 2)))
    return shown


def _interest(finding: "Finding") -> Iterable[str]:
    """How the interest on a finding's losses was reckoned, and the base rates it goes by."""
    numbers = finding.numbers
    if "interest.formula" not in numbers:
        return
    yield f"interest {numbers['interest']} by {numbers['interest.formula']}"
    for name, subject in ((name, name.removeprefix("interest.").removesuffix(".factor")) for name in numbers):
        if name == f"interest.{subject}.factor":
            loss, days = numbers[f"interest.{subject}.loss"], numbers[f"interest.{subject}.days"]
            yield f"{subject}: {loss} × {numbers[name]}, {days} days ({numbers[f'interest.{subject}.spans']})"
    for row in finding.evidence:
        if row.table == "base_rates":
            yield f"{row.values['name']} {row.values['percent']} % from {row.values['effective_from']}"


def _routes(routes: "Sequence[Eligibility]", language: str) -> list[RenderableType]:
    shown: list[RenderableType] = []
    for route in routes:
        style = {"open": "green", "unknown": "yellow"}.get(route.status, "")
        kind = spoken(route.kind)
        known_as = kind if route.route == route.kind else f"{kind} {route.route}"
        heading = Text.assemble((spoken(route.status), style), f"  {known_as}: ")
        shown += [
            heading.append(route.title.in_language(language)),
            Padding(line(route.why.in_language(language), "dim"), (0, 0, 0, 2)),
        ]
    return shown


def _proposal(proposal: "ProposalView | None") -> list[RenderableType]:
    if proposal is None:
        return []
    shown: list[RenderableType] = [
        Text.assemble(
            (plainly(proposal.text), "bold"),
            f"  by {proposal.by} at {when(proposal.at)} UTC: ",
            (plainly(proposal.decision), "cyan"),
        )
    ]
    shown += [
        Padding(line(f"{award.amount} {spoken(award.kind)}: {award.reason}"), (0, 0, 0, 2)) for award in proposal.awards
    ]
    if proposal.second_person:
        shown.append(Padding(line(f"second person: {plainly(proposal.second_person)}", "yellow"), (0, 0, 0, 2)))
    if proposal.reasons:
        shown.append(Padding(line(shortened(proposal.reasons)), (0, 0, 0, 2)))
    return shown


def _draft(draft: "DraftView | None") -> list[RenderableType]:
    """What the rule leads to, why it is left to people, who has to approve it, and the letter."""
    if draft is None:
        return []
    shown: list[RenderableType] = [line(plainly(draft.text), "bold")]
    if draft.outcome is None:
        return shown
    shown.append(line(f"second person: {plainly(draft.second_person or 'none; whoever proposes it decides')}"))
    if draft.letter and draft.letter.missing:
        shown.append(line(draft.letter.missing, "red"))
    elif draft.letter and draft.letter.body:
        shown.append(Padding(line(f"{draft.letter.subject}\n\n{draft.letter.body.rstrip()}", "dim"), (0, 0, 0, 2)))
    return shown


def _section(title: str, content: Sequence[RenderableType]) -> list[RenderableType]:
    return [line(f"\n{title}", "bold underline"), *content] if content else []


def _letters(letters: "Sequence[WrittenLetter]") -> Table:
    made = table("No.", "Letter", "Written (UTC)", "To", "Delivery", right=["No."], unbroken=["Written (UTC)"])
    for letter in letters:
        last = letter.attempts[-1] if letter.attempts else None
        delivery = line("not tried yet", "yellow")
        if last and last.taken:
            copy = ", a copy" if last.outcome == "sent_again" else ""
            delivery = line(f"{_CHANNELS.get(last.channel, last.channel)}{copy}, {when(last.at)}", "green")
        elif last:
            delivery = line(f"{last.outcome} {len(letter.attempts)} times: {_by(last)}", "red")
        made.add_row(
            str(letter.number),
            spoken(letter.kind),
            when(letter.rendered_at),
            line(_to(letter)),
            delivery,
        )
    return made


def _to(letter: "WrittenLetter") -> str:
    """The address that a letter went to; without one the channel that took it, and whose address it was."""
    taken = next((one for one in reversed(letter.attempts) if one.taken), None)
    return letter.recipient or (_by(taken) if taken else "to be posted")


_CHANNELS: Final = {"email": "e-mail", "webhook": "the firm's system", "case_file": "case file"}
_ADDRESSES: Final = (
    (re.compile(r"contact \d+"), "the address given"),
    (re.compile(r"on file [0-9a-f]+"), "an address on file"),
    (re.compile("message"), "by text message"),
    (re.compile("print shop"), "to be printed and posted"),
)
"""What ways of a letter are on record, and what that is in the words of the field."""


def _by(attempt: "Attempt") -> str:
    """The channel of an attempt, whose address it was, and what else is told of it."""
    from runtime.letters.way_names import NO_ADDRESS

    whose, _, told = attempt.detail.partition(": ")
    if whose == NO_ADDRESS:
        said = "nobody's address is known" if attempt.channel == "case_file" else "to be posted"
    else:
        said = next((words for name, words in _ADDRESSES if name.fullmatch(whose)), whose)
    by = ", ".join(filter(None, (_CHANNELS.get(attempt.channel, attempt.channel), said)))
    return f"{by}: {told}" if told else by


def letters(written: "Sequence[WrittenLetter]", *, texts: bool) -> list[RenderableType]:
    """Letters and their delivery, on demand with their texts."""
    if not written:
        return [line("No letter has been written yet.")]
    if not texts:
        return [_letters(written)]
    shown: list[RenderableType] = []
    for letter in written:
        shown += [
            line(f"{letter.number}. {spoken(letter.kind)} ({letter.language})", "bold underline"),
            facts(
                {
                    "To": _to(letter),
                    "Subject": letter.subject,
                    "Message-ID": letter.message_id,
                    "Written": f"{exactly(letter.rendered_at)} UTC",
                }
            ),
            *(
                line(
                    f"{exactly(attempt.at)} UTC {spoken(attempt.outcome)} by {_by(attempt)}",
                    "green" if attempt.taken else "red",
                )
                for attempt in letter.attempts
            ),
            line(f"\n{letter.body}\n"),
        ]
    return shown


def remedies(found: "Sequence[RemedyView]") -> Table:
    """Remedies, one a row."""
    made = table("Case", "No.", "What", "Owner", "Due (UTC)", "State", "Proof", right=["No."], unbroken=["Due (UTC)"])
    for view in found:
        one = view.remedy
        about = " ".join(str(part) for part in (one.subject, one.amount, one.what) if part)
        proof = f"{one.proof.how} ({one.proof.by}, {when(one.proof.at)})" if one.proof else NONE
        made.add_row(
            view.reference,
            str(one.number),
            f"{spoken(one.kind)}{f': {about}' if about else ''}",
            one.owner,
            when(view.due) if view.due else NONE,
            line(view.state, _OF_REMEDIES.get(view.state, "")),
            line(proof),
        )
    return made


_OF_REMEDIES = {"overdue": "bold red", "done": "green", "owed": "yellow"}


def referrals(found: "Sequence[ReferralView]") -> Table:
    """Referrals, one a row."""
    made = table(
        "Case", "No.", "To", "Since (UTC)", "Due (UTC)", "State", "Decided", right=["No."], unbroken=["Due (UTC)"]
    )
    for one in found:
        decided = ", ".join(str(part) for part in (one.outcome and spoken(one.outcome), one.award) if part)
        made.add_row(
            one.reference,
            str(one.number),
            " ".join(part for part in (one.route, one.outside_reference) if part),
            when(one.since),
            when(one.due) if one.due else NONE,
            line(f"{one.state}, {one.ended}" if one.ended else one.state, "green" if one.ended else "yellow"),
            line(decided or NONE),
        )
    return made


def tasks(found: "Sequence[TaskView]", now: datetime) -> Table:
    """Tasks, one a row."""
    made = table("Case", "No.", "Task", "Owner", "Due", "State", "Next step", right=["No."], unbroken=["Case", "Due"])
    for one in found:
        due = line(from_now(one.due, now, 1) if one.due else NONE, "bold red" if one.state == "overdue" else "")
        ended = f"{one.how}, {one.ended_by}{f': {one.result}' if one.result else ''}" if one.ended_at else ""
        made.add_row(
            line(one.reference, "bold"),
            str(one.number),
            line(f"{spoken(one.kind)}{f': {one.what}' if one.what else ''}"),
            line(one.owner or f"nobody ({spoken(one.role)})"),
            due if not one.ended_at else NONE,
            line(one.state, _OF_TASKS[one.state]),
            line(ended or f"redress {one.command}"),
        )
    return made


_OF_TASKS = {"open": "yellow", "overdue": "bold red", "ended": "green"}


def payments(found: "Sequence[PaymentView]") -> list[RenderableType]:
    """The payments of a case, one a row; nothing if there are none."""
    if not found:
        return []
    made = table("Payment", "Amount", "State", "What is known", unbroken=["State"], right=["Amount"])
    for one in found:
        made.add_row(
            line(one.key.partition(":payment:")[2] or one.key, "bold"),
            f"{one.currency} {one.amount:,f}",
            line(spoken(one.state), _OF_PAYMENTS.get(one.state, "")),
            line(known_of(one)),
        )
    return [made]


_OF_PAYMENTS = {PaymentState.PAID: "green", PaymentState.DECLINED: "red", PaymentState.REVERSED: "red"}


def known_of(one: "PaymentView") -> str:
    """What is known of a payment, in a few words."""
    parts = [f"through {one.rail}" if one.rail != "hand" else "by hand", f"ordered {when(one.ordered_at)}"]
    if one.state is PaymentState.PARTIAL:
        parts.append(f"{one.currency} {one.paid:,f} of it")
    if one.reason:
        parts.append(spoken(one.reason))
    if one.rail_reference:
        parts.append(f"reference {one.rail_reference}")
    if one.ended_at:
        parts.append(f"{when(one.ended_at)} by {one.said_by}")
    elif one.last_exchange_at:
        answer = one.detail if one.answer == "failed" else one.answer
        parts.append(f"asked {one.exchanges}×, last {when(one.last_exchange_at)}: {answer}")
    return ", ".join(parts)
