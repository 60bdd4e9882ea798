"""Starts that were accepted and are no case: they wait, or were refused."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

from runtime.watch.readings import WINDOW

if TYPE_CHECKING:
    from runtime.database import Connection


async def read_starts(connection: "Connection", now: datetime) -> tuple[int, int]:
    """How many starts wait to become a case, and how many were refused within the last day."""
    row = await connection.fetchrow(_STARTS, now - WINDOW)
    assert row is not None  # noqa: S101 (an aggregate has one row)
    return row["waiting"], row["refused"]


_STARTS: Final = """
    select count(distinct workflow_id) filter (where state = 'waiting') as waiting,
           count(distinct workflow_id) filter (where state = 'refused' and at > $1) as refused
    from casefile.unopened u
    where not exists (select from casefile.cases c where c.reference = u.workflow_id)
"""
