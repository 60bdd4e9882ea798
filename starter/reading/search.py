"""Cases found by words, names, accounts, addresses and telephone numbers, by index, however many cases there are."""

from typing import TYPE_CHECKING, Final

from domain.ground.base import Instant, Record
from domain.ground.search import wanted_terms, wholes
from domain.ground.words import Category, Outcome, Stage
from runtime.keys.searching import hashed

if TYPE_CHECKING:
    from runtime.database import Pool

LOOKED_AT: Final = 500
"""Of a word that so many cases have, no more than these are put in order."""


class FoundCase(Record):
    """A case that was found."""

    reference: str
    received_at: Instant
    account: str | None
    stage: Stage
    category: Category | None
    outcome: Outcome | None
    handler: str | None


async def search(pool: "Pool", wanted: str, *, limit: int = 50) -> list[FoundCase]:
    """The cases that have all words of *wanted*, or that it is an account, address or number of; the newest first.

    What is hidden from who looks is not found. Without keys in this process nothing is.
    """
    words, whole = await hashed(wanted_terms(wanted)), await hashed(wholes(wanted))
    if not (words or whole):
        return []
    return [FoundCase(**row) for row in await pool.fetch(_FOUND, words or whole, whole, LOOKED_AT, limit)]


_FOUND: Final = """
    select c.reference, c.received_at, c.account, c.stage, c.category, c.outcome, c.handler
    from (
        select reference from casefile.search_terms
        where (terms @> $1::bigint[] or terms && $2::bigint[])
            and reference not in (select casefile.hidden_cases())
        limit $3
    ) as found join casefile.cases c using (reference)
    order by c.received_at desc, c.reference limit $4
"""
