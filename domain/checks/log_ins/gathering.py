"""Finds the log-ins to the account."""

from typing import Final

from domain.checks.facts import LogFacts
from domain.checks.findings import Finding
from domain.checks.gathering.asked import WITHDRAWAL_PADDING, Asked
from domain.checks.gathering.unanswered import no_row

MOST_LOG_INS: Final = 100


async def gather(asked: Asked) -> list[Finding]:
    span = asked.span(WITHDRAWAL_PADDING)
    until = min(span[1], asked.as_of) if span else asked.as_of
    rows = await asked.log.log_ins(asked.account, until, limit=MOST_LOG_INS)
    if not rows:
        return [no_row(asked, "log-in", "登录")]
    return [asked.judge("account", LogFacts(account_log=tuple(rows)))]
