"""What a case file begins with: the first entries of its timeline, who complains, what was there before."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

import asyncpg
from temporalio.exceptions import ApplicationError

from activities.case.at_once import AtOnce
from activities.case.early_warning import SYMBOLS
from activities.case.findable import add_findable
from activities.case.pinning import is_pinned, mark_of
from activities.case.written_once import add_found_by, add_lookups
from domain.case.assessment import Assessment
from domain.case.complaint import Complaint
from domain.case.identity import IDENTIFIED, entry_data
from domain.case.recurrence import CONTINUES, marks_of, same_subject
from domain.case.requests import EarlyWarning, OpenCase
from domain.clocks.deadlines import Occurred
from domain.clocks.planning import plan
from domain.ground.bilingual import Bilingual
from domain.ground.people import SYSTEM, Actor
from domain.ground.timeline import Entry
from domain.ground.words import Category, Role, Stage
from domain.keys.finding import EMAIL
from domain.keys.personal import COMPLAINT_READABLE, Row, is_erased
from domain.people.matching import Identity
from domain.rules.applying import Applicant, RulesFound, to_tell
from domain.rules.policy import PolicyPack
from record.accounts import ACCOUNT
from record.customers import identified_by, on_file_columns
from record.directory import LOCK_DIRECTORY
from runtime.keys.here import lookup_here

if TYPE_CHECKING:
    from runtime.database import Connection


def first_entries(
    request: OpenCase, pack: PolicyPack, assessment: Assessment, identity: Identity, found: RulesFound | None
) -> list[Entry]:
    """What the timeline begins with: receipt, assessment, who complains, and by what rules."""
    complaint = request.complaint
    scope = "" if assessment.in_scope else ", not ours"
    repeat = ", complained before" if assessment.repeat else ""
    proposal = assessment.proposal
    proposed = f"; proposed by a model: {proposal.category.value} ({proposal.confidence:.0%})" if proposal else ""
    return [
        Entry(
            key="received",
            at=complaint.received_at,
            kind="received",
            actor=str(Actor(id=complaint.source, role=Role.SERVICE)),
            text=f"received by {complaint.channel.value.replace('_', ' ')}; policy pack {pack.id} {pack.version}",
            data={"policy": pack.id, "version": pack.version, "hash": pack.hash},
        ),
        Entry(
            key="assessed",
            at=request.at,
            kind="assessed",
            actor=str(SYSTEM),
            text=f"{assessment.category.value}, severity {assessment.severity.value}, "
            f"priority {assessment.priority.value}, team {assessment.team}{scope}{repeat}{proposed}",
            data=assessment.model_dump(mode="json"),
        ),
        Entry(
            key=IDENTIFIED,
            at=request.at,
            kind=IDENTIFIED,
            actor=str(SYSTEM),
            text=identity.spoken.en,
            data=entry_data(identity),
        ),
        *([_rules_entry(request, found)] if found else []),
    ]


def _rules_entry(request: OpenCase, found: RulesFound) -> Entry:
    """What the table of rules says of the complaint, beside what whoever sent it says."""
    named = request.complaint.policy
    said = f"{', '.join(found.policy)} by row {found.row}" if found.policy else "no answer"
    beside = f"; the complaint names {', '.join(named)}" if named else ""
    return Entry(
        key="rules",
        at=request.at,
        kind="rules",
        actor=str(SYSTEM),
        text=f"table of rules {found.table}: {said} ({found.why}){beside}",
        data=found.model_dump(mode="json"),
    )


def applicant(complaint: Complaint) -> Applicant:
    """Who complains, as the table of rules asks for it."""
    return Applicant(
        received_on=complaint.received_at.date(),
        entity=complaint.entity,
        residence=complaint.residence,
        product=complaint.product,
        client_class=complaint.client_class,
    )


def about_rules(found: RulesFound | None, request: OpenCase, pack: PolicyPack) -> Bilingual | None:
    """What people are told of the rules of a case, by what the table had *found* when it was opened."""
    if found is None:
        return None
    used = tuple(part.id for part in pack.parts) or (pack.id,)
    return to_tell(found, used, named=request.complaint.policy)


def warning_of(case: asyncpg.Record) -> EarlyWarning | None:
    """The warning that the complaint of the *case* (`find_opened`) gave, if it did."""
    if case["warned_of"] is None:
        return None
    return EarlyWarning(topic=case["warned_of"], complaints=tuple(case["alike"]))


async def continuing(connection: "Connection", request: OpenCase) -> list[Entry]:
    """That the complaint goes on from a closed case: of its own customer only, whatever it says itself."""
    closed = request.complaint.continues
    if closed is None:
        return []
    theirs = await connection.fetchval(_OF_THE_SAME, closed, request.complaint.account)
    entry = Entry(
        key=CONTINUES,
        at=request.at,
        kind=CONTINUES if theirs else "not_linked",
        actor=str(SYSTEM),
        text=f"goes on from {closed}" if theirs else "names an earlier case that is not of this account",
        data={"continues": closed} if theirs else {},
    )
    return [entry]


class Linked(NamedTuple):
    """The closed case that a complaint goes on from: its own words, and its category as it was last."""

    words: str
    category: Category


async def linked_case(connection: "Connection", complaint: Complaint) -> Linked | None:
    """What the closed case says that *complaint* goes on from; ``None`` without one, or where it is erased."""
    if complaint.continues is None:
        return None
    row = await connection.fetchrow(_LINKED, complaint.continues, complaint.account)
    if row is None or is_erased(row["complaint"]):
        return None
    return Linked(words_of(Complaint.recorded(row["complaint"])), Category(row["category"]))


def words_of(complaint: Complaint) -> str:
    """What the customer wrote."""
    return "\n\n".join(filter(None, (complaint.subject, complaint.description)))


async def read_before(connection: "Connection", request: OpenCase, pack: PolicyPack) -> asyncpg.Record:
    """All that is asked before a case is opened under that *pack*: whether it ``is_open``, as what it is or another;
    whether the pack ``is_pinned`` and marked; the ``earlier`` complaints of the same account or e-mail address; and the
    columns of `record.customers.on_file_of` and of `activities.case.early_warning.topics_in`.
    """
    complaint = request.complaint
    email = complaint.complainant.email
    row = await connection.fetchrow(
        _BEFORE,
        complaint.account,
        list(complaint.trades),
        request.reference,
        complaint.source,
        complaint.idempotency_key,
        pack.hash,
        await lookup_here(EMAIL, email.casefold()) if email else None,
        complaint.received_at,
        complaint.received_at - timedelta(days=pack.recurs_within_days),
        await mark_of(pack.hash, pack),
    )
    assert row is not None  # noqa: S101 (one row, whatever there is)
    return row


def complained_of_before(before: asyncpg.Record, complaint: Complaint) -> set[Category]:
    """In which categories the same account or e-mail address complained of the same subject in the time before."""
    earlier = [(Complaint.recorded(one["complaint"]), Category(one["category"])) for one in before["earlier"]]
    return {
        category for one, category in earlier if one.reference == complaint.continues or same_subject(one, complaint)
    }


async def insert_case(
    connection: "Connection", request: OpenCase, pack: PolicyPack, assessment: Assessment, receipt: Occurred
) -> bool:
    """Write the row of a case that is opened under that *pack*; ``False`` where there is one already.

    Takes `record.directory.LOCK_DIRECTORY`.
    """
    complaint, reference = request.complaint, request.reference
    opened = await connection.fetchval(
        _OPEN,
        reference,
        complaint.source,
        complaint.idempotency_key,
        complaint.received_at,
        request.at,
        complaint.language,
        complaint.channel,
        complaint.account,
        Row("casefile.cases", reference, reference)("complaint", complaint.model_dump(mode="json"), COMPLAINT_READABLE),
        pack.hash,
        Stage.RECEIVED,
        assessment.category,
        assessment.severity,
        assessment.priority,
        assessment.in_scope,
        assessment.repeat,
        assessment.team,
        min((deadline.due for deadline in plan(pack, receipt)), default=None),
        request.run,
    )
    return bool(opened)


async def add_who(writing: AtOnce, request: OpenCase) -> None:
    """Add to what is written who complains and how to reach them, and by what the case is found."""
    complaint, reference = request.complaint, request.reference
    who = complaint.complainant
    key = f"{reference}:contact:received"
    row = Row("casefile.contacts", reference, key)
    reach = row("name", who.name), row("email", who.email), row("phone", who.phone)
    writing.add(_ADDRESS, reference, request.at, key, *reach)
    await add_found_by(writing, reference, name=who.name, email=who.email, phone=who.phone)
    await add_lookups(writing, reference, marks_of(complaint))
    whole = (complaint.account, who.email, who.phone)
    await add_findable(writing, reference, who.name, complaint.subject, complaint.description, whole=whole)


async def find_opened(connection: "Connection", request: OpenCase) -> asyncpg.Record | None:
    """The case as it was opened, if it was. Raises `ApplicationError` if reference and complaint do not belong."""
    complaint = request.complaint
    case = await connection.fetchrow(
        _OPENED,
        request.reference,
        complaint.source,
        complaint.idempotency_key,
        request.run,
    )
    if case is None:
        return None
    if case["reference"] != request.reference:
        raise ApplicationError(
            f"this complaint (source and idempotency_key) is case {case['reference']} already",
            type="ReferenceTaken",
            non_retryable=True,
        )
    if (case["source"], case["idempotency_key"]) != (complaint.source, complaint.idempotency_key):
        raise ApplicationError(
            f"reference {request.reference} belongs to another complaint; send this one with another idempotency_key",
            type="ReferenceTaken",
            non_retryable=True,
        )
    if case["goes_on"]:
        return case  # a workflow goes on with it after a restore, to its end if it was closed
    if case["closed_at"] is not None:
        raise ApplicationError(
            f"case {request.reference} is closed since {case['closed_at']:%Y-%m-%d}; a new complaint needs a new"
            " idempotency_key",
            type="CaseClosed",
            non_retryable=True,
        )
    if case["run"] != request.run:
        raise ApplicationError(
            f"case {request.reference} is open since {case['opened_at']:%Y-%m-%d %H:%M:%S} UTC, but its workflow was"
            " ended from outside; reset that workflow in Temporal to go on with it, or after a restore run reconcile",
            type="AlreadyHandled",
            non_retryable=True,
        )
    return case


_OPENED: Final = f"""
    select reference, source, idempotency_key, policy_hash, received_at, opened_at, closed_at, complaint,
        coalesce(checkpoints.run, cases.run) as run, data as assessment, awaits or checkpoints.run = $4 as goes_on,
        warnings.topic as warned_of, warnings.complaints as alike,
        (select data from casefile.timeline rules
         where rules.reference = cases.reference and rules.key = 'rules') as rules,
        {identified_by("cases.reference")}
    from casefile.cases join casefile.timeline using (reference) left join casefile.checkpoints using (reference)
    left join casefile.incident_warnings warnings on last = cases.reference
    where (reference = $1 or (source, idempotency_key) = ($2, $3)) and key = 'assessed'
    order by reference = $1 desc limit 1
