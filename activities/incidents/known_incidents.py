"""What the case file knows of incidents when a complaint is investigated."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import asyncpg
from temporalio.exceptions import ApplicationError

from activities.case.case_file import utc_now
from activities.money.redressed import covered_parts
from domain.checks.findings import Finding, IncidentLink, InvestigationRequest, marking
from domain.checks.losses import Covered, losses
from domain.ground.words import Category, IncidentStage, MemberState
from domain.incidents.incident import NewIncident, concerns
from domain.money.amounts import Money
from domain.people.actors import LEEWAY
from domain.rules.interest import may_be_given
from domain.rules.policy import PolicyPack
from record.given import given_by_rule
from record.packs import pinned_pack
from runtime.keys.here import mark_here

if TYPE_CHECKING:
    from runtime.database import Connection


class KnownIncidents:
    """What is known of an account when a complaint of it is investigated."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Callable[[], datetime] = utc_now) -> None:
        self._pool = pool
        self._clock = clock

    async def of(
        self, request: InvestigationRequest
    ) -> tuple[Mapping[str, Covered], IncidentLink | None, tuple[Money, ...]]:
        """The losses that were made good or are promised by others, the incident that the case is about, and what the
        customer was promised by rule lately.

        Nothing without a case.
        """
        reference = request.reference
        if reference is None:
            return {}, None, ()
        async with self._pool.acquire() as connection, connection.transaction():
            covered = await covered_parts(connection, request.account, reference, self._clock())
            given = (await given_by_rule(connection, {reference: request.account})).get(reference, ())
            since = request.as_of - timedelta(request.rule_days)
            lately = tuple(one.amount for one in given if one.at > since)
            return covered, await self._link(connection, reference, request), lately

    async def mark(self, request: InvestigationRequest, findings: Sequence[Finding]) -> str | None:
        """The mark of what was found for a case, by the pack that was pinned for it and until now at most.

        ``None`` for anything else: whoever reaches Temporal may have us look by tolerances and rates of their own.
        """
        if request.reference is None or request.as_of > self._clock() + LEEWAY:
            return None
        async with self._pool.acquire() as connection:
            case = await connection.fetchrow(_PINNED, request.reference)
            pack = await pinned_pack(connection, case["policy_hash"]) if case else None
        if case is None or pack is None or request.tolerances != pack.tolerances:
            return None
        if not may_be_given(pack.interest, request.interest, case["received_at"]):
            return None
        return await mark_here(marking(request.reference, request.account, findings))

    async def _link(
        self, connection: "Connection", reference: str, request: InvestigationRequest
    ) -> IncidentLink | None:
        # Until the link is there, no incident of the account goes to its next stage: see `Incidents.record_incident`.
        if not await connection.fetch(_HOLD, request.account):
            return None
        category = Category(await connection.fetchval(_CATEGORY, reference) or "other")
        occurred = [at for at in (request.occurred_from, request.occurred_until) if at is not None]
        for row in await connection.fetch(_KNOWN, request.account):
            new = NewIncident.model_validate(row["opened"])
            if not concerns(new.fault, row["trades"], request.trades, occurred, category):
                continue
            await link_case(connection, reference, row["reference"], self._clock())
            return IncidentLink(
                incident=row["reference"],
                stage=IncidentStage(row["stage"]),
                title=new.title,
                state=MemberState(row["state"]),
                harm=Money(amount=row["amount"], currency=row["currency"]) if row["amount"] else None,
                trades=tuple(row["trades"]),
                losses=tuple(loss.key for loss in losses(Finding.model_validate(each) for each in row["findings"])),
                paid=Money(amount=row["paid"], currency=row["paid_in"]) if row["paid"] else None,
                ended=row["ended_at"] is not None,
            )
        return None


async def pack_of(connection: "Connection", reference: str) -> PolicyPack:
    """The pack that was pinned when the incident was opened."""
    pinned = await connection.fetchval("SELECT policy_hash FROM casefile.incidents WHERE reference = $1", reference)
    if pinned is None:
        raise ApplicationError(f"there is no incident {reference}", type="NoIncident", non_retryable=True)
    return await pinned_pack(connection, pinned)


async def link_case(connection: "Connection", case: str, incident: str, at: datetime) -> None:
    """Note that the complaint *case* is about *incident*."""
    await connection.execute(
        "INSERT INTO casefile.incident_cases (reference, incident, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        case,
        incident,
        at,
    )


_PINNED: Final = "select policy_hash, received_at from casefile.cases where reference = $1"
_CATEGORY: Final = "select category from casefile.cases where reference = $1"
_HOLD: Final = """
    select from casefile.incidents
    where stage <> 'dismissed' and reference in (
        select members.reference from casefile.cohort_members as members where members.account = $1
    )
    order by reference for share
"""

_KNOWN: Final = """
    select incidents.reference, incidents.opened, incidents.stage, members.state, members.trades,
        members.findings, members.amount, members.currency, results.at as ended_at,
        postings.amount as paid, postings.currency as paid_in
    from casefile.cohort_members as members
    join casefile.incidents using (reference)
    left join casefile.incident_results as results
        on results.reference = members.reference and results.account = members.account
    left join casefile.postings on postings.key = results.posting_key
    where members.account = $1 and incidents.stage <> 'dismissed'
        and members.number = (
            select max(number) from casefile.cohorts where cohorts.reference = members.reference
        )
    order by postings.key is null, incidents.opened_at desc, incidents.reference
"""
