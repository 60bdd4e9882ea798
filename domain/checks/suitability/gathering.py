"""Finds the positions with what was asked before them."""

from domain.checks.findings import Finding
from domain.checks.gathering.asked import Asked
from domain.checks.gathering.positions import held, positions_meant
from domain.checks.gathering.unanswered import nothing_named
from domain.checks.suitability.finding import ON_RECORD


async def gather(asked: Asked) -> list[Finding]:
    if not asked.request.trades and not asked.span():
        return [nothing_named(asked)]
    positions, findings = await positions_meant(asked)
    for position in positions:
        assessed = await asked.log.appropriateness(asked.account, [position.symbol])
        facts = await held(asked, position, terms_at=position.opened_at)
        kept = await asked.log.assessments_kept(position.opened_at - ON_RECORD, position.opened_at)
        facts = facts.model_copy(update={"appropriateness": tuple(assessed), "assessments_kept": (kept,)})
        findings.append(asked.judge(position.position, facts))
    return findings or [nothing_named(asked)]
