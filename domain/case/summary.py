"""What lists and reports show of a case."""

from domain.ground.base import Instant, Record
from domain.ground.words import Category, Outcome, Priority, Severity, Stage
from domain.money.amounts import Money


class CaseSummary(Record):
    """What lists and reports show of a case. ``revision`` grows with every change."""

    revision: int
    stage: Stage
    stage_since: Instant
    category: Category | None
    severity: Severity | None
    priority: Priority | None
    in_scope: bool
    repeat: bool
    team: str | None
    handler: str | None
    escalation_level: int
    outcome: Outcome | None
    compensation: Money | None
    next_deadline: Instant | None
    breached: bool
    closed_at: Instant | None
