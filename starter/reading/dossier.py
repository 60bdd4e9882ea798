"""All that ``redress show`` tells of a case: its file in PostgreSQL and, while it is open, its workflow's own word."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from domain.case.answers import Status
from domain.case.approval import proposal_digest
from domain.case.drafts import WhyPeople, because
from domain.case.matters import matters_of
from domain.case.messages.deciding import Award
from domain.case.requests import LetterPreview
from domain.case.task_kinds import TASKS
from domain.checks.findings import Finding
from domain.clocks.reckoning import reach
from domain.ground.base import Instant, Record
from domain.ground.timeline import Entry
from domain.ground.words import Category, Outcome, PaymentState, Remedy, RouteKind, Stage
from domain.keys.personal import is_erased
from domain.money.amounts import Money
from domain.rules.deciding import Occasion
from domain.rules.policy import PolicyPack
from domain.rules.routes import Access, Eligibility, eligibility
from runtime.database import held
from starter.reading.cases import CaseView, WrittenLetter, get_case, get_letters, get_rules, get_timeline
from starter.reading.deadlines import LedgerRow, get_deadlines
from starter.reading.payments import PaymentView, get_payments
from starter.reading.referrals import ReferralView, get_referrals
from starter.reading.related import Related, related_to
from starter.reading.remedies import RemedyView, get_remedies
from starter.reading.restores import Repair, Restore, restores_of
from starter.reading.tasks import TaskView, get_tasks

if TYPE_CHECKING:
    from runtime.database import Pool
    from starter.client.complaints import Complaints

_WAIT: Final = 1.0
"""So many seconds a workflow is waited for once the record is read, which has all but what the case waits for."""


class ProposalView(Record):
    """The last proposal: what, by whom, and what became of it; ``awards`` are parts of its sum."""

    text: str
    reasons: str | None
    awards: tuple[Award, ...] = ()
    by: str
    at: Instant
    decision: str
    second_person: str | None = None
    """Who has to approve it, and why; ``None`` where nobody has to."""
    digest: str | None = None
    """Names it, for who decides on it; ``None`` where that was by rule."""


class DraftView(Record):
    """What the rule leads to where people decide, with the letter as it would be.

    ``outcome`` is ``None`` where it leads to nothing. ``second_person`` is who would have to approve it, and why.
    """

    at: Instant
    text: str
    digest: str
    outcome: Outcome | None
    compensation: Money | None
    remedies: tuple[Remedy, ...]
    reasons: str | None
    why: tuple[WhyPeople, ...]
    second_person: str | None
    letter: LetterPreview | None


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
    draft: DraftView | None
    letters: tuple[WrittenLetter, ...]
    payments: tuple[PaymentView, ...]
    remedies: tuple[RemedyView, ...]
    referrals: tuple[ReferralView, ...]
    tasks: tuple[TaskView, ...]
    related: Related
    routes: tuple[Eligibility, ...]
    early_until: Instant | None
    kept_until: Instant | None
    possible: tuple[str, ...]
    restores: tuple[Restore, ...] = ()
    """The restores from a backup that may have taken something from it."""
    repairs: tuple[Repair, ...] = ()
    """What was put right after them."""


async def gather(
    pool: "Pool",
    reference: str,
    *,
    entries: Sequence[Entry] | None = None,
    rows: Sequence[LedgerRow] | None = None,
    cases: "Callable[[], Awaitable[Complaints]] | None" = None,
) -> Dossier:
    """The dossier of a case; its workflow is asked over what *cases* gives, else as the settings say.

    It is asked while the record is read, and then waited for a second at most: a worker that begins anew replays what
    it is asked of first, and one that is stopped says nothing. What the record has is there without it.

    *entries* of its timeline and *rows* of its ledger are given by who has read them already. Raises
    :class:`~starter.reading.database.CaseNotFound`.
    """
    case = await get_case(pool, reference)
    asking = asyncio.create_task(_ask(reference, cases)) if case.summary.closed_at is None else None
    try:
        async with held(pool) as together:  # no longer than what is read: Temporal may take its time
            if entries is None:
                entries = await get_timeline(together, reference)
            if rows is None:
                rows = await get_deadlines(together, reference)
            dossier = await _dossier(together, case, entries, rows)
        if asking is None:
            return dossier
        await asyncio.wait([asking], timeout=_WAIT)
        told = asking.result() if asking.done() else (None, _NO_ANSWER)
        return _with_its_word(dossier, *told, erased=erased_at(entries) is not None)
    finally:
        if asking:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)


def _with_its_word(dossier: Dossier, status: Status | None, unasked: str | None, *, erased: bool) -> Dossier:
    """The dossier with what the case's workflow says, or why it says nothing."""
    told = () if erased else _about_payments(dossier.case, dossier.payments, status)
    return dossier.model_copy(update={"status": status, "unasked": unasked, "possible": (*told, *dossier.possible)})


