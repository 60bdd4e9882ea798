"""Tell open cases that people changed: who works here, or how their customer is dealt with.

The record says which, in the transaction of the change. Any number of processes may tell them side by side; a case
that is told twice looks twice, and finds the same.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, timedelta
from typing import Final

import structlog

from domain.case.messages.signals import PeopleChanged
from domain.ground.people import SYSTEM
from runtime.database import Pool
from starter.client.complaints import CaseClosed, CaseNotFound, Complaints

OFTEN: Final = timedelta(seconds=2)
"""How often it is looked which cases are to be told."""
_AGAIN: Final = timedelta(minutes=1)
"""A case that could not be told is told after as long."""
_AT_ONCE: Final = 50


class PeopleChanges:
    """Tells the cases that wait in ``casefile.people_changes``."""

    def __init__(self, pool: Pool, complaints: Complaints) -> None:
        self._pool = pool
        self._complaints = complaints

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tell them for as long as this is entered."""
        task = asyncio.create_task(self._run(), name="people-changes")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self) -> None:
        log = structlog.get_logger("people")
        while True:
            try:
                more = await self.tell()
            except Exception as error:
                log.error("cases could not be told that people changed", error=type(error).__name__)  # noqa: TRY400 (it may quote)
                more = False
            if not more:
                await asyncio.sleep(OFTEN.total_seconds())

    async def tell(self) -> bool:
        """Tell the cases whose time has come; whether there may be more. Raises what stands in the way."""
        rows = await self._pool.fetch(_TAKE, _AGAIN, _AT_ONCE)
        for row in rows:
            reference, at = row["reference"], row["at"]
            message = PeopleChanged(message_id=f"people-{at.astimezone(UTC):%Y%m%dT%H%M%S.%f}", actor=SYSTEM)
            # A case that is closed, or whose workflow is not there, has nobody to give anything to.
            with contextlib.suppress(CaseClosed, CaseNotFound):
                await self._complaints.send(reference, message)
            await self._pool.execute(_TOLD, reference, at)
        return len(rows) == _AT_ONCE


_TAKE: Final = """
    update casefile.people_changes set next_at = clock_timestamp() + $1
    where (reference, at) in (
        select reference, at from casefile.people_changes where next_at <= clock_timestamp()
        order by next_at limit $2 for update skip locked
    )
    returning reference, at
"""
_TOLD: Final = "delete from casefile.people_changes where (reference, at) = ($1, $2)"
