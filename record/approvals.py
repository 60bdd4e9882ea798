"""What stands in the record of the decisions that money rests on, read as :mod:`domain.case.approval` reckons with
it."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import asyncpg
from pydantic import ValidationError

from domain.case.approval import DECISIVE, Approved, CaseRecord, NotApproved, approved_award, proven, says
from domain.case.approved_lists import approved_list
from domain.case.approved_payments import check_reported
from domain.case.case import Case
from domain.case.complaint import Complaint
from domain.case.resolution import made_good, running
from domain.checks.accrual import growth, run_on
from domain.checks.findings import Finding, marking
from domain.ground.people import Actor
from domain.ground.timeline import Entry
from domain.ground.words import PaymentState
from domain.incidents.incident import NewIncident
from domain.incidents.messages import DecideIncident
from domain.keys.personal import is_erased
from domain.money.amounts import Money
from domain.people.actors import NotProven, Proofs, check_beginning
from record.given import given_by_rule
from record.hands import kept_out_columns, kept_out_of, recusals_of_list
from record.packs import pinned_pack, read_pinned

if TYPE_CHECKING:
    from record.connection import Connection


DAMAGED: Final = (ValidationError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError)
"""What is raised by rows that somebody changed to what no row may be."""


def award_key(reference: str, round_: int) -> str:
    """The key of the posting of a case's award of that round."""
    return f"{reference}:compensation:{round_}"


def round_of(key: str, reference: str) -> int:
    """The round whose award has that *key*. Raises :class:`NotApproved` for a key that names none of the case."""
    number = key.rpartition(":")[2]
    if not (number.isascii() and number.isdigit()) or key != award_key(reference, int(number)):
        raise NotApproved(f"{key} is not the key of an award of {reference}")
    return int(number)


async def case_records(
    connection: "Connection", references: Sequence[str], proofs: Proofs | None = None
) -> dict[str, CaseRecord]:
    """What the record holds of these cases that bears on money, by reference; *proofs* know whose signatures count."""
    records: dict[str, CaseRecord] = {}
    for row in await connection.fetch(_CASES, references, list(DECISIVE)):
        reference, pinned = row["reference"], row["policy_hash"]
        case = Case.received(reference, Complaint.recorded(row["complaint"]), row["opened_at"])
        case.policy, case.policy_hash = await pinned_pack(connection, pinned), pinned
        noted = tuple(sorted((Entry(**entry) for entry in row["entries"]), key=_in_the_journal))
        recusals, signs, had = kept_out_of(row)
        records[reference] = CaseRecord(
            case,
            noted,
            _awards(row),
            tuple(recusals),
            tuple(signs),
            proofs,
            is_erased(row["complaint"]),
            had,
        )
    accounts = {one: record.said_account for one, record in records.items() if not record.erased}
    for reference, given in (await given_by_rule(connection, accounts)).items():
        records[reference] = replace(records[reference], given=tuple(given))
    if proofs:
        for reference, record in records.items():
            if not record.erased and any(one.kind == "proposed" for one in record.entries):
                records[reference] = replace(record, made_up=await _made_up(record, proofs))
    return records


async def _made_up(record: CaseRecord, proofs: Proofs) -> frozenset[str]:
    """The keys of the findings whose mark is not that of a worker of ours, or is that of another investigation."""
    investigations: dict[datetime, list[Entry]] = {}
    accounts: dict[datetime, str | None] = {}
    account = record.case.complaint.account
    for entry in record.entries:
        if says(entry, "add_evidence", "account"):
            account = entry.data["account"]
        elif entry.kind == "finding":
            investigations.setdefault(entry.at, []).append(entry)
            accounts[entry.at] = account
    made_up: set[str] = set()
    for at, found in investigations.items():
        findings = [Finding.noted(one.data) for one in found]
        mark = await proofs.mark_of(marking(record.case.reference, accounts[at], findings))
        if any(one.data.get("mark") != mark for one in found):
            made_up.update(one.key for one in found)
    return frozenset(made_up)