"""  # noqa: S608 (constants)
_OPEN: Final = f"""
    insert into casefile.cases (
        reference, source, idempotency_key, received_at, opened_at, language, channel, account, complaint,
        policy_hash, revision, stage, stage_since, category, severity, priority, in_scope, repeat, team,
        escalation_level, next_deadline, breached, run)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $5, $12, $13, $14, $15, $16, $17, 0, $18, false,
        $19)
    on conflict do nothing returning true, {LOCK_DIRECTORY}
"""  # noqa: S608 (a constant)
_BEFORE: Final = f"""
    select
        exists (select from casefile.cases where reference = $3 or (source, idempotency_key) = ($4, $5)) as is_open,
        {is_pinned("$6", "$10")} as is_pinned,
        (select coalesce(jsonb_agg(jsonb_build_object('complaint', complaint, 'category', category)), '[]') from (
            select complaint, category from casefile.cases where category is not null and reference in (
                select reference from casefile.cases where account = $1 and received_at between $9 and $8
                union
                select reference from casefile.lookups join casefile.cases on reference = scope
                where (purpose, token) = ('email', $7) and received_at between $9 and $8)
            order by received_at desc limit 100) as newest) as earlier,
        {on_file_columns("$1")}, {SYMBOLS}
"""  # noqa: S608 (constants)
_OF_THE_SAME: Final = f"""
    select true from casefile.cases c where reference = $1 and {ACCOUNT} = $2 and closed_at is not null
"""  # noqa: S608 (a constant)
_LINKED: Final = f"""
    select complaint, category from casefile.cases c
    where reference = $1 and {ACCOUNT} = $2 and closed_at is not null
"""  # noqa: S608 (a constant)
_ADDRESS: Final = """
    insert into casefile.contacts (reference, at, key, name, email, phone) values ($1, $2, $3, $4, $5, $6)
"""
