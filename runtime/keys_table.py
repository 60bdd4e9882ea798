"""The table of keys, in a database that may be another than the record's."""

from runtime.database import migrate
from runtime.keys.here import keys_database
from runtime.paths import KEY_MIGRATIONS
from runtime.settings import Settings


async def keys_table(settings: Settings) -> list[str]:
    """Make the table of keys, or bring it up to date; returns the names of the migrations that were applied now."""
    return await migrate(keys_database(settings), folder=KEY_MIGRATIONS)
