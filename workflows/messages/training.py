"""What whoever gets a case, or decides, must have passed: the directory is asked when it comes to that."""

from temporalio import workflow

from domain.case.requests import LookForTraining, Turn
from domain.ground.messages import NotAllowed
from domain.ground.words import Role
from domain.rules.policy import PolicyPack
from workflows import effects


async def must_be_trained(pack: PolicyPack, who: str, role: Role, field: str = "actor") -> None:
    """Raise :class:`NotAllowed` where *who* lacks a course that the *pack* asks of this *role*.

    Where it asks for none, it is the turn of every update.
    """
    courses = pack.courses(role)
    if not courses:
        await effects.take_turn(Turn())
        return
    found = await effects.look_for_training(LookForTraining(person=who, courses=courses, day=workflow.now().date()))
    if found.lacking:
        lacking, of = ", ".join(found.lacking), role.value.replace("_", " ")
        raise NotAllowed(f"{field}: {who} has not passed, or no longer, what {of}s must have here: {lacking}")
