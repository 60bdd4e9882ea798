"""The check named "delay of the execution"."""

from typing import Final

from domain.checks.execution_delay.finding import FORMULA, check_execution_delay
from domain.checks.execution_delay.gathering import gather
from domain.checks.row import CheckRow
from domain.ground.spoken import said

ROW: Final = CheckRow(
    gather=gather,
    run=check_execution_delay,
    formula=FORMULA,
    name=said("delay of the execution", "执行延迟"),
    words="execution delay, delayed execution, executed late, filled late, latency, took seconds, 延迟成交, "
    "成交延迟, 下单延迟, 执行延迟, 成交很慢",
)
