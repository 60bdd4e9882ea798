"""What every reader needs: connections, the rows of a case, and why there is no case."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal

import asyncpg

from domain.ground.base import Instant, Record

if TYPE_CHECKING:
    from runtime.database import Connection, Pool


class UnopenedStart(Record):
    """What was sent to start a case and is none: it ``waits`` to become one, or was ``refused``, and why.

    ``since`` is when the reason was written down, ``messages`` how many rows are kept of what was sent.
    """

    workflow_id: str
    state: Literal["waiting", "refused"]
    since: Instant
    reason: str
    messages: int


class CaseNotFound(LookupError):
    """There is no case file of that reference; ``start`` is what was sent to become one, if anything was."""

    def __init__(self, reference: str, start: UnopenedStart | None = None) -> None:
        self.start = start
        text = f"there is no case {reference}"
        if start:
            state = "waits to become one" if start.state == "waiting" else "was refused"
            text += f": what was sent {state} since {start.since:%Y-%m-%d %H:%M:%S} UTC: {start.reason}"
        super().__init__(text)


async def rows_of(pool: "Pool", reference: str, query: str) -> list[asyncpg.Record]:
    """The rows that *query* has of a case. Raises :class:`CaseNotFound`."""
    await must_see(pool, reference)
    return await pool.fetch(query, reference)


async def must_see(connection: "Pool | Connection", reference: str) -> None:
    """Raise :class:`CaseNotFound` where there is no such case, or none for who looks: whoever is kept out of it.

    Who looks is said when the pool is opened; of a pool that nobody looks through in particular, nothing is hidden.
    """
    if not await connection.fetchval(_SEEN, reference):
        raise await not_found(connection, reference)


async def must_not_be_hidden(connection: "Pool | Connection", reference: str) -> None:
    """Raise :class:`CaseNotFound` where the case is there, and hidden from who looks."""
    if await connection.fetchval("select casefile.hidden($1)", reference):
        raise CaseNotFound(reference)


async def masking(connection: "Pool | Connection") -> Callable[[str], str]:
    """What takes out of a text the references of cases that are hidden from who looks.

    Cases name others: those of the same matter, those that promise the same, those that point to one incident.
    """
    hidden = {row["reference"] for row in await connection.fetch(_HIDDEN)}
    return lambda text: _REFERENCE.sub(lambda one: _MASKED if one[0] in hidden else one[0], text) if hidden else text


async def list_unopened(pool: "Pool", limit: int = 50) -> list[UnopenedStart]:
    """What was sent to start a case and is none, the newest first."""
    return [UnopenedStart(**row) for row in await pool.fetch(_UNOPENED, limit)]


async def not_found(connection: "Pool | Connection", reference: str) -> CaseNotFound:
    """The error that says that there is no such case, and what was sent to become it, if anything was."""
    row = await connection.fetchrow(_UNOPENED_START, reference)
    return CaseNotFound(reference, UnopenedStart(**row) if row else None)


_SEEN: Final = "select true from casefile.cases where reference = $1 and not casefile.hidden(reference)"
_HIDDEN: Final = "select casefile.hidden_cases() as reference"
_REFERENCE: Final = re.compile("RD-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{5}")
_MASKED: Final = "RD-****-****-*****"
_UNOPENED_START: Final = """
    select workflow_id, state, at as since, reason, count(*) over () as messages
    from casefile.unopened where workflow_id = $1 order by at desc, state limit 1
"""
_UNOPENED: Final = """
    select * from (
        select distinct on (workflow_id)
            workflow_id, state, at as since, reason, count(*) over (partition by workflow_id) as messages
        from casefile.unopened u
        where not exists (select from casefile.cases c where c.reference = u.workflow_id)
          and not exists (select from casefile.incidents i where i.reference = u.workflow_id)
        order by workflow_id, at desc, state) starts
    order by since desc limit $1
"""
