"""The page of a case: where it stands, what is known, what was said, what can be done next."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.responses import Response, StreamingResponse

from domain.case.drafts import because
from domain.case.looking_again import BEFORE_RESPONSE
from domain.case.messages.evidence import AddEvidence
from domain.ground.base import person_of
from domain.ground.people import Actor
from domain.ground.timeline import Entry
from domain.ground.words import Action, LetterKind, Stage
from domain.incidents.incident import fault_of
from domain.intake.received import files_in
from domain.people.matching import GROUNDS
from runtime.database import held
from starter.evidence.blocks import Figure
from starter.evidence.html import to_svg
from starter.evidence.model import findings_for
from starter.evidence.reading import read_facts
from starter.evidence.redaction import Reader
from starter.reading.cases import WrittenLetter, get_timeline
from starter.reading.database import CaseNotFound
from starter.reading.deadlines import LedgerRow, get_deadlines
from starter.reading.dossier import ProposalView, gather, last_findings
from starter.reading.evidence_rows import compare_with_log
from starter.reading.hands import explain_route, read_signs
from starter.reading.intake import waiting_for
from starter.reading.related import mark_of
from web import drafts
from web.desk.forms import TOLD
from web.desk.frame import DESK, eyes, reference, shown, speaking
from web.desk.sentences import line_of, spoken
from web.desk.tasks import form_of
from web.pages import NotFound
from web.permissions import staff
from web.visit import Visit

LOOK_AGAIN: Final = 2.0  # seconds
_LISTEN_FOR: Final = timedelta(minutes=10)
"""Then the browser connects again, and is asked again who it is."""
OPEN_INCIDENT: Final = "/desk/incidents/do/open_incident"

COMMANDS: Final = {
    "approve": ("decide_resolution", "approve"),
    "return": ("decide_resolution", "return"),
    "propose": ("propose_resolution", ""),
    "request-info": ("request_information", ""),
    "resolve-early": ("resolve_early", ""),
    "evidence": ("add_evidence", ""),
    "investigate": ("investigate", ""),
    "reclassify": ("reclassify", ""),
    "reply": ("customer_reply", ""),
    "feedback": ("record_feedback", ""),
    "reopen": ("reopen", ""),
    "assign": ("assign", ""),
    "escalate": ("escalate", ""),
    "withdraw": ("withdraw", ""),
    "extend": ("extend_deadline", ""),
    "referral record": ("record_referral", ""),
    "referral report": ("report_referral", ""),
    "contact": ("correct_contact", ""),
    "remedy confirm": ("confirm_remedy", ""),
    "pay retry": ("retry_payment", ""),
    "pay report": ("report_payment", ""),
}
"""The forms that do what the commands of `redress show` do, with the decision they begin with."""

AS_LONG_AS_OPEN: Final = (
    "add_evidence",
    "correct_contact",
    "choose_channel",
    "note_sign",
    "verify_complainant",
    "record_cause",
    "give_task",
)
"""Forms of what every open case takes, wherever it stands."""


class Bar(NamedTuple):
    """A round of a clock as a bar of time; places are thousandths of the picture's width."""

    clock: str
    statutory: bool
    left: float
    width: float
    state: str
    ends: datetime
    became: datetime | None
    ticks: tuple[float, ...]


class Said(NamedTuple):
    """Something that was said between the customer and us."""

    at: datetime
    theirs: bool
    title: str
    text: str
    by: str
    files: tuple[tuple[str, str], ...] = ()
    """Those that came with it, as (name, title)."""


