"""Worker processes of the trial: what `worker.build_worker` wires, with failpoints around its collaborators.

    python -m trial.worker

It is a nursery: it reads one JSON object a line, :class:`Birth`, forks a worker for each, and answers with a line
``born NAME PID``; when one ends, ``dead NAME CODE`` (of `os.waitstatus_to_exitcode`). A fork of a process that has
loaded everything serves after a tenth of the time that a new one needs. Its workers die with it.
"""

import asyncio
import contextlib
import ctypes
import gc
import os
import select
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import asyncpg
import structlog
from pydantic import BaseModel
from temporalio.client import Client

from activities.case.case_file import utc_now
from domain.ground.base import Record, State
from runtime.database import open_pool
from runtime.keys.here import hold_keys
from runtime.logging import configure_logging
from runtime.paths import POLICIES
from runtime.policies import load_packs, load_table
from runtime.settings import Settings, load_settings
from runtime.temporal import connect, run
from starter.intake.dealer import Dealer
from trial.failpoints import AtActivities, Failpoints, Point, StrikingPool, strike_at_completions
from worker import build_worker

OWN = Path(__file__).parent / "policies"
"""The packs of the trial."""
_LOOK_EVERY = 0.02  # seconds


class Birth(Record):
    """A worker to be forked: its environment, its log, and its failpoints.

    ``clock`` is a file with the seconds by which the worker's clock is wrong, read at each look at the clock.
    """

    name: str
    environment: dict[str, str]
    log: Path
    journal: Path | None = None
    point: Point | None = None
    clock: Path | None = None


async def work(settings: Settings, birth: Birth) -> None:
    """As `worker.work`, on a schema that is there, until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    if vault := hold_keys(settings):
        await vault.keep_open()
    pool = await open_pool(settings.database_url or "")
    try:
        client = await connect(settings)
        given: Any = pool
        at = None
        if birth.journal:
            failpoints = Failpoints(birth.journal, birth.point, client.service_client.config.target_host)
            at = AtActivities(failpoints)
            config: Any = client.config()
            client = Client(**{**config, "interceptors": [*config["interceptors"], at]})
            given = StrikingPool(pool, failpoints)
        worker = build_worker(
            client,
            cast("asyncpg.Pool[asyncpg.Record]", given),
            settings,
            clock=wrong_by(birth.clock) if birth.clock else utc_now,
        )
        if at:
            strike_at_completions(worker, at)
        async with worker, Dealer(pool, _this(client), task_queue=settings.task_queue).running():
            structlog.get_logger("worker").info("worker ready", task_queue=settings.task_queue)
            await stop.wait()
    finally:
        await pool.close()


def _this(client: Client) -> Callable[[], Awaitable[Client]]:
    async def reach() -> Client:
        return client

    return reach


def wrong_by(file: Path) -> Any:
    """A clock that is wrong by the seconds that *file* says at that moment."""

    def now() -> datetime:
        try:
            return utc_now() + timedelta(seconds=float(file.read_text() or 0))
        except (OSError, ValueError):
            return utc_now()

    return now


def _be(birth: Birth) -> int:
    """Live as the worker; return the exit code."""
    with contextlib.suppress(OSError, AttributeError):  # Linux: end with the nursery
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    birth.log.parent.mkdir(parents=True, exist_ok=True)
    log = os.open(birth.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for ours, theirs in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(ours, theirs)
    os.environ.update(birth.environment)
    try:
        settings = load_settings()
        configure_logging("json", settings.log_level)
        run(work(settings, birth))
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _build(kind: type[BaseModel]) -> None:
    """Build each model of *kind*, once for all that are born."""
    for each in kind.__subclasses__():
        each.model_rebuild()
        _build(each)


def main() -> int:
    """Be the nursery until standard input ends."""
    for kind in (Record, State):
        _build(kind)
    load_packs(POLICIES, OWN)
    load_table(POLICIES, OWN)
    gc.collect()
    gc.freeze()
    names: dict[int, str] = {}
    rest = b""

    def say(line: str) -> None:
        os.write(1, f"{line}\n".encode())

    say("ready")
    while True:
        readable, _, _ = select.select([0], [], [], _LOOK_EVERY)
        if readable:
            read = os.read(0, 65_536)
            if not read:
                break
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                birth = Birth.model_validate_json(line)
                pid = os.fork()
                if pid == 0:
                    code = 1
                    try:
                        code = _be(birth)
                    finally:
                        os._exit(code)
                names[pid] = birth.name
                say(f"born {birth.name} {pid}")
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = ended
                say(f"dead {names.pop(pid)} {os.waitstatus_to_exitcode(status)}")
    for pid in names:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
