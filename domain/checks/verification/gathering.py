"""Finds what the account log has of verification."""

from typing import Final

from domain.checks.facts import LogFacts
from domain.checks.findings import Finding
from domain.checks.gathering.asked import Asked
from domain.checks.gathering.unanswered import no_row

MOST_STEPS: Final = 50
"""Steps of verification that are looked at, the latest."""


async def gather(asked: Asked) -> list[Finding]:
    rows = await asked.log.verifications(asked.account, asked.as_of, limit=MOST_STEPS)
    if not rows:
        return [no_row(asked, "request for verification", "身份验证请求")]
    return [asked.judge("account", LogFacts(account_log=tuple(rows)))]
