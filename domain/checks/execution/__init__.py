"""The check named "execution of the order"."""

from typing import Final

from domain.checks.execution.finding import UNIDENTIFIED, execution_on_facts
from domain.checks.execution.gathering import gather
from domain.checks.row import CheckRow
from domain.ground.spoken import said

ROW: Final = CheckRow(
    gather=gather,
    run=execution_on_facts,
    formula=UNIDENTIFIED,
    name=said("execution of the order", "订单执行"),
)
