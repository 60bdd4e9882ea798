"""A fault in any effect leads to its end, and the history it leaves replays (`tests/replaying.py` sees to that).

Requests and answers are those of the recorded histories.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest
from temporalio import activity
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from runtime.settings import load_settings
from tests.workflows.fingerprints import life
from tests.workflows.one_effect import OneEffect
from worker import build_worker
from workflows.effects import EFFECTS

HISTORIES: Final = Path(__file__).parent / "histories"
NOW: Final = "2026-03-02T09:30:00Z"
_STEP: Final = {"action": "CA-1", "number": 1, "at": "2026-03-02T09:30:00Z"}
NOT_RECORDED: Final[dict[str, tuple[Any, Any]]] = {
    "RecordContact": (None, None),
    "TakeTurn": ({}, None),
    "Investigate": (
        {"checks": ["withdrawal_delay"], "account": "70012345", "as_of": "2026-03-02T09:30:00Z"},
        {"findings": []},
    ),
    "LookElsewhere": ({"reference": "RD-1", "account": "70012345", "losses": []}, {"elsewhere": []}),
    "LookForRemedies": ({"reference": "RD-1", "account": "70012345", "remedies": []}, {"seen": []}),
    "LookForTraining": ({"person": "h-17", "courses": ["complaints"], "day": "2026-03-02"}, {"lacking": []}),
    "LookForRecusal": (
        {"reference": "IN-1", "number": 1, "person": "a-3", "at": "2026-03-02T09:30:00Z"},
        {"kept_out": False},
    ),
    "RefuseStart": (None, None),
    "DealWith": ({"key": "0" * 32}, {"ending": "case_opened", "reference": "RD-1", "reason": None}),
    "NoteAction": ({**_STEP, "step": "opened", "by": "team_lead:tl-2"}, None),
    "MeasureEffect": (
        {
            "cause": "payments/own_delay",
            "measure": {"accounts": 1000},
            "opened_at": "2026-03-02T09:30:00Z",
            "until": "2026-06-02T09:30:00Z",
        },
        {
            "before": 2,
            "after": 0,
            "rate_before": "2",
            "rate_after": "0",
            "low_after": "0",
            "high_after": "3.7",
            "effective": True,
        },
    ),
    "RunOut": ({}, {"erased": []}),
    "MailReport": ({"order": {}, "at": "2026-03-02T09:30:00Z", "key": "report:1"}, {"period": "2026-02"}),
    "DrawReviews": (
        {"order": {}, "at": "2026-03-02T09:30:00Z"},
        {"period": "2026-02", "cases": 3, "due": "2026-03-16T09:30:00Z"},
    ),
    "AskProcessReview": (
        {"order": {}, "at": "2026-07-05T06:00:00Z", "key": "process"},
        {"period": "2026-H1", "due": "2026-08-04T06:00:00Z"},
    ),
    "ChaseProcessReview": (
        {"period": "2026-H1", "due": "2026-08-04T06:00:00Z", "at": "2026-08-01T06:00:00Z", "key": "process:0"},
        {"done": True},
    ),
    "ChaseReviews": ({"period": "2026-02", "at": "2026-03-16T09:30:00Z", "key": "reviews:1"}, {"cases": 0}),
    "PayMember": (
        {"reference": "IN-1", "account": "70012345", "attempt": 1},
        {"at": "2026-03-02T09:30:00Z", "complete": True, "spoken": "paid"},
    ),
}

FAULTS: Final = {
    "slow": ["slow"],
    "the answer is lost after the write": ["lost"],
    "fails once": ["fails"],
    "fails twice": ["fails", "fails"],
    "fails for good": ["fails for good"],
    "fails for good at the second attempt": ["fails", "fails for good"],
    "never answers": ["never", "never"],
    "is cancelled": ["waits", "waits"],
}
"""What befalls the first attempts of an effect; the next one succeeds."""


def recorded() -> Iterator[tuple[str, Any, Any]]:
    """Activity, request (of local ones none is kept) and answer of the effects in the recorded histories."""
    for path in HISTORIES.rglob("*.json"):
        asked: dict[int, tuple[str, Any]] = {}
        for event in life(path).events:
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                scheduled = event.activity_task_scheduled_event_attributes
                asked[event.event_id] = (scheduled.activity_type.name, json.loads(scheduled.input.payloads[0].data))
            elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                completed = event.activity_task_completed_event_attributes
                yield (*asked[completed.scheduled_event_id], _answer(completed.result))
            elif "result" in (details := event.marker_recorded_event_attributes.details):
                name = json.loads(details["data"].payloads[0].data)["activity_type"]
                yield name, None, _answer(details["result"])


def _answer(result: Payloads) -> Any:
    return next((json.loads(payload.data or "null") for payload in result.payloads), None)


class Faulty:
    """Activities under the names of ours: what befalls each attempt is in the id of the workflow."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = answers
        self.attempts: Counter[str] = Counter()
        self.waiting: dict[str, asyncio.Event] = {}

    @property
    def activities(self) -> list[Any]:
        return [self._activity(name) for name in self._answers]

    def _activity(self, name: str) -> Any:
        async def attempt(_request: Any) -> Any:
            return await self._attempt(name)

        return activity.defn(name=name)(attempt)

    async def _attempt(self, name: str) -> Any:
        workflow_id = activity.info().workflow_id or ""
        ills = FAULTS[workflow_id.split("/")[0]]
        ill = ills[self.attempts[workflow_id]] if self.attempts[workflow_id] < len(ills) else ""
        self.attempts[workflow_id] += 1
        match ill:
            case "slow":
                await asyncio.sleep(4.5)
            case "lost" | "fails":
                raise ConnectionError(ill)
            case "fails for good":
                raise ApplicationError(ill, type="Refused", non_retryable=True)
            case "never" if not activity.info().is_local:
                activity.raise_complete_async()
            case "never" | "waits":
                self.waiting.setdefault(workflow_id, asyncio.Event()).set()
                await asyncio.sleep(60)
        return self._answers[name]


