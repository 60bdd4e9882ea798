"""Workflows for the tests of the plumbing: they say what they see."""

import asyncio
import logging
import sys
import time
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.worker import Worker

import domain.ground.base
from runtime.turns import InOrder

with workflow.unsafe.imports_passed_through():
    import structlog


class Sum(BaseModel):
    a: int
    b: int


@workflow.defn
class Add:
    """Takes a model, as `Complaint` does."""

    @workflow.run
    async def run(self, given: Sum) -> int:
        return given.a + given.b


@workflow.defn
class Modules:
    """Tells which copy of a module it sees."""

    @workflow.run
    async def run(self, names: list[str]) -> dict[str, int]:
        assert domain.ground.base is sys.modules["domain.ground.base"]
        return {name: id(sys.modules[name].__dict__) for name in names}


@workflow.defn
class Talk:
    """Logs through every logger there is, before and after it was told to go on."""

    def __init__(self) -> None:
        self._go_on = False

    @workflow.run
    async def run(self) -> None:
        workflow.logger.info("workflow logger", extra={"stage": "received"})
        logging.getLogger("redress.standard").info("standard logger")
        structlog.get_logger("redress.structured").info("structured logger")
        await workflow.execute_activity(talk, start_to_close_timeout=timedelta(seconds=10))
        await workflow.wait_condition(lambda: self._go_on)
        workflow.logger.info("went on")

    @workflow.signal
    def go_on(self) -> None:
        self._go_on = True

    @workflow.query
    def where(self) -> str:
        logging.getLogger("redress.standard").info("asked")
        return "here"


@activity.defn(name="Talk")
async def talk() -> None:
    activity.logger.info("activity logger")
    structlog.get_logger("redress.structured").info("structured logger in an activity")


@workflow.defn(name="Thief")
class Thief:
    """Asks the workers for effects, as a complaint's workflow does."""

    @workflow.run
    async def run(self, queue: str, effects: list[tuple[str, dict[str, Any]]]) -> None:
        for name, request in effects:
            await workflow.execute_activity(
                name,
                request,
                task_queue=queue,
                start_to_close_timeout=timedelta(seconds=20),
                retry_policy=RetryPolicy(maximum_attempts=1),
            )


@activity.defn
async def look() -> None: ...


async def _looks(after: float) -> None:
    await workflow.execute_activity("look", after, start_to_close_timeout=timedelta(seconds=10))


async def look_within_the_task() -> None:
    await workflow.execute_local_activity(look, start_to_close_timeout=timedelta(seconds=10))


@workflow.defn
class AsksAtOnce:
    """Waits a little after an answer, which it did not do before."""

    def __init__(self) -> None:
        self._waits = workflow.patched("waits")

    @workflow.run
    async def run(self) -> None:
        await look_within_the_task()
        if self._waits:
            await workflow.sleep(0.01)


@workflow.defn
class TellsWhenItBegan:
    """Looks at the clock before it asks within the task, at the answer and when it hears something, and tells it."""

    def __init__(self) -> None:
        self._times: list[str] = []

    @workflow.run
    async def run(self, heard: int) -> None:
        self._look("began")
        await look_within_the_task()
        self._look("answered")
        await workflow.wait_condition(lambda: len(self._times) == 2 + heard)
        await workflow.execute_activity("tell", self._times, start_to_close_timeout=timedelta(seconds=10))

    def _look(self, at: str) -> None:
        self._times.append(f"{at} {workflow.now().isoformat()}")

    @workflow.signal
    def hear(self) -> None:
        self._look("heard")

    @workflow.query
    def is_there(self, after: float) -> bool:
        time.sleep(after)
        return True


@workflow.defn
class LooksAtWhatItHears:
    """Asks within its task about each thing that it hears, and tells in which order that was."""

    def __init__(self) -> None:
        self._order: list[str] = []

    @workflow.run
    async def run(self, heard: int) -> list[str]:
        await workflow.wait_condition(lambda: len(self._order) == 2 * heard)
        return self._order

    @workflow.signal
    async def hear(self, what: str) -> None:
        self._order.append(f"{what} heard")
        await look_within_the_task()
        self._order.append(f"{what} looked at")


