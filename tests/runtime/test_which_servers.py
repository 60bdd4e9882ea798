"""Which PostgreSQL and which Temporal a program talks to: those that are meant, or none."""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.envconfig import ClientConnectConfig

import runtime.temporal
from runtime.connection import TemporalUnavailable
from runtime.postgres import DatabaseUnavailable, find_database
from runtime.running import LOCK_NAME, RunningProcess, StackRecord
from runtime.settings import load_settings
from runtime.temporal import connect

THEIRS = "temporal.example.com:7233"
OF_THE_STACK = "127.0.0.1:5001"
OUR_DATABASE = "postgresql://redress@db.example.com/redress"
DATABASE_OF_THE_STACK = "postgresql://postgres@/redress?host=/there"


def record(folder: Path, *, owner: bool, temporal: bool, postgres: bool) -> None:
    """As a stack leaves it, with these of its processes alive."""
    here = RunningProcess.of(os.getpid())
    gone = RunningProcess(pid=here.pid, created=here.created - 100)  # our id, when it was somebody else's
    StackRecord(
        owner=here if owner else gone,
        processes={"temporal": here if temporal else gone, "postgres": here if postgres else gone},
        temporal_address=OF_THE_STACK,
        database_url=DATABASE_OF_THE_STACK,
    ).write(folder)


def unreadable(folder: Path) -> None:
    """Something else than a record where it should be."""
    (folder / LOCK_NAME).touch()
    (folder / "stack.json").write_text("{")


STATES: dict[str, Callable[[Path], object]] = {
    "none": lambda _: None,
    "stopped": lambda folder: (folder / LOCK_NAME).touch(),
    "running": partial(record, owner=True, temporal=True, postgres=True),
    "killed": partial(record, owner=False, temporal=False, postgres=False),
    "temporal is being started again": partial(record, owner=True, temporal=False, postgres=True),
    "only temporal is left": partial(record, owner=False, temporal=True, postgres=False),
    "only postgres is left": partial(record, owner=False, temporal=False, postgres=True),
    "starting": lambda folder: StackRecord(owner=RunningProcess.of(os.getpid())).write(folder),
    "unreadable": unreadable,
}
STACK_HAS = {
    "running": {"temporal", "postgres"},
    "temporal is being started again": {"temporal", "postgres"},
    "only temporal is left": {"temporal"},
    "only postgres is left": {"postgres"},
}


@pytest.mark.parametrize("given", [True, False], ids=["servers given", "no servers given"])
@pytest.mark.parametrize("how", ["variable", "option", "default"])
@pytest.mark.parametrize("state", STATES)
async def test_a_program_talks_to_the_servers_that_are_meant_or_to_none(
    state: str, how: str, given: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ".redress"
    folder.mkdir()
    STATES[state](folder)
    monkeypatch.chdir(tmp_path)
    if how == "variable":
        monkeypatch.setenv("REDRESS_STATE_DIR", str(folder))
    if given:
        monkeypatch.setenv("TEMPORAL_ADDRESS", THEIRS)
        monkeypatch.setenv("DATABASE_URL", OUR_DATABASE)
    settings = load_settings(**({"state_dir": folder} if how == "option" else {}))

    async def note(config: ClientConnectConfig, *_: object) -> Client:
        taken.append(config.get("target_host", "localhost:7233"))
        raise TemporalUnavailable("noted")

    taken: list[str] = []
    monkeypatch.setattr(runtime.temporal, "connect_to", note)
    with pytest.raises(TemporalUnavailable) as refused:
        await connect(settings)
    meant = how != "default" or state != "none"
    if given:
        assert taken == [THEIRS]
    elif "temporal" in STACK_HAS.get(state, ()):
        assert taken == [OF_THE_STACK]
    elif meant:
        assert taken == []
        for part in (str(folder), "TEMPORAL_ADDRESS", "redress up"):
            assert part in str(refused.value)
    else:
        assert taken == ["localhost:7233"]

    if given:
        assert find_database(settings) == OUR_DATABASE
    elif "postgres" in STACK_HAS.get(state, ()):
        assert find_database(settings) == DATABASE_OF_THE_STACK
    else:
        with pytest.raises(DatabaseUnavailable) as missing:
            find_database(settings)
        for part in (str(folder), "DATABASE_URL", "redress up"):
            assert part in str(missing.value)


async def test_where_processes_cannot_be_looked_at_a_named_folder_is_not_believed_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(tmp_path, owner=True, temporal=True, postgres=True)
    monkeypatch.setitem(sys.modules, "psutil", None)
    with pytest.raises(TemporalUnavailable, match="TEMPORAL_ADDRESS"):
        await connect(load_settings(state_dir=tmp_path))
