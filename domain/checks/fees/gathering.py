"""Finds the fees with what was told of them."""

from collections.abc import Sequence

from domain.checks.facts import LogFacts
from domain.checks.fees.finding import ANOTHER_MONTH
from domain.checks.findings import Check, Finding
from domain.checks.gathering.asked import MOST_ROWS, Asked
from domain.checks.gathering.unanswered import no_fee, too_many, unknown_trades
from domain.log.firm_records import Disclosure
from domain.log.trade_log import AccountEntry, EntryKind


async def gather(asked: Asked) -> list[Finding]:
    fees = await asked.log.fees(asked.account, asked.request.trades, limit=MOST_ROWS + 1)
    if len(fees) > MOST_ROWS:
        return [too_many(asked, f"{MOST_ROWS} fees", f"{MOST_ROWS} 笔费用")]
    disclosures = tuple(await asked.log.disclosures(asked.account))
    unknown = unknown_trades(asked, await asked.log.tables_of(asked.account, asked.request.trades))
    findings = []
    for fee in fees:
        near = await _charged_near(asked, fee, disclosures)
        findings.append(asked.judge(fee.entry, LogFacts(account_entries=(fee, *near), disclosures=disclosures)))
    if not findings and Check.CHARGES in asked.request.checks and Check.FEES not in asked.request.by_name:
        return []  # the words were of what a trade cost, and that check answers
    return [*unknown, *findings] or [no_fee(asked)]


async def _charged_near(asked: Asked, fee: AccountEntry, told: Sequence[Disclosure]) -> list[AccountEntry]:
    """Other fees so near *fee* that both may be of one month, where any fee was told of by the month."""
    if fee.booked_at is None or not any(row.unit == "month" for row in told):
        return []
    since, until = fee.booked_at - ANOTHER_MONTH, fee.booked_at + ANOTHER_MONTH
    rows = await asked.log.entries(asked.account, since, min(until, asked.as_of), limit=MOST_ROWS)
    return [row for row in rows if row.kind is EntryKind.FEE and row.entry != fee.entry]
