"""The real worker process: how it starts, how it stops, and that nothing is lost when it does not get to stop."""

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiosmtpd.smtp import SMTP
from temporalio.testing import WorkflowEnvironment

from domain.case.answers import Closed
from domain.case.complaint import Complaint
from domain.ground.words import Outcome
from starter.client.complaints import Complaints
from tests.conftest import Mailbox
from tests.end_to_end.support import (
    WorkerProcess,
    at_stage,
    book_late_withdrawal,
    late_withdrawal_complaint,
    variables_for,
    worker_process,
)
from tests.on_file import put_on_file
from tests.patience import PATIENCE, eventually


@pytest.fixture
def variables(
    dev_server_env: WorkflowEnvironment, database_url: str, task_queue: str, tmp_path: Path
) -> dict[str, str]:
    """All that a worker needs; letters go to an outbox folder."""
    return {
        **variables_for(dev_server_env, database_url, task_queue),
        "REDRESS_OUTBOX_DIR": str(tmp_path / "outbox"),
    }


@pytest.fixture
def complaints(dev_server_env: WorkflowEnvironment, task_queue: str) -> Complaints:
    """The client of the same service."""
    return Complaints(dev_server_env.client, task_queue=task_queue)


@pytest.fixture
def closed_port() -> Iterator[socket.socket]:
    """A socket whose port is ours, and where nobody answers until somebody listens on it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held


def mail_at(port: int) -> dict[str, str]:
    """Settings for plain SMTP on this machine."""
    return {"REDRESS_SMTP_HOST": "127.0.0.1", "REDRESS_SMTP_PORT": str(port), "REDRESS_SMTP_TLS": "none"}


def complaint(**changes: Any) -> Complaint:
    return Complaint.model_validate(late_withdrawal_complaint(str(uuid.uuid4()), **changes))


@asynccontextmanager
async def opened(held: socket.socket, mailbox: Mailbox) -> AsyncIterator[None]:
    """*mailbox* answers at the port of *held* as well."""
    loop = asyncio.get_running_loop()
    connections: list[SMTP] = []

    def answer() -> SMTP:
        connections.append(SMTP(mailbox, hostname="mail.example.com", enable_SMTPUTF8=True, loop=loop))
        return connections[-1]

    server = await loop.create_server(answer, sock=held)
    try:
        yield
    finally:
        server.close()
        for connection in connections:
            if connection.transport:
                connection.transport.close()
        await server.wait_closed()


async def waits_for(complaints: Complaints, reference: str, what: str) -> None:
    async def it_does() -> bool:
        return what in str((await complaints.status(reference)).waiting_for)

    await eventually(it_does, f"the case waits for {what}")


async def refuses_to_start(folder: Path, **variables: str) -> str:
    """What a worker says that ends at once for want of something: one line."""
    async with worker_process(folder, **variables) as process:
        assert await process.ended() == 2, process.output
    assert "Traceback" not in process.output
    said = [line for line in process.output.splitlines() if line.startswith("redress worker: ")]
    assert len(said) == 1
    assert process.output.splitlines()[-1] == said[0]
    return said[0]


async def test_a_worker_without_any_configuration_says_that_the_database_is_missing(tmp_path: Path) -> None:
    assert "DATABASE_URL" in await refuses_to_start(tmp_path)


async def test_a_worker_whose_database_does_not_answer_says_so_without_the_password(
    tmp_path: Path, closed_port: socket.socket
) -> None:
    port = closed_port.getsockname()[1]
    url = f"postgresql://redress:not-to-be-told@127.0.0.1:{port}/redress"  # gitleaks:allow
    said = await refuses_to_start(tmp_path, DATABASE_URL=url)
    assert f"127.0.0.1:{port}" in said
    assert "not-to-be-told" not in said


async def test_a_worker_without_temporal_names_the_address_and_what_to_set(
    tmp_path: Path, closed_port: socket.socket, database_url: str
) -> None:
    address = f"127.0.0.1:{closed_port.getsockname()[1]}"
    said = await refuses_to_start(tmp_path, DATABASE_URL=database_url, TEMPORAL_ADDRESS=address)
    assert address in said
    assert "TEMPORAL_ADDRESS" in said


async def test_a_worker_told_to_stop_finishes_the_letter_in_hand_and_a_case_survives_the_death_of_the_next(
    *,
    variables: dict[str, str],
    complaints: Complaints,
    mailbox: Mailbox,
    pool: "asyncpg.Pool[asyncpg.Record]",
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    variables |= mail_at(mailbox.port)
    await book_late_withdrawal(pool)
    async with worker_process(tmp_path / "first", **variables) as process:
        await process.ready()
        reference = await stopped_with_a_letter_in_hand(process, complaints, mailbox, pool, monkeypatch)
    async with worker_process(tmp_path / "second", **variables) as process:
        await process.ready()
        await waits_for(complaints, reference, "answer to the final response")
        await process.kill()
    assert await pool.fetchval("SELECT stage FROM casefile.cases") == "responded"

    async with worker_process(tmp_path / "third", **variables):
        async with asyncio.timeout(PATIENCE):
            closed = await complaints.result(reference)
        assert isinstance(closed, Closed)
        assert closed.outcome is Outcome.UPHELD
        await at_stage(pool, reference, "closed")
    await nothing_happened_twice(pool, mailbox, closed)


async def stopped_with_a_letter_in_hand(
    process: WorkerProcess,
    complaints: Complaints,
    mailbox: Mailbox,
    pool: "asyncpg.Pool[asyncpg.Record]",
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """Stop the worker while the mail server takes its first letter; the reference of the case."""
    in_hand, go_on = asyncio.Event(), asyncio.Event()
    take = mailbox.handle_DATA

    async def take_slowly(*data: Any) -> str:
        in_hand.set()
        await go_on.wait()
        return await take(*data)

    monkeypatch.setattr(mailbox, "handle_DATA", take_slowly)
    accepted = "SELECT count(*) FROM casefile.letter_attempts WHERE outcome = 'accepted'"
    reference = (await complaints.submit(complaint(policy="demo"))).reference
    async with asyncio.timeout(PATIENCE):
        await in_hand.wait()
    process.terminate()
    await process.says("worker stopping")
    assert process.running
    assert await pool.fetchval(accepted) == 0
    go_on.set()
    assert await process.ended() == 0
    assert "Traceback" not in process.output
    assert await pool.fetchval(accepted) == 1
    assert len(mailbox.received) == 1
    return reference


async def nothing_happened_twice(pool: "asyncpg.Pool[asyncpg.Record]", mailbox: Mailbox, closed: Closed) -> None:
    ours = [message["Message-ID"] for message in mailbox.messages]
    assert len(ours) == len(set(ours))
    letters = await pool.fetch(
        "SELECT kind, count(*) FILTER (WHERE outcome = 'accepted') AS accepted"
        " FROM casefile.letters LEFT JOIN casefile.letter_attempts USING (key) GROUP BY key, kind"
    )
    assert {row["accepted"] for row in letters} == {1}
    kinds = sorted(row["kind"] for row in letters if row["kind"] != "staff_notice")
    assert kinds == ["acknowledgement", "feedback_request", "final_response"]
    posted = await pool.fetch("SELECT amount, currency FROM casefile.postings")
    assert [(row["amount"], row["currency"]) for row in posted] == [
        (closed.compensation.amount, closed.compensation.currency) if closed.compensation else None
    ]
    # That a rung is in the ledger once is the table's doing; what it led to must be there once as well.
    fired = await pool.fetch("SELECT clock, rung FROM casefile.firings")
    assert {("acceptance", "due"), ("feedback", "due"), ("follow-up", "due")} <= {tuple(row) for row in fired}
    silences = "SELECT count(*) FROM casefile.timeline WHERE kind = 'silence'"
    assert await pool.fetchval(silences) == 1


async def test_a_case_waits_for_the_mail_server_and_goes_on_when_it_is_there(
    *,
    variables: dict[str, str],
    complaints: Complaints,
    mailbox: Mailbox,
    closed_port: socket.socket,
    pool: "asyncpg.Pool[asyncpg.Record]",
    tmp_path: Path,
) -> None:
    variables |= mail_at(closed_port.getsockname()[1])
    attempts = "SELECT count(*) FROM casefile.letter_attempts WHERE outcome = $1"
    async with worker_process(tmp_path, **variables) as process:
        await process.ready()
        one = complaint()
        await put_on_file(pool, one)
        reference = (await complaints.submit(one)).reference

        async def it_was_tried() -> bool:
            return bool(await pool.fetchval(attempts, "failed"))

        await eventually(it_was_tried, "a first attempt")
        await waits_for(complaints, reference, "a channel to accept the acknowledgement letter")
        assert await pool.fetchval("SELECT stage FROM casefile.cases") == "acknowledged"
        assert mailbox.received == []

        async with opened(closed_port, mailbox):
            await at_stage(pool, reference, "investigating")
            assert mailbox.messages[0]["X-Redress-Reference"] == reference
            letter = "SELECT count(*) FROM casefile.letters WHERE kind = 'acknowledgement'"
            assert await pool.fetchval(letter) == 1
