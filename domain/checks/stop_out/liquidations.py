"""The forced liquidations of an account within a minute: what was closed, and what was decided at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from domain.checks.facts import LogFacts
from domain.log.trade_log import Fill, Order, OrderType, Position

EVENT: Final = timedelta(seconds=60)
"""Liquidations of an account within this time of each other belong to one event."""


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


def liquidated(facts: LogFacts, subject: str) -> tuple[list[Liquidated], list[str]]:
    """The fills of the event that the forced liquidation *subject* is of, in the order of time, and what is missing.

    Positions may have been liquidated in other events too: those are part of the account's replay.
    """
    forced = {row.order: row for row in facts.orders if row.type is OrderType.STOP_OUT}
    fills = sorted((row for row in facts.fills if row.order in forced), key=lambda each: (each.at, each.fill))
    event = {fill.fill for fill in fills if fill.order == subject}
    for way in (fills, fills[::-1]):
        last = None
        for fill in way:
            if fill.fill in event or (last is not None and abs(fill.at - last) <= EVENT):
                event.add(fill.fill)
                last = fill.at
    found, missing = [], list[str]()
    positions = {row.position: row for row in facts.positions}
    for fill in fills:
        if fill.fill in event:
            order = forced[fill.order]
            position = positions.get(order.position or fill.position or "")
            if position is None:
                missing.append(f"position that order {order.order} closed")
            else:
                found.append(Liquidated(order, fill, position))
    return found, missing


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
