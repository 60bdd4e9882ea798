"""What is wrong with a directory: by itself, and for the policy packs that name its roles and teams."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Literal

from pydantic import BaseModel

from domain.ground.base import Record
from domain.ground.words import Role
from domain.people.directory import Directory, Person, same_people
from domain.rules.policy import PolicyPack


class DirectoryProblem(Record):
    """Something that is wrong: with an ``error`` the directory cannot be used; a ``warning`` is to be mended."""

    severity: Literal["error", "warning"]
    field: str
    message: str


def check_directory(directory: Directory, packs: Iterable[PolicyPack], day: date) -> list[DirectoryProblem]:
    """All that is wrong with *directory* on that *day*, as *packs* would use it; errors first."""
    found = [*_wrong_by_itself(directory), *_unheld(directory, list(packs), day)]
    return sorted(found, key=lambda problem: problem.severity)


def unheld(directory: Directory, packs: Iterable[PolicyPack], day: date) -> list[DirectoryProblem]:
    """What *packs* name and nobody holds, or nobody can do on that *day*."""
    return list(_unheld(directory, list(packs), day))


def _wrong_by_itself(directory: Directory) -> Iterator[DirectoryProblem]:
    for twice in same_people(directory.people):
        yield _error(f"people[{twice}].id", "somebody has this id already, perhaps in another spelling")
    names = [team.name for team in directory.teams]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield _error(f"teams[{name}].name", "there are two teams of this name")
    for one in directory.people:
        for team in one.teams:
            if team not in names:
                yield _error(f"people[{one.id}].teams", f"there is no team {team}; there are {_listed(names)}")
    for team in names:
        if not any(team in one.teams for one in directory.people):
            yield _warning(f"teams[{team}]", "nobody is in it")


def _unheld(directory: Directory, packs: list[PolicyPack], day: date) -> Iterator[DirectoryProblem]:
    """What packs name and nobody holds, and what nobody could do today."""
    roles: dict[Role, list[str]] = defaultdict(list)
    teams: dict[str, list[str]] = defaultdict(list)
    for pack in packs:
        for role in roles_named(pack):
            roles[role].append(pack.id)
        for team in pack.teams:
            teams[team.name].append(pack.id)
    for role, named_by in sorted(roles.items()):
        holders = directory.holders(role)
        if not holders:
            yield _warning(f"roles[{role.value}]", f"nobody holds it, and packs name it: {_listed(named_by)}")
        elif all(one.away(day) for one in holders):
            yield _warning(f"roles[{role.value}]", f"everybody who holds it is away: {_ids(holders)}")
    for name, named_by in sorted(teams.items()):
        if not directory.holders(Role.HANDLER, team=name):
            yield _warning(f"teams[{name}]", f"no handler is in it, and packs give it cases: {_listed(named_by)}")
    for pack in packs:
        yield from _no_second_person(directory, pack)
        for rule in pack.training:
            for role in rule.roles:
                there = [one for one in directory.holders(role) if not one.away(day)]
                if there and not any(one.trained(rule.course, day) for one in there):
                    told = f"nobody who holds it and is there has passed {rule.course} ({pack.id})"
                    yield _warning(f"roles[{role.value}]", told)


def _no_second_person(directory: Directory, pack: PolicyPack) -> Iterator[DirectoryProblem]:
    handlers = {one.person for one in directory.holders(Role.HANDLER)}
    for step in pack.decision.every_step:
        holders = {one.person for one in directory.holders(step.role)}
        if len(holders) == 1 and handlers == holders:
            yield _warning(
                f"roles[{step.role.value}]",
                f"its only holder is the only handler: nobody could approve what they propose under {pack.id}",
            )


def roles_named(pack: PolicyPack) -> list[Role]:
    """The roles of the firm that *pack* names, wherever it does, and that of handlers."""
    return sorted(role for role in {Role.HANDLER, *_roles_in(pack)} if role.is_staff)


def _roles_in(value: object) -> Iterator[Role]:
    if isinstance(value, Role):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _roles_in(getattr(value, name))
    elif isinstance(value, (tuple, frozenset)):
        for one in value:
            yield from _roles_in(one)
    elif isinstance(value, Mapping):
        yield from _roles_in(tuple(value.values()))


def _error(field: str, message: str) -> DirectoryProblem:
    return DirectoryProblem(severity="error", field=field, message=message)


def _warning(field: str, message: str) -> DirectoryProblem:
    return DirectoryProblem(severity="warning", field=field, message=message)


def _ids(people: Iterable[Person]) -> str:
    return _listed(one.id for one in people)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names)) or "none"
