"""The whole service on one machine: PostgreSQL, Temporal, a worker and the pages, started, watched, stopped together.

Behind `redress up` and `redress demo`. A database named by `DATABASE_URL`, or a Temporal server named by Temporal's own
configuration, is used as it is; what is not named is brought along. Everything is kept in the state folder:

- `postgres/` and `temporal.db`: the data; `logs/`: what the processes say;
- `stack.json`: what runs and where, for other commands; gone after a clean stop;
- `ports.json`, `web.json`: the ports of Temporal and of the pages, which are taken again if they are free;
- `web.secret`: by which the pages sign cookies;
- `lock`: held by the process that owns the folder, for as long as it lives.

A stack that was killed leaves its processes behind. The next start in the same folder finds them by id and creation
time, stops them, and carries on with the data.
"""

import asyncio
import functools
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import structlog
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError

from runtime import embedded_postgres, embedded_temporal
from runtime.child import Child, StackError, end
from runtime.connection import configured_server
from runtime.database import migrate, without_password
from runtime.embedded_channels import channels_process
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.embedded_temporal import EmbeddedTemporal
from runtime.embedded_web import codec_endpoint, pages_process, with_pages
from runtime.identity.keys import CHECKPOINT_FOLDER, FOLDER, own_keys
from runtime.keys.here import KEYRING, hold_keys
from runtime.keys.keyring import FileKeyring
from runtime.keys_table import keys_table
from runtime.paths import ROOT
from runtime.ports import any_free_port
from runtime.roles import WRITER
from runtime.running import LOCK_NAME, RunningProcess, StackRecord
from runtime.settings import Settings
from runtime.temporal import connect_to, register_search_attributes

__all__ = ["Addresses", "Stack", "StackError", "StackRunning"]

DATABASE: Final = "redress"
WORKER: Final = (sys.executable, str(ROOT / "worker.py"))
MISCONFIGURED: Final = 2
"""Exit code of a worker that is not configured, or does not reach what it needs."""

# The processes by their names in the record, in the order in which they are stopped; and how they are.
_STOPPING: Final[Mapping[str, tuple[Sequence[signal.Signals], float]]] = {
    "channels": ((signal.SIGTERM,), 20.0),
    "web": ((signal.SIGTERM,), 20.0),
    "worker": ((signal.SIGTERM,), 40.0),  # longer than it gives its activities itself
    "temporal": (embedded_temporal.STOP_SIGNALS, embedded_temporal.STOP_GRACE),
    "postgres": (embedded_postgres.STOP_SIGNALS, embedded_postgres.STOP_GRACE),
}


class StackRunning(StackError):
    """Another process runs a stack with this state folder."""


@dataclass(frozen=True)
class Addresses:
    """Where things are, for printing: there is no secret in it."""

    temporal: str
    namespace: str
    ui: str | None
    """The Web UI; None if the Temporal server is not ours."""
    database: str
    web: str | None
    """The pages; None if they are not served."""
    metrics: str | None
    """The worker's /metrics, /healthz and /readyz; None without a worker."""
    state_dir: Path
    logs: Path


