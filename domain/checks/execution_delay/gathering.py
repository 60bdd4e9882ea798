"""Finds when the orders were received, and what was quoted then and when they were filled."""

from domain.checks.findings import Finding
from domain.checks.gathering.asked import Asked, facts_of
from domain.checks.gathering.orders import executions_meant
from domain.checks.moments import Moment
from domain.log.firm_records import Happened


async def gather(asked: Asked) -> list[Finding]:
    executions, findings = await executions_meant(asked)
    events = await asked.log.events_of(asked.account, [each.id for each in executions])
    for each in executions:
        own = tuple(event for event in events if event.order == each.id)
        received = [event.at for event in own if event.kind is Happened.RECEIVED]
        if each.order is not None and each.order.received_at is not None:
            received.append(each.order.received_at)
        wanted = [Moment(fill.symbol, at, fill.side, fill.price) for fill in each.fills for at in (fill.at, *received)]
        facts = facts_of(each, quotes=await asked.quotes(wanted), order_events=own)
        findings.append(asked.judge(each.id, facts, await asked.given_of(each)))
    return findings
