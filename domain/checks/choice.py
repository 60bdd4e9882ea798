"""Which checks a complaint asks for: those of the pack for its category, and those that its own words point to."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from domain.checks.findings import Check
from domain.ground.phrases import PhraseBook, Pieces, listed
from domain.ground.words import Category

TRADING: Final = frozenset(
    {Category.EXECUTION, Category.PLATFORM, Category.FEE, Category.WITHDRAWAL, Category.ACCOUNT, Category.CONDUCT}
)
"""Categories in which the words of a complaint may add checks: elsewhere "rejected" is no rejected order."""

_WORDS: Final = {
    Check.SLIPPAGE: "slippage, slipped, negative slippage, worse price, filled worse, worse fill, "
    "滑点, 成交价偏差, 成交价更差",
    Check.EXECUTION_DELAY: "execution delay, delayed execution, executed late, filled late, latency, took seconds, "
    "延迟成交, 成交延迟, 下单延迟, 执行延迟, 成交很慢",
    Check.REQUOTE: "requote, requoted, re-quote, off quotes, order rejected, rejected order, "
    "重新报价, 重复报价, 拒绝成交, 废单, 拒单",
    Check.TRIGGER: "stop loss, stop-loss, take profit, limit order, pending order, triggered, "
    "止损, 止盈, 限价单, 挂单, 触发, 跳空",
    Check.OFF_MARKET: "wrong quote, wrong price, bad tick, price spike, spike, fake price, off market, abnormal price, "
    "wide spread, 异常报价, 错误报价, 假报价, 插针, 报价异常, 点差过大, 滑针",
    Check.STOP_OUT: "stop out, stopped out, margin call, liquidated, liquidation, forced close, 强平, 爆仓, 强制平仓, "
    "保证金不足",
    Check.CHARGES: "swap, overnight fee, rollover, commission charged, triple swap, "
    "隔夜利息, 库存费, 隔夜费, 手续费, 过夜费, 递延费",
    Check.WITHDRAWAL_DELAY: "withdrawal, payout, 出金, 提现, 提款",
    Check.OUTAGE: "outage, server down, server was down, platform down, platform was down, could not log in, "
    "could not close, crashed, disconnected, froze, 系统故障, 宕机, 无法登录, 无法平仓, 卡死, 掉线, 平台崩溃, 服务器",
    Check.BINARY_OPTION: "binary option, expiry price, strike price, 二元期权, 到期价",
    Check.CANCELLED_TRADE: "cancelled my trade, cancelled my profit, deducted my profit, profit removed, "
    "trades cancelled, trades voided, abuse, arbitrage, 取消交易, 扣除盈利, 取消盈利, 扣盈利, 违规交易, 撤销交易",
    Check.SUITABILITY: "not suitable, unsuitable, never told, undisclosed, hidden fee, not explained, inexperienced, "
    "不适合, 未告知, 隐藏费用, 没有告知, 未披露, 适当性",
}
_BOOK: Final = PhraseBook({phrase: check for check, words in _WORDS.items() for phrase in listed(words)})


def pointed_to(text: str) -> tuple[Check, ...]:
    """The checks that the words of *text* point to, in the order of :class:`Check`.

    They only add questions that the log answers; a verdict follows from the log alone.
    """
    pointed = {check for _, _, check in _BOOK.find(Pieces(text))}
    return tuple(check for check in Check if check in pointed)


def checks_for(
    category: Category, configured: Mapping[Category, Sequence[Check]], pointed: Iterable[Check]
) -> tuple[Check, ...]:
    """The checks of *configured* for *category*, then those that words *pointed* to.

    Nothing is added where the pack has no check for anything: such a firm keeps no trade log.
    """
    own = configured.get(category, ())
    more = pointed if configured and category in TRADING else ()
    return tuple(dict.fromkeys((*own, *more)))