def _awards(row: asyncpg.Record) -> dict[int, Money]:
    """What was posted to a case, by round."""
    awards = {}
    for one in row["awards"]:
        try:
            round_ = round_of(one["key"], row["reference"])
        except NotApproved:
            continue
        awards[round_] = Money(amount=Decimal(one["amount"]), currency=one["currency"])
    return awards


async def case_record(connection: "Connection", reference: str, proofs: Proofs | None = None) -> CaseRecord:
    """What the record holds of one case. Raises :class:`NotApproved` where there is no such case."""
    records = await case_records(connection, [reference], proofs)
    if reference not in records:
        raise NotApproved(f"there is no case {reference}")
    return records[reference]


async def list_approval(
    connection: "Connection", incident: str, number: int, proofs: Proofs | None = None, by: str | None = None
) -> str:
    """The key of the entry by which list *number* of *incident* was approved, *by* whom it is said.

    Raises :class:`NotApproved`.
    """
    row = await connection.fetchrow(_LIST, incident, number)
    if row is None:
        raise NotApproved(f"list {number} of incident {incident} is not complete")
    opened = NewIncident.model_validate(row["opened"])
    try:
        if proofs:
            check_beginning(proofs, row["token"], incident, opened)
    except NotProven as error:
        raise NotApproved(f"opened_by: {error}") from None
    entries = await connection.fetch(_INCIDENT_ENTRIES, incident)
    harm = await connection.fetch(_HARM, incident, number)
    return approved_list(
        str(opened.opened_by),
        (await read_pinned(connection, row["policy_hash"])).decision,
        row["hash"],
        [Money(amount=each["amount"], currency=each["currency"]) for each in harm],
        [Entry(**dict(entry)) for entry in entries],
        by=by,
        recusals=await recusals_of_list(connection, incident, number),
        check_proven=lambda entry: proofs and proven(proofs, incident, entry, DecideIncident),
    )


async def owed(connection: "Connection", reference: str, currency: str, *, besides: str) -> Money:
    """What a rail has still to pay of a case's awards, less what was ordered and has no outcome, but for *besides*."""
    return Money(amount=await connection.fetchval(_OWED, reference, currency, besides), currency=currency)


async def ended_unpaid(connection: "Connection", reference: str, *, besides: str) -> str | None:
    """Who said that the last payment of a case, but for *besides*, did not happen or came back; ``None`` if it did."""
    row = await connection.fetchrow(_LAST_ENDED, reference, besides)
    return str(row["said_by"]) if row and row["state"] in {"declined", "reversed"} else None


async def unfounded_postings(connection: "Connection", proofs: Proofs | None = None) -> AsyncIterator[tuple[str, str]]:
    """The postings that do not rest on the record: of which case or incident, and why. Within a transaction.

    An award rests on its approval or on the rule, a payment on an order and its outcome, and what a person reported on
    the report. What was made good elsewhere is taken off an award as it was found, never of another.
    """
    rows: list[asyncpg.Record] = []
    async for row in connection.cursor(_POSTINGS):
        rows.append(row)
        if len(rows) >= _AT_ONCE:
            for found in await _unfounded(connection, rows, proofs):
                yield found
            rows = []
    for found in await _unfounded(connection, rows, proofs):
        yield found


