"""Histories of incidents recorded by earlier versions of the workflow still replay.

New ones are recorded by `pytest tests/workflows/test_incidents.py --record-histories tests/workflows/histories`.
"""

import re
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from domain.incidents.incident import NewIncident
from tests.workflows.fingerprints import is_released, life, what_to_do
from worker import build_replayer
from workflows.incident import IncidentWorkflow

FOLDER = Path(__file__).parents[1] / "workflows" / "histories" / "incidents"
HISTORIES = {path.stem: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.json"))}

pytestmark = pytest.mark.usefixtures("without_keys")  # they were recorded opened


def test_there_are_histories() -> None:
    assert HISTORIES


@pytest.mark.parametrize("name", HISTORIES)
async def test_a_recorded_history_replays(name: str) -> None:
    history = life(FOLDER / f"{name}.json")
    started = history.events[0].workflow_execution_started_event_attributes
    incident = NewIncident.model_validate_json(started.input.payloads[0].data)
    history = WorkflowHistory(incident.reference, history.events)
    replayer = build_replayer(IncidentWorkflow, workflow_runner=SandboxedWorkflowRunner())
    replayed = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    assert replayed.replay_failure is None, what_to_do(released=is_released())


@pytest.mark.parametrize("name", HISTORIES)
def test_a_recorded_history_tells_nothing_of_the_machine_it_ran_on(name: str) -> None:
    assert not re.search(r"\.py|site-packages", HISTORIES[name])
