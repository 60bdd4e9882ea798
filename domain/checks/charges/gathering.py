"""Finds the positions with the schedules of charges that held while they were open."""

from domain.checks.findings import Finding
from domain.checks.gathering.asked import Asked
from domain.checks.gathering.positions import held, positions_meant


async def gather(asked: Asked) -> list[Finding]:
    positions, findings = await positions_meant(asked)
    for position in positions:
        until = position.closed_at or asked.as_of
        facts = await held(asked, position, terms_at=until)
        schedules = await asked.log.schedules(position.symbol, position.opened_at, until)
        currencies = [row.currency for row in facts.account_terms] + [row.currency for row in facts.instruments]
        bases = [*currencies[1:], *(row.currency for row in schedules)]
        rates = await asked.log.rates(bases, currencies[0], until) if currencies else []
        facts = facts.model_copy(update={"charge_schedules": tuple(schedules), "rates": tuple(rates)})
        findings.append(asked.judge(position.position, facts))
    return findings
