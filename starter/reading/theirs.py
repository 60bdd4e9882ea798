"""What a customer sees of their own complaints: those whose letters go to the address they proved to receive at."""

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Final

from domain.case.clocks import promises_response
from domain.case.complaint import Complaint
from domain.clocks.clock import Clock
from domain.ground.base import Instant, Record
from domain.ground.words import CaseEvent, LetterKind, Outcome, Stage
from domain.intake.received import files_in
from domain.keys.finding import EMAIL
from domain.keys.personal import ours
from domain.money.amounts import Money
from domain.rules.policy import PolicyPack
from record.customers import chosen_by, last_chosen, read_identity
from runtime.keys.here import lookup_here
from starter.reading.responses import RESPONSE

if TYPE_CHECKING:
    from runtime.database import Pool


class Theirs(Record):
    """A complaint in the customer's list. ``stage`` is None while its case is still to be opened.

    ``zone`` is where its deadlines are counted, once the case has rules.
    """

    reference: str
    received_at: Instant
    stage: Stage | None
    outcome: Outcome | None = None
    waits_for_them: bool = False
    zone: str = ""


class SentLetter(Record):
    """A letter to the customer."""

    kind: LetterKind
    subject: str
    body: str
    language: str
    at: Instant


class Remark(Record):
    """Something that the customer said, and the files that came with it as (name, title)."""

    at: Instant
    intent: str
    text: str | None
    files: tuple[tuple[str, str], ...] = ()


class TheirCase(Theirs):
    """One complaint as its customer sees it. ``answer_by`` is when the final response is due by the deadline ledger."""

    complaint: Complaint
    verified: bool
    stages: frozenset[Stage]
    """All that it was in, this one too: what somebody has before them may be of any."""
    told: bool
    """Whether the answer of this round is on its way: ``outcome`` and ``compensation`` are known to them from it."""
    response: int | None
    """The number of the final response that they have: what they say of it names it."""
    answer_by: Instant | None
    reply_by: Instant | None
    closed_at: Instant | None
    compensation: Money | None
    payment: str | None
    letters: tuple[SentLetter, ...]
    remarks: tuple[Remark, ...]
    channel: str | None
    """How they chose to be written to, if they did."""
    language: str
    """Of letters to them: the one they chose, else that of the complaint."""
    on_their_way: int
    """Messages of theirs that were received and are not dealt with yet."""
    not_taken: tuple[str, ...]
    """Why messages of theirs could not be taken, the last first."""


async def is_theirs(pool: "Pool", reference: str, address: str, sender: str) -> bool:
    """Whether letters of the case *reference* go to *address*; before it is open, whether *sender* sent it."""
    return bool(await _going_to(pool, address, [reference])) or await pool.fetchval(_NOT_OPENED, reference, sender)


async def is_on_file(pool: "Pool", address: str, sender: str) -> bool:
    """Whether any complaint is *address*'s, or was sent by *sender*."""
    if await pool.fetchval(_SENT, sender):
        return True
    return bool(await _having_had(pool, address))


async def is_open(pool: "Pool", reference: str) -> bool:
    """Whether the complaint *reference* has a case."""
    found: bool = await pool.fetchval("select exists (select from casefile.cases where reference = $1)", reference)
    return found


async def list_theirs(pool: "Pool", address: str, sender: str) -> list[Theirs]:
    """Their complaints, the last first."""
    references = await _going_to(pool, address, await _having_had(pool, address))
    return [Theirs(**row) for row in await pool.fetch(_LIST, references, sender)]


async def _having_had(pool: "Pool", address: str) -> list[str]:
    """The cases whose letters go, or went before a correction, to *address*."""
    token = await lookup_here(EMAIL, address.casefold())
    return [row["scope"] for row in await pool.fetch(_HAVING_HAD, token)]


async def _going_to(pool: "Pool", address: str, references: Collection[str]) -> list[str]:
    """Those of *references* whose letters go to *address*: who had a case before a correction no longer sees it."""
    newest = await pool.fetch(_NEWEST, list(references))
    return [
        row["reference"]
        for row in newest
        if (ours(row["email"], row["reference"]) or "").casefold() == address.casefold()
    ]


async def revisions(pool: "Pool", references: Collection[str]) -> Mapping[str, str]:
    """Something that changes with each of these cases, and when one is opened."""
    return {row["reference"]: row["mark"] for row in await pool.fetch(_REVISIONS, list(references))}


