"""What it cost that a part of a position was not closed when it should have been: by what closed it later."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from domain.checks.facts import LogFacts
from domain.checks.market import PENDING, WAITS_FOR_BETTER, price_part, share_of
from domain.checks.profit import exit_loss
from domain.log.replay import Replay, Unknown
from domain.log.trade_log import Instrument, Order, OrderState, Position
from domain.money.parts import Part


class Closed(NamedTuple):
    """Lots that should have been closed before, and the price at which they were; ``name``: a fill's or position's.

    ``whole`` tells whether that fill closed nothing else.
    """

    name: str
    at: datetime
    lots: Decimal
    price: Decimal
    whole: bool = True


class LateClosing(NamedTuple):
    """How so many lots of a position, open at an instant, were closed after it. ``left`` is what is still open."""

    position: Position
    lots: Decimal
    closed: tuple[Closed, ...]
    left: Decimal

    def loss(self, each: Closed, reference: Decimal, instrument: Instrument) -> Decimal:
        """What *each* brought less than *reference* would have; below zero where it brought more."""
        units = instrument.contract_size
        return exit_loss(self.position.side, close=each.price, reference=reference, units=units, lots=each.lots)

    def parts(self, reference: Decimal, instrument: Instrument, *, of: str | None = None) -> list[Part]:
        """The losses against *reference*, each under the key of what closed it; what was closed better has none.

        Where one fill closed the lots of several orders, those of the order *of* have a key of their own.
        """
        found = []
        for each in self.closed:
            loss = self.loss(each, reference, instrument)
            if loss > 0:
                part = price_part(each.name, loss, instrument.currency)
                if of is not None and not each.whole:
                    part = part.model_copy(update={"key": share_of(part.key, of), "covers": (part.key,)})
                found.append(part)
        return found


class Beside(NamedTuple):
    """The orders that waited to close other lots of the same position: what they closed, and lots due before."""

    fills: frozenset[str]
    ahead: Decimal


def beside(facts: LogFacts, order: Order, position: Position, at: datetime) -> Beside | None:
    """What waited beside *order* when its price was reached, *at*. ``None`` where the position had not lots for all.

    Then one was to close what the other did not, as a stop-loss and a take-profit of all of it. Of orders of one kind
    the one whose price comes first is due first.
    """
    filled: dict[str, Decimal] = {}
    before: dict[str, Decimal] = {}
    for fill in facts.fills:
        filled[fill.order] = filled.get(fill.order, Decimal(0)) + fill.volume
        if fill.at < at:
            before[fill.order] = before.get(fill.order, Decimal(0)) + fill.volume
    waited = [
        row
        for row in {row.order: row for row in (*facts.orders, order)}.values()
        if row.order == order.order
        or (
            (row.position, row.side, row.symbol) == (order.position, order.side, order.symbol)
            and row.type in PENDING
            and row.state is not OrderState.REJECTED
            and (row.received_at is None or row.received_at <= at)
            and (row.ended_at is None or row.ended_at >= at)
            and row.volume > before.get(row.order, Decimal(0))
        )
    ]
    wanted = sum((row.volume - before.get(row.order, Decimal(0)) for row in waited), Decimal(0))
    held = sum((each.lots for each in Replay([position], facts.fills, facts.orders).held(at)), Decimal(0))
    if wanted > held:
        return None
    others = {row.order for row in waited if row.order != order.order}
    first = [row for row in waited if row.type is order.type and _due(row) < _due(order)]
    left = (row.volume - filled.get(row.order, Decimal(0)) for row in first)
    return Beside(
        frozenset(fill.fill for fill in facts.fills if fill.order in others),
        sum((lots for lots in left if lots > 0), Decimal(0)),
    )


def _due(order: Order) -> tuple[Decimal, str]:
    """Orders of one kind and side in the order in which a moving price reaches them."""
    cost = order.side.sign * (order.price or Decimal(0))
    return -cost if order.type in WAITS_FOR_BETTER else cost, order.order


def late_closing(
    facts: LogFacts,
    position: Position,
    at: datetime,
    lots: Decimal | None,
    *,
    without: frozenset[str] = frozenset(),
    ahead: Decimal = Decimal(0),
) -> LateClosing:
    """How *lots* of *position*, or all that was open at *at*, were closed from then on, the earliest closings first.

    The closings named in *without* were of other lots, and so were the first lots *ahead*.

    Raises :class:`~domain.log.replay.Unknown` where a closing has no price.
    """
    replay = Replay([position], facts.fills, facts.orders)
    held = sum((each.lots for each in replay.held(at)), Decimal(0))
    wanted = held if lots is None else min(lots, held)
    left, found = wanted, list[Closed]()
    for closing in replay.closings(position.position):
        if closing.at < at or left <= 0 or closing.name in without:
            continue
        if closing.price is None:
            raise Unknown(f"closing price of position {position.position}")
        passed = min(closing.lots, ahead)
        ahead -= passed
        taken = min(closing.lots - passed, left)
        left -= taken
        if taken > 0:
            found.append(Closed(closing.name, closing.at, taken, closing.price, taken == closing.lots))
    return LateClosing(position, wanted, tuple(found), left)
