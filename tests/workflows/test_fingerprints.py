"""A tripwire: another order of commands is noticed, and told what to do about."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory

from domain.case.complaint import Complaint
from tests.workflows.fingerprints import HISTORIES, HOW_TO_RECORD, commands, is_released, keep, life, what_to_do
from worker import build_replayer
from workflows.complaint import ComplaintWorkflow

LIVES = sorted(HISTORIES.rglob("*.json"))
STRAIGHT = next(path for path in LIVES if "straight_through" in path.stem)


def complaint_of(history: WorkflowHistory) -> WorkflowHistory:
    """The history under its own id, which the workflow looks at."""
    started = history.events[0].workflow_execution_started_event_attributes
    complaint = Complaint.model_validate_json(started.input.payloads[0].data)
    return WorkflowHistory(complaint.reference, history.events)


@pytest.mark.parametrize("place", LIVES, ids=lambda place: place.stem)
def test_the_recorded_lives_command_what_they_did(place: Path) -> None:
    kept = place.with_suffix(".commands")
    assert kept.exists(), f"record it with\n  {HOW_TO_RECORD}"
    assert commands(life(place)) == kept.read_text("utf-8").splitlines(), what_to_do(released=is_released())


def upsert() -> None:
    workflow.upsert_memo({"changed": True})


def patched() -> None:
    if workflow.patched("another-order"):
        workflow.upsert_memo({"changed": True})


def nothing() -> None:
    pass


@pytest.mark.usefixtures("without_keys")  # the history was recorded opened
@pytest.mark.parametrize(("change", "replays"), [(nothing, True), (upsert, False), (patched, True)])
async def test_a_workflow_that_commands_something_else_does_not_replay_unless_it_is_patched(
    change: Callable[[], None], replays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ComplaintWorkflow.__init__

    @workflow.init
    def __init__(self: ComplaintWorkflow, *start: Any) -> None:  # noqa: N807 (the SDK takes no other name)
        change()
        before(self, *start)

    monkeypatch.setattr(ComplaintWorkflow, "__init__", __init__)
    result = build_replayer(ComplaintWorkflow).replay_workflow(
        complaint_of(life(STRAIGHT)), raise_on_replay_failure=False
    )
    assert ((await result).replay_failure is None) == replays


def test_before_the_first_release_another_order_is_recorded_anew(tmp_path: Path) -> None:
    place = tmp_path / "life.json"
    keep(place, life(STRAIGHT), released=False)
    shorter = WorkflowHistory("read", life(STRAIGHT).events[:-1])
    keep(place, shorter, released=False)
    assert place.with_suffix(".commands").read_text("utf-8").splitlines() == commands(shorter)
    assert HOW_TO_RECORD in what_to_do(released=False)


def test_after_the_first_release_another_order_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "life.json"
    keep(place, life(STRAIGHT), released=True)
    keep(place, life(STRAIGHT), released=True)
    with pytest.raises(ValueError, match=r"life\.json: .*workflow\.patched"):
        keep(place, WorkflowHistory("read", life(STRAIGHT).events[:-1]), released=True)
