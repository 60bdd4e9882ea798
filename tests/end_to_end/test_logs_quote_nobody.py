"""What customers wrote comes in by every door, and no line of a worker's log tells of it, nor a failure in Temporal."""

import asyncio
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.testing import WorkflowEnvironment

from domain.ground.messages import Message
from domain.ground.reference import reference_for
from tests.conftest import Mailbox
from tests.end_to_end.support import WorkerProcess, late_withdrawal_complaint, variables_for, worker_process
from tests.patience import eventually

WORD = "zorblatt"
FORBIDDEN = f"{WORD}-refused"


def kinds(root: type[Message] = Message) -> Iterator[type[Message]]:
    """Every message that a case takes."""
    for kind in root.__subclasses__():
        if hasattr(kind, "name"):
            yield kind
        yield from kinds(kind)


def misfits(kind: type[Message]) -> list[Any]:
    """Messages that quote a customer and cannot be read."""
    quoted = dict.fromkeys(kind.model_fields, WORD)
    return [
        WORD,
        [WORD],
        {WORD: WORD},
        quoted,
        {**quoted, "message_id": "m-1", "at": datetime.now(UTC).isoformat(), "actor": {"id": WORD, "role": WORD}},
        {"message_id": "m-2", "actor": {WORD: {WORD: WORD}}, WORD: [WORD] * 3},
        RawValue(Payload(metadata={"encoding": b"json/plain"}, data=f'{{"text": "{WORD}'.encode())),
        RawValue(Payload(metadata={"encoding": b"json/plain"}, data=WORD.encode() + b"\xff\xfe")),
        RawValue(Payload(metadata={"encoding": WORD.encode()}, data=WORD.encode())),
    ]


def complaint(**changes: Any) -> dict[str, Any]:
    """Every free field quotes the customer."""
    return late_withdrawal_complaint(
        str(uuid.uuid4()),
        complainant={"name": WORD.title(), "email": f"{WORD}@example.com"},
        account=WORD,
        trades=[WORD],
        description=f"{WORD}: my withdrawal of yesterday",
        **changes,
    )


async def start(client: Client, task_queue: str, *given: Any) -> "WorkflowHandle[Any, Any]":
    match given:
        case [{"source": source, "idempotency_key": key}]:
            reference = reference_for(source, key)
        case _:
            reference = f"RD-{uuid.uuid4()}"
    return await client.start_workflow("Complaint", args=given, id=reference, task_queue=task_queue)


async def failures(handle: "WorkflowHandle[Any, Any]") -> list[str]:
    """What the history of a workflow tells of what failed."""
    told = []
    async for event in handle.fetch_history_events():
        for _, attributes in event.ListFields():
            for field, value in attributes.ListFields() if hasattr(attributes, "ListFields") else ():
                if "failure" in field.name:
                    told.append(str(value))
    description = await handle.describe()
    return told + [str(pending.last_failure) for pending in description.raw_description.pending_activities]


@pytest.mark.long
async def test_no_line_of_a_worker_quotes_a_customer_whatever_goes_wrong(
    *,
    dev_server_env: WorkflowEnvironment,
    database_url: str,
    task_queue: str,
    pool: "asyncpg.Pool[asyncpg.Record]",
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    async def refuse(_server: SMTP, _session: Session, _envelope: Envelope, address: str, _options: Any) -> str:
        return f"550 5.1.1 <{address}>: {WORD} does not live here"

    monkeypatch.setattr(mailbox, "handle_RCPT", refuse)
    variables = variables_for(dev_server_env, database_url, task_queue) | {
        "REDRESS_LOG_LEVEL": "DEBUG",
        "REDRESS_SMTP_HOST": mailbox.host,
        "REDRESS_SMTP_PORT": str(mailbox.port),
        "REDRESS_SMTP_TLS": "none",
    }
    client = dev_server_env.client
    async with worker_process(tmp_path, **variables) as process:
        await process.ready()
        await pool.execute(
            "alter table casefile.cases add check (complaint->>'product' not like $$%refused%$$) not valid"
        )
        case = await start(client, task_queue, complaint())
        refused = await start(client, task_queue, complaint() | {"product": FORBIDDEN})
        unread = [await start(client, task_queue, *given) for given in ([], [WORD, WORD])]
        unread += [await start(client, task_queue, each) for each in misfits(Message)]
        unread += [await start(client, task_queue, complaint() | {"language": WORD, WORD: WORD, "received_at": WORD})]
        await says(process, "case opened", "letter not delivered")
        await asyncio.gather(*(send_all(case, kind) for kind in kinds()))
        await case.signal("customer_reply", {"message_id": "r-1", "text": f"{WORD} says: hurry up"})
        await says(process, "CheckViolationError", "start refused")
        await pool.execute("alter table casefile.rejected_messages add check (false) not valid")
        await case.signal(WORD, WORD)
        await eventually(lambda: has(process.output, "rejected_messages", "CheckViolationError"), "a row was refused")
        told = [each for handle in (case, refused) for each in await failures(handle)]
    assert WORD not in process.output.lower()
    assert told
    assert not [each for each in told if WORD in each.lower()]
    assert not [each for handle in unread for each in await failures(handle) if f"'{WORD}'" in each]


_AT_ONCE = asyncio.Semaphore(5)  # Temporal takes ten updates of a workflow at a time


async def send_all(case: "WorkflowHandle[Any, Any]", kind: type[Message]) -> None:
    async with _AT_ONCE:
        for message in misfits(kind):
            await case.signal(kind.name, message)
            with pytest.raises(WorkflowUpdateFailedError):
                await case.execute_update(kind.name, message)


async def says(process: WorkerProcess, *texts: str) -> None:
    for text in texts:
        await process.says(text)


async def has(output: str, *texts: str) -> bool:
    return all(text in output for text in texts)
