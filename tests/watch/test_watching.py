"""A worker's endpoint, as Prometheus and a supervisor find it: a real worker process beside real servers."""

import asyncio
import re
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import pytest
from temporalio.testing import WorkflowEnvironment

from domain.case.complaint import Complaint
from domain.ground.words import Stage
from runtime.policies import calendars_in_use
from runtime.settings import load_settings
from runtime.temporal import register_search_attributes
from runtime.watch.endpoint import BEAT_LIMIT, PROBE_LIMIT, State
from runtime.watch.metrics import GAUGES, only_known
from runtime.watch.readings import read_record
from starter.client.complaints import Complaints
from tests.end_to_end.support import (
    WorkerProcess,
    at_stage,
    late_withdrawal_complaint,
    variables_for,
    worker_process,
)
from tests.patience import eventually
from tests.watch.scrape import parse
from worker import build_worker
from workflows.search_attributes import KEYS

ROOT: Final = Path(__file__).parents[2]


class Proxy:
    """A way to PostgreSQL that can swallow everything, as a broken network does."""

    def __init__(self, database_url: str) -> None:
        self.swallowing = asyncio.Event()
        self.passing = asyncio.Event()
        self.passing.set()
        parts = urlsplit(database_url)
        query = parse_qs(parts.query)
        self._socket = f"{query['host'][0]}/.s.PGSQL.{query.get('port', ['5432'])[0]}"
        self._name = parts.path
        self._user = parts.username
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(self._socket)
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer), return_exceptions=True)

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                await self.passing.wait()
                sink.write(data)
                await sink.drain()
        finally:
            sink.close()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Proxy"]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"postgresql://{self._user}@127.0.0.1:{server.sockets[0].getsockname()[1]}{self._name}"
        try:
            yield self
        finally:
            self.passing.set()
            server.close()


async def endpoint(process: WorkerProcess) -> str:
    """The URL of the endpoint of a worker that was given port 0."""
    await process.ready()
    found = re.search(r'"url": "(http://[^"]+)"', process.output)
    assert found, process.output
    return found[1]


async def get(url: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=15) as client:
        return await client.get(url)


async def readyz(url: str) -> tuple[int, str]:
    answer = await get(f"{url}/readyz")
    return answer.status_code, answer.text


@pytest.fixture
def variables(
    dev_server_env: WorkflowEnvironment, database_url: str, task_queue: str, tmp_path: Path
) -> dict[str, str]:
    return {
        **variables_for(dev_server_env, database_url, task_queue),
        "REDRESS_OUTBOX_DIR": str(tmp_path / "outbox"),
        "REDRESS_METRICS_ADDRESS": "127.0.0.1:0",
    }


# What may stand in a label. Everything else is a reference, a name or an address, or will be one day.
ALLOWED: Final[dict[str, str]] = {
    "stage": "|".join(Stage),
    "activity": r"[A-Z][A-Za-z]+",
    "calendar": "|".join(calendars_in_use()),
    "activity_type": r"[A-Z][A-Za-z]+",
    "workflow_type": "Complaint|Investigation|Incident",
    "namespace": "default",
    "task_queue": r"test-[0-9a-f]+|queue-[0-9a-f]+|[0-9a-f-]+",
    "poller_type": "workflow_task|sticky_workflow_task|activity_task|nexus_task",
    "worker_type": "WorkflowWorker|ActivityWorker|LocalActivityWorker|NexusWorker",
    "operation": r"[A-Z][A-Za-z]+",
    "status_code": r"[A-Z_]+",
    "failure_reason": r"[A-Za-z]+",
    "eager": "true|false",
    "le": r"[0-9.+e]+|\+Inf",
}


