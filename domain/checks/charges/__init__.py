"""The check named "swap and commission"."""

from typing import Final

from domain.checks.charges.finding import FORMULA, check_charges
from domain.checks.charges.gathering import gather
from domain.checks.row import CheckRow
from domain.ground.spoken import said

ROW: Final = CheckRow(
    gather=gather,
    run=check_charges,
    formula=FORMULA,
    name=said("swap and commission", "隔夜利息与手续费"),
    words="swap, overnight fee, rollover, commission charged, triple swap, 隔夜利息, 库存费, 隔夜费, 手续费, "
    "过夜费, 递延费",
)
