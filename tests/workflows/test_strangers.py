"""Whatever anybody sends to Temporal is a case, on a case, or a refusal that can be found; and nothing is posted."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution, WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest, StartWorkflowExecutionRequest
from temporalio.client import WorkflowFailureError

from domain.case import Case
from domain.complaint import Complaint
from domain.reference import reference_for
from domain.sizes import LONGEST_KEPT, size
from domain.words import WORKFLOW, Outcome, Stage
from starter.case_reader import CaseNotFound, get_case
from starter.client import Refused
from tests.workflows.house import CUSTOMER, HANDLER, House

JSON = {"encoding": b"json/plain"}
UNREADABLE = {
    "broken JSON": Payload(metadata=JSON, data=b'{"message_id": '),
    "no encoding": Payload(data=b"{}"),
    "protobuf": Payload(metadata={"encoding": b"json/protobuf"}, data=b"{}"),
    "bytes": Payload(metadata={"encoding": b"binary/plain"}, data=b"\xff\xfe"),
    "encrypted": Payload(metadata={"encoding": b"binary/encrypted"}, data=b"\x00\x01\x02"),
    "bad UTF-8": Payload(metadata=JSON, data=b'{"text": "\xff"}'),
    "UTF-16": Payload(metadata=JSON, data='{"text": "钱"}'.encode("utf-16")),
    "deep nesting": Payload(metadata=JSON, data=b"[" * 20_000 + b"]" * 20_000),
    "a huge number": Payload(metadata=JSON, data=b'{"level": ' + b"9" * 10_000 + b"}"),
    "not a number": Payload(metadata=JSON, data=b'{"level": NaN}'),
    "nothing but size": Payload(metadata=JSON, data=b'"' + b"x" * 60_000 + b'"'),
}


async def signal(house: House, reference: str, name: str, *payloads: Payload) -> None:
    await house.client.workflow_service.signal_workflow_execution(
        SignalWorkflowExecutionRequest(
            namespace="default",
            workflow_execution=WorkflowExecution(workflow_id=reference),
            signal_name=name,
            input=Payloads(payloads=payloads),
        )
    )


async def start(house: House, reference: str, *payloads: Payload) -> None:
    await house.client.workflow_service.start_workflow_execution(
        StartWorkflowExecutionRequest(
            namespace="default",
            workflow_id=reference,
            workflow_type=WorkflowType(name=WORKFLOW),
            task_queue=TaskQueue(name=house.task_queue),
            request_id=reference,
            input=Payloads(payloads=payloads),
        )
    )
    house.submitted.append(reference)


async def in_decision(house: House) -> str:
    await house.late_withdrawal("3000000")
    reference = await house.submit()
    await house.at(reference, Stage.DECIDING)
    return reference


@pytest.mark.parametrize("name", ["customer_reply", "escalate", "incident_changed", "unheard_of"])
async def test_what_cannot_be_read_is_kept_once_with_the_reason(house: House, name: str) -> None:
    reference = await in_decision(house)
    for payload in UNREADABLE.values():
        await signal(house, reference, name, payload)
    await signal(house, reference, name)

    async def kept() -> bool:
        count = await house.pool.fetchval("select count(*) from casefile.rejected_messages where name = $1", name)
        return bool(count == len(UNREADABLE) + 1)

    await house.eventually(kept)
    rows = await house.pool.fetch("select reason, payload from casefile.rejected_messages")
    assert all(row["reason"] and len(row["payload"]) < 64_000 for row in rows)
    await house.complaints.withdraw(reference, by=CUSTOMER)
    assert (await house.closed(reference)).outcome is Outcome.WITHDRAWN


async def test_half_an_emoji_is_no_reason_to_lose_a_complaint_or_a_reply(house: House) -> None:
    now = await house.env.get_current_time()
    given = {
        "source": "test",
        "idempotency_key": "half",
        "received_at": now.isoformat(),
        "channel": "web",
        "language": "en",
        "complainant": {"name": "The Customer"},
        "description": "My withdrawal is late \ud83d",
    }
    reference = reference_for("test", "half")
    await start(house, reference, Payload(metadata=JSON, data=json.dumps(given).encode()))
    await house.row(reference, lambda case: True)
    reply = {"message_id": "m-1", "actor": {"id": "customer", "role": "customer"}, "text": "Where is it? \ud83d"}
    await signal(house, reference, "customer_reply", Payload(metadata=JSON, data=json.dumps(reply).encode()))
    await house.eventually(lambda: house.timeline(reference, "customer_reply"))
    case = await house.pool.fetchval("select complaint from casefile.cases where reference = $1", reference)
    assert case["description"].endswith("late \N{REPLACEMENT CHARACTER}")


async def forged(house: House) -> Payload:
    """A state in which a million is approved, as if an earlier run had handed it over."""
    complaint = Complaint.model_validate(
        {
            "source": "thief",
            "idempotency_key": "forged",
            "received_at": await house.env.get_current_time(),
            "channel": "web",
            "language": "en",
            "complainant": {"name": "Nobody"},
            "description": "Give me a million.",
        }
    )
    case = Case.received(complaint.reference, complaint, complaint.received_at)
    case.stage, case.approved = Stage.SETTLING, True
    return Payload(metadata=JSON, data=case.model_dump_json().encode())


@pytest.mark.parametrize("what", [*UNREADABLE, "no argument", "two arguments", "a forged state"])
async def test_a_start_that_can_be_no_case_is_a_refusal_that_is_found(house: House, what: str) -> None:
    reference = reference_for("thief", "forged")
    arguments: Sequence[Payload] = {
        "no argument": (),
        "two arguments": (Payload(metadata=JSON, data=b"{}"),) * 2,
        "a forged state": (await forged(house),),
    }.get(what) or ((UNREADABLE[what],) if what in UNREADABLE else ())
    await start(house, reference, *arguments)
    with pytest.raises(WorkflowFailureError):
        await house.client.get_workflow_handle(reference).result()
    row = await house.pool.fetchrow("select * from casefile.unopened where workflow_id = $1", reference)
    assert row is not None
    assert (row["state"], row["name"]) == ("refused", "start")
    with pytest.raises(CaseNotFound, match="was refused since"):
        await get_case(house.pool, reference)
    assert not await house.pool.fetchval("select exists (select from casefile.postings)")


async def test_an_id_that_is_used_again_for_something_else_is_no_repeat(house: House) -> None:
    reference = await in_decision(house)
    for _ in range(3):
        await house.complaints.reply(reference, by=CUSTOMER, text="Hello?", message_id="m-1")
    await house.complaints.reply(reference, by=CUSTOMER, text="Something else.", message_id="m-1")

    async def rejected() -> str | None:
        reason: str | None = await house.pool.fetchval("select reason from casefile.rejected_messages")
        return reason

    assert "something else" in await house.eventually(rejected)
    assert len(await house.timeline(reference, "customer_reply")) == 1
    await house.complaints.assign(reference, "h-1", by=HANDLER, message_id="m-1")
    with pytest.raises(Refused, match="message_id"):
        await house.complaints.assign(reference, "h-2", by=HANDLER, message_id="m-1")


async def test_of_two_proposals_at_once_one_counts_and_the_other_is_refused(house: House) -> None:
    reference = await in_decision(house)

    async def propose(amount: int) -> Any:
        money = {"amount": amount, "currency": "USD"}
        return await house.complaints.propose_resolution(
            reference, by=HANDLER, outcome="upheld", compensation=money, reasons="It was late, and we are sorry."
        )

    ends = await asyncio.gather(propose(400_000), propose(500_000), return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["Receipt", "Refused"]


def text(unit: str, length: int) -> Payload:
    return Payload(metadata=JSON, data=b'"' + unit.encode() * length + b'"')


LARGE = {
    "9 arguments of 48 KB": (text("x", 48_000),) * 9,
    "2 arguments of 34 KB of NUL": (text("\0", 34_000),) * 2,
    "1 MB of junk": (text("x", 1_000_000),),
    "1 MB of bytes": (Payload(metadata={"encoding": b"binary/plain"}, data=b"\xff" * 1_000_000),),
    "1 MB of Chinese": (text("钱", 333_000),),
}


async def sizes_of_activities(house: House, reference: str) -> list[int]:
    history = await house.client.get_workflow_handle(reference).fetch_history()
    return [event.activity_task_scheduled_event_attributes.ByteSize() for event in history.events]


@pytest.mark.parametrize("what", LARGE)
async def test_what_comes_after_a_large_signal_is_written_down_too(house: House, what: str) -> None:
    reference = await in_decision(house)
    await signal(house, reference, "customer_reply", *LARGE[what])
    await house.complaints.reply(reference, by=CUSTOMER, text="Is anybody there?", message_id="m-1")
    await house.eventually(lambda: house.timeline(reference, "customer_reply"))
    payload = await house.pool.fetchval("select payload from casefile.rejected_messages")
    assert size(payload) <= LONGEST_KEPT
    assert "the whole is in the workflow history" in payload


async def test_what_is_sent_to_a_refused_start_is_kept_in_parts_of_bounded_size(house: House) -> None:
    reference = reference_for("thief", "forged")
    house.database.away = True
    await start(house, reference, UNREADABLE["broken JSON"])
    for _ in range(30):
        await signal(house, reference, "customer_reply", *LARGE["9 arguments of 48 KB"])
    await signal(house, reference, "escalate", UNREADABLE["protobuf"])
    house.database.away = False
    with pytest.raises(WorkflowFailureError):
        await house.client.get_workflow_handle(reference).result()
    kept = await house.pool.fetchval("select count(*) from casefile.unopened where workflow_id = $1", reference)
    assert kept == 1 + 30 + 1
    assert max(await sizes_of_activities(house, reference)) < 600_000


async def test_what_strangers_send_makes_no_payload_grow(house: House) -> None:
    reference = await in_decision(house)
    junk = Payload(metadata=JSON, data=b'"' + b"x" * 60_000 + b'"')
    house.database.away = True
    for number in range(40):
        await signal(house, reference, "customer_reply", junk)
        await house.complaints.reply(reference, by=CUSTOMER, text="钱" * 20_000, message_id=f"m-{number}")
    house.database.away = False

    async def kept() -> bool:
        rejected = await house.pool.fetchval("select count(*) from casefile.rejected_messages")
        return bool(rejected == 40 and len(await house.timeline(reference, "customer_reply")) == 40)

    await house.eventually(kept)
    assert max(await sizes_of_activities(house, reference)) < 600_000
