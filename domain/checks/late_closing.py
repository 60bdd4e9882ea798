"""What it cost that a part of a position was not closed when it should have been: by what closed it later."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from domain.checks.facts import LogFacts
from domain.checks.market import price_part
from domain.checks.profit import exit_loss
from domain.log.replay import Replay, Unknown
from domain.log.trade_log import Instrument, Position
from domain.money.parts import Part


class Closed(NamedTuple):
    """Lots that should have been closed before, and the price at which they were; ``name``: a fill's or position's."""

    name: str
    at: datetime
    lots: Decimal
    price: Decimal


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

    def parts(self, reference: Decimal, instrument: Instrument) -> list[Part]:
        """The losses against *reference*, each under the key of what closed it; what was closed better has none."""
        losses = [(each.name, self.loss(each, reference, instrument)) for each in self.closed]
        return [price_part(name, loss, instrument.currency) for name, loss in losses if loss > 0]


def late_closing(
    facts: LogFacts, position: Position, at: datetime, lots: Decimal | None, *, without: frozenset[str] = frozenset()
) -> LateClosing:
    """How *lots* of *position*, or all that was open at *at*, were closed from then on, the earliest closings first.

    The closings named in *without* were of other lots.

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
        taken = min(closing.lots, left)
        left -= taken
        found.append(Closed(closing.name, closing.at, taken, closing.price))
    return LateClosing(position, wanted, tuple(found), left)
