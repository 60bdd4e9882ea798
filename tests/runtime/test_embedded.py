"""The stack as a whole, with a small worker in place of ours. It takes seconds to start, so one serves many tests."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import psutil
import pytest
from temporalio.common import SearchAttributeKey
from temporalio.testing import WorkflowEnvironment

import runtime.embedded
from runtime.embedded import Stack, StackError, StackRunning
from runtime.paths import ROOT
from runtime.postgres import find_database
from runtime.running import RunningProcess, StackRecord, running_stack
from runtime.settings import load_settings
from runtime.temporal import connect
from tests.replaying import LIVES
from tests.runtime.support import until

pytestmark = pytest.mark.timeout(300)

HERE = Path(__file__).parent
SMALL_WORKER = (sys.executable, str(HERE / "small_worker.py"))
STAGE = SearchAttributeKey.for_keyword("TestStage")


def processes_of(folder: Path) -> list[psutil.Process]:
    """All processes that have to do with this state folder, by what they were told or where they are."""
    found = []
    for process in psutil.process_iter():
        try:
            told = " ".join([*process.cmdline(), *process.environ().values(), process.cwd()])
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if str(folder) in told and process.pid != os.getpid():
            found.append(process)
    return found


@pytest.fixture(scope="module")
def python_path() -> Iterator[None]:
    """The small worker finds our packages without an installation."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        yield


@pytest.fixture(scope="module")
def news() -> list[str]:
    return []


@pytest.fixture(scope="module")
async def stack(python_path: None, news: list[str]) -> AsyncIterator[Stack]:
    """A stack that runs."""
    with tempfile.TemporaryDirectory(prefix="redress-") as folder:
        settings = load_settings(state_dir=Path(folder) / "state", task_queue="small")
        async with Stack(
            settings, worker_command=SMALL_WORKER, search_attributes=[STAGE], say=news.append, handle_signals=False
        ) as stack:
            yield stack
        assert processes_of(Path(folder)) == []
        assert running_stack(settings.state_dir) is None


async def test_other_commands_find_the_stack_by_its_state_folder(stack: Stack) -> None:
    settings = load_settings(state_dir=stack.settings.state_dir)
    client = await connect(settings)
    assert client.service_client.config.target_host == stack.addresses.temporal
    connection = await asyncpg.connect(find_database(settings))
    assert await connection.fetchval("select count(*) > 0 from redress_migrations")
    await connection.close()


def test_a_program_with_the_stacks_environment_talks_to_the_stack(stack: Stack) -> None:
    told = subprocess.check_output(
        [sys.executable, "-c", "from runtime.settings import *; print(load_settings().model_dump_json())"],
        env=stack.environment,
    )
    there = json.loads(told)
    assert there["database_url"] == stack.settings.database_url
    assert there["task_queue"] == "small"
    assert Path(there["state_dir"]) == stack.addresses.state_dir
    assert stack.environment["TEMPORAL_ADDRESS"] == stack.addresses.temporal
    assert stack.environment["TEMPORAL_CONFIG_FILE"] == os.devnull  # no profile of the home folder gets in between


async def test_search_attributes_are_there(stack: Stack) -> None:
    client = await connect(stack.settings)
    assert [run async for run in client.list_workflows("TestStage = 'received'")] == []


async def test_a_second_stack_in_the_same_folder_is_refused_and_leaves_the_first_alone(stack: Stack) -> None:
    before = StackRecord.read(stack.settings.state_dir)
    with pytest.raises(StackRunning) as refused:
        async with Stack(stack.settings, handle_signals=False):
            pass
    assert str(stack.settings.state_dir) in str(refused.value)
    assert f"kill {os.getpid()}" in str(refused.value)
    assert StackRecord.read(stack.settings.state_dir) == before


@pytest.mark.parametrize("name", ["temporal", "postgres", "worker"])
async def test_a_process_that_is_killed_comes_back_and_nothing_is_lost(
    stack: Stack, news: list[str], name: str
) -> None:
    reference = f"small-{uuid4()}"
    client = await connect(stack.settings)
    handle = await client.start_workflow("Count", id=reference, task_queue="small")
    LIVES.leave_out(reference)
    for _ in range(3):
        await handle.signal("add")
    before = StackRecord.read(stack.settings.state_dir)
    assert before
    news.clear()
    os.kill(before.processes[name].pid, signal.SIGKILL)
    await until(lambda: any("is back" in line for line in news))
    assert any("SIGKILL; starting it again" in line for line in news)
    after = StackRecord.read(stack.settings.state_dir)
    assert after
    assert {other for other in before.processes if after.processes[other] != before.processes[other]} == {name}
    await handle.signal("finish")
    assert await handle.result() == 3 + 1


