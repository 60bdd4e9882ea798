"""What all tests share: real servers, started once, each test with a database and a task queue of its own.

Nothing of the shell's configuration reaches a test, every port is a free one, and no process outlives the run.
"""

import asyncio
import gc
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn, cast

import asyncpg
import psutil
import pytest
import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session
from hypothesis import settings
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import _worker

from runtime.database import migrate, open_pool
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.keys.here import hold, hold_keys, keys_here
from runtime.keys.keyring import FileKeyring
from runtime.keys.vault import Vault
from runtime.keys_table import keys_table
from runtime.settings import load_settings
from tests.replaying import LIVES, note_every_life
from tests.servers import skipping_server, whole_server
from tests.signing import make_keys
from tests.speech import listen
from tests.workflows.recording import record

# The sandbox loads the workflow's modules anew for every case: with bytecode that costs a fifth less of the whole run.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A busy machine is no failure; where a property needs more examples, it says so.
settings.register_profile("redress", deadline=None, max_examples=30)
settings.load_profile("redress")

# Nothing in these databases is worth keeping, so nothing waits for the disk.
_FAST: Final = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "synchronous_commit": "off",
}


# A whole collection walks all that is loaded, which stays: a tenth of the run's time went into it.
gc.freeze()
gc.set_threshold(50_000, 20, 100)


_FOR_TESTS: Final = {"REDRESS_SHARED_DATA", "REDRESS_TRIAL_SEED"}


