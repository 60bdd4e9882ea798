"""Policy packs: the rules a case is handled by, read from a file, pinned to the case when it is received."""

import hashlib
import json
from collections.abc import Sequence
from datetime import date, time
from decimal import Decimal
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, model_validator

from domain.base import Identifier, Line, Record
from domain.findings import Bilingual, Check, Tolerances
from domain.money import Currency, Money
from domain.words import Action, CaseEvent, Category, Complexity, Element, LetterKind, Role, RouteKind

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

    @property
    def at_least_days(self) -> float:
        """A lower bound in days, by which lengths in different units can be compared roughly."""
        days = {"seconds": 1 / 86400, "hours": 1 / 24, "days": 1, "business_days": 1, "weeks": 7, "months": 28}
        return self.count * days[self.unit]

    def __str__(self) -> str:
        unit = self.unit.replace("_", " ")
        return f"{self.count} {unit if self.count != 1 else unit.removesuffix('s')}"


class Sourced(Record):
    """A number of a rule. ``source`` says where it comes from; ``confirmed`` whether it was read there.

    An unconfirmed number is to be reviewed by the firm's compliance function before use.
    """

    source: Annotated[str, Field(min_length=1)]
    confirmed: bool


class Facts(Record):
    """What the length of a clock may depend on: the assessment of the complaint, and its product."""

    category: Category
    complexity: Complexity = Complexity.SIMPLE
    product: Line | None = None


class Scope(Record):
    """Which complaints a rule is for: those that fit all that is given. ``products`` are words of its name."""

    categories: tuple[Category, ...] = ()
    complexity: Complexity | None = None
    products: tuple[Line, ...] = ()

    def covers(self, facts: Facts) -> bool:
        return (
            (not self.categories or facts.category in self.categories)
            and (self.complexity is None or self.complexity is facts.complexity)
            and (
                not self.products or any(word.casefold() in (facts.product or "").casefold() for word in self.products)
            )
        )


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
        if Action.BREACH in self.actions and (self.before or self.after_start):
            raise ValueError(f"rung {self.name}: a breach is at the end of its clock, not before it or after its start")
        if self.at is not None and (Action.BREACH in self.actions or self.at.tzinfo is not None):
            raise ValueError(f"rung {self.name}: at is a local time without offset, and not for a breach")
        if (Action.HOLDING_LETTER in self.actions) != (self.letter is not None):
            raise ValueError(f"rung {self.name}: holding_letter goes with a letter, and a letter with holding_letter")
        if (Action.ESCALATE in self.actions) != (self.level is not None):
            raise ValueError(f"rung {self.name}: escalate goes with a level, and a level with escalate")
        return self


class Closure(Record):
    """A day, or the days until another, on which nobody works although the country does."""

    day: date
    until: date | None = None
    why: Line

    @property
    def last(self) -> date:
        return self.until or self.day


class Opening(Record):
    """A day that is worked although the country rests: a make-up working day, say."""

    day: date
    why: Line


class Calendar(Record):
    """Where business days are counted: country and subdivision by ISO 3166, IANA time zone.

    ``cut_off`` is the local time after which something counts, on clocks in business days, as having come on the next
    business day, and so does what comes on a day that is none; without it the local date counts. ``verified_until`` is
    the last day for which the official holidays are known: a date counted beyond it is provisional.
    """

    id: Identifier | None = None
    time_zone: Annotated[str, AfterValidator(_zone)]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    subdivision: str | None = None
    cut_off: time | None = None
    verified_until: date | None = None
    source: str | None = None
    closures: tuple[Closure, ...] = ()
    openings: tuple[Opening, ...] = ()

    @model_validator(mode="after")
    def _days_fit(self) -> Self:
        for closure in self.closures:
            if closure.last < closure.day:
                raise ValueError(f"closures: {closure.day} until {closure.last} ends before it begins")
            for opening in self.openings:
                if closure.day <= opening.day <= closure.last:
                    raise ValueError(f"openings: {opening.day} is among the closures too")
        if self.cut_off is not None and self.cut_off.tzinfo is not None:
            raise ValueError("cut_off: give a local time without offset")
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def hash(self) -> str:
        """SHA-256 of the calendar's content."""
        return _hash(self)


class LengthRule(Sourced, Scope):
    """A length that holds in place of the clock's own for the complaints it covers."""

    length: Length

    @model_validator(mode="after")
    def _is_for_some(self) -> Self:
        if not (self.categories or self.complexity or self.products):
            raise ValueError("lengths: say for which categories, complexity or products this one is")
        return self


class Extension(Sourced):
    """A lawful lengthening of a clock: ``by`` a length after its end, or ``to`` a length from its start.

    It counts once it is approved by one of ``approval``, at most ``at_most`` times a round, and once the customer has
    been told by letter; ``ground`` is what the letter says of the rule.
    """

    name: Identifier
    by: Length | None = None
    to: Length | None = None
    approval: tuple[Role, ...] = Field(min_length=1)
    at_most: Annotated[int, Field(ge=1)] = 1
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