async def test_what_the_stack_keeps_is_for_its_user_only(stack: Stack) -> None:
    folder = stack.settings.state_dir
    for name in ("temporal.db", "lock", "logs/worker.log", "logs/temporal.log", "logs/postgres.log"):
        assert (folder / name).stat().st_mode & 0o077 == 0, name
    assert folder.stat().st_mode & 0o044 == 0  # as root it becomes passable, for PostgreSQL's own user


async def test_the_workers_log_has_nothing_but_lines_of_json(stack: Stack) -> None:
    for line in (stack.addresses.logs / "worker.log").read_text().splitlines():
        json.loads(line)


class Program:
    """`small_stack.py` in a process of its own."""

    def __init__(self, do: str, folder: Path, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "small_stack.py"), do],
            env={**os.environ, "PYTHONPATH": str(ROOT), "REDRESS_STATE_DIR": str(folder), **environment},
            stdout=subprocess.PIPE,
            text=True,
        )

    def until_ready(self) -> list[str]:
        """What it said until then."""
        assert self.process.stdout
        said: list[str] = []
        for line in self.process.stdout:
            if line == "ready\n":
                return said
            said.append(line.rstrip())
        raise AssertionError(f"it ended: {said}")

    def end(self, number: signal.Signals) -> int:
        """Its exit code, after this signal."""
        self.process.send_signal(number)
        self.process.communicate(timeout=120)
        return self.process.returncode


@contextmanager
def programs() -> Iterator[list[Program]]:
    """Programs that have ended when the test has, whatever happens."""
    started: list[Program] = []
    try:
        yield started
    finally:
        for program in started:
            if program.process.poll() is None:
                program.end(signal.SIGTERM)


@pytest.mark.long
async def test_after_a_kill_of_the_owner_a_new_start_stops_what_is_left_and_carries_on_with_all_data() -> None:
    with tempfile.TemporaryDirectory(prefix="redress-") as place, programs() as started:
        folder = Path(place) / "state"
        started.append(Program("wait", folder))
        await asyncio.to_thread(started[0].until_ready)
        settings = load_settings(state_dir=folder)
        client = await connect(settings)
        handle = await client.start_workflow("Count", id="small-1", task_queue="redress")
        LIVES.leave_out("small-1")
        await handle.signal("add")
        # Whose tables they are may make one; the programs work as somebody who may not.
        first = await asyncpg.connect(find_database(settings), user="postgres")
        await first.execute("create table kept (id int); insert into kept values (1)")
        await first.close()

        killed = StackRecord.read(folder)
        assert killed
        assert started[0].end(signal.SIGKILL) == -signal.SIGKILL
        assert all(process.is_alive() for process in killed.processes.values())
        await handle.signal("add")  # nobody watches over it, but it works

        started.append(Program("wait", folder))
        said = await asyncio.to_thread(started[1].until_ready)
        assert len([line for line in said if "left its" in line]) == 3
        assert not any(process.is_alive() for process in killed.processes.values())
        client = await connect(settings)
        handle = client.get_workflow_handle("small-1")
        await handle.signal("finish")
        assert await handle.result() == 2 + 1
        second = await asyncpg.connect(find_database(settings), user="postgres")
        assert await second.fetchval("select id from kept") == 1
        await second.close()

        assert await asyncio.to_thread(started[1].end, signal.SIGTERM) == 0
        assert processes_of(folder) == []
        assert not (folder / "stack.json").exists()


@pytest.mark.parametrize(
    ("do", "number"),
    [
        ("wait", signal.SIGINT),
        ("wait", signal.SIGTERM),
        ("work", signal.SIGINT),
        ("work", signal.SIGHUP),
    ],
)
async def test_with_servers_of_ones_own_the_stack_runs_only_the_worker_and_ends_it_on_a_signal(
    dev_server_env: WorkflowEnvironment, database_url: str, tmp_path: Path, do: str, number: signal.Signals
) -> None:
    with programs() as started:
        theirs = dev_server_env.client.service_client.config.target_host
        queue = f"small-{uuid4()}"
        program = Program(do, tmp_path, DATABASE_URL=database_url, TEMPORAL_ADDRESS=theirs, REDRESS_TASK_QUEUE=queue)
        started.append(program)
        await asyncio.to_thread(program.until_ready)
        record = running_stack(tmp_path)
        assert record
        assert set(record.processes) == {"worker"}
        assert (record.temporal_address, record.database_url) == (None, None)
        code = await asyncio.to_thread(program.end, number)
        assert code == (0 if do == "wait" else 128 + number)
        assert processes_of(tmp_path) == []


