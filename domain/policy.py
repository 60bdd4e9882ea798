"""Policy packs: the rules a case is handled by, read from a file, pinned to the case when it is received."""

import hashlib
import json
from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, model_validator

from domain.base import Identifier, Line, Record
from domain.findings import Bilingual, Check, Tolerances
from domain.money import Currency, Money
from domain.words import Action, CaseEvent, Category, Role

# Read from the system's files now: a workflow, which carries its pack, may open none.
_ZONES: Final = frozenset(available_timezones())


def _zone(name: str) -> str:
    if name not in _ZONES:
        raise ValueError(f"unknown time zone {name!r}: use an IANA name such as Asia/Hong_Kong")
    return name


class Length(Record):
    """A stretch of time in exactly one unit. Seconds are for packs that demonstrate."""

    seconds: Annotated[int, Field(ge=0)] | None = None
    hours: Annotated[int, Field(ge=0)] | None = None
    days: Annotated[int, Field(ge=0)] | None = None
    business_days: Annotated[int, Field(ge=0)] | None = None
    weeks: Annotated[int, Field(ge=0)] | None = None
    months: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        given = self.model_dump(exclude_none=True)
        if len(given) != 1:
            raise ValueError("give exactly one of seconds, hours, days, business_days, weeks, months")
        return self

    @property
    def unit(self) -> str:
        return next(iter(self.model_dump(exclude_none=True)))

    @property
    def count(self) -> int:
        return int(next(iter(self.model_dump(exclude_none=True).values())))

    def __str__(self) -> str:
        unit = self.unit.replace("_", " ")
        return f"{self.count} {unit if self.count != 1 else unit.removesuffix('s')}"


class Rung(Record):
    """A moment on a clock: at its due instant, a length ``before`` it, or a length ``after_start`` of the clock."""

    name: Identifier
    before: Length | None = None
    after_start: Length | None = None
    actions: tuple[Action, ...] = Field(min_length=1)
    level: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.before and self.after_start:
            raise ValueError(f"rung {self.name}: give before or after_start, not both")
        if (Action.ESCALATE in self.actions) != (self.level is not None):
            raise ValueError(f"rung {self.name}: escalate goes with a level, and a level with escalate")
        return self


class Clock(Record):
    """A time limit: what starts it, how long it is, what satisfies it, and what happens on its rungs.

    ``source`` says where the number comes from; ``confirmed`` whether it was read there. An unconfirmed number is to
    be reviewed by the firm's compliance function before use.
    """

    name: Identifier
    kind: Literal["statutory", "internal"]
    trigger: CaseEvent
    length: Length
    satisfied_by: tuple[CaseEvent, ...] = Field(min_length=1)
    rungs: tuple[Rung, ...] = Field(min_length=1)
    source: str
    confirmed: bool

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if len({rung.name for rung in self.rungs}) < len(self.rungs):
            raise ValueError(f"clock {self.name}: two rungs have the same name")
        return self


class Calendar(Record):
    """Where business days are counted: country and subdivision by ISO 3166, IANA time zone."""

    time_zone: Annotated[str, AfterValidator(_zone)]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    subdivision: str | None = None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


Limits = dict[Currency, Annotated[Decimal, Field(ge=0)]]


class ApprovalStep(Record):
    """A role that may approve awards up to ``limits`` by currency; ``None`` means any amount in any currency."""

    role: Role
    limits: Limits | None = None


class EscalationStep(Record):
    """A level of the escalation ladder and the role that takes the case over."""

    level: Annotated[int, Field(ge=1)]
    role: Role


class Decision(Record):
    """Who may decide what. Awards up to ``rule_limits`` with clear findings are decided by rule."""

    rule_limits: Limits
    approval: tuple[ApprovalStep, ...] = Field(min_length=1)

    def decided_by_rule(self, award: Money | None) -> bool:
        """Whether a clear finding that leads to *award* needs nobody's approval."""
        if award is None or award.amount == 0:
            return True
        limit = self.rule_limits.get(award.currency)
        return limit is not None and award.amount <= limit

    def may_approve(self, role: Role, award: Money | None) -> bool:
        """Whether *role* may approve *award*. A currency without a limit is for a role without limits."""
        for step in self.approval:
            if step.role is not role:
                continue
            if step.limits is None or award is None:
                return True
            limit = step.limits.get(award.currency)
            return limit is not None and award.amount <= limit
        return False

    def approvers(self, award: Money | None) -> list[Role]:
        """The roles that may approve *award*, lowest first."""
        return [step.role for step in self.approval if self.may_approve(step.role, award)]


class Team(Record):
    """Who handles which categories. The last team of a pack takes what no other does."""

    name: Identifier
    categories: tuple[Category, ...] = ()


class PolicyPack(Record):
    """One version of a rule book. A case keeps the pack that was in force when the complaint was received."""

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

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if len({clock.name for clock in self.clocks}) < len(self.clocks):
            raise ValueError("two clocks have the same name")
        levels = [step.level for step in self.escalation]
        if levels != list(range(1, len(levels) + 1)):
            raise ValueError("escalation: levels must be 1, 2, 3 … in this order")
        for clock in self.clocks:
            for rung in clock.rungs:
                if rung.level is not None and rung.level > len(levels):
                    raise ValueError(f"clock {clock.name}, rung {rung.name}: there is no escalation level {rung.level}")
        for action, needed in _NEEDED.items():
            if not any(clock.trigger is needed and action in _actions(clock) for clock in self.clocks):
                raise ValueError(f"no clock started by {needed.value!r} has a rung with action {action.value!r}")
        return self

    @property
    def hash(self) -> str:
        """SHA-256 of the pack's content, whatever the file's spelling."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def top_level(self) -> int:
        return len(self.escalation)

    def team_for(self, category: Category) -> str:
        return next((team for team in self.teams if category in team.categories), self.teams[-1]).name

    def in_force(self, day: date) -> bool:
        return self.effective_from <= day and (self.effective_until is None or day <= self.effective_until)


# Without these a case could wait for ever, or a duty would have nothing that keeps it.
_NEEDED = {
    Action.BREACH: CaseEvent.RECEIVED,
    Action.STOP_WAITING: CaseEvent.INFORMATION_REQUESTED,
    Action.ACCEPT_SILENCE: CaseEvent.RESPONDED,
    Action.CLOSE: CaseEvent.SETTLED,
}


def _actions(clock: Clock) -> set[Action]:
    return {action for rung in clock.rungs for action in rung.actions}
