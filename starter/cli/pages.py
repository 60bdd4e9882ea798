"""What people see: tables and pages, readable at 80 columns. Times are UTC."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from domain.words import Action, PaymentState

if TYPE_CHECKING:
    from domain.case import Entry, Rejected
    from domain.checks.recompute import Difference
    from domain.findings import Finding
    from domain.routes import Eligibility
    from starter.case_reader import (
        CaseView,
        DueRung,
        LedgerReport,
        LedgerRow,
        ListedCase,
        UnopenedStart,
        WrittenLetter,
    )
    from starter.cli.dossier import Dossier, ProposalView
    from starter.payment_reader import PaymentView

NONE: Final = "–"


def line(text: str, style: str = "") -> Text:
    """A line of text as it is, whatever marks are in it."""
    return Text(text, style=style)


def whole(text: str, style: str = "") -> Text:
    """A line to be copied from, such as a path: never broken."""
    return Text(text, style=style, no_wrap=True)


def when(instant: datetime) -> str:
    """``2026-03-02 09:15``, UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}"


def exactly(instant: datetime) -> str:
    """``2026-03-02 09:15:07``, UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def span(length: timedelta, units: int = 2) -> str:
    """A length of time in its largest units, such as ``3 d 4 h``; its sign is left out."""
    seconds = abs(int(length.total_seconds()))
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, seconds = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    return " ".join(f"{count} {unit}" for count, unit in parts[:units] if count or len(parts) == 1)


def from_now(instant: datetime, now: datetime, units: int = 2) -> str:
    """``in 3 d 4 h`` or ``2 h ago``."""
    return f"in {span(instant - now, units)}" if instant > now else f"{span(now - instant, units)} ago"


def spoken(word: str) -> str:
    """A word of the field as people write it."""
    return word.replace("_", " ")


def table(*columns: str, right: Iterable[str] = (), unbroken: Iterable[str] = ()) -> Table:
    """An empty table. Nothing in it is cut off, and columns *unbroken* are not broken into lines either."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for name in columns:
        made.add_column(name, overflow="fold", no_wrap=name in unbroken, justify="right" if name in right else "left")
    return made


