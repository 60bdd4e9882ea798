"""What a workflow does beside its life: its clocks, its recorder, its letters under way."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn, TypeVar

from temporalio import workflow

T = TypeVar("T")


class TaskDied(Exception):
    """What a workflow does beside its life has ended in an error."""


class Tasks:
    """The tasks of one workflow. One that dies is noticed at any moment: nothing goes on as if all were well."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._broken: BaseException | None = None

    def start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Have *coroutine* run beside the life."""
        task = asyncio.create_task(coroutine)
        self._running.add(task)
        task.add_done_callback(self._ended)

    async def live(self, life: Coroutine[Any, Any, T], uncancelled: Callable[[], None]) -> T:
        """Live *life* to its end, and return what it returns. Raises :class:`TaskDied` when one of them dies.

        A cancellation asked for in Temporal is not followed: neither a case nor an incident ends by the click of a
        button. *uncancelled* is called then, to note it.
        """
        living, watch = asyncio.create_task(life), asyncio.create_task(self._watch())
        try:
            await workflow.wait([living, watch], return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if workflow.cancellation_reason() is None:
                raise  # the run only leaves the worker's cache
            uncancelled()
            await workflow.wait([living, watch], return_when=asyncio.FIRST_COMPLETED)
        if watch.done():
            await watch
        return await living

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._broken = self._broken or error

    async def _watch(self) -> NoReturn:
        await workflow.wait_condition(lambda: self._broken is not None)
        # Not as it is: a failure of an effect would end the workflow. So its task fails, again and again and seen by
        # the alerts, until a worker is there that does it right.
        raise TaskDied(f"a task of the workflow broke: {self._broken}") from self._broken
