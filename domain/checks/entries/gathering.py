"""Finds the fees and withdrawals of the time that the complaint names, else of the last months."""

from datetime import timedelta
from typing import Final

from domain.checks.entries.finding import KINDS
from domain.checks.facts import LogFacts
from domain.checks.findings import Finding
from domain.checks.gathering.asked import MOST_ROWS, WITHDRAWAL_PADDING, Asked
from domain.checks.gathering.unanswered import too_many

LOOKED_BACK: Final = timedelta(days=90)
"""So far back is looked where the complaint names no time."""


async def gather(asked: Asked) -> list[Finding]:
    since, until = asked.span(WITHDRAWAL_PADDING) or (asked.as_of - LOOKED_BACK, asked.as_of)
    log, most = asked.log, 4 * MOST_ROWS
    booked = await log.entries(asked.account, since, min(until, asked.as_of), limit=most + 1)
    if len(booked) > most:
        return [too_many(asked, f"{most} entries of the account", f"{most} 笔资金记录")]
    requested = await log.withdrawals_between(asked.account, since, until, limit=MOST_ROWS)
    rows = {row.entry: row for row in (*booked, *requested) if row.kind in KINDS}
    return [asked.judge("account", LogFacts(account_entries=tuple(rows.values())))]
