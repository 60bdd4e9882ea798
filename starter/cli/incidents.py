"""Commands about incidents: one fault, many accounts."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer

from domain.ground.words import IncidentStage, MemberState
from starter.cli import incident_pages, pages
from starter.cli.access import Seen, read, talk_of_incidents, viewer
from starter.cli.options import By, Language, MessageId, Tongue, actor, instant, one_of, span, words
from starter.cli.program import Answer, ExitCode, InvalidInput, Problem, app, command, invalid
from starter.reading.layout import line

if TYPE_CHECKING:
    from domain.checks.findings import Finding
    from domain.incidents.incident import Fault
    from starter.client.incidents import Incidents


incident = typer.Typer(help="Incidents: one fault, and every account it touched.", no_args_is_help=True)
app.add_typer(incident, name="incident", rich_help_panel="Act on a case")

_Incident = Annotated[str, typer.Argument(metavar="INCIDENT", help="The incident, such as IN-K7M4-9QXT-2VBHC.")]
_UTC: Final = ZoneInfo("UTC")


_Symbol = Annotated[str | None, typer.Option("--symbol", help="The instrument, such as XAUUSD.")]
_Since = Annotated[str | None, typer.Option("--since", metavar="MOMENT", help="When it began; UTC without an offset.")]
_Until = Annotated[str | None, typer.Option("--until", metavar="MOMENT", help="When it ended.")]
_Outage = Annotated[bool, typer.Option("--outage", help="Orders were not taken; otherwise prices were wrong.")]
_Source = Annotated[str | None, typer.Option("--source", help="Only fills priced from this source.")]
_Prices = Annotated[
    str | None, typer.Option("--prices", metavar="FROM..TO", help="Only fills at such prices, as 1900..1925.")
]
_Checks = Annotated[
    list[str] | None, typer.Option("--check", help="Judge by this check instead of the usual one. May be repeated.")
]
_Finding = Annotated[
    str | None, typer.Option("--finding", metavar="REF[:SUBJECT]", help="A complaint whose finding tells the fault.")
]
_Title = Annotated[str | None, typer.Option("--title", help="What customers are told went wrong, in English.")]
_TitleZh = Annotated[str | None, typer.Option("--title-zh", help="The same in Chinese.")]
_Note = Annotated[str | None, typer.Option("--note", help="For the case file (- reads standard input).")]
_Rate = Annotated[int, typer.Option("--rate", min=1, max=6_000, help="Accounts to be compensated in a minute.")]
_Packs = Annotated[
    list[str] | None, typer.Option("--policy", help="The pack whose tolerances and limits hold. May be repeated.")
]


@command(incident, "open")
def open_(
    *,
    symbol: _Symbol = None,
    since: _Since = None,
    until: _Until = None,
    outage: _Outage = False,
    source: _Source = None,
    prices: _Prices = None,
    check: _Checks = None,
    finding: _Finding = None,
    title: _Title = None,
    title_zh: _TitleZh = None,
    note: _Note = None,
    rate: _Rate = 60,
    policy: _Packs = None,
    by: By = None,
) -> Answer:
    """Open an incident: list every account whose orders one fault touched, with its harm.

    Name the instrument and the window, or a finding. The same fault opened again is the same incident.
    """
    from domain.checks.findings import Check
    from domain.ground.bilingual import Bilingual
    from domain.incidents.incident import NewIncident, title_of

    opened_by = actor(by)
    if not opened_by.role.is_staff:
        invalid("--as", f"role {opened_by.role.value} may not open an incident; staff may")
    if finding:
        if symbol or since or until or outage or source or prices:
            raise InvalidInput("--finding: it tells the instrument and the window; do not give them as well")
        fault = _fault_of(finding)
    else:
        fault = _fault(symbol, since, until, source, prices, outage=outage)
    fault = fault.model_copy(update={"checks": tuple(one_of(Check, each, "--check") for each in check or ())})
    usual = title_of(fault)
    if (title is None) != (title_zh is None):
        raise InvalidInput("--title, --title-zh: give both, for customers are written to in either language")
    new = NewIncident(
        fault=fault,
        title=Bilingual(en=title or usual.en, zh=title_zh or usual.zh),
        opened_by=opened_by,
        note=words(note, "--note"),
        policy=tuple(policy or ()),
        per_minute=rate,
        prompted_by=finding.partition(":")[0] if finding else None,
    )
    _check_policy(new.policy)
    opened = talk_of_incidents(lambda incidents: incidents.open(new))
    known = "opened"
    if opened.already_known:
        known = "this fault has an incident already; it stays as it was opened"
    data = {"reference": opened.reference, "already_known": opened.already_known, "fault": fault}
    return Answer(data, [line(f"{opened.reference}: {known}. See: redress incident show {opened.reference}", "bold")])


@command(incident, "list")
def list_(
    *,
    stage: Annotated[IncidentStage | None, typer.Option("--stage")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many at most.")] = 50,
) -> Answer:
    """Incidents, the last opened first, and how far they are."""
    from starter.reading.incidents import list_incidents

    found = read(lambda pool: list_incidents(pool, stage=stage, limit=limit))
    return Answer(found, incident_pages.listed(found))


@command(incident, "show")
def show(*, reference: _Incident) -> Answer:
    """All about an incident: the fault, its list, how much is made good, which complaints it answers."""
    from starter.reading.incidents import get_incident

    parsed = _parsed(reference)
    view = read(lambda pool: get_incident(pool, parsed))
    return Answer(view, incident_pages.page(view))


@command(incident, "cohort")
def cohort(
    *,
    reference: _Incident,
    state: Annotated[MemberState | None, typer.Option("--state", help="harmed, unharmed or unclear.")] = None,
    reasons: Annotated[bool, typer.Option("--reasons", help="With what was found, account by account.")] = False,
    language: Language = Tongue.EN,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many at most.")] = 10_000,
) -> Answer:
    """The accounts of the newest list: harm, by which trades, what was paid, whether the customer was told."""
    from starter.reading.incidents import get_cohort

    parsed = _parsed(reference)
    rows = read(
        lambda pool: get_cohort(pool, parsed, state=state, limit=limit), lambda _: Seen("incident accounts", [parsed])
    )
    shown = incident_pages.cohort(rows, language if reasons else None)
    if len(rows) == limit:
        shown.append(line(f"There may be more: --limit {limit} is reached.", "yellow"))
    return Answer(rows, shown)


@command(incident, "approve")
def approve(
    *,
    reference: _Incident,
    hash_: Annotated[
        str, typer.Option("--cohort", metavar="HASH", help="The hash of the list you have seen; 12 characters will do.")
    ],
    note: Annotated[str | None, typer.Option("--reason", help="Why (- reads standard input).")] = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Approve the list as a whole, as a second person; compensation begins at once."""
    return _decide(reference, by, message_id, decision="approve", cohort=hash_.lower(), reasons=words(note, "--reason"))