async def test_no_label_of_a_scrape_holds_anything_but_words_of_ours(
    dev_server_env: WorkflowEnvironment,
    variables: dict[str, str],
    task_queue: str,
    pool: "asyncpg.Pool[asyncpg.Record]",
    tmp_path: Path,
) -> None:
    complaints = Complaints(dev_server_env.client, task_queue=task_queue)
    async with worker_process(tmp_path, **variables) as process:
        url = await endpoint(process)
        complaint = Complaint.model_validate(late_withdrawal_complaint(str(uuid.uuid4())))
        reference = (await complaints.submit(complaint)).reference
        await at_stage(pool, reference, "deciding")

        async def everything_is_told() -> bool:
            text = (await get(f"{url}/metrics")).text
            return set(GAUGES) <= set(parse(text)) and 'workflow_type="Complaint"' in text

        await eventually(everything_is_told, "a scrape with every gauge")
        text = (await get(f"{url}/metrics")).text

        async def is_ready() -> bool:
            return await readyz(url) == (200, "ok\n")

        await eventually(is_ready, "ready")
    samples = parse(text)
    assert "temporal_num_pollers" in samples
    for name, series in samples.items():
        for labels, _ in series:
            for label, value in labels.items():
                known = ALLOWED[label] if label != "task_queue" else re.escape(task_queue)
                assert re.fullmatch(known, value), f"{name}: {label}={value}"
    for personal in (reference, "customer@example.com", "The Customer", "70012345"):
        assert personal not in text


def test_types_that_a_stranger_made_up_are_left_out_of_the_metrics() -> None:
    ours = 'failed{workflow_type="Complaint",activity_type="Record"} 1'
    theirs = 'failed{a="b",workflow_type="customer@example.com"} 1'
    tricky = 'failed{workflow_type="a\\",activity_type=\\"Record"} 1'
    text = "\n".join(["# TYPE failed counter", ours, theirs, tricky, ""])
    assert only_known(text, {"Complaint", "Record"}) == f"# TYPE failed counter\n{ours}\n"


@pytest.mark.long
async def test_a_worker_is_ready_only_while_its_database_answers_and_says_which_part_does_not(
    variables: dict[str, str], database_url: str, tmp_path: Path
) -> None:
    version = {"REDRESS_DEPLOYMENT": f"d{uuid.uuid4().hex[:8]}", "REDRESS_BUILD_ID": "1"}  # one with a version, too
    async with (
        Proxy(database_url).open() as proxy,
        worker_process(tmp_path, **variables | version | {"DATABASE_URL": proxy.url}) as process,
    ):
        url = await endpoint(process)

        async def is_ready() -> bool:
            return await readyz(url) == (200, "ok\n")

        async def is_not() -> bool:
            status, text = await readyz(url)
            return status == 503 and "PostgreSQL does not answer" in text

        await eventually(is_ready, "ready")
        proxy.passing.clear()
        await eventually(is_not, "not ready", within=30)
        assert (await get(f"{url}/healthz")).text == "ok\n"
        proxy.passing.set()
        await eventually(is_ready, "ready again")

        async def health() -> tuple[int, str]:
            asked = await asyncio.create_subprocess_exec(
                sys.executable,
                str(ROOT / "deploy" / "worker_health.py"),
                env={"PATH": "", "REDRESS_METRICS_ADDRESS": url.removeprefix("http://"), "PYTHONPATH": str(ROOT)},
                stderr=asyncio.subprocess.PIPE,
            )
            _, said = await asked.communicate()
            return asked.returncode or 0, said.decode()

        assert await health() == (0, "")
        process.terminate()
        assert await process.ended() == 0
        code, said = await health()
        assert code == 1
        assert "no answer from" in said
        assert "Traceback" not in process.output


async def test_a_worker_whose_metrics_address_is_taken_says_so_and_ends(
    variables: dict[str, str], tmp_path: Path
) -> None:
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
        taken = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with worker_process(tmp_path, **variables | {"REDRESS_METRICS_ADDRESS": taken}) as process:
            assert await process.ended() == 2
    assert f"REDRESS_METRICS_ADDRESS: {taken} cannot be listened on" in process.output


