"""What there is to know of every check: one row each. Its facts are gathered in ``activities/checks/gathering``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from domain.checks import (
    binary_option,
    cancelled_trade,
    charges,
    execution,
    execution_delay,
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
    withdrawal_delay,
)
from domain.checks.facts import CheckFunction
from domain.checks.findings import Check
from domain.ground.bilingual import Bilingual
from domain.ground.spoken import said


@dataclass(frozen=True, kw_only=True)
class CheckRow:
    """What is true of every finding of a check."""

    run: CheckFunction
    """The pure function from facts to a finding."""
    formula: str
    """What a finding says it went by where the log did not answer."""
    name: Bilingual
    """What the check is called in running text."""
    words: str = ""
    """Phrases, in both languages, by which a complaint points to it."""
    of_the_account: bool = False
    """Whether it needs no trade, so that words point to it in every category that has to do with an account."""


CHECKS: Final[Mapping[Check, CheckRow]] = {
    Check.EXECUTION: CheckRow(
        run=execution.execution_on_facts,
        formula=execution.UNIDENTIFIED,
        name=said("execution of the order", "订单执行"),
    ),
    Check.WITHDRAWAL_DELAY: CheckRow(
        run=withdrawal_delay.withdrawal_delay_on_facts,
        formula=withdrawal_delay.FORMULA,
        name=said("delay of the withdrawal", "出金时效"),
        words="withdrawal, payout, 出金, 提现, 提款",
    ),
    Check.SLIPPAGE: CheckRow(
        run=slippage.check_slippage,
        formula=slippage.FORMULA,
        name=said("slippage", "滑点"),
        words="slippage, slipped, negative slippage, worse price, filled worse, worse fill, 滑点, 成交价偏差, "
        "成交价更差",
    ),
    Check.EXECUTION_DELAY: CheckRow(
        run=execution_delay.check_execution_delay,
        formula=execution_delay.FORMULA,
        name=said("delay of the execution", "执行延迟"),
        words="execution delay, delayed execution, executed late, filled late, latency, took seconds, 延迟成交, "
        "成交延迟, 下单延迟, 执行延迟, 成交很慢",
    ),
    Check.REQUOTE: CheckRow(
        run=requote.check_requote,
        formula=requote.FORMULA,
        name=said("requote or rejection", "重新报价或拒单"),
        words="requote, requoted, re-quote, off quotes, order rejected, rejected order, 重新报价, 重复报价, 拒绝成交, "
        "废单, 拒单",
    ),
    Check.TRIGGER: CheckRow(
        run=trigger.check_trigger,
        formula=trigger.FORMULA,
        name=said("trigger of the order", "委托触发"),
        words="stop loss, stop-loss, take profit, limit order, pending order, triggered, 止损, 止盈, 限价单, 挂单, "
        "触发, 跳空",
    ),
    Check.OFF_MARKET: CheckRow(
        run=off_market.check_off_market,
        formula=off_market.FORMULA,
        name=said("price off the market", "偏离市场的报价"),
        words="wrong quote, wrong price, bad tick, price spike, spike, fake price, off market, abnormal price, "
        "wide spread, 异常报价, 错误报价, 假报价, 插针, 报价异常, 点差过大, 滑针",
    ),
    Check.STOP_OUT: CheckRow(
        run=stop_out.check_stop_out,
        formula=stop_out.FORMULA,
        name=said("forced liquidation", "强制平仓"),
        words="stop out, stopped out, margin call, liquidated, liquidation, forced close, 强平, 爆仓, 强制平仓, "
        "保证金不足",
    ),
    Check.CHARGES: CheckRow(
        run=charges.check_charges,
        formula=charges.FORMULA,
        name=said("swap and commission", "隔夜利息与手续费"),
        words="swap, overnight fee, rollover, commission charged, triple swap, 隔夜利息, 库存费, 隔夜费, 手续费, "
        "过夜费, 递延费",
    ),
    Check.OUTAGE: CheckRow(
        run=outage.check_outage,
        formula=outage.FORMULA,
        name=said("outage", "系统中断"),
        words="outage, server down, server was down, platform down, platform was down, could not log in, "
        "could not close, crashed, disconnected, froze, 系统故障, 宕机, 无法登录, 无法平仓, 卡死, 掉线, 平台崩溃, "
        "服务器",
    ),
    Check.BINARY_OPTION: CheckRow(
        run=binary_option.check_binary_option,
        formula=binary_option.FORMULA,
        name=said("settlement of the option", "期权结算"),
        words="binary option, expiry price, strike price, 二元期权, 到期价",
    ),
    Check.CANCELLED_TRADE: CheckRow(
        run=cancelled_trade.check_cancelled_trade,
        formula=cancelled_trade.FORMULA,
        name=said("cancelled trade", "被取消的交易"),
        words="cancelled my trade, cancelled my profit, deducted my profit, profit removed, trades cancelled, "
        "trades voided, abuse, arbitrage, 取消交易, 扣除盈利, 取消盈利, 扣盈利, 违规交易, 撤销交易",
    ),
    Check.SUITABILITY: CheckRow(
        run=suitability.check_suitability,
        formula=suitability.FORMULA,
        name=said("suitability and disclosure", "产品适当性与费用披露"),
        words="not suitable, unsuitable, never told, undisclosed, hidden fee, not explained, inexperienced, 不适合, "
        "未告知, 隐藏费用, 没有告知, 未披露, 适当性",
    ),
    Check.FROZEN_ACCOUNT: CheckRow(
        run=frozen_account.check_frozen_account,
        formula=frozen_account.FORMULA,
        name=said("frozen account", "账户冻结"),
        words="account frozen, account is frozen, account was frozen, account has been frozen, account got frozen, "
        "frozen account, froze my account, frozen my account, freeze my account, freezing my account, "
        "account blocked, account is blocked, account was blocked, account has been blocked, blocked my account, "
        "account locked, account is locked, account was locked, locked my account, locked out of my account, "
        "account suspended, account is suspended, account was suspended, account has been suspended, "
        "suspended my account, account restricted, account is restricted, account was restricted, "
        "restricted my account, 冻结, 解冻, 封号, 封户, 账户被封, 账号被封, 封了我的账户, 封了我的账号, 账户被锁, "
        "账号被锁, 锁了我的账户, 账户被限制, 账号被限制, 限制账户, 账户被禁用, 账号被禁用",
        of_the_account=True,
    ),
    Check.LOG_INS: CheckRow(
        run=log_ins.check_log_ins,
        formula=log_ins.FORMULA,
        name=said("log-ins to the account", "账户登录"),
        words="hacked, hacker, unauthorised access, unauthorized access, unauthorised login, unauthorized login, "
        "unknown login, unknown device, someone logged in, somebody logged in, someone else logged in, "
        "stolen password, password was stolen, account was stolen, account takeover, 异地登录, 异地登陆, 盗号, "
        "账户被盗, 账号被盗, 被盗用, 黑客, 他人登录, 陌生登录, 密码被盗, 不是我登录, 非本人登录",
        of_the_account=True,
    ),
    Check.PROMISE: CheckRow(
        run=promise.check_promise,
        formula=promise.FORMULA,
        name=said("what was promised", "客户被告知的承诺"),
        words="promised, promise me, a promise, guaranteed profit, guaranteed return, guaranteed returns, "
        "guaranteed me, guaranteed that, assured me, advertisement, advertised, advertising, advert, misleading ad, "
        "your salesman, sales agent, no risk, risk-free, 承诺, 答应, 保证收益, 保证盈利, 保本, 稳赚, 包赚, 零风险, "
        "无风险, 广告, 虚假宣传, 宣传",
        of_the_account=True,
    ),
}
