"""Who may decide what, up to which sums, and who handles what."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from domain.ground.base import Identifier, Line, Record
from domain.ground.words import Category, Priority, Role
from domain.money.amounts import Currency, Money

Limits = dict[Currency, Annotated[Decimal, Field(ge=0)]]


class ApprovalStep(Record):
    """A role that may approve awards up to ``limits`` by currency; ``None`` means any amount in any currency."""

    role: Role
    limits: Limits | None = None


class EscalationStep(Record):
    """A level of the escalation ladder and the role that takes the case over."""

    level: Annotated[int, Field(ge=1)]
    role: Role


class ByRule(StrEnum):
    """What may be decided without a person."""

    IN_FAVOUR = "in_favour"
    """What is wholly in the customer's favour."""
    NEVER = "never"
    ALWAYS = "always"
    """Whatever the findings are clear on, a no included: for a firm that answers for it by name."""


class Occasion(StrEnum):
    """What has a second person decide on what somebody proposes."""

    REJECTION = "rejection"
    PARTLY_UPHELD = "partly_upheld"
    REFERRAL = "referral"
    P1 = "p1"
    VULNERABILITY = "vulnerability"
    """The case has a sign that the customer is vulnerable, or of danger to life."""
    SIGN = "sign"
    """Another sign of the case asks for one."""
    ABOVE_LIMIT = "above_limit"
    """The case comes to more than ``rule_limits``."""
    NO_LIMIT = "no_limit"
    """It comes to a sum in a currency for which there is none."""
    ANOTHER_ROUND = "another_round"
    """It is decided a second time: a review, which a superior decides."""


EVERYWHERE: Final = (Occasion.SIGN, Occasion.ABOVE_LIMIT, Occasion.NO_LIMIT, Occasion.ANOTHER_ROUND)
"""What no pack can have one person do alone."""
BY_DEFAULT: Final = (
    Occasion.REJECTION,
    Occasion.PARTLY_UPHELD,
    Occasion.P1,
    Occasion.VULNERABILITY,
    *EVERYWHERE,
)


class Signature(Record):
    """Who answers by name for what the pack lets a machine do, and since which day."""

    by: Line
    on: date


class SpecialLimits(Record):
    """Other limits for the cases of these ``categories`` and ``priorities``; of what is not given, all.

    ``rule_limits`` and ``approval`` take the place of the decision's own, where they are given.
    """

    categories: tuple[Category, ...] = ()
    priorities: tuple[Priority, ...] = ()
    rule_limits: Limits | None = None
    approval: tuple[ApprovalStep, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.categories or self.priorities):
            raise ValueError("special: say for which categories or priorities these limits are")
        if self.rule_limits is None and not self.approval:
            raise ValueError("special: give rule_limits or approval")
        return self

    def covers(self, category: Category, priority: Priority) -> bool:
        return (not self.categories or category in self.categories) and (
            not self.priorities or priority in self.priorities
        )


class Decision(Record):
    """Who may decide what, and what needs a second person beside whoever proposes it.

    By rule nothing beyond ``rule_limits`` is given, nor by one person alone; nor by rule beyond them to one customer in
    ``rule_days`` days, however many complaints that is. ``by_rule`` that lets a machine say no is
    ``signed``. Of ``special`` limits the first that cover a case hold for it.
    """

    rule_limits: Limits
    approval: tuple[ApprovalStep, ...] = Field(min_length=1)
    by_rule: ByRule = ByRule.IN_FAVOUR
    signed: Signature | None = None
    second_person: tuple[Occasion, ...] = BY_DEFAULT
    special: tuple[SpecialLimits, ...] = ()
    rule_days: Annotated[int, Field(ge=1, le=3_650)] = 90

    @model_validator(mode="after")
    def _somebody_answers_for_a_no(self) -> Self:
        if self.by_rule is ByRule.ALWAYS and self.signed is None:
            raise ValueError(
                'signed: by_rule = "always" lets a machine say no; name who answers for it and since when, '
                'signed = { by = "NAME, OFFICE", on = YYYY-MM-DD }, or leave by_rule at "in_favour"'
            )
        return self

    def of(self, category: Category, priority: Priority) -> "Decision":
        """The decision with the limits that hold for a case of that *category* and *priority*."""
        own = next((one for one in self.special if one.covers(category, priority)), None)
        if own is None:
            return self
        limits = self.rule_limits if own.rule_limits is None else own.rule_limits
        return self.model_copy(update={"rule_limits": limits, "approval": own.approval or self.approval})

    @property
    def every_step(self) -> tuple[ApprovalStep, ...]:
        """The steps of all ladders."""
        return (*self.approval, *(step for one in self.special for step in one.approval))

    def needs_second(self, occasion: Occasion) -> bool:
        """Whether *occasion* has a second person decide."""
        return occasion in EVERYWHERE or occasion in self.second_person

    def within_limit(self, award: Money | None) -> bool:
        """Whether *award* may be given by rule, or by one person alone."""
        if award is None or award.amount == 0:
            return True
        limit = self.rule_limits.get(award.currency)
        return limit is not None and award.amount <= limit

    def without_limit(self, award: Money | None) -> bool:
        """Whether *award* is in a currency for which there is no limit."""
        return award is not None and award.amount != 0 and award.currency not in self.rule_limits

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

    def approvers(self, award: Money | None, *, after: Iterable[Role] = ()) -> list[Role]:
        """The roles that may approve *award*, lowest first.

        *After* others approved before, those further up than each of them, or else the last.
        """
        able, ladder = [one.role for one in self.approval if self.may_approve(one.role, award)], list(self._ladder)
        before = max((ladder.index(role) for role in after if role in ladder), default=-1)
        return [role for role in able if ladder.index(role) > before] or able[-1:]

    @property
    def _ladder(self) -> tuple[Role, ...]:
        return tuple(step.role for step in self.approval)


class Team(Record):
    """Who handles which categories. The last team of a pack takes what no other does."""

    name: Identifier
    categories: tuple[Category, ...] = ()


class TrainingRule(Record):
    """A course that whoever has a case, is told of one, or decides on it in one of these ``roles`` must have passed."""

    course: Identifier
    roles: tuple[Role, ...] = Field(min_length=1)


def courses(rules: Iterable[TrainingRule], role: Role) -> tuple[str, ...]:
    """What whoever acts in *role* must have passed."""
    return tuple(rule.course for rule in rules if role in rule.roles)
