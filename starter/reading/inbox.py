"""Somebody's inbox, from the case file."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

from domain.people.directory import Refresher, refreshers
from domain.people.inbox import Item, in_order
from record.directory import read_directory
from starter.reading.worklist import View, read_worklist

if TYPE_CHECKING:
    from runtime.database import Pool

_VIEWS: Final = (View.MINE, View.APPROVAL, View.TEAM)


async def read_refreshers(pool: "Pool", who: str, at: datetime) -> list[Refresher]:
    """The courses that *who* has to pass again, and those that are overdue in the teams that they lead."""
    async with pool.acquire() as connection:
        return refreshers(await read_directory(connection), who, at.date())


async def read_inbox(pool: "Pool", who: str, at: datetime, *, limit: int = 200) -> list[Item]:
    """What is on the desk of *who* (an id): their cases, what waits for their decision, their teams'.

    Who complains of the same matter again comes first, then the next duty. A case that they are kept out of *at* that
    moment is in no inbox of theirs. Of the team's cases those that the team's own roles can take are there: nobody's,
    and other people's.
    """
    found: dict[str, Item] = {}
    for view in _VIEWS:
        for item in (await read_worklist(pool, who, view, at, limit=limit)).items:
            found.setdefault(item.case.reference, item)
    return in_order(found.values())[:limit]
