"""What stands around a case: the customer's other cases, its incident, and the mark by which a change is noticed."""

from typing import TYPE_CHECKING, Final

from domain.ground.base import Instant, Record
from domain.ground.words import Category, IncidentStage, Outcome, Stage
from starter.reading.database import must_see

if TYPE_CHECKING:
    from runtime.database import Pool


class RelatedCase(Record):
    """Another case of the same account or e-mail address."""

    reference: str
    received_at: Instant
    stage: Stage
    category: Category | None
    outcome: Outcome | None
    handler: str | None


class RelatedIncident(Record):
    """The incident that a case is about."""

    reference: str
    stage: IncidentStage


class Related(Record):
    """What stands around a case: ``cases`` are the last received first, without those hidden from who looks."""

    cases: tuple[RelatedCase, ...]
    incidents: tuple[RelatedIncident, ...]


async def related_to(pool: "Pool", reference: str, *, limit: int = 20) -> Related:
    """What stands around the case. Raises ``CaseNotFound``."""
    await must_see(pool, reference)
    cases = await pool.fetch(_SAME_CUSTOMER, reference, limit)
    incidents = await pool.fetch(_INCIDENTS, reference)
    return Related(
        cases=tuple(RelatedCase(**row) for row in cases), incidents=tuple(RelatedIncident(**row) for row in incidents)
    )


async def mark_of(pool: "Pool", reference: str) -> str:
    """A text that changes whenever something is added to the case's file. Raises ``CaseNotFound``."""
    await must_see(pool, reference)
    return str(await pool.fetchval(_MARK, reference))


_SAME_CUSTOMER: Final = """
    select c.reference, c.received_at, c.stage, c.category, c.outcome, c.handler from casefile.cases c
    where c.reference <> $1 and c.reference not in (select casefile.hidden_cases()) and c.reference in (
        select other.reference from casefile.cases this join casefile.cases other using (account)
        where this.reference = $1
        union
        select other.reference from casefile.contacts this
        join casefile.contacts other on lower(other.email) = lower(this.email)
        where this.reference = $1 and this.email is not null and other.email is not null)
    order by c.received_at desc, c.reference limit $2
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
