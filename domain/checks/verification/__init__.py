"""The check named "verification of the account"."""

from typing import Final

from domain.checks.row import CheckRow
from domain.checks.verification.finding import FORMULA, check_verification
from domain.checks.verification.gathering import gather
from domain.ground.spoken import said

ROW: Final = CheckRow(
    gather=gather,
    run=check_verification,
    formula=FORMULA,
    name=said("verification of the account", "账户身份验证"),
    words="verification of my account, verification of my identity, account verification, identity verification, "
    "verify my identity, verify my account, kyc, proof of identity, proof of address, my id again, copy of my id, "
    "copy of my passport, identity documents, id documents, 身份验证, 身份核实, 身份审核, 实名认证, 身份认证, 证件, "
    "身份证, 人脸认证, 人脸识别, 认证资料, 资料审核",
    of_the_account=True,
)
