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
from domain.learning.facts import CaseFact, cause_of
from domain.learning.intervals import rate_interval
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
    DROPPED = "dropped"


class EffectMeasure(Record):
    """How the effect is judged, fixed before the action begins: that cause per 1,000 accounts, before and after.

    ``accounts`` is how many accounts there are; the periods after are as long as those ``days`` before.
    """

    days: Annotated[int, Field(ge=7, le=366)] = 90
    accounts: Annotated[int, Field(ge=1)]
    at_least: Annotated[Decimal, Field(gt=0, le=1)] = Decimal("0.3")
    """By what part of the rate before it must fall at least."""


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


class Judged(Record):
    """The rate of a cause per 1,000 accounts before and after an action, with 95 % intervals."""

    before: int
    after: int
    rate_before: Decimal
    rate_after: Decimal
    low_after: Decimal
    high_after: Decimal
    effective: bool


def effect(measure: EffectMeasure, before: int, after: int) -> Judged:
    """Whether the action had its effect: the rate fell by what was fixed, and its interval lies below the rate before.

    ``before`` and ``after`` are upheld cases of the cause in the two spans. Where none came after, that is effect
    enough, however few came before.
    """
    per = measure.accounts / 1000
    low, high = rate_interval(after, per)
    rate_before, rate_after = _rate(before, measure), _rate(after, measure)
    fell = rate_after <= rate_before * (1 - measure.at_least)
    return Judged(
        before=before,
        after=after,
        rate_before=rate_before,
        rate_after=rate_after,
        low_after=low,
        high_after=high,
        effective=after == 0 or (fell and high < rate_before),
    )


def _rate(count: int, measure: EffectMeasure) -> Decimal:
    return (Decimal(count) * 1000 / measure.accounts).quantize(Decimal("0.0001"))


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
    step: Literal["opened", "overdue", "done", "effective", "reopened", "dropped"]
    by: str
    data: dict[str, Any] = Field(default_factory=dict)
    tell: bool = False
    owner: StaffId | None = None
    raised_to: Role | None = None


class MeasureEffect(Record):
    """Count the upheld cases of ``cause`` in the days before ``opened_at`` and in as many up to ``until``."""

    cause: CauseId
    measure: EffectMeasure
    opened_at: Instant
    until: Instant


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
