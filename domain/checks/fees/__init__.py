"""The check named "disclosure of fees"."""

from typing import Final

from domain.checks.fees.finding import FORMULA, check_fees
from domain.checks.fees.gathering import gather
from domain.checks.row import CheckRow
from domain.ground.spoken import said

ROW: Final = CheckRow(
    gather=gather,
    run=check_fees,
    formula=FORMULA,
    name=said("disclosure of fees", "费用披露"),
    words="never told, undisclosed, hidden fee, not explained, "
    "inactivity fee, dormancy fee, maintenance fee, account fee, monthly fee, service fee, monthly charge, price list, "
    "schedule of charges, schedule of fees, fee schedule, list of charges, overcharged, charged too much, "
    "charged me too much, charged more than, charged me more than, charged twice, charged me twice, "
    "未告知, 隐藏费用, 没有告知, 未披露, 闲置费, 休眠费, 管理费, 维护费, 服务费, 月费, 价目表, 收费表, "
    "收费标准, 公示, 多收, 多扣, 收了两次, 扣了两次, 重复收费, 重复扣费",
)
