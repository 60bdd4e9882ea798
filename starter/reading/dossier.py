"""All that ``redress show`` tells of a case: its file in PostgreSQL and, while it is open, its workflow's own word."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from domain.case.answers import Status
from domain.case.matters import matters_of
from domain.case.messages import Award
from domain.checks.findings import Finding
from domain.clocks.reckoning import reach
from domain.ground.base import Instant, Record
from domain.ground.timeline import Entry
from domain.ground.words import Category, PaymentState, RouteKind, Stage
from domain.rules.policy import PolicyPack
from domain.rules.routes import Access, Eligibility, eligibility
from starter.reading.cases import CaseView, WrittenLetter, get_case, get_letters, get_rules, get_timeline
from starter.reading.deadlines import LedgerRow, get_deadlines
from starter.reading.payments import PaymentView, get_payments
from starter.reading.restores import Repair, Restore, restores_of

if TYPE_CHECKING:
    from runtime.database import Pool

_ASK_FOR: Final = 5.0  # seconds


class ProposalView(Record):
    """The last proposal: what, by whom, and what became of it; ``awards`` are parts of its sum."""

    text: str
    reasons: str | None
    awards: tuple[Award, ...] = ()
    by: str
    at: Instant
    decision: str


class Dossier(Record):
    """A case on one page. ``status`` is the workflow's own word; without it, ``unasked`` says why there is none.

    ``early_until`` is there while the case may still end with a summary letter, ``kept_until`` once it is closed and
    its rules say how long the file is kept.
    """

    case: CaseView
    status: Status | None
    unasked: str | None
    next_deadline: LedgerRow | None
    findings: tuple[Finding, ...]
    proposal: ProposalView | None
    letters: tuple[WrittenLetter, ...]
    payments: tuple[PaymentView, ...]
    routes: tuple[Eligibility, ...]
    early_until: Instant | None
    kept_until: Instant | None
    possible: tuple[str, ...]
    restores: tuple[Restore, ...] = ()
    """The restores from a backup that may have taken something from it."""
    repairs: tuple[Repair, ...] = ()
    """What was put right after them."""


async def gather(pool: "Pool", reference: str) -> Dossier:
    """The dossier of a case. Raises :class:`~starter.reading.database.CaseNotFound`."""
    case = await get_case(pool, reference)
    entries = await get_timeline(pool, reference)
    rows = await get_deadlines(pool, reference)
    is_open = case.summary.closed_at is None
    status, unasked = await _ask(reference) if is_open else (None, None)
    proposal = last_proposal(entries)
    payments = tuple(await get_payments(pool, reference))
    pack, responded_at, extended = await get_rules(pool, reference)
    now = datetime.now(UTC)
    category = case.summary.category or Category.OTHER
    restores, repairs = await restores_of(pool, reference)
    routes = eligibility(
        pack.narrowed(category),
        category=category,
        claimed=case.complaint.amount_claimed,
        received_at=case.received_at,
        responded_at=responded_at,
        at=now,
        product=case.complaint.product,
        matters=matters_of(case.complaint),
        extended=extended,
    )
    early_until = pack.early_until(case.received_at) if is_open and responded_at is None else None
    early_until = early_until if early_until and now <= early_until else None
    return Dossier(
        case=case,
        status=status,
        unasked=unasked,
        next_deadline=next((row for row in rows if row.fired_at is None and row.satisfied_at is None), None)
        if is_open
        else None,
        findings=last_findings(entries),
        proposal=proposal,
        letters=tuple(await get_letters(pool, reference)),
        payments=payments,
        routes=routes,
        early_until=early_until,
        kept_until=_kept_until(pack, case),
        possible=(
            *_possible(case, proposal, may_end_early=early_until is not None),
            *_about_payments(case, payments, status),
            *_by_rule(case, pack, rows, routes, now),
        ),
        restores=tuple(restores),
        repairs=tuple(repairs),
    )


def _kept_until(pack: PolicyPack, case: CaseView) -> datetime | None:
    if case.summary.closed_at is None or pack.retention is None:
        return None
    return reach(pack.calendar, case.summary.closed_at, pack.retention.after_closing)


def last_findings(entries: Iterable[Entry]) -> tuple[Finding, ...]:
    """The findings of the last investigation."""
    return tuple(finding for finding, _ in stored_findings(entries))


def stored_findings(entries: Iterable[Entry]) -> list[tuple[Finding, str]]:
    """The findings of the last investigation, each with the hash that was stored beside it."""
    found = [entry for entry in entries if entry.kind == "finding"]
    latest: datetime | None = max((entry.at for entry in found), default=None)
    return [
        (
            Finding.model_validate({name: value for name, value in entry.data.items() if name != "hash"}),
            str(entry.data.get("hash", "")),
        )
        for entry in found
        if entry.at == latest
    ]


def last_proposal(entries: Iterable[Entry]) -> ProposalView | None:
    """The last proposal, and what the entries after it say of it."""
    proposal: Entry | None = None
    decision, responded = "", False
    for entry in entries:
        match entry.kind:
            case "proposed":
                proposal, decision = entry, "decided by rule"
            case "propose_resolution":
                proposal, decision = entry, _UNDECIDED
            case "decide_resolution":
                decision = f"{entry.text} by {entry.actor}"
            case "request_information" if decision == _UNDECIDED:
                decision = "set aside, the customer was asked"
            case "investigate" if decision == _UNDECIDED:
                decision = "set aside, more was investigated"
            case "stage" if entry.text == Stage.RESPONDED:
                decision, responded = ("within the rule's limit" if decision == _UNDECIDED else decision), True
            case "stage" if responded and entry.text in {Stage.DECIDING, Stage.INVESTIGATING}:
                decision, responded = "the case was taken up again", False
    if proposal is None:
        return None
    return ProposalView(
        text=proposal.text,
        reasons=proposal.data.get("reasons"),
        awards=proposal.data.get("awards") or (),
        by=proposal.actor,
        at=proposal.at,
        decision=decision,
    )


_UNDECIDED: Final = "waits for a second person"


async def _ask(reference: str) -> tuple[Status | None, str | None]:
    """What the case's workflow says of itself, or why it does not."""
    from runtime.connection import TemporalUnavailable
    from starter.client.complaints import CaseNotFound, Complaints
    from starter.client.conversation import NotAnswered
    from starter.client.service import connected

    try:
        async with asyncio.timeout(_ASK_FOR):
            return await (await connected(Complaints)).status(reference), None
    except (TimeoutError, NotAnswered):
        return None, "no worker answers: is one running?"
    except TemporalUnavailable as error:
        return None, str(error)
    except CaseNotFound:
        return None, "Temporal does not know this case: it may have ended, or this is another server or namespace"