class Stack:
    """An async context manager that runs the stack.

        async with Stack(load_settings(), search_attributes=KEYS) as stack:
            print(stack.addresses)
            await stack.wait()

    While it is open, a process that dies is started again. SIGINT, SIGTERM and SIGHUP end the stack in good order:
    `wait` returns; a program that does something else is cancelled and ends with 128 plus the signal's number. A second
    signal does not wait for work in hand.

    Entering raises `StackRunning`, `StackError`, `TemporalUnavailable`, `DatabaseUnavailable` or `MigrationError`,
    after stopping whatever was started.
    """

    settings: Settings
    """The settings given, with absolute paths and, once the stack runs, the database in use."""
    environment: dict[str, str]
    """The environment of the worker; any program of ours that has it talks to this stack."""
    addresses: Addresses

    def __init__(
        self,
        settings: Settings,
        *,
        worker_command: Sequence[str] = WORKER,
        search_attributes: Sequence[SearchAttributeKey[Any]] = (),
        pages: bool = False,
        say: Callable[[str], None] | None = None,
        handle_signals: bool = True,
        fresh: bool = False,
    ) -> None:
        """Start nothing yet.

        `worker_command` is the worker; empty for none. `pages`: whether they are served too. `say`
        is told what happens to the processes while the stack
        runs, a sentence each time; by default that is logged. `fresh`: what an earlier stack kept in the folder is
        removed at the start.
        """
        self._folder = settings.state_dir.absolute()
        self._logs = self._folder / "logs"
        self.settings = settings.model_copy(
            update={
                "state_dir": self._folder,
                "outbox_dir": settings.outbox_dir.absolute(),
                "checkpoint_dir": settings.checkpoint_dir.absolute(),
            }
        )
        self._worker_command = worker_command
        self._search_attributes = search_attributes
        self._pages = pages
        self._tell = say or structlog.get_logger("redress.stack").info
        self._signals = _Signals(self._hasten) if handle_signals else None
        self._fresh = fresh
        self._lock: int | None = None
        self._record: StackRecord | None = None
        self._parts: list[EmbeddedPostgres | EmbeddedTemporal | Child] = []  # in the order of their start

    async def __aenter__(self) -> Self:
        if self._signals:
            self._signals.catch()
        try:
            await self._start()
        except BaseException as error:
            await self._close(error)
            raise
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._close(error)

    async def wait(self) -> None:
        """Return when a signal asks the program to end. To be awaited by the task that opened the stack."""
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if not (self._signals and self._signals.forgive()):
                raise

    async def _start(self) -> None:
        if find_spec("psutil") is None:
            raise StackError("The embedded stack is not installed: pip install 'redress[embedded]'.")
        self._take_folder()
        await self._stop_leftovers()
        if self._fresh:
            await asyncio.to_thread(self._empty_folder)
        self._record = StackRecord(owner=RunningProcess.of(os.getpid()))
        self._record.write(self._folder)

        self._own_identity()
        if self._worker_command and self.settings.metrics_address is None:
            self.settings = self.settings.model_copy(update={"metrics_address": f"127.0.0.1:{any_free_port()}"})
        if self._pages:
            self.settings = with_pages(self.settings, self._folder)
        owner, writer = await self._database()
        await migrate(owner)
        self.settings = self.settings.model_copy(update={"database_url": writer})
        await self._keys(owner)
        client, ui_url = await self._temporal()
        await register_search_attributes(client, self._search_attributes)

        # A profile in the home folder, with TLS or a key for another server, must not reach the worker either.
        embedded = (
            {}
            if ui_url is None
            else {
                "TEMPORAL_ADDRESS": client.service_client.config.target_host,
                "TEMPORAL_CONFIG_FILE": os.devnull,
            }
        )
        inherited = {
            name: value for name, value in os.environ.items() if not (embedded and name.startswith("TEMPORAL_"))
        }
        self.environment = {
            **inherited,
            **self.settings.environment(),
            **embedded,
            "TEMPORAL_NAMESPACE": client.namespace,
        }
        self.addresses = Addresses(
            temporal=client.service_client.config.target_host,
            namespace=client.namespace,
            ui=ui_url,
            database=without_password(writer),
            web=self.settings.web_url if self._pages else None,
            metrics=f"http://{self.settings.metrics_address}/metrics" if self._worker_command else None,
            state_dir=self._folder,
            logs=self._logs,
        )
        if self._worker_command:
            await self._worker(client)
        if self._pages:
            await self._serve()
        if self._pages and (self.settings.lmtp_address or self.settings.imap_url):
            await self._take_mail(self.settings.lmtp_address)

    async def _take_mail(self, address: str | None) -> None:
        channels = channels_process(
            address,
            self.environment,
            log=self._logs / "channels.log",
            on_start=lambda process: self._note("channels", process),
            say=self._say,
        )
        self._parts.append(channels)
        await channels.start()

    async def _serve(self) -> None:
        pages = pages_process(
            self.settings,
            self.environment,
            log=self._logs / "web.log",
            on_start=lambda process: self._note("web", process),
            say=self._say,
        )
        self._parts.append(pages)
        await pages.start()

    def _own_identity(self) -> None:
        """Have keys of the folder's own, unless the settings say whose signatures count, or that nobody's do."""
        news: dict[str, Path] = {}
        if not (self.settings.issuers or self.settings.unsigned):
            signing_key, news["issuers"] = own_keys(self._folder / FOLDER, "this-machine")
            news["signing_key"] = self.settings.signing_key or signing_key
        if self.settings.checkpoint_key is None:
            news["checkpoint_key"], _ = own_keys(self._folder / CHECKPOINT_FOLDER, "this-machine's checkpoints")
        self.settings = self.settings.model_copy(update=news)

    async def _keys(self, owner: str) -> None:
        """Have keys that stay with the data: made with the first stack, unless the firm names a keyring of its own."""
        keyring = self.settings.keyring or self._folder / KEYRING
        if self.settings.keyring is None:
            await asyncio.to_thread(FileKeyring.create, keyring)
        self.settings = self.settings.model_copy(update={"keyring": keyring.absolute()})
        await keys_table(self.settings.model_copy(update={"database_url": owner}))
        hold_keys(self.settings)

    async def _database(self) -> tuple[str, str]:
        """The URLs of who owns the database and of who works with it."""
        if self.settings.database_url:
            return self.settings.database_url, self.settings.database_url
        server = EmbeddedPostgres(
            self._folder / "postgres",
            log=self._logs / "postgres.log",
            on_start=lambda process: self._note("postgres", process, socket_dir=server.own_socket_dir),
            say=self._say,
        )
        self._parts.append(server)
        await server.start()
        await server.create_database(DATABASE)
        url = server.url(DATABASE, WRITER)
        self._write(database_url=url)
        return server.url(DATABASE), url

    async def _temporal(self) -> tuple[Client, str | None]:
        """A client, and the Web UI if the server is ours."""
        config = configured_server()
        if "target_host" in config:
            return await connect_to(config), None
        server = EmbeddedTemporal(
            self._folder,
            namespace=config.get("namespace", "default"),
            log=self._logs / "temporal.log",
            on_start=lambda process: self._note("temporal", process),
            say=self._say,
            codec=codec_endpoint(self.settings) if self._pages else None,
        )
        self._parts.append(server)
        client = await server.start()
        if "temporal_ui_url" not in self.settings.model_fields_set:
            self.settings = self.settings.model_copy(update={"temporal_ui_url": server.ui_url})
        self._write(temporal_address=server.address, temporal_namespace=client.namespace, ui_url=server.ui_url)
        return client, server.ui_url

    async def _worker(self, client: Client) -> None:
        signals, grace = _STOPPING["worker"]
        worker = Child(
            name="The worker",
            command=self._worker_command,
            log=self._logs / "worker.log",
            environment=self.environment,
            ready=functools.partial(_polls, client, self.settings.task_queue),
            on_start=lambda process: self._note("worker", process),
            say=self._say,
            stop_signals=signals,
            grace=grace,
            misconfigured=MISCONFIGURED,
        )
        self._parts.append(worker)
        await worker.start()

    def _take_folder(self) -> None:
        if sys.platform == "win32":
            raise StackError("The embedded stack needs Linux or macOS. On Windows use WSL, or docker compose.")
        import fcntl

        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._fresh and any(self._folder.iterdir()) and not (self._folder / LOCK_NAME).exists():
                raise StackError(
                    f"The folder {self._folder} is to be emptied, but it was never a state folder and has files in it."
                    " Choose another with REDRESS_STATE_DIR."
                )
            self._logs.mkdir(mode=0o700, exist_ok=True)
            lock = os.open(self._folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StackError(
                f"The state folder {self._folder} cannot be used ({error.strerror})."
                " Choose another with REDRESS_STATE_DIR."
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(lock, 20).decode() or "starting"
            os.close(lock)
            raise StackRunning(
                f"A stack already runs with the state folder {self._folder} (process {owner}). Stop it with Ctrl-C in"
                f" its terminal or `kill {owner}`, or choose another folder with REDRESS_STATE_DIR."
            ) from None
        os.ftruncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        self._lock = lock

    async def _stop_leftovers(self) -> None:
        left = StackRecord.read(self._folder)
        if left is None:
            return
        for name, (signals, grace) in _STOPPING.items():
            process = left.processes.get(name)
            if process and process.is_alive():
                self._say(f"A killed stack has left its {name} process behind ({process.pid}); stopping it")
                try:
                    await end(functools.partial(os.kill, process.pid), process.gone, signals, grace)
                except PermissionError:
                    raise StackError(
                        f"A killed stack has left its {name} process behind ({process.pid}), which belongs to another"
                        f" user. Have it stopped (kill {process.pid}), then start again."
                    ) from None
        if left.socket_dir:
            await asyncio.to_thread(shutil.rmtree, left.socket_dir, ignore_errors=True)

    def _empty_folder(self) -> None:
        for path in self._folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != LOCK_NAME:
                path.unlink()
        self._logs.mkdir(mode=0o700)

    def _note(self, name: str, process: RunningProcess, **where: Any) -> None:
        assert self._record  # noqa: S101
        self._write(processes={**self._record.processes, name: process}, **where)

    def _write(self, **news: Any) -> None:
        assert self._record  # noqa: S101
        self._record = self._record.model_copy(update=news)
        self._record.write(self._folder)

    def _say(self, news: str) -> None:
        with suppress(OSError):  # the terminal may be gone; the processes are looked after all the same
            self._tell(news)

    def _hasten(self) -> None:
        for part in self._parts:
            part.hasten()

    async def _close(self, error: BaseException | None) -> None:
        if self._signals:
            await self._signals.end()
        for part in reversed(self._parts):
            await part.stop()
        if self._record:
            StackRecord.remove(self._folder)
        if self._lock is not None:
            os.close(self._lock)
        if self._signals:
            self._signals.release(error)


async def _polls(client: Client, task_queue: str, worker: Child) -> bool:
    """Whether the worker has asked for work since it was started."""
    try:
        queue = await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=client.namespace,
                task_queue=TaskQueue(name=task_queue),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
            )
        )
    except RPCError:
        return False
    return any(poller.last_access_time.ToDatetime(UTC) >= worker.started_at for poller in queue.pollers)


