"""The parts of the trial's house, each a real process: PostgreSQL, Temporal, workers; mail and money in this one."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import asyncpg
from temporalio.client import Client

from domain.ground.words import Role
from domain.keys.personal import Personal, Row
from domain.keys.scopes import scope_of_customer
from runtime import child
from runtime.database import migrate, open_pool
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.embedded_temporal import EmbeddedTemporal
from runtime.identity.issuing import TokenIssuer
from runtime.identity.keys import own_keys, read_signing_key
from runtime.identity.speaking import speaking
from runtime.keys.here import hold_keys
from runtime.keys.keyring import FileKeyring
from runtime.keys_table import keys_table
from runtime.paths import ROOT
from runtime.policies import find_pack
from runtime.running import RunningProcess
from runtime.settings import load_settings
from runtime.temporal import register_search_attributes
from starter.demo.trade_log import DemoData, write_demo_data
from starter.importing.loading import import_file
from trial.failpoints import Point
from trial.receivers import HOST, SECRET, MailServer, Rail, listening
from trial.worker import OWN, Birth
from workflows.search_attributes import KEYS

if TYPE_CHECKING:
    pass

FIRM: Final = "Example Bullion"
TEMPLATE: Final = "trial_template"

# A kill of PostgreSQL is survived without these too; the machine it runs on is not killed here.
_OPTIONS: Final = {
    "max_connections": "300",
    "shared_buffers": "64MB",
    "fsync": "off",
    "track_commit_timestamp": "on",  # by which the checker knows when an acceptance was really recorded
}


@dataclass
class WorkerHandle:
    """One worker process."""

    name: str
    pid: int
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    code: int | None = None

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    async def kill(self) -> None:
        self.send(signal.SIGKILL)
        await self.ended.wait()


class Nursery:
    """Forks workers; see :mod:`trial.worker`."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._born: dict[str, asyncio.Future[WorkerHandle]] = {}
        self._alive: dict[str, WorkerHandle] = {}
        self._count = 0

    @asynccontextmanager
    async def open(self, folder: Path) -> AsyncIterator["Nursery"]:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("REDRESS_", "TEMPORAL_", "PG"))
        }
        with (folder / "nursery.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "trial.worker",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log, cwd=ROOT,
                env={**environment, "TEMPORAL_CONFIG_FILE": os.devnull},
                start_new_session=True,
            )  # fmt: skip
        assert self._process.stdout  # noqa: S101
        await self._process.stdout.readline()
        self._reader = asyncio.create_task(self._read(self._process.stdout))
        try:
            yield self
        finally:
            assert self._process.stdin  # noqa: S101
            self._process.stdin.close()
            await self._process.wait()
            self._reader.cancel()
            await asyncio.wait([self._reader])

    async def bear(
        self,
        name: str,
        environment: dict[str, str],
        log: Path,
        *,
        journal: Path | None = None,
        point: Point | None = None,
        clock: Path | None = None,
    ) -> WorkerHandle:
        """Fork a worker."""
        assert self._process  # noqa: S101
        assert self._process.stdin  # noqa: S101
        self._count += 1
        unique = f"{name}.{self._count}"
        birth = Birth(name=unique, environment=environment, log=log, journal=journal, point=point, clock=clock)
        born: asyncio.Future[WorkerHandle] = asyncio.get_running_loop().create_future()
        self._born[unique] = born
        self._process.stdin.write(f"{birth.model_dump_json()}\n".encode())
        await self._process.stdin.drain()
        return await born

    async def _read(self, lines: asyncio.StreamReader) -> None:
        while line := (await lines.readline()).decode().split():
            what, name, number = line
            if what == "born":
                handle = self._alive[name] = WorkerHandle(name, int(number))
                born = self._born.pop(name)
                if born.cancelled():  # nobody waits for it any more
                    handle.send(signal.SIGKILL)
                else:
                    born.set_result(handle)
            else:
                handle = self._alive.pop(name)
                handle.code = int(number)
                handle.ended.set()


@dataclass(frozen=True)
class Trust:
    """The keys of a house, the same for all its lives: one server has the workflows of them all."""

    of_workers: dict[str, str]
    """What a worker is told: the keyring, whose signatures count, and by what it signs for customers."""
    issuer: TokenIssuer

    def speaking(self, client: Client) -> Client:
        """*client*, with what it sends signed for whoever the message names."""
        return speaking(client, self.issuer.speaks_for_its_user)


