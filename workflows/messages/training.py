"""What whoever gets a case, or decides, must have passed: the directory is asked when it comes to that."""

from collections.abc import Iterable, Mapping, Sequence

from temporalio import workflow

from domain.case.requests import LookForTraining, Turn
from domain.ground.messages import NotAllowed
from domain.ground.words import Role
from domain.people.directory import untrained
from domain.rules.deciding import TrainingRule, courses
from workflows import effects


async def must_be_trained(rules: Iterable[TrainingRule], who: str, role: Role) -> None:
    """Raise :class:`NotAllowed` where *who* acts in this *role* and lacks a course that the *rules* ask of it.

    Where they ask for none, it is the turn of every update.
    """
    await _look(courses(rules, role), who, role, "actor")


async def must_be_trained_to_have_it(rules: Sequence[TrainingRule], who: str) -> None:
    """Raise :class:`NotAllowed` where *who* is to have the case and lacks what the *rules* ask of handlers.

    Who holds another role needs what they ask of that one, as where the case goes up the ladder.
    """
    others: dict[Role, tuple[str, ...]] = {
        role: courses(rules, role) for role in Role if role.is_staff and role is not Role.HANDLER
    }
    await _look(courses(rules, Role.HANDLER), who, Role.HANDLER, "handler", others)


async def _look(
    asked: tuple[str, ...], who: str, role: Role, field: str, others: Mapping[Role, tuple[str, ...]] | None = None
) -> None:
    if not asked:
        await effects.take_turn(Turn())
        return
    today = workflow.now().date()
    request = LookForTraining(person=who, courses=asked, day=today, others=dict(others or {}))
    found = await effects.look_for_training(request)
    if found.lacking:
        raise NotAllowed(f"{field}: {untrained(who, role, found.lacking)}")
