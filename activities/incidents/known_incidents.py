"""What the case file knows of incidents when a complaint is investigated."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import asyncpg
from temporalio.exceptions import ApplicationError

from activities.case.case_file import utc_now
from activities.checks.investigating import KnownOfCase
from activities.money.redressed import covered_by, covered_column
from domain.checks.findings import Finding, IncidentLink, InvestigationRequest, marking
from domain.checks.losses import losses
from domain.ground.words import Category, IncidentStage, MemberState
from domain.incidents.incident import NewIncident, concerns
from domain.money.amounts import Money
from domain.people.actors import LEEWAY
from domain.rules.interest import may_be_given
from domain.rules.policy import PolicyPack
from record.given import given_column, given_of
from record.packs import known_pack, pinned_pack
from runtime.keys.here import mark_here

if TYPE_CHECKING:
    from runtime.database import Connection


class KnownIncidents:
    """What is known of an account when a complaint of it is investigated."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Callable[[], datetime] = utc_now) -> None:
        self._pool = pool
        self._clock = clock

    async def of(self, request: InvestigationRequest) -> KnownOfCase:
        """What `KnownOfCase` says. Nothing without a case."""
        reference = request.reference
        if reference is None:
            return KnownOfCase()
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(_OF_CASE, reference, request.account)
            assert row is not None  # noqa: S101 (one row, whatever there is)
            covered = await covered_by(connection, row, reference, self._clock())
            since = request.as_of - timedelta(request.rule_days)
            lately = tuple(one.amount for one in given_of(row).get(reference, ()) if one.at > since)
            link = None
            if row["listed"]:
                async with connection.transaction():
                    link = await self._link(connection, reference, request)
        pinned = (row["policy_hash"], row["received_at"]) if row["policy_hash"] else None
        return KnownOfCase(covered, link, lately, pinned)

    async def mark(self, request: InvestigationRequest, findings: Sequence[Finding], known: KnownOfCase) -> str | None:
        """The mark of what was found for a case, by the pack that was pinned for it and until now at most.

        ``None`` for anything else: whoever reaches Temporal may have us look by tolerances and rates of their own.
        """
        if request.reference is None or known.pinned is None or request.as_of > self._clock() + LEEWAY:
            return None
        policy_hash, received_at = known.pinned
        pack = known_pack(policy_hash)
        if pack is None:
            async with self._pool.acquire() as connection:
                pack = await pinned_pack(connection, policy_hash)
        if request.tolerances != pack.tolerances or not may_be_given(pack.interest, request.interest, received_at):
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
                losses=tuple(loss.key for loss in losses(Finding.listed(each) for each in row["findings"])),
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


_CATEGORY: Final = "select category from casefile.cases where reference = $1"
_LISTED: Final = """
    select from casefile.incidents
    where stage <> 'dismissed' and reference in (
        select members.reference from casefile.cohort_members as members where members.account = {account}
    )
"""
_HOLD: Final = f"{_LISTED.format(account='$1')} order by reference for share"
_OF_CASE: Final = f"""
    select policy_hash, received_at, {covered_column("$2", "$1")}, {given_column("array[$1::text]", "array[$2::text]")},
        exists ({_LISTED.format(account="$2")}) as listed
    from (select) as one left join casefile.cases on reference = $1
"""  # noqa: S608 (constants)

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
