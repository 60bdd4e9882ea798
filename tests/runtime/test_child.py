import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

import runtime.child
from runtime.child import Child, StackError
from runtime.paths import ROOT
from runtime.running import RunningProcess
from tests.runtime.support import until


async def at_once(_child: Child) -> bool:
    return True


def child(tmp_path: Path, script: str, **details: object) -> Child:
    """A shell script as a server."""
    return Child(
        **{  # type: ignore[arg-type]
            "name": "The server",
            "command": ["/bin/sh", "-c", script],
            "log": tmp_path / "log",
            "environment": dict(os.environ),
            "ready": at_once,
            **details,
        }
    )


async def test_a_child_is_known_before_it_runs_anything(tmp_path: Path) -> None:
    known: list[bool] = []
    server = child(
        tmp_path, f"touch {tmp_path}/ran; sleep 60", on_start=lambda _: known.append((tmp_path / "ran").exists())
    )
    await server.start()
    await until((tmp_path / "ran").exists)
    await server.stop()
    assert known == [False]


def test_a_child_whose_parent_dies_before_it_is_known_runs_nothing(tmp_path: Path) -> None:
    parent = f"""
import asyncio, os
from pathlib import Path
from runtime.child import Child
async def ready(child): return True
server = Child(name="x", command=["touch", "{tmp_path}/ran"], log=Path("{tmp_path}/log"), environment=dict(os.environ),
               ready=ready, on_start=lambda process: (print(process.pid, flush=True), os.kill(os.getpid(), 9)))
asyncio.run(server.start())
"""
    died = subprocess.run(
        [sys.executable, "-c", parent], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False
    )
    assert died.returncode == -signal.SIGKILL
    psutil.wait_procs([psutil.Process(pid) for pid in [int(died.stdout)] if psutil.pid_exists(pid)], timeout=10)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("deaths", ["exit 1", "kill -9 $$", "echo $n; exit 2"], ids=["failed", "killed", "complained"])
async def test_a_child_that_dies_while_it_starts_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deaths: str
) -> None:
    monkeypatch.setattr(runtime.child, "_DELAYS", (0.01, 0.04))
    news: list[str] = []
    script = f"""
        cd {tmp_path}; echo >> starts; n=$(wc -l < starts)
        if [ $n -le 5 ]; then {deaths}; fi
        touch ready; sleep 60"""
    server = child(tmp_path, script, ready=is_ready(tmp_path), misconfigured=2, say=news.append)
    await server.start()
    assert not server.ended
    await server.stop()
    assert [line.partition("again in ")[2] for line in news] == ["0.01 s", "0.02 s", "0.04 s", "0.04 s", "0.04 s"]


async def test_a_child_that_complains_of_the_same_configuration_again_and_again_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime.child, "_DELAYS", (0.01, 0.04))
    script = f"cd {tmp_path}; echo >> starts; echo no mail server; exit 2"
    server = child(tmp_path, script, ready=is_ready(tmp_path), misconfigured=2)
    with pytest.raises(StackError, match=r"(?s)ended with exit code 2.*no mail server"):
        await server.start()
    assert (tmp_path / "starts").read_text().count("\n") == 3


async def test_a_child_without_a_code_for_its_configuration_has_one_try(tmp_path: Path) -> None:
    server = child(tmp_path, f"echo >> {tmp_path}/starts; exit 1", ready=is_ready(tmp_path))
    with pytest.raises(StackError, match="ended with exit code 1"):
        await server.start()
    assert (tmp_path / "starts").read_text() == "\n"


def is_ready(folder: Path) -> Callable[[Child], Awaitable[bool]]:
    async def ready(_child: Child) -> bool:
        return (folder / "ready").exists()

    return ready


