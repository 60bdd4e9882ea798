"""Workflows for the tests of the plumbing: they say what they see."""

import logging
import sys
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from temporalio import activity, workflow
from temporalio.common import RetryPolicy

import domain.ground.base

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
