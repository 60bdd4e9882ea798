"""What whoever acts, or gets a case, must have passed, by the training rules of a policy pack."""

from collections.abc import Iterable, Sequence
from datetime import date

from domain.case.requests import LookForTraining
from domain.ground.people import Actor
from domain.ground.words import Role
from domain.people.directory import Directory
from domain.rules.deciding import TrainingRule, courses


def asked_to_act(rules: Iterable[TrainingRule], actor: Actor, day: date) -> LookForTraining | None:
    """What they ask on *day* of who acts in a role; ``None`` for nothing."""
    asked = courses(rules, actor.role)
    return LookForTraining(person=actor.id, courses=asked, day=day) if asked else None


def asked_to_have_it(rules: Sequence[TrainingRule], who: str, day: date) -> LookForTraining | None:
    """What they ask on *day* of who is to have a case: what handlers must have passed; ``None`` for nothing.

    Who holds another role needs what they ask of that one, as where the case goes up the ladder.
    """
    if not (asked := courses(rules, Role.HANDLER)):
        return None
    others = {role: courses(rules, role) for role in Role if role.is_staff and role is not Role.HANDLER}
    return LookForTraining(person=who, courses=asked, day=day, others=others)


def lacking(directory: Directory, asked: LookForTraining) -> tuple[str, ...]:
    """Which courses they lack: of several roles in the one in which they lack fewest."""
    one = directory.find(asked.person)
    held = [asked.others[role] for role in one.roles if role in asked.others] if one else []
    return min((directory.lacking(asked.person, each, asked.day) for each in (asked.courses, *held)), key=len)
