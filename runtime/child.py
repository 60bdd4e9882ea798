"""A server process of ours: started so that it cannot get lost, kept alive, stopped in good order."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from runtime.running import RunningProcess

_LOG_LIMIT: Final = 20_000_000  # bytes; a longer log is put aside when its process starts
_DELAYS: Final = (0.5, 30.0)  # seconds before a dead process is started again: the first time, and at most
_COMPLAINTS: Final = 3  # times that a process says the same of its configuration before we believe it
_STEADY: Final = 60.0  # seconds after which a process counts as healthy again

# The child waits for a word from us before it becomes the real program. By then its id has been written down; and if we
# die first, the pipe closes and it ends. So no program ever runs of which the state folder does not know.
_GATE: Final = 'read -r go && exec "$@" </dev/null'


class StackError(Exception):
    """The embedded stack cannot be started. The message says which part, why, and what to do."""


class _Died(StackError):
    code: int | None
    last_words: str


@dataclass(frozen=True)
class Identity:
    """An operating system user that a process shall run as."""

    uid: int
    gid: int


def as_user(identity: Identity | None) -> dict[str, Any]:
    """Arguments of `subprocess` that let a program run as this user and in no other group; as ourselves for None."""
    return {"user": identity.uid, "group": identity.gid, "extra_groups": []} if identity else {}


@dataclass
class Child:
    """One process: what to run, how to know that it serves, how to end it.

    Its output goes to `log`. It has a session of its own, so the terminal's Ctrl-C does not reach it, and keeps what it
    writes from other users (umask 077).
    """

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str]
    ready: Callable[["Child"], Awaitable[bool]]
    """Asked again and again after a start, until it says yes."""
    on_start: Callable[[RunningProcess], None] = lambda _: None
    """Told who it is before the program begins."""
    say: Callable[[str], None] = lambda _: None
    """Told when the process died and when it is back."""
    stop_signals: Sequence[signal.Signals] = (signal.SIGTERM,)
    """Ways to end it, the gentlest first; SIGKILL comes after the last."""
    grace: float = 20.0
    """Seconds to wait for the effect of each."""
    patience: float = 60.0
    """Seconds to wait until it is ready."""
    misconfigured: int | None = None
    """The exit code by which it says that its configuration is wrong: any other death at the start is got over."""
    run_as: Identity | None = None
    folder: Path | None = None
    """Working directory, if not ours."""

    _process: asyncio.subprocess.Process | None = field(default=None, init=False)
    _keeper: asyncio.Task[None] | None = field(default=None, init=False)
    _log_start: int = field(default=0, init=False)
    _started_at: datetime = field(default=datetime.min.replace(tzinfo=UTC), init=False)

    @property
    def ended(self) -> bool:
        """Whether there is no such process (now)."""
        return self._process is None or self._process.returncode is not None

    @property
    def started_at(self) -> datetime:
        """The time of the latest start."""
        return self._started_at

    def listens(self, port: int) -> bool:
        """Whether the process itself listens on *port*, as far as this can be told; it may not have begun to."""
        if self._process is None or self.ended:
            return False
        return RunningProcess(pid=self._process.pid, created=self._started_at.timestamp()).listens(port)

    async def start(self) -> None:
        """Start the process, wait until it is ready, and from then on start it again whenever it ends by itself.

        Raises `StackError` with the end of its log if it does not become ready: when it ends, or, if it has an exit
        code for a wrong configuration, when it has complained of the same a few times.
        """
        await self._begin_at_last()
        self._keeper = asyncio.create_task(self._keep_alive(), name=f"keep alive: {self.name}")

    async def stop(self) -> None:
        """End the process for good; does nothing if there is none."""
        if self._keeper:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
            self._keeper = None
        await self._end()

    def hasten(self) -> None:
        """Do not wait for a gentle end any longer: send the hardest signal that the process may have."""
        if self._process and not self.ended:
            with suppress(ProcessLookupError):
                self._process.send_signal(self.stop_signals[-1] if len(self.stop_signals) > 1 else signal.SIGKILL)

    async def _begin_at_last(self) -> None:
        delay, longest = _DELAYS
        words, times = "", 0
        while True:
            try:
                return await self._begin()
            except _Died as death:
                if self.misconfigured is None:
                    raise
                times = times + 1 if death.last_words == words else 1
                words = death.last_words
                if death.code == self.misconfigured and times >= _COMPLAINTS:
                    raise
            self.say(f"{self.name} {self._how_it_ended()}; starting it again in {delay:g} s")
            await asyncio.sleep(delay)
            delay = min(delay * 2, longest)

    async def _begin(self) -> None:
        await self._spawn()
        deadline = time.monotonic() + self.patience
        while not self.ended:
            if await self.ready(self):
                return
            if time.monotonic() > deadline:
                await self._end()
                raise StackError(f"{self.name} was not ready within {self.patience:.0f} s. {self._end_of_log()}")
            await asyncio.sleep(0.1)
        died = _Died(f"{self.name} {self._how_it_ended()}. {self._end_of_log()}")
        died.code = self._process.returncode if self._process else None
        died.last_words = self._end_of_log(lines=1)
        raise died

    async def _keep_alive(self) -> None:
        assert self._process is not None  # noqa: S101
        delay, longest = _DELAYS
        while True:
            began = time.monotonic()
            await self._process.wait()
            if time.monotonic() - began > _STEADY:
                delay = _DELAYS[0]
            self.say(f"{self.name} {self._how_it_ended()}; starting it again in {delay:g} s")
            await asyncio.sleep(delay)
            delay = min(delay * 2, longest)
            try:
                await self._begin()
                self.say(f"{self.name} is back")
            except StackError as error:
                self.say(str(error))
            except OSError as error:
                self.say(f"{self.name} cannot be started: {error}")

    async def _spawn(self) -> None:
        self._started_at = datetime.now(UTC)
        theirs, ours = os.pipe()
        try:
            with _open_log(self.log) as log:
                self._log_start = os.fstat(log).st_size
                self._process = await asyncio.create_subprocess_exec(
                    "/bin/sh", "-c", _GATE, "sh", *self.command,
                    stdin=theirs, stdout=log, stderr=log,
                    env=dict(self.environment), cwd=self.folder, umask=0o077, start_new_session=True,
                    **as_user(self.run_as),
                )  # fmt: skip
            self.on_start(RunningProcess.of(self._process.pid))
            with suppress(BrokenPipeError):  # it is dead already, which the caller will see
                os.write(ours, b"go\n")
        finally:
            os.close(theirs)
            os.close(ours)

    async def _end(self) -> None:
        process = self._process
        if process is not None and process.returncode is None:
            await end(process.send_signal, process.wait, self.stop_signals, self.grace)

    def _how_it_ended(self) -> str:
        code = self._process.returncode if self._process else None
        if code is not None and code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def _end_of_log(self, lines: int = 15) -> str:
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            text = log.read().decode(errors="replace").strip().splitlines()[-lines:]
        return "\n".join([f"The end of its log, {self.log}:", *(f"  {line}" for line in text)])


@contextmanager
def _open_log(path: Path) -> Iterator[int]:
    if path.exists() and path.stat().st_size > _LOG_LIMIT:
        path.replace(path.with_name(f"{path.name}.1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


async def end(
    send: Callable[[int], None],
    gone: Callable[[], Awaitable[object]],
    signals: Sequence[signal.Signals],
    grace: float,
) -> None:
    """End a process with these signals, then SIGKILL, giving it `grace` seconds after each."""
    waiting = asyncio.ensure_future(gone())
    try:
        for number in (*signals, signal.SIGKILL):
            with suppress(ProcessLookupError):
                send(number)
            await asyncio.wait([waiting], timeout=grace)
            if waiting.done():
                return
    finally:
        waiting.cancel()
