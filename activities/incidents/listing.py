"""The list of an incident: every account that the fault touched, judged by the checks of a complaint."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

import asyncpg
import structlog
from temporalio import activity

from activities.checks.investigating import Investigating
from activities.checks.shared_spans import SharedSpans
from activities.log.coalescing import CoalescedFailed, Coalescing
from activities.log.trade_log import TradeLog
from activities.money.redressed import settled_parts
from domain.checks.findings import Check, Finding, InvestigationRequest, Verdict
from domain.checks.tolerances import Tolerances
from domain.ground.bilingual import Bilingual
from domain.ground.words import MemberState
from domain.incidents.cohort import Counted, Member, judge, summarise
from domain.incidents.incident import Fault, checks_of
from domain.incidents.progress import Cohort
from domain.incidents.requests import ListCohort
from domain.keys.personal import Row, in_a_list
from domain.keys.scopes import scope_of_customer
from domain.money.amounts import Money
from domain.money.interest import Interest
from record.touched import Touched
from runtime.database import OUTAGES
from runtime.keys.here import erased_here

AT_ONCE: Final = 40
"""Orders of an account examined at once: an investigation takes 50 fills."""
SIDE_BY_SIDE: Final = 4
"""Batches judged at a time: each takes a connection, and others need some too."""
BATCH: Final = 20
"""Accounts judged side by side in one snapshot of the log: what they ask alike is asked at once."""

logger = structlog.get_logger(__name__)

T = TypeVar("T")


class Listing:
    """Judges accounts for the list that *request* asks for, and keeps what was found."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        investigating: Investigating,
        request: ListCohort,
        *,
        tolerances: Tolerances,
        interest: tuple[Interest, ...],
        side_by_side: int,
    ) -> None:
        self._pool, self._investigating, self._request = pool, investigating, request
        self._tolerances, self._interest = tolerances, interest
        self._side_by_side = side_by_side
        self._shared = SharedSpans()
        self._coalescing = Coalescing(investigating.log.pool)

    async def judge_all(self, touched: Mapping[str, Sequence[Touched]]) -> None:
        """Judge the accounts of *touched*, several at a time. Raises only for an outage of the database."""
        room, accounts = asyncio.Semaphore(self._side_by_side), list(touched)

        async def judged(batch: Sequence[str]) -> None:
            async with room:
                settled = await settled_parts(self._pool, batch)
                await self._keep(await self._judge_batch({account: touched[account] for account in batch}, settled))

        await _side_by_side(judged(accounts[at : at + BATCH]) for at in range(0, len(accounts), BATCH))

    async def _judge_batch(
        self, batch: Mapping[str, Sequence[Touched]], settled: Mapping[str, Mapping[str, Decimal]]
    ) -> list[Member]:
        try:
            async with self._coalescing.snapshot() as log:
                judged = [self._judge(account, orders, settled[account], log) for account, orders in batch.items()]
                return await _side_by_side(judged)
        except CoalescedFailed:
            logger.exception("accounts of an incident judged one by one", incident=self._request.reference)
            return [await self._judge(account, orders, settled[account]) for account, orders in batch.items()]

    async def _judge(
        self, account: str, orders: Sequence[Touched], settled: Mapping[str, Decimal], log: TradeLog | None = None
    ) -> Member:
        named = [each.order for each in orders if each.order]
        try:
            findings = await self._findings(account, orders, settled, log)
            return judge(account, named, _each_once(findings))
        except OUTAGES:
            raise
        except Exception as error:
            # One account whose records break a check must not hold up all others: a person looks at it.
            logger.exception("account of an incident not judged", incident=self._request.reference)
            return judge(account, named, [_broken(self._request, error)])
        finally:
            if activity.in_activity():
                activity.heartbeat()

    async def _findings(
        self, account: str, orders: Sequence[Touched], settled: Mapping[str, Decimal], log: TradeLog | None
    ) -> list[Finding]:
        request, fault = self._request, self._request.fault
        groups: dict[tuple[tuple[Check, ...], bool], list[str]] = {}
        unnamed = False
        for each in orders:
            unnamed |= each.order is None
            checks = checks_of(fault, each.kind, filled=each.filled, limited=each.limited)
            groups.setdefault((checks, each.filled), []).extend([each.order] if each.order else [])
        findings: list[Finding] = []
        for (checks, filled), trades in sorted(groups.items(), key=lambda each: not each[0][1]):
            # an attempt may have no order: then those of the window are looked at
            batches = [()] if unnamed else [tuple(trades[at : at + AT_ONCE]) for at in range(0, len(trades), AT_ONCE)]
            for batch in batches:
                asked = InvestigationRequest(
                    checks=checks,
                    account=account,
                    trades=batch,
                    occurred_from=None if batch else fault.since,
                    occurred_until=None if batch else fault.until,
                    as_of=request.as_of,
                    tolerances=self._tolerances,
                    interest=self._interest,
                )
                found = await self._investigating.look(asked, settled, shared=self._shared, log=log)
                if not batch:  # what is named is judged in the whole; a search goes a little further than the window
                    findings += [each for each in found if _tried_in_window(each, fault)]
                    continue
                # of an order filled in part, and of others of its position, more was found before
                known = {(each.check, each.subject) for each in findings}
                findings += [
                    each
                    for each in found
                    if (filled or each.subject in batch) and (each.check, each.subject) not in known
                ]
        return findings

    async def _keep(self, members: Sequence[Member]) -> None:
        erased = await erased_here([scope_of_customer(member.account) for member in members if member.findings])
        await self._pool.executemany(_KEEP, [self._row(member, erased) for member in members])

    def _row(self, member: Member, erased: Collection[str]) -> tuple[Any, ...]:
        harm, request, scope = member.harm, self._request, scope_of_customer(member.account)
        row = Row("casefile.cohort_members", scope, f"{request.reference}/{request.number}/{member.account}")
        return (
            request.reference,
            request.number,
            member.account,
            member.state.value,
            harm.amount if harm else None,
            harm.currency if harm else None,
            any(finding.open for finding in member.findings if finding.verdict.for_the_customer),
            member.hash,
            list(member.trades),
            [in_a_list(row, one.note(None), erased=scope in erased) for one in member.findings],
            list(member.settled),
            [amount.model_dump(mode="json") for amount in member.gained],
        )

    async def complete(self, now: Callable[[], datetime]) -> Cohort:
        """Close the list: what it comes to is what is approved."""
        request = self._request
        async with self._pool.acquire() as connection, connection.transaction():
            # Whoever is adding an account to the list is waited for; then nobody does any more.
            await connection.execute(
                "select from casefile.incidents where reference = $1 for update", request.reference
            )
            rows = await connection.fetch(_LISTED, request.reference, request.number)
            cohort = summarise(request.number, request.as_of, (_counted(row) for row in rows))
            await connection.execute(
                _COMPLETE,
                request.reference,
                request.number,
                cohort.hash,
                now(),
                cohort.model_dump(mode="json"),
            )
        logger.info("cohort listed", incident=request.reference, accounts=cohort.accounts, harmed=cohort.harmed)
        return cohort


