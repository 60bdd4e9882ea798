"""The check named "outage"."""

from typing import Final

from domain.checks.outage.finding import FORMULA, check_outage
from domain.checks.outage.gathering import gather
from domain.checks.row import CheckRow
from domain.ground.spoken import said

ROW: Final = CheckRow(
    gather=gather,
    run=check_outage,
    formula=FORMULA,
    name=said("outage", "系统中断"),
    words="outage, server down, server was down, platform down, platform was down, could not log in, "
    "could not close, crashed, disconnected, froze, 系统故障, 宕机, 无法登录, 无法平仓, 卡死, 掉线, 平台崩溃, "
    "服务器",
)
