"""Investigates complaints on the trade log."""

from datetime import datetime, timedelta
from typing import Final, assert_never

from temporalio import activity

from activities.trade_log import Snapshot, TradeLog, UnreadableRow
from domain import withdrawal_delay
from domain.execution import UNIDENTIFIED, check_execution, feeds_to_measure, moments
from domain.findings import Bilingual, Check, Finding, Investigation, InvestigationRequest, Verdict
from domain.withdrawal_delay import check_withdrawal_delay

MOST_FILLS: Final = 50
"""Fills examined at once: findings travel in the state of the case and in letters, and a payload holds 2 MB."""
MOST_WITHDRAWALS: Final = 50
TRADE_PADDING: Final = timedelta(minutes=5)
"""How far a customer's memory of the time of a trade may be off."""
WITHDRAWAL_PADDING: Final = timedelta(days=1)


class Investigating:
    """Runs the checks of a request on the trade log."""

    def __init__(self, log: TradeLog) -> None:
        self._log = log

    @activity.defn(name="Investigate")
    async def investigate(self, request: InvestigationRequest) -> Investigation:
        """One finding or more for each check, in the order asked for.

        Reads one snapshot of the log and changes nothing: the same log and request give the same findings. What the
        log does not answer is a finding too (``INCONCLUSIVE``), so that only an outage of the database raises.
        """
        findings: list[Finding] = []
        async with self._log.snapshot() as log:
            known = await log.knows(request.account)
            for check in dict.fromkeys(request.checks):
                if not known:
                    findings.append(_unknown_account(check))
                    continue
                try:
                    findings += await self._run(check, request, log)
                except UnreadableRow as error:
                    findings.append(_unreadable(check, error))
        return Investigation(findings=tuple(findings))

    async def _run(self, check: Check, request: InvestigationRequest, log: Snapshot) -> list[Finding]:
        match check:
            case Check.EXECUTION:
                return await self._execution(request, log)
            case Check.WITHDRAWAL_DELAY:
                return await self._withdrawal_delay(request, log)
            case _:
                assert_never(check)

    async def _execution(self, request: InvestigationRequest, log: Snapshot) -> list[Finding]:
        tables = await log.tables_of(request.account, request.trades)
        findings = _unknown_trades(Check.EXECUTION, request, tables)
        trades = [trade for trade in dict.fromkeys(request.trades) if tables.get(trade, set()) - {"account_entries"}]
        if trades:
            orders = await log.orders_of(request.account, trades)
            findings += [_no_orders(trade) for trade in trades if trade not in orders]
            chosen = sorted({order for each in orders.values() for order in each})
        elif findings:
            return findings
        elif span := _span(request, TRADE_PADDING):
            chosen = await log.orders_between(request.account, *span, limit=MOST_FILLS + 1)
            if not chosen:
                return [_no_trades_between(*span)]
        else:
            return [_nothing_named()]
        executions = await log.executions(request.account, chosen)
        if sum(len(execution.fills) for execution in executions) > MOST_FILLS:
            return [*findings, _too_many(Check.EXECUTION, f"{MOST_FILLS} fills", f"{MOST_FILLS} 笔成交")]

        tolerances = request.tolerances
        wanted = [moment for execution in executions for moment in moments(execution)]
        quotes = await log.deciding_quotes(wanted, window_seconds=tolerances.quote_window_seconds)
        feeds = [feed for each in executions for feed in feeds_to_measure(each, quotes, tolerances=tolerances)]
        medians = await log.medians(feeds)
        return findings + [check_execution(each, quotes, medians, tolerances=tolerances) for each in executions]

    async def _withdrawal_delay(self, request: InvestigationRequest, log: Snapshot) -> list[Finding]:
        tables = await log.tables_of(request.account, request.trades)
        findings = _unknown_trades(Check.WITHDRAWAL_DELAY, request, tables)
        entries = await log.withdrawals(request.account, request.trades)
        if not entries and findings:
            return findings
        if not entries and (span := _span(request, WITHDRAWAL_PADDING)):
            entries = await log.withdrawals_between(request.account, *span, limit=MOST_WITHDRAWALS + 1)
        if not entries:
            entries = await log.latest_withdrawals(request.account, request.as_of, limit=MOST_WITHDRAWALS + 1)
        if not entries:
            return [_no_withdrawal()]
        if len(entries) > MOST_WITHDRAWALS:
            limit = MOST_WITHDRAWALS
            return [*findings, _too_many(Check.WITHDRAWAL_DELAY, f"{limit} withdrawals", f"{limit} 笔出金")]
        return findings + [
            check_withdrawal_delay(entry, as_of=request.as_of, tolerances=request.tolerances) for entry in entries
        ]


