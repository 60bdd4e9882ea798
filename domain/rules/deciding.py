"""Who may decide what, up to which sums, and who handles what."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from domain.ground.base import Identifier, Record
from domain.ground.words import Category, Role
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


class TrainingRule(Record):
    """A course that whoever has a case, or is told of one, in one of these ``roles`` must have passed."""

    course: Identifier
    roles: tuple[Role, ...] = Field(min_length=1)
