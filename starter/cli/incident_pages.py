"""What people see of incidents. Times are UTC."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.padding import Padding
from rich.progress_bar import ProgressBar

from domain.ground.words import IncidentStage
from starter.reading.layout import NONE, exactly, facts, line, spoken, table, when

if TYPE_CHECKING:
    from domain.incidents.progress import Cohort, Progress
    from domain.money.amounts import Money
    from starter.cli.options import Tongue
    from starter.reading.incidents import Changed, CohortRow, IncidentView, ListedIncident, Warned


def listed(incidents: "Sequence[ListedIncident]") -> list[RenderableType]:
    """Incidents, one a row."""
    if not incidents:
        return [line("No incident fits.")]
    columns = ("Incident", "Stage", "Fault", "Harmed", "Harm", "Made good")
    made = table(*columns, unbroken=("Incident", "Stage"), right=("Harmed", "Made good"))
    for each in incidents:
        cohort = each.progress.cohort if each.progress else None
        fault = each.new.fault
        made.add_row(
            line(each.reference, "bold"),
            each.stage.value,
            line(f"{fault.symbol or fault.kind.value} {when(fault.since)}"),
            f"{cohort.harmed}/{cohort.accounts}" if cohort else NONE,
            _sums(cohort.harm) if cohort else NONE,
            str(each.progress.done) if each.progress and each.stage.approved else NONE,
        )
    return [made]


def page(view: "IncidentView") -> list[RenderableType]:
    """All about an incident."""
    fault, now = view.new.fault, view.progress
    narrowed = [
        f"priced from {fault.source}" if fault.source else "",
        f"at {fault.price_from or ''}..{fault.price_to or ''}" if fault.price_from or fault.price_to else "",
        f"judged by {', '.join(spoken(each.value) for each in fault.checks)}" if fault.checks else "",
    ]
    shown: list[RenderableType] = [
        line(f"{view.reference}: {view.stage.value}{', paused' if now and now.paused else ''}", "bold"),
        Padding(
            facts(
                {
                    "Fault": f"{fault.kind.value} {fault.symbol or 'all instruments'}",
                    "From": f"{exactly(fault.since)} to {exactly(fault.until)}",
                    "Only": ", ".join(text for text in narrowed if text) or None,
                    "Customers read": view.new.title.en,
                    "": view.new.title.zh,
                    "Opened": f"{exactly(view.opened_at)} by {view.opened_by}",
                    "Prompted by": view.new.prompted_by,
                    "Note": view.new.note,
                    "Approved by": now.approved_by if now else None,
                    "Complaints": ", ".join(view.cases) or None,
                }
            ),
            (0, 0, 1, 2),
        ),
    ]
    if now:
        shown += _how_far(now)
    shown.append(line("What happened", "bold"))
    happened = table("When", "What", "Who", "", unbroken=("When",))
    for entry in view.timeline:
        happened.add_row(exactly(entry.at), spoken(entry.kind), line(entry.actor), line(entry.text))
    shown.append(Padding(happened, (0, 0, 1, 2)))
    if view.stage is IncidentStage.APPROVAL and now and now.cohort:
        shown.append(line("Look at the list, then have a second person approve it:"))
        shown.append(line(f"  redress incident cohort {view.reference}"))
        shown.append(line(f"  redress incident approve {view.reference} --cohort {now.cohort.hash[:12]} --as ROLE:ID"))
    return shown


def progress(now: "Progress", failed: "Sequence[str]") -> list[RenderableType]:
    """How far an incident is."""
    shown: list[RenderableType] = [
        line(f"{now.reference}: {now.stage.value}{', paused' if now.paused else ''}", "bold")
    ]
    shown += _how_far(now)
    if failed:
        shown.append(line(f"Failed: {', '.join(failed)} (redress incident retry {now.reference} ACCOUNT)", "yellow"))
    return shown


def _how_far(now: "Progress") -> list[RenderableType]:
    cohort = now.cohort
    if cohort is None:
        return [Padding(line("The accounts are being looked for."), (0, 0, 1, 2))]
    shown: list[RenderableType] = [Padding(_counted(cohort), (0, 0, 1, 2))]
    if now.stage.approved:
        shown.append(
            Padding(
                ProgressBar(total=max(cohort.harmed, 1), completed=now.done if cohort.harmed else 1, width=60), (0, 2)
            )
        )
        shown.append(
            Padding(
                facts(
                    {
                        "Made good": f"{now.done} of {cohort.harmed}: {_sums(now.paid)}",
                        "Elsewhere": f"{now.elsewhere} by a case or another incident" if now.elsewhere else None,
                        "Under way": str(now.under_way) if now.under_way else None,
                        "Failed": str(now.failed) if now.failed else None,
                        "Left to people": str(now.left) if now.left else None,
                        "Letters on their way": str(now.untold) if now.untold else None,
                        "Rate": f"{now.per_minute} accounts a minute",
                    }
                ),
                (0, 0, 1, 2),
            )
        )
    return shown


def _counted(cohort: "Cohort") -> RenderableType:
    return facts(
        {
            f"List {cohort.number}": f"{cohort.accounts} accounts, as of {exactly(cohort.as_of)}",
            "Harmed": f"{cohort.harmed}, by {_sums(cohort.harm)}"
            + (f" ({cohort.doubtful} doubtful)" if cohort.doubtful else ""),
            "Unharmed": str(cohort.unharmed),
            "Gained": f"{_sums(cohort.gained)}, by the same fault; nobody is charged" if cohort.gained else None,
            "Unclear": f"{cohort.unclear}, for a person to look at" if cohort.unclear else None,
            "Hash": cohort.hash[:12],
        }
    )


def cohort(rows: "Sequence[CohortRow]", language: "Tongue | None") -> list[RenderableType]:
    """Accounts of a list; with what was found where a language is given."""
    if not rows:
        return [line("No account fits.")]
    names = ("Account", "State", "Harm", "Gained", "Trades", "Paid", "Told")
    made = table(*names, right=("Harm", "Gained", "Paid"), unbroken=("Account",))
    shown: list[RenderableType] = [made]
    for row in rows:
        made.add_row(
            line(row.account, "bold"),
            row.state.value + (", doubtful" if row.doubtful else ""),
            str(row.harm) if row.harm else NONE,
            _sums(row.gained) if row.gained else NONE,
            line(", ".join(dict.fromkeys(finding.subject for finding in row.findings))),
            str(row.paid) if row.paid else ("elsewhere" if row.ended_at else NONE),
            _told(row),
        )
        if language is not None:
            shown.append(line(f"{row.account} · {row.hash[:12]}", "bold"))
            for finding in row.findings:
                shown.append(
                    Padding(line(f"{finding.check.value}: {finding.reason.in_language(language)}"), (0, 0, 0, 2))
                )
    return shown


def _told(row: "CohortRow") -> str:
    told = when(row.told_at) if row.told_at else NONE
    return f"{told}, came back {when(row.returned_at)}" if row.returned_at else told


def recomputed(differences: "Sequence[Changed]", erased: int) -> list[RenderableType]:
    """What of a list is not the same again. Of so many accounts what was found is *erased*."""
    gone = f" Of {erased} erased, the sums alone were compared." * (erased > 0)
    if not differences:
        return [line(f"Every account of the list is the same again, with the same sums and hashes.{gone}")]
    made = table("Account", "Field", "Stored", "Computed now")
    for one in differences:
        made.add_row(line(one.account), line(one.field), line(one.stored), line(one.computed))
    return [made, line(gone.strip())] if gone else [made]


def warned(found: "Sequence[Warned]") -> list[RenderableType]:
    """Early warnings, one a row."""
    if not found:
        return [line("No early warning.")]
    made = table("When", "Points to", "Complaints", unbroken=("When",))
    for each in found:
        made.add_row(when(each.warned_at), line(each.topic), line(", ".join(each.complaints)))
    return [made]


def _sums(amounts: "Sequence[Money]") -> str:
    return ", ".join(str(each) for each in amounts) or "nothing"
