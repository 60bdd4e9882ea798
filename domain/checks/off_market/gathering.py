"""Finds the orders with what all sources quoted around their fills."""

from domain.checks.findings import Finding
from domain.checks.gathering.asked import Asked, facts_of
from domain.checks.gathering.orders import executions_meant, seen_of


async def gather(asked: Asked) -> list[Finding]:
    executions, findings = await executions_meant(asked)
    for each, (seen, medians, given) in zip(executions, await seen_of(asked, executions), strict=True):
        near = [quote for fill in each.fills for quote in await asked.log.near(fill.symbol, fill.at)]
        facts = facts_of(each, quotes=[*seen, *near], feed_medians=medians)
        findings.append(asked.judge(each.id, facts, given))
    return findings