async def _unfounded(
    connection: "Connection", rows: Sequence[asyncpg.Record], proofs: Proofs | None
) -> list[tuple[str, str]]:
    named = {row["reference"] for row in rows if row["reference"]}
    records, unreadable = await _readable_records(connection, named, proofs)
    lists: dict[tuple[str, int], tuple[str | None, str]] = {}
    found: list[tuple[str, str]] = []
    for row in rows:
        whose = row["reference"] or row["incident"] or "no case"
        try:
            if row["reference"] in unreadable:
                raise NotApproved(unreadable[row["reference"]])
            if row["reference"] in records and records[row["reference"]].erased:
                continue
            if row["kind"] != "award":
                _check_payment(row, records.get(row["reference"]))
            elif row["reference"]:
                if row["reference"] not in records:
                    raise NotApproved(f"there is no case {row['reference']}")
                _check_award(row, records[row["reference"]])
            else:
                await _check_listed(connection, row, lists, proofs)
        except NotApproved as error:
            found.append((whose, f"posting {row['key']} rests on nothing: {error}"))
        except DAMAGED as error:
            found.append((whose, f"posting {row['key']} cannot be read: {_damage(error)}"))
    return found


async def _readable_records(
    connection: "Connection", references: Collection[str], proofs: Proofs | None
) -> tuple[dict[str, CaseRecord], dict[str, str]]:
    """The records of *references*, and what keeps the others from being read: one that is damaged hides no other."""
    asked = sorted(references)
    try:
        return await case_records(connection, asked, proofs), {}
    except DAMAGED as error:
        if len(asked) == 1:
            return {}, {asked[0]: f"the record of the case cannot be read: {_damage(error)}"}
    middle = len(asked) // 2
    records, unreadable = await _readable_records(connection, asked[:middle], proofs)
    more, others = await _readable_records(connection, asked[middle:], proofs)
    return records | more, unreadable | others


async def _check_listed(
    connection: "Connection",
    row: asyncpg.Record,
    lists: dict[tuple[str, int], tuple[str | None, str]],
    proofs: Proofs | None,
) -> None:
    """The award of an incident rests on the approval of its list."""
    if row["incident"] is None or row["number"] is None:
        raise NotApproved("it names no case, and no list of an incident")
    which = (row["incident"], row["number"])
    if which not in lists:
        lists[which] = await _approval_or_problem(connection, *which, proofs)
    key, problem = lists[which]
    if key is None:
        raise NotApproved(problem)
    if row["decision"] != key:
        raise NotApproved(f"it names {row['decision'] or 'no decision'}, and the list rests on {key}")
    if row["listed"] is None or row["currency"] != row["listed_in"] or row["amount"] > row["listed"]:
        raise NotApproved("it is more than the approved list has of the account")


def _damage(error: Exception) -> str:
    """What is damaged, by its fields, never its values: they may be personal."""
    if isinstance(error, ValidationError):
        fields = sorted({".".join(str(part) for part in each["loc"]) for each in error.errors()})
        return f"{error.title}: {', '.join(fields)}"
    return type(error).__name__


async def _approval_or_problem(
    connection: "Connection", incident: str, number: int, proofs: Proofs | None
) -> tuple[str | None, str]:
    try:
        return await list_approval(connection, incident, number, proofs), ""
    except NotApproved as error:
        return None, str(error)
    except DAMAGED as error:
        return None, f"the record of its approval cannot be read: {_damage(error)}"


def _check_award(row: asyncpg.Record, record: CaseRecord) -> None:
    approved = approved_award(record.known_by(row["posted_at"]), round_of(row["key"], row["reference"]))
    given = approved.compensation.rounded() if approved.compensation else None
    posted = Money(amount=row["amount"], currency=row["currency"])
    most = given
    if given is not None and given.currency == posted.currency and given < posted:
        most = given + _run_on(approved, row["posted_at"], given.currency)
    if given is None or most is None or given.currency != posted.currency or not posted <= most:
        raise NotApproved(f"{posted} was posted, and {given or 'nothing'} was approved ({approved.key})")
    if posted < given and not approved.deducts:
        raise NotApproved(f"{posted} was posted of {given} that was approved ({approved.key})")
    if row["decision"] != approved.key:
        raise NotApproved(f"it names {row['decision'] or 'no decision'}, and the award rests on {approved.key}")


