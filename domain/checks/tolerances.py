"""What a policy pack counts as normal in the trade log."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field

from domain.checks.profit import ReferenceRule
from domain.ground.base import Record

Share = Annotated[str, Field(pattern=r"^(0(\.\d+)?|1(\.0+)?)$")]
"""A share of one, as text."""


class Tolerances(Record):
    """What a policy pack counts as normal in the trade log. Thresholds of the firm, never rules of law."""

    price: Annotated[str, Field(pattern=r"^\d+(\.\d+)?$")] = "0.30"
    """How far a fill may lie outside the valid bid/ask, in the instrument's price units."""
    quote_window_seconds: Annotated[int, Field(gt=0, le=600)] = 2
    """How long before and after the fill quotes count as around its time."""
    latency_ms: Annotated[int, Field(gt=0)] = 1000
    """From receipt of an order to its execution."""
    withdrawal_hours: Annotated[int, Field(gt=0)] = 48
    """From request to release of a withdrawal, as the firm promises it."""
    withdrawal_interest_percent: Annotated[str, Field(pattern=r"^\d+(\.\d+)?$")] = "8"
    """Simple yearly interest on money withheld, actual/365."""
    population_window_minutes: Annotated[int, Field(gt=0, le=1440)] = 60
    """How long before and after an order all customers' orders of its kind are compared with it."""
    population_least: Annotated[int, Field(ge=2)] = 20
    """Fewer cases than this say nothing about how a firm treats its customers."""
    asymmetry: Share = "0.20"
    """How far the shares of customers treated well and badly may lie apart before it is no chance."""
    reference: ReferenceRule = ReferenceRule.AT_THAT_INSTANT
    """What the closing of a position that should have stayed open is measured by."""
    act_minutes: Annotated[int, Field(ge=0, le=10_080)] = 60
    """How long after such a closing a customer could reasonably have opened the position again."""
    spread_factor: Annotated[int, Field(ge=2)] = 10
    """How many usual spreads a spread may be wide."""

    def told(self) -> dict[str, str]:
        """As text, for the finding."""
        return {name: str(value) for name, value in self.model_dump(mode="json").items()}

    @classmethod
    def of(cls, told: Mapping[str, str]) -> Self:
        """From what a finding was told. Unknown names, of another version or of other facts, are left out."""
        return cls.model_validate({name: value for name, value in told.items() if name in cls.model_fields})