async def _side_by_side(doing: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """What each returns, in their order; the first that raises ends the others."""
    tasks = [asyncio.create_task(one) for one in doing]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _counted(row: asyncpg.Record) -> Counted:
    return Counted(
        hash=row["hash"],
        state=MemberState(row["state"]),
        harm=Money(amount=row["amount"], currency=row["currency"]) if row["amount"] is not None else None,
        doubtful=row["doubtful"],
        gained=tuple(Money.model_validate(each) for each in row["gained"]),
    )


def _tried_in_window(finding: Finding, fault: Fault) -> bool:
    """Whether the attempts that it is about are of the fault."""
    rows = [row.values for row in finding.evidence if row.table == "order_events"]
    return all(
        fault.since <= datetime.fromisoformat(row["at"]) <= fault.until and fault.symbol in {None, row["symbol"]}
        for row in rows
    )


def _broken(request: ListCohort, error: Exception) -> Finding:
    """That a check could not judge an account: its records are to be looked at."""
    check = checks_of(request.fault, None)[0]
    return Finding(
        check=check,
        subject="account",
        verdict=Verdict.INCONCLUSIVE,
        reason=Bilingual(
            en="Our records of this account could not be examined; a person will look at them.",
            zh="我司关于该账户的记录无法核查，将由人工处理。",
        ),
        missing=(f"records that the check can read ({type(error).__name__})",),
        formula="none",
    )


def _each_once(findings: Sequence[Finding]) -> list[Finding]:
    return list({finding.hash: finding for finding in findings}.values())


_KEEP: Final = """
    insert into casefile.cohort_members
        (reference, number, account, state, amount, currency, doubtful, hash, trades, findings, settled, gained)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict do nothing
"""

_LISTED: Final = """
    select hash, state, amount, currency, doubtful, gained from casefile.cohort_members
    where (reference, number) = ($1, $2)
"""

_COMPLETE: Final = """
    insert into casefile.cohorts (reference, number, hash, listed_at, summary) values ($1, $2, $3, $4, $5)
    on conflict do nothing
"""
