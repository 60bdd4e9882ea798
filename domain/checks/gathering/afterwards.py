"""What came after a closing: the quotes and charges by which a reference price is found."""

from datetime import datetime, timedelta

from domain.checks.gathering.asked import Asked
from domain.checks.moments import Moment
from domain.checks.profit import ReferenceRule
from domain.log.firm_records import ChargeSchedule
from domain.log.trade_log import Order, OrderType, Position, Quote


async def schedules(asked: Asked, symbol: str, at: datetime) -> list[ChargeSchedule]:
    """The charges of the nights until a reference price that lies after a closing at *at*."""
    if asked.tolerances.reference in {ReferenceRule.AT_THAT_INSTANT, ReferenceRule.REINSTATE}:
        return []
    return await asked.log.schedules(symbol, at, asked.as_of)


async def afterwards(asked: Asked, symbol: str, at: datetime, position: Position | None) -> list[Quote]:
    """What the declared rule for the reference price needs of the time after a closing at *at*."""
    match asked.tolerances.reference:
        case ReferenceRule.WHEN_ABLE_TO_ACT:
            return await asked.log.near(symbol, at + timedelta(minutes=asked.tolerances.act_minutes))
        case ReferenceRule.OWN_STOP_OR_TARGET if position is not None:
            found: list[Quote] = []
            for price, worse in ((position.stop, True), (position.target, False)):
                if price is not None:
                    own = Order(
                        order=position.position,
                        account=position.account,
                        symbol=symbol,
                        side=position.side.opposite,
                        type=OrderType.STOP_LOSS if worse else OrderType.TAKE_PROFIT,
                        volume=position.volume,
                    )
                    reached = await asked.log.first_through(own, price, at, asked.as_of, worse=worse)
                    found += await asked.quotes(Moment(symbol, quote.at, own.side, price) for quote in reached)
            return found
        case ReferenceRule.NEXT_STOP_OUT:
            return await asked.log.first_ticks(symbol, at, asked.as_of)
        case _:
            return []
