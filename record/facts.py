"""Facts of all cases up to a cut-off, one case after the other: what reports are made from."""

from collections.abc import AsyncIterator, Collection
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeAlias

from domain.learning.facts import CaseFact, case_of
from domain.learning.reviewing import Reviewed

if TYPE_CHECKING:
    import asyncpg

    Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

_AT_ONCE: Final = 500
_WHOLE: Final = 3600.0
"""Seconds for a statement that reads the facts of all cases."""


class NoSuchCutOff(LookupError):
    """The record has no facts up to that number yet."""


async def cut_off(pool: "Pool", wanted: int | None = None) -> int:
    """The number up to which no fact will be added any more; or *wanted*, if that is settled.

    Raises :class:`NoSuchCutOff`.
    """
    settled = int(await pool.fetchval(_SETTLED))
    if wanted is not None and wanted > settled:
        raise NoSuchCutOff(f"--cut-off: the record ends with fact {settled}; give that number or a smaller one")
    return settled if wanted is None else wanted


async def digest_up_to(pool: "Pool", number: int) -> str:
    """SHA-256 over the facts up to *number*: nobody can change one without its changing."""
    return str(await pool.fetchval(_DIGEST, number, timeout=_WHOLE))


async def reviewed_in(pool: "Pool", start: datetime, end: datetime, number: int) -> list[Reviewed]:
    """What reviews from *start* until before *end* found, of the facts up to *number*."""
    return [
        Reviewed(
            reference=row["reference"],
            themes=tuple(dict.fromkeys(one["theme"] for one in row["findings"])),
            causes=tuple(dict.fromkeys(one["cause"] for one in row["findings"] if "cause" in one)),
        )
        for row in await pool.fetch(_REVIEWED, start, end, number)
    ]


async def cases_up_to(pool: "Pool", number: int, references: Collection[str] | None = None) -> AsyncIterator[CaseFact]:
    """Every case as the facts up to *number* tell of it; or those of *references* alone, by index."""
    asked = (_CASES, number) if references is None else (_THESE, number, list(references))
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        await connection.execute("set local work_mem = '64MB'")
        async for row in connection.cursor(*asked, prefetch=_AT_ONCE, timeout=_WHOLE):
            yield case_of(dict(row))


_SETTLED: Final = "select reporting.settled()"
_DIGEST: Final = "select reporting.digest_at($1)"
_REVIEWED: Final = """
    select reference, data -> 'findings' as findings from reporting.facts
    where kind = 'review' and at >= $1 and at < $2 and number <= $3 order by number
"""
_CASES: Final = """
    select reference, received_at, opened, described, state, turns, clocks, awards, findings, cause, feedback, signs,
        incident
    from reporting.cases_at($1)
"""
_THESE: Final = f"{_CASES} where reference = any($2)"
