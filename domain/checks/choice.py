"""Which checks a complaint asks for: those of the pack for its category, and those that its own words point to."""

import re
import unicodedata
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
    Check.FROZEN_ACCOUNT: "account frozen, account is frozen, account was frozen, account has been frozen, "
    "account got frozen, frozen account, froze my account, frozen my account, freeze my account, freezing my account, "
    "account blocked, account is blocked, account was blocked, account has been blocked, blocked my account, "
    "account locked, account is locked, account was locked, locked my account, locked out of my account, "
    "account suspended, account is suspended, account was suspended, account has been suspended, suspended my account, "
    "account restricted, account is restricted, account was restricted, restricted my account, "
    "冻结, 解冻, 封号, 封户, 账户被封, 账号被封, 封了我的账户, 封了我的账号, 账户被锁, 账号被锁, 锁了我的账户, "
    "账户被限制, 账号被限制, 限制账户, 账户被禁用, 账号被禁用",
    Check.LOG_INS: "hacked, hacker, unauthorised access, unauthorized access, unauthorised login, unauthorized login, "
    "unknown login, unknown device, someone logged in, somebody logged in, someone else logged in, stolen password, "
    "password was stolen, account was stolen, account takeover, 异地登录, 异地登陆, 盗号, 账户被盗, 账号被盗, 被盗用, "
    "黑客, 他人登录, 陌生登录, 密码被盗, 不是我登录, 非本人登录",
    Check.PROMISE: "promised, promise me, a promise, guaranteed profit, guaranteed return, guaranteed returns, "
    "guaranteed me, guaranteed that, assured me, advertisement, advertised, advertising, advert, misleading ad, "
    "your salesman, sales agent, no risk, risk-free, 承诺, 答应, 保证收益, 保证盈利, 保本, 稳赚, 包赚, 零风险, 无风险, "
    "广告, 虚假宣传, 宣传",
}
OF_THE_ACCOUNT: Final = frozenset({Check.FROZEN_ACCOUNT, Check.LOG_INS, Check.PROMISE})
"""Checks that need no trade, so that words may point to them in every category that has to do with an account."""
_WITH_ACCOUNT: Final = TRADING | {Category.DEPOSIT, Category.PRIVACY, Category.SERVICE, Category.OTHER}
_BOOK: Final = PhraseBook({phrase: check for check, words in _WORDS.items() for phrase in listed(words)})


def pointed_to(text: str) -> tuple[Check, ...]:
    """The checks that the words of *text* point to, in the order of :class:`Check`.

    They only add questions that the log answers; a verdict follows from the log alone.
    """
    pointed = {check for _, _, check in _BOOK.find(Pieces(text))}
    return tuple(check for check in Check if check in pointed)


_NUMBER: Final = re.compile(
    r"(?<![A-Za-z0-9])(?<![0-9][.,])(?:[A-Za-z]{1,6}[-_#]?[0-9]{1,18}|[0-9]{4,18})(?![A-Za-z0-9])"
)
MOST_NUMBERS: Final = 20


def numbers_in(text: str) -> tuple[str, ...]:
    """What in *text* may be the number of a trade, an option or an entry, as it is written; the first of them."""
    return tuple(dict.fromkeys(_NUMBER.findall(unicodedata.normalize("NFKC", text))))[:MOST_NUMBERS]


def checks_for(
    category: Category, configured: Mapping[Category, Sequence[Check]], pointed: Iterable[Check]
) -> tuple[Check, ...]:
    """The checks of *configured* for *category*, then those that words *pointed* to.

    Nothing is added where the pack has no check for anything: such a firm keeps no trade log.
    """
    own = configured.get(category, ())
    if not configured or category not in _WITH_ACCOUNT:
        return tuple(dict.fromkeys(own))
    more = (check for check in pointed if category in TRADING or check in OF_THE_ACCOUNT)
    return tuple(dict.fromkeys((*own, *more)))
