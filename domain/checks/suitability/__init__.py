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
    name=said("suitability of the product", "产品适当性"),
    words="not suitable, unsuitable, inexperienced, not explained the risk, risks not explained, "
    "risk was not explained, risks were not explained, never told of the risk, never told of the risks, "
    "never told the risks, "
    "never told about the risk, never told about the risks, never warned, nobody warned me, not warned of the risk, "
    "不适合, 适当性, 未告知风险, 没有告知风险, 没告知风险, 未提示风险, 没有提示风险, 未说明风险",
)