class Clock(Sourced):
    """A time limit: what starts it, how long it is, what satisfies it, and what happens on its rungs.

    A clock without ``length`` is one that the law leaves to the firm: the pack cannot be used before the firm has set
    it. Of ``lengths`` the first that covers the complaint holds; where none does, ``length``. With
    ``first_day_counts`` the day of the trigger is the first of a length in days, weeks, months or business days.
    ``on_closed_day`` says whether an end on a day that is not worked moves to the next business day. A clock that
    ``pauses``, which only an internal one may, stands still while an answer of the customer is awaited.

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
        return self

    @property
    def keeps(self) -> str:
        """The duty that the clock keeps: by default that of its name."""
        return self.duty or self.name

    def length_for(self, facts: Facts) -> Length:
        """How long the clock runs for a complaint. Raises ``LookupError`` if the firm has yet to set it."""
        chosen = next((rule.length for rule in self.lengths if rule.covers(facts)), self.length)
        if chosen is None:
            raise LookupError(f"clock {self.name}: the firm has not set its length")
        return chosen


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


class Route(Sourced):
    """A way to go further when the customer disagrees: an internal review, a mediator, an ombudsman, a court.

    ``contact`` is how to reach it; without one no letter can name it. ``members`` says which firms belong, and
    ``firm_belongs`` whether this one does; ``None``: the firm has yet to say. ``limit`` is the largest claim it takes.
    ``within`` is the customer's time after ``since``; ``after_silence`` the time after receipt from which the customer
    may go there without a final response: of ``silences`` the first that covers the complaint, after a holding letter
    ``after_holding`` if there is one, otherwise ``after_silence``. Without any a final response is needed.
    """

    name: Identifier
    kind: RouteKind
    title: Bilingual
    contact: Bilingual | None = None
    members: Bilingual | None = None
    firm_belongs: bool | None = None
    limit: Money | None = None
    within: Length | None = None
    since: CaseEvent = CaseEvent.RESPONDED
    after_silence: Length | None = None
    after_holding: Length | None = None
    silences: tuple[LengthRule, ...] = ()
    categories: tuple[Category, ...] = ()
    scope: Scope | None = None

    def opens_after(self, facts: Facts, *, held: bool) -> Length | None:
        """The silence after which it is open; *held* if a holding letter was sent."""
        special = next((rule.length for rule in self.silences if rule.covers(facts)), None)
        return special or (self.after_holding if held and self.after_holding else self.after_silence)


class LetterRule(Sourced):
    """What a letter of ``kind`` must name, and what it says besides: a paragraph of the pack's own.

    A rung that sends a holding letter refers to the rule by ``name``. A letter that lacks one of ``must_name`` is not
    sent: its failure is loud.
    """

    name: Identifier
    kind: LetterKind
    text: Bilingual | None = None
    must_name: tuple[Element, ...] = ()
    scope: Scope | None = None


class EarlyClosure(Sourced):
    """Within this time after receipt a complaint that the customer regards as settled ends with a summary letter.

    Complaints of the categories in ``not_for`` are owed a final response however early they are settled.
    """

    within: Length
    first_day_counts: bool = False
    not_for: tuple[Category, ...] = ()


class InterestRule(Sourced):
    """Interest on redress: ``percent`` a year, simple, over ``base`` where one is named.

    It is for cases in which ``trigger`` has happened (``received``: all). With ``holds_by`` ``trigger`` it holds for
    the whole case, if that was from ``effective_from`` to ``effective_until``; with ``day`` it holds on those days, and
    a loss that lasted over the end of one rule bears interest by the next from then on. It ``runs_from`` the day of the
    loss, or from the trigger if that was later. Rules ``on`` late payment are told, and are for whoever pays: the award
    does not contain them.
    """

    name: Identifier
    trigger: CaseEvent
    on: Literal["award", "late_payment"] = "award"
    effective_from: date | None = None
    effective_until: date | None = None
    holds_by: Literal["trigger", "day"] = "trigger"
    runs_from: Literal["loss", "trigger"] = "loss"
    base: Literal["bank_of_england"] | None = None
    percent: Annotated[Decimal, Field(ge=0)]


class EarlyWarning(Sourced):
    """So many complaints about the same instrument or service within so many ``hours`` point to an incident."""

    complaints: Annotated[int, Field(ge=2)]
    hours: Annotated[int, Field(ge=1, le=720)]


class Retention(Sourced):
    """How long the file is kept after the case was closed."""

    after_closing: Length


class Part(Record):
    """A pack that a combined pack was made of."""

    id: Identifier
    version: Identifier
    hash: str


class PolicyPack(Record):
    """One version of a rule book. A case keeps the pack that was in force when the complaint was received.

    ``routes`` are the ways to go further. ``parts`` are the packs that this one was combined from, first the one whose
    ladders, teams and checks it has; see :func:`combine`.
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
    retention: Retention | None = None
    early_warning: EarlyWarning | None = None
    parts: tuple[Part, ...] = ()

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
        holding = {rule.name for rule in self.letters if rule.kind is LetterKind.HOLDING}
        if len({rule.name for rule in self.letters}) < len(self.letters):
            raise ValueError("two letters have the same name")
        if len({route.name for route in self.routes}) < len(self.routes):
            raise ValueError("two routes have the same name")
        for clock in self.clocks:
            for rung in clock.rungs:
                if rung.letter is not None and rung.letter not in holding:
                    raise ValueError(f"clock {clock.name}, rung {rung.name}: there is no holding letter {rung.letter}")
        for action, needed in _NEEDED.items():
            if not any(clock.trigger is needed and action in _actions(clock) for clock in self.clocks):
                raise ValueError(f"no clock started by {needed.value!r} has a rung with action {action.value!r}")
        return self

    @property
    def hash(self) -> str:
        """SHA-256 of the pack's content, whatever the file's spelling."""
        return _hash(self)

    @property
    def demands(self) -> list[str]:
        """What the firm must set before the pack can be used: the fields, in the words of the file."""
        return [f"clocks[{clock.name}].length" for clock in self.clocks if clock.length is None]

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
        """The calendar that *clock* is counted in."""
        return clock.calendar or self.calendar

    def letter_rules(self, kind: LetterKind, name: str | None = None) -> list[LetterRule]:
        """The rules for letters of *kind*; of *name*, where the kind has several."""
        return [rule for rule in self.letters if rule.kind is kind and name in {None, rule.name}]

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


