"""Corrective actions: what is done about a cause, by whom and until when, and whether it had an effect."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from domain.ground.base import Identifier, Instant, Line, Record, StaffId, Text
from domain.ground.people import Actor
from domain.ground.words import Role
from domain.learning.definitions import is_upheld, turns
from domain.learning.effects import EffectMeasure
from domain.learning.facts import CaseFact, cause_of
from domain.learning.periods import Length
from domain.learning.report import Figure, Row, Table
from domain.rules.causes import CauseId, CauseTree


class ActionState(StrEnum):
    """Where a corrective action stands."""

    OPEN = "open"
    OVERDUE = "overdue"
    DONE = "done"
    """Carried out; whether it had an effect is not known yet."""
    EFFECTIVE = "effective"
    REOPENED = "reopened"
    """Carried out, and without effect: it is to be done otherwise."""
    NOT_SHOWN = "not_shown"
    """Carried out; what was counted may be chance. It is measured again, or people are asked to decide."""
    DROPPED = "dropped"


class CorrectiveAction(Record):
    """An action against ``cause``."""

    action: Annotated[str, StringConstraints(pattern=r"^CA-[A-Z0-9][A-Z0-9-]{0,40}$")]
    cause: CauseId
    what: Line
    why: Text
    owner: StaffId
    due: date
    measure: EffectMeasure
    opened_at: Instant
    opened_by: Actor
    case: Identifier | None = None
    """The case or incident that it was begun for, if one."""


class ActionStanding(Record):
    """An action as it stands."""

    action: str
    cause: str
    owner: str
    due: date
    state: ActionState
    reopened: int = 0


def standing_table(actions: Sequence[ActionStanding]) -> Table:
    """The actions of a report, by state."""
    rows = []
    for state in ActionState:
        count = sum(one.state is state for one in actions)
        if count:
            figure = Figure(key=_key_of(state), unit="count", value=Decimal(count))
            rows.append(Row(name=state.value, figures=(figure,)))
    return Table(key="actions", of="action_state", columns=("actions",), rows=tuple(rows))


def counted_under(action: ActionStanding) -> str:
    """The key of the figure that counts the action."""
    return _key_of(action.state)


def _key_of(state: ActionState) -> str:
    return f"actions.{state.value}.actions"


class ActionStep(Record):
    """A step of an action, written down once under its ``number``.

    ``tell``: said to those who are told of reports, to its ``owner``, and to whoever has the role ``raised_to``.
    """

    action: str
    number: int
    at: Instant
    step: Literal["opened", "overdue", "done", "effective", "not_shown", "reopened", "dropped"]
    by: str
    data: dict[str, Any] = Field(default_factory=dict)
    tell: bool = False
    owner: StaffId | None = None
    raised_to: Role | None = None
    token: str | None = None
    """What proves that ``by`` began or ended it."""


class MeasureEffect(Record):
    """Count the upheld cases of ``cause`` in the days before ``opened_at`` and in so many ``spans`` up to ``until``."""

    cause: CauseId
    measure: EffectMeasure
    opened_at: Instant
    until: Instant
    spans: Annotated[int, Field(ge=1)] = 1


class ReportOrder(Record):
    """Mail the report on the period before the one in which it is ordered."""

    length: Length = "month"
    zone: str = "UTC"
    languages: Annotated[tuple[Literal["en", "zh-CN"], ...], Field(min_length=1)] = ("en", "zh-CN")


class MailReport(Record):
    """Make and mail the report that was ordered at that moment, under a key of its own."""

    order: ReportOrder
    at: Instant
    key: str


class ReportMailed(Record):
    """The name of the period whose report was mailed."""

    period: str


def caused(cases: Iterable[CaseFact], tree: CauseTree, cause: str, start: datetime, end: datetime) -> int:
    """How many upheld cases of that cause were closed from *start* until before *end*."""
    count = 0
    for case in cases:
        if is_upheld(case):
            closings = [at for at, opens in turns(case) if not opens]
            count += bool(closings and start <= closings[-1] < end and cause_of(case, tree) == cause)
    return count
