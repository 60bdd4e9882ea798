"""An account replayed from its rows: what it held at any instant, at which price, and what its closings brought.

Everything that depends on an account over time rests on this one replay: margin levels, forced liquidations, what an
order that came too late should have closed. Volumes follow from fills as far as the log has them, else from the rows
of positions. How a position was divided among fills and orders makes no difference to what it held and brought.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal, localcontext
from typing import NamedTuple

from domain.log.trade_log import Fill, Instrument, Order, Position
from domain.money.parts import PRECISION

NOTHING = Decimal(0)


class Unknown(LookupError):
    """The account cannot be replayed. The text names what is missing."""


class Held(NamedTuple):
    """What was open of a position at an instant: above zero, at the mean price of what is still open."""

    position: Position
    lots: Decimal
    price: Decimal


class Closing(NamedTuple):
    """A part of a position that was closed: by ``fill``, or by what the position's own row tells.

    ``opened`` is the mean opening price of what was closed. ``profit`` is what the firm booked for it, in the account's
    currency, ``None`` where it follows from the prices; ``whole`` what it booked for all of the position, at its last
    closing. ``charges`` is what was booked with it beside that.
    """

    position: Position
    at: datetime
    fill: Fill | None
    lots: Decimal
    opened: Decimal
    price: Decimal | None
    profit: Decimal | None
    whole: Decimal | None
    charges: Decimal

    @property
    def name(self) -> str:
        return self.fill.fill if self.fill else self.position.position


class Replay:
    """The positions of one account over time."""

    def __init__(self, positions: Iterable[Position], fills: Iterable[Fill], orders: Iterable[Order]) -> None:
        self.positions = {row.position: row for row in sorted(positions, key=lambda each: each.position)}
        closes = {row.order: row.position for row in orders if row.position is not None}
        own: dict[str, list[Fill]] = {}
        for fill in sorted(set(fills), key=lambda each: (each.at, each.fill)):
            name = fill.position or closes.get(fill.order)
            if name in self.positions and fill.symbol == self.positions[name].symbol:
                own.setdefault(name, []).append(fill)
        self._histories = {name: _History(row, own.get(name, [])) for name, row in self.positions.items()}
        self._instants = sorted({at for history in self._histories.values() for at in history.instants})
        self._held: dict[tuple[int, frozenset[str]], list[Held]] = {}

    def step(self, before: datetime) -> int:
        """How many instants with trades there were before *before*: between two of them nothing changes."""
        return bisect_left(self._instants, before)

    def held(self, before: datetime, *, without: frozenset[str] = frozenset()) -> list[Held]:
        """What was open just before *before*, had the closings named in *without* not taken place."""
        known = (self.step(before), without)
        if known not in self._held:
            found = (history.held(before, without) for history in self._histories.values())
            self._held[known] = [held for held in found if held is not None]
        return self._held[known]

    def closings(self, position: str) -> list[Closing]:
        """The closings of *position*, in the order of time."""
        return self._histories[position].closings

    def money(
        self,
        after: datetime,
        before: datetime,
        profit: Callable[[Closing], Decimal],
        *,
        without: frozenset[str] = frozenset(),
    ) -> Decimal:
        """What was booked after *after* and before *before* by fills and closings, without those named in *without*.

        *profit* computes, in the account's currency, what the firm did not state.
        """
        with localcontext(prec=PRECISION):
            made = NOTHING
            for history in self._histories.values():
                for closing in history.closings:
                    if after < closing.at < before and closing.name not in without:
                        made += history.brought(closing, profit) + closing.charges
                made += sum((charges for at, charges in history.opening_charges if after < at < before), NOTHING)
            return made


class _Step(NamedTuple):
    """Lots of a position opened or closed."""

    at: datetime
    lots: Decimal
    price: Decimal | None
    fill: Fill | None


class _History:
    """One position: how it was opened and closed."""

    def __init__(self, position: Position, fills: Iterable[Fill]) -> None:
        self.position = position
        opened: list[_Step] = []
        closed: list[_Step] = []
        for fill in fills:
            lots, own = fill.volume, fill.side is position.side
            if fill.effect == "reverse" and not own:  # what is more than was open opens another position
                lots = min(lots, max(position.volume, _lots(opened)) - _lots(closed))
            if lots > 0:
                (opened if own else closed).append(_Step(fill.at, lots, fill.price, fill))
        with localcontext(prec=PRECISION):
            self._complete(opened, closed)
            self.opened, self._closed = opened, closed
            self.closings = self._booked(self._closings())
        self.instants = {step.at for step in (*opened, *closed)}
        self.opening_charges = [(step.at, _charges(step.fill)) for step in opened if step.fill is not None]

    def _complete(self, opened: list[_Step], closed: list[_Step]) -> None:
        """Make fills and the position's row agree.

        The row of a closed position has all its lots, though its opening fill may have been larger: some platforms give
        what is left after a partial closing another number. Of an open one some platforms state what is left.
        """
        position = self.position
        by_fills, away = _lots(opened), _lots(closed)
        whole = max(position.volume, away)
        if position.closed_at is None and away:
            if by_fills - away == position.volume:
                whole = by_fills
            elif by_fills < away > position.volume:
                whole = position.volume + away
        if by_fills < whole:
            opened.insert(0, _Step(position.opened_at, whole - by_fills, position.open_price, None))
            opened.sort(key=lambda step: step.at)
        while by_fills > whole:
            last = opened.pop()
            by_fills -= last.lots
            if by_fills < whole:
                opened.append(last._replace(lots=whole - by_fills))
                break
        if position.closed_at is not None and away < whole:
            closed.append(_Step(position.closed_at, whole - away, position.close_price, None))
            closed.sort(key=lambda step: step.at)

    def held(self, before: datetime, without: frozenset[str]) -> Held | None:
        with localcontext(prec=PRECISION):
            lots, price = self._open(before, without)
        return Held(self.position, lots, price) if lots > 0 else None

    def _open(self, before: datetime, without: frozenset[str]) -> tuple[Decimal, Decimal]:
        """The lots open just before *before*, and their mean price: a closing leaves the mean as it is."""
        lots, price = NOTHING, self.position.open_price
        steps = [(step.at, 0, step.lots, step.price) for step in self.opened if step.at < before]
        steps += [
            (step.at, 1, -step.lots, None)
            for step in self._closed
            if step.at < before and (step.fill.fill if step.fill else self.position.position) not in without
        ]
        for _, _, change, at in sorted(steps, key=lambda each: each[:2]):
            if change > 0 and at is not None:
                price = (price * lots + at * change) / (lots + change)
            lots = max(lots + change, NOTHING)
        return lots, price

    def _closings(self) -> list[Closing]:
        found = []
        for step in self._closed:
            _, mean = self._open(step.at, frozenset())
            charges = _charges(step.fill) if step.fill else NOTHING
            profit = step.fill.profit if step.fill else None
            found.append(Closing(self.position, step.at, step.fill, step.lots, mean, step.price, profit, None, charges))
        return found

    def brought(self, closing: Closing, profit: Callable[[Closing], Decimal]) -> Decimal:
        """What *closing* brought: as the firm booked it, else by its prices."""
        if closing.profit is not None:
            return closing.profit
        if closing.whole is None:
            return profit(closing)
        return closing.whole - sum((profit(other) for other in self.closings if other is not closing), NOTHING)

    def _booked(self, closings: list[Closing]) -> list[Closing]:
        """The closings, with what is stated of the whole position booked at its end."""
        position, fills = self.position, [step.fill for step in (*self.opened, *self._closed) if step.fill]
        if not closings or position.closed_at is None:
            return closings
        last = closings[-1]
        charges = last.charges + (position.taxes or NOTHING)
        charges += position.swap if all(fill.swap is None for fill in fills) else NOTHING
        if position.commission is not None and all(fill.commission is None for fill in fills):
            charges += position.commission
        stated = any(closing.profit is not None for closing in closings)
        whole = None if stated else position.profit
        return [*closings[:-1], last._replace(whole=whole, charges=charges)]


def _lots(steps: Iterable[_Step]) -> Decimal:
    return sum((step.lots for step in steps), NOTHING)


def _charges(fill: Fill) -> Decimal:
    return (fill.swap or NOTHING) + (fill.commission or NOTHING)


def instrument_of(symbol: str, instruments: Mapping[str, Instrument]) -> Instrument:
    """Raises :class:`Unknown`."""
    if symbol not in instruments:
        raise Unknown(f"instrument {symbol}")
    return instruments[symbol]
