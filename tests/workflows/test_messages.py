"""Whatever is sent to a case, it goes on: what does not fit is kept, or refused to a sender who can hear it."""

import json
import re
from collections import Counter
from typing import Any, Final

import pytest
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from domain.case.complaint import Complaint
from domain.case.messages.signals import CustomerReply, Escalate
from domain.case.messages.table import UPDATES
from domain.ground.words import WORKFLOW, LetterKind, Outcome, Stage
from starter.client.conversation import Refused
from tests.workflows.house import CUSTOMER, HANDLER, House

REPLY = {"message_id": "m-1", "actor": {"id": "customer", "role": "customer"}, "text": "Hello."}


async def in_decision(house: House) -> str:
    await house.late_withdrawal("3000000")
    reference = await house.submit()
    await house.at(reference, Stage.DECIDING)
    return reference


async def rejected(house: House, reference: str) -> list[str]:
    rows = await house.fetch(
        "SELECT name, reason FROM casefile.rejected_messages WHERE reference = $1 ORDER BY at, key", reference
    )
    return [f"{row['name']}: {row['reason']}" for row in rows]


UNFIT: Final[list[tuple[str, list[Any], str]]] = [
    ("customer_reply", [], "takes one JSON object, not 0 arguments"),
    ("customer_reply", [REPLY, REPLY], "takes one JSON object, not 2 arguments"),
    ("customer_reply", ["just text"], "valid dictionary"),
    ("customer_reply", [None], "valid dictionary"),
    ("customer_reply", [{**REPLY, "actor": {"id": "x", "role": "king"}}], "actor.role"),
    ("customer_reply", [{"text": "no id"}], "message_id: Field required"),
    ("customer_reply", [{**REPLY, "mood": "angry"}], "mood: Extra inputs are not permitted"),
    ("customer_reply", [{**REPLY, "text": "x" * 20_001}], "text: String should have at most 20000"),
    ("customer_reply", [{**REPLY, "text": None}], "text"),
    ("escalate", [{**REPLY, "text": None}], "reason: Field required"),
    ("escalate", [{"message_id": "m", "actor": REPLY["actor"], "reason": "x", "level": "top"}], "level"),
    ("no_such_signal", [{"anything": 1}], "there is no signal of this name"),
]
"""Signals, what they come with, and the reason for which they are rejected."""


async def test_a_signal_that_does_not_fit_is_kept_as_rejected_and_the_case_goes_on(house: House) -> None:
    reference = await in_decision(house)
    kept: list[str] = []

    async def one_more() -> list[str] | None:
        now = await rejected(house, reference)
        return now if len(now) > len(kept) else None

    for signal, arguments, reason in UNFIT:
        await house.client.get_workflow_handle(reference).signal(signal, args=arguments)
        now = await house.eventually(one_more)
        (told,) = (Counter(now) - Counter(kept)).elements()
        assert told.startswith(f"{signal}: ")
        assert reason in told
        kept = now
    await house.complaints.withdraw(reference, by=CUSTOMER)
    assert (await house.closed(reference)).outcome is Outcome.WITHDRAWN


@pytest.mark.parametrize(
    "payload",
    [
        Payload(metadata={"encoding": b"json/plain"}, data=b"{not json"),
        Payload(metadata={"encoding": b"binary/unheard-of"}, data=b"\x00\x01"),
        Payload(metadata={"encoding": b"binary/plain"}, data=b"\xff\xfe"),
    ],
    ids=["broken JSON", "unknown encoding", "bytes"],
)
async def test_payloads_that_nobody_can_read_do_not_stop_a_case(house: House, payload: Payload) -> None:
    reference = await in_decision(house)
    await house.client.workflow_service.signal_workflow_execution(
        SignalWorkflowExecutionRequest(
            namespace="default",
            workflow_execution=WorkflowExecution(workflow_id=reference),
            signal_name="customer_reply",
            input=Payloads(payloads=[payload]),
        )
    )
    await house.complaints.withdraw(reference, by=CUSTOMER)
    assert (await house.closed(reference)).outcome is Outcome.WITHDRAWN


