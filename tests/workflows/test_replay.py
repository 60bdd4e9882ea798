"""Histories recorded by earlier versions of the workflow still replay: cases live for months, through deployments.

A change of the workflow's commands goes behind `workflow.patched`. New histories are added, old ones never replaced:
`pytest tests/workflows/test_life.py --record-histories tests/workflows/histories` records them.
"""

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from domain.complaint import Complaint
from runtime.temporal import temporal_plugin
from workflows.complaint import ComplaintWorkflow

HISTORIES = {
    path.stem: path.read_text("utf-8") for path in sorted((Path(__file__).parent / "histories").glob("*.json"))
}


def test_there_are_histories() -> None:
    assert HISTORIES


@pytest.mark.parametrize("name", HISTORIES)
async def test_a_recorded_history_replays(name: str) -> None:
    history = WorkflowHistory.from_json("replayed", HISTORIES[name])
    started = history.events[0].workflow_execution_started_event_attributes
    complaint = Complaint.model_validate_json(started.input.payloads[0].data)
    history = WorkflowHistory(complaint.reference, history.events)
    await Replayer(workflows=[ComplaintWorkflow], plugins=[temporal_plugin()]).replay_workflow(history)
