"""Reading incidents: their lists, accounts and early warnings. Nothing here changes anything."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from domain.checks.findings import Finding
from domain.checks.recompute import recompute
from domain.ground.base import Instant, Record
from domain.ground.timeline import Entry
from domain.ground.words import IncidentStage, MemberState
from domain.incidents.cohort import judge
from domain.incidents.incident import NewIncident
from domain.incidents.progress import Progress
from domain.money.amounts import Money
from starter.client.incidents import IncidentNotFound
from starter.reading.database import masking

if TYPE_CHECKING:
    import asyncpg

    from runtime.database import Pool


class ListedIncident(Record):
    """An incident in a list; ``progress`` is ``None`` until its workflow first told how far it is.

    Whoever is kept out of one of its complaints or accounts is told no ``progress``: from totals and a list without
    some accounts it follows what those lost.
    """

    reference: str
    opened_at: Instant
    opened_by: str
    stage: IncidentStage
    new: NewIncident
    progress: Progress | None


class IncidentView(ListedIncident):
    """All about an incident but its list."""

    cases: tuple[str, ...]
    timeline: tuple[Entry, ...]


class CohortRow(Record):
    """An account of the newest list. ``paid`` is what went to it under this incident, by ``ended_at``; ``gained`` what
    it gained by the same fault; ``returned_at`` when a mail server last gave back the letter that told of it."""

    account: str
    state: MemberState
    harm: Money | None
    gained: tuple[Money, ...]
    doubtful: bool
    hash: str
    trades: tuple[str, ...]
    findings: tuple[Finding, ...]
    paid: Money | None
    ended_at: Instant | None
    told_at: Instant | None
    returned_at: Instant | None
    erased: bool = False
    """Whether what its findings rest on was erased with the customer."""


class Warned(Record):
    """Complaints that together point to an incident. ``incidents`` are those known of that topic and time."""

    topic: str
    warned_at: Instant
    complaints: tuple[str, ...]


async def list_incidents(pool: "Pool", *, stage: IncidentStage | None = None, limit: int = 50) -> list[ListedIncident]:
    """Incidents, the last opened first."""
    rows = await pool.fetch(
        f"{_INCIDENTS} where $1::text is null or stage = $1 order by opened_at desc, reference limit $2",
        stage and stage.value,
        limit,
    )
    return [ListedIncident(**_listed(row)) for row in rows]


async def get_incident(pool: "Pool", reference: str) -> IncidentView:
    """One incident. Raises :class:`IncidentNotFound`."""
    row = await pool.fetchrow(f"{_INCIDENTS} where reference = $1", reference)
    if row is None:
        raise IncidentNotFound(f"there is no incident {reference}")
    cases = await pool.fetch(
        "select reference from casefile.incident_cases where incident = $1 and not casefile.hidden(reference)"
        " order by at, reference",
        reference,
    )
    entries = await pool.fetch(
        "select key, at, kind, actor, text, data from casefile.incident_timeline"
        " where reference = $1 and (not $2 or kind = any($3))"
        " order by at, substring(key from ':([0-9]+)')::integer, id",
        reference,
        row["in_part"],
        _OF_NO_ACCOUNT,
    )
    masked = await masking(pool)
    listed = _listed(row)
    new: NewIncident = listed["new"]
    if new.prompted_by and masked(new.prompted_by) != new.prompted_by:
        listed["new"] = new.model_copy(update={"prompted_by": None})
    return IncidentView(
        **listed,
        cases=tuple(each["reference"] for each in cases),
        timeline=tuple(Entry(**dict(each) | {"text": masked(each["text"])}) for each in entries),
    )


async def sees_whole(pool: "Pool", reference: str) -> bool:
    """Whether who looks is kept out of none of the incident's complaints and accounts."""
    return not await pool.fetchval("select $1 in (select casefile.hidden_incidents())", reference)


