"""Updates about tasks beside the case."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from domain.ground.base import Instant, Line, StaffId, Text
from domain.ground.messages import Message
from domain.ground.words import TaskKind
from domain.people.directory import StaffRole


class GiveTask(Message):
    """Give somebody a task beside the case: an expert to be consulted, a call, a review.

    ``owner`` is who has it; without one the directory is asked for somebody in ``role``. It is due at ``until``, or
    when the policy pack says. ``what`` says more of it.
    """

    name = "give_task"
    kind: TaskKind
    what: Line | None = None
    owner: StaffId | None = None
    role: StaffRole | None = None
    until: Instant | None = None

    @model_validator(mode="after")
    def _to_one(self) -> Self:
        if self.owner and self.role:
            raise ValueError("role: give an owner or a role, not both")
        return self


class FinishTask(Message):
    """Say that a task is done, and what came of it. ``task`` is its number."""

    name = "finish_task"
    task: Annotated[int, Field(ge=1)]
    result: Text


class ReassignTask(Message):
    """Give a task to somebody else. ``task`` is its number."""

    name = "reassign_task"
    task: Annotated[int, Field(ge=1)]
    owner: StaffId
    reason: Text | None = None
