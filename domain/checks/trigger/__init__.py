"""The check named "trigger of the order"."""

from typing import Final

from domain.checks.row import CheckRow
from domain.checks.trigger.finding import FORMULA, check_trigger
from domain.checks.trigger.gathering import gather
from domain.ground.spoken import said

ROW: Final = CheckRow(
    gather=gather,
    run=check_trigger,
    formula=FORMULA,
    name=said("trigger of the order", "委托触发"),
    words="stop loss, stop-loss, take profit, limit order, pending order, triggered, 止损, 止盈, 限价单, 挂单, "
    "触发, 跳空",
)
