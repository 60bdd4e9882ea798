"""Gathers what each check needs of the trade log and the firm's records, and runs it on that.

Orders, forced liquidations, the account's own log with its conversations, and all other records have a room each; what
is said where the log does not answer has another.
"""

from typing import assert_never

from activities.checks.evidence_queries import EvidenceSnapshot
from activities.checks.gathering.account_log import AccountLog
from activities.checks.gathering.liquidations import Liquidations
from activities.checks.gathering.orders import Orders
from activities.checks.gathering.records import Records
from domain.checks.findings import Check, Finding, InvestigationRequest


async def gather(check: Check, request: InvestigationRequest, log: EvidenceSnapshot) -> list[Finding]:
    """The findings of *check*, one or more."""
    match check:
        case Check.EXECUTION:
            return await Orders(request, log).execution()
        case Check.WITHDRAWAL_DELAY:
            return await Records(request, log).withdrawal_delay()
        case Check.SLIPPAGE:
            return await Orders(request, log).slippage()
        case Check.EXECUTION_DELAY:
            return await Orders(request, log).execution_delay()
        case Check.REQUOTE:
            return await Orders(request, log).requote()
        case Check.TRIGGER:
            return await Orders(request, log).trigger()
        case Check.OFF_MARKET:
            return await Orders(request, log).off_market()
        case Check.STOP_OUT:
            return await Liquidations(request, log).stop_out()
        case Check.CHARGES:
            return await Records(request, log).charges()
        case Check.OUTAGE:
            return await Records(request, log).outage()
        case Check.BINARY_OPTION:
            return await Records(request, log).binary_option()
        case Check.CANCELLED_TRADE:
            return await Records(request, log).cancelled_trade()
        case Check.SUITABILITY:
            return await Records(request, log).suitability()
        case Check.FROZEN_ACCOUNT:
            return await AccountLog(request, log).frozen_account()
        case Check.LOG_INS:
            return await AccountLog(request, log).log_ins()
        case Check.PROMISE:
            return await AccountLog(request, log).promise()
    assert_never(check)
