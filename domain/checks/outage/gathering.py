"""Finds the attempts that did not get through, and the outages at their time."""

from datetime import datetime

from domain.checks.facts import LogFacts
from domain.checks.findings import Finding
from domain.checks.gathering.asked import MOST_ROWS, Asked
from domain.checks.gathering.unanswered import nothing_named, too_many, unknown_trades
from domain.checks.outage.finding import ACCOUNT, ATTEMPTS
from domain.log.firm_records import OrderEvent, Outage


async def gather(asked: Asked) -> list[Finding]:
    """One finding for each attempt that did not get through."""
    trades, log = asked.request.trades, asked.log
    findings: list[Finding] = []
    events: list[OrderEvent] = []
    if trades:
        tables = await log.tables_of(asked.account, trades)
        findings = unknown_trades(asked, tables)
        orders = await log.orders_of(asked.account, trades)
        ids = sorted({order for each in orders.values() for order in each})
        named = [trade for trade in trades if "positions" in tables.get(trade, ())]
        positions = [row.position for row in await log.positions(asked.account, named, limit=MOST_ROWS)]
        happened = await log.events_of(asked.account, ids, positions)
        events = [row for row in happened if row.kind in ATTEMPTS]
        if not events and findings:
            return findings
    span = asked.span()
    if not events and span:
        events = await log.refused_between(asked.account, *span, limit=MOST_ROWS + 1)
        if len(events) > MOST_ROWS:
            return [*findings, too_many(asked, f"{MOST_ROWS} attempts", f"{MOST_ROWS} 次尝试")]
    attempts = [event for event in events if event.kind in ATTEMPTS]
    if not attempts:
        if not span:
            return findings or [nothing_named(asked)]
        facts = LogFacts(outages=tuple(await log.outages(*span, limit=MOST_ROWS)))
        return [*findings, asked.judge(ACCOUNT, facts)]
    for attempt in attempts:
        findings.append(asked.judge(attempt.event, await _of_attempt(asked, attempt)))
    return findings


async def _of_attempt(asked: Asked, attempt: OrderEvent) -> LogFacts:
    """The position that *attempt* was to close, how it was closed, and the attempts at the same before it."""
    log, account = asked.log, asked.account
    outages = await _until_the_last(asked, attempt.at)
    since = min((row.since for row in outages), default=attempt.at)
    tried = await log.refused_between(account, since, attempt.at, limit=MOST_ROWS)
    alike = (attempt.symbol, attempt.side, attempt.position)
    earlier = [row for row in tried if (row.symbol, row.side, row.position) == alike]
    named = [attempt.position] if attempt.position else list(asked.request.trades)
    positions = await log.positions(account, named, limit=MOST_ROWS) if named else []
    own = [row for row in positions if row.symbol == attempt.symbol and row.side is attempt.side.opposite]
    ids = [row.position for row in own]
    instants = {attempt.at, *(row.at for row in earlier), *(row.until for row in outages if row.until is not None)}
    quotes = {quote: None for at in sorted(instants) for quote in await log.last_quotes(attempt.symbol, at)}
    return LogFacts(
        order_events=tuple(dict.fromkeys([*earlier, attempt])),
        outages=tuple(outages),
        positions=tuple(own),
        orders=tuple(await log.orders(account, ids)),
        fills=tuple(await log.fills_of(account, ids)),
        quotes=tuple(quotes),
        instruments=tuple(await log.instruments([attempt.symbol], attempt.at)),
    )


async def _until_the_last(asked: Asked, at: datetime) -> list[Outage]:
    """The outages of the instant *at*, and those that began before they had ended."""
    since, until, outages = at, at, list[Outage]()
    while True:
        found = await asked.log.outages(since, until, limit=MOST_ROWS)
        if len(found) == len(outages):
            return found
        outages = found
        since = min(row.since for row in found)
        until = max(row.until or asked.as_of for row in found)
