"""Gathers what each check needs of the trade log and the firm's records, and runs it on that.

Orders, forced liquidations, the account's own log with its conversations, and all other records have a room each; what
is said where the log does not answer has another.
"""

from activities.checks.evidence_queries import EvidenceSnapshot
from activities.checks.gathering.account_log import AccountLog
from activities.checks.gathering.liquidations import Liquidations
from activities.checks.gathering.orders import Orders
from activities.checks.gathering.records import Records
from domain.checks.findings import Check, Finding, InvestigationRequest


async def gather(check: Check, request: InvestigationRequest, log: EvidenceSnapshot) -> list[Finding]:
    """The findings of *check*, one or more."""
    orders, records, account_log = Orders(request, log), Records(request, log), AccountLog(request, log)
    return await {
        Check.EXECUTION: orders.execution,
        Check.WITHDRAWAL_DELAY: records.withdrawal_delay,
        Check.SLIPPAGE: orders.slippage,
        Check.EXECUTION_DELAY: orders.execution_delay,
        Check.REQUOTE: orders.requote,
        Check.TRIGGER: orders.trigger,
        Check.OFF_MARKET: orders.off_market,
        Check.STOP_OUT: Liquidations(request, log).stop_out,
        Check.CHARGES: records.charges,
        Check.OUTAGE: records.outage,
        Check.BINARY_OPTION: records.binary_option,
        Check.CANCELLED_TRADE: records.cancelled_trade,
        Check.SUITABILITY: records.suitability,
        Check.FROZEN_ACCOUNT: account_log.frozen_account,
        Check.LOG_INS: account_log.log_ins,
        Check.PROMISE: account_log.promise,
    }[check]()
