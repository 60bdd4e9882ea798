"""Finds the positions with what was asked before them, and the fees with what was told of them."""

from collections.abc import Sequence

from domain.checks.facts import LogFacts
from domain.checks.findings import Check, Finding
from domain.checks.gathering.asked import MOST_ROWS, Asked
from domain.checks.gathering.positions import held, positions_meant
from domain.checks.gathering.unanswered import nothing_named, too_many
from domain.checks.suitability.finding import ANOTHER_MONTH
from domain.log.firm_records import Disclosure
from domain.log.trade_log import AccountEntry, EntryKind, Position


async def gather(asked: Asked) -> list[Finding]:
    trades, log, account = asked.request.trades, asked.log, asked.account
    fees = await log.fees(account, trades, limit=MOST_ROWS + 1)
    if len(fees) > MOST_ROWS:
        return [too_many(asked, f"{MOST_ROWS} fees", f"{MOST_ROWS} 笔费用")]
    disclosures = tuple(await log.disclosures(account))
    positions: list[Position] = []
    findings: list[Finding] = []
    if (trades and not fees) or asked.span():
        positions, findings = await positions_meant(asked)
    for position in positions:
        assessed = await log.appropriateness(account, [position.symbol])
        facts = await held(asked, position, terms_at=position.opened_at)
        facts = facts.model_copy(update={"appropriateness": tuple(assessed)})
        findings.append(asked.judge(position.position, facts))
    for fee in fees:
        near = await _charged_near(asked, fee, disclosures)
        findings.append(asked.judge(fee.entry, LogFacts(account_entries=(fee, *near), disclosures=disclosures)))
    if not findings and Check.CHARGES in asked.request.checks:
        return []  # the words were of what a trade cost, and that check answers
    return findings or [nothing_named(asked)]


async def _charged_near(asked: Asked, fee: AccountEntry, told: Sequence[Disclosure]) -> list[AccountEntry]:
    """Other fees so near *fee* that both may be of one month, where any fee was told of by the month."""
    if fee.booked_at is None or not any(row.unit == "month" for row in told):
        return []
    since, until = fee.booked_at - ANOTHER_MONTH, fee.booked_at + ANOTHER_MONTH
    rows = await asked.log.entries(asked.account, since, min(until, asked.as_of), limit=MOST_ROWS)
    return [row for row in rows if row.kind is EntryKind.FEE and row.entry != fee.entry]
