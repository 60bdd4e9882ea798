"""A statement reckoned again: each closed position's profit by the formula, and the totals that the statement prints.

Profit is s·(close − open)·U·L, with s = +1 long and −1 short, U the units of a lot and L the lots, rounded to the
currency's smallest unit, half away from zero, as the MetaTrader terminals do.
"""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from domain.log.trade_log import Instrument, Side
from domain.money.amounts import minor_digits
from domain.money.currencies import DIGITS
from starter.importing.formats.lot_sizes import LotSizes
from starter.importing.formats.source import Unreadable, cents
from starter.importing.formats.trade_log_csv import BadRow

_NAMED = 20  # differences told one by one
CENTS: Final[Mapping[str, str]] = {
    **{"USC": "USD", "USX": "USD", "EUC": "EUR", "EUX": "EUR", "GBC": "GBP", "GBX": "GBP", "AUC": "AUD", "NZC": "NZD"},
    **{"CAC": "CAD", "CHC": "CHF", "SGC": "SGD", "HKC": "HKD", "CNC": "CNY", "ZAC": "ZAR", "PLC": "PLN"},
}
"""What brokers call the hundredth part of a currency, in which they keep cent accounts."""


def profit(side: Side, volume: Decimal, opened: Decimal, closed: Decimal, instrument: Instrument) -> Decimal:
    """What a position of *side* and *volume* lots made, in the instrument's currency, not rounded."""
    return side.sign * (closed - opened) * instrument.contract_size * volume


class Reckoning:
    """Compares what a statement states with what follows from its rows."""

    def __init__(self, currency: str | None = None) -> None:
        """*currency* is what the importer says the amounts are in, ``None`` where the statement has to tell."""
        self.currency = ""
        self.sizes = LotSizes()
        self.checked = 0
        self.totals = 0
        self._stated: dict[str, Decimal] = {}
        self._unchecked: Counter[str] = Counter()
        self._differences: list[str] = []
        self._more = 0
        self._beginning = Decimal(0)
        self._given = currency
        self._parts = 1
        if currency:
            self._take(currency)

    def booked_in(self, currency: str) -> None:
        """The statement says that its amounts are in *currency*. Raises :class:`Unreadable`.

        In small letters it is the same one. ``GBp`` is another than ``GBP``: pence.
        """
        currency = currency.upper() if currency.islower() else currency
        if self._given is None:
            self._take(currency)
        elif currency not in (self._given, CENTS.get(self._given)):
            raise Unreadable(f"its amounts are in {currency}, and not in {self._given} as --currency says")

    def _take(self, currency: str) -> None:
        """Amounts in cents become those of the currency: a hundredth, never the same number."""
        if currency not in DIGITS and currency not in CENTS:
            raise Unreadable(
                f"its amounts are in {currency}, which is no currency known here: say with --currency which they are"
                " in, such as USD, or USC for cents of it"
            )
        self._parts = 100 if currency in CENTS else 1
        self.currency = CENTS.get(currency, currency)

    @property
    def in_cents(self) -> bool:
        return self._parts > 1

    def amount(self, stated: Decimal) -> Decimal:
        """An amount of the statement in ``currency``."""
        return stated / self._parts

    def money(self, stated: Decimal) -> Decimal:
        """An amount that is kept. Raises :class:`BadRow` where nobody told in which currency, or cents of it, it is."""
        if stated:
            self.booked()
        return self.amount(stated)

    def booked(self) -> str:
        """The currency of an amount. Raises :class:`BadRow` where nobody told it."""
        if not self.currency:
            raise BadRow("currency", "the file does not say it: name it with --currency")
        return self.currency

    def checks(self, instrument: Instrument) -> bool:
        """Whether the profit of positions in *instrument* can be told without a rate of exchange."""
        if instrument.currency == self.currency:
            return True
        self._unchecked[f"in {instrument.symbol}: quoted in {instrument.currency}, booked in {self.currency}"] += 1
        return False

    def rounded(self, amount: Decimal) -> Decimal:
        return cents(amount, (minor_digits(self.currency) if self.currency else 2) + (2 if self.in_cents else 0))

    def trade(
        self, name: str, stated: Decimal, computed: Decimal, instrument: Instrument, *, sure: bool = True
    ) -> None:
        """Compare the profit of a closed trade in *instrument*. *sure*: nothing else can have been closed."""
        self.checked += 1
        computed_ = self.rounded(computed)
        self.sizes.see(instrument, stated, computed, agrees=stated == computed_, unit=self.rounded_unit, sure=sure)
        self._compare(f"profit of {name}", stated, computed_)

    @property
    def rounded_unit(self) -> Decimal:
        """The smallest amount that the statement can state."""
        return Decimal(1).scaleb(self.rounded(Decimal(0)).as_tuple().exponent)  # type: ignore[arg-type]

    def leaves_out(self, why: str) -> None:
        """A closed trade that cannot be reckoned again."""
        self._unchecked[why] += 1

    def states(self, name: str, amount: Decimal) -> None:
        """The statement prints this total. It is compared when all rows are read: :meth:`follows`, :meth:`begins`."""
        self._stated[name] = amount

    def follows(self, **computed: Decimal) -> None:
        """What the totals are by the rows; those that the statement does not print are left out."""
        for name, amount in computed.items():
            if name in self._stated:
                self.total(name.replace("_", " "), self._stated[name], amount)

    def begins(self, since: Decimal, made_good: Decimal = Decimal(0)) -> None:
        """Take what happened *since* off the balance stated at the end: what is left is what it began with.

        Where it began with nothing, the balance is one of the totals. It began below nothing by no more than what the
        firm says it has *made good*.
        """
        if (stated := self._stated.get("Balance")) is not None:
            if stated != since and stated >= since - made_good:
                self._beginning = stated - since
            else:
                self.total("Balance", stated, since)

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
        if self._beginning:
            said.append(f"it begins with a balance of {self._beginning:,f}, and cannot be compared with that")
        if self.in_cents:
            said.append(f"a cent account: every amount is booked in {self.currency}, as a hundredth of what is stated")
        return said + [f"{count:,} closed trades not reckoned, {why}" for why, count in sorted(self._unchecked.items())]
