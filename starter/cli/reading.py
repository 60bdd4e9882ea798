"""Commands that look: cases and what is in their files, straight from PostgreSQL."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from domain.ground.words import Category, Stage
from starter.cli import pages
from starter.cli.access import Seen, database, note, read
from starter.cli.case_pages import case_page
from starter.cli.options import Language, Reference, Tongue, span
from starter.cli.program import Answer, ExitCode, InvalidInput, Problem, app, command
from starter.reading.layout import line

_PANEL = "Look"

ledger = typer.Typer(help="The compensation ledger.", no_args_is_help=True)
app.add_typer(ledger, name="ledger", rich_help_panel="Look")


@command(app, "list", panel=_PANEL)
def list_(
    *,
    stage: Annotated[Stage | None, typer.Option("--stage")] = None,
    category: Annotated[Category | None, typer.Option("--category")] = None,
    overdue: Annotated[
        bool | None, typer.Option("--overdue/--not-overdue", help="A deadline has passed unanswered, or none has.")
    ] = None,
    handler: Annotated[str | None, typer.Option("--handler", metavar="ID")] = None,
    team: Annotated[str | None, typer.Option("--team", metavar="NAME")] = None,
    unopened: Annotated[
        bool, typer.Option("--unopened", help="In place of cases what waits to become one, or was refused.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many at most.")] = 50,
) -> Answer:
    """Cases, the last received first."""
    from starter.reading.cases import list_cases
    from starter.reading.database import list_unopened

    if unopened:
        starts = read(lambda pool: list_unopened(pool, limit))
        return Answer(starts, pages.unopened(starts, _now()))
    cases = read(
        lambda pool: list_cases(
            pool, stage=stage, category=category, overdue=overdue, handler=handler, team=team, limit=limit
        ),
        lambda _: None,
    )
    shown = pages.case_list(cases, _now())
    if len(cases) == limit:
        shown.append(line(f"There may be more: --limit {limit} is reached.", "yellow"))
    return Answer(cases, shown)


@command(app, "show", panel=_PANEL)
def show(*, reference: Reference, language: Language = Tongue.EN) -> Answer:
    """All about a case on one page: stage, what it waits for, findings, proposal, letters, what can be done next."""
    from runtime.temporal import run
    from starter.reading.database import CaseNotFound
    from starter.reading.dossier import Dossier, gather

    reference = _parsed(reference)

    async def look() -> Dossier:
        async with database() as pool:
            found = await gather(pool, reference)
            await note(pool, Seen("show", [reference]))
            return found

    try:
        dossier = run(look())
    except CaseNotFound as error:
        if error.start is None:
            raise
        return Answer(error.start, [], Problem("not_found", ExitCode.NOT_FOUND, str(error)))
    return Answer(dossier, case_page(dossier, _now(), language))


@command(app, "timeline", panel=_PANEL)
def timeline(*, reference: Reference) -> Answer:
    """What happened in a case, in order."""
    from starter.reading.cases import get_timeline

    reference = _parsed(reference)
    entries = read(lambda pool: get_timeline(pool, reference), lambda _: Seen("timeline", [reference]))
    return Answer(entries, pages.timeline(entries))


@command(app, "deadlines", panel=_PANEL)
def deadlines(
    *,
    reference: Annotated[str | None, typer.Argument(metavar="[REF]", help="The case; or give --next.")] = None,
    coming: Annotated[
        str | None, typer.Option("--next", metavar="SPAN", help="90m, 24h, 7d, 2w: what comes due in all open cases.")
    ] = None,
    statutory: Annotated[bool, typer.Option("--statutory", help="Only statutory clocks.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="With --next: how many at most.")] = 50,
) -> Answer:
    """The deadline ledger of a case: what was due when, and what became of it. Or what comes due across all cases."""
    from starter.reading.deadlines import get_coming_due, get_deadlines

    if (reference is None) == (coming is None):
        raise InvalidInput("deadlines: give either REF, for one case, or --next SPAN, such as --next 24h, for all")
    now = _now()
    if coming is not None:
        within = span(coming, "--next")
        due = read(lambda pool: get_coming_due(pool, now, within, statutory=statutory, limit=limit))
        shown = pages.coming_due(due, coming)
        if len(due) == limit:
            shown.append(line(f"There may be more: --limit {limit} is reached.", "yellow"))
        return Answer(due, shown)
    reference = _parsed(reference or "")
    rows = [row for row in read(lambda pool: get_deadlines(pool, reference)) if row.statutory or not statutory]
    return Answer(rows, pages.deadlines(rows, now))


@command(app, "rejected", panel=_PANEL)
def rejected(*, reference: Reference) -> Answer:
    """The messages to a case that did not fit, with the reasons."""
    from starter.reading.cases import get_rejected

    reference = _parsed(reference)
    messages = read(lambda pool: get_rejected(pool, reference), lambda _: Seen("rejected", [reference]))
    return Answer(messages, pages.rejected(messages))


@command(app, "reference", panel=_PANEL)
def reference(
    *,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The system that sends the complaint.")],
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its idempotency key.")],
) -> Answer:
    """The reference of the complaint that SOURCE names KEY."""
    from domain.ground.reference import reference_for

    found = reference_for(source, key)
    return Answer({"source": source, "idempotency_key": key, "reference": found}, [line(found)])


@command(app, "recompute", panel=_PANEL)
def recompute(*, reference: Reference) -> Answer:
    """Make a case's last findings again from their stored evidence: the same hash and cents, or what is different.

    The evidence is compared with the trade log as it is now, too, row by row.
    """
    from domain.checks.recompute import recompute as again
    from starter.reading.cases import get_timeline
    from starter.reading.dossier import stored_findings
    from starter.reading.evidence_rows import compare_with_log

    reference = _parsed(reference)
    entries = read(lambda pool: get_timeline(pool, reference))
    stored = stored_findings(entries)
    findings = [finding for finding, _ in stored]
    differences = again(findings, [digest for _, digest in stored])
    logged = read(lambda pool: compare_with_log(pool, findings))
    problem = None
    if count := len(differences) + len(logged):
        problem = Problem("check_failed", ExitCode.CHECK_FAILED, f"{count} difference(s) in {len(findings)} finding(s)")
    digests = [digest for _, digest in stored]
    data = {"reference": reference, "findings": digests, "differences": differences, "log": logged}
    made = pages.recomputed(findings, differences) if findings else [pages.none_of("findings", entries)]
    return Answer(data, [*made, *pages.differing_rows(logged)], problem)


@command(ledger, "check")
def check() -> Answer:
    """Prove that every posting balances, and that the ledger has what cases and closed workflows were awarded."""
    from runtime.connection import TemporalUnavailable
    from runtime.temporal import run
    from starter.client.complaints import Complaints
    from starter.client.service import connected
    from starter.reading.ledger import LedgerReport, check_ledger
    from starter.upkeep.lost_awards import find_lost_awards

    async def look() -> LedgerReport:
        async with database() as pool:
            report = await check_ledger(pool)
            try:
                lost = await find_lost_awards(pool, await connected(Complaints))
            except TemporalUnavailable:
                return report
            return report.model_copy(update={"faults": (*report.faults, *lost), "workflows_compared": True})

    report = run(look())
    faults = len(report.faults)
    problem = Problem("check_failed", ExitCode.CHECK_FAILED, f"the ledger has {faults} fault(s)") if faults else None
    return Answer(report, pages.ledger(report), problem)


def _parsed(reference: str) -> str:
    from domain.ground.reference import parse_reference

    return parse_reference(reference)


def _now() -> datetime:
    return datetime.now(UTC)
