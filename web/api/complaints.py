"""Complaints: submitted through the intake, looked at in the case file. None of it needs Temporal."""

from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import Field
from starlette.responses import Response

from domain.case.complaint import Complaint
from domain.ground.base import Identifier, Instant, Record
from domain.ground.timeline import Entry
from domain.ground.words import Category, Stage
from domain.intake.received import Door, key_of
from runtime.database import Pool
from starter.intake.receiving import content_of, receive_complaint
from starter.reading.cases import CaseView, ListedCase, WrittenLetter, get_case, get_letters, get_timeline
from starter.reading.database import CaseNotFound, must_see
from starter.reading.deadlines import DueRung, LedgerRow, get_coming_due, get_deadlines
from starter.reading.dossier import DraftView, ProposalView, last_draft, last_proposal
from starter.reading.sources import (
    Arrival,
    arrival_of,
    is_of,
    page_of_cases,
    page_of_timeline,
)
from starter.upkeep.api_keys import Scope
from web.api.frame import API, ROOT, Call, Paged, cursor, place_of
from web.api.problems import unnamed, used_before, wrong_field
from web.pages import NotFound


class Accepted(Record):
    """What was sent is committed and will be dealt with; where it is ``already_known`` it counts once."""

    reference: str
    already_known: bool


class Standing(Record):
    """Where a complaint stands. ``case`` is null until its case is open; ``arrival`` says what became of it until then.

    A complaint that did not come through the intake has no ``arrival``. ``draft`` and ``proposal`` are the last ones,
    each with the ``digest`` by which a message names it.
    """

    reference: str
    arrival: Arrival | None
    case: CaseView | None
    draft: DraftView | None = None
    proposal: ProposalView | None = None


class CasePage(Record):
    """Cases, and where the list goes on; ``next`` is null at its end."""

    items: tuple[ListedCase, ...]
    next: str | None


class TimelinePage(Record):
    """Lines of a timeline. ``next`` goes on after the last of them, also where there is no ``more`` yet."""

    items: tuple[Entry, ...]
    more: bool
    next: str | None


class CaseQuery(Paged):
    """Which cases; nothing given is all of them."""

    stage: Stage | None = None
    category: Category | None = None
    handler: Annotated[str, Field(max_length=100)] | None = None
    team: Annotated[str, Field(max_length=100)] | None = None
    overdue: bool | None = None


class DueQuery(Record):
    """Deadlines until ``hours`` from now, and those that have passed."""

    hours: Annotated[int, Field(ge=0, le=24 * 400)] = 24
    statutory: bool = False
    limit: Annotated[int, Field(ge=1, le=1000)] = 50


_STAFF_SOURCE: Final = "desk"
_FILLED: Final = ("source", "idempotency_key")
_LONGEST_KEY: Final = 200


async def of_the_caller(call: Call) -> str:
    """The reference in the address, if that complaint is there for the caller. Raises `NotFound`."""
    known, source = call.reference, call.caller.source
    if source is not None:
        if not await is_of(call.doors.pool, known, source):
            raise NotFound
    elif call.caller.staff or await arrival_of(call.doors.pool, known) is None:
        await must_see(call.pool, known)  # what a person is kept out of is not there
    return known


@API.post("/complaints", Scope.SUBMIT, body=Complaint, filled=_FILLED, answer=Accepted, status=202, once=True)
async def submit(call: Call) -> Accepted | Response:
    """Submit a complaint: once it is committed, it is accepted; the same Idempotency-Key is the same complaint."""
    doors, now = call.doors, call.doors.clock()
    key = call.request.headers.get("idempotency-key", "").strip()
    if not key:
        raise unnamed("Idempotency-Key", "send this header: your own number of the complaint")
    if len(key) > _LONGEST_KEY or not key.isprintable():
        raise wrong_field("Idempotency-Key", f"at most {_LONGEST_KEY} printable characters")
    source = _STAFF_SOURCE if call.caller.staff else call.caller.id
    complaint: Complaint = await call.body({"source": source, "idempotency_key": key}, {"received_at": now.isoformat()})
    try:
        complaint.check_times(now)
    except ValueError as error:
        field, _, what = str(error).partition(": ")
        raise wrong_field(field, what) from None
    reference = complaint.reference
    if await said_otherwise(doors.pool, Door.API, complaint):
        raise used_before("Idempotency-Key", f"it is that of {reference}, which says something else")
    email = complaint.complainant.email
    received = await receive_complaint(
        doors.pool,
        Door.API,
        complaint,
        sender=doors.keyed("sender", email.strip().lower()) if email else None,
        envelope={"service": source},
    )
    doors.came_in()
    return accepted(Accepted(reference=reference, already_known=received.already_known))