async def get_cohort(
    pool: "Pool", reference: str, *, state: MemberState | None = None, limit: int = 10_000
) -> list[CohortRow]:
    """The accounts of the incident's newest complete list, by number. Raises :class:`IncidentNotFound`.

    An account is left out whose case is hidden from who looks, with which they declared a conflict, or on whose trade
    they acted.
    """
    if not await pool.fetchval("select exists (select from casefile.incidents where reference = $1)", reference):
        raise IncidentNotFound(f"there is no incident {reference}")
    rows = await pool.fetch(_COHORT, reference, state and state.value, limit)
    return [
        CohortRow(
            account=row["account"],
            state=row["state"],
            harm=_money(row["amount"], row["currency"]),
            gained=tuple(Money.model_validate(each) for each in row["gained"]),
            doubtful=row["doubtful"],
            hash=row["hash"],
            trades=tuple(row["trades"]),
            findings=tuple(Finding.listed(each) for each in row["findings"]),
            paid=_money(row["paid"], row["paid_in"]),
            ended_at=row["ended_at"],
            told_at=row["told_at"],
            returned_at=row["returned_at"],
            erased=any("reason" not in each for each in row["findings"]),
        )
        for row in rows
    ]


class Changed(Record):
    """Something of a list that is not the same when it is computed again."""

    account: str
    field: str
    stored: str
    computed: str


def recomputed(rows: "Sequence[CohortRow]") -> list[Changed]:
    """Every account of a list made again from its own evidence; nothing when all is the same.

    Of who was erased the figures alone can be compared: what they rest on is gone.
    """
    changed: list[Changed] = []
    for row in rows:
        changed += [
            Changed(account=row.account, field=f"{one.subject}: {one.field}", stored=one.stored, computed=one.computed)
            for one in (() if row.erased else recompute(row.findings))
        ]
        again = judge(row.account, row.trades, row.findings)
        if (again.harm, again.state) != (row.harm, row.state):
            changed.append(Changed(account=row.account, field="harm", stored=str(row.harm), computed=str(again.harm)))
        if again.hash != row.hash and not row.erased:
            changed.append(Changed(account=row.account, field="hash", stored=row.hash, computed=again.hash))
    return changed


async def get_warnings(pool: "Pool", since: datetime) -> list[Warned]:
    """The early warnings given *since*, the last first; none with a complaint that is hidden from who looks."""
    rows = await pool.fetch(_WARNINGS, since)
    return [Warned(topic=row["topic"], warned_at=row["warned_at"], complaints=tuple(row["complaints"])) for row in rows]


def _listed(row: "asyncpg.Record") -> dict[str, Any]:
    return {
        "reference": row["reference"],
        "opened_at": row["opened_at"],
        "opened_by": row["opened_by"],
        "stage": row["stage"],
        "new": NewIncident.model_validate(row["opened"]),
        "progress": Progress.model_validate(row["progress"]) if row["progress"] and not row["in_part"] else None,
    }


def _money(amount: Any, currency: str | None) -> Money | None:
    return None if amount is None or currency is None else Money(amount=amount, currency=currency)


_WARNINGS = """
    select topic, warned_at, complaints from casefile.incident_warnings
    where warned_at >= $1 and not complaints && array(select casefile.hidden_cases())
    order by warned_at desc, id desc
"""
_OF_NO_ACCOUNT: Final = ["opened", "restored", "reset", "cancellation"]
"""The entries of a timeline that cannot speak of single accounts, nor of all together."""
_INCIDENTS: Final = """
    select i.*, i.reference in (select casefile.hidden_incidents()) as in_part from casefile.incidents i
"""
_COHORT = """
    select members.*, results.at as ended_at, postings.amount as paid, postings.currency as paid_in,
        (
            select min(at) from casefile.incident_letter_attempts
            where key = members.reference || ':letter:' || members.account and outcome = 'accepted'
        ) as told_at, (
            select max(at) from casefile.incident_letter_attempts
            where key = members.reference || ':letter:' || members.account and outcome = 'returned'
        ) as returned_at
    from casefile.cohort_members as members
    left join casefile.incident_results as results
        on results.reference = members.reference and results.account = members.account
    left join casefile.postings on postings.key = results.posting_key
    where members.reference = $1 and ($2::text is null or members.state = $2)
        and (members.reference, members.account) not in (select reference, account from casefile.hidden_members())
        and members.number = (select max(number) from casefile.cohorts where cohorts.reference = $1)
    order by members.account collate "C"
    limit $3
"""
