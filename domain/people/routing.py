"""Routing: in whose hands a case belongs. A pure function of what was recorded, so that it can be explained later."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from pydantic import Field

from domain.ground.base import Record
from domain.ground.people import Language
from domain.ground.words import Category, Priority, Role
from domain.people.directory import CARE, Directory, Person

URGENT: Final = frozenset({Priority.P1, Priority.P2})
"""For these, who has room goes before who had the customer's earlier case; a full desk is no reason against."""


class Need(Record):
    """What a case needs of who gets it.

    ``role`` is who is to have it, ``ladder`` the roles above it, lowest first, that take it where nobody is left.
    ``kept_out`` are persons with the reason; ``load`` open cases by person; ``earlier`` who had the customer's last
    case; ``courses`` what whoever gets it must have passed.
    """

    day: date
    role: Role
    ladder: tuple[Role, ...]
    team: str | None
    category: Category
    language: Language
    priority: Priority
    skilled: bool = False
    courses: dict[Role, tuple[str, ...]] = Field(default_factory=dict)
    kept_out: dict[str, str] = Field(default_factory=dict)
    load: dict[str, int] = Field(default_factory=dict)
    earlier: str | None = None


class Candidate(Record):
    """Somebody who was looked at: ``why_not``, or what speaks for them, the most important first."""

    id: str
    role: Role
    why_not: str | None = None
    speaks_language: bool = False
    has_room: bool = False
    had_earlier: bool = False
    skills: int = 0
    free: int = 0


class Routed(Record):
    """Who gets the case, in which role, and everybody who was looked at, the best first. ``person`` may be nobody."""

    person: str | None
    role: Role
    level: int
    """How many levels above the one that was asked for; 0 where that had somebody."""
    candidates: tuple[Candidate, ...]

    @property
    def spoken(self) -> str:
        """In words, for the record."""
        if self.person is None:
            return "nobody: everybody who could take it is away, kept out or not in the directory"
        above = f", {self.level} level{'s' if self.level > 1 else ''} up: nobody was left below" if self.level else ""
        return f"{self.person} as {self.role.value.replace('_', ' ')}{above}"


def route(need: Need, directory: Directory) -> Routed:
    """Who gets a case that *needs* this.

    Never who is away, kept out, of another team or lacks a course that is required. Then, in this order: who speaks
    the language, has the skill of care where that is needed, has room, had the customer's earlier case (of an urgent
    one: after who has room), knows the category, has the lightest load by their capacity, and the first id of equals.
    Where nobody is left it goes a level up; the team counts for its handlers only.
    """
    looked_at: list[Candidate] = []
    for level, role in enumerate((need.role, *need.ladder)):
        fit: list[tuple[tuple[float, ...], str, Candidate]] = []
        for one in directory.holders(role):
            candidate = _looked_at(one, role, need)
            if candidate.why_not is None:
                fit.append((_order(candidate, one, need), one.person, candidate))
            else:
                looked_at.append(candidate)
        if fit:
            ordered = [candidate for _, _, candidate in sorted(fit, key=lambda each: (each[0], each[1]))]
            return Routed(person=ordered[0].id, role=role, level=level, candidates=(*ordered, *looked_at))
    return Routed(person=None, role=need.role, level=len(need.ladder), candidates=tuple(looked_at))


def _looked_at(one: Person, role: Role, need: Need) -> Candidate:
    load = need.load.get(one.person, 0)
    lacking = [course for course in need.courses.get(role, ()) if not one.trained(course, need.day)]
    why_not = None
    if one.person in need.kept_out:
        why_not = f"kept out: {need.kept_out[one.person]}"
    elif one.away(need.day):
        why_not = "away"
    elif role is Role.HANDLER and need.team is not None and need.team not in one.teams:
        why_not = f"not in {need.team}"
    elif lacking:
        why_not = f"lacks {', '.join(lacking)}"
    return Candidate(
        id=one.id,
        role=role,
        why_not=why_not,
        speaks_language=need.language in one.languages,
        has_room=load < one.capacity,
        had_earlier=need.earlier == one.person,
        skills=(need.category in one.skills) + 2 * (need.skilled and CARE in one.skills),
        free=one.capacity - load,
    )


def _order(candidate: Candidate, one: Person, need: Need) -> tuple[float, ...]:
    """Sorts candidates, the best first."""
    load = need.load.get(one.person, 0)
    cares = need.skilled and CARE in one.skills
    room, earlier = not candidate.has_room, not candidate.had_earlier
    first, second = (room, earlier) if need.priority in URGENT else (earlier, room)
    return (
        not candidate.speaks_language,
        need.skilled and not cares,
        first,
        second,
        need.category not in one.skills,
        load / one.capacity if one.capacity else float("inf"),
    )


def loads(open_cases: Mapping[str, int], directory: Directory) -> dict[str, int]:
    """The open cases of those in the directory, by person; of handlers in other spellings too."""
    found: dict[str, int] = {}
    for handler, count in open_cases.items():
        if one := directory.find(handler):
            found[one.person] = found.get(one.person, 0) + count
    return found
