"""What checks are called in running text, in both languages."""

from collections.abc import Mapping
from typing import Final

from domain.checks.findings import Check
from domain.ground.bilingual import Bilingual
from domain.ground.spoken import said

CHECKS: Final[Mapping[Check, Bilingual]] = {
    Check.EXECUTION: said("execution of the order", "订单执行"),
    Check.WITHDRAWAL_DELAY: said("delay of the withdrawal", "出金时效"),
    Check.SLIPPAGE: said("slippage", "滑点"),
    Check.EXECUTION_DELAY: said("delay of the execution", "执行延迟"),
    Check.REQUOTE: said("requote or rejection", "重新报价或拒单"),
    Check.TRIGGER: said("trigger of the order", "委托触发"),
    Check.OFF_MARKET: said("price off the market", "偏离市场的报价"),
    Check.STOP_OUT: said("forced liquidation", "强制平仓"),
    Check.CHARGES: said("swap and commission", "隔夜利息与手续费"),
    Check.OUTAGE: said("outage", "系统中断"),
    Check.BINARY_OPTION: said("settlement of the option", "期权结算"),
    Check.CANCELLED_TRADE: said("cancelled trade", "被取消的交易"),
    Check.SUITABILITY: said("suitability and disclosure", "产品适当性与费用披露"),
    Check.FROZEN_ACCOUNT: said("frozen account", "账户冻结"),
    Check.LOG_INS: said("log-ins to the account", "账户登录"),
    Check.PROMISE: said("what was promised", "客户被告知的承诺"),
}
