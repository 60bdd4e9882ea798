"""What the findings of a case point to."""

from typing import TYPE_CHECKING, Final

from runtime.causes import load_causes
from starter.reading.database import rows_of

if TYPE_CHECKING:
    from runtime.database import Pool


async def suggested_cause(pool: "Pool", reference: str) -> str | None:
    """The cause that the case's findings point to, if any. Raises :class:`~starter.reading.database.CaseNotFound`."""
    rows = await rows_of(pool, reference, _FOUND)
    return load_causes().suggested((row["check"], row["verdict"]) for row in rows)


_FOUND: Final = """
    select data ->> 'check' as check, data ->> 'verdict' as verdict from reporting.facts
    where reference = $1 and kind = 'finding' order by number desc
"""
