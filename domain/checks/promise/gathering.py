"""Finds what the latest messages say that may be a promise."""

from typing import Final

from domain.checks.facts import LogFacts
from domain.checks.findings import Finding
from domain.checks.gathering.asked import Asked
from domain.checks.promise.finding import MOST_QUOTED, promises

MOST_MESSAGES: Final = 2_000
"""Messages to a customer that are searched for promises, the latest."""


async def gather(asked: Asked) -> list[Finding]:
    rows = await asked.log.messages_to(asked.account, asked.as_of, limit=MOST_MESSAGES)
    found = [row for row in rows if promises(row.text)][-MOST_QUOTED:]
    return [asked.judge("account", LogFacts(messages=tuple(found)))]
