"""Transactions that begin with locks: both are sent at once, for everybody who writes does both."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Final, Protocol, cast

if TYPE_CHECKING:
    from runtime.postgres import Connection

LET_GO: Final = "select pg_advisory_unlock_all()"
"""Gives back every advisory lock that the session holds beyond its transactions."""


def as_sql(text: str) -> str:
    """*text* within a statement that has no parameters: in hexadecimal, so that nothing in it is taken for SQL.

    What `convert_from` answers is collated as a name is, in which no index of ours is.
    """
    return f"(convert_from(decode('{text.encode().hex()}', 'hex'), 'UTF8') collate \"default\")"


def lock_until_end(name: str) -> str:
    """The statement that takes the lock called *name* until the transaction ends."""
    return f"select pg_advisory_xact_lock(hashtextextended({as_sql(name)}, 0))"


def lock_beyond(name: str) -> str:
    """The statement that takes the lock called *name* until the session gives it back."""
    return f"select pg_advisory_lock(hashtextextended({as_sql(name)}, 0))"


@asynccontextmanager
async def locked(connection: "Connection", *locks: str, let_go: bool = False) -> AsyncIterator[None]:
    """A transaction that begins with *locks*, statements without parameters, one after the other.

    What is read in it is as it stands once all are held. With *let_go* its commit gives back the locks of the session.
    Within another transaction it is a part of that, whose end gives nothing back. Raises `RuntimeError` where the locks
    were not sent: by a version of asyncpg that begins a transaction in other words.
    """
    if connection.is_in_transaction():
        async with connection.transaction():
            await connection.execute("; ".join(locks))
            yield
        return
    along = {BEGIN: "; ".join(locks), **({COMMIT: LET_GO} if let_go else {})}
    with cast("Sending", connection).sending_along(along):
        async with connection.transaction():
            if BEGIN in along:
                raise RuntimeError("a transaction has begun without its locks: asyncpg says another thing than BEGIN")
            yield


class Sending(Protocol):
    """A connection that sends more along with what begins and ends its transactions."""

    def sending_along(self, along: dict[str, str]) -> AbstractContextManager[None]:
        """While it lasts, send with `BEGIN` and `COMMIT` the statements that *along* has, and take these out."""


BEGIN: Final = "BEGIN;"
COMMIT: Final = "COMMIT;"
"""As asyncpg says them."""