@workflow.defn
class TellsWhenItHeard:
    """Looks at the clock when it hears of something, and tells the last but one. It takes no question."""

    def __init__(self) -> None:
        self._heard: list[str] = []

    @workflow.run
    async def run(self, first: str) -> None:
        beside = asyncio.create_task(self._hear_of(first))
        enough = 3 if first == "signals" else 2
        await workflow.wait_condition(lambda: len(self._heard) == enough)
        await workflow.execute_activity("tell", self._heard[-2], start_to_close_timeout=timedelta(seconds=10))
        await beside

    async def _hear_of(self, first: str) -> None:
        match first:
            case "answers":
                await asyncio.gather(_looks(0), _looks(0.3))
            case "timers":
                await asyncio.gather(asyncio.sleep(1), asyncio.sleep(3))
        if first != "signals":
            self.hear()

    @workflow.signal
    def hear(self) -> None:
        self._heard.append(workflow.now().isoformat())
        asyncio.get_running_loop().call_later(60, lambda: None).cancel()  # a timer that is in no history

    @workflow.update
    def ask(self) -> None: ...

    @ask.validator
    def refuse(self) -> None:
        time.sleep(0.5)  # long enough for something to come meanwhile
        raise ValueError("it takes no question")


@workflow.defn
class EndsWhenTold:
    """Ends with what it hears, unless something is in hand. It takes no question."""

    def __init__(self) -> None:
        self._heard = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self._heard and workflow.all_handlers_finished())

    @workflow.signal
    def hear(self) -> None:
        self._heard = True

    @workflow.update
    def ask(self) -> None: ...

    @ask.validator
    def refuse(self) -> None:
        raise ValueError("it takes no question")


@workflow.defn
class EndsWhenIdle:
    """Ends with the answer of its activity, unless something is in hand."""

    @workflow.run
    async def run(self, queue: str) -> None:
        await workflow.execute_activity("hold", task_queue=queue, start_to_close_timeout=timedelta(seconds=60))
        await workflow.wait_condition(workflow.all_handlers_finished)

    @workflow.update
    async def ask(self, what: str) -> str:
        await workflow.sleep(0.01)
        return f"{what} was heard"

    @ask.validator
    def check(self, what: str) -> None:
        if what == "nonsense":
            raise ValueError("it makes no sense")


@workflow.defn
class AnswersAndHears:
    """Does two things beside each other: one after an answer, one after a signal."""

    def __init__(self) -> None:
        self._heard = False

    @workflow.run
    async def run(self) -> None:
        beside = asyncio.create_task(_one_after_the_other("asked", "answered"))
        await workflow.wait_condition(lambda: self._heard)
        await _one_after_the_other("heard")
        await beside

    @workflow.signal
    def hear(self) -> None:
        self._heard = True

    @workflow.query
    def has_heard(self) -> bool:
        return self._heard


@workflow.defn
class LooksAtTheClock:
    """Waits for a moment as a case waits for a deadline: it looks at the clock, then waits for what is left."""

    @workflow.run
    async def run(self) -> None:
        due = workflow.now() + timedelta(seconds=2)
        while (left := due - workflow.now()) > timedelta(0):
            await workflow.sleep(left)

    @workflow.query
    def has_heard(self) -> bool:
        return False


async def _one_after_the_other(*names: str) -> None:
    queue = f"{workflow.info().task_queue}-effects"
    for name in names:
        await workflow.execute_activity(name, task_queue=queue, start_to_close_timeout=timedelta(seconds=60))


def forgetful(client: Client, task_queue: str, *workflow_types: type) -> Worker:
    """A worker in our order; four seconds after it is dead, others have the tasks of its workflows."""
    return Worker(
        client,
        task_queue=task_queue,
        workflows=workflow_types,
        workflow_runner=InOrder(),
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=4),
    )


async def _work_until_killed(target: str, task_queue: str) -> None:
    async with forgetful(await Client.connect(target), task_queue, AnswersAndHears, LooksAtTheClock):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_work_until_killed(*sys.argv[1:]))
