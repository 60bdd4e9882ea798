"""A clock: its length, what lengthens it lawfully, and its rungs."""

from datetime import time
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from domain.clocks.actions import ACTIONS
from domain.clocks.calendar import Calendar
from domain.ground.base import Identifier, Record
from domain.ground.bilingual import Bilingual
from domain.ground.scope import Facts, Scope, Sourced
from domain.ground.words import Action, CaseEvent, Circumstance, Role


class Length(Record):
    """A stretch of time in exactly one unit. Seconds are for packs that demonstrate."""

    seconds: Annotated[int, Field(ge=0)] | None = None
    hours: Annotated[int, Field(ge=0)] | None = None
    days: Annotated[int, Field(ge=0)] | None = None
    business_days: Annotated[int, Field(ge=0)] | None = None
    weeks: Annotated[int, Field(ge=0)] | None = None
    months: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _known_unit(cls, given: Any) -> Any:
        if isinstance(given, dict) and (unknown := [str(unit) for unit in given if unit not in cls.model_fields]):
            raise ValueError(f"unknown unit {', '.join(unknown)}; there are {', '.join(cls.model_fields)}")
        return given

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError(f"give exactly one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def unit(self) -> str:
        return next(iter(self.model_dump(exclude_none=True)))

    @property
    def count(self) -> int:
        return int(next(iter(self.model_dump(exclude_none=True).values())))

    @property
    def at_least_days(self) -> float:
        """A lower bound in days, by which lengths in different units can be compared roughly."""
        days = {"seconds": 1 / 86400, "hours": 1 / 24, "days": 1, "business_days": 1, "weeks": 7, "months": 28}
        return self.count * days[self.unit]

    def __str__(self) -> str:
        # Not by Babel: it reads its data from files, and a workflow says this in refusals.
        unit = self.unit.replace("_", " ")
        return f"{self.count} {unit if self.count != 1 else unit.removesuffix('s')}"


class Rung(Record):
    """A moment on a clock: at its due instant, a length ``before`` it, or a length ``after_start`` of the clock.

    ``letter`` names the rule of the pack by which a holding letter is written. ``at`` is the local time of day at which
    people are written to: on the day found, or if nobody works on it, on the business day before a date that must not
    pass, and otherwise on the next one.
    """

    name: Identifier
    before: Length | None = None
    after_start: Length | None = None
    actions: tuple[Action, ...] = Field(min_length=1)
    level: Annotated[int, Field(ge=1)] | None = None
    letter: Identifier | None = None
    at: time | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.before and self.after_start:
            raise ValueError(f"rung {self.name}: give before or after_start, not both")
        if self.at is not None and self.at.tzinfo is not None:
            raise ValueError(f"rung {self.name}: at is a local time without offset")
        for action, row in ACTIONS.items():
            does, field = action in self.actions, row.goes_with
            if does and row.at_the_end and (self.before or self.after_start or self.at is not None):
                raise ValueError(f"rung {self.name}: a {action.value} is at the end of its clock, and at no other time")
            if field and does != (getattr(self, field) is not None):
                raise ValueError(
                    f"rung {self.name}: {action.value} goes with a {field}, and a {field} with {action.value}"
                )
        return self


class LengthRule(Sourced, Scope):
    """A length that holds in place of the clock's own for the complaints it covers."""

    length: Length

    @model_validator(mode="after")
    def _is_for_some(self) -> Self:
        if not (self.categories or self.complexity or self.products or self.matters or self.priorities or self.tasks):
            known = "categories, complexity, products, matters, priorities or tasks"
            raise ValueError(f"lengths: say for which {known} this one is")
        return self


class Extension(Sourced):
    """A lawful lengthening of a clock: ``by`` a length after its end, or ``to`` a length from its start.

    It counts once it is approved by one of ``approval``, at most ``at_most`` times a round, and once the customer has
    been told by letter; ``ground`` is what the letter says of the rule. Where the rule takes reasons of a certain sort
    only, the person who approves it names one of ``circumstances``.
    """

    name: Identifier
    by: Length | None = None
    to: Length | None = None
    approval: tuple[Role, ...] = Field(min_length=1)
    at_most: Annotated[int, Field(ge=1)] = 1
    circumstances: tuple[Circumstance, ...] = ()
    ground: Bilingual

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.by is None) == (self.to is None):
            raise ValueError(f"extension {self.name}: give exactly one of by and to")
        return self

    @property
    def length(self) -> Length:
        """``by`` or ``to``, whichever is given."""
        length = self.by or self.to
        assert length is not None  # noqa: S101 (one is given)
        return length

    def __str__(self) -> str:
        return f"by {self.by}" if self.by else f"to {self.to} from the start"


class OwnDays(Sourced):
    """A rule that itself defines its business days as those on which the firm is open: where it says so."""


class Clock(Sourced):
    """A time limit: what starts it, how long it is, what satisfies it, and what happens on its rungs.

    A clock without ``length`` is one that the law leaves to the firm: the pack cannot be used before the firm has set
    it. Of ``lengths`` the first that covers the complaint holds; where none does, ``length``. With
    ``first_day_counts`` the day of the trigger is the first of a length in days, weeks, months or business days.
    ``on_closed_day`` says whether an end on a day that is not worked moves to the next business day. A clock that
    ``pauses``, which only an internal one may, stands still while an answer of the customer is awaited.

    A statutory clock is counted on the days of the law: the firm's own closures and cut-off hour do not lengthen it,
    except with ``own_days``, where the rule itself defines business days so.

    ``duty`` is what the clock keeps: where several packs set a time for the same duty, the strictest is acted upon.
    ``calendar`` and ``scope`` are those of the pack the clock comes from, where that is not the case's first.
    """

    name: Identifier
    kind: Literal["statutory", "internal"]
    trigger: CaseEvent
    length: Length | None = None
    lengths: tuple[LengthRule, ...] = ()
    extensions: tuple[Extension, ...] = ()
    first_day_counts: bool = False
    on_closed_day: Literal["stays", "next_business_day"] = "stays"
    pauses: bool = False
    own_days: OwnDays | None = None
    satisfied_by: tuple[CaseEvent, ...] = Field(min_length=1)
    rungs: tuple[Rung, ...] = Field(min_length=1)
    duty: Identifier | None = None
    calendar: Calendar | None = None
    scope: Scope | None = None

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if len({rung.name for rung in self.rungs}) < len(self.rungs):
            raise ValueError(f"clock {self.name}: two rungs have the same name")
        if len({extension.name for extension in self.extensions}) < len(self.extensions):
            raise ValueError(f"clock {self.name}: two extensions have the same name")
        if self.pauses and self.kind == "statutory":
            raise ValueError(f"clock {self.name}: a statutory clock never pauses; an internal one beside it may")
        if self.own_days and self.kind == "internal":
            raise ValueError(f"clock {self.name}: own_days is for a statutory clock; an internal one has them anyway")
        return self

    @property
    def keeps(self) -> str:
        """The duty that the clock keeps: by default that of its name."""
        return self.duty or self.name

    def counted_in(self, calendar: Calendar) -> Calendar:
        """*calendar*, as far as it counts for this clock: the law's days, or the firm's own as well."""
        return calendar if self.kind == "internal" or self.own_days else calendar.of_the_law

    def length_for(self, facts: Facts) -> Length:
        """How long the clock runs for a complaint. Raises ``LookupError`` if the firm has yet to set it."""
        chosen = next((rule.length for rule in self.lengths if rule.covers(facts)), self.length)
        if chosen is None:
            raise LookupError(f"clock {self.name}: the firm has not set its length")
        return chosen
