"""What the checks on single orders share: which are meant, and what was quoted for them."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from domain.checks.examination import feeds_to_measure
from domain.checks.facts import Given, cost
from domain.checks.findings import Finding
from domain.checks.gathering.asked import MOST_FILLS, Asked, Seen
from domain.checks.gathering.unanswered import (
    closed_by_another,
    no_orders,
    no_trades_between,
    nothing_named,
    too_many,
    unknown_trades,
)
from domain.checks.market import WAITS_FOR_BETTER, is_followed
from domain.checks.moments import LOOK_AHEAD, STALE, Execution, FeedMedian, Moment, deciding_quotes, moments
from domain.checks.reach import LOOK_BACK, half_of
from domain.log.trade_log import Order, OrderType, Position, Quote

A_DAY: Final = timedelta(hours=24)
"""How long before its end an order is followed of which the log has not when it came: its level may be newer."""

MOST_TRIES: Final = 20
"""How often it is looked for when half of the sources were through a trigger within a minute."""


async def executions_meant(asked: Asked) -> tuple[list[Execution], list[Finding]]:
    """The executions meant, by their ids or by the time, and what is to be said of the rest."""
    request, log = asked.request, asked.log
    tables = await log.tables_of(asked.account, request.trades)
    findings = unknown_trades(asked, tables)
    trades = [trade for trade in dict.fromkeys(request.trades) if tables.get(trade, set()) - {"account_entries"}]
    if trades:
        orders = await log.orders_of(asked.account, trades)
        findings += [no_orders(asked, trade) for trade in trades if trade not in orders]
        chosen = sorted({order for each in orders.values() for order in each})
    elif findings:
        return [], findings
    elif span := asked.span():
        chosen = await log.orders_between(asked.account, *span, limit=MOST_FILLS + 1)
        if not chosen:
            return [], [no_trades_between(asked, *span)]
    else:
        return [], [nothing_named(asked)]
    executions = await log.executions(asked.account, chosen)
    if sum(len(execution.fills) for execution in executions) > MOST_FILLS or len(executions) > 2 * MOST_FILLS:
        return [], [*findings, too_many(asked, f"{MOST_FILLS} fills", f"{MOST_FILLS} 笔成交")]
    by_another = [each for each in executions if each.order is not None and each.order.type is OrderType.CLOSE_BY]
    findings += [closed_by_another(asked, each) for each in by_another]
    return [each for each in executions if each not in by_another], findings


async def seen_of(asked: Asked, executions: Sequence[Execution]) -> list[Seen]:
    """Of each execution what every check on its price goes by, looked up once for all of them."""
    new = [each for each in executions if each.id not in asked.seen]
    wanted = [moment for each in new for moment in moments(each)]
    around, seconds = await asked.quotes(wanted) if wanted else [], asked.tolerances.quote_window_seconds
    for each in new:
        quotes = list(deciding_quotes(around, moments(each), window_seconds=seconds))
        order = each.order
        if order is not None and each.fills and is_followed(order) and order.price is not None:
            quotes += await quotes_through(asked, order, order.price, each, each.position)
        given = await asked.given_of(each)
        middles = await medians(asked, [each], quotes, given)
        asked.seen[each.id] = Seen(tuple(dict.fromkeys(quotes)), middles, given)
    return [asked.seen[each.id] for each in executions]


async def medians(
    asked: Asked, executions: Iterable[Execution], quotes: Sequence[Quote], given: Given
) -> tuple[FeedMedian, ...]:
    """The middles of feeds that nobody else can confirm."""
    tolerances = given.tolerances
    feeds = [feed for each in executions for feed in feeds_to_measure(each, quotes, tolerances=tolerances)]
    return tuple(await asked.log.medians(feeds))


def waited_until(asked: Asked, order: Order, position: Position | None) -> datetime:
    """Until when an order that was not filled waited."""
    return order.ended_at or (position.closed_at if position else None) or asked.as_of


async def quotes_through(
    asked: Asked, order: Order, price: Decimal, each: Execution, position: Position | None
) -> list[Quote]:
    """Of each source its first quote through the trigger, its nearest, and those around these and the fill."""
    until = each.fills[0].at if each.fills else waited_until(asked, order, position)
    worse = order.type not in WAITS_FOR_BETTER
    start = max(position.opened_at, until - A_DAY) if position else until - A_DAY
    quotes: list[Quote] = []
    if order.received_at is not None:
        start = max(order.received_at, until - A_DAY)
        earlier = max(order.received_at, until - LOOK_BACK)
        while earlier < start:
            quotes += await asked.log.first_through(order, price, earlier, start, worse=worse)
            earlier += LOOK_AHEAD
    end = until + timedelta(seconds=asked.tolerances.quote_window_seconds) if each.fills else until
    quotes += await asked.log.through(order, price, start, end, worse=worse)
    quotes += await _at_once(asked, order, price, quotes, end, worse=worse)
    instants = {quote.at for quote in quotes} | {fill.at for fill in each.fills} | {start}
    quotes += await asked.quotes(Moment(order.symbol, at, order.side, price) for at in instants)
    return quotes


async def _at_once(
    asked: Asked, order: Order, price: Decimal, quotes: Sequence[Quote], until: datetime, *, worse: bool
) -> list[Quote]:
    """Of each source its first quote through the trigger from when half of them were there within a minute.

    Where single sources were through it before, one after the other, those are no answer to when it was reached.
    *quotes* have the first of each, and one of each that never was.
    """
    sources, found = {quote.source for quote in quotes}, list[Quote]()
    first = [quote for quote in quotes if _is_through(quote, order, price, worse=worse)]
    for needed in sorted({half_of(len(sources)), half_of(len(sources) - 1)} - {0, 1}):
        times = _times(first)
        for _ in range(MOST_TRIES):
            if len(times) < needed or times[needed - 1] - times[0] <= STALE:
                break
            again = await asked.log.first_through(order, price, times[needed - 1] - STALE, until, worse=worse)
            found += again
            times = _times(quote for quote in again if _is_through(quote, order, price, worse=worse))
    return found


def _times(quotes: Iterable[Quote]) -> list[datetime]:
    """When each source was first there."""
    first: dict[str, datetime] = {}
    for quote in quotes:
        first[quote.source] = min(quote.at, first.get(quote.source, quote.at))
    return sorted(first.values())


def _is_through(quote: Quote, order: Order, price: Decimal, *, worse: bool) -> bool:
    sign = order.side.sign
    return (1 if worse else -1) * (cost(sign, quote) - sign * price) >= 0
