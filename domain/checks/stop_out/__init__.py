"""The check named "forced liquidation"."""

from typing import Final

from domain.checks.row import CheckRow
from domain.checks.stop_out.finding import FORMULA, check_stop_out
from domain.checks.stop_out.gathering import gather
from domain.ground.spoken import said

ROW: Final = CheckRow(
    gather=gather,
    run=check_stop_out,
    formula=FORMULA,
    name=said("forced liquidation", "强制平仓"),
    words="stop out, stopped out, margin call, liquidated, liquidation, forced close, 强平, 爆仓, 强制平仓, 保证金不足",
)
