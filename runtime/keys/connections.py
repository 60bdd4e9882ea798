"""Connections for keys: kept open by processes that serve, else one for each use."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeAlias
from weakref import WeakKeyDictionary

import asyncpg

from runtime.keys.keyring import KeysUnavailable

PATIENCE: Final = 5.0  # seconds
_MOST: Final = 3  # connections at once
_IDLE: Final = 15.0  # seconds that a connection is kept open without use
_SETTINGS: Final = {"timezone": "UTC", "application_name": "redress keys"}

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record] | asyncpg.Connection[asyncpg.Record]"


class _Unreset(asyncpg.Connection):
    """A connection that no statement here leaves anything to: between two uses there is nothing to reset."""

    def get_reset_query(self) -> str:
        return ""


class Connections:
    """To the database at the address that *url* gives, each time it is connected to; *what* names it in errors."""

    def __init__(self, url: Callable[[], str], what: str) -> None:
        self._url, self._what = url, what
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncpg.Pool[asyncpg.Record]] = WeakKeyDictionary()
        self._alone: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    async def keep_open(self) -> None:
        """Keep connections of this event loop open from now on, until it is closed; without this each use has its own.

        For processes that serve; a command would leave its connection behind.
        """
        self._pools[asyncio.get_running_loop()] = await asyncpg.create_pool(
            await asyncio.to_thread(self._url),
            min_size=0,
            max_size=_MOST,
            connection_class=_Unreset,
            max_inactive_connection_lifetime=_IDLE,
            command_timeout=PATIENCE,
            timeout=PATIENCE,
            server_settings=_SETTINGS,
        )

    async def close(self) -> None:
        """Close the connections of this event loop."""
        if pool := self._pools.pop(asyncio.get_running_loop(), None):
            pool.terminate()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Connection]:
        """A connection. Raises `KeysUnavailable` where it, or what is done with it, fails."""
        try:
            if pool := self._pools.get(asyncio.get_running_loop()):
                async with pool.acquire(timeout=2 * PATIENCE) as connection:
                    yield connection
                return
            async with self._alone.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(_MOST)):
                url = await asyncio.to_thread(self._url)
                alone = await asyncpg.connect(
                    url, timeout=PATIENCE, command_timeout=PATIENCE, server_settings=_SETTINGS
                )
                try:
                    yield alone
                finally:
                    await alone.close(timeout=PATIENCE)
        except (
            OSError,
            TimeoutError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
            asyncpg.PostgresError,
        ) as error:
            state = getattr(error, "sqlstate", None)
            raise KeysUnavailable(f"{self._what} cannot be used ({type(error).__name__} {state or ''})") from error
