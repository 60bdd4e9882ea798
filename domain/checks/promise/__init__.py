"""The check named "what was promised"."""

from typing import Final

from domain.checks.promise.finding import FORMULA, check_promise
from domain.checks.promise.gathering import gather
from domain.checks.row import CheckRow
from domain.ground.spoken import said

ROW: Final = CheckRow(
    gather=gather,
    run=check_promise,
    formula=FORMULA,
    name=said("what was promised", "客户被告知的承诺"),
    words="promised, promise me, a promise, guaranteed profit, guaranteed return, guaranteed returns, "
    "guaranteed me, guaranteed that, assured me, advertisement, advertised, advertising, advert, misleading ad, "
    "your salesman, sales agent, no risk, risk-free, cannot lose, can't lose, could not lose, couldn't lose, "
    "never lose, said in the chat, said in chat, told me in the chat, told me in chat, wrote in the chat, "
    "wrote in chat, told in the chat, 承诺, 答应, 保证收益, 保证盈利, 保本, 稳赚, 包赚, 零风险, "
    "无风险, 不会亏, 聊天里说, 聊天中说, 聊天时说, 聊天记录, 广告, 虚假宣传, 宣传",
    of_the_account=True,
)
