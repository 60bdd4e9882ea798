"""A statement reckoned again: each closed position's profit by the formula, and the totals that the statement prints.

Profit is s·(close − open)·U·L, with s = +1 long and −1 short, U the units of a lot and L the lots, rounded to the
currency's smallest unit, half away from zero, as the MetaTrader terminals do.
"""

from collections import Counter
from decimal import Decimal

from domain.log.trade_log import Instrument, Side
from domain.money.amounts import minor_digits
from starter.importing.formats.source import cents

_NAMED = 20  # differences told one by one


def profit(side: Side, volume: Decimal, opened: Decimal, closed: Decimal, instrument: Instrument) -> Decimal:
    """What a position of *side* and *volume* lots made, in the instrument's currency, not rounded."""
    return side.sign * (closed - opened) * instrument.contract_size * volume


class Reckoning:
    """Compares what a statement states with what follows from its rows."""

    def __init__(self) -> None:
        self.currency = ""
        self.checked = 0
        self.totals = 0
        self._stated: dict[str, Decimal] = {}
        self._unchecked: Counter[str] = Counter()
        self._differences: list[str] = []
        self._more = 0

    def checks(self, instrument: Instrument) -> bool:
        """Whether the profit of positions in *instrument* can be told without a rate of exchange."""
        if instrument.currency == self.currency:
            return True
        self._unchecked[f"in {instrument.symbol}: quoted in {instrument.currency}, booked in {self.currency}"] += 1
        return False

    def rounded(self, amount: Decimal) -> Decimal:
        return cents(amount, minor_digits(self.currency) if self.currency else 2)

    def trade(self, name: str, stated: Decimal, computed: Decimal) -> None:
        self.checked += 1
        self._compare(f"profit of {name}", stated, self.rounded(computed))

    def states(self, name: str, amount: Decimal) -> None:
        """The statement prints this total. It is compared when all rows are read, see :meth:`follows`."""
        self._stated[name] = amount

    def follows(self, **computed: Decimal) -> None:
        """What the totals are by the rows; those that the statement does not print are left out."""
        for name, amount in computed.items():
            if name in self._stated:
                self.total(name.replace("_", " "), self._stated[name], amount)

    def total(self, name: str, stated: Decimal, computed: Decimal) -> None:
        self.totals += 1
        self._compare(name, stated, computed)

    def differs(self, what: str) -> None:
        if len(self._differences) < _NAMED:
            self._differences.append(what)
        else:
            self._more += 1

    def _compare(self, name: str, stated: Decimal, computed: Decimal) -> None:
        if stated != computed:
            self.differs(f"{name}: states {stated:,f}, its rows give {computed:,f}")

    @property
    def differences(self) -> list[str]:
        """Where statement and rows disagree; empty if they agree to the smallest unit of the currency."""
        return self._differences + ([f"and {self._more:,} more differences"] if self._more else [])

    def summary(self) -> list[str]:
        """What was compared, and what could not be."""
        said = [
            f"{self.checked:,} closed trades and {self.totals:,} totals reckoned again: "
            + (f"{len(self._differences) + self._more:,} differ" if self._differences else "all agree")
        ]
        return said + [f"{count:,} closed trades not reckoned, {why}" for why, count in sorted(self._unchecked.items())]
