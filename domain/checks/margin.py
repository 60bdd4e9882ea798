"""The margin level of an account at any instant, on its replay and on valid prices."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal, localcontext
from typing import NamedTuple, Self, TypeAlias

from domain.checks.facts import LogFacts, cost
from domain.checks.market import Board, Valid, valid_price
from domain.checks.profit import profit
from domain.checks.tolerances import Tolerances
from domain.log.firm_records import AccountTerms, Balance, MarginRate
from domain.log.replay import NOTHING, Closing, Held, Replay, Unknown, instrument_of
from domain.log.trade_log import Instrument, Position, Quote, Side
from domain.money.parts import PRECISION, last_rate

NO_CLOSINGS: frozenset[str] = frozenset()
Suspects: TypeAlias = Callable[[str], str | None]
"""The source whose price of an instrument is in question."""


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


class Account:
    """An account around a forced liquidation: terms, balance, and its replay."""

    def __init__(
        self, facts: LogFacts, terms: AccountTerms, balance: Balance, at: datetime, tolerances: Tolerances
    ) -> None:
        self.facts, self.terms, self.balance, self.at = facts, terms, balance, at
        self.replay = Replay(facts.positions, facts.fills, facts.orders)
        self.quotes = Board(facts.quotes)
        self._instruments = {row.symbol: row for row in facts.instruments}
        self._tolerances = tolerances
        self._prices: dict[tuple[str, Side, datetime, str | None], Valid | None] = {}
        """The valid prices asked for so far: many positions ask for the same."""
        self._used: dict[tuple[Held, ...], Decimal] = {}
        """The margin of what was held: the same at every tick between two trades."""
        self._brought: dict[tuple[int, frozenset[str]], Decimal] = {}
        """What was booked by trades since the balance, likewise."""

    @classmethod
    def of(cls, facts: LogFacts, at: datetime, tolerances: Tolerances) -> Self | None:
        """The account by the last terms and balance of its rows, and its margin rates of *at*; ``None`` without these
        terms or balance."""
        terms = max(facts.account_terms, key=lambda row: (row.effective_from, row.terms), default=None)
        balance = max(facts.balances, key=lambda row: (row.at, row.balance), default=None)
        return None if terms is None or balance is None else cls(facts, terms, balance, at, tolerances)

    def on(self, quotes: Iterable[Quote]) -> "Account":
        """The same account, seen by other *quotes*."""
        seen = Account.__new__(Account)
        seen.__dict__ |= self.__dict__ | {"quotes": Board(quotes), "_prices": {}}
        return seen

    def price(self, symbol: str, side: Side, at: datetime, suspect: str | None) -> Valid | None:
        """The valid price, without the *suspect* source: where the two others contradict each other, it decides."""
        key = (symbol, side, at, suspect)
        if key not in self._prices:
            found = valid_price(self.quotes, symbol, side, at, suspect=suspect)
            if found is not None and len(found.sources) == 2:
                known = self.quotes.standing(symbol, at)
                one, other = (cost(side.sign, known[source]) for source in found.sources)
                if abs(one - other) > self._tolerances.price_of(self._instrument(symbol)):
                    found = valid_price(self.quotes, symbol, side, at, suspect=None)
            self._prices[key] = found
        return self._prices[key]

    def level(self, at: datetime, *, suspects: Suspects, without: frozenset[str] = NO_CLOSINGS) -> Level:
        """The margin just before *at*, at the prices of *at* of all sources but the one that *suspects* tells of each
        instrument.

        The closings named in *without* are taken not to have happened. Raises :class:`Unknown`.
        """
        with localcontext(prec=PRECISION):
            booked = sum(
                (
                    self.converted(entry.amount, entry.currency)
                    for entry in self.facts.account_entries
                    if entry.booked_at is not None and self.balance.at < entry.booked_at <= at
                ),
                NOTHING,
            )
            equity = self.converted(self.balance.amount + self.balance.credit, self.balance.currency) + booked
            equity += self._made(at, without)
            held = self.replay.held(at, without=without)
            for each in held:
                position = each.position
                self._instrument(position.symbol)
                valid = self.price(position.symbol, position.side.opposite, at, suspects(position.symbol))
                if valid is None:
                    raise Unknown(f"quotes of {position.symbol} around {at.isoformat()}")
                equity += self.profit(position, each.price, valid.price, each.lots)
            return Level(at, equity, self.used(held))

    def _made(self, before: datetime, without: frozenset[str]) -> Decimal:
        """What fills and closings brought since the balance."""
        key = (self.replay.step(before), without)
        if key not in self._brought:
            self._brought[key] = self.replay.money(self.balance.at, before, self._by_prices, without=without)
        return self._brought[key]

    def used(self, held: Sequence[Held]) -> Decimal:
        """The margin that *held* needs, in the account's currency."""
        key = tuple(held)
        if key not in self._used:
            symbols = sorted({each.position.symbol for each in held})
            self._used[key] = sum((self._needed(symbol, held) for symbol in symbols), NOTHING)
        return self._used[key]

    def _needed(self, symbol: str, held: Sequence[Held]) -> Decimal:
        sides: list[tuple[Decimal, Decimal]] = []
        for side in Side:
            own = [each for each in held if each.position.symbol == symbol and each.position.side is side]
            sides.append(
                (
                    sum((each.lots for each in own), NOTHING),
                    sum((each.lots * each.price for each in own), NOTHING),
                )
            )
        larger, smaller = sorted(sides, key=lambda each: (self._margin(symbol, *each), each), reverse=True)
        match self.terms.hedged:
            case "both":
                return self._margin(symbol, *larger) + self._margin(symbol, *smaller)
            case "larger":
                return self._margin(symbol, *larger)
            case "net":
                lots, value = max(sides)
                net = lots - min(sides)[0]
                return self._margin(symbol, net, value * net / lots)

    def _margin(self, symbol: str, lots: Decimal, value: Decimal) -> Decimal:
        """The margin of *lots* of one side, opened at *value* (lots times prices)."""
        if not lots:
            return NOTHING
        instrument = self._instrument(symbol)
        opened = instrument.contract_size * value
        tiers = self._tiers(symbol)
        if not tiers:
            return self.converted(opened / self.terms.leverage, instrument.currency)
        needed = NOTHING
        for place, tier in enumerate(tiers):
            upper = tiers[place + 1].above_lots if place + 1 < len(tiers) else lots
            inside = min(lots, upper) - tier.above_lots
            if inside <= 0:
                continue
            if tier.per_lot is not None and tier.currency is not None:
                needed += self.converted(tier.per_lot * inside, tier.currency)
            elif tier.percent is not None:
                needed += self.converted(opened * inside / lots * tier.percent / 100, instrument.currency)
        return needed

    def _tiers(self, symbol: str) -> list[MarginRate]:
        known = [row for row in self.facts.margin_rates if row.symbol == symbol and row.effective_from <= self.at]
        rows = [row for row in known if row.account == self.terms.account] or [row for row in known if not row.account]
        newest = max((row.effective_from for row in rows), default=None)
        return sorted(
            (row for row in rows if row.effective_from == newest), key=lambda row: (row.above_lots, row.margin)
        )

    def profit(self, position: Position, opened: Decimal, closed: Decimal, lots: Decimal) -> Decimal:
        """What closing *lots* of *position*, opened at *opened*, at *closed* brings, in the account's currency."""
        instrument = self._instrument(position.symbol)
        made = profit(position.side, opened=opened, closed=closed, units=instrument.contract_size, lots=lots)
        return self.converted(made, instrument.currency)

    def _by_prices(self, closing: Closing) -> Decimal:
        if closing.price is None:
            raise Unknown(f"closing price of position {closing.position.position}")
        return self.profit(closing.position, closing.opened, closing.price, closing.lots)

    def _instrument(self, symbol: str) -> Instrument:
        return instrument_of(symbol, self._instruments)

    def converted(self, amount: Decimal, currency: str) -> Decimal:
        """*amount* in the account's currency, at the recorded rate. Raises :class:`Unknown`."""
        if currency == self.terms.currency:
            return amount
        rate = last_rate(self.facts.rates, currency, self.terms.currency)
        if rate is None:
            raise Unknown(f"rate of {currency} in {self.terms.currency}")
        return amount * rate.rate