async def test_a_child_that_dies_is_started_again_later_and_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime.child, "_DELAYS", (0.01, 0.04))
    news: list[str] = []
    server = child(tmp_path, "sleep 0.05; exit 7", say=news.append)
    await server.start()
    await until(lambda: len(news) >= 7)
    await server.stop()
    assert news[:7] == [
        "The server ended with exit code 7; starting it again in 0.01 s",
        "The server is back",
        "The server ended with exit code 7; starting it again in 0.02 s",
        "The server is back",
        "The server ended with exit code 7; starting it again in 0.04 s",
        "The server is back",
        "The server ended with exit code 7; starting it again in 0.04 s",
    ]


async def test_a_child_that_was_well_for_long_is_started_again_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime.child, "_DELAYS", (0.01, 10))
    monkeypatch.setattr(runtime.child, "_STEADY", 0.02)
    news: list[str] = []
    server = child(tmp_path, "sleep 0.1", say=news.append)
    await server.start()
    await until(lambda: len(news) >= 5)
    await server.stop()
    assert {line for line in news if "again" in line} == {
        "The server ended with exit code 0; starting it again in 0.01 s"
    }


async def test_a_child_that_fails_at_start_is_told_with_the_end_of_its_log_of_this_start(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("an old trouble\n")

    async def never(_child: Child) -> bool:
        return False

    with pytest.raises(StackError) as failed:
        await child(tmp_path, "echo a new trouble >&2; exit 3", ready=never).start()
    assert "ended with exit code 3" in str(failed.value)
    assert "a new trouble" in str(failed.value)
    assert "an old trouble" not in str(failed.value)


async def test_a_child_that_does_not_become_ready_is_ended_and_told(tmp_path: Path) -> None:
    async def never(_child: Child) -> bool:
        return False

    started: list[RunningProcess] = []
    server = child(tmp_path, "echo thinking; exec sleep 60", ready=never, patience=0.3, on_start=started.append)
    with pytest.raises(StackError, match="not ready within"):
        await server.start()
    assert not started[0].is_alive()


async def test_a_child_has_time_to_end_gently(tmp_path: Path) -> None:
    server = child(
        tmp_path,
        f"trap 'sleep 0.3; touch {tmp_path}/done; exit' TERM; touch {tmp_path}/up; while :; do sleep 0.02; done",
    )
    await server.start()
    await until((tmp_path / "up").exists)
    await server.stop()
    assert (tmp_path / "done").exists()


async def test_a_child_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    started: list[RunningProcess] = []
    server = child(
        tmp_path,
        f"trap '' TERM; touch {tmp_path}/up; while :; do sleep 0.02; done",
        grace=0.3,
        on_start=started.append,
    )
    await server.start()
    await until((tmp_path / "up").exists)
    await server.stop()
    assert not started[0].is_alive()


async def test_a_gentle_end_can_be_hastened(tmp_path: Path) -> None:
    server = child(tmp_path, f"trap '' TERM; touch {tmp_path}/up; while :; do sleep 0.02; done", grace=60)
    await server.start()
    await until((tmp_path / "up").exists)
    began = time.monotonic()
    stopping = asyncio.create_task(server.stop())
    await asyncio.sleep(0.1)
    assert not stopping.done()
    server.hasten()
    await stopping
    assert time.monotonic() - began < 30


async def test_a_child_has_a_session_of_its_own_and_keeps_its_files_to_itself(tmp_path: Path) -> None:
    started: list[RunningProcess] = []
    server = child(tmp_path, f"umask > {tmp_path}/umask; exec sleep 60", on_start=started.append)
    await server.start()
    # There as soon as the shell has opened it, and empty until it has written.
    await until(lambda: (tmp_path / "umask").exists() and (tmp_path / "umask").read_text() != "")
    assert os.getsid(started[0].pid) == started[0].pid
    await server.stop()
    assert (tmp_path / "umask").read_text().strip() == "0077"
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


async def test_a_long_log_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime.child, "_LOG_LIMIT", 10)
    (tmp_path / "log").write_text("more than ten bytes\n")
    server = child(tmp_path, "exec sleep 60")
    await server.start()
    await server.stop()
    assert (tmp_path / "log.1").read_text() == "more than ten bytes\n"
    assert (tmp_path / "log").read_text() == ""