def _run_on(approved: Approved, at: datetime, currency: str) -> Money:
    """The most that interest can have run on by then, on what the award makes good."""
    case, proposal = approved.case, approved.case.proposal
    if proposal is None:
        return Money.zero(currency)
    lost, running_on = made_good(case, proposal), running(case, proposal)
    return growth(lost, run_on(running_on, lost, {one.key: at for one in running_on}), currency)


def _check_payment(row: asyncpg.Record, record: CaseRecord | None) -> None:
    if row["paid"] != row["amount"] or row["said_by"] is None:
        raise NotApproved("no payment has this outcome")
    if record is None or row["said_by"].startswith("rail:"):
        return
    record = record.known_by(row["posted_at"])
    state = PaymentState.REVERSED if row["kind"] == "reversal" else PaymentState.PAID
    try:
        actor = Actor.named(row["said_by"])
    except ValueError:
        raise NotApproved(f"{row['said_by']} names no role and id") from None
    check_reported(record, actor, state, row["bank_reference"])


def _in_the_journal(entry: Entry) -> int:
    """Its place; what a life after a reset says under the same number comes after what was there, in ``key~digest``."""
    number = entry.key.partition("~")[0].rpartition(":")[2]
    return int(number) if number.isascii() and number.isdigit() else 0


_AT_ONCE: Final = 500
_POSTINGS: Final = """
    select postings.key, postings.reference, incident, postings.number, kind, posted_at, postings.amount,
        postings.currency,
        decision, members.amount as listed, members.currency as listed_in, outcomes.paid,
        case kind when 'reversal' then reversals.said_by else outcomes.said_by end as said_by,
        case kind when 'reversal' then reversals.bank_reference else outcomes.rail_reference end as bank_reference
    from casefile.postings
    left join casefile.cohort_members as members on kind = 'award'
        and (members.reference, members.number, members.account) = (incident, postings.number, postings.account)
    left join payments.outcomes on kind <> 'award'
        and outcomes.key = regexp_replace(postings.key, case kind when 'reversal' then ':reversed$' else '^$' end, '')
    left join payments.reversals on kind = 'reversal' and reversals.key = outcomes.key
    order by postings.key
"""
_CASES: Final = f"""
    select reference, complaint, policy_hash, opened_at,
        (select coalesce(jsonb_agg(jsonb_build_object('key', key, 'at', at, 'kind', kind, 'actor', actor, 'text', text,
            'data', data, 'journal', journal, 'token', token) order by id), '[]')
         from casefile.timeline t where t.reference = c.reference and kind = any($2)) as entries,
        (select coalesce(jsonb_agg(jsonb_build_object('key', key, 'amount', amount::text, 'currency', currency)), '[]')
         from casefile.postings p where p.reference = c.reference and kind = 'award') as awards,
        {kept_out_columns("c.reference")}
    from casefile.cases c where reference = any($1)
"""  # noqa: S608 (constants)
_LIST: Final = """
    select incidents.opened, incidents.token, cohorts.hash, policy_hash
    from casefile.cohorts join casefile.incidents using (reference)
    where (cohorts.reference, cohorts.number) = ($1, $2)
"""
_HARM: Final = """
    select currency, sum(amount) as amount from casefile.cohort_members
    where (reference, number) = ($1, $2) and state = 'harmed' group by currency order by currency
"""
_INCIDENT_ENTRIES: Final = """
    select key, at, kind, actor, text, data, token from casefile.incident_timeline
    where reference = $1 and kind = 'decide_incident' order by id
"""
_OWED: Final = """
    select coalesce((
        select sum(case kind when 'payment' then -amount else amount end) from casefile.postings
        where reference = $1 and currency = $2 and rail is not null
    ), 0) - coalesce((
        select sum(amount) from payments.orders where reference = $1 and currency = $2 and key <> $3
            and not exists (select from payments.outcomes where outcomes.key = orders.key)
    ), 0)
"""
_LAST_ENDED: Final = """
    select state, said_by from payments.standing where reference = $1 and key <> $2 and ended_at is not null
    order by ended_at desc, key desc limit 1
"""
