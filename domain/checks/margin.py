"""The margin level of an account, tick by tick."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, localcontext
from typing import NamedTuple

from domain.checks.facts import LogFacts
from domain.checks.market import Board, Valid, valid_price
from domain.checks.profit import profit
from domain.log.firm_records import AccountTerms, Balance
from domain.log.trade_log import Instrument, Position, Side
from domain.money.parts import PRECISION


class Level(NamedTuple):
    """The margin of an account at an instant. ``level`` is ``None`` where no margin was used."""

    at: datetime
    equity: Decimal
    used: Decimal

    @property
    def level(self) -> Decimal | None:
        with localcontext(prec=PRECISION):
            return self.equity / self.used * 100 if self.used else None

    def due(self, limit: Decimal) -> bool:
        level = self.level
        return level is not None and level <= limit


class Unknown(LookupError):
    """The level cannot be computed. The text names what is missing."""


class Account(NamedTuple):
    """An account around a forced liquidation: terms, balance, and every position it held."""

    facts: LogFacts
    terms: AccountTerms
    balance: Balance
    quotes: Board
    prices: dict[tuple[str, Side, datetime, str | None], Valid | None]
    """The valid prices asked for so far: many positions ask for the same."""
    stakes: dict[str, tuple[Decimal, Decimal]]
    """Of each position asked for so far what a price higher by one brings, and its margin: the same at every tick."""

    def price(self, symbol: str, side: Side, at: datetime, suspect: str | None) -> Valid | None:
        key = (symbol, side, at, suspect)
        if key not in self.prices:
            self.prices[key] = valid_price(self.quotes, symbol, side, at, suspect=suspect)
        return self.prices[key]

    def level(
        self, at: datetime, positions: Iterable[Position], *, suspect: str | None, realised: Decimal = Decimal(0)
    ) -> Level:
        """The margin at *at* with *positions* open, at the prices of all sources but *suspect*.

        *realised* is what closings before *at* brought. Raises :class:`Unknown`.
        """
        with localcontext(prec=PRECISION):
            booked = sum(
                (
                    self._converted(entry.amount, entry.currency)
                    for entry in self.facts.account_entries
                    if entry.booked_at is not None and self.balance.at < entry.booked_at <= at
                ),
                Decimal(0),
            )
            stated = self._converted(self.balance.amount + self.balance.credit, self.balance.currency)
            equity, used = stated + booked + realised, Decimal(0)
            for position in positions:
                if position.opened_at > at:
                    continue
                brings, margin = self._stake(position)
                valid = self.price(position.symbol, position.side.opposite, at, suspect)
                if valid is None:
                    raise Unknown(f"quotes of {position.symbol} around {at.isoformat()}")
                equity += brings * (valid.price - position.open_price)
                used += margin
            return Level(at, equity, used)

    def _stake(self, position: Position) -> tuple[Decimal, Decimal]:
        if position.position not in self.stakes:
            instrument = self.instrument(position)
            units = instrument.contract_size * position.volume
            self.stakes[position.position] = (
                self._converted(position.side.sign * units, instrument.currency),
                self._converted(units * position.open_price / self.terms.leverage, instrument.currency),
            )
        return self.stakes[position.position]

    def realised_before(self, at: datetime) -> Decimal:
        """What positions brought that were closed after the balance was stated and before *at*."""
        made = Decimal(0)
        for position in self.facts.positions:
            if position.closed_at is None or not self.balance.at < position.closed_at < at:
                continue
            if position.close_price is None:
                raise Unknown(f"closing price of position {position.position}")
            stated = position.profit
            made += self.profit(position, position.close_price, position.volume) if stated is None else stated
            made += position.swap + (position.commission or Decimal(0)) + (position.taxes or Decimal(0))
        return made

    def profit(self, position: Position, closed: Decimal, lots: Decimal) -> Decimal:
        """What closing *lots* of *position* at *closed* brings, in the account's currency."""
        instrument = self.instrument(position)
        made = profit(
            position.side, opened=position.open_price, closed=closed, units=instrument.contract_size, lots=lots
        )
        return self._converted(made, instrument.currency)

    def instrument(self, position: Position) -> Instrument:
        found = self.facts.instrument(position.symbol)
        if found is None:
            raise Unknown(f"instrument {position.symbol}")
        return found

    def _converted(self, amount: Decimal, currency: str) -> Decimal:
        if currency == self.terms.currency:
            return amount
        rates = [rate for rate in self.facts.rates if (rate.base, rate.quote) == (currency, self.terms.currency)]
        if not rates:
            raise Unknown(f"rate of {currency} in {self.terms.currency}")
        return amount * max(rates, key=lambda rate: (rate.at, rate.source)).rate
