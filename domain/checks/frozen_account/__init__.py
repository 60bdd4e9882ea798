"""The check named "frozen account"."""

from typing import Final

from domain.checks.frozen_account.finding import FORMULA, check_frozen_account
from domain.checks.frozen_account.gathering import gather
from domain.checks.row import CheckRow
from domain.ground.spoken import said

ROW: Final = CheckRow(
    gather=gather,
    run=check_frozen_account,
    formula=FORMULA,
    name=said("frozen account", "账户冻结"),
    words="account frozen, account is frozen, account was frozen, account has been frozen, account got frozen, "
    "frozen account, froze my account, frozen my account, freeze my account, freezing my account, "
    "account blocked, account is blocked, account was blocked, account has been blocked, blocked my account, "
    "account locked, account is locked, account was locked, locked my account, locked out of my account, "
    "account suspended, account is suspended, account was suspended, account has been suspended, "
    "suspended my account, account restricted, account is restricted, account was restricted, "
    "restricted my account, 冻结, 解冻, 封号, 封户, 账户被封, 账号被封, 封了我的账户, 封了我的账号, 账户被锁, "
    "账号被锁, 锁了我的账户, 账户被限制, 账号被限制, 限制账户, 账户被禁用, 账号被禁用",
    of_the_account=True,
)
