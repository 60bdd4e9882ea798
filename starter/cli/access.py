"""How commands reach PostgreSQL and Temporal: those of the settings, or of the stack that runs in the state folder."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from starter.cli.options import ACTOR_VARIABLE, actor

if TYPE_CHECKING:
    from runtime.database import Pool
    from starter.client.complaints import Complaints
    from starter.client.incidents import Incidents
    from starter.client.service import C


T = TypeVar("T")


@asynccontextmanager
async def database() -> "AsyncIterator[Pool]":
    """Connections to the database in use, as whoever ``REDRESS_ACTOR`` names may see it.

    Raises ``DatabaseUnavailable``.
    """
    from runtime.database import LONG_PATIENCE, close_pool, find_database, open_pool
    from runtime.settings import load_settings

    pool = await open_pool(find_database(load_settings()), max_size=3, patience=LONG_PATIENCE, viewer=_viewer())
    try:
        yield pool
    finally:
        await close_pool(pool)


def _viewer() -> str | None:
    """The person who looks: who acts by default, if somebody is named."""
    named = os.environ.get(ACTOR_VARIABLE)
    return actor(named).person if named else None


def read(query: "Callable[[Pool], Awaitable[T]]") -> T:
    """What *query* finds in the database."""

    async def connected() -> T:
        async with database() as pool:
            return await query(pool)

    return asyncio.run(connected())


def talk(action: "Callable[[Complaints], Awaitable[T]]") -> T:
    """What *action* does with the cases in Temporal. Raises ``TemporalUnavailable``."""
    from starter.client.complaints import Complaints

    return _with(Complaints, action)


def talk_of_incidents(action: "Callable[[Incidents], Awaitable[T]]") -> T:
    """What *action* does with the incidents in Temporal. Raises ``TemporalUnavailable``."""
    from starter.client.incidents import Incidents

    return _with(Incidents, action)


def _with(client: "type[C]", action: "Callable[[C], Awaitable[T]]") -> T:
    from runtime.temporal import run
    from starter.client.service import connected

    async def act() -> T:
        return await action(await connected(client))

    return run(act())
