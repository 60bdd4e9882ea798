"""Finds the trades that the firm cancelled."""

from domain.checks.facts import LogFacts
from domain.checks.findings import Finding
from domain.checks.gathering.asked import MOST_ROWS, WITHDRAWAL_PADDING, Asked
from domain.checks.gathering.unanswered import no_row, too_many, unknown_trades


async def gather(asked: Asked) -> list[Finding]:
    trades, log = asked.request.trades, asked.log
    tables = await log.tables_of(asked.account, trades)
    span = asked.span(WITHDRAWAL_PADDING) or (None, None)
    rows = await log.cancellations(asked.account, trades, *span, limit=MOST_ROWS + 1)
    if len(rows) > MOST_ROWS:
        return [too_many(asked, f"{MOST_ROWS} cancellations", f"{MOST_ROWS} 次取消")]
    findings = unknown_trades(asked, tables | {row.cancellation: {"cancellations"} for row in rows})
    if not rows:
        return findings or [no_row(asked, "cancelled trade", "被取消的交易")]
    return findings + [asked.judge(row.cancellation, LogFacts(cancellations=(row,))) for row in rows]