async def _dossier(
    pool: "Pool",
    case: CaseView,
    entries: Sequence[Entry],
    rows: Sequence[LedgerRow],
) -> Dossier:
    """What the record has; its workflow says the rest."""
    reference, is_open = case.reference, case.summary.closed_at is None
    proposal = last_proposal(entries)
    draft = last_draft(entries) if is_open and not (proposal and proposal.decision == _UNDECIDED) else None
    payments = tuple(await get_payments(pool, reference))
    pack, responded_at, extended = await get_rules(pool, reference)
    now = datetime.now(UTC)
    remedies = tuple(await get_remedies(pool, now, reference=reference))
    referrals = tuple(await get_referrals(pool, reference=reference))
    there = {one.route for one in referrals if one.ended is None}
    tasks = tuple(await get_tasks(pool, now, reference=reference))
    restores, repairs = await restores_of(pool, reference)
    routes = _routes(case, pack, responded_at, now, extended=extended)
    early_until = _early_until(pack, case, now) if responded_at is None else None
    return Dossier(
        case=case,
        status=None,
        unasked=None,
        next_deadline=_next_deadline(rows) if is_open else None,
        findings=last_findings(entries),
        proposal=proposal,
        draft=draft,
        letters=tuple(await get_letters(pool, reference)),
        payments=payments,
        remedies=remedies,
        referrals=referrals,
        tasks=tasks,
        related=await related_to(pool, reference),
        routes=routes,
        early_until=early_until,
        kept_until=_kept_until(pack, case),
        possible=()
        if erased_at(entries)
        else (
            *_possible(case, proposal, draft, may_end_early=early_until is not None),
            *(
                f"remedy confirm {reference} {one.remedy.number} --proof TEXT"
                for one in remedies
                if one.state in {"owed", "overdue"}
            ),
            *(
                f"referral report {reference} {one.number} STEP --at TIME --what TEXT"
                for one in referrals
                if one.ended is None and one.state != "to be carried out"
            ),
            *(one.command for one in tasks if one.state != "ended" and TASKS[one.kind].ends_by is None),
            *_by_rule(case, pack, rows, [one for one in routes if one.route not in there], now),
        ),
        restores=tuple(restores),
        repairs=tuple(repairs),
    )


def _routes(
    case: CaseView, pack: PolicyPack, responded_at: datetime | None, now: datetime, *, extended: bool
) -> tuple[Eligibility, ...]:
    """The ways to go further, and which are open to the customer."""
    category = case.summary.category or Category.OTHER
    return eligibility(
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


def _next_deadline(rows: Iterable[LedgerRow]) -> LedgerRow | None:
    return next((row for row in rows if row.fired_at is None and row.satisfied_at is None), None)


def _early_until(pack: PolicyPack, case: CaseView, now: datetime) -> datetime | None:
    until = pack.early_until(case.received_at) if case.summary.closed_at is None else None
    return until if until and now <= until else None


def _kept_until(pack: PolicyPack, case: CaseView) -> datetime | None:
    if case.summary.closed_at is None or pack.retention is None:
        return None
    return reach(pack.calendar, case.summary.closed_at, pack.retention.after_closing)


def last_findings(entries: Iterable[Entry]) -> tuple[Finding, ...]:
    """The findings of the last investigation."""
    return tuple(finding for finding, _ in stored_findings(entries))


def stored_findings(entries: Iterable[Entry]) -> list[tuple[Finding, str]]:
    """The findings of the last investigation, each with the hash that was stored beside it."""
    found = [entry for entry in entries if entry.kind == "finding" and not is_erased(entry.data)]
    latest: datetime | None = max((entry.at for entry in found), default=None)
    return [(Finding.noted(entry.data), str(entry.data.get("hash", ""))) for entry in found if entry.at == latest]


def erased_at(entries: Iterable[Entry]) -> datetime | None:
    """When what was personal in the case was erased; ``None`` if nothing was."""
    return next((entry.at for entry in entries if entry.kind == "erased"), None)


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
            case "set_aside":
                decision = f"set aside {entry.text}"
            case "stage" if entry.text == Stage.RESPONDED:
                decision, responded = ("by one person, within the limit" if decision == _UNDECIDED else decision), True
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
        second_person=_second_person(proposal.data) if decision == _UNDECIDED else None,
        digest=proposal_digest(proposal) if proposal.kind == "propose_resolution" else None,
    )


