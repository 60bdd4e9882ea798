"""The check named "slippage"."""

from typing import Final

from domain.checks.row import CheckRow
from domain.checks.slippage.finding import FORMULA, check_slippage
from domain.checks.slippage.gathering import gather
from domain.ground.spoken import said

ROW: Final = CheckRow(
    gather=gather,
    run=check_slippage,
    formula=FORMULA,
    name=said("slippage", "滑点"),
    words="slippage, slipped, negative slippage, worse price, filled worse, worse fill, 滑点, 成交价偏差, 成交价更差",
)
