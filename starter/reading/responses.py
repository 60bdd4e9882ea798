"""Which final response the customer has: what they say of one names it by its number."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from runtime.database import Pool

RESPONSE: Final = """
    (select max((told.data ->> 'round')::integer) from casefile.timeline told
    where told.reference = $1 and told.kind = 'stage' and told.text = 'responded'
        and told.at <= (select max(at) from casefile.events where reference = $1 and event = 'responded'))
"""
"""The number of the last final response of the case $1 that is on its way to the customer; null before the first."""
_STANDS: Final = f"select {RESPONSE}"


async def response_of(pool: "Pool", reference: str) -> int | None:
    """The number of the final response that the customer has; ``None`` before the first."""
    found: int | None = await pool.fetchval(_STANDS, reference)
    return found