async def test_a_signal_during_the_start_stops_what_was_started(tmp_path: Path) -> None:
    with programs() as started:
        program = Program("wait", tmp_path)
        started.append(program)
        await until(lambda: running_stack(tmp_path))
        assert await asyncio.to_thread(program.end, signal.SIGTERM) == 128 + signal.SIGTERM
        assert processes_of(tmp_path) == []
        assert not (tmp_path / "stack.json").exists()


async def test_a_worker_that_fails_at_start_is_told_with_its_log_and_everything_is_stopped(
    dev_server_env: WorkflowEnvironment,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", dev_server_env.client.service_client.config.target_host)
    settings = load_settings(state_dir=tmp_path, database_url=database_url)
    with pytest.raises(StackError) as failed:
        async with Stack(
            settings, worker_command=["/bin/sh", "-c", "echo no mail server; exit 2"], handle_signals=False
        ):
            pass
    assert "The worker ended with exit code 2" in str(failed.value)
    assert "no mail server" in str(failed.value)
    assert not (tmp_path / "stack.json").exists()
    async with Stack(settings, worker_command=(), handle_signals=False):  # and the folder is free again
        pass


async def test_a_worker_that_is_killed_while_it_starts_is_started_again(
    dev_server_env: WorkflowEnvironment,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    python_path: None,
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", dev_server_env.client.service_client.config.target_host)
    settings = load_settings(state_dir=tmp_path, database_url=database_url, task_queue=f"small-{uuid4()}")
    dies_once = f'[ -e {tmp_path}/died ] || {{ touch {tmp_path}/died; kill -9 $$; }}; exec "$@"'
    news: list[str] = []
    async with Stack(
        settings,
        worker_command=["/bin/sh", "-c", dies_once, "sh", *SMALL_WORKER],
        say=news.append,
        handle_signals=False,
    ):
        assert news == ["The worker was ended by SIGKILL; starting it again in 0.5 s"]


async def test_a_fresh_stack_forgets_what_an_earlier_one_kept_and_empties_no_other_folder(
    dev_server_env: WorkflowEnvironment, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", dev_server_env.client.service_client.config.target_host)
    settings = load_settings(state_dir=tmp_path / "state", database_url=database_url)
    for _ in range(2):
        async with Stack(settings, worker_command=(), handle_signals=False, fresh=True) as stack:
            assert not (stack.settings.outbox_dir / "letter.eml").exists()
            stack.settings.outbox_dir.mkdir()
            (stack.settings.outbox_dir / "letter.eml").write_text("")
        async with Stack(settings, worker_command=(), handle_signals=False) as stack:
            assert (stack.settings.outbox_dir / "letter.eml").exists()
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.txt").write_text("years of it")
    with pytest.raises(StackError, match="never a state folder"):
        async with Stack(load_settings(state_dir=tmp_path / "work"), handle_signals=False, fresh=True):
            pass
    assert (tmp_path / "work" / "thesis.txt").exists()


async def test_a_state_folder_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StackError, match=r"cannot be used.*REDRESS_STATE_DIR"):
        async with Stack(load_settings(state_dir=tmp_path / "file" / "state"), handle_signals=False):
            pass


async def test_without_the_optional_extra_the_ways_out_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime.embedded, "find_spec", lambda _: None)
    with pytest.raises(StackError, match=r"redress\[embedded\]"):
        async with Stack(load_settings(state_dir=tmp_path), handle_signals=False):
            pass


def test_the_record_of_a_stack_knows_a_process_from_another_with_the_same_number() -> None:
    ourselves = RunningProcess.of(os.getpid())
    assert ourselves.is_alive()
    assert not RunningProcess(pid=ourselves.pid, created=ourselves.created - 60).is_alive()


def test_an_unreadable_record_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text('{"owner": ')
    assert running_stack(tmp_path) is None
