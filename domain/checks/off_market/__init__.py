"""The check named "price off the market"."""

from typing import Final

from domain.checks.off_market.finding import FORMULA, check_off_market
from domain.checks.off_market.gathering import gather
from domain.checks.row import CheckRow
from domain.ground.spoken import said

ROW: Final = CheckRow(
    gather=gather,
    run=check_off_market,
    formula=FORMULA,
    name=said("price off the market", "偏离市场的报价"),
    words="wrong quote, wrong price, bad tick, price spike, spike, fake price, off market, abnormal price, "
    "wide spread, 异常报价, 错误报价, 假报价, 插针, 报价异常, 点差过大, 滑针",
)