@DESK.get("/cases/{reference}", staff())
async def case(visit: Visit) -> Response:
    """All about a case."""
    known, pool = reference(visit), eyes(visit)
    try:
        async with held(pool) as together:
            mark = await mark_of(together, known)
            entries = await get_timeline(together, known)
            rows = await get_deadlines(together, known)
        dossier = await gather(pool, known, entries=entries, rows=rows, cases=lambda: speaking(visit))
        async with held(pool) as together:
            facts = await read_facts(together, known, entries)
            logged = await compare_with_log(together, (one.finding for one in facts.findings))
            signs = await read_signs(together, known)
            hands = await explain_route(together, known)
            incoming = await waiting_for(together, known)
        at = dossier.case.summary.closed_at or visit.now
        told = (await drafts.draft(visit.doors, visit.session, TOLD)).get(known)
        if told:
            await drafts.drop(visit.doors, visit.session, TOLD)
        forms = doings(dossier.possible, dossier.case.summary.stage, handler=dossier.case.summary.handler)
        return shown(
            visit,
            "case.html",
            dossier=dossier,
            case=dossier.case,
            summary=dossier.case.summary,
            entries=entries,
            rows=rows,
            bars=bars(rows, at),
            now_at=_place_of(at, *_span(rows, at)),
            said=conversation(
                visit, dossier.case.received_at, dossier.case.complaint.description, entries, dossier.letters
            ),
            blocks=[(type(one).__name__, one) for one in findings_for(facts, Reader.HANDLER, visit.language)],
            logged=logged,
            erased_at=facts.erased_at,
            signs=signs,
            hands=hands,
            form_of=form_of,
            files_in=files_in,
            incident_of=incident_of(known, entries),
            related=dossier.related,
            incoming=incoming,
            doings=[form for form in forms if form[0] not in _refused(visit, dossier.proposal)],
            told=told,
            mark=mark,
            because=lambda draft: because(draft.why, draft.compensation).in_language(visit.language),
            line_of=lambda entry: line_of(visit, entry),
            ground=lambda text: _GROUND.get(text, text) if visit.language == "zh-CN" else text,
            svg=svg,
        )
    except CaseNotFound:
        raise NotFound from None


@DESK.get("/cases/{reference}/events", staff())
async def events(visit: Visit) -> Response:
    """Tells the browser when something was added to the case since what it shows."""
    known = reference(visit)
    try:
        now = await mark_of(eyes(visit), known)
    except CaseNotFound:
        raise NotFound from None
    asked = visit.request
    mark = asked.headers.get("last-event-id") or asked.query_params.get("mark") or now
    return StreamingResponse(_changes(visit, known, mark), media_type="text/event-stream")


async def _changes(visit: Visit, known: str, mark: str) -> AsyncIterator[str]:
    yield "retry: 5000\n\n"
    until = visit.now + _LISTEN_FOR
    while visit.now < until:
        try:
            newer = await mark_of(eyes(visit), known)
        except CaseNotFound:
            return
        if newer != mark:
            mark = newer
            yield f"id: {mark}\nevent: changed\ndata: \n\n"
        else:
            yield ": \n\n"
        await asyncio.sleep(LOOK_AGAIN)


_GROUND: Final = {one.en: one.zh for one in GROUNDS.values()}
"""What a sign may rest on beside words of the customer, which stay as they wrote them."""


def incident_of(known: str, entries: Iterable[Entry]) -> str:
    """The address of the form that opens an incident of the fault that the case's findings tell of; or nothing."""
    for finding in last_findings(entries):
        try:
            fault = fault_of(finding)
        except ValueError:
            continue
        told = {**fault.model_dump(mode="json", exclude_none=True, exclude={"checks"}), "case": known}
        return f"{OPEN_INCIDENT}?{urlencode(told)}"
    return ""


def doings(possible: Iterable[str], stage: Stage, *, handler: str | None) -> list[tuple[str, str]]:
    """The forms for what is possible at that *stage*, each with the decision that it begins with; the next step first.

    A case without a *handler* is given to one; what is to be settled is seen through.
    """
    found: dict[tuple[str, str], None] = {}
    for command in possible:
        words = command.split()
        form = COMMANDS.get(" ".join(words[:2])) or COMMANDS.get(words[0])
        if form:
            found[("propose_draft", "") if words[-1] == "--draft" else form] = None
    if stage is not Stage.CLOSED:
        found |= dict.fromkeys((name, "") for name in AS_LONG_AS_OPEN)
    if stage in BEFORE_RESPONSE | {Stage.RESPONDED}:
        found["grant_relief", ""] = None
    first = _SETTLES if stage is Stage.SETTLING else ("assign",) if handler is None else ()
    return sorted(found, key=lambda form: first.index(form[0]) if form[0] in first else len(first))


