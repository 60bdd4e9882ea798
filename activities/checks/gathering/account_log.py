"""What the checks on the account's own log and on conversations need."""

from typing import Final

from activities.checks.gathering.common import MOST_ROWS, MOST_WITHDRAWALS, WITHDRAWAL_PADDING, Gathering, span_of
from activities.checks.gathering.unanswered import no_row, unanswered
from domain.checks.facts import LogFacts
from domain.checks.findings import Check, Finding
from domain.checks.promise.finding import MOST_QUOTED, promises
from domain.checks.recompute import run
from domain.log.firm_records import AccountEvent
from domain.log.trade_log import EntryKind

MOST_FREEZES: Final = 20
MOST_LOG_INS: Final = 100
MOST_MESSAGES: Final = 2_000
"""Messages to a customer that are searched for promises, the latest."""
_ACCOUNT: Final = "account"


class AccountLog(Gathering):
    """The checks that need no trade."""

    async def frozen_account(self) -> list[Finding]:
        """One finding for each freeze in the time told, or, where there is none, for the latest."""
        request, log = self._request, self._log
        since, until = span_of(request, WITHDRAWAL_PADDING) or (None, None)
        freezes = await log.freezes(self._account, since, until, request.as_of, limit=MOST_FREEZES + 1)
        if not freezes:
            freezes = await log.freezes(self._account, None, None, request.as_of, limit=1)
        if not freezes:
            return [no_row(Check.FROZEN_ACCOUNT, "freeze", "冻结")]
        findings = [
            run(Check.FROZEN_ACCOUNT, freeze.event, await self._of_freeze(freeze), self._given)
            for freeze in reversed(freezes[:MOST_FREEZES])
        ]
        if len(freezes) > MOST_FREEZES:
            findings.append(_more_freezes())
        return findings

    async def _of_freeze(self, freeze: AccountEvent) -> LogFacts:
        """The freeze, its lifting, the orders refused and the withdrawals that waited meanwhile."""
        log, account, as_of = self._log, self._account, self._request.as_of
        lifted = await log.lifted(account, freeze.at, as_of)
        until = lifted[0].at if lifted else as_of
        waiting = await log.withdrawals_between(account, freeze.at, until, limit=MOST_WITHDRAWALS)
        return LogFacts(
            account_log=(freeze, *lifted),
            order_events=tuple(await log.refused_between(account, freeze.at, until, limit=MOST_ROWS)),
            account_entries=tuple(row for row in waiting if row.kind is EntryKind.WITHDRAWAL),
        )

    async def log_ins(self) -> list[Finding]:
        request = self._request
        span = span_of(request, WITHDRAWAL_PADDING)
        until = min(span[1], request.as_of) if span else request.as_of
        rows = await self._log.log_ins(self._account, until, limit=MOST_LOG_INS)
        if not rows:
            return [no_row(Check.LOG_INS, "log-in", "登录")]
        return [run(Check.LOG_INS, _ACCOUNT, LogFacts(account_log=tuple(rows)), self._given)]

    async def promise(self) -> list[Finding]:
        """What the latest messages say that may be a promise."""
        rows = await self._log.messages_to(self._account, self._request.as_of, limit=MOST_MESSAGES)
        found = [row for row in rows if promises(row.text)][-MOST_QUOTED:]
        return [run(Check.PROMISE, _ACCOUNT, LogFacts(messages=tuple(found)), self._given)]


def _more_freezes() -> Finding:
    return unanswered(
        Check.FROZEN_ACCOUNT,
        _ACCOUNT,
        "a person's look at earlier freezes",
        f"Your account was frozen more than {MOST_FREEZES} times; the earlier ones are left to a person.",
        f"您的账户被冻结超过 {MOST_FREEZES} 次，更早的记录由人工核查。",
    )