@command(incident, "relist")
def relist(
    *,
    reference: _Incident,
    reason: Annotated[str, typer.Option("--reason", help="Why (- reads standard input).")],
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """List the accounts anew, on the trade log as it stands now."""
    return _decide(reference, by, message_id, decision="relist", reasons=words(reason, "--reason"))


@command(incident, "dismiss")
def dismiss(
    *,
    reference: _Incident,
    reason: Annotated[str, typer.Option("--reason", help="Why (- reads standard input).")],
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """End an incident that is none, before anything is paid."""
    return _decide(reference, by, message_id, decision="dismiss", reasons=words(reason, "--reason"))


@command(incident, "pause")
def pause(
    *,
    reference: _Incident,
    reason: Annotated[str, typer.Option("--reason", help="Why (- reads standard input).")],
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Stop compensating after the accounts in hand."""
    from domain.incidents.messages import PauseIncident

    return _send(reference, PauseIncident, by, message_id, reason=words(reason, "--reason"))


@command(incident, "resume")
def resume(
    *,
    reference: _Incident,
    rate: Annotated[
        int | None, typer.Option("--rate", min=1, max=6_000, help="Another rate, in accounts a minute.")
    ] = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Go on compensating; or only change the rate."""
    from domain.incidents.messages import ResumeIncident

    return _send(reference, ResumeIncident, by, message_id, per_minute=rate)


@command(incident, "retry")
def retry(
    *,
    reference: _Incident,
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="One of those that failed.")],
    leave: Annotated[
        str | None, typer.Option("--leave", help="Leave it to people instead, with the reason; it is not tried again.")
    ] = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Compensate an account that failed once more, after what stood in the way was put right."""
    from domain.incidents.messages import RetryMember

    return _send(reference, RetryMember, by, message_id, account=account, leave=words(leave, "--leave"))


@command(incident, "progress")
def progress(*, reference: _Incident) -> Answer:
    """How far an incident is at this moment, from its workflow."""
    _must_see_whole(_parsed(reference))

    async def ask(incidents: "Incidents") -> tuple[Any, list[str]]:
        return await incidents.progress(reference), await incidents.failed(reference)

    now, failed = talk_of_incidents(ask)
    data = {**now.model_dump(mode="json"), "failed_accounts": failed}
    return Answer(data, incident_pages.progress(now, failed))


@command(incident, "recompute")
def recompute(*, reference: _Incident) -> Answer:
    """Make every finding of the newest list again from its evidence: the same sums and hashes, or what differs.

    The evidence is compared with the trade log as it is now, too, row by row.
    """
    from starter.reading.evidence_rows import compare_with_log
    from starter.reading.incidents import get_cohort, recomputed

    parsed = _parsed(reference)
    rows = read(lambda pool: get_cohort(pool, parsed, limit=1_000_000))
    differences = recomputed(rows)
    logged = read(lambda pool: compare_with_log(pool, (finding for row in rows for finding in row.findings)))
    problem = None
    if count := len(differences) + len(logged):
        message = f"{count} difference(s): the list cannot be computed again as it was, or rests on rows that changed"
        problem = Problem("changed", ExitCode.CHECK_FAILED, message)
    erased = sum(row.erased for row in rows)
    data = {"reference": parsed, "accounts": len(rows), "erased": erased, "differences": differences, "log": logged}
    return Answer(data, [*incident_pages.recomputed(differences, erased), *pages.differing_rows(logged)], problem)


@command(incident, "warnings")
def warnings(
    *,
    within: Annotated[str, typer.Option("--last", metavar="SPAN", help="24h, 7d, 2w: how far back.")] = "7d",
) -> Answer:
    """Early warnings: complaints that together point to an incident."""
    from starter.reading.incidents import get_warnings

    since = datetime.now(UTC) - span(within, "--last")
    found = read(lambda pool: get_warnings(pool, since))
    return Answer(found, incident_pages.warned(found))


def _must_see_whole(reference: str) -> None:
    """Raise ``NotAllowed`` to who is kept out of an account of the incident: its workflow tells the sums of all."""
    from domain.ground.messages import NotAllowed
    from domain.incidents.state import IN_PART
    from starter.reading.incidents import sees_whole

    if viewer() and not read(lambda pool: sees_whole(pool, reference)):
        raise NotAllowed(IN_PART)


def _check_policy(policies: tuple[str, ...]) -> None:
    """Raise what is wrong with *policies*, or with the default, now rather than in the workflow."""
    from runtime.policies import find_policy
    from runtime.settings import load_settings

    try:
        find_policy(policies or load_settings().default_policies, datetime.now(UTC))
    except ValueError as error:
        invalid("--policy", str(error))


def _fault(
    symbol: str | None, since: str | None, until: str | None, source: str | None, prices: str | None, *, outage: bool
) -> "Fault":
    from domain.incidents.incident import Fault, FaultKind

    if since is None or until is None:
        raise InvalidInput("--since, --until: give the window of the fault, or a finding with --finding")
    low, high = _prices(prices)
    return Fault(
        kind=FaultKind.OUTAGE if outage else FaultKind.QUOTE,
        symbol=symbol,
        since=instant(since, _UTC, "--since"),
        until=instant(until, _UTC, "--until"),
        source=source,
        price_from=low,
        price_to=high,
    )


def _prices(text: str | None) -> tuple[Decimal | None, Decimal | None]:
    if text is None:
        return None, None
    low, dots, high = text.partition("..")
    try:
        ends = [Decimal(end) if end else None for end in (low, high)]
    except InvalidOperation:
        ends = []
    if not dots or not any(ends):
        invalid("--prices", "it must be FROM..TO, such as 1900..1925; either side may be left out")
    return ends[0], ends[1]


def _fault_of(text: str) -> "Fault":
    """The fault that a finding of a complaint tells of; *text* is REF or REF:SUBJECT."""
    from domain.ground.reference import parse_reference
    from domain.incidents.incident import fault_of
    from starter.reading.cases import get_timeline
    from starter.reading.dossier import last_findings

    name, _, subject = text.partition(":")
    reference = parse_reference(name)
    entries = read(lambda pool: get_timeline(pool, reference))
    findings = [found for found in last_findings(entries) if found.verdict.for_the_customer]
    chosen: list[Finding] = [found for found in findings if not subject or found.subject == subject]
    if not chosen:
        known = ", ".join(dict.fromkeys(found.subject for found in findings)) or "none"
        invalid("--finding", f"{reference} has no such finding of a fault of ours; it has findings on: {known}")
    try:
        return fault_of(chosen[0])
    except ValueError as error:
        invalid("--finding", str(error))


def _decide(reference: str, by: str | None, message_id: str | None, **fields: Any) -> Answer:
    from domain.incidents.messages import DecideIncident

    return _send(reference, DecideIncident, by, message_id, **fields)


def _send(reference: str, kind: Any, by: str | None, message_id: str | None, **fields: Any) -> Answer:
    """Send a message; what is checked here is checked before anything is connected to."""
    parsed = _parsed(reference)
    given = {field: value for field, value in fields.items() if value is not None}
    message = kind.model_validate({"message_id": message_id or str(uuid.uuid4()), "actor": actor(by), **given})
    from starter.client.conversation import NotAnswered

    try:
        receipt = talk_of_incidents(lambda incidents: incidents.send(parsed, message))
    except NotAnswered as error:
        raise NotAnswered(f"{error}; it may still count, so repeat it with --message-id {message.message_id}") from None
    return Answer(receipt, [line(f"{parsed}: {receipt.noted} (stage {receipt.stage.value})")])


def _parsed(reference: str) -> str:
    from domain.ground.reference import INCIDENT, parse_reference

    return parse_reference(reference, prefix=INCIDENT)
