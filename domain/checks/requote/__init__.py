"""The check named "requote or rejection"."""

from typing import Final

from domain.checks.requote.finding import FORMULA, check_requote
from domain.checks.requote.gathering import gather
from domain.checks.row import CheckRow
from domain.ground.spoken import said

ROW: Final = CheckRow(
    gather=gather,
    run=check_requote,
    formula=FORMULA,
    name=said("requote or rejection", "重新报价或拒单"),
    words="requote, requoted, re-quote, off quotes, order rejected, rejected order, 重新报价, 重复报价, 拒绝成交, "
    "废单, 拒单",
)
