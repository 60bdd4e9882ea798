"""Finds the options, and what was quoted when they were struck and when they expired."""

from domain.checks.facts import LogFacts
from domain.checks.findings import Finding
from domain.checks.gathering.asked import MOST_ROWS, Asked
from domain.checks.gathering.unanswered import no_row, too_many, unknown_trades


async def gather(asked: Asked) -> list[Finding]:
    trades, log = asked.request.trades, asked.log
    tables = await log.tables_of(asked.account, trades)
    options = await log.options(asked.account, trades, *(asked.span() or (None, None)), limit=MOST_ROWS + 1)
    if len(options) > MOST_ROWS:
        return [too_many(asked, f"{MOST_ROWS} options", f"{MOST_ROWS} 笔期权")]
    findings = unknown_trades(asked, tables | {row.option: {"binary_options"} for row in options})
    if not options:
        return findings or [no_row(asked, "binary option", "二元期权")]
    for row in options:
        quotes = [
            quote
            for at in (row.struck_at, row.expires_at)
            for quote in (*await log.last(row.symbol, at), *await log.near(row.symbol, at))
        ]
        instruments = await log.instruments([row.symbol], row.expires_at)
        facts = LogFacts(binary_options=(row,), quotes=tuple(quotes), instruments=tuple(instruments))
        findings.append(asked.judge(row.option, facts, await asked.given_for(instruments, row.expires_at)))
    return findings
