"""The record that `redress up` leaves in its state folder, by which other commands find what it runs."""

import asyncio
import shlex
from pathlib import Path
from typing import Self

from pydantic import BaseModel, Field, ValidationError

from runtime.settings import Settings

FILE_NAME = "stack.json"
LOCK_NAME = "lock"
"""Held by the owner; a folder without such a file was never a state folder."""


class RunningProcess(BaseModel):
    """A process, by its id and its creation time (seconds since 1970): an id alone may be somebody else's by now."""

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> Self:
        """The process that has this id now. Raises `psutil.NoSuchProcess`."""
        import psutil  # part of the optional extra

        return cls(pid=pid, created=psutil.Process(pid).create_time())

    def is_alive(self) -> bool:
        """Whether this very process still runs (one that only waits to be reaped does not)."""
        import psutil

        try:
            process = psutil.Process(self.pid)
            # The time is reckoned from the boot time, which a clock correction may move by a second.
            return abs(process.create_time() - self.created) < 2 and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def listens(self, port: int) -> bool:
        """Whether this process listens on *port*; true as well where the system does not let us see."""
        import psutil

        try:
            listening = psutil.Process(self.pid).net_connections("inet")
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True
        return any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in listening)

    async def gone(self) -> None:
        """Return when the process has ended."""
        while self.is_alive():  # noqa: ASYNC110 (nobody tells of a process that is not our child)
            await asyncio.sleep(0.05)


class StackRecord(BaseModel):
    """What a stack runs, and where. The firm's own PostgreSQL or Temporal is not in it: it is no part of the stack."""

    owner: RunningProcess
    processes: dict[str, RunningProcess] = Field(default_factory=dict)
    temporal_address: str | None = None
    temporal_namespace: str | None = None
    ui_url: str | None = None
    database_url: str | None = None
    socket_dir: Path | None = None
    """Folder of PostgreSQL's socket where the state folder's own path is too long for one."""

    @classmethod
    def read(cls, state_dir: Path) -> Self | None:
        """The record in this folder, whether its processes still run or not; None without a readable one."""
        try:
            return cls.model_validate_json((state_dir / FILE_NAME).read_bytes())
        except (OSError, ValidationError):
            return None

    def write(self, state_dir: Path) -> None:
        """Put the record into the folder; a reader sees the old one or the new one, never a part."""
        new = state_dir / f"{FILE_NAME}.new"
        new.write_text(self.model_dump_json(indent=2), encoding="utf-8")
        new.replace(state_dir / FILE_NAME)

    @staticmethod
    def remove(state_dir: Path) -> None:
        """Take the record away."""
        (state_dir / FILE_NAME).unlink(missing_ok=True)


def running_stack(state_dir: Path) -> StackRecord | None:
    """The stack that runs with this state folder now; None when there is none or all its processes are gone.

    Without its owner, who would start them again, it has the addresses of only those servers that still run.
    """
    record = StackRecord.read(state_dir)
    if record is None:
        return None
    try:
        alive = {name for name, process in record.processes.items() if process.is_alive()}
        if record.owner.is_alive():
            return record
    except ImportError:  # without psutil nothing embedded was started from this installation
        return None
    if not alive:
        return None
    gone: dict[str, None] = {}
    if "temporal" not in alive:
        gone |= {"temporal_address": None, "temporal_namespace": None, "ui_url": None}
    if "postgres" not in alive:
        gone |= {"database_url": None, "socket_dir": None}
    return record.model_copy(update=gone)


def why_not(settings: Settings, part: str, variable: str) -> str | None:
    """Why *part* of the stack that these settings mean cannot be used, and what to do; None if they mean no stack.

    They mean one if they name a state folder, or if the default folder is one. *variable* names another server.
    """
    folder = settings.state_dir.absolute()
    named = "state_dir" in settings.model_fields_set
    stack = running_stack(folder)
    if not (named or stack or any((folder / name).exists() for name in (LOCK_NAME, FILE_NAME))):
        return None
    whose = "the state folder" if named else "the default state folder"
    if stack:
        return (
            f"The stack of {whose} {folder} has no {part} of its own that runs: it is starting or ending, or uses"
            f" another. Try again when `redress up` says that it is up, or set {variable}."
        )
    return (
        f"No {part}: nothing runs with {whose} {folder}. Set {variable}, or start it with"
        f" `redress up --state {shlex.quote(str(folder))}`."
    )
