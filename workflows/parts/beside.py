"""What a workflow does beside its life: its clocks, its recorder, its letters under way."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, NoReturn, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError

T = TypeVar("T")

RESET: Final = "in Temporal, to an earlier moment; what came after that is done again"
"""What the timeline says of a reset."""


class TaskDied(Exception):
    """Something that a workflow does has ended in an error.

    Not as it is: a failure of an effect would end the workflow, or be the answer to an update. So the workflow's task
    fails, again and again and seen by the alerts, until a worker is there that does it right.
    """

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"a task of the workflow broke: {error}")


class Beside:
    """The tasks of one workflow. One that dies is noticed at any moment: nothing goes on as if all were well."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._broken: TaskDied | None = None
        self._reset = False
        # Nothing but another seed tells a workflow that it begins anew from an earlier moment.
        workflow.register_random_seed_callback(self._note_reset)

    def start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Have *coroutine* run beside the life."""
        task = asyncio.create_task(coroutine)
        self._running.add(task)
        task.add_done_callback(self._ended)

    async def live(self, life: Coroutine[Any, Any, T], uncancelled: Callable[[], None], reset: Callable[[], None]) -> T:
        """Live *life* to its end, and return what it returns. Raises :class:`TaskDied` when it or one of them dies.

        A cancellation asked for in Temporal is not followed: neither a case nor an incident ends by the click of a
        button. *uncancelled* is called then, to note it, and *reset* where somebody has reset the workflow in Temporal.
        """
        living, watch = asyncio.create_task(life), asyncio.create_task(self._watch(reset))
        try:
            await workflow.wait([living, watch], return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if workflow.cancellation_reason() is None:
                raise  # the run only leaves the worker's cache
            uncancelled()
            await workflow.wait([living, watch], return_when=asyncio.FIRST_COMPLETED)
        if watch.done():
            await watch
        try:
            return await living
        except ActivityError as error:
            raise TaskDied(error) from error

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) and self._broken is None:
            self._broken = TaskDied(error)
            self._broken.__cause__ = error

    def _note_reset(self, _: int) -> None:
        """Only keep it in mind: the SDK calls this outside the workflow's loop, and swallows errors."""
        self._reset = True

    async def _watch(self, reset: Callable[[], None]) -> NoReturn:
        while self._broken is None:
            await workflow.wait_condition(lambda: self._broken is not None or self._reset)
            if self._reset:
                self._reset = False
                reset()
        raise self._broken
