"""Finds when the account was frozen, and what was refused or waited meanwhile."""

from typing import Final

from domain.checks.facts import LogFacts
from domain.checks.findings import Finding
from domain.checks.gathering.asked import MOST_ROWS, MOST_WITHDRAWALS, WITHDRAWAL_PADDING, Asked
from domain.checks.gathering.unanswered import no_row, unanswered
from domain.log.firm_records import AccountEvent
from domain.log.trade_log import EntryKind

MOST_FREEZES: Final = 20


async def gather(asked: Asked) -> list[Finding]:
    """One finding for each freeze in the time told, or, where there is none, for the latest."""
    log, account = asked.log, asked.account
    since, until = asked.span(WITHDRAWAL_PADDING) or (None, None)
    freezes = await log.freezes(account, since, until, asked.as_of, limit=MOST_FREEZES + 1)
    if not freezes:
        freezes = await log.freezes(account, None, None, asked.as_of, limit=1)
    if not freezes:
        return [no_row(asked, "freeze", "冻结")]
    findings = [
        asked.judge(freeze.event, await _of_freeze(asked, freeze)) for freeze in reversed(freezes[:MOST_FREEZES])
    ]
    if len(freezes) > MOST_FREEZES:
        findings.append(_more_freezes(asked))
    return findings


async def _of_freeze(asked: Asked, freeze: AccountEvent) -> LogFacts:
    """The freeze, its lifting, the orders refused and the withdrawals that waited meanwhile."""
    log, account = asked.log, asked.account
    lifted = await log.lifted(account, freeze.at, asked.as_of)
    until = lifted[0].at if lifted else asked.as_of
    waiting = await log.withdrawals_between(account, freeze.at, until, limit=MOST_WITHDRAWALS)
    return LogFacts(
        account_log=(freeze, *lifted),
        order_events=tuple(await log.refused_between(account, freeze.at, until, limit=MOST_ROWS)),
        account_entries=tuple(row for row in waiting if row.kind is EntryKind.WITHDRAWAL),
    )


def _more_freezes(asked: Asked) -> Finding:
    return unanswered(
        asked,
        "account",
        "a person's look at earlier freezes",
        f"Your account was frozen more than {MOST_FREEZES} times; the earlier ones are left to a person.",
        f"您的账户被冻结超过 {MOST_FREEZES} 次，更早的记录由人工核查。",
    )
