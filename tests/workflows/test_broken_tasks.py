"""Whatever breaks in a workflow's own code is noticed: its task fails visibly, and nothing goes on as if all were well.

The recorded lives are replayed while what follows an effect breaks, in the life, in a task beside it or in a handler.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.exceptions import ActivityError, ApplicationError, RetryState

from domain.case.complaint import Complaint
from domain.ground.words import WORKFLOW
from domain.incidents.incident import NewIncident
from tests.workflows.fingerprints import HISTORIES, life
from worker import build_replayer
from workflows.effects import EFFECTS, Effect

pytestmark = pytest.mark.usefixtures("without_keys")  # the histories were recorded opened

BROKEN: Final = "the pipe is broken"
TAKEN_ON: Final = {
    "OpenCase",
    "TakeUpCase",
    "OpenIncident",
    "Investigate",
    "SendLetter",
    "PromiseAward",
    "RecordCompensation",
    "PayCompensation",
    "BookPayment",
    "CompensateMember",
    "PayMember",
}
"""Where people take over what fails for good: a start is refused, a fault is noted, a payment or account waits."""
NOT_RECORDED: Final = {
    "RefuseStart",
    "PayMember",
    "DealWith",
    "NoteAction",
    "MeasureEffect",
    "MailReport",
    "DrawReviews",
    "ChaseReviews",
    "AskProcessReview",
    "ChaseProcessReview",
    "RunOut",
}


def effects_of(history: WorkflowHistory) -> Iterator[str]:
    for event in history.events:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            yield event.activity_task_scheduled_event_attributes.activity_type.name
        elif "result" in (details := event.marker_recorded_event_attributes.details):
            yield json.loads(details["data"].payloads[0].data)["activity_type"]


@cache
def lives() -> dict[tuple[str, str], WorkflowHistory]:
    """A life for each workflow and effect of it, under its own id, which the workflow looks at."""
    found: dict[tuple[str, str], WorkflowHistory] = {}
    for path in sorted(HISTORIES.rglob("*.json")):
        if path.parent.name == "others":  # lives of other workflows, and starts that are refused
            continue
        history = life(path)
        started = history.events[0].workflow_execution_started_event_attributes
        kind, brought = started.workflow_type.name, json.loads(started.input.payloads[0].data)
        model = Complaint if kind == WORKFLOW else NewIncident
        reference = brought.get("closed_case") or model.model_validate(brought).reference
        history = WorkflowHistory(reference, history.events)
        found |= {(kind, effect): history for effect in effects_of(history)}
    return found


RECORDED: Final = [effect for effect in EFFECTS if effect not in NOT_RECORDED]


def test_the_recorded_lives_have_every_effect() -> None:
    assert {effect for _, effect in lives()} == set(RECORDED)


@pytest.mark.parametrize("effect", RECORDED)
async def test_what_breaks_behind_any_effect_is_noticed(effect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    breaks(monkeypatch, effect, RuntimeError(BROKEN))
    for reason in await told(effect):
        assert '"RuntimeError"' in reason or '"TaskDied"' in reason


@pytest.mark.parametrize("effect", [effect for effect in RECORDED if effect not in TAKEN_ON])
async def test_an_effect_that_fails_for_good_and_that_nobody_takes_on_ends_no_workflow_and_is_noticed(
    effect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = ActivityError(
        "failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="",
        activity_type=effect,
        activity_id="1",
        retry_state=RetryState.NON_RETRYABLE_FAILURE,
    )
    error.__cause__ = ApplicationError(BROKEN, non_retryable=True)
    breaks(monkeypatch, effect, error)
    for reason in await told(effect):
        assert "a task of the workflow broke" in reason


def breaks(monkeypatch: pytest.MonkeyPatch, effect: str, error: Exception) -> None:
    """What waits for the *effect* gets the *error* in place of the answer."""
    carry_out = Effect.__call__

    async def broken(self: Effect[Any, Any], request: Any, **more: Any) -> Any:
        answer = await carry_out(self, request, **more)
        if self.name == effect:
            raise error
        return answer

    monkeypatch.setattr(Effect, "__call__", broken)


async def told(effect: str) -> list[str]:
    """Why the recorded lives with the *effect* do not replay."""
    histories = [history for (_, of), history in lives().items() if of == effect]
    assert histories
    replayer = build_replayer()
    replayed = [await replayer.replay_workflow(one, raise_on_replay_failure=False) for one in histories]
    return [str(one.replay_failure) for one in replayed]
