"""The check named "suitability and disclosure"."""

from typing import Final

from domain.checks.row import CheckRow
from domain.checks.suitability.finding import FORMULA, check_suitability
from domain.checks.suitability.gathering import gather
from domain.ground.spoken import said

ROW: Final = CheckRow(
    gather=gather,
    run=check_suitability,
    formula=FORMULA,
    name=said("suitability and disclosure", "产品适当性与费用披露"),
    words="not suitable, unsuitable, never told, undisclosed, hidden fee, not explained, inexperienced, 不适合, "
    "未告知, 隐藏费用, 没有告知, 未披露, 适当性",
)