def pytest_configure(config: pytest.Config) -> None:
    """Forget the shell's configuration, and end in good order when the run is terminated."""
    for name in list(os.environ):
        ours = name == "DATABASE_URL" or name.startswith(("REDRESS_", "TEMPORAL_", "PG"))
        if ours and name not in _FOR_TESTS:
            del os.environ[name]
    os.environ["TEMPORAL_CONFIG_FILE"] = os.devnull  # and not the one in the home folder
    # Temporal's servers and commands clear up after four times as much: a third of their processor's time went into it.
    os.environ["GOGC"] = "400"
    identity = tempfile.TemporaryDirectory(prefix="redress-")
    config.add_cleanup(identity.cleanup)
    make_keys(Path(identity.name))

    def terminate(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt("terminated")

    signal.signal(signal.SIGTERM, terminate)
    # Under nohup, or behind "&" in a script, they would be ignored, by what tests start too.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # aiosmtpd asks asyncio what Python 3.14 wants to be asked of inspect
    config.addinivalue_line("filterwarnings", "ignore::DeprecationWarning:aiosmtpd.smtp")
    # The SDK breaks off a workflow's task wherever it is after two seconds; Hypothesis times every collection.
    config.addinivalue_line("filterwarnings", _BROKEN_OFF)
    # Of a failure that a test brings about, a table of all variables is drawn: a thirtieth of the run's time.
    structlog.dev.ConsoleRenderer.get_active().exception_formatter = structlog.dev.plain_traceback
    # Else the first small worker of a process takes a sum of the code of all modules, and compiles every test for it.
    setattr(_worker, "_default_build_id", "tests")  # noqa: B010 (mypy minds another way to say it)
    note_every_life()


_BROKEN_OFF: Final = "ignore:Exception ignored in.*gc_cumulative_time:pytest.PytestUnraisableExceptionWarning"

_HERE: Final = Path(__file__).parent
_WITH_SERVERS: Final = {
    *("cli", "client", "demo", "end_to_end", "identity", "intake", "runtime", "trial", "watch", "web"),
    "test_deployment.py",
}


@pytest.hookimpl(trylast=True)  # after the shuffle
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where processes are started, they share the keys of the tests; what takes longest comes first."""
    items[:] = _long_ones_first(items, getattr(config, "workerinput", {}).get("workercount", 1))
    for item in items:
        if isinstance(item, pytest.Function) and item.path.relative_to(_HERE).parts[0] in _WITH_SERVERS:
            item.fixturenames.insert(0, "keys")


def _long_ones_first(items: list[pytest.Item], processes: int) -> list[pytest.Item]:
    """The long ones first in each of the even parts that xdist deals out: else all wait for one of them at the end."""
    long = [item for item in items if item.get_closest_marker("long")]
    rest = iter([item for item in items if not item.get_closest_marker("long")])
    ordered: list[pytest.Item] = []
    for process in range(processes):
        part = (len(items) - len(ordered)) // (processes - process)
        first = long[process::processes]
        ordered += [*first, *islice(rest, max(0, part - len(first)))]
    assert len(ordered) == len(items)
    return ordered


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests recorded with `record_property`."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")


def pytest_unconfigure() -> None:
    """Let the Temporal SDK's native threads let go of Python before Python ends (temporalio/sdk-python#300)."""
    time.sleep(0.2)


@pytest.fixture(scope="session", autouse=True)
async def _last_replay(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[None]:
    """What servers of the whole run still had to tell when they stopped."""
    yield
    if wrong := await LIVES.replay(tmp_path_factory.getbasetemp(), everywhere=True):
        pytest.fail("\n".join(wrong))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record-histories", type=Path, help="folder to put the history of every case into")
    parser.addoption("--record-all-histories", type=Path, help="folder to put the history of every workflow into")
    parser.addoption("--write-guards", action="store_true", help="write the list of what guards the record anew")


_KEYS: list[Vault] = []
"""The keys of this process, once a test has needed any."""


@pytest.fixture(autouse=True)
async def _every_workflow_replays(
    request: pytest.FixtureRequest, _last_replay: None, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[None]:
    """Whatever workflow a test ran does the same again when it is replayed, and is not stuck."""
    yield
    if _KEYS:  # a command that was run in this process may hold those of another stack
        hold(_KEYS[0])
    # What processes have started on a server is asked of it even if this process never called it.
    asked = "dev_server_env" in request.fixturenames
    keep = None
    if folder := request.config.getoption("--record-all-histories", default=None):
        keep = partial(record, folder, request.node.originalname.removeprefix("test_"))
    if wrong := await LIVES.replay(tmp_path_factory.getbasetemp(), everywhere=asked, keep=keep):
        pytest.fail("\n".join(wrong))


@pytest.fixture(autouse=True)
def _no_letter_says_an_identifier(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever letter a test has written, and whatever it has said in both languages, is in words for people."""
    wrong = listen(monkeypatch)
    yield
    if wrong:
        pytest.fail("identifiers in " + "\n".join(wrong))


@pytest.fixture(scope="session")
def guard() -> Iterator[Callable[[int], None]]:
    """Takes process ids: those servers end when this process does, even if it is killed and can do nothing about it."""
    theirs, ours = os.pipe()
    watch = 'while read -r pid; do pids="$pids $pid"; done; kill -KILL $pids'

    def take(pid: int) -> None:
        os.write(ours, f"{pid}\n".encode())

    with subprocess.Popen(["/bin/sh", "-c", watch], stdin=theirs, start_new_session=True) as watcher:
        os.close(theirs)
        yield take
        watcher.kill()
    os.close(ours)


@pytest.fixture(scope="session")
async def postgres(guard: Callable[[int], None]) -> AsyncIterator[EmbeddedPostgres]:
    """A PostgreSQL server with the database `template`, which has our schema."""
    with tempfile.TemporaryDirectory(prefix="redress-") as place:  # a short path, for the socket
        folder = Path(place)
        async with EmbeddedPostgres(
            folder / "data", log=folder / "log", options=_FAST, on_start=lambda process: guard(process.pid)
        ) as server:
            await server.create_database("template")
            await migrate(server.url("template"))
            yield server


@pytest.fixture(scope="session")
async def keys(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Vault]:
    """The keys of this process, and of all that tests start: a replay after a test opens what any of them sealed."""
    await postgres.create_database("keys")
    place = tmp_path_factory.mktemp("keys") / "keyring.json"
    FileKeyring.create(place)
    os.environ["REDRESS_KEYRING"] = str(place)
    os.environ["REDRESS_KEYS_DATABASE_URL"] = postgres.url("keys")
    settings = load_settings()
    await keys_table(settings)
    vault = hold_keys(settings)
    assert vault
    await vault.keep_open()
    _KEYS[:] = [vault]
    yield vault
    _KEYS.clear()
    await vault.close()


@pytest.fixture
def without_keys() -> Iterator[None]:
    """This process holds no keys, as one that replays recorded histories: failures are told in their own words."""
    held = keys_here()
    hold(None)
    yield
    hold(held)


@asynccontextmanager
async def own_database(server: EmbeddedPostgres, template: str) -> AsyncIterator[str]:
    """The URL of a copy of the database *template*, gone afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    administrator = await asyncpg.connect(server.url())
    try:
        # So many small files are copied faster through the journal, which nobody waits for here.
        await administrator.execute(f'create database "{name}" template "{template}" strategy wal_log')
        yield server.url(name)
        await administrator.execute(f'drop database "{name}" with (force)')
    finally:
        await administrator.close()


@dataclass
class _Own:
    """A database with our schema and no rows."""

    name: str
    schema: str
    """The state of its schema."""
    connection: "asyncpg.Connection[asyncpg.Record]"
    """Stays open, as it knows by now where all tables are: that costs more than to empty them."""
    pool: "asyncpg.Pool[asyncpg.Record] | None" = None
    """What tests have been given so far, for the same reason."""

    async def put_away(self) -> None:
        """Keep the pool for the next test, unless this one has left something going on in it, or closed it."""
        pool, self.pool = self.pool, None
        if pool and not pool.is_closing():
            if pool.get_idle_size() == pool.get_size():
                for one in self._held_by(pool):
                    # Meanwhile the pool may have let go of one that was idle for long.
                    with suppress(asyncpg.InterfaceError, asyncpg.PostgresConnectionError):
                        await one.execute("reset all")  # the pool asks for it only where the service sets anything
                self.pool = pool
            else:
                await pool.close()

    def kept(self) -> list[int]:
        """The server's processes behind the pool."""
        return [one.get_server_pid() for one in self._held_by(self.pool)] if self.pool else []

    def _held_by(self, pool: "asyncpg.Pool[asyncpg.Record]") -> "list[asyncpg.Connection[asyncpg.Record]]":
        connections = [holder._con for holder in pool._holders]  # type: ignore[attr-defined]
        return [one for one in connections if one and not one.is_closed()]

    async def close(self) -> None:
        await self.connection.close()
        if self.pool:
            await self.pool.close()


class _Emptied:
    """Databases with our schema and no rows, each for one test at a time.

    One whose schema a test left alone is emptied and used again, which costs a fraction of a new one.
    """

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._free: list[_Own] = []

    async def take(self) -> _Own:
        if self._free:
            return self._free.pop()
        name = f"test_{uuid.uuid4().hex}"
        await self._administer(f'create database "{name}" template "template" strategy wal_log')
        connection = await asyncpg.connect(self._server.url(name))
        return _Own(name, await connection.fetchval(_SCHEMA), connection)

    async def give_back(self, own: _Own) -> None:
        if own.connection.is_closed():  # the test cut all off
            own.connection = await asyncpg.connect(self._server.url(own.name))
        await own.put_away()
        await own.connection.execute(_ALONE, own.kept())
        if await own.connection.fetchval(_SCHEMA) == own.schema:
            await own.connection.execute(_EMPTY)
            self._free.append(own)
        else:
            await own.close()
            await self._administer(f'drop database "{own.name}" with (force)')

    async def close(self) -> None:
        for own in self._free:
            await own.close()

    async def _administer(self, statement: str) -> None:
        administrator = await asyncpg.connect(self._server.url())
        try:
            await administrator.execute(statement)
        finally:
            await administrator.close()


_ALONE: Final = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and pid <> all ($1::int[])
        and backend_type = 'client backend'
"""
# The last transactions that changed tables, triggers, functions, constraints, columns or views of ours. A temporary
# table, which leaves its schema behind, changes none.
_SCHEMA: Final = """
    with ours as (select oid, xmin from pg_namespace where nspname !~ '^(pg_|information_schema)'),
        tables as (select oid, xmin from pg_class where relnamespace in (select oid from ours))
    select concat_ws('/',
        (select max(xmin::text::bigint) from ours), (select count(*) from ours),
        (select max(xmin::text::bigint) from tables), (select count(*) from tables),
        (select concat(max(xmin::text::bigint), '+', count(*))
            from pg_trigger where tgrelid in (select oid from tables)),
        (select concat(max(xmin::text::bigint), '+', count(*))
            from pg_proc where pronamespace in (select oid from ours)),
        (select concat(max(xmin::text::bigint), '+', count(*))
            from pg_constraint where connamespace in (select oid from ours)),
        (select max(xmin::text::bigint) from pg_attribute where attrelid in (select oid from tables)),
        (select max(xmin::text::bigint) from pg_rewrite where ev_class in (select oid from tables)),
        (select max(xmin::text::bigint) from pg_index where indrelid in (select oid from tables)))
"""
# As a replica, so that no trigger refuses it.
_EMPTY: Final = """
    set session_replication_role = replica;
    do $$
    declare
        one record;
        holds boolean;
    begin
        for one in
            select format('%I.%I', schemaname, tablename) as name from pg_tables
            where schemaname in ('casefile', 'tradelog', 'payments', 'web', 'intake', 'reporting')
        loop
            execute 'select exists (select from ' || one.name || ')' into holds;
            if holds then
                execute 'delete from ' || one.name;
            end if;
        end loop;
        for one in
            select format('%I.%I', schemaname, sequencename) as name, start_value from pg_sequences
            where schemaname in ('casefile', 'tradelog', 'payments', 'web', 'intake', 'reporting')
                and last_value is not null
        loop
            perform setval(one.name, one.start_value, false);
        end loop;
    end
    $$;
"""


@pytest.fixture(scope="session")
async def emptied(postgres: EmbeddedPostgres) -> AsyncIterator[_Emptied]:
    emptied = _Emptied(postgres)
    yield emptied
    await emptied.close()


@pytest.fixture
async def _own(keys: Vault, emptied: _Emptied) -> AsyncIterator[_Own]:
    own = await emptied.take()
    yield own
    await emptied.give_back(own)


@pytest.fixture
def database_url(postgres: EmbeddedPostgres, _own: _Own) -> str:
    """A database of the test's own, with our schema and no rows."""
    return postgres.url(_own.name)


@pytest.fixture
async def empty_database_url(keys: Vault, postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """A database of the test's own with nothing in it."""
    async with own_database(postgres, "template0") as url:
        yield url


@pytest.fixture
async def pool(database_url: str, _own: _Own) -> "asyncpg.Pool[asyncpg.Record]":
    """Connections to the test's own database."""
    _own.pool = _own.pool or await open_pool(database_url)
    return _own.pool


@pytest.fixture(scope="session")
async def time_skipping_env(keys: Vault, guard: Callable[[int], None]) -> AsyncIterator[WorkflowEnvironment]:
    """The Java test server, which skips waiting times. Its clock is one for all: tests must not use it side by side.

    It knows no search attributes until `runtime.temporal.register_search_attributes` has named them, and lists nothing.
    """
    env = await skipping_server()
    async with env:
        _watch_over(env, guard)
        yield env


_REPORTED: Final = "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute"


@pytest.fixture(scope="module")  # idle it costs more in ten seconds than another start
async def dev_server_env(keys: Vault, guard: Callable[[int], None]) -> AsyncIterator[WorkflowEnvironment]:
    """A whole Temporal server, in real time."""
    # Problems are reported after two failures in a row, not after five: that takes seconds, not a minute.
    env = await whole_server(f"{_REPORTED}=2")
    async with env:
        _watch_over(env, guard)
        yield env


def _watch_over(env: WorkflowEnvironment, guard: Callable[[int], None]) -> None:
    port = env.client.service_client.config.target_host.rpartition(":")[2]
    for child in psutil.Process().children():
        if any(port in argument for argument in child.cmdline()):
            guard(child.pid)


@pytest.fixture
def task_queue() -> str:
    """A task queue of the test's own."""
    return f"test-{uuid.uuid4().hex}"


@dataclass(frozen=True)
class Received:
    """A message that the mailbox accepted."""

    sender: str
    recipients: list[str]
    message: EmailMessage


@dataclass
class Mailbox:
    """A mail server that keeps what it gets, and refuses what it is told to."""

    port: int = 0
    host: str = "127.0.0.1"
    received: list[Received] = field(default_factory=list)
    _for_all: str | None = None
    _for_some: dict[str, str] = field(default_factory=dict)

    @property
    def messages(self) -> list[EmailMessage]:
        """The messages accepted so far, the oldest first."""
        return [received.message for received in self.received]

    def refuse(self, *recipients: str, code: int = 550) -> None:
        """Refuse mail to these recipients, or to everybody: for now (4xx) or for good (5xx)."""
        answer = f"{code} not here, not {'now' if code < 500 else 'ever'}"
        if recipients:
            self._for_some.update(dict.fromkeys(recipients, answer))
        else:
            self._for_all = answer

    def accept(self) -> None:
        """Accept everything again."""
        self._for_all = None
        self._for_some.clear()

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if refusal := self._for_all or self._for_some.get(address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = cast(bytes, envelope.original_content)
        message = message_from_bytes(content, policy=policy.default)
        self.received.append(Received(envelope.mail_from or "", list(envelope.rcpt_tos), message))
        return "250 OK"


@asynccontextmanager
async def open_mailbox(*, implicit_tls: ssl.SSLContext | None = None, **options: Any) -> AsyncIterator[Mailbox]:
    """A mailbox on a free port; `options` are those of `aiosmtpd.smtp.SMTP` (`tls_context`, `authenticator`, ...)."""
    mailbox = Mailbox()
    connections: list[SMTP] = []
    loop = asyncio.get_running_loop()

    def answer() -> SMTP:
        connections.append(SMTP(mailbox, hostname="mail.example.com", enable_SMTPUTF8=True, loop=loop, **options))
        return connections[-1]

    server = await loop.create_server(answer, mailbox.host, 0, ssl=implicit_tls)
    mailbox.port = server.sockets[0].getsockname()[1]
    try:
        yield mailbox
    finally:
        server.close()
        for connection in connections:
            if connection.transport:
                connection.transport.close()
        await server.wait_closed()


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """A mail server of the test's own: plain SMTP, no login."""
    async with open_mailbox() as mailbox:
        yield mailbox


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate of localhost, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl command, which makes the test's certificate, is not installed")
    folder = tmp_path_factory.mktemp("certificate")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    return certificate, key


@pytest.fixture
def server_tls(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


@pytest.fixture
def trusted(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's trust is in the test's certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