@dataclass
class House:
    """Everything that the trial runs on."""

    folder: Path
    postgres: EmbeddedPostgres
    temporal: EmbeddedTemporal
    client: Client
    mail: MailServer
    rail: Rail
    nursery: Nursery
    data: DemoData
    processes: dict[str, RunningProcess]
    """PostgreSQL and Temporal as they were last started."""
    trust: "Trust"

    def environment(
        self, database_url: str, task_queue: str, *, rail: bool, policy: str, **more: str
    ) -> dict[str, str]:
        """What a worker needs to know."""
        whose = [role.value for role in Role if role.is_staff]
        whose += [team.name for team in find_pack("platform-default", datetime.now(UTC)).teams]
        staff = {name: f"{name}.{task_queue}@example.com" for name in whose}
        return {
            "DATABASE_URL": database_url,
            "TEMPORAL_ADDRESS": self.temporal.address,
            "TEMPORAL_NAMESPACE": "default",
            "REDRESS_TASK_QUEUE": task_queue,
            "REDRESS_POLICY_DIR": str(OWN),
            "REDRESS_DEFAULT_POLICY": policy,
            "REDRESS_FIRM_NAME": FIRM,
            "REDRESS_STATE_DIR": str(self.folder / "state"),
            "REDRESS_SMTP_HOST": HOST,
            "REDRESS_SMTP_PORT": str(self.mail.port),
            "REDRESS_SMTP_TLS": "none",
            "REDRESS_SMTP_TIMEOUT": "3",
            "REDRESS_STAFF_ADDRESSES": json.dumps(staff),
            "REDRESS_LOG_LEVEL": "WARNING",
            **self.trust.of_workers,
            **(
                {
                    "REDRESS_PAYMENT_URL": self.rail.url,
                    "REDRESS_PAYMENT_SECRET": SECRET,
                    "REDRESS_PAYMENT_TIMEOUT": "2",
                }
                if rail
                else {}
            ),
            **more,
        }

    @asynccontextmanager
    async def database(self, name: str, *, keep: bool = False) -> AsyncIterator[str]:
        """The URL of a database of one's own, with the trade log in it."""
        await self._administer(f'create database "{name}" template "{TEMPLATE}" strategy wal_log')
        try:
            yield self.postgres.url(name)
        finally:
            if not keep:
                await self._administer(f'drop database "{name}" with (force)')

    async def _administer(self, statement: str) -> None:
        connection = await asyncpg.connect(self.postgres.url())
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@asynccontextmanager
async def open_house(folder: Path, say: Callable[[str], None] = lambda _: None) -> AsyncIterator[House]:
    """The parts, started; nothing of them is left at the end."""
    mail, rail, nursery = MailServer(), Rail(), Nursery()
    processes: dict[str, RunningProcess] = {}
    async with AsyncExitStack() as stack:
        # What dies again and again is not waited for longer and longer: here that is the rule.
        stack.callback(setattr, child, "_DELAYS", child._DELAYS)
        child._DELAYS = (0.3, 0.3)  # type: ignore[misc]
        for receiver in (mail, rail):
            await stack.enter_async_context(listening(receiver))
        postgres = EmbeddedPostgres(
            folder / "postgres",
            log=folder / "postgres.log",
            options=_OPTIONS,
            on_start=lambda process: processes.update(postgres=process),
            say=say,
        )
        await stack.enter_async_context(postgres)
        (folder / "temporal").mkdir()
        (folder / "temporal" / "ports.json").write_text(json.dumps(_free_ports(2)))
        temporal = EmbeddedTemporal(
            folder / "temporal",
            namespace="default",
            log=folder / "temporal.log",
            on_start=lambda process: processes.update(temporal=process),
            say=say,
        )
        stack.push_async_callback(temporal.stop)
        trust = await _trust(postgres, folder)
        client = trust.speaking(await temporal.start())
        await register_search_attributes(client, KEYS)
        await stack.enter_async_context(nursery.open(folder))
        await postgres.create_database(TEMPLATE)
        data = await _fill(postgres.url(TEMPLATE), folder / "trade-log")
        yield House(folder, postgres, temporal, client, mail, rail, nursery, data, processes, trust)


async def _trust(postgres: EmbeddedPostgres, folder: Path) -> Trust:
    """The keys that this process has already, or new ones that it holds from now on."""
    settings = load_settings()
    if not settings.keyring:
        await postgres.create_database("keys")
        keyring = folder / "keyring.json"
        FileKeyring.create(keyring)
        os.environ.update(REDRESS_KEYRING=str(keyring), REDRESS_KEYS_DATABASE_URL=postgres.url("keys"))
        settings = load_settings()
        await keys_table(settings)
        hold_keys(settings)
    signing_key, issuers = own_keys(folder / "identity", "trial")
    # What customers say by pages is signed for by the workers, who vouch for nobody else.
    customers = own_keys(folder / "customers", "pages")
    known = [each for path in (issuers, customers[1]) for each in json.loads(path.read_text())["issuers"]]
    known[1]["roles"] = [Role.CUSTOMER]
    issuers.write_text(json.dumps({"issuers": known}))
    of_workers = {
        "REDRESS_KEYRING": str(settings.keyring),
        "REDRESS_KEYS_DATABASE_URL": settings.keys_database_url or "",
        "REDRESS_ISSUERS": str(issuers),
        "REDRESS_SIGNING_KEY": str(customers[0]),
    }
    return Trust(of_workers, TokenIssuer(read_signing_key(signing_key)))


def sealed_for(account: str, *said: str | None) -> list[Personal]:
    """What is said of the customer of *account*, for the register: it counts as it was sealed for them."""
    row = Row("casefile.customers", scope_of_customer(account), account)
    return [row(column, one) for column, one in zip(("name", "email", "phone"), said, strict=False)]


async def _fill(url: str, folder: Path) -> DemoData:
    await migrate(url)
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=1)
    data = await asyncio.to_thread(write_demo_data, folder, start)
    accounts = data.stop_out.account, data.stop_loss.account
    pool = await open_pool(url)
    try:
        for file in data.files:
            await import_file(pool, file)
        await pool.executemany(
            "insert into casefile.customers (account, name, email, language) values ($1, $2, $3, 'en')",
            [(one, *sealed_for(one, "A customer", f"{one}@example.org")) for one in accounts],
        )
    finally:
        await pool.close()
    return data


def _free_ports(count: int) -> Sequence[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((HOST, 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()