async def said_otherwise(pool: Pool, door: Door, complaint: Complaint) -> bool:
    """Whether a complaint came by the same *door* under the same key that says something else."""
    return bool(await pool.fetchval(_OTHER, complaint.reference, key_of(door, content_of(complaint)), door))


_OTHER: Final = """
    select exists (select from intake.received
                   where reference = $1 and kind = 'complaint' and door = $3 and key <> $2)
"""


def accepted(what: Accepted) -> Response:
    """The answer that it is taken in, and where to look what becomes of it."""
    return Response(
        what.model_dump_json(),
        202,
        headers={"location": f"{ROOT}/complaints/{what.reference}"},
        media_type="application/json",
    )


@API.get("/complaints", Scope.READ, query=CaseQuery, answer=CasePage)
async def list_complaints(call: Call) -> CasePage:
    """List cases, the last received first."""
    asked: CaseQuery = call.query
    filters = asked.model_dump(exclude={"limit", "cursor"})
    place: Any = place_of(asked.cursor, Instant, Identifier)
    found = await page_of_cases(
        call.pool, source=call.caller.source, at=call.doors.clock(), after=place, limit=asked.limit + 1, **filters
    )
    items = found[: asked.limit]
    call.seen += [one.reference for one in items]
    last = cursor(items[-1].received_at, items[-1].reference) if len(found) > asked.limit else None
    return CasePage(items=tuple(items), next=last)


@API.get("/complaints/{reference}", Scope.READ, answer=Standing)
async def show(call: Call) -> Standing:
    """Where a complaint stands."""
    known = await of_the_caller(call)
    try:
        case = await get_case(call.pool, known)
        entries = await get_timeline(call.pool, known)
    except CaseNotFound:
        case, entries = None, []
    return Standing(
        reference=known,
        arrival=await arrival_of(call.doors.pool, known),
        case=case,
        draft=last_draft(entries),
        proposal=last_proposal(entries),
    )


@API.get("/complaints/{reference}/timeline", Scope.READ, query=Paged, answer=TimelinePage)
async def timeline(call: Call) -> TimelinePage:
    """What happened, in the order in which it was written down; ask again after `next` for what is new."""
    known = await of_the_caller(call)
    asked: Paged = call.query
    (after,) = place_of(asked.cursor, Annotated[int, Field(ge=0, lt=2**63)]) or (0,)
    found = await page_of_timeline(call.pool, known, after=after, limit=asked.limit + 1)
    items = found[: asked.limit]
    return TimelinePage(
        items=tuple(one.entry for one in items),
        more=len(found) > asked.limit,
        next=cursor(items[-1].place) if items else asked.cursor,
    )


@API.get("/complaints/{reference}/deadlines", Scope.READ, answer=tuple[LedgerRow, ...])
async def deadlines(call: Call) -> list[LedgerRow]:
    """The deadline ledger of a case: what is due, what was kept, what was missed."""
    return await get_deadlines(call.pool, await of_the_caller(call))


@API.get("/complaints/{reference}/letters", Scope.READ, answer=tuple[WrittenLetter, ...])
async def letters(call: Call) -> list[WrittenLetter]:
    """Every letter of a case, and the attempts to deliver it."""
    return await get_letters(call.pool, await of_the_caller(call))


@API.get("/deadlines", Scope.READ, Scope.EVERY_SOURCE, query=DueQuery, answer=tuple[DueRung, ...])
async def coming_due(call: Call) -> list[DueRung]:
    """What is due in all open cases, the first due first."""
    asked: DueQuery = call.query
    found = await get_coming_due(
        call.pool,
        call.doors.clock(),
        timedelta(hours=asked.hours),
        statutory=asked.statutory,
        limit=asked.limit,
    )
    call.seen += [one.reference for one in found]
    return found