async def test_updates_that_do_not_fit_are_refused_to_their_senders(house: House) -> None:
    reference = await in_decision(house)
    handle = house.client.get_workflow_handle(reference)
    wrong: list[list[Any]] = [[], [{}], ["text"], [{}, {}], [{"message_id": 7}]]
    for update in UPDATES:
        for arguments in wrong:
            with pytest.raises(WorkflowUpdateFailedError) as refused:
                await handle.execute_update(update.name, args=arguments)
            assert isinstance(refused.value.cause, ApplicationError)
            assert refused.value.cause.type == "Refused", (update.name, arguments)
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update("no_such_update", {})
    assert (await house.complaints.status(reference)).summary.stage is Stage.DECIDING


async def test_a_repeated_message_counts_once(house: House) -> None:
    reference = await in_decision(house)
    first = await house.complaints.assign(reference, "h-1", by=HANDLER, message_id="m-1")
    await house.complaints.assign(reference, "h-2", by=HANDLER, message_id="m-2")
    assert await house.complaints.assign(reference, "h-1", by=HANDLER, message_id="m-1") == first
    assert (await house.complaints.status(reference)).summary.handler == "h-2"
    escalation = Escalate(message_id="m-3", actor=CUSTOMER, reason="Nobody answers me.")
    await house.complaints.send(reference, escalation)
    await house.complaints.send(reference, escalation)
    await house.complaints.send(reference, CustomerReply(message_id="m-4", actor=CUSTOMER, text="Now?"))
    await house.eventually(lambda: house.timeline(reference, "customer_reply"))
    assert (await house.complaints.status(reference)).summary.escalation_level == 1


async def test_what_a_customer_writes_is_kept_with_emoji_and_without_control_characters(house: House) -> None:
    reference = await in_decision(house)
    await house.complaints.reply(reference, by=CUSTOMER, text="钱呢？😡\x00\x07\r\nNow!")
    await house.eventually(lambda: house.timeline(reference, "customer_reply"))
    data = await house.fetchval(
        "SELECT data FROM casefile.timeline WHERE reference = $1 AND kind = 'customer_reply'", reference
    )
    assert data["text"] == "钱呢？😡\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}\nNow!"


async def test_escalating_climbs_the_ladder_and_tells_each_level_once(house: House) -> None:
    reference = await in_decision(house)
    for number in range(5):
        await house.complaints.escalate(reference, f"Reason {number}.", by=CUSTOMER)
    case = await house.row(reference, lambda case: case["escalation_level"] == 3)
    assert case["handler"] == "executive"

    async def levels_told() -> list[str]:
        notices = await house.fetch(
            "SELECT body FROM casefile.letters WHERE reference = $1 AND kind = 'staff_notice'", reference
        )
        return sorted(
            level for notice in notices for level in re.findall(r"escalated to you \(level (\d)\)", notice["body"])
        )

    async def all_told() -> bool:
        return len(await levels_told()) >= 3

    await house.eventually(all_told)
    assert await levels_told() == ["1", "2", "3"]


async def test_a_cancellation_in_temporal_does_not_end_a_case(house: House) -> None:
    reference = await in_decision(house)
    await house.client.get_workflow_handle(reference).cancel()
    await house.eventually(lambda: house.timeline(reference, "cancellation"))
    await house.complaints.withdraw(reference, by=CUSTOMER)
    assert (await house.closed(reference)).outcome is Outcome.WITHDRAWN


async def test_a_cancellation_in_temporal_does_not_keep_a_case_from_being_opened(house: House) -> None:
    house.database.away = True
    reference = await house.submit()
    await house.client.get_workflow_handle(reference).cancel()
    await house.eventually(lambda: asked_to_cancel(house, reference))
    house.database.away = False
    await house.sent(reference, LetterKind.ACKNOWLEDGEMENT)
    await house.eventually(lambda: house.timeline(reference, "cancellation"))


async def asked_to_cancel(house: House, reference: str) -> bool:
    """Whether the case has gone on since it was asked to."""
    kinds = [event.event_type async for event in house.client.get_workflow_handle(reference).fetch_history_events()]
    asked = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
    return asked in kinds and EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED in kinds[kinds.index(asked) :]


async def test_roles_and_stages_are_checked(house: House) -> None:
    reference = await in_decision(house)
    with pytest.raises(Refused, match="role customer may not send assign"):
        await house.complaints.assign(reference, "h-1", by=CUSTOMER)
    with pytest.raises(Refused, match="the case is at stage deciding; this is possible at following_up"):
        await house.complaints.record_feedback(reference, 3, by=CUSTOMER)
    with pytest.raises(Refused, match="no proposal waits for approval"):
        await house.complaints.approve(reference, by=HANDLER)


