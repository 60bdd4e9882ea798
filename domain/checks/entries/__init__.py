"""The check named "fees and withdrawals"."""

from typing import Final

from domain.checks.entries.finding import FORMULA, check_entries
from domain.checks.entries.gathering import gather
from domain.checks.row import CheckRow
from domain.ground.spoken import said

ROW: Final = CheckRow(
    gather=gather,
    run=check_entries,
    formula=FORMULA,
    name=said("fees and withdrawals", "费用与出金"),
    of_the_account=True,
)
