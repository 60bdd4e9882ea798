"""The record that `redress up` leaves in its state folder, by which other commands find what it runs."""

import asyncio
from pathlib import Path
from typing import Self

from pydantic import BaseModel, Field, ValidationError

FILE_NAME = "stack.json"


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
    """The stack that runs with this state folder now; None when there is none or all its processes are gone."""
    record = StackRecord.read(state_dir)
    if record is None:
        return None
    try:
        alive = any(process.is_alive() for process in (record.owner, *record.processes.values()))
    except ImportError:  # without psutil nothing embedded was started from this installation
        return None
    return record if alive else None