def _by_rule(
    case: CaseView, pack: PolicyPack, rows: Sequence[LedgerRow], routes: Sequence[Eligibility], now: datetime
) -> Iterable[str]:
    """The commands that the pack's rules make possible now."""
    if case.summary.stage is Stage.CLOSED:
        return
    for clock in pack.clocks:
        running = [row for row in rows if row.clock == clock.name and row.satisfied_at is None]
        if any(now < row.clock_due for row in running):
            for extension in clock.extensions:
                yield f"extend {case.reference} --clock {clock.name} --extension {extension.name} --reasons TEXT"
    for route in routes:
        if route.status is Access.OPEN and route.kind is not RouteKind.REVIEW:
            yield f"referral {case.reference} --route {route.route} --at TIME"


def _about_payments(case: CaseView, payments: Sequence[PaymentView], status: Status | None) -> Iterable[str]:
    """The commands about payments that make sense now."""
    if case.summary.stage is Stage.CLOSED:
        return
    if case.summary.stage is Stage.SETTLING and status and status.payment:
        if "held" in status.payment:
            yield f"pay retry {case.reference} --reason TEXT"
        yield f"pay report {case.reference} --state paid --bank-reference ID"
    if any(one.state in {PaymentState.PAID, PaymentState.PARTIAL} for one in payments):
        yield f"pay report {case.reference} --state reversed --bank-reference ID"


def _possible(case: CaseView, proposal: ProposalView | None, *, may_end_early: bool) -> Iterable[str]:
    """The commands that make sense now."""
    stage, reference = case.summary.stage, case.reference
    if stage is Stage.CLOSED:
        return
    if stage is Stage.ACKNOWLEDGED:
        yield f"contact {reference} --email ADDRESS"
    if stage in {Stage.INVESTIGATING, Stage.DECIDING}:
        if proposal and proposal.decision == _UNDECIDED:
            yield f"approve {reference}"
            yield f"return {reference} --reasons TEXT"
        else:
            yield f'propose {reference} --outcome upheld --amount "USD 100.00" --reasons TEXT'
            yield f"request-info {reference} --questions TEXT"
        if may_end_early:
            yield f"resolve-early {reference} --outcome upheld --remedy apology --reasons TEXT"
        yield f"evidence {reference} --note TEXT --trade ID"
        yield f"investigate --case {reference} --check CHECK"
        yield f"reclassify {reference} --category CATEGORY --reason TEXT"
    if stage is Stage.RESPONDED:
        yield f"reply {reference} --intent accept"
        yield f"reply {reference} --intent dispute --text TEXT"
    elif stage is not Stage.FOLLOWING_UP:
        yield f"reply {reference} --text TEXT"
    if stage is Stage.FOLLOWING_UP:
        yield f"feedback {reference} SCORE"
        yield f"reopen {reference} --reason TEXT"
    yield f"assign {reference} HANDLER"
    yield f"escalate {reference} --reason TEXT"
    yield f"withdraw {reference}"