def _span(request: InvestigationRequest, padding: timedelta) -> tuple[datetime, datetime] | None:
    """When it happened, as the customer remembers it, with *padding* on both sides; ``None`` when not told."""
    named = [instant for instant in (request.occurred_from, request.occurred_until) if instant is not None]
    return (min(named) - padding, max(named) + padding) if named else None


def _unanswered(check: Check, subject: str, missing: str, en: str, zh: str) -> Finding:
    formulas = {Check.EXECUTION: UNIDENTIFIED, Check.WITHDRAWAL_DELAY: withdrawal_delay.FORMULA}
    return Finding(
        check=check,
        subject=subject,
        verdict=Verdict.INCONCLUSIVE,
        reason=Bilingual(en=en, zh=zh),
        missing=(missing,),
        formula=formulas[check],
    )


def _unknown_account(check: Check) -> Finding:
    return _unanswered(
        check,
        "account",
        "account",
        "Our trade log holds nothing of the account you named. Please check the account number.",
        "我司交易日志中没有您所提供账户的任何记录，请核对账户号码。",
    )


def _unknown_trades(check: Check, request: InvestigationRequest, tables: dict[str, set[str]]) -> list[Finding]:
    # a trade of another account reads exactly like one that does not exist
    return [
        _unanswered(
            check,
            trade,
            f"trade {trade}",
            f"The log of your account has no trade or entry with the number {trade}. Please check the number.",
            f"您的账户日志中没有编号为 {trade} 的交易或资金记录，请核对编号。",
        )
        for trade in dict.fromkeys(request.trades)
        if trade not in tables
    ]


def _no_orders(position: str) -> Finding:
    return _unanswered(
        Check.EXECUTION,
        position,
        f"orders and fills of position {position}",
        f"Our records hold position {position}, but not the orders that opened and closed it.",
        f"我司记录中有持仓 {position}，但缺少其开仓和平仓的委托及成交记录。",
    )


def _no_trades_between(start: datetime, end: datetime) -> Finding:
    return _unanswered(
        Check.EXECUTION,
        "account",
        "number of the order or position, or the exact time of the trade",
        f"The log of your account has no trade from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC. Please name "
        "the order or position.",
        f"您的账户在 {start:%Y-%m-%d %H:%M} 至 {end:%Y-%m-%d %H:%M} UTC 期间没有成交记录，请提供订单号或持仓编号。",
    )


def _nothing_named() -> Finding:
    return _unanswered(
        Check.EXECUTION,
        "account",
        "number of the order or position, or the exact time of the trade",
        "To examine an execution we need the number of the order or position, or the time of the trade.",
        "核查成交需要订单号、持仓编号或交易时间，请予提供。",
    )


def _no_withdrawal() -> Finding:
    return _unanswered(
        Check.WITHDRAWAL_DELAY,
        "account",
        "withdrawal",
        "The log of your account has no withdrawal.",
        "您的账户日志中没有出金记录。",
    )


def _too_many(check: Check, most_en: str, most_zh: str) -> Finding:
    return _unanswered(
        check,
        "account",
        "a smaller choice of trades",
        f"More than {most_en} are concerned, too many to be examined at once. Please name those you complain of.",
        f"涉及的记录超过 {most_zh}，无法一次核查，请指明您所投诉的具体记录。",
    )


def _unreadable(check: Check, error: UnreadableRow) -> Finding:
    return _unanswered(
        check,
        "account",
        str(error),
        "Our records of this are damaged and have to be put right before they can be examined.",
        "我司的相关记录存在异常，须修正后方可核查。",
    )
