"""What a policy pack counts as normal in the trade log."""

from collections.abc import Mapping
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Annotated, Final, Self

from pydantic import Field

from domain.checks.profit import ReferenceRule
from domain.ground.base import Record
from domain.log.trade_log import Instrument
from domain.money.parts import plain

Share = Annotated[str, Field(pattern=r"^(0(\.\d+)?|1(\.0+)?)$")]
"""A share of one, as text."""
Allowance = Annotated[str, Field(pattern=r"^\d+(\.\d+)?( (points?|spreads?))?$")]
"""A distance of prices: ``0.30`` in price units, ``30 points`` of the instrument's last digit, or ``1 spread``, its
usual one."""
Pattern = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:@/#*?-]{1,100}$")]
"""A symbol, or several by ``*`` and ``?``."""

POINTS_A_SPREAD: Final = 30
"""What a usual spread is taken for where nobody quoted: 0.30 of gold, 0.030 of silver, 3 pips of a currency pair."""
_OF_A_SYMBOL: Final = "price."


class Tolerances(Record):
    """What a policy pack counts as normal in the trade log. Thresholds of the firm, never rules of law."""

    price: Allowance = "1 spread"
    """How far a fill may lie outside the valid bid/ask."""
    prices: Annotated[dict[Pattern, Allowance], Field(max_length=100)] = Field(default_factory=dict)
    """The same for single instruments, the first that fits; in a finding those it went by, in price units."""
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

    def price_of(self, instrument: Instrument, *, usual_spread: Decimal | None = None) -> Decimal:
        """How far a fill of *instrument* may lie outside the valid bid/ask, in its price units."""
        number, _, unit = self._rule(instrument.symbol).partition(" ")
        point = Decimal(1).scaleb(-instrument.digits)
        if unit.startswith("point"):
            return Decimal(number) * point
        if unit.startswith("spread"):
            return Decimal(number) * (usual_spread or POINTS_A_SPREAD * point)
        return Decimal(number)

    def needs_spread(self, symbol: str) -> bool:
        """Whether the tolerance of *symbol* is told in usual spreads."""
        return "spread" in self._rule(symbol)

    def _rule(self, symbol: str) -> str:
        fits = (value for pattern, value in self.prices.items() if fnmatchcase(symbol, pattern))
        return self.prices.get(symbol) or next(fits, self.price)

    def settled(self, of: Mapping[str, Decimal]) -> "Tolerances":
        """With the tolerances *of* single symbols in price units, as a finding goes by them."""
        return self.model_copy(update={"prices": {symbol: plain(limit) for symbol, limit in sorted(of.items())}})

    def told(self) -> dict[str, str]:
        """As text, for the finding."""
        values = self.model_dump(mode="json", exclude={"prices"})
        told = {name: str(value) for name, value in values.items()}
        return told | {f"{_OF_A_SYMBOL}{symbol}": value for symbol, value in self.prices.items() if "*" not in symbol}

    @classmethod
    def of(cls, told: Mapping[str, str]) -> Self:
        """From what a finding was told. Unknown names, of another version or of other facts, are left out."""
        prices = {
            name.removeprefix(_OF_A_SYMBOL): value for name, value in told.items() if name.startswith(_OF_A_SYMBOL)
        }
        known: dict[str, object] = {name: value for name, value in told.items() if name in cls.model_fields}
        return cls.model_validate(known | ({"prices": prices} if prices else {}))
