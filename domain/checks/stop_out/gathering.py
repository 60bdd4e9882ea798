"""Finds what the replay of a margin level needs: the account around its forced liquidation."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, TypeVar

from domain.checks.findings import Finding
from domain.checks.gathering.afterwards import afterwards, schedules
from domain.checks.gathering.asked import MOST_FILLS, Asked, facts_of
from domain.checks.gathering.orders import executions_meant, medians
from domain.checks.gathering.unanswered import too_many, unanswered
from domain.checks.moments import Execution, Moment
from domain.checks.stop_out.liquidations import EVENT
from domain.ground.base import Record
from domain.log.trade_log import OrderType

R = TypeVar("R", bound=Record)

MOST_POSITIONS: Final = 200
"""Positions and entries of a margin replay, which are all kept as evidence."""


async def gather(asked: Asked) -> list[Finding]:
    """One finding for each event: liquidations each within a minute of the one before."""
    executions, findings = await executions_meant(asked)
    liquidations = [each for each in executions if each.fills and _forced(each)]
    others = [each for each in executions if each not in liquidations]
    if others and not liquidations and not findings:
        findings.append(asked.judge(others[0].id, facts_of(others[0])))
    while liquidations:
        event = await _event(asked, liquidations[0])
        if event is None:
            return [*findings, too_many(asked, f"{MOST_FILLS} orders in a minute", f"一分钟内 {MOST_FILLS} 笔订单")]
        ids = {each.id for each in event}
        liquidations = [each for each in liquidations if each.id not in ids]
        findings.append(await _of_event(asked, event))
    return findings


async def _event(asked: Asked, liquidation: Execution) -> list[Execution] | None:
    """*liquidation* and those before and after it, each within :data:`EVENT` of the next; ``None`` if too many."""
    event, known = [liquidation], 0
    while len(event) > known:
        known = len(event)
        since = min(each.fills[0].at for each in event) - EVENT
        until = max(each.fills[-1].at for each in event) + EVENT
        same = await asked.log.orders_between(asked.account, since, until, limit=MOST_FILLS + 1)
        if len(same) > MOST_FILLS:
            return None
        event = [each for each in await asked.log.executions(asked.account, same) if _forced(each)]
    return event


def _forced(execution: Execution) -> bool:
    return execution.order is not None and execution.order.type is OrderType.STOP_OUT


async def _of_event(asked: Asked, event: Sequence[Execution]) -> Finding:
    log, account = asked.log, asked.account
    at, last = event[0].fills[0].at, event[-1].fills[-1].at
    balance = await log.balance(account, at)
    since = balance[0].at if balance else at
    positions = await log.positions_between(account, since, last, limit=MOST_POSITIONS + 1)
    entries = await log.entries(account, since, last, limit=MOST_POSITIONS + 1)
    if max(len(positions), len(entries)) > MOST_POSITIONS:  # a part of them would give a wrong level
        return unanswered(
            asked,
            event[0].id,
            f"a balance of the account less than {MOST_POSITIONS} positions and entries before the liquidation",
            "Too much happened on your account between the last balance recorded and the liquidation.",
            "自最近一次余额记录至强制平仓之间，您账户的变动过多。",
        )
    terms = await log.terms(account, at)
    symbols = sorted({row.symbol for row in positions} | {fill.symbol for each in event for fill in each.fills})
    instruments = await log.instruments(symbols, at)
    replayed = symbols if terms and balance else []  # without them there is nothing to replay
    quotes = await log.ticks(replayed, at - EVENT, at)
    for symbol in replayed:
        for instant in _decided(event, at):
            quotes += await log.last_quotes(symbol, instant)
        quotes += await log.near(symbol, last)
        quotes += await afterwards(asked, symbol, last, event[0].position)
    quotes += await asked.quotes(
        Moment(fill.symbol, fill.at, fill.side, fill.price) for each in event for fill in each.fills
    )
    ids = [row.position for row in positions]
    given = await asked.given_for(instruments, at)
    needed = await log.margin_rates(account, symbols, at)
    currencies = {row.currency for row in needed if row.currency} | {row.currency for row in instruments}
    currencies |= {row.currency for row in entries} | {row.currency for row in balance}
    rates = await log.rates(currencies, terms[0].currency, at) if terms else []
    facts = facts_of(
        *event,
        quotes=quotes,
        instruments=tuple(instruments),
        positions=tuple(positions),
        account_terms=tuple(terms),
        balances=tuple(balance),
        margin_rates=tuple(needed),
        orders=tuple(_once(await log.orders(account, ids), [each.order for each in event if each.order])),
        fills=tuple(_once(await log.fills_of(account, ids), [fill for each in event for fill in each.fills])),
        feed_medians=await medians(asked, event, quotes, given),
        account_entries=tuple(entries),
        charge_schedules=tuple([row for symbol in symbols for row in await schedules(asked, symbol, last)]),
        rates=tuple(rates),
    )
    return asked.judge(event[0].id, facts, given)


def _decided(event: Sequence[Execution], since: datetime) -> list[datetime]:
    """When the orders of *event* came in, from a minute before *since* on, and when they were filled."""
    came = [each.order.received_at for each in event if each.order and each.order.received_at]
    filled = [fill.at for each in event for fill in each.fills]
    return sorted({*filled, *(at for at in came if at >= since - EVENT)})


def _once(*rows: Iterable[R]) -> list[R]:
    """All *rows*, each once."""
    return list(dict.fromkeys(row for some in rows for row in some))
