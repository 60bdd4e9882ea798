"""What people see: tables and pages, readable at 80 columns. Times are UTC."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from domain.ground.words import Action
from starter.cli.case_pages import shortened
from starter.reading.layout import NONE, exactly, from_now, line, plainly, span, spoken, table, when

if TYPE_CHECKING:
    from domain.case.file import Rejected
    from domain.checks.findings import Finding
    from domain.checks.recompute import Difference
    from domain.ground.timeline import Entry
    from starter.reading.cases import ListedCase
    from starter.reading.database import UnopenedStart
    from starter.reading.deadlines import DueRung, LedgerRow
    from starter.reading.evidence_rows import LogDifference
    from starter.reading.ledger import LedgerReport


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


def timeline(entries: "Sequence[Entry]") -> list[RenderableType]:
    """What happened, one entry a row."""
    made = table("When (UTC)", "What", "Who", "", unbroken=["When (UTC)"])
    for entry in entries:
        who = "redress" if entry.actor == "system:redress" else entry.spoken_by
        made.add_row(exactly(entry.at), spoken(entry.kind), line(who), line(shortened(plainly(entry.text), 300)))
    return [made]


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
    if not differences:
        harm = ", ".join(str(finding.harm) for finding in findings if finding.harm) or "none"
        return [line(f"{len(findings)} finding(s) are the same again, with the same hashes. Harm: {harm}.")]
    made = table("Finding", "Field", "Stored", "Computed now")
    for one in differences:
        made.add_row(f"{spoken(one.check)} {one.subject}", one.field, one.stored, one.computed)
    return [made]


def none_of(what: str, entries: "Sequence[Entry]") -> RenderableType:
    """That the *entries* of a case have none of *what*, or that it was erased."""
    from starter.reading.dossier import erased_at

    if at := erased_at(entries):
        return line(f"The case was erased on {at:%Y-%m-%d}: its {what} cannot be read any more.", "yellow")
    return line(f"The case has no {what}.")


def differing_rows(differences: "Sequence[LogDifference]") -> list[RenderableType]:
    """Rows that findings rest on and the trade log has otherwise now."""
    if not differences:
        return []
    made = table("Row of the log", "Field", "As the finding had it", "In the log now")
    for one in differences:
        made.add_row(line(f"{one.table} {one.key}"), one.field, line(one.stored), line(one.now))
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
