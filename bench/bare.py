"""Bare Temporal workflows that a life of a complaint is compared with: they do nothing, in so many steps.

    python -m bench.bare TARGET        serve them until the process is ended

They have what any program on Temporal would have that waits for the same things: `Former` has the steps that a life
had when it was measured first (five activities one after the other, three local ones, eight upserts), `Like` those of
today. Their activities return at once and write nothing.
"""

import asyncio
import sys
from datetime import timedelta
from typing import Final

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.worker import Worker

QUEUE: Final = "bench-bare"
_STAGE: Final = SearchAttributeKey.for_keyword("ComplaintStage")
_SOON: Final = timedelta(seconds=60)


@activity.defn
async def nothing() -> None:
    """An effect that costs nothing."""


async def _effect() -> None:
    await workflow.execute_activity(nothing, start_to_close_timeout=_SOON)


async def _local() -> None:
    await workflow.execute_local_activity(nothing, start_to_close_timeout=_SOON)


def _tell(stage: str) -> None:
    workflow.upsert_search_attributes([_STAGE.value_set(stage)])


class _Life:
    """A workflow that is answered once."""

    def __init__(self) -> None:
        self._answered = False

    @workflow.signal
    def reply(self) -> None:
        """The customer accepts."""
        self._answered = True

    async def _answer(self) -> None:
        # A deadline that runs meanwhile and is called off.
        await workflow.wait_condition(lambda: self._answered, timeout=timedelta(days=14))


@workflow.defn(sandboxed=False)
class Former(_Life):
    """The steps of a life as it was measured first."""

    @workflow.run
    async def run(self) -> None:
        """To the payment."""
        await _local()
        for stage in ("acknowledged", "investigating", "deciding"):
            _tell(stage)
            await _effect()
            _tell(f"{stage}-done")
        await _local()
        _tell("responded")
        await self._answer()
        await _local()
        await _effect()
        _tell("settling")
        await _effect()


@workflow.defn(sandboxed=False)
class Like(_Life):
    """The steps of a life as it is: opening, letter, investigation, promise with the response, posting."""

    @workflow.run
    async def run(self) -> None:
        """To the payment."""
        await _local()
        _tell("acknowledged")
        await _effect()
        await _local()
        _tell("deciding")
        await _effect()
        _tell("responded")
        await self._answer()
        _tell("settling")
        await _effect()
        _tell("following_up")


async def serve(target: str) -> None:
    """Serve both, with as many tasks and cases at once as a worker of Redress."""
    client = await Client.connect(target)
    async with Worker(
        client,
        task_queue=QUEUE,
        workflows=[Former, Like],
        activities=[nothing],
        max_concurrent_workflow_tasks=8,
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
