"""What stands around a case: the customer's other cases, its incident, and the mark by which a change is noticed."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from domain.case.complaint import Complaint
from domain.case.recurrence import ALIKE, same_subject
from domain.ground.base import Instant, Record
from domain.ground.words import Category, IncidentStage, Outcome, Stage
from starter.reading.database import must_see

if TYPE_CHECKING:
    import asyncpg

    from runtime.database import Pool


class RelatedCase(Record):
    """Another case of the same account or e-mail address."""

    reference: str
    received_at: Instant
    stage: Stage
    category: Category | None
    outcome: Outcome | None
    handler: str | None
    same_matter: bool
    """The case is a recurrence of this one, or this one of it: the same subject in the same category, in time."""


class RelatedIncident(Record):
    """The incident that a case is about."""

    reference: str
    stage: IncidentStage


class Related(Record):
    """What stands around a case: ``cases`` of the customer are those of the same matter first, then the last received;
    ``alike`` are others that may be about the same matter, whoever complains: of a trade in common, of nearly the same
    text, or where one names the other. None is there that is hidden from who looks."""

    cases: tuple[RelatedCase, ...]
    alike: tuple[RelatedCase, ...]
    incidents: tuple[RelatedIncident, ...]


async def related_to(pool: "Pool", reference: str, *, limit: int = 20) -> Related:
    """What stands around the case. Raises ``CaseNotFound``."""
    await must_see(pool, reference)
    this = await pool.fetchrow(_THIS, reference)
    rows = await pool.fetch(_SAME_CUSTOMER, reference)
    alike = await pool.fetch(_ALIKE, reference, ALIKE, [row["reference"] for row in rows], limit)
    cases = [
        RelatedCase(
            **{name: row[name] for name in RelatedCase.model_fields if name != "same_matter"},
            same_matter=this is not None and _is_same(this, row),
        )
        for row in rows
    ]
    incidents = await pool.fetch(_INCIDENTS, reference)
    return Related(
        cases=tuple(sorted(cases, key=lambda one: not one.same_matter)[:limit]),
        alike=tuple(RelatedCase(**row, same_matter=False) for row in alike),
        incidents=tuple(RelatedIncident(**row) for row in incidents),
    )


async def mark_of(pool: "Pool", reference: str) -> str:
    """A text that changes whenever something is added to the case's file. Raises ``CaseNotFound``."""
    await must_see(pool, reference)
    return str(await pool.fetchval(_MARK, reference))


def _is_same(this: "asyncpg.Record", other: "asyncpg.Record") -> bool:
    """Whether one is a recurrence of the other."""
    if this["category"] != other["category"]:
        return False
    if abs(this["received_at"] - other["received_at"]) > timedelta(days=this["within_days"]):
        return False
    one, another = Complaint.recorded(this["complaint"]), Complaint.recorded(other["complaint"])
    return other["reference"] == one.continues or same_subject(one, another)


_THIS: Final = """
    select category, complaint, received_at, coalesce((content ->> 'recurs_within_days')::int, 365) as within_days
    from casefile.cases join casefile.policy_packs on hash = policy_hash where reference = $1
"""
_SAME_CUSTOMER: Final = """
    select c.reference, c.received_at, c.stage, c.category, c.outcome, c.handler, c.complaint from (
        select other.reference from casefile.cases this join casefile.cases other using (account)
        where this.reference = $1
        union
        select other.scope from casefile.lookups this join casefile.lookups other using (purpose, token)
        where this.scope = $1 and purpose = 'email'
    ) as theirs, lateral (select * from casefile.cases where reference = theirs.reference offset 0) as c
    where c.reference <> $1 and c.reference not in (select casefile.hidden_cases())
    order by c.received_at desc, c.reference limit 100
"""
_ALIKE: Final = """
    select c.reference, c.received_at, c.stage, c.category, c.outcome, c.handler from casefile.cases c
    where c.reference <> all($3) and c.reference not in (select casefile.hidden_cases()) and c.reference in (
        select other.scope from casefile.lookups this join casefile.lookups other using (purpose, token)
        where this.scope = $1 and other.scope <> $1 and purpose in ('matter', 'text')
        group by other.scope having bool_or(purpose = 'matter') or count(*) >= $2)
    order by c.received_at desc, c.reference limit $4
"""
_INCIDENTS: Final = """
    select i.reference, i.stage from casefile.incident_cases join casefile.incidents i on i.reference = incident
    where incident_cases.reference = $1 order by i.opened_at
"""
_MARK: Final = """
    select concat_ws('.', revision, handler, (select max(id) from casefile.timeline t where t.reference = c.reference),
        (select count(*) from casefile.letter_attempts join casefile.letters l using (key)
         where l.reference = c.reference),
        (select count(*) from casefile.signs s where s.reference = c.reference),
        (select count(*) from casefile.rejected_messages r where r.reference = c.reference))
    from casefile.cases c where reference = $1
"""
