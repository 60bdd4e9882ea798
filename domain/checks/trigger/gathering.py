"""Finds the orders that waited for a price, filled or not, and what was quoted while they waited."""

from collections.abc import Sequence
from decimal import Decimal

from domain.checks.facts import LogFacts
from domain.checks.findings import Finding
from domain.checks.gathering.afterwards import afterwards, schedules
from domain.checks.gathering.asked import MOST_ROWS, Asked, Seen, facts_of
from domain.checks.gathering.orders import executions_meant, quotes_through, seen_of, waited_until
from domain.checks.market import PENDING, WAITS_FOR_BETTER, as_limit, is_followed
from domain.checks.moments import STALE, Execution
from domain.checks.reach import passed_by, reach_of_waiting
from domain.checks.trigger.attached import attached
from domain.ground.base import Record
from domain.log.trade_log import Order, OrderType, Position


async def gather(asked: Asked) -> list[Finding]:
    executions, findings = await executions_meant(asked)
    positions = {row.position: row for each in executions if (row := each.position)}
    known = {each.id for each in executions}
    beside = await asked.log.orders(asked.account, sorted(positions))
    waiting = [row for row in beside if row.type in PENDING and row.order not in known]
    every = [(each.order, each) for each in executions] + [(row, _unfilled(row)) for row in waiting]
    seen = dict(zip([each.id for each in executions], await seen_of(asked, executions), strict=True))
    for order, each in every:
        position = each.position or (positions.get(order.position) if order and order.position else None)
        facts = facts_of(each)
        if each.instrument is None and order is not None:
            traded = await asked.log.instruments([order.symbol], waited_until(asked, order, position))
            facts = facts.model_copy(update={"instruments": tuple(traded)})
        quotes, medians, given = seen.get(each.id) or Seen((), (), asked.given)
        if position is not None:
            facts = facts.model_copy(update={"positions": (position,)})
        if order is not None and order.price is not None and _judged(order, each):
            if each.fills:
                at = each.fills[0].at
                after = await afterwards(asked, order.symbol, at, position) if position else []
                charges = await schedules(asked, order.symbol, at)
                rows = {"quotes": (*quotes, *after), "charge_schedules": tuple(charges), "feed_medians": medians}
                facts = facts.model_copy(update=rows)
            if sum((fill.volume for fill in each.fills), Decimal(0)) < order.volume:
                instrument = facts.instrument(order.symbol)
                if not each.fills:
                    until = waited_until(asked, order, position)
                    given = await asked.given_for([instrument] if instrument else [], until)
                limit = given.tolerances.price_of(instrument) if instrument else Decimal(0)
                found = await _in_vain(asked, order, order.price, position, limit)
                facts = facts.model_copy(update=found | {"quotes": (*facts.quotes, *found["quotes"])})
        if order is not None and order.type not in PENDING and each.fills:
            facts = await _attached(asked, order, facts, beside)
        findings.append(asked.judge(each.id, facts, given))
    return findings


async def _attached(asked: Asked, order: Order, facts: LogFacts, beside: Sequence[Order]) -> LogFacts:
    """*facts* with what was quoted while something stood on the position that *order* closed, or opened."""
    held = facts.positions
    if order.position is None:
        named = sorted({fill.position for fill in facts.fills if fill.position}) or list(asked.request.trades)
        held = tuple(await asked.log.positions(asked.account, named, limit=MOST_ROWS)) if named else ()
        beside = await asked.log.orders(asked.account, [row.position for row in held])
    names = {row.position for row in held}
    orders = tuple(dict.fromkeys([*facts.orders, *(row for row in beside if row.position in names)]))
    quotes = list(facts.quotes)
    for position, waits in attached(order, facts.fills, held, orders, asked.as_of):
        quotes += await quotes_through(asked, waits, waits.price or position.open_price, _unfilled(waits), position)
    if all(row.stop is None and row.target is None for row in held):
        return facts
    return facts.model_copy(update={"positions": held, "orders": orders, "quotes": tuple(dict.fromkeys(quotes))})


def _judged(order: Order, each: Execution) -> bool:
    """Whether it can be told when *order* was due: of a filled stop-limit order not without its limit."""
    return is_followed(order) or (order.type is OrderType.STOP_LIMIT and not each.fills)


def _unfilled(order: Order) -> Execution:
    return Execution(id=order.order, order=order, fills=(), instrument=None)


async def _in_vain(
    asked: Asked, order: Order, price: Decimal, position: Position | None, limit: Decimal
) -> dict[str, tuple[Record, ...]]:
    """What was quoted while *order*, or the rest of it, waited in vain, or beyond by *limit*.

    And what closed its position instead.
    """
    nothing = _unfilled(order)
    quotes = await quotes_through(asked, order, price, nothing, position)
    if order.type in WAITS_FOR_BETTER:
        quotes += await quotes_through(asked, order, price - order.side.sign * limit, nothing, position)
    until = waited_until(asked, order, position)
    reach = reach_of_waiting(order, price, quotes, until, Decimal(0)) if order.limit_price else None
    if reach and reach.at and order.limit_price:
        quotes += await asked.log.first_through(order, price, reach.at - STALE, until, worse=True)
        passed = passed_by(order, price, quotes, reach.at).values()
        then = as_limit(order, max((at for at in passed if at <= reach.at + STALE), default=reach.at))
        for beyond in (Decimal(0), limit):
            level = order.limit_price - order.side.sign * beyond
            quotes += await quotes_through(asked, then, level, nothing, position)
    rows: dict[str, tuple[Record, ...]] = {"quotes": tuple(quotes)}
    if position is not None:
        log, account, ids = asked.log, asked.account, [position.position]
        orders = [order, *(row for row in await log.orders(account, ids) if row.order != order.order)]
        rows |= {"fills": tuple(await log.fills_of(account, ids)), "orders": tuple(orders)}
    return rows
