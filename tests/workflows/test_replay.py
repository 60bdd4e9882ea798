"""Histories recorded by earlier versions of the workflow still replay: cases live for months, through deployments.

A change of the workflow's commands goes behind `workflow.patched`. New histories are added, old ones never replaced:
`pytest tests/workflows/test_life.py --record-histories tests/workflows/histories` records them; what no case leaves
stands in `others`, recorded from any test with `--record-all-histories tests/workflows/histories/others`.
"""

import json
import re
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from domain.case.complaint import Complaint
from tests.workflows.fingerprints import is_released, life, what_to_do
from worker import build_replayer
from workflows.complaint import ComplaintWorkflow
from workflows.effects import EFFECTS

HOUSE = Path(__file__).parent / "histories"
HISTORIES = {path.stem: path.read_text("utf-8") for path in sorted(HOUSE.glob("*.json"))}
OTHERS = {path.stem: path.read_text("utf-8") for path in sorted((HOUSE / "others").glob("*.json"))}
FAULT = "Try again after a fault"

pytestmark = pytest.mark.usefixtures("without_keys")  # they were recorded opened


def test_there_are_histories() -> None:
    assert HISTORIES


@pytest.mark.parametrize("name", [*HISTORIES, *OTHERS])
def test_a_recorded_history_tells_nothing_of_the_machine_it_ran_on(name: str) -> None:
    assert not re.search(r"\.py|site-packages|@(?!example\.)[\w-]+\"", (HISTORIES | OTHERS)[name])


def test_whatever_workflows_do_to_the_world_stands_in_a_recorded_history() -> None:
    kept = (line.split() for path in HOUSE.rglob("*.commands") for line in path.read_text("utf-8").splitlines())
    done = {line[1] for line in kept if line[0] in {"activity", "core_local_activity"}}
    assert set(EFFECTS) - done == set()


@pytest.mark.parametrize("name", OTHERS)
async def test_a_recorded_history_of_any_workflow_replays(name: str) -> None:
    history = life(HOUSE / "others" / f"{name}.json")
    started = history.events[0].workflow_execution_started_event_attributes
    history = WorkflowHistory(started.workflow_id or "replayed", history.events)
    replayed = await build_replayer().replay_workflow(history, raise_on_replay_failure=False)
    assert replayed.replay_failure is None, what_to_do(released=is_released())


@pytest.mark.parametrize("name", HISTORIES)
async def test_a_recorded_history_replays(name: str) -> None:
    history = life(HOUSE / f"{name}.json")
    started = history.events[0].workflow_execution_started_event_attributes
    brought = json.loads(started.input.payloads[0].data)
    reference = brought.get("closed_case") or Complaint.model_validate(brought).reference
    history = WorkflowHistory(reference, history.events)
    replayer = build_replayer(ComplaintWorkflow, workflow_runner=SandboxedWorkflowRunner())
    replayed = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    assert replayed.replay_failure is None, what_to_do(released=is_released())


@pytest.mark.parametrize("name", HISTORIES)
def test_a_case_never_has_more_than_one_timer_for_its_clocks(name: str) -> None:
    running: set[int] = set()
    for event in life(HOUSE / f"{name}.json").events:
        if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED:
            if FAULT.encode() not in event.user_metadata.summary.data:
                running.add(event.event_id)
        elif event.event_type == EventType.EVENT_TYPE_TIMER_FIRED:
            running.discard(event.timer_fired_event_attributes.started_event_id)
        elif event.event_type == EventType.EVENT_TYPE_TIMER_CANCELED:
            running.discard(event.timer_canceled_event_attributes.started_event_id)
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED:
            assert len(running) <= 1
