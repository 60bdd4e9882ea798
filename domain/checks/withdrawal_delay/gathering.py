"""Finds the withdrawals, the account's own currency and the rates when each was due and when it was released."""

from domain.checks.facts import LogFacts
from domain.checks.findings import Finding
from domain.checks.gathering.asked import MOST_WITHDRAWALS, WITHDRAWAL_PADDING, Asked
from domain.checks.gathering.unanswered import no_row, too_many, unknown_trades
from domain.checks.withdrawal_delay.finding import due_at
from domain.log.trade_log import AccountEntry


async def gather(asked: Asked) -> list[Finding]:
    trades, log, account = asked.request.trades, asked.log, asked.account
    findings = unknown_trades(asked, await log.tables_of(account, trades))
    entries = await log.withdrawals(account, trades)
    if not entries and findings:
        return findings
    if not entries and (span := asked.span(WITHDRAWAL_PADDING)):
        entries = await log.withdrawals_between(account, *span, limit=MOST_WITHDRAWALS + 1)
    if not entries:
        entries = await log.latest_withdrawals(account, asked.as_of, limit=MOST_WITHDRAWALS + 1)
    if not entries:
        return [no_row(asked, "withdrawal", "出金")]
    if len(entries) > MOST_WITHDRAWALS:
        return [*findings, too_many(asked, f"{MOST_WITHDRAWALS} withdrawals", f"{MOST_WITHDRAWALS} 笔出金")]
    return findings + [asked.judge(entry.entry, await _facts(asked, entry)) for entry in entries]


async def _facts(asked: Asked, entry: AccountEntry) -> LogFacts:
    due, ended = due_at(entry, asked.tolerances), entry.booked_at or asked.as_of
    terms = await asked.log.terms(asked.account, due or ended)
    rates = [
        rate
        for row in terms
        for at in (due, ended)
        if at is not None and row.currency != entry.currency
        for rate in await asked.log.rates([entry.currency], row.currency, at)
    ]
    return LogFacts(account_entries=(entry,), account_terms=tuple(terms), rates=tuple(rates))
