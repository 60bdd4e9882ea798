"""Finds the orders whose execution is doubted, with the quotes around their fills."""

from domain.checks.findings import Finding
from domain.checks.gathering.asked import Asked, facts_of
from domain.checks.gathering.orders import executions_meant, seen_of


async def gather(asked: Asked) -> list[Finding]:
    executions, findings = await executions_meant(asked)
    for each, (quotes, medians, given) in zip(executions, await seen_of(asked, executions), strict=True):
        findings.append(asked.judge(each.id, facts_of(each, quotes=quotes, feed_medians=medians), given))
    return findings
