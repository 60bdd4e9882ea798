"""PostgreSQL: a pool that speaks JSON and UTC, and the migrations of the schema."""

import asyncio
import contextlib
import hashlib
import json
import re
import socket
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar, cast
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
from pydantic_core import to_json

from runtime import postgres
from runtime.keys.columns import opened, sealed
from runtime.keys.here import keys_here
from runtime.locking import LET_GO
from runtime.paths import MIGRATIONS
from runtime.postgres import WAY_OUT, DatabaseUnavailable
from runtime.roles import grant

Pool: TypeAlias = postgres.Pool
Connection: TypeAlias = postgres.Connection

T = TypeVar("T")

CONNECT_TIMEOUT: Final = 5.0  # seconds
PATIENCE: Final = 20.0
"""Seconds that a statement may take, unless it is known to take long."""
LONG_PATIENCE: Final = 3600.0
"""Seconds for what may lawfully take long: migrations, imports, lists of a whole year."""
_CLOSING: Final = 5.0  # seconds for open connections to say goodbye
_MIGRATION_LOCK: Final = 0x7265_6472  # any number that nobody else locks in this database


UNFIT: Final = (asyncpg.DataError, asyncpg.exceptions._base.DataError)
"""What PostgreSQL cannot be asked for: a zero byte in a text, a number that is too large."""
OUTAGES: Final = (
    OSError,  # keys that are away are one as well
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # so it calls a connection that breaks between two of its own statements
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.TransactionRollbackError,
)
"""What a statement raises that passes by itself, however long it takes: no fault of whoever asked, or of what."""


class MigrationError(Exception):
    """The schema cannot be brought up to date. The message names the file and what to do."""


def without_password(url: str) -> str:
    """The URL for printing."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user.partition(':')[0]}@{host}" if user else host).geturl()


_LOCKED: Final = "advisory_lock("
_LASTING: Final = (_LOCKED, "set_config(")
"""What a statement leaves to its session. Who leaves more than that has a connection of their own."""


class _Opening(asyncpg.Connection):
    """A connection that seals what is marked as personal and opens what it finds sealed, with this process's keys."""

    _left: frozenset[str] = frozenset()
    _along: dict[str, str] | None = None

    def get_reset_query(self) -> str:
        """What the pool says on its way back: nothing, where nothing was left to the session; one round trip in ten."""
        left, self._left = self._left, frozenset()
        return str(super().get_reset_query()) if left else ""

    def _look_at(self, query: str) -> None:
        self._left |= {one for one in _LASTING if one in query}

    @contextlib.contextmanager
    def sending_along(self, along: dict[str, str]) -> Iterator[None]:
        """As `runtime.locking.Sending` says."""
        self._along = along
        try:
            yield
        finally:
            self._along = None

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> Any:  # noqa: ASYNC109 (asyncpg's)
        if self._along and query in self._along:
            query = f"{query} {self._along.pop(query)}"
        self._look_at(query)
        done = await super().execute(query, *await sealed(keys_here(), args), timeout=timeout)
        if LET_GO in query:
            self._left -= {_LOCKED}
        return done

    async def executemany(self, command: str, args: Any, *, timeout: float | None = None) -> None:  # noqa: ASYNC109
        if rows := await sealed(keys_here(), [tuple(row) for row in args]):
            await super().executemany(command, rows, timeout=timeout)

    async def fetch(self, query: str, *args: Any, **options: Any) -> Any:
        self._look_at(query)
        rows = await super().fetch(query, *await sealed(keys_here(), args), **options)
        return await opened(keys_here(), rows)

    async def fetchrow(self, query: str, *args: Any, **options: Any) -> Any:
        self._look_at(query)
        row = await super().fetchrow(query, *await sealed(keys_here(), args), **options)
        return None if row is None else (await opened(keys_here(), [row]))[0]

    async def fetchval(self, query: str, *args: Any, column: int = 0, timeout: float | None = None) -> Any:  # noqa: ASYNC109
        row = await self.fetchrow(query, *args, timeout=timeout)
        return None if row is None else row[column]


