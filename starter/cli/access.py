"""How commands reach PostgreSQL and Temporal: those of the settings, or of the stack that runs in the state folder."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import asyncpg

    from starter.client.complaints import Complaints

    Pool = asyncpg.Pool[asyncpg.Record]

T = TypeVar("T")


@asynccontextmanager
async def database() -> "AsyncIterator[Pool]":
    """Connections to the database in use. Raises ``DatabaseUnavailable``."""
    from runtime.database import LONG_PATIENCE, close_pool, find_database, open_pool
    from runtime.settings import load_settings

    pool = await open_pool(find_database(load_settings()), max_size=3, patience=LONG_PATIENCE)
    try:
        yield pool
    finally:
        await close_pool(pool)


def read(query: "Callable[[Pool], Awaitable[T]]") -> T:
    """What *query* finds in the database."""

    async def connected() -> T:
        async with database() as pool:
            return await query(pool)

    return asyncio.run(connected())


def talk(action: "Callable[[Complaints], Awaitable[T]]") -> T:
    """What *action* does with the cases in Temporal. Raises ``TemporalUnavailable``."""
    from runtime.temporal import run
    from starter.client.complaints import Complaints

    async def connected() -> T:
        return await action(await Complaints.connect())

    return run(connected())
