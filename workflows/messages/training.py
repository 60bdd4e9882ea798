"""What whoever gets a case, or decides, must have passed: the directory is asked when it comes to that."""

from collections.abc import Iterable, Sequence

from temporalio import workflow

from domain.case.requests import LookForTraining, Turn
from domain.case.training import asked_to_act, asked_to_have_it
from domain.ground.messages import NotAllowed
from domain.ground.people import Actor
from domain.ground.words import Role
from domain.people.directory import untrained
from domain.rules.deciding import TrainingRule
from workflows import effects


async def must_be_trained(rules: Iterable[TrainingRule], actor: Actor) -> None:
    """Raise :class:`NotAllowed` where who acts lacks a course that the *rules* ask of their role.

    Where they ask for none, it is the turn of every update.
    """
    await _look(asked_to_act(rules, actor, workflow.now().date()), actor.role, "actor")


async def must_be_trained_to_have_it(rules: Sequence[TrainingRule], who: str) -> None:
    """Raise :class:`NotAllowed` where *who* is to have the case and lacks what the *rules* ask of that."""
    await _look(asked_to_have_it(rules, who, workflow.now().date()), Role.HANDLER, "handler")


async def _look(asked: LookForTraining | None, role: Role, field: str) -> None:
    if asked is None:
        await effects.take_turn(Turn())
        return
    found = await effects.look_for_training(asked)
    if found.lacking:
        raise NotAllowed(f"{field}: {untrained(asked.person, role, found.lacking)}")