class _Pool(asyncpg.Pool):
    """A pool whose connections are waited for, and given back, within a limit."""

    acquire_within: float

    def acquire(self, *, timeout: float | None = None) -> Any:
        """As asyncpg's; without a *timeout* of its own it has the pool's."""
        return super().acquire(timeout=timeout or self.acquire_within)


async def open_pool(
    url: str, *, min_size: int = 0, max_size: int = 10, patience: float = PATIENCE, viewer: str | None = None
) -> Pool:
    """Open a pool of connections; the caller closes it.

    `json` and `jsonb` take what pydantic can write as JSON and give Python back. Money is safe in both directions:
    decimals are written as strings, and a JSON number with a fraction is read as `Decimal`, never as a float.
    Instants are read in UTC. Raises `DatabaseUnavailable` within seconds if there is no server to be had.

    What is marked as `domain.keys.personal.Personal` is sealed with the keys of this process, and what is found sealed
    is opened; where the keys are away, `runtime.keys.keyring.KeysUnavailable` is raised.

    *viewer* is the person who looks through it: cases that they are kept out of are hidden from them. Without one
    nothing is.

    A statement that takes longer than *patience* (seconds) raises `TimeoutError`, and its connection is not used again
    unless the server confirms that it was called off. A statement that may take longer says so (``timeout=``). Up to
    `PATIENCE`, the server ends what such a connection has left behind, with its locks, after three times as long.
    """
    pool = _Pool(
        url,
        init_size=max(1, min_size),
        min_size=min_size,
        max_size=max_size,
        max_queries=50_000,
        max_inactive_connection_lifetime=1.5 * min(patience, PATIENCE),
        connect=None,
        setup=None,
        init=_prepare,
        reset=None,
        loop=None,
        connection_class=_Opening,
        record_class=asyncpg.Record,
        timeout=CONNECT_TIMEOUT,
        command_timeout=patience,
        server_settings=_server_settings(patience) | ({"redress.viewer": viewer} if viewer else {}),
    )
    pool.acquire_within = 1.5 * patience
    try:
        return await pool
    except _CONNECT_ERRORS as error:
        raise DatabaseUnavailable(_explain(url, error)) from None


class _Seen:
    """A pool as one person may see through it; each connection forgets them when it is given back."""

    def __init__(self, pool: Pool, viewer: str) -> None:
        self._pool = pool
        self._viewer = viewer

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        async with self._pool.acquire() as connection:
            await connection.execute("select set_config('redress.viewer', $1, false)", self._viewer)
            yield connection

    async def fetch(self, query: str, *values: Any, **options: Any) -> list[asyncpg.Record]:
        async with self.acquire() as connection:
            return await connection.fetch(query, *values, **options)

    async def fetchrow(self, query: str, *values: Any, **options: Any) -> asyncpg.Record | None:
        async with self.acquire() as connection:
            row: asyncpg.Record | None = await connection.fetchrow(query, *values, **options)
            return row

    async def fetchval(self, query: str, *values: Any, **options: Any) -> Any:
        async with self.acquire() as connection:
            return await connection.fetchval(query, *values, **options)


def seen_by(pool: Pool, viewer: str) -> Pool:
    """*pool* for reading as the person *viewer* may see through it: what they are kept out of is hidden.

    It has ``acquire``, ``fetch``, ``fetchrow`` and ``fetchval``, over the connections of *pool*.
    """
    if not viewer:
        raise ValueError("viewer: nobody is named, and to nobody all is shown")
    return cast(Pool, _Seen(pool, viewer))


