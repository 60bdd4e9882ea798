"""The check named "delay of the withdrawal"."""

from typing import Final

from domain.checks.row import CheckRow
from domain.checks.withdrawal_delay.finding import FORMULA, withdrawal_delay_on_facts
from domain.checks.withdrawal_delay.gathering import gather
from domain.ground.spoken import said

ROW: Final = CheckRow(
    gather=gather,
    run=withdrawal_delay_on_facts,
    formula=FORMULA,
    name=said("delay of the withdrawal", "出金时效"),
    words="withdrawal, payout, 出金, 提现, 提款",
)
