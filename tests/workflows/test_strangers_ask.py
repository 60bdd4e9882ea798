"""Whoever reaches Temporal can run a workflow of their own, and ask our workers for anything. Nothing of it is done."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.common import RetryPolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ActivityError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from domain.ground.reference import reference_for
from domain.ground.words import WORKFLOW, Stage
from domain.incidents.incident import WORKFLOW as INCIDENT
from recovery.history import read_life
from tests.incidents.minute import new
from tests.patience import PATIENCE
from tests.replaying import LIVES
from tests.workflows.house import House
from tests.workflows.test_effects import NOT_RECORDED, recorded
from workflows.effects import EFFECTS

MINE = "mallory@elsewhere.example"


@workflow.defn(name=WORKFLOW)
class Posing:
    """A stranger's workflow that looks like a case: it asks for activities, or hands a state over to our workers."""

    @workflow.run
    async def run(self, asked: list[list[Any]], theirs: str, state: dict[str, Any] | None = None) -> list[str]:
        """Which of the activities that were *asked*, by name and request, were done on the task queue *theirs*."""
        if state:
            workflow.continue_as_new(args=[state], task_queue=theirs)
        done = []
        for name, request in asked:
            try:
                await workflow.execute_activity(
                    name,
                    request,
                    task_queue=theirs,
                    start_to_close_timeout=timedelta(seconds=20),
                    retry_policy=RetryPolicy(maximum_attempts=1),
                )
            except ActivityError:
                continue
            done.append(name)
        return done


@workflow.defn(name=INCIDENT)
class PosingAsIncident(Posing):
    """The same, as an incident."""

    @workflow.run
    async def run(self, asked: list[list[Any]], theirs: str, state: dict[str, Any] | None = None) -> list[str]:
        return await Posing.run(self, asked, theirs, state)


@asynccontextmanager
async def stranger(house: House) -> AsyncIterator[Client]:
    """A client without any key of ours, with a worker of its own on another task queue."""
    client = Client(
        house.client.service_client, namespace=house.client.namespace, data_converter=pydantic_data_converter
    )
    async with Worker(
        client,
        task_queue=f"{house.task_queue}-stranger",
        workflows=[Posing, PosingAsIncident],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        yield client


async def begun(house: House, client: Client, kind: str, name: str, *args: Any) -> WorkflowHandle[Any, Any]:
    """A workflow of the stranger's. It replays with their code alone."""
    queue = f"{house.task_queue}-stranger"
    handle = await client.start_workflow(kind, args=list(args), id=name, task_queue=queue)
    LIVES.leave_out(name)
    return handle


async def everything(house: House) -> dict[str, int]:
    """How many rows each table has."""
    tables = await house.pool.fetch(
        "select format('%I.%I', schemaname, tablename) as name from pg_tables"
        " where schemaname in ('casefile', 'payments', 'reporting', 'intake', 'web', 'tradelog')"
    )
    return {
        row["name"]: await house.pool.fetchval(f"select count(*) from {row['name']}")  # noqa: S608 (names of tables)
        for row in tables
    }


def asked_for(reference: str) -> list[list[Any]]:
    """One request to every activity there is, and those that would write to the case *reference*."""
    known = {name: request for name, request, _ in recorded() if request is not None}
    known |= {name: request for name, (request, _) in NOT_RECORDED.items() if request is not None}
    at = "2026-03-02T09:30:00Z"
    line = {
        "key": "note:mallory",
        "at": at,
        "kind": "note",
        "actor": "handler:h-17",
        "text": "All is well.",
        "data": {},
    }
    mine = {"reference": reference, "at": at}
    known["RecordContact"] = {**mine, "key": f"{reference}:contact:m", "email": MINE, "phone": None, "entries": [line]}
    known["OpenCase"] = {**mine, "complaint": {}, "run": "run"}
    known["TakeUpCase"] = {**mine, "run": "run"}
    known["RefuseStart"] = {
        "workflow_id": reference, "run": "run", "number": 0, "at": at, "reason": "none",
        "messages": [{"name": "start", "payload": "{}"}],
    }  # fmt: skip
    missing = [[name, {}] for name in EFFECTS if name not in known]
    return [*([name, known[name]] for name in EFFECTS if name in known), *missing]


async def test_nothing_is_done_that_a_strangers_workflow_asks_for(house: House) -> None:
    await house.late_withdrawal("3000000")
    reference = await house.submit()
    await house.at(reference, Stage.DECIDING)
    asked = asked_for(reference)
    assert {name for name, _ in asked} == set(EFFECTS)
    before = await everything(house)
    async with stranger(house) as client:
        # With the case's own keys in reach: the part before the colon is whose key it is.
        handle = await begun(house, client, WORKFLOW, f"{reference}:posing", asked, house.task_queue)
        async with asyncio.timeout(PATIENCE):
            done = await handle.result()
    assert done == []
    assert await everything(house) == before
    life = await read_life(house.client, handle.id, handle.result_run_id or "")
    assert life.steps == [], "nothing of it is written again after a restore"
    assert MINE not in str(await house.fetch("select email from casefile.contacts"))


@pytest.mark.parametrize("kind", [WORKFLOW, INCIDENT])
async def test_no_state_is_taken_over_from_a_run_that_was_not_ours(house: House, kind: str) -> None:
    reference = reference_for("test", "mallory") if kind == WORKFLOW else new().reference
    state = {"reference": reference, "opened_at": "2026-03-02T09:30:00Z", "stage": "responded"}
    before = await everything(house)
    async with stranger(house) as client:
        handle = await begun(house, client, kind, reference, [], house.task_queue, state)
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(WorkflowFailureError) as refused:
                await handle.result(follow_runs=True)
    assert "an earlier run that was no worker of ours" in str(refused.value.cause)
    after = await everything(house)
    assert {name for name in after if after[name] != before[name]} == {"casefile.unopened"}
