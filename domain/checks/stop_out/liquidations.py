"""The forced liquidations of an account within a minute: what was closed, and what was decided at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from domain.checks.facts import LogFacts
from domain.log.trade_log import Fill, Order, OrderType, Position


class Liquidated(NamedTuple):
    """A fill of a forced liquidation, and the position that it closed."""

    order: Order
    fill: Fill
    position: Position


@dataclass
class Decision:
    """What the firm decided to close at one instant, in one or more orders."""

    at: datetime
    """When the first of it was filled."""
    closings: list[Liquidated] = field(default_factory=list)

    @property
    def positions(self) -> set[str]:
        return {each.position.position for each in self.closings}

    @property
    def recorded_above(self) -> bool:
        """Whether the firm itself recorded a level above the one at which it liquidates."""
        rows = [each.position for each in self.closings]
        return any(
            row.margin_level is not None and row.stop_out_level is not None and row.margin_level > row.stop_out_level
            for row in rows
        )


def liquidated(facts: LogFacts) -> tuple[list[Liquidated], list[str]]:
    """The fills of forced liquidations among *facts* in the order of time, and what is missing of them."""
    found, missing = [], list[str]()
    positions = {row.position: row for row in facts.positions}
    for order in facts.orders:
        if order.type is not OrderType.STOP_OUT:
            continue
        for fill in facts.fills:
            if fill.order != order.order:
                continue
            position = positions.get(order.position or fill.position or "")
            if position is None:
                missing.append(f"position that order {order.order} closed")
            else:
                found.append(Liquidated(order, fill, position))
    return sorted(found, key=lambda each: (each.fill.at, each.fill.fill)), missing


def suspects_of(closings: Sequence[Liquidated]) -> Callable[[str], str | None]:
    """The source that priced what was closed first in an instrument, else what was closed first of all."""
    sources = {each.fill.symbol: each.fill.source for each in reversed(closings)}
    return lambda symbol: sources.get(symbol, closings[0].fill.source)


def decisions(closings: Sequence[Liquidated]) -> list[Decision]:
    """The closings by the instant at which their orders came in, or were filled where that was not recorded."""
    first = {each.order.order: each.fill.at for each in reversed(closings)}
    found: dict[datetime, Decision] = {}
    for each in closings:
        filled = first[each.order.order]
        received = each.order.received_at
        key = received if received is not None and received <= filled else filled
        found.setdefault(key, Decision(filled)).closings.append(each)
    return sorted(found.values(), key=lambda each: each.at)