def combine(packs: Sequence[PolicyPack]) -> PolicyPack:
    """The rules of several packs for one case, as one pack.

    The first is the case's own: its ladders, teams, checks, procedure and wording hold. Each other one adds its
    statutory clocks, in its own calendar, its letter rules and routes, all for the complaints it applies to, and its
    interest and retention; names are prefixed with its id. What the first has in the same words is not added again.
    Routes are counted in the first's calendar. Raises ``ValueError`` if *packs* is empty or names a pack twice.
    """
    first, *others = packs
    if not others:
        return first
    if len({pack.id for pack in packs}) < len(packs):
        raise ValueError("policy: a pack is named twice")

    def of(pack: PolicyPack, name: str) -> str:
        return f"{pack.id}/{name}"

    def letter_of(pack: PolicyPack, name: str) -> str:
        rule = next(rule for rule in pack.letters if rule.name == name)
        return name if rule in first.letters else of(pack, name)

    clocks = [
        clock.model_copy(
            update={
                "name": of(pack, clock.name),
                "duty": clock.keeps,
                "calendar": pack.calendar_of(clock),
                "scope": pack.applies_to,
                "rungs": tuple(
                    rung.model_copy(
                        update={
                            "letter": rung.letter and letter_of(pack, rung.letter),
                            "level": rung.level and min(rung.level, first.top_level),
                        }
                    )
                    for rung in clock.rungs
                ),
            }
        )
        for pack in others
        for clock in pack.clocks
        if clock.kind == "statutory" and clock not in first.clocks
    ]
    letters = [
        rule.model_copy(update={"name": of(pack, rule.name), "scope": pack.applies_to})
        for pack in others
        for rule in pack.letters
        if rule not in first.letters
    ]
    routes = [
        route.model_copy(update={"name": of(pack, route.name), "scope": pack.applies_to})
        for pack in others
        for route in pack.routes
        if route not in first.routes
    ]
    interest = [rule.model_copy(update={"name": of(pack, rule.name)}) for pack in others for rule in pack.interest]
    kept = [pack.retention for pack in packs if pack.retention]
    not_early = tuple(
        dict.fromkeys(category for pack in packs if pack.early_closure for category in pack.early_closure.not_for)
    )
    early = first.early_closure and first.early_closure.model_copy(update={"not_for": not_early})
    combined = first.model_copy(
        update={
            "id": "/".join(pack.id for pack in packs),
            "version": "/".join(pack.version for pack in packs),
            "clocks": (*first.clocks, *clocks),
            "letters": (*first.letters, *letters),
            "routes": (*first.routes, *routes),
            "interest": (*first.interest, *interest),
            "early_closure": early,
            "retention": max(kept, key=lambda one: one.after_closing.at_least_days, default=None),
            "parts": tuple(Part(id=pack.id, version=pack.version, hash=pack.hash) for pack in packs),
        }
    )
    return PolicyPack.model_validate(combined.model_dump())


def _hash(record: Record) -> str:
    content = json.dumps(record.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()