@pytest.mark.parametrize(
    ("change", "complained_of"),
    [
        ({"received_at": None}, "received_at"),
        ({"surprise": 1}, "surprise"),
        ({"amount_claimed": {"amount": "-5", "currency": "USD"}}, "amount_claimed"),
        ({"amount_claimed": {"amount": "5", "currency": "ZZZ"}}, "amount_claimed"),
        ({"received_at": "2026-01-01T00:00:00"}, "received_at"),
        ({"language": "fr"}, "language"),
        ({"description": "x" * 20_001}, "description"),
    ],
)
async def test_a_start_that_does_not_fit_fails_the_workflow_cleanly(
    house: House, change: dict[str, Any], complained_of: str
) -> None:
    complaint = await a_complaint(house)
    given = {**json.loads(complaint.model_dump_json()), **change}
    with pytest.raises(WorkflowFailureError) as failed:
        await house.client.execute_workflow(WORKFLOW, given, id=complaint.reference, task_queue=house.task_queue)
    text = str(failed.value.cause)
    assert complained_of in text
    assert "The Customer" not in text


@pytest.mark.parametrize("at", ["2126-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"])
async def test_a_complaint_of_a_time_that_cannot_be_fails_the_workflow_cleanly(house: House, at: str) -> None:
    complaint = await a_complaint(house)
    given = {**json.loads(complaint.model_dump_json()), "received_at": at}
    with pytest.raises(WorkflowFailureError) as failed:
        await house.client.execute_workflow(WORKFLOW, given, id=complaint.reference, task_queue=house.task_queue)
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "InvalidComplaint"
    [kept] = await house.fetch("select state, name, payload from casefile.unopened")
    assert (kept["state"], kept["name"]) == ("refused", "start")
    assert json.loads(kept["payload"]) == [given]


@pytest.mark.long
async def test_a_complaint_whose_pack_no_worker_has_waits_for_it_and_becomes_a_case(house: House) -> None:
    pack = house.packs.pop("demo")
    reference = await house.submit(policy="demo")
    await house.complaints.reply(reference, by=CUSTOMER, text="Are you there?")

    async def waits() -> str | None:
        state: str | None = await house.fetchval(
            "select state from casefile.unopened where workflow_id = $1", reference
        )
        return state

    assert await house.eventually(waits) == "waiting"
    house.packs["demo"] = pack
    await house.at(reference, Stage.DECIDING)
    assert any(line.startswith("customer_reply") for line in await house.timeline(reference))


async def test_a_workflow_id_that_is_not_the_reference_fails_and_names_the_right_one(house: House) -> None:
    complaint = await a_complaint(house)
    with pytest.raises(WorkflowFailureError) as failed:
        await house.client.execute_workflow(WORKFLOW, complaint, id="my-own-id", task_queue=house.task_queue)
    assert complaint.reference in str(failed.value.cause)


async def a_complaint(house: House) -> Complaint:
    now = await house.env.get_current_time()
    return Complaint.model_validate(
        {
            "source": "test",
            "idempotency_key": "one",
            "received_at": now,
            "channel": "web",
            "language": "en",
            "complainant": {"name": "The Customer"},
            "description": "My withdrawal is late.",
        }
    )


async def test_who_asks_how_far_it_is_is_told_once_a_day_and_who_is_not_known_to_be_the_customer_never(
    house: House,
) -> None:
    async def told(reference: str, times: int) -> list[str]:
        for number in range(times):
            await house.complaints.reply(
                reference, by=CUSTOMER, intent="progress", text="Any news?", message_id=f"n-{number}"
            )

        async def heard() -> bool:
            return len(await house.timeline(reference, "customer_reply")) == times

        await house.eventually(heard)
        return [kind for kind in await house.accepted_letters(reference) if kind == "progress"]

    async def to_answer(reference: str) -> int:
        query = "select count(*) from casefile.tasks where (reference, kind) = ($1, 'answer_customer')"
        return int(await house.fetchval(query, reference))

    reference = await in_decision(house)
    assert await told(reference, 1) == ["progress"]
    assert await to_answer(reference) == 0
    [letter] = [mail for mail in house.mail() if "progressing" in mail["Subject"]]
    assert "looked at our own records" in letter.get_content()
    assert await told(reference, 3) == ["progress"]
    assert await to_answer(reference) == 1

    stranger = await house.submit(complainant={"name": "Somebody Else", "email": "else@example.net"})
    await house.at(stranger, Stage.DECIDING)
    assert await told(stranger, 1) == []