async def read_theirs(pool: "Pool", reference: str) -> TheirCase | None:
    """The complaint *reference* as its customer sees it; None before its case is open."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        case = await connection.fetchrow(_CASE, reference)
        if case is None:
            return None
        pack = PolicyPack.model_validate(case["content"])
        open_clocks = await connection.fetch(_RUNNING, reference)
        letters = await connection.fetch(_LETTERS, reference)
        remarks = await connection.fetch(_REMARKS, reference)
        refused = await connection.fetch(_REFUSED, reference)
        waiting = await connection.fetchval(_ON_THEIR_WAY, reference)
        identity = await read_identity(connection, reference)
        payment = await connection.fetchval(_PAYMENT, reference)
        chosen = await connection.fetchval(_CHOSEN, reference)
        proposed = await connection.fetchval(_PROPOSED, reference) or {}
    complaint = Complaint.recorded(case["complaint"])
    amount, outcome = case["compensation_amount"], case["outcome"]
    compensation = Money(amount=amount, currency=case["compensation_currency"]) if amount else None
    if case["stage"] == Stage.RESPONDED and case["told"]:  # in the case it stands once they accept it
        outcome = outcome or proposed.get("outcome")
        given = proposed.get("compensation")
        compensation = compensation or (Money.model_validate(given) if given else None)
    clocks = {clock.name: clock for clock in pack.clocks}

    def ends(which: Callable[[Clock], bool]) -> Instant | None:
        due = [row["due"] for row in open_clocks if (clock := clocks.get(row["clock"])) and which(clock)]
        return min(due, default=None)

    reply = CaseEvent.CUSTOMER_REPLIED if case["waits_for_them"] else CaseEvent.ANSWERED

    return TheirCase(
        reference=reference,
        received_at=case["received_at"],
        stage=case["stage"],
        outcome=outcome,
        waits_for_them=case["waits_for_them"],
        complaint=complaint,
        verified=identity.verified,
        stages=frozenset({Stage.RECEIVED, case["stage"], *case["stages"]}),
        told=case["told"],
        response=case["response"],
        answer_by=ends(promises_response),
        reply_by=ends(lambda clock: reply in clock.satisfied_by),
        zone=pack.calendar.time_zone,
        closed_at=case["closed_at"],
        compensation=compensation,
        payment=payment,
        letters=tuple(SentLetter(**row) for row in letters),
        remarks=tuple(_remark(row["at"], row["data"]) for row in remarks),
        channel=last_chosen(chosen, "channel"),
        language=last_chosen(chosen, "language") or complaint.language,
        on_their_way=waiting,
        not_taken=tuple(row["ending"] for row in refused),
    )


def _remark(at: Instant, data: Mapping[str, Any]) -> Remark:
    text = data.get("text")
    return Remark(at=at, intent=str(data.get("intent") or ""), text=str(text) if text else None, files=files_in(data))


_WAITS: Final = """
    c.stage in ('investigating', 'deciding') and coalesce((
        select event = 'information_requested' from casefile.events e
        where e.reference = c.reference
            and event in ('information_requested', 'customer_replied', 'wait_ended', 'responded', 'disputed')
        order by number desc limit 1
    ), false) as waits_for_them
"""
_NOT_OPENED: Final = """
    select not exists (select from casefile.cases where reference = $1)
        and exists (select from intake.received where reference = $1 and sender = $2 and kind = 'complaint')
"""
_SENT: Final = """
    select exists (select from intake.received where sender = $1)
"""
_HAVING_HAD: Final = """
    select scope from casefile.lookups where (purpose, token) = ('email', $1)
"""
_NEWEST: Final = """
    select distinct on (reference) reference, email from casefile.contacts where reference = any($1)
    order by reference, id desc
"""
_LIST: Final = f"""
    select c.reference, c.received_at, c.stage, c.outcome, {_WAITS}, p.content #>> '{{calendar,time_zone}}' as zone
    from casefile.cases c join casefile.policy_packs p on p.hash = c.policy_hash where c.reference = any($1)
    union all
    select distinct on (r.reference) r.reference, r.received_at, null, null, false, ''
    from intake.received r
    where r.sender = $2 and r.kind = 'complaint'
        and not exists (select from casefile.cases c where c.reference = r.reference)
    order by received_at desc
"""  # noqa: S608 (constants)
_CASE: Final = f"""
    select c.received_at, c.stage, c.outcome, c.complaint, c.closed_at, c.compensation_amount, c.compensation_currency,
        p.content, {_WAITS},
        coalesce((select max(at) from casefile.events where reference = $1 and event = 'responded') >= (
            select max(at) from casefile.timeline where reference = $1 and kind = 'stage' and text = 'responded'
        ), false) as told,
        {RESPONSE} as response,
        array(select distinct text from casefile.timeline where reference = $1 and kind = 'stage') as stages
    from casefile.cases c join casefile.policy_packs p on p.hash = c.policy_hash where c.reference = $1
"""  # noqa: S608 (constants)
_RUNNING: Final = """
    select clock, clock_due as due from casefile.deadline_ledger
    where reference = $1 and satisfied_at is null and not replaced group by clock, clock_due
"""
_LETTERS: Final = """
    select kind, subject, body, language, rendered_at as at from casefile.letters
    where reference = $1 and kind <> 'staff_notice' order by rendered_at, number
"""
_REMARKS: Final = """
    select at, data from casefile.timeline where reference = $1 and kind = 'customer_reply' order by at, id
"""
_CHOSEN: Final = f"select {chosen_by('$1')}"
_PROPOSED: Final = """
    select data from casefile.timeline
    where reference = $1 and kind in ('proposed', 'propose_resolution', 'propose_draft', 'resolve_early')
    order by at desc, journal desc nulls last, id desc limit 1
"""
_REFUSED: Final = """
    select e.ending from intake.received r join lateral (
        select ending, at from intake.endings where endings.key = r.key order by id desc limit 1
    ) e on true
    where r.reference = $1 and r.kind = 'message' and e.ending in ('refused', 'case_closed')
    order by e.at desc limit 1
"""
_ON_THEIR_WAY: Final = """
    select count(*) from intake.received r join intake.waiting using (key) where r.reference = $1 and r.kind = 'message'
"""
_PAYMENT: Final = """
    select coalesce(case when v.key is not null then 'reversed' end, o.outcome, 'ordered')
    from payments.orders p left join payments.outcomes o using (key) left join payments.reversals v using (key)
    where p.reference = $1 order by p.ordered_at desc limit 1
"""
_REVISIONS: Final = """
    select reference, concat_ws('/', c.revision, c.updated_at,
        (select max(number) from casefile.events e where e.reference = asked.reference),
        (select count(*) from casefile.letters l where l.reference = asked.reference),
        (select count(*) from intake.received r join intake.waiting using (key) where r.reference = asked.reference)
    ) as mark
    from unnest($1::text[]) as asked (reference) left join casefile.cases c using (reference)
"""
