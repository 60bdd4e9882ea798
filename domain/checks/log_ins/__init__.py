"""The check named "log-ins to the account"."""

from typing import Final

from domain.checks.log_ins.finding import FORMULA, check_log_ins
from domain.checks.log_ins.gathering import gather
from domain.checks.row import CheckRow
from domain.ground.spoken import said

ROW: Final = CheckRow(
    gather=gather,
    run=check_log_ins,
    formula=FORMULA,
    name=said("log-ins to the account", "账户登录"),
    words="hacked, hacker, unauthorised access, unauthorized access, unauthorised login, unauthorized login, "
    "unknown login, unknown device, someone logged in, somebody logged in, someone else logged in, "
    "stolen password, password was stolen, account was stolen, account takeover, 异地登录, 异地登陆, 盗号, "
    "账户被盗, 账号被盗, 被盗用, 黑客, 他人登录, 陌生登录, 密码被盗, 不是我登录, 非本人登录",
    of_the_account=True,
)
