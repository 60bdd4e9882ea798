"""The stop-loss and take-profit that stand on a position, of which the log has no order of their own."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from domain.checks.facts import Given, Report
from domain.checks.findings import Finding, Verdict
from domain.checks.market import PENDING, TYPES, WAITS_FOR_BETTER, price_text, utc
from domain.checks.reach import Reach, reach_of_waiting
from domain.ground.words import Confidence
from domain.log.trade_log import Fill, Instrument, Order, OrderType, Position

FOLLOWED: Final = timedelta(hours=24)
"""How long before its end a position is followed: the log has its last levels, and not since when they stood."""


def attached(
    order: Order, fills: Iterable[Fill], positions: Iterable[Position], orders: Iterable[Order], as_of: datetime
) -> list[tuple[Position, Order]]:
    """What stood on the position that *order* closed, or opened if it is open still, as orders that wait until then.

    Nothing for an order that itself waited for a price, nor of a kind of which *orders* have one of that position.
    """
    own = [fill for fill in fills if fill.order == order.order]
    if order.type in PENDING or not own:
        return []
    found = []
    for position in positions:
        closes = position.position == order.position
        if not closes and (position.closed_at is not None or not any(_opened(fill, position) for fill in own)):
            continue
        came = [at for at in (order.received_at, min(fill.at for fill in own)) if at is not None]
        until = min(came) if closes else as_of
        known = {row.type for row in orders if row.position == position.position}
        for kind, level in ((OrderType.STOP_LOSS, position.stop), (OrderType.TAKE_PROFIT, position.target)):
            if level is not None and kind not in known and until > position.opened_at:
                waits = Order(
                    order=position.position, account=position.account, symbol=position.symbol,
                    side=position.side.opposite, type=kind, volume=position.volume, price=level,
                    position=position.position, received_at=max(position.opened_at, until - FOLLOWED), ended_at=until,
                )  # fmt: skip
                found.append((position, waits))
    return found


def _opened(fill: Fill, position: Position) -> bool:
    if fill.position is not None and fill.position != position.position:
        return False
    return (fill.symbol, fill.side, fill.at) == (position.symbol, position.side, position.opened_at)


def waited_for_nothing(report: Report, order: Order, instrument: Instrument, given: Given) -> Finding:
    """*order* waited for no price itself: was one passed that stood on its position?

    That a level was passed proves nothing: it may have been moved there afterwards. A person looks at it.
    """
    report.say(f"Order {order.order} waited for no price.", f"订单 {order.order} 并非等待触发的委托。")
    facts, tolerance = report.facts, given.tolerances.price_of(instrument)
    passed, missing = [], []
    for position, waits in attached(order, facts.fills, facts.positions, facts.orders, given.as_of):
        level, until = waits.price, waits.ended_at
        if level is None or until is None:
            continue
        name, price = TYPES[waits.type], price_text(level, instrument)
        beyond = tolerance if waits.type in WAITS_FOR_BETTER else tolerance * 0
        reach = reach_of_waiting(waits, level, facts.quotes, until, beyond)
        report.numbers[waits.type.value] = price
        if reach.at is not None:
            passed.append(f"since when position {position.position} had its {name.en} at {price}")
            _tell_passed(report, waits, price, reach, reach.at)
        elif not reach.sources:
            missing.append(f"quotes of {waits.symbol} until {until.isoformat()}")
        else:
            report.say(
                f"No valid price passed the {name.en} of its position, {price}, in the 24 hours before.",
                f"此前 24 小时内，没有有效报价越过该持仓的{name.zh}价格 {price}。",
            )
    if passed or missing:
        return report.lacking(
            *passed, *missing,
            en="Whether its position should have been closed before cannot be told from our records; a person will "
            "look at it.",
            zh="该持仓是否应更早平仓无法依据我司记录判断，将由人工核查。",
        )  # fmt: skip
    return report.concluded(Verdict.NO_FAULT, Confidence.CERTAIN, currency=instrument.currency)


def _tell_passed(report: Report, waits: Order, price: str, reach: Reach, at: datetime) -> None:
    name = TYPES[waits.type]
    report.numbers[f"{waits.type.value}.reached_at"] = at.isoformat()
    report.numbers["valid_sources"] = ", ".join(reach.sources)
    report.say(
        f"The {name.en} that stood on its position last is {price}; valid prices passed that on {utc(at)}, and our "
        "records do not hold since when it stood there.",
        f"该持仓最后的{name.zh}价格为 {price}；有效报价于 {utc(at)} 越过该价格，而我司记录未载明该价格自何时起设置。",
    )
