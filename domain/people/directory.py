"""The directory: people with their teams, roles, skills and languages, when they are away, and what they have learnt.

Days are calendar days, first and last included.
"""

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self

from pydantic import EmailStr, Field, model_validator

from domain.ground.base import Identifier, Line, Record, StaffId, person_of
from domain.ground.messages import Message
from domain.ground.people import Language
from domain.ground.words import Category, Role

CARE = "vulnerable_customers"
"""The skill of dealing with customers in vulnerable circumstances."""

Skill = Category | Literal["vulnerable_customers"]

StaffRole = Literal[Role.HANDLER, Role.TEAM_LEAD, Role.APPROVER, Role.COMPLIANCE_OFFICER, Role.EXECUTIVE]


class Span(Record):
    """The days from ``first`` to ``last``, both included; without an end those that follow are in it too."""

    first: date
    last: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last is not None and self.last < self.first:
            raise ValueError("last lies before first")
        return self

    def covers(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


REFRESHED_WITHIN: Final = timedelta(days=30)
"""So long before it lapses a course stands among the tasks of who passed it."""


class Absence(Span):
    """When somebody is away. The reason is nobody's business here."""

    last: date


class Training(Span):
    """A ``course`` that was passed on its first day, and the last day until which that counts."""

    course: Identifier


class Conflict(Span):
    """A declared conflict of interest: with an account, and with whoever complains of it, in those days."""

    account: Identifier
    why: Line


class Person(Record):
    """Somebody who works on complaints.

    ``names`` are those under which customers may name them, in any script; ``address`` is where notices go; ``skills``
    are categories they know, and more; ``capacity`` is how many open cases they can have.
    """

    id: StaffId
    teams: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    roles: Annotated[tuple[StaffRole, ...], Field(min_length=1)]
    languages: Annotated[tuple[Language, ...], Field(min_length=1)]
    skills: tuple[Skill, ...] = ()
    capacity: Annotated[int, Field(ge=0, le=1_000)] = 20
    address: EmailStr | None = None
    names: tuple[Line, ...] = ()
    absences: tuple[Absence, ...] = ()
    training: tuple[Training, ...] = ()
    conflicts: tuple[Conflict, ...] = ()

    @property
    def person(self) -> str:
        """Who it is, however the id was spelt."""
        return person_of(self.id)

    def away(self, day: date) -> bool:
        return any(absence.covers(day) for absence in self.absences)

    def trained(self, course: str, day: date) -> bool:
        return any(one.course == course and one.covers(day) for one in self.training)

    def lapsed(self, day: date) -> list[Training]:
        """The courses that were passed and count no longer."""
        return [
            one
            for one in self.training
            if one.last is not None and one.last < day and not self.trained(one.course, day)
        ]

    def refreshers(self, day: date) -> list["Refresher"]:
        """The courses that were passed and count no longer, or not beyond the next days."""
        ends: dict[str, date] = {}
        for one in self.training:
            ends[one.course] = max(ends.get(one.course, date.min), one.last or date.max)
        return [
            Refresher(person=self.id, course=course, due=last, overdue=last < day)
            for course, last in sorted(ends.items(), key=lambda each: (each[1], each[0]))
            if last < day + REFRESHED_WITHIN
        ]


class Refresher(Record):
    """A ``course`` that a ``person`` has to pass again: what they passed counts until ``due``, that day included."""

    person: StaffId
    course: Identifier
    due: date
    overdue: bool


class DirectoryTeam(Record):
    """A team of the directory: its name, as policy packs give it, and where notices go that are for all of it."""

    name: Identifier
    address: EmailStr | None = None


class ChangeDirectory(Message):
    """Have the directory say that of a person or a team from now on; ``None``: they have left.

    It is signed for who or what it is about.
    """

    name = "change_directory"
    kind: Literal["person", "team"]
    record: dict[str, Any] | None = None


class Directory(Record):
    """Everybody, as of one ``version``, which grows with every change. Version 0 is that of a file."""

    version: int = 0
    teams: tuple[DirectoryTeam, ...] = ()
    people: tuple[Person, ...] = ()

    @cached_property
    def _by_person(self) -> dict[str, Person]:
        return {one.person: one for one in self.people}

    def find(self, identifier: str) -> Person | None:
        """The person whom *identifier* names, in any spelling."""
        return self._by_person.get(person_of(identifier))

    def lacking(self, identifier: str, courses: Iterable[str], day: date) -> tuple[str, ...]:
        """Those of *courses* that somebody has not passed, or no longer; whom it does not have lacks them all.

        An empty directory says nothing of anybody: then none is lacking.
        """
        one = self.find(identifier)
        return tuple(course for course in courses if self.people and not (one and one.trained(course, day)))

    def holders(self, role: Role, *, team: str | None = None, besides: Collection[str] = ()) -> list[Person]:
        """Who holds *role* (in *team*), in the order of their ids, but for the persons *besides*."""
        found = (
            one
            for one in self.people
            if role in one.roles and (team is None or team in one.teams) and one.person not in besides
        )
        return sorted(found, key=lambda one: one.person)


def untrained(who: str, role: Role, lacking: Iterable[str]) -> str:
    """What is said to whoever may not act in *role*, lacking these courses."""
    of = role.value.replace("_", " ")
    return f"{who} has not passed, or no longer, what {of}s must have here: {', '.join(lacking)}"


def refreshers(directory: Directory, who: str, day: date) -> list[Refresher]:
    """The courses that *who* has to pass again, and, for who leads a team, those that are overdue in it; by date."""
    one = directory.find(who)
    if one is None:
        return []
    led = set(one.teams) if Role.TEAM_LEAD in one.roles else set()
    others = (
        course
        for other in directory.people
        if other is not one and led & set(other.teams)
        for course in other.refreshers(day)
        if course.overdue
    )
    return sorted([*one.refreshers(day), *others], key=lambda each: (each.due, each.person, each.course))


def same_people(people: Iterable[Person]) -> list[str]:
    """The ids that name somebody who is there under another spelling already."""
    seen: set[str] = set()
    twice = []
    for one in people:
        if one.person in seen:
            twice.append(one.id)
        seen.add(one.person)
    return twice
