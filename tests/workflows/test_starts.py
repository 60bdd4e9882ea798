"""Every accepted start is a case, or a refusal that is found; nobody begins a case in the middle of its life."""

import json
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowFailureError
from temporalio.common import RawValue, RetryPolicy

from domain.case.case import Case
from domain.case.complaint import Complaint
from domain.ground.reference import reference_for
from domain.ground.words import WORKFLOW, IncidentStage, Stage
from domain.incidents import incident
from domain.incidents.state import Incident
from starter.reading.cases import get_case
from starter.reading.database import CaseNotFound
from tests.incidents.minute import new
from tests.workflows.house import House
from tests.workflows.strange import JSON, LARGE, NUMBERS, UNREADABLE, signal, sizes_of_activities, start


async def forged(house: House, key: str = "forged") -> Payload:
    """A state in which a million is approved, as if an earlier run had handed it over."""
    complaint = Complaint.model_validate(
        {
            "source": "thief",
            "idempotency_key": key,
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


def complaint_in(state: Payload) -> Payload:
    """The complaint of a forged state, which alone is an honest start."""
    complaint = Case.model_validate_json(state.data).complaint
    return Payload(metadata=JSON, data=complaint.model_dump_json().encode())


@pytest.mark.parametrize("what", [*UNREADABLE, "no argument", "two arguments", "a forged state", "another id"])
async def test_a_start_that_can_be_no_case_is_a_refusal_that_is_found(house: House, what: str) -> None:
    reference = reference_for("thief", "forged")
    arguments: Sequence[Payload] = {
        "no argument": (),
        "two arguments": (Payload(metadata=JSON, data=b'{"a":1}'),) * 2,  # a replay has it as it came
        "a forged state": (await forged(house),),
        "another id": (complaint_in(await forged(house, "another")),),
    }.get(what) or ((UNREADABLE[what],) if what in UNREADABLE else ())
    await start(house, reference, *arguments)
    with pytest.raises(WorkflowFailureError):
        await house.client.get_workflow_handle(reference).result()
    row = await house.fetchrow("select * from casefile.unopened where workflow_id = $1", reference)
    assert row is not None
    assert (row["state"], row["name"]) == ("refused", "start")
    assert what not in NUMBERS or row["reason"].startswith("level: ")
    assert what != "another id" or "the workflow id must be" in row["reason"]
    with pytest.raises(CaseNotFound, match="was refused since"):
        await get_case(house.pool, reference)
    assert not await house.fetchval("select exists (select from casefile.postings)")


async def test_a_raw_start_with_a_claim_that_its_currency_does_not_have_is_refused_by_field(house: House) -> None:
    state = complaint_in(await forged(house))
    claim = {"amount_claimed": {"amount": "1234.50", "currency": "JPY"}}
    complaint = Payload(metadata=JSON, data=json.dumps(json.loads(state.data) | claim).encode())
    reference = Complaint.model_validate_json(state.data).reference
    await start(house, reference, complaint)
    with pytest.raises(WorkflowFailureError):
        await house.client.get_workflow_handle(reference).result()
    reason = await house.fetchval("select reason from casefile.unopened where workflow_id = $1", reference)
    assert "amount_claimed: JPY has no units that small; give a whole number" in reason


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
    kept = await house.fetchval("select count(*) from casefile.unopened where workflow_id = $1", reference)
    assert kept == 1 + 30 + 1
    assert max(await sizes_of_activities(house, reference)) < 600_000


OPTIONS: dict[str, dict[str, Any]] = {
    "no option": {},
    "a cron schedule": {"cron_schedule": "@every 1s"},
    "a retry policy": {"retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=10), maximum_attempts=3)},
    "a workflow execution timeout": {"execution_timeout": timedelta(hours=1)},
    "a workflow run timeout": {"run_timeout": timedelta(hours=1)},
}


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("what", ["a forged case", "a forged incident", "a complaint"])
async def test_temporal_may_neither_repeat_a_case_nor_cut_it_off(real_time: House, what: str, option: str) -> None:
    if (what, option) == ("a complaint", "no option"):
        pytest.skip("it becomes a case")
    house, (kind, reference, state) = real_time, await sent(real_time, what)
    begin = house.client.start_workflow
    handle = await begin(kind, RawValue(state), id=reference, task_queue=house.task_queue, **OPTIONS[option])
    if option == "a cron schedule":
        await house.eventually(lambda: has_begun_again(house, reference))
        await handle.terminate()
    else:
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    [row] = await house.fetch("select * from casefile.unopened where workflow_id = $1", reference)
    assert (row["state"], row["name"]) == ("refused", "start")
    assert option == "no option" or option in row["reason"]
    assert not await house.fetchval("select exists (select from casefile.cases)")
    assert not await house.fetchval("select exists (select from casefile.incidents)")


async def sent(house: House, what: str) -> tuple[str, str, Payload]:
    """The workflow type, its id and its input."""
    if what == "a forged incident":
        opened = new(fault=new().fault.model_copy(update={"symbol": f"X{uuid.uuid4().hex[:8]}"}))
        state = Incident(reference=opened.reference, new=opened, opened_at=opened.fault.until, per_minute=60)
        state.policy_hash, state.stage = "0" * 64, IncidentStage.COMPENSATING
        return incident.WORKFLOW, opened.reference, Payload(metadata=JSON, data=state.model_dump_json().encode())
    payload = await forged(house, str(uuid.uuid4()))
    reference = Case.model_validate_json(payload.data).reference
    return WORKFLOW, reference, complaint_in(payload) if what == "a complaint" else payload


async def has_begun_again(house: House, reference: str) -> bool:
    """Whether the second run of a schedule has ended, and a third waits for its time."""
    return len([run async for run in house.client.list_workflows(f"WorkflowId = '{reference}'")]) > 2
