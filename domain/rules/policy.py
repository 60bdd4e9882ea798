"""Policy packs: the rules a case is handled by, read from a file, pinned to the case when it is received."""

from datetime import date, datetime
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from domain.checks.findings import Check
from domain.checks.tolerances import Tolerances
from domain.clocks.actions import ACTIONS
from domain.clocks.calendar import Calendar
from domain.clocks.clock import Clock
from domain.clocks.quiet import QuietHours
from domain.ground.base import Identifier, Line, Record, content_hash
from domain.ground.bilingual import Bilingual
from domain.ground.scope import Facts, Scope
from domain.ground.words import Action, Category, LetterKind, Role
from domain.rules.causes import CauseRule
from domain.rules.deciding import Decision, EscalationStep, Team, TrainingRule, courses
from domain.rules.duties import (
    ContactRestrictions,
    EarlyClosure,
    EarlyWarning,
    InterestRule,
    LetterRule,
    Retention,
    Return,
    ReviewRule,
    Route,
    check_dates,
)


class Part(Record):
    """A pack that a combined pack was made of."""

    id: Identifier
    version: Identifier
    hash: str


class PolicyPack(Record):
    """One version of a rule book. A case keeps the pack that was in force when the complaint was received.

    ``routes`` are the ways to go further. ``parts`` are the packs that this one was combined from, first the one whose
    ladders, teams and checks it has; see :func:`~domain.rules.combining.combine`.
    """

    id: Identifier
    version: Identifier
    title: Line
    jurisdiction: str
    effective_from: date
    effective_until: date | None = None
    calendar: Calendar
    clocks: tuple[Clock, ...] = Field(min_length=1)
    decision: Decision
    escalation: tuple[EscalationStep, ...] = Field(min_length=1)
    teams: tuple[Team, ...] = Field(min_length=1)
    checks: dict[Category, tuple[Check, ...]] = Field(default_factory=dict)
    tolerances: Tolerances = Tolerances()
    own_names: tuple[Line, ...] = ()
    """Names under which customers complain about this firm; a complaint about another name is referred."""
    timetable: Bilingual
    """What the acknowledgement says about the time it will take."""
    rights: Bilingual
    """What the final response says about where the customer may go next, or that there is nowhere."""
    referral: Bilingual
    """Where somebody is told to go whose complaint is about another firm."""
    applies_to: Scope | None = None
    """The complaints the pack is for, when it is not the first of a case's packs."""
    routes: tuple[Route, ...] = ()
    letters: tuple[LetterRule, ...] = ()
    early_closure: EarlyClosure | None = None
    interest: tuple[InterestRule, ...] = ()
    returns: tuple[Return, ...] = ()
    retention: Retention | None = None
    early_warning: EarlyWarning | None = None
    training: tuple[TrainingRule, ...] = ()
    new_dates: Annotated[int, Field(ge=0, le=10)] = 1
    """How often a rule tells the customer a new date when the one they were told is missed; then people have to."""
    recurs_within_days: Annotated[int, Field(ge=0, le=3660)] = 365
    """So many days after a complaint another one about the same matter is a recurrence, and more urgent for it."""
    spokespersons: Annotated[int, Field(ge=1, le=100)] = 5
    """So many of those who complain as a group may speak for it."""
    quiet_hours: QuietHours | None = None
    """When letters wait that no rule hurries, in the customer's zone or the calendar's. Their own wish goes first."""
    causes: CauseRule | None = None
    contact_restrictions: ContactRestrictions | None = None
    """Without it nobody's contact is restricted."""
    review: ReviewRule | None = None
    """Without it no case is reviewed by compliance."""
    parts: tuple[Part, ...] = ()

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        check_dates(self.effective_from, self.effective_until)
        if len({clock.name for clock in self.clocks}) < len(self.clocks):
            raise ValueError("two clocks have the same name")
        levels = [step.level for step in self.escalation]
        if levels != list(range(1, len(levels) + 1)):
            raise ValueError("escalation: levels must be 1, 2, 3 … in this order")
        for clock in self.clocks:
            for rung in clock.rungs:
                if rung.level is not None and rung.level > len(levels):
                    raise ValueError(f"clock {clock.name}, rung {rung.name}: there is no escalation level {rung.level}")
        holding = {rule.name for rule in self.letters if rule.kind is LetterKind.HOLDING}
        if len({rule.name for rule in self.letters}) < len(self.letters):
            raise ValueError("two letters have the same name")
        if len({route.name for route in self.routes}) < len(self.routes):
            raise ValueError("two routes have the same name")
        for clock in self.clocks:
            for rung in clock.rungs:
                if rung.letter is not None and rung.letter not in holding:
                    raise ValueError(f"clock {clock.name}, rung {rung.name}: there is no holding letter {rung.letter}")
        for action, row in ACTIONS.items():
            needed = row.demanded_on
            if needed and not any(clock.trigger is needed and action in _actions(clock) for clock in self.clocks):
                raise ValueError(f"no clock started by {needed.value!r} has a rung with action {action.value!r}")
        return self

    @property
    def hash(self) -> str:
        """SHA-256 of the pack's content, whatever the file's spelling."""
        known = _HASHED.get(id(self))
        if known is None:
            if len(_HASHED) >= _MOST_HASHED:
                _HASHED.clear()  # workflows ask in threads of their own: what was there may be gone any moment
            known = _HASHED[id(self)] = self, content_hash(self)
        return known[1]

    @property
    def demands(self) -> list[str]:
        """What the firm must set before the pack can be used: the fields, in the words of the file."""
        return [
            *(f"clocks[{clock.name}].length" for clock in self.clocks if clock.length is None),
            *(f"routes[{route.name}].contact" for route in self.routes if route.left_to_firm and not route.contact),
        ]

    def narrowed(self, category: Category) -> "PolicyPack":
        """The pack as it reads for complaints of *category*.

        Letter rules and routes of other packs that are not for it are left out; of routes with the same name (but for
        the id of the pack they come from) the last holds, which is that of the more special pack.
        """
        facts = Facts(category=category)
        if not self.parts:
            return self
        letters = tuple(rule for rule in self.letters if rule.scope is None or rule.scope.covers(facts))
        routes = {
            route.name.rpartition("/")[2]: route
            for route in self.routes
            if route.scope is None or route.scope.covers(facts)
        }
        return self.model_copy(update={"letters": letters, "routes": tuple(routes.values())})

    def clock(self, name: str) -> Clock:
        """The clock of that name. Raises ``LookupError``."""
        for clock in self.clocks:
            if clock.name == name:
                return clock
        raise LookupError(f"policy pack {self.id} has no clock {name!r}")

    def calendar_of(self, clock: Clock) -> Calendar:
        """The calendar of *clock*, with the firm's own days; which of them count, the clock says."""
        return clock.calendar or self.calendar

    def early_until(self, received_at: datetime) -> datetime | None:
        """The last moment at which a complaint received then may end with a summary letter, in UTC; or never."""
        return self.early_closure.until(self.calendar, received_at) if self.early_closure else None

    def letter_rules(self, kind: LetterKind, name: str | None = None) -> list[LetterRule]:
        """The rules for letters of *kind*; of *name*, where the kind has several."""
        return [rule for rule in self.letters if rule.kind is kind and name in {None, rule.name}]

    def courses(self, role: Role) -> tuple[str, ...]:
        """What whoever acts in *role* must have passed."""
        return courses(self.training, role)

    @property
    def top_level(self) -> int:
        return len(self.escalation)

    def team_for(self, category: Category) -> str:
        return next((team for team in self.teams if category in team.categories), self.teams[-1]).name

    def in_force(self, day: date) -> bool:
        return self.effective_from <= day and (self.effective_until is None or day <= self.effective_until)


def _actions(clock: Clock) -> set[Action]:
    return {action for rung in clock.rungs for action in rung.actions}


_HASHED: Final[dict[int, tuple[PolicyPack, str]]] = {}
"""The hashes of packs by what they are: a pack is long, and never changed. Each is held, so that none is mistaken."""
_MOST_HASHED: Final = 64