def test_a_loop_that_does_not_turn_and_a_probe_that_is_old_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: clock)
    state = State()
    assert state.ready() == (False, "not probed yet")
    state.beat()
    state.probed(())
    assert state.alive() == state.ready() == (True, "ok")
    clock += BEAT_LIMIT + 1
    assert state.alive() == (False, "the event loop has not turned for 11 s")
    clock += PROBE_LIMIT - BEAT_LIMIT
    assert state.ready() == (False, "the last probe was 21 s ago")


_SUBSCRIBED = """
    insert into web.subscriptions (id, service, url, events, secret, made_at, made_by, ended_at)
    values ($1, 'crm', 'https://crm.example.com', '{case.closed}', 's', $2, 'engineer:e-1', $3)
"""
_TO_BE_TOLD = """
    insert into web.deliveries (subscription, key, event, reference, at, next_at)
    values ($1, 'k', 'case.closed', 'RD-1', $2, null)
"""


async def test_an_empty_record_reads_as_nothing_at_all_and_webhooks_wait_until_they_are_taken(
    pool: "asyncpg.Pool[asyncpg.Record]",
) -> None:
    async with pool.acquire() as connection:
        reading = await read_record(connection, datetime.now(UTC))
        at = datetime.now(UTC) - timedelta(hours=2)
        for name, ended in (("stands", None), ("ended", at)):
            await connection.execute(_SUBSCRIBED, name, at, ended)
            await connection.execute(_TO_BE_TOLD, name, at)
        waiting = await read_record(connection, datetime.now(UTC))
    assert (reading.webhooks_waiting, reading.oldest_webhook) == (0, 0.0)
    assert waiting.webhooks_waiting == 1
    assert waiting.oldest_webhook >= 7_200
    assert not any(reading.open_cases.values())
    assert (reading.letters_waiting, reading.oldest_letter, reading.rungs_overdue) == (0, 0.0, 0)


async def test_what_waits_in_the_record_is_counted_until_it_is_done(
    dev_server_env: WorkflowEnvironment, task_queue: str, pool: "asyncpg.Pool[asyncpg.Record]"
) -> None:
    await register_search_attributes(dev_server_env.client, KEYS)
    complaints = Complaints(dev_server_env.client, task_queue=task_queue)
    closed_door = load_settings(task_queue=task_queue, smtp_host="127.0.0.1", smtp_port=1, smtp_tls="none")
    async with build_worker(dev_server_env.client, pool, closed_door):
        complaint = Complaint.model_validate(late_withdrawal_complaint(str(uuid.uuid4())))
        reference = (await complaints.submit(complaint)).reference
        await at_stage(pool, reference, "acknowledged")

        async def was_tried() -> bool:
            return bool(await pool.fetchval("select count(*) from casefile.letter_attempts"))

        await eventually(was_tried, "an attempt to send")
    now = datetime.now(UTC)
    async with pool.acquire() as connection:
        reading = await read_record(connection, now)
        assert reading.open_cases[Stage.ACKNOWLEDGED] == 1
        assert reading.letters_waiting == 1
        assert 0 <= reading.oldest_letter < 600
        assert reading.rungs_overdue == 0
        # Nothing works any more, and the first deadline passes.
        due = await pool.fetchval("select min(due) from casefile.deadlines")
        assert (await read_record(connection, due + timedelta(minutes=2))).rungs_overdue >= 1
        await pool.execute(
            "insert into casefile.letter_attempts (key, at, channel, outcome)"
            " select key, $1, 'smtp', 'accepted' from casefile.letters",
            now,
        )
        await pool.execute(
            "insert into casefile.rejected_messages (reference, key, at, name, reason, payload)"
            " values ($1, 'k', $2, 'n', 'r', 'p')",
            reference,
            now,
        )
        reading = await read_record(connection, now)
        assert (reading.letters_waiting, reading.oldest_letter, reading.rejected_messages) == (0, 0.0, 1)
        assert (await read_record(connection, now + timedelta(days=2))).rejected_messages == 0