class _Held:
    """One connection as a pool, for what is read one after the other."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.fetch, self.fetchrow, self.fetchval = connection.fetch, connection.fetchrow, connection.fetchval

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        yield self._connection


@asynccontextmanager
async def held(pool: Pool) -> AsyncIterator[Pool]:
    """*pool* as one connection that is kept meanwhile: for many short readings, one after the other.

    Each would else wait for a connection, say who looks through it, and have that forgotten. Whoever waits for anything
    but the database meanwhile keeps a connection from others.
    """
    async with pool.acquire() as connection:
        yield cast(Pool, _Held(connection))


async def close_pool(pool: Pool) -> None:
    """Close *pool*, within seconds: connections over which nothing comes any more are cut off."""
    with contextlib.suppress(TimeoutError):  # by then asyncpg has cut them off
        async with asyncio.timeout(_CLOSING):
            await pool.close()


async def while_it_holds(connection: Connection, doing: Coroutine[Any, Any, T]) -> T:
    """Do something under the locks of *connection*, and break it off once that is lost: others have the locks then.

    Raises `ConnectionDoesNotExistError` where it was lost.
    """
    task, lost = asyncio.create_task(doing), asyncio.Event()

    def break_off(_: object) -> None:
        lost.set()
        task.cancel()

    connection.add_termination_listener(break_off)
    try:
        return await task
    except asyncio.CancelledError:
        if not lost.is_set():
            raise
        raise asyncpg.ConnectionDoesNotExistError("the connection was lost, with the locks that it held") from None
    finally:
        with contextlib.suppress(asyncpg.InterfaceError):  # it is not ours any more
            connection.remove_termination_listener(break_off)


async def still_holds(connection: Connection) -> None:
    """Raise `ConnectionDoesNotExistError` unless *connection* is there, with the locks that it holds."""
    try:
        await connection.execute("select")
    except TimeoutError:
        raise asyncpg.ConnectionDoesNotExistError(
            "the connection does not answer, nor is it known what it holds"
        ) from None


def _server_settings(patience: float) -> dict[str, str]:
    """What the server is to do when it no longer hears of us; behind PgBouncer see docs/production.md."""
    settings = {
        "timezone": "UTC",
        "application_name": "redress",
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
        "tcp_user_timeout": "20000",
        "client_connection_check_interval": "10000",
    }
    if patience <= PATIENCE:
        # A proxy may go on to acknowledge what it swallows: then only silence tells that a session is abandoned.
        settings["idle_in_transaction_session_timeout"] = str(int(1500 * patience))
        settings["idle_session_timeout"] = str(int(3000 * patience))
    return settings


def _keep_alive(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Have the operating system notice within 25 s that nothing comes back, however long a statement may take."""
    transport = getattr(connection, "_transport", None)
    line = transport.get_extra_info("socket") if transport else None
    if line is None or line.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE.items():
        if (option := getattr(socket, name, None)) is not None:  # not every system has each
            line.setsockopt(socket.IPPROTO_TCP, option, value)


_KEEP_ALIVE: Final = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 20_000}
"""Seconds, seconds, probes, milliseconds."""


