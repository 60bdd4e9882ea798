"""The check named "settlement of the option"."""

from typing import Final

from domain.checks.binary_option.finding import FORMULA, check_binary_option
from domain.checks.binary_option.gathering import gather
from domain.checks.row import CheckRow
from domain.ground.spoken import said

ROW: Final = CheckRow(
    gather=gather,
    run=check_binary_option,
    formula=FORMULA,
    name=said("settlement of the option", "期权结算"),
    words="binary option, expiry price, strike price, 二元期权, 到期价",
)