@cache
def cases() -> dict[str, tuple[Any, Any]]:
    """A request and an answer of each effect."""
    return {**{name: (request, answer) for name, request, answer in recorded()}, **NOT_RECORDED}


@pytest.mark.parametrize("effect", EFFECTS)
def test_every_effect_has_a_case(effect: str) -> None:
    assert effect in cases(), f"record a history with it, or put it into {NOT_RECORDED=}"


async def test_the_worker_carries_out_every_effect_as_its_row_says_and_nothing_else(
    dev_server_env: WorkflowEnvironment, pool: "asyncpg.Pool[asyncpg.Record]", task_queue: str
) -> None:
    worker = build_worker(dev_server_env.client, pool, load_settings(task_queue=task_queue))
    activities = [activity._Definition.must_from_callable(each) for each in worker.config()["activities"]]
    carried_out = {each.name: (each.arg_types, each.ret_type) for each in activities}
    assert carried_out == {name: ([effect.request], effect.answer) for name, effect in EFFECTS.items()}


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_effect_comes_to_its_end_whatever_befalls_it(
    dev_server_env: WorkflowEnvironment, task_queue: str, fault: str
) -> None:
    client = dev_server_env.client
    faulty = Faulty({name: answer for name, (_, answer) in cases().items()})

    async def end_of(effect: str) -> str:
        request, _ = cases()[effect]
        name = f"{fault}/{effect}/{task_queue}"
        handle = await client.start_workflow(OneEffect.run, args=[effect, request], id=name, task_queue=task_queue)
        if fault == "is cancelled":
            await faulty.waiting.setdefault(name, asyncio.Event()).wait()
            await handle.cancel()
        try:
            return await handle.result()
        except WorkflowFailureError as error:
            return type(error.cause).__name__

    async with Worker(client, task_queue=task_queue, workflows=[OneEffect], activities=faulty.activities):
        ends = dict(zip(EFFECTS, await asyncio.gather(*map(end_of, EFFECTS)), strict=True))
    expected = "failed" if "good" in fault or "cancelled" in fault else "succeeded"
    assert ends == dict.fromkeys(EFFECTS, expected)
