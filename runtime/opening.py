"""The record, with the keys that open it, for a process that serves people or takes in what they send."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runtime.database import Pool, close_pool, migrate, open_pool
from runtime.keys.here import hold_keys
from runtime.postgres import find_database
from runtime.settings import Settings


@asynccontextmanager
async def opened_record(settings: Settings) -> AsyncIterator[Pool]:
    """Connections to the record of *settings*, brought to the newest schema; its keys are held meanwhile.

    Raises `runtime.postgres.DatabaseUnavailable` and `runtime.settings.ConfigurationError`.
    """
    url = find_database(settings)
    await migrate(url)
    vault = hold_keys(settings)
    if vault:
        await vault.keep_open()
    pool = await open_pool(url, patience=settings.database_timeout)
    try:
        yield pool
    finally:
        await close_pool(pool)
        if vault:
            await vault.close()