class _Signals:
    """Turns the first signal to end into a cancellation of the task that runs the program; `again` hears of more."""

    def __init__(self, again: Callable[[], None]) -> None:
        self._again = again
        self._received: signal.Signals | None = None
        self._task: asyncio.Task[Any] | None = None
        self._ending = False
        self._before: dict[signal.Signals, Any] = {}

    def catch(self) -> None:
        self._task = asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            before = signal.getsignal(number)
            # A shell has what a script runs in the background ignore SIGINT; only nohup means what it says.
            if number is not signal.SIGHUP or before is not signal.SIG_IGN:
                self._before[number] = before
                asyncio.get_running_loop().add_signal_handler(number, self._receive, number)

    def _receive(self, number: signal.Signals) -> None:
        if self._ending or self._received:
            self._again()
        elif self._task:
            self._received = number
            self._task.cancel()

    def forgive(self) -> bool:
        """Whether the cancellation under way was ours; then it is called off."""
        if self._received and self._task and self._task is asyncio.current_task():
            self._task.uncancel()
            return True
        return False

    async def end(self) -> None:
        """From now on a signal does not cancel any more, it only presses."""
        self._ending = True
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)  # takes delivery of a cancellation that came just now

    def release(self, error: BaseException | None) -> None:
        """Give the signals back. If the program was cut short by one, end with the exit code that says so."""
        for number, before in self._before.items():
            asyncio.get_running_loop().remove_signal_handler(number)
            signal.signal(number, before if before is not None else signal.SIG_DFL)
        if self._received and isinstance(error, asyncio.CancelledError):
            raise SystemExit(128 + self._received) from None