def facts(pairs: Mapping[str, RenderableType | None]) -> Table:
    """Names and values under each other; what is ``None`` is left out."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True, min_width=13)
    grid.add_column(overflow="fold")
    for name, value in pairs.items():
        if value is not None:
            grid.add_row(name, line(value) if isinstance(value, str) else value)
    return grid


def case_list(cases: "Sequence[ListedCase]", now: datetime) -> list[RenderableType]:
    """Cases, one a row."""
    if not cases:
        return [line("No case fits.")]
    columns = ("Reference", "Age", "Stage", "Category", "Pri", "Handler", "Next deadline")
    made = table(*columns, unbroken=columns[:3])
    for case in cases:
        summary = case.summary
        made.add_row(
            line(case.reference, "bold"),
            span(now - case.received_at, 1),
            spoken(summary.stage),
            spoken(summary.category or NONE),
            summary.priority or NONE,
            line(summary.handler or NONE),
            _due_or_outcome(case, now),
        )
    return [made, line(f"{len(cases)} case{'s' if len(cases) != 1 else ''}, the last received first.", "dim")]


def unopened(starts: "Sequence[UnopenedStart]", now: datetime) -> list[RenderableType]:
    """What was sent and is no case, one a row, with the reason."""
    if not starts:
        return [line("Nothing waits to become a case, and nothing was refused.")]
    made = table("Workflow", "Age", "State", "Reason", unbroken=("Workflow", "Age", "State"))
    for start in starts:
        made.add_row(line(start.workflow_id, "bold"), span(now - start.since, 1), start.state, line(start.reason))
    return [made]


def _due_or_outcome(case: "ListedCase", now: datetime) -> Text:
    summary = case.summary
    if summary.closed_at:
        text = line(spoken(summary.outcome or "closed"))
        if summary.compensation:
            text.append(f", {summary.compensation}")
    else:
        text = line(from_now(summary.next_deadline, now, 1) if summary.next_deadline else NONE)
    if case.overdue:
        text.append(" OVERDUE", "bold red")
    elif summary.breached:
        text.append(" breached", "red")
    return text


def case_page(dossier: "Dossier", now: datetime, language: str) -> list[RenderableType]:
    """All that matters about a case, on one page."""
    case = dossier.case
    page: list[RenderableType] = [
        _heading(case, now),
        facts(_about(case) | _standing(dossier, now)),
        *_section("Complaint", [facts(_complaint(case))]),
        *_section("Findings", findings(dossier.findings, language)),
        *_section("Proposal", _proposal(dossier.proposal)),
        *_section("Letters", [_letters(dossier.letters)] if dossier.letters else []),
        *_section("Payments", payments(dossier.payments)),
        *_section("Ways to go further", _routes(dossier.routes, language)),
        *_section("After a restore", _restored(dossier)),
        *_section("What you can do", [line(f"redress {possible}") for possible in dossier.possible]),
    ]
    if case.rejected_messages:
        page.append(
            line(f"\n{case.rejected_messages} message(s) did not fit: redress rejected {case.reference}", "yellow")
        )
    return page


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
    marks = [mark for mark, set_ in (("not ours", not summary.in_scope), ("complained before", summary.repeat)) if set_]
    outcome = spoken(summary.outcome) if summary.outcome else None
    if outcome and summary.compensation:
        outcome += f", {summary.compensation}"
    return {
        "What": line(", ".join([what or NONE, *marks])),
        "Outcome": outcome,
        "Team, handler": f"{summary.team or NONE}, {summary.handler or 'nobody yet'}"
        + (f", escalation level {summary.escalation_level}" if summary.escalation_level else ""),
        "Received": f"{when(case.received_at)} UTC by {spoken(case.channel)}, in {case.language}",
        "Policy pack": f"{case.policy} {case.policy_version}",
        "Customer": ", ".join(part for part in (case.contact.name, case.contact.email, case.contact.phone) if part),
        "Breached": line("a deadline was missed: redress deadlines " + case.reference, "red")
        if summary.breached
        else None,
    }


def _standing(dossier: "Dossier", now: datetime) -> dict[str, RenderableType | None]:
    status, deadline = dossier.status, dossier.next_deadline
    waits: RenderableType | None = None
    if status is not None:
        waits = line(status.waiting_for) if status.waiting_for else None
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
        heading = Text.assemble((spoken(route.status), style), f"  {spoken(route.kind)} {route.route}: ")
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
            (proposal.text, "bold"), f"  by {proposal.by} at {when(proposal.at)} UTC: ", (proposal.decision, "cyan")
        )
    ]
    shown += [
        Padding(line(f"{award.amount} {spoken(award.kind)}: {award.reason}"), (0, 0, 0, 2)) for award in proposal.awards
    ]
    if proposal.reasons:
        shown.append(Padding(line(shortened(proposal.reasons)), (0, 0, 0, 2)))
    return shown


def _section(title: str, content: Sequence[RenderableType]) -> list[RenderableType]:
    return [line(f"\n{title}", "bold underline"), *content] if content else []


def timeline(entries: "Sequence[Entry]") -> list[RenderableType]:
    """What happened, one entry a row."""
    made = table("When (UTC)", "What", "Who", "", unbroken=["When (UTC)"])
    for entry in entries:
        who = "redress" if entry.actor == "system:redress" else entry.actor
        made.add_row(exactly(entry.at), spoken(entry.kind), line(who), line(shortened(entry.text, 300)))
    return [made]


def _letters(letters: "Sequence[WrittenLetter]") -> Table:
    made = table("No.", "Letter", "Written (UTC)", "To", "Delivery", right=["No."], unbroken=["Written (UTC)"])
    for letter in letters:
        last = letter.attempts[-1] if letter.attempts else None
        delivery = line("not tried yet", "yellow")
        if last and last.outcome == "accepted":
            delivery = line(f"{last.channel}, {when(last.at)}", "green")
        elif last:
            detail = f": {last.detail}" if last.detail else ""
            delivery = line(f"{last.outcome} {len(letter.attempts)} times{detail}", "red")
        made.add_row(
            str(letter.number),
            spoken(letter.kind),
            when(letter.rendered_at),
            line(letter.recipient or "outbox"),
            delivery,
        )
    return made


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
                    "To": letter.recipient or "outbox",
                    "Subject": letter.subject,
                    "Message-ID": letter.message_id,
                    "Written": f"{exactly(letter.rendered_at)} UTC",
                }
            ),
            *(
                line(
                    f"{exactly(attempt.at)} UTC {attempt.outcome} by {attempt.channel} {attempt.detail}".rstrip(),
                    "green" if attempt.outcome == "accepted" else "red",
                )
                for attempt in letter.attempts
            ),
            line(f"\n{letter.body}\n"),
        ]
    return shown


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


def deadlines(rows: "Sequence[LedgerRow]", now: datetime) -> list[RenderableType]:
    """The deadline ledger of a case."""
    made = table("Clock", "Rung", "Due (UTC)", "What became of it", unbroken=["Rung", "Due (UTC)"])
    for row in rows:
        made.add_row(line(row.clock, "bold" if row.statutory else ""), line(row.rung), when(row.due), _became(row, now))
    shown: list[RenderableType] = [made]
    if any(row.provisional and row.satisfied_at is None for row in rows):
        shown.append(line("Provisional: beyond the known holidays; see redress calendar replan.", "yellow"))
    if any(row.strictest for row in rows):
        shown.append(line("Strictest: of several packs' clocks for one duty the one that acts.", "dim"))
    return [*shown, line("Bold clocks are statutory. How each was reckoned: --json.", "dim")]


def _became(row: "LedgerRow", now: datetime) -> Text:
    duty = Action.BREACH in row.actions
    does = ", ".join(spoken(action) for action in row.actions)
    ended = f"{spoken(row.satisfied_by)} {when(row.satisfied_at)}" if row.satisfied_by and row.satisfied_at else ""
    if row.fired_at:
        late = row.lateness or timedelta(0)
        lateness = f", {span(late)} late" if late >= timedelta(seconds=1) else ""
        if not duty:
            return line(f"{does} {when(row.fired_at)}{lateness}", "yellow")
        text = line("MISSED", "bold red")
        text.append(f": {ended}, {span(row.satisfied_at - row.clock_due)} late" if ended and row.satisfied_at else "")
        return text
    if ended:
        if row.replaced:
            return line(f"replaced: {ended}", "dim")
        return line(f"{'kept' if duty else 'not needed'}: {ended}", "green")
    text = line(f"{from_now(row.due, now)}: {does}", "red" if row.due < now else "")
    text.append(" (provisional)" if row.provisional else "", "yellow")
    text.append(" (strictest)" if row.strictest else "", "bold")
    return text


def coming_due(rungs: "Sequence[DueRung]", within: str) -> list[RenderableType]:
    """What comes due in all open cases, the most urgent first."""
    if not rungs:
        return [line(f"Nothing comes due within {within}.")]
    made = table("Reference", "Left", "Clock: rung", "Stage", "Team, handler", unbroken=["Reference", "Left"])
    for rung in rungs:
        overdue = rung.left < timedelta(0)
        made.add_row(
            line(rung.reference, "bold"),
            line(f"{span(rung.left, 1)} late" if overdue else span(rung.left, 1), "bold red" if overdue else ""),
            Text.assemble(
                (f"{rung.clock}: {rung.rung}", "bold" if rung.statutory else ""),
                (f" {when(rung.due)}", "dim"),
                (" provisional" if rung.provisional else "", "yellow"),
            ),
            spoken(rung.stage),
            line(f"{rung.team or NONE}, {rung.handler or NONE}"),
        )
    return [made, line(f"{len(rungs)} within {within}, UTC. Bold clocks are statutory.", "dim")]


def rejected(messages: "Sequence[Rejected]") -> list[RenderableType]:
    """Messages that did not fit."""
    if not messages:
        return [line("Every message fitted.")]
    shown: list[RenderableType] = []
    for message in messages:
        shown += [
            Text.assemble((message.name, "bold"), f"  {exactly(message.at)} UTC"),
            Padding(line(message.reason, "red"), (0, 0, 0, 2)),
            Padding(line(shortened(message.payload, 300), "dim"), (0, 0, 0, 2)),
        ]
    return shown


def recomputed(findings: "Sequence[Finding]", differences: "Sequence[Difference]") -> list[RenderableType]:
    """Findings made again, and what is different."""
    if not findings:
        return [line("The case has no findings.")]
    if not differences:
        harm = ", ".join(str(finding.harm) for finding in findings if finding.harm) or "none"
        return [line(f"{len(findings)} finding(s) are the same again, with the same hashes. Harm: {harm}.")]
    made = table("Finding", "Field", "Stored", "Computed now")
    for one in differences:
        made.add_row(f"{spoken(one.check)} {one.subject}", one.field, one.stored, one.computed)
    return [made]


def ledger(report: "LedgerReport") -> list[RenderableType]:
    """The check of the compensation ledger."""
    shown: list[RenderableType] = []
    if report.totals:
        numbers = ("Postings", "Awarded", "Paid", "Debits", "Credits")
        made = table("Currency", *numbers, right=numbers)
        for total in report.totals:
            sums = (f"{amount:,f}" for amount in (total.awarded, total.paid, total.debits, total.credits))
            made.add_row(total.currency, str(total.postings), *sums)
        shown.append(made)
    if report.faults:
        faults = table("Reference", "What is wrong")
        for fault in report.faults:
            faults.add_row(line(fault.reference, "bold"), line(fault.problem, "red"))
        shown.append(faults)
    else:
        shown.append(line("The ledger balances." if report.totals else "The ledger is empty.", "green"))
    if not report.workflows_compared:
        shown.append(line("Temporal cannot be reached: what closed workflows were awarded was not compared.", "yellow"))
    return shown


def submitted(done: Sequence[Mapping[str, Any]], bad: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    """What became of each complaint that was to be submitted."""
    if len(done) == 1 and not bad:
        known = " was known already" if done[0]["already_known"] else " is opened"
        return [Text.assemble((done[0]["reference"], "bold"), known)]
    made = table("No.", "Reference", "", right=["No."])
    rows = sorted([*done, *bad], key=lambda row: int(row["position"]))
    for row in rows:
        if "error" in row:
            made.add_row(str(row["position"]), NONE, line(row["error"], "red"))
        else:
            made.add_row(str(row["position"]), row["reference"], "known already" if row["already_known"] else "new")
    return [made]