async def migrate(url: str, *, folder: Path = MIGRATIONS) -> list[str]:
    """Bring the schema up to date and return the names of the files applied now.

    Applies `NNNN_name.sql` in the order of their numbers, each in a transaction of its own, and records them with their
    SHA-256 in the table `redress_migrations`; then each database role that is there is given what it may do
    (`runtime.roles`). Several processes may do this at once: each file is applied by one.
    Raises `DatabaseUnavailable`, or `MigrationError` when a file fails or is not the one that was applied.
    """
    migrations = _read_migrations(folder)
    try:
        connection = await asyncpg.connect(
            url, timeout=CONNECT_TIMEOUT, command_timeout=PATIENCE, server_settings=_server_settings(LONG_PATIENCE)
        )
    except _CONNECT_ERRORS as error:
        raise DatabaseUnavailable(_explain(url, error)) from None
    try:
        _keep_alive(connection)
        applied = [name for name, script in migrations if await _apply(connection, name, script)]
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", _MIGRATION_LOCK, timeout=LONG_PATIENCE)
            await grant(connection, anew=bool(applied))
    except (TimeoutError, OSError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise DatabaseUnavailable(_explain(url, error)) from None
    else:
        return applied
    finally:
        await _close(connection)


async def _close(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    with contextlib.suppress(TimeoutError, OSError):
        await connection.close(timeout=_CLOSING)


async def _apply(connection: "asyncpg.Connection[asyncpg.Record]", name: str, script: str) -> bool:
    digest = hashlib.sha256(script.encode()).hexdigest()
    try:
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", _MIGRATION_LOCK, timeout=LONG_PATIENCE)
            # Looked for first: a worker's role may be allowed to use an up-to-date schema, but not to create anything.
            if await connection.fetchval("select to_regclass('public.redress_migrations') is null"):
                await connection.execute(
                    "create table public.redress_migrations"
                    " (name text primary key, sha256 text not null, applied_at timestamptz not null default now())"
                )
            applied = await connection.fetchrow(
                "select sha256, applied_at from public.redress_migrations where name = $1", name
            )
            if applied is None:
                await connection.execute(script, timeout=LONG_PATIENCE)
                await connection.execute(
                    "insert into public.redress_migrations (name, sha256) values ($1, $2)", name, digest
                )
                return True
    except asyncpg.InsufficientPrivilegeError:
        raise MigrationError(
            f"Migration {name} is missing, and this role may not make it: run `redress migrate` as the owner of the"
            " tables first (docs/production.md)."
        ) from None
    except asyncpg.PostgresError as error:
        raise MigrationError(f"Migration {name} failed, nothing of it was kept: {error}") from error
    if applied["sha256"] != digest:
        raise MigrationError(
            f"Migration {name} was changed after it had been applied ({applied['applied_at']:%Y-%m-%d %H:%M} UTC):"
            " put the file back as it was, and the change into a new file with the next number."
        )
    return False


def _read_migrations(folder: Path) -> list[tuple[str, str]]:
    names: dict[str, str] = {}
    scripts = []
    for path in sorted(folder.glob("*.sql")):
        if not re.fullmatch(r"\d{4}_[a-z0-9_]+\.sql", path.name):
            raise MigrationError(f"{path}: the name of a migration must look like 0001_name.sql; rename it.")
        other = names.setdefault(path.name[:4], path.name)
        if other != path.name:
            raise MigrationError(f"{other} and {path.name} have the same number; give one of them the next free one.")
        scripts.append((path.name, path.read_text(encoding="utf-8")))  # line ends as \n, however checked out
    return scripts


async def _prepare(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    _keep_alive(connection)
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, schema="pg_catalog", encoder=_to_json, decoder=_from_json, format="text")


def _to_json(value: Any) -> str:
    return to_json(value).decode()


_JSON: Final = json.JSONDecoder(parse_float=Decimal)


def _from_json(text: str) -> Any:
    return _JSON.decode(text)


_CONNECT_ERRORS: Final = (*OUTAGES, asyncpg.PostgresError, ValueError)


def _explain(url: str, error: Exception) -> str:
    try:
        parts = urlsplit(url)
        host = parse_qs(parts.query).get("host", [parts.hostname or "localhost"])[0]
        place = host if host.startswith("/") else f"{host}:{parts.port or 5432}"
        name = unquote(parts.path.lstrip("/")) or parts.username or "postgres"
    except ValueError:
        error, place, name = asyncpg.ClientConfigurationError(""), "", ""
    where = f"database {name!r} at {place}"
    match error:
        case asyncpg.InvalidCatalogNameError():
            return f"PostgreSQL answers, but there is no {where}. Create it (`createdb {name}`), or set DATABASE_URL."
        case asyncpg.InvalidAuthorizationSpecificationError():
            return f"PostgreSQL refuses the user or password for {where}. Correct them in DATABASE_URL."
        case TimeoutError():
            return f"PostgreSQL does not answer within {CONNECT_TIMEOUT:.0f} s: {where}. {WAY_OUT}"
        case OSError():
            return f"PostgreSQL does not answer: {where} ({error.strerror or error}). {WAY_OUT}"
        case asyncpg.PostgresError():
            return f"PostgreSQL refuses the connection to {where}: {error}"
        case _:  # the parser's own words may quote a piece of the password
            return (
                "DATABASE_URL cannot be read. It must look like postgresql://user:password@host:5432/database, with"
                " the characters / ? # @ : of a password percent-encoded."
            )
