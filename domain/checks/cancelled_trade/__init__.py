"""The check named "cancelled trade"."""

from typing import Final

from domain.checks.cancelled_trade.finding import FORMULA, check_cancelled_trade
from domain.checks.cancelled_trade.gathering import gather
from domain.checks.row import CheckRow
from domain.ground.spoken import said

ROW: Final = CheckRow(
    gather=gather,
    run=check_cancelled_trade,
    formula=FORMULA,
    name=said("cancelled trade", "被取消的交易"),
    words="cancelled my trade, cancelled my profit, deducted my profit, profit removed, trades cancelled, "
    "trades voided, abuse, arbitrage, 取消交易, 扣除盈利, 取消盈利, 扣盈利, 违规交易, 撤销交易",
)
