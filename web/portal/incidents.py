"""Faults of ours that we know of, told before somebody complains of one."""

from datetime import datetime
from typing import Final

from domain.ground.base import Instant, Record
from runtime.database import Pool

# Only what was approved to be told: somebody has looked at the whole list of accounts.
_KNOWN: Final = """
    select since, until, opened -> 'title' ->> 'en' as en, opened -> 'title' ->> 'zh' as zh
    from casefile.incidents
    where stage in ('compensating', 'closed') and since > $1::timestamptz - interval '60 days'
    order by since desc limit 5
"""


class Known(Record):
    """A fault: what customers are told of it, and when it was (UTC)."""

    since: Instant
    until: Instant
    en: str
    zh: str


async def known_incidents(pool: Pool, at: datetime) -> list[Known]:
    """The faults of the last sixty days that customers are told of, the newest first."""
    return [Known(**row) for row in await pool.fetch(_KNOWN, at) if row["en"] and row["zh"]]
