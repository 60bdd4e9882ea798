"""Finds the orders that were refused, what was quoted meanwhile, and how all customers' orders were refused."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.checks.facts import LogFacts
from domain.checks.findings import ALL_CUSTOMERS, Finding
from domain.checks.gathering.asked import MOST_ROWS, Asked, facts_of
from domain.checks.gathering.orders import executions_meant
from domain.checks.gathering.unanswered import too_many, unanswered
from domain.checks.moments import Moment
from domain.checks.requote.finding import LATER
from domain.log.firm_records import OrderEvent


async def gather(asked: Asked) -> list[Finding]:
    """One finding an order that was refused, and one on the refusals of all customers."""
    log = asked.log
    findings: list[Finding] = []
    if asked.request.trades or not (span := asked.span()):
        executions, findings = await executions_meant(asked)
        ids = [each.id for each in executions]
    else:
        refused = await log.refused_between(asked.account, *span, limit=MOST_ROWS + 1)
        if len(refused) > MOST_ROWS:
            return [too_many(asked, f"{MOST_ROWS} refusals", f"{MOST_ROWS} 次拒绝")]
        ids = sorted({event.order for event in refused if event.order is not None})
        executions = await log.executions(asked.account, ids) if ids else []
        if not ids:
            return [_nothing_refused(asked, *span)]
    events = await log.events_of(asked.account, ids)
    symbols: dict[str, datetime] = {}
    for each in executions:
        own = tuple(event for event in events if event.order == each.id)
        facts = facts_of(each, order_events=own)
        if own:
            symbols.setdefault(own[0].symbol, own[0].at)
            facts = await _around_refusal(asked, facts, own)
        given = await asked.given_for(facts.instruments, own[0].at) if own else asked.given
        findings.append(asked.judge(each.id, facts, given))
    window = timedelta(minutes=asked.tolerances.population_window_minutes)
    for symbol, at in symbols.items():
        facts = LogFacts(
            requote_shares=tuple(await log.requote_shares(symbol, at - window, at + window)),
            instruments=tuple(await log.instruments([symbol], at)),
        )
        findings.append(asked.judge(f"{ALL_CUSTOMERS}{symbol}", facts))
    return findings


async def _around_refusal(asked: Asked, facts: LogFacts, events: Sequence[OrderEvent]) -> LogFacts:
    first = events[0]
    priced = [event for event in events if event.price is not None]
    price = priced[0].price if priced else None
    wanted = [Moment(each.symbol, each.at, each.side, price) for each in events if price is not None]
    later = await asked.log.fills_between(asked.account, first.symbol, first.side, events[-1].at, events[-1].at + LATER)
    return facts.model_copy(
        update={
            "quotes": tuple(await asked.quotes(wanted)),
            "fills": (*facts.fills, *later),
            "instruments": tuple(await asked.log.instruments([first.symbol], first.at)),
        }
    )


def _nothing_refused(asked: Asked, start: datetime, end: datetime) -> Finding:
    return unanswered(
        asked,
        "account",
        "a requoted or rejected order, or the exact time of it",
        f"The log of your account has no requote or rejection from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC.",
        f"您的账户在 {start:%Y-%m-%d %H:%M} 至 {end:%Y-%m-%d %H:%M} UTC 期间没有重新报价或拒单记录。",
    )
