"""Every history must lead to the same commands when it is replayed, with the worker's own settings.

The SDK compares kinds and numbers of commands, not what they say. A workflow that was handed two things in another
order, or at another time, may ask the same activities for something else: the record then has one entry twice and
lacks another, and no replay fails. So what is asked when replayed is compared word by word, too.
"""

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import ActivityTaskScheduledEventAttributes
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import ActivitySerializationContext, DataConverter
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails

from domain.keys.scopes import activity_of_run
from runtime.keys.codec import NotOfOurs
from runtime.turns import InOrder, _InOrder
from worker import build_replayer

_TOKEN: Final = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
_AROUND: Final = 60
"""Characters that are told before and after the first that is another."""


async def find_unreplayable(client: Client, task_queue: str) -> list[tuple[WorkflowHistory, str]]:
    """The histories of *task_queue* that lead elsewhere when they are replayed, of every run, and in what."""

    async def histories() -> AsyncIterator[WorkflowHistory]:
        async for one in client.list_workflows(f"TaskQueue = '{task_queue}'"):
            yield await client.get_workflow_handle(one.id, run_id=one.run_id).fetch_history()

    return await find_differences(histories(), namespace=client.namespace)


async def find_differences(
    histories: AsyncIterator[WorkflowHistory], *workflows: type, namespace: str = "default"
) -> list[tuple[WorkflowHistory, str]]:
    """Histories of *workflows*, or of all that the worker knows, that lead elsewhere when replayed, and in what."""
    heard: defaultdict[str, _Asked] = defaultdict(_Asked)
    replayer = build_replayer(*workflows, namespace=namespace, workflow_runner=_Listening(heard))
    converter = replayer.config(active_config=True)["data_converter"]
    found = []
    async with replayer.workflow_replay_iterator(histories) as results:
        async for result in results:
            asked = heard.pop(result.history.run_id, _Asked())
            if result.replay_failure:
                found.append((result.history, f"it does not replay: {result.replay_failure}"))
            else:
                reading = _Reading(result.history, namespace, converter)
                found += [(result.history, said) async for said in reading.differences(asked)]
    return found


@dataclass
class _Asked:
    """What was asked for during a replay: what activities were told, by id, and how long timers wait, by number."""

    told: dict[str, Sequence[Payload]] = field(default_factory=dict)
    waits: dict[str, int] = field(default_factory=dict)
    """Milliseconds."""

    def hear(self, completion: WorkflowActivationCompletion) -> None:
        for command in completion.successful.commands:
            if command.HasField("schedule_activity"):
                of = command.schedule_activity
                self.told[of.activity_id] = [Payload.FromString(one.SerializeToString()) for one in of.arguments]
            if command.HasField("start_timer"):
                self.waits[str(command.start_timer.seq)] = command.start_timer.start_to_fire_timeout.ToMilliseconds()


class _Listening(InOrder):
    def __init__(self, heard: Mapping[str, _Asked]) -> None:
        super().__init__()
        self._heard = heard

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        asked = self._heard[det.info.run_id]

        class Heard(_InOrder):
            def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
                completion = super().activate(act)
                asked.hear(completion)
                return completion

        return Heard(det)  # type: ignore[abstract]


@dataclass(frozen=True)
class _Reading:
    """Reads what stands in a history."""

    history: WorkflowHistory
    namespace: str
    converter: DataConverter

    async def differences(self, asked: _Asked) -> AsyncIterator[str]:
        for event in self.history.events:
            if event.HasField("timer_started_event_attributes"):
                timer = event.timer_started_event_attributes
                before, now = timer.start_to_fire_timeout.ToMilliseconds(), asked.waits.get(timer.timer_id)
                if now not in {None, before}:
                    yield f"event {event.event_id} waited {before} ms, and now {now} ms"
            if event.HasField("activity_task_scheduled_event_attributes"):
                of = event.activity_task_scheduled_event_attributes
                now_told = asked.told.get(of.activity_id)
                told = await self._told(of)
                if now_told is not None and told is not None and told != (said := _text(now_told)):
                    what = f"event {event.event_id} asked {of.activity_type.name}"
                    yield f"{what} for …{_apart(told, said)}…, and now for …{_apart(said, told)}…"

    async def _told(self, scheduled: ActivityTaskScheduledEventAttributes) -> str | None:
        """What an activity was told; nothing where a stranger did, or it was erased."""
        begun = self.history.events[0].workflow_execution_started_event_attributes
        number = scheduled.activity_id
        context = ActivitySerializationContext(
            namespace=self.namespace,
            activity_id=activity_of_run(number, begun.first_execution_run_id, begun.continued_execution_run_id),
            activity_type=scheduled.activity_type.name,
            activity_task_queue=None,
            workflow_id=self.history.workflow_id,
            workflow_type=None,
            is_local=False,
        )
        codec = self.converter.with_context(context).payload_codec
        try:
            return _text(await codec.decode(scheduled.input.payloads) if codec else scheduled.input.payloads)
        except NotOfOurs:
            return None


def _text(payloads: Sequence[Payload]) -> str:
    """What they say, without signed tokens.

    A server that was killed takes an update that is sent again for the one that a worker has in hand: the history has
    the token of the second, the worker that of the first. Message and words are the same.
    """
    return _TOKEN.sub("(token)", " ".join(one.data.decode(errors="replace") for one in payloads))


def _apart(text: str, other: str) -> str:
    """*text* around the first place where it is not the *other*."""
    at = next((place for place, (own, its) in enumerate(zip(text, other, strict=False)) if own != its), len(other))
    return text[max(0, at - _AROUND) : at + _AROUND]
