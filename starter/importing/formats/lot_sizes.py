"""Which size of a lot the profits of a statement are those of: another one than was given makes every sum wrong."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from domain.log.trade_log import Instrument

_SHARP: Final = Decimal("0.02")
"""So much of itself a size may be uncertain by: profits of a few cents say little."""


@dataclass
class _Seen:
    instrument: Instrument
    trades: int = 0
    agreeing: int = 0
    least: Decimal = Decimal(0)
    most: Decimal = Decimal("Infinity")

    @property
    def size(self) -> Decimal | None:
        """The one size that makes all of the trades right, if the size given makes none of them right.

        One trade is evidence of a round size only: the firm may just have stated it wrongly.
        """
        if self.agreeing or not self.trades or not 0 < self.least <= self.most:
            return None
        if self.most - self.least > _SHARP * self.least:
            return None
        round_ = next((size for size in _round_sizes(self.least) if self.least <= size <= self.most), None)
        return round_ if round_ is not None or self.trades == 1 else round((self.least + self.most) / 2, 4)


class LotSizes:
    """Collects what the profits of closed trades say of the sizes of lots."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def see(
        self, instrument: Instrument, stated: Decimal, computed: Decimal, *, agrees: bool, unit: Decimal, sure: bool
    ) -> None:
        """A trade whose profit is *stated*, in steps of *unit*, and by the given size *computed*."""
        seen = self._seen.setdefault(instrument.symbol, _Seen(instrument))
        if not computed:
            return
        if agrees:
            seen.agreeing += 1
        elif sure:
            seen.trades += 1
            per_unit = computed / instrument.contract_size
            bounds = sorted(((stated - unit / 2) / per_unit, (stated + unit / 2) / per_unit))
            seen.least, seen.most = max(seen.least, bounds[0]), min(seen.most, bounds[1])

    def misfits(self) -> list[str]:
        """Of each instrument whose lot has another size, what to do; empty if the sizes given fit."""
        said = []
        for seen in self._seen.values():
            if (size := seen.size) is not None:
                given = seen.instrument
                terms = f"{given.symbol}={size.normalize():f},{given.currency},{given.digits}"
                text = (
                    f"by the profits it states ({seen.trades:,} closed trades, none agrees) a lot of {given.symbol} is"
                    f" {size.normalize():f} units, and {given.contract_size.normalize():f} was given. If it is,"
                    f" say so with --instrument {terms}"
                )
                if size == given.contract_size * 100:
                    text += "; if the account is kept in cents, name its currency with --currency, such as USC"
                said.append(text)
        return said


def _round_sizes(near: Decimal) -> Iterator[Decimal]:
    """The sizes with one digit, 1, 2 or 5, around *near*."""
    power = Decimal(1).scaleb(near.adjusted())
    for scale in (power / 10, power, power * 10):
        for digit in (1, 2, 5):
            yield scale * digit