def last_draft(entries: Iterable[Entry]) -> DraftView | None:
    """The draft that the case has at its stage."""
    draft: Entry | None = None
    for entry in entries:
        if entry.kind in {"draft", "stage"}:
            draft = entry if entry.kind == "draft" else None
    if draft is None:
        return None
    said = {name: draft.data.get(name) for name in DraftView.model_fields}
    told = {"at": draft.at, "text": draft.text, "second_person": _second_person(draft.data)}
    return DraftView.model_validate(said | told)


def _second_person(data: Mapping[str, Any]) -> str | None:
    """Who has to approve what an entry with that *data* proposes, and why."""
    occasions = tuple(Occasion(one) for one in data.get("second_person") or ())
    if not occasions:
        return None
    able = " or ".join(role.replace("_", " ") for role in data.get("approvers") or ()) or "nobody in this pack"
    given = Money.model_validate(sum_) if (sum_ := data.get("compensation")) else None
    return f"{able}, because {because(occasions, given).en}"


_UNDECIDED: Final = "waits for a second person"


_NO_ANSWER: Final = "no worker answers: is one running?"


async def _ask(reference: str, cases: "Callable[[], Awaitable[Complaints]] | None") -> tuple[Status | None, str | None]:
    """What the case's workflow says of itself, or why it does not."""
    from runtime.connection import TemporalUnavailable
    from starter.client.complaints import CaseNotFound, Complaints
    from starter.client.conversation import NotAnswered
    from starter.client.service import connected

    try:
        asked = await (cases() if cases else connected(Complaints))
        return await asked.status(reference), None
    except NotAnswered:
        return None, _NO_ANSWER
    except TemporalUnavailable as error:
        return None, str(error)
    except CaseNotFound:
        return None, "Temporal does not know this case: it may have ended, or this is another server or namespace"


def _by_rule(
    case: CaseView, pack: PolicyPack, rows: Sequence[LedgerRow], routes: Sequence[Eligibility], now: datetime
) -> Iterable[str]:
    """The commands that the pack's rules make possible now; the way to an outside body is open after the end too."""
    for clock in pack.clocks:
        running = [row for row in rows if row.clock == clock.name and row.satisfied_at is None]
        if any(now < row.clock_due for row in running):
            for extension in clock.extensions:
                yield f"extend {case.reference} --clock {clock.name} --extension {extension.name} --reasons TEXT"
    for route in routes:
        if route.status is Access.OPEN and route.kind is not RouteKind.REVIEW:
            yield f"referral record {case.reference} --route {route.route} --at TIME"


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


def _possible(
    case: CaseView, proposal: ProposalView | None, draft: DraftView | None, *, may_end_early: bool
) -> Iterable[str]:
    """The commands that make sense now."""
    stage, reference = case.summary.stage, case.reference
    if stage is Stage.CLOSED:
        return
    if stage is Stage.ACKNOWLEDGED:
        yield f"contact {reference} --email ADDRESS"
    if stage in {Stage.INVESTIGATING, Stage.DECIDING}:
        if proposal and proposal.decision == _UNDECIDED:
            seen = proposal.digest or "DIGEST"
            yield f"approve {reference} --proposal {seen}"
            yield f"return {reference} --proposal {seen} --reasons TEXT"
        else:
            if draft and draft.outcome:
                yield f"propose {reference} --draft"
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
