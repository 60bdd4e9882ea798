"""Incidents: the accounts that one fault touched, listed with their harm, and each made good once."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

import asyncpg
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.case import checkpoints
from activities.case.at_once import AtOnce
from activities.case.case_file import utc_now
from activities.case.pinning import pin
from activities.case.written_once import write_incident_entries
from activities.checks.investigating import Investigating
from activities.incidents.known_incidents import link_case, pack_of
from activities.incidents.listing import SIDE_BY_SIDE, Listing
from activities.money.ledger import Posting, expense, liability, post
from activities.money.redressed import add_losses, lock_account, settled_parts
from activities.money.standing import resting_on_the_record
from domain.case.approval import NotApproved
from domain.checks.findings import Finding
from domain.checks.losses import losses
from domain.ground.words import CaseEvent, Category, IncidentStage, MemberState
from domain.incidents.cohort import Member, judge
from domain.incidents.incident import Fault, NewIncident, concerns
from domain.incidents.progress import Cohort
from domain.incidents.requests import (
    LIST_NOT_APPROVED,
    CasesFound,
    CompensateMember,
    FindCases,
    IncidentOpened,
    IncidentUpdate,
    ListCohort,
    LookForRecusal,
    MemberCompensated,
    Members,
    NextMembers,
    OpenIncident,
    Recused,
)
from domain.keys.personal import INCIDENT_READABLE, Row
from domain.money.amounts import Money
from domain.people.actors import NotProven, Proofs, check_beginning
from domain.people.recusal import kept_out
from domain.rules.interest import interest_for
from domain.rules.policy import PolicyPack
from record.approvals import list_approval
from record.hands import recusals_of_list
from record.touched import touched_by
from runtime.database import LONG_PATIENCE
from runtime.policies import Packs, PolicyIncomplete, UnknownPolicyPack, find_policy, load_packs
from runtime.settings import Settings

if TYPE_CHECKING:
    from runtime.database import Connection

log = structlog.get_logger(__name__)


class Incidents:
    """Keeps incidents. ``clock`` gives the time as an aware datetime; ``packs`` are by default those on disk.

    ``rail`` is the payment rail that is to pay; ``None`` where the ledger alone is kept. ``proofs`` know whose
    signatures count.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        investigating: Investigating,
        settings: Settings,
        *,
        clock: Callable[[], datetime] = utc_now,
        packs: Packs | None = None,
        rail: str | None = None,
        side_by_side: int = SIDE_BY_SIDE,
        proofs: Proofs | None = None,
    ) -> None:
        self._pool = pool
        self._proofs = proofs
        self._side_by_side = side_by_side
        self._rail = rail
        self._investigating = investigating
        self._default_policies = settings.default_policies
        self._clock = clock
        self._packs = load_packs() if packs is None else packs
        self._approved: dict[tuple[str, int], str] = {}
        """Lists found approved, with the entry that says so: neither changes any more."""

    @activity.defn(name="OpenIncident")
    async def open_incident(self, request: OpenIncident) -> IncidentOpened:
        """Write the incident down and pin the policy pack of today. Again, it answers what is stored.

        Raises `ApplicationError`, never retried, of type ``UnknownPolicyPack``, ``PolicyIncomplete`` or
        ``InvalidIncident``.
        """
        new, fault = request.new, request.new.fault
        if not new.opened_by.role.is_staff:
            raise ApplicationError(
                f"opened_by: role {new.opened_by.role.value} may not open an incident; staff may",
                type="InvalidIncident",
                non_retryable=True,
            )
        if new.reference != request.reference:
            raise ApplicationError(
                f"the workflow id must be the incident's reference, {new.reference}",
                type="InvalidIncident",
                non_retryable=True,
            )
        pack = self._find_pack(new, request.at)
        async with self._pool.acquire() as connection, connection.transaction():
            await self._write_down(connection, request, pack)
            pinned = await pack_of(connection, request.reference)
            known = await connection.fetchrow(_SO_FAR, request.reference)
            assert known is not None  # noqa: S101 (it was inserted, now or before)
            goes_on = request.run and await checkpoints.take_up(connection, request.reference, request.run)
            checkpoint = await checkpoints.find_incident(connection, request.reference) if goes_on else None
        log.info("incident opened", incident=request.reference, kind=fault.kind.value, symbol=fault.symbol)
        return IncidentOpened(
            policy_hash=pinned.hash,
            decision=pinned.decision,
            training=pinned.training,
            revision=known["revision"],
            journal=known["journal"],
            lists=known["lists"],
            checkpoint=checkpoint,
        )

    async def _write_down(self, connection: "Connection", request: OpenIncident, pack: PolicyPack) -> None:
        """Pin *pack* and write the incident down, unless it is known."""
        new, fault = request.new, request.new.fault
        await pin(connection, pack.hash, pack, self._clock())
        if fault.symbol and not await connection.fetchval(
            "SELECT EXISTS (SELECT FROM tradelog.instruments WHERE symbol = $1)", fault.symbol
        ):
            raise ApplicationError(
                f"symbol: the trade log knows no instrument {fault.symbol}; import it first",
                type="InvalidIncident",
                non_retryable=True,
            )
        row = Row("casefile.incidents", request.reference, request.reference)
        added = await connection.fetchval(
            "INSERT INTO casefile.incidents (reference, opened_at, opened_by, kind, symbol, since, until, opened,"
            " policy_hash, stage, token) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
            " ON CONFLICT DO NOTHING RETURNING true",
            request.reference,
            request.at,
            str(new.opened_by),
            fault.kind.value,
            fault.symbol,
            fault.since,
            fault.until,
            row("opened", new.model_dump(mode="json"), INCIDENT_READABLE),
            pack.hash,
            IncidentStage.LISTING.value,
            request.token,
        )
        if added and self._proofs:
            try:
                check_beginning(self._proofs, request.token, request.reference, new)
            except NotProven as error:
                raise ApplicationError(f"opened_by: {error}", type="InvalidIncident", non_retryable=True) from None

    def _find_pack(self, new: NewIncident, at: datetime) -> PolicyPack:
        try:
            return find_policy(new.policy or self._default_policies, at, self._packs)
        except (UnknownPolicyPack, PolicyIncomplete) as error:
            raise ApplicationError(str(error), type=type(error).__name__, non_retryable=True) from None
        except ValueError as error:
            raise ApplicationError(str(error), type="InvalidIncident", non_retryable=True) from None

    @activity.defn(name="RecordIncident")
    async def record_incident(self, update: IncidentUpdate) -> None:
        """Write down how far the incident is, and what happened. Again, or after a later one, it changes nothing.

        It waits for complaints that are linked to the incident just now: they see what was written before it, and
        :meth:`find_cases` after it sees them.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "UPDATE casefile.incidents SET revision = $2, stage = $3, progress = $4, updated_at = $5"
                " WHERE reference = $1",
                update.reference,
                update.progress.revision,
                update.progress.stage.value,
                update.progress.model_dump(mode="json"),
                self._clock(),
            )
            beside = AtOnce()
            checkpoints.add(beside, update.reference, update.checkpoint)
            await write_incident_entries(connection, update.reference, update.entries, beside)

    # -- the list ------------------------------------------------------------------------------------------------------

    @activity.defn(name="ListCohort")
    async def list_cohort(self, request: ListCohort) -> Cohort:
        """List every account whose orders the fault touched, with its harm by the checks of a complaint.

        An attempt that broke off is gone on with; a list that is complete is answered as it is.
        """
        reference, number = request.reference, request.number
        async with self._pool.acquire() as connection:
            known = await connection.fetchval(
                "SELECT summary FROM casefile.cohorts WHERE (reference, number) = ($1, $2)", reference, number
            )
            if known is not None:
                return Cohort.model_validate(known)
            pack = await pack_of(connection, reference)
            opened_at = await connection.fetchval(
                "SELECT opened_at FROM casefile.incidents WHERE reference = $1", reference
            )
            # The fault as it was opened, whatever is asked for.
            request = request.model_copy(update={"fault": await _fault_of(connection, reference)})
            touched = await touched_by(connection, request.fault, patience=LONG_PATIENCE)
            listed = await connection.fetch(
                "SELECT account FROM casefile.cohort_members WHERE (reference, number) = ($1, $2)", reference, number
            )
        # Whoever did not complain is owed interest as if they had on the day the firm took it up.
        interest = interest_for(pack.interest, {CaseEvent.RECEIVED: opened_at})
        done = {row["account"] for row in listed}
        listing = Listing(
            self._pool,
            self._investigating,
            request,
            tolerances=pack.tolerances,
            interest=interest,
            side_by_side=self._side_by_side,
        )
        await listing.judge_all({account: orders for account, orders in touched.items() if account not in done})
        return await listing.complete(self._clock)

    # -- compensation --------------------------------------------------------------------------------------------------

    @activity.defn(name="NextMembers")
    async def next_members(self, request: NextMembers) -> Members:
        """The harmed accounts after ``after``, in the order of their numbers."""
        rows = await self._pool.fetch(
            "SELECT account FROM casefile.cohort_members WHERE (reference, number) = ($1, $2) AND state = 'harmed'"
            ' AND ($3::text IS NULL OR account COLLATE "C" > $3) ORDER BY account COLLATE "C" LIMIT $4',
            request.reference,
            request.number,
            request.after,
            request.limit,
        )
        return Members(accounts=tuple(row["account"] for row in rows))

    @activity.defn(name="CompensateMember")
    async def compensate_member(self, request: CompensateMember) -> MemberCompensated:
        """Post what the list says of the account, less what was made good since. Again, it answers as the first time.

        Debit ``expense:redress``, credit ``liability:customer:<incident>:<account>``. The answer names the rail that is
        to pay it.

        Raises `ApplicationError`, never retried, of type ``ListNotApproved`` unless the record has the approval of that
        very list by a second person who may approve all of it, and ``NotApproved`` for more than the list has.
        """
        reference, account = request.reference, request.account
        async with self._pool.acquire() as connection, connection.transaction():
            await lock_account(connection, account)
            known = await connection.fetchrow(
                "SELECT at, amount, currency, rail FROM casefile.incident_results LEFT JOIN casefile.postings"
                " ON key = posting_key"
                " WHERE (incident_results.reference, incident_results.account) = ($1, $2)",
                reference,
                account,
            )
            if known is not None:
                return MemberCompensated(at=known["at"], amount=_money(known), rail=known["rail"])
            member = await _member(connection, reference, request.number, account)
            settled = await settled_parts(connection, [account])
            left = judge(account, member.trades, member.findings, settled[account])
            with resting_on_the_record(reference, LIST_NOT_APPROVED):
                decision = await self._list_approval(connection, request)
            with resting_on_the_record(reference):
                if left.harm and not (member.harm and left.harm <= member.harm):
                    raise NotApproved(f"{left.harm} is more than the approved list has of the account")
            rail = self._rail if left.harm is not None else None
            done = MemberCompensated(at=self._clock(), amount=left.harm, rail=rail)
            await _write_result(connection, request, done, left.findings, decision)
        log.info("account of an incident compensated", incident=reference, posted=done.amount is not None)
        return done

    async def restore_member(self, request: CompensateMember, done: MemberCompensated) -> None:
        """Write again what a lost case file knew of an account that was made good; again, it changes nothing."""
        async with self._pool.acquire() as connection, connection.transaction():
            await lock_account(connection, request.account)
            known = "select true from casefile.incident_results where (reference, account) = ($1, $2)"
            if await connection.fetchval(known, request.reference, request.account):
                return
            member = await _member(connection, request.reference, request.number, request.account)
            with resting_on_the_record(request.reference):
                decision = await self._list_approval(connection, request)
            await _write_result(connection, request, done, member.findings, decision)

    async def _list_approval(self, connection: "Connection", request: CompensateMember) -> str:
        of = (request.reference, request.number)
        if of not in self._approved:
            self._approved[of] = await list_approval(connection, *of, self._proofs, request.approved_by)
        return self._approved[of]

    # -- complaints ----------------------------------------------------------------------------------------------------

    @activity.defn(name="LookForRecusal")
    async def look_for_recusal(self, request: LookForRecusal) -> Recused:
        """Whether somebody is kept out of a complaint about the incident, or of an account on that list."""
        async with self._pool.acquire() as connection:
            recusals = await recusals_of_list(connection, request.reference, request.number)
        return Recused(kept_out=request.person in kept_out(recusals, request.at))

    @activity.defn(name="FindCases")
    async def find_cases(self, request: FindCases) -> CasesFound:
        """The open complaints that are about the incident, linked to it, and those linked before."""
        found: list[str] = []
        async with self._pool.acquire() as connection, connection.transaction():
            fault = await _fault_of(connection, request.reference)
            rows = await connection.fetch(_OPEN_CASES, request.reference, request.number)
            for row in rows:
                occurred = [at for at in (row["occurred_from"], row["occurred_until"]) if at is not None]
                named, category = [*row["named"], *row["added"]], Category(row["category"] or "other")
                if row["linked"] or concerns(fault, row["trades"], named, occurred, category):
                    await link_case(connection, row["reference"], request.reference, self._clock())
                    found.append(row["reference"])
        return CasesFound(references=tuple(found))


def _money(row: asyncpg.Record) -> Money | None:
    return Money(amount=row["amount"], currency=row["currency"]) if row["amount"] is not None else None


async def _write_result(
    connection: "Connection",
    request: CompensateMember,
    done: MemberCompensated,
    findings: Sequence[Finding],
    decision: str,
) -> None:
    """Post what is owed to the account, if anything is, and note that it is *done*."""
    reference, account = request.reference, request.account
    key, writing = f"{reference}:compensation:{account}", AtOnce()
    if done.amount is not None:
        posting = Posting(
            key=key,
            kind="award",
            reference=None,
            number=request.number,
            amount=done.amount,
            debit=expense(),
            credit=liability(f"{reference}:{account}"),
            rail=done.rail,
            incident=reference,
            account=account,
            decision=decision,
        )
        await post(connection, posting, done.at)
        add_losses(writing, account, key, losses(findings))
    writing.add(
        "INSERT INTO casefile.incident_results (reference, account, at, posting_key) VALUES ($1, $2, $3, $4)",
        reference,
        account,
        done.at,
        key if done.amount is not None else None,
    )
    await writing.run(connection)


async def _fault_of(connection: "Connection", reference: str) -> Fault:
    opened = await connection.fetchval("SELECT opened FROM casefile.incidents WHERE reference = $1", reference)
    return NewIncident.model_validate(opened).fault


async def _member(connection: "Connection", reference: str, number: int, account: str) -> Member:
    row = await connection.fetchrow(
        "SELECT * FROM casefile.cohort_members WHERE (reference, number, account) = ($1, $2, $3)",
        reference,
        number,
        account,
    )
    if row is None:
        raise ApplicationError("the account is not in the list", type="NotInCohort", non_retryable=True)
    return Member(
        account=row["account"],
        trades=tuple(row["trades"]),
        state=MemberState(row["state"]),
        harm=_money(row),
        findings=tuple(Finding.listed(each) for each in row["findings"]),
        settled=tuple(row["settled"]),
    )


_SO_FAR: Final = """
    select revision,
        (select count(*) from casefile.incident_timeline as entry where entry.reference = $1)::integer as journal,
        (select coalesce(max(number), 0) from casefile.cohort_members as member where member.reference = $1) as lists
    from casefile.incidents where reference = $1
"""

_OPEN_CASES: Final = """
    with concerned as (
        select cases.reference from casefile.cohort_members join casefile.cases using (account)
        where (cohort_members.reference, cohort_members.number) = ($1, $2)
        union
        select reference from casefile.incident_cases where incident = $1
    )
    select cases.reference, cases.category, coalesce(members.trades, '{}') as trades,
        exists (
            select from casefile.incident_cases as link where (link.reference, link.incident) = (cases.reference, $1)
        ) as linked,
        (cases.complaint ->> 'occurred_from')::timestamptz as occurred_from,
        (cases.complaint ->> 'occurred_until')::timestamptz as occurred_until,
        array(select jsonb_array_elements_text(coalesce(cases.complaint -> 'trades', '[]'))) as named,
        array(
            select jsonb_array_elements_text(entry.data -> 'trades') from casefile.timeline as entry
            where entry.reference = cases.reference and entry.kind in ('customer_reply', 'add_evidence')
                and jsonb_typeof(entry.data -> 'trades') = 'array'
        ) as added
    from concerned join casefile.cases using (reference)
    left join casefile.cohort_members as members
        on members.account = cases.account and (members.reference, members.number) = ($1, $2)
    where cases.closed_at is null
    order by cases.reference
"""
