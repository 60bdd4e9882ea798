"""PostgreSQL as all who use it speak of it: its connections, and where it is."""

from typing import Final, TypeAlias

import asyncpg

from runtime.running import running_stack, why_not
from runtime.settings import Settings

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record] | asyncpg.Connection[asyncpg.Record]"
WAY_OUT: Final = "Start it, or set DATABASE_URL; without a server of your own, `redress up` brings one."


class DatabaseUnavailable(Exception):
    """PostgreSQL cannot be used. The message names host and database, never the password, and what to do."""


def find_database(settings: Settings) -> str:
    """The URL of the database: `DATABASE_URL`, else that of the stack running in the state folder.

    Raises `DatabaseUnavailable` if there is neither.
    """
    if settings.database_url:
        return settings.database_url
    stack = running_stack(settings.state_dir)
    if stack and stack.database_url:
        return stack.database_url
    raise DatabaseUnavailable(
        why_not(settings, "database", "DATABASE_URL")
        or f"No database: DATABASE_URL is not set, and no `redress up` runs in {settings.state_dir.absolute()}."
        f" {WAY_OUT}"
    )
