"""The checks that there are: each is a folder beside this file, with its row."""

from collections.abc import Mapping
from typing import Final

from domain.checks import (
    binary_option,
    cancelled_trade,
    charges,
    entries,
    execution,
    execution_delay,
    fees,
    frozen_account,
    log_ins,
    off_market,
    outage,
    promise,
    requote,
    slippage,
    stop_out,
    suitability,
    trigger,
    verification,
    withdrawal_delay,
)
from domain.checks.findings import Check
from domain.checks.row import CheckRow

CHECKS: Final[Mapping[Check, CheckRow]] = {
    Check.EXECUTION: execution.ROW,
    Check.WITHDRAWAL_DELAY: withdrawal_delay.ROW,
    Check.SLIPPAGE: slippage.ROW,
    Check.EXECUTION_DELAY: execution_delay.ROW,
    Check.REQUOTE: requote.ROW,
    Check.TRIGGER: trigger.ROW,
    Check.OFF_MARKET: off_market.ROW,
    Check.STOP_OUT: stop_out.ROW,
    Check.CHARGES: charges.ROW,
    Check.OUTAGE: outage.ROW,
    Check.BINARY_OPTION: binary_option.ROW,
    Check.CANCELLED_TRADE: cancelled_trade.ROW,
    Check.SUITABILITY: suitability.ROW,
    Check.FEES: fees.ROW,
    Check.FROZEN_ACCOUNT: frozen_account.ROW,
    Check.LOG_INS: log_ins.ROW,
    Check.VERIFICATION: verification.ROW,
    Check.ENTRIES: entries.ROW,
    Check.PROMISE: promise.ROW,
}