def _refused(visit: Visit, proposal: ProposalView | None) -> tuple[str, ...]:
    """What is refused to whoever looks: nobody decides about their own proposal."""
    theirs = proposal and person_of(Actor.named(proposal.by).id) == person_of(visit.staff.id)
    return ("decide_resolution",) if theirs else ()


_SETTLES: Final = ("retry_payment", "confirm_remedy", "report_payment")


def bars(rows: Sequence[LedgerRow], now: datetime) -> list[Bar]:
    """The rounds of the clocks, in the order in which they began."""
    first, last = _span(rows, now)
    rounds: dict[tuple[str, int], list[LedgerRow]] = {}
    for row in rows:
        rounds.setdefault((row.clock, row.number), []).append(row)
    made = []
    for (clock, _), rungs in sorted(rounds.items(), key=lambda one: (one[1][0].started_at, one[1][0].clock_due)):
        one = rungs[0]
        ended = one.satisfied_at
        until = min(ended, one.clock_due) if ended else one.clock_due
        left = _place_of(one.started_at, first, last)
        made.append(
            Bar(
                clock=clock,
                statutory=one.statutory,
                left=left,
                width=max(_place_of(until, first, last) - left, 4.0),
                state=_state(rungs, now),
                ends=one.clock_due,
                became=ended,
                ticks=tuple(sorted({_place_of(rung.due, first, last) for rung in rungs})),
            )
        )
    return made


def _state(rungs: Sequence[LedgerRow], now: datetime) -> str:
    one = rungs[0]
    duty = any(Action.BREACH in rung.actions for rung in rungs)
    if any(rung.breach for rung in rungs) or (duty and one.satisfied_at is None and one.clock_due < now):
        return "missed"
    if one.replaced:
        return "replaced"
    return "kept" if one.satisfied_at else "runs"


def _span(rows: Sequence[LedgerRow], now: datetime) -> tuple[datetime, datetime]:
    """From when to when the picture goes: from the first start to the last end of what runs or ran, and now."""
    instants = [now, *(row.started_at for row in rows), *(row.satisfied_at or row.clock_due for row in rows)]
    first, last = min(instants), max(instants)
    return first, max(last, first + timedelta(hours=1))


def _place_of(at: datetime, first: datetime, last: datetime) -> float:
    return round(max(0.0, min(1000.0, 1000 * ((at - first) / (last - first)))), 1)


def conversation(
    visit: Visit, received_at: datetime, complaint: str, entries: Iterable[Entry], letters: Iterable[WrittenLetter]
) -> list[Said]:
    """What the customer and we said to each other, in order, and our own notes that have files."""
    said = [Said(received_at, True, visit.t("desk.case.complaint"), complaint, "")]
    for entry in entries:
        if entry.kind == "customer_reply":
            title, intent = visit.t("desk.case.reply"), str(entry.data.get("intent") or "information")
            if intent != "information":
                title = f"{title} ({spoken(visit, intent, 'intent')})"
            text = str(entry.data.get("text") or "")
            said.append(Said(entry.at, True, title, text, "", files_in(entry.data)))
        elif entry.kind == AddEvidence.name and (files := files_in(entry.data)):
            title, text = visit.t("desk.case.own_note"), str(entry.data.get("note") or "")
            said.append(Said(entry.at, False, title, text, entry.actor, files))
    for letter in letters:
        if letter.kind is not LetterKind.STAFF_NOTICE:
            said.append(Said(letter.rendered_at, False, letter.subject, letter.body, letter.recipient or ""))
    return sorted(said, key=lambda one: one.at)


_STYLE: Final = re.compile(r'style="(fill|stroke):var\(--c-(\w+)\)"')


def svg(figure: Figure) -> Markup:
    """The picture, coloured by the style sheet: nothing inline is allowed here."""
    return Markup(_STYLE.sub(r'class="\1-\2"', to_svg(figure.picture)))  # noqa: S704 (every text in it is escaped)
