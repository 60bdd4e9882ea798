"""What whoever gets a case, or decides, must have passed: the directory is asked when it comes to that."""

from collections.abc import Iterable

from temporalio import workflow

from domain.case.requests import LookForTraining, Turn
from domain.ground.messages import NotAllowed
from domain.ground.words import Role
from domain.people.directory import untrained
from domain.rules.deciding import TrainingRule, courses
from workflows import effects


async def must_be_trained(rules: Iterable[TrainingRule], who: str, role: Role, field: str = "actor") -> None:
    """Raise :class:`NotAllowed` where *who* lacks a course that the *rules* ask of this *role*.

    Where they ask for none, it is the turn of every update.
    """
    asked = courses(rules, role)
    if not asked:
        await effects.take_turn(Turn())
        return
    found = await effects.look_for_training(LookForTraining(person=who, courses=asked, day=workflow.now().date()))
    if found.lacking:
        raise NotAllowed(f"{field}: {untrained(who, role, found.lacking)}")
