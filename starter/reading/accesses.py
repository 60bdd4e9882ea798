"""The access log: who read personal data, of which case, by what way, what for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from domain.keys.personal import Row
from domain.keys.scopes import ACCESSES

if TYPE_CHECKING:
    from runtime.database import Pool


class Means(StrEnum):
    """By what way somebody reads."""

    COMMAND_LINE = "command_line"
    PAGES = "pages"
    API = "api"
    CODEC = "codec"


@dataclass(frozen=True)
class Access:
    """*who* (``role:id``) reads *what* of the cases or incidents *references*, and *purpose*, what for.

    Nothing personal belongs into it: no search words, no names of customers.
    """

    who: str
    means: Means
    what: str
    references: Sequence[str] = ()
    purpose: str | None = None


@dataclass(frozen=True)
class Accessed:
    """One line of the access log. *at* is in UTC."""

    at: datetime
    who: str
    means: str
    what: str
    reference: str | None
    purpose: str | None


async def note_access(pool: "Pool", access: Access) -> None:
    """Write it down. To be awaited before what was read is shown: what cannot be written down is not shown."""
    references: list[str | None] = [*dict.fromkeys(access.references)] or [None]
    purposes = [Row("casefile.accesses", ACCESSES, one or "")("purpose", access.purpose) for one in references]
    await pool.execute(_NOTE, access.who, access.means.value, access.what, references, purposes)


async def accesses(
    pool: "Pool", *, reference: str | None = None, who: str | None = None, limit: int = 100
) -> list[Accessed]:
    """The last reads, the newest first: of one case, by one person, or all; without cases hidden from who looks."""
    return [Accessed(**row) for row in await pool.fetch(_LAST, reference, who, limit)]


_NOTE: Final = """
    insert into casefile.accesses (who, means, what, reference, purpose)
    select $1, $2, $3, reference, purpose from unnest($4::text[], $5::text[]) as each (reference, purpose)
"""
_LAST: Final = """
    select at, who, means, what, reference, purpose from casefile.accesses
    where ($1::text is null or reference = $1) and ($2::text is null or who = $2)
        and (reference is null or reference not in (select casefile.hidden_cases()))
    order by id desc limit $3
"""
