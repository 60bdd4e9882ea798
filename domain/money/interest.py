"""Interest: its rules and base rates, and the days on which they hold, simple, actual/365."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import Annotated, Final, NamedTuple

from pydantic import Field

from domain.ground.base import Identifier, Record
from domain.money.parts import PRECISION, Exact, MissingRate

_DAY: Final = timedelta(days=1)
_MICROSECOND: Final = timedelta(microseconds=1)


class BaseRate(Record):
    """The yearly rate called ``name`` from ``effective_from`` until the next one, in percent."""

    name: Identifier
    effective_from: date
    percent: Annotated[Decimal, Field(allow_inf_nan=False)]


class Interest(Record):
    """Simple interest on a loss: ``percent`` a year, over the rate called ``base`` where one is named.

    It counts on the days (UTC) from ``first_day`` to ``last_day``, where they are given, and not before ``since``.
    ``rule`` is its name in the policy pack.
    """

    rule: Identifier
    percent: Exact
    base: Identifier | None = None
    first_day: date | None = None
    last_day: date | None = None
    since: date | None = None

    def counts_on(self, day: date) -> bool:
        """Whether *day* is one of its days."""
        starts = max((each for each in (self.first_day, self.since) if each), default=day)
        return starts <= day and (self.last_day is None or day <= self.last_day)


class Span(NamedTuple):
    """Days that bear interest at one rate: from the midnight (UTC) that begins ``since`` to that of ``until``."""

    rule: str
    since: date
    until: date
    percent: Decimal
    """A year, base included."""
    base: BaseRate | None
    factor: Decimal

    @property
    def days(self) -> int:
        return (self.until - self.since).days


def interest_factor(
    start: datetime, end: datetime, percent: Decimal, *, base: str | None = None, base_rates: Iterable[BaseRate] = ()
) -> Decimal:
    """Simple interest on one unit of money from *start* to *end*, actual/365, by the exact fraction of days.

    *percent* a year, over the rate called *base* where one is named; a base rate holds from the midnight (UTC) of its
    day until the next. Zero where *end* is not after *start*. Raises :class:`MissingRate` where no base rate is known
    at *start*.
    """
    if end <= start:
        return Decimal(0)
    if base is None:
        with localcontext(prec=PRECISION):
            return percent * _days(end - start) / (100 * 365)
    steps = sorted((_midnight(rate.effective_from), rate.percent) for rate in base_rates if rate.name == base)
    if not steps or steps[0][0] > start:
        raise MissingRate(f"base rate {base} on {start:%Y-%m-%d}")
    with localcontext(prec=PRECISION):
        factor = Decimal(0)
        for (since, over), until in zip(steps, [at for at, _ in steps[1:]] + [end], strict=True):
            lasted = min(until, end) - max(since, start)
            if lasted > timedelta(0):
                factor += (over + percent) * _days(lasted) / (100 * 365)
        return factor


def interest_spans(
    since: date, until: date, interest: Sequence[Interest], base_rates: Iterable[BaseRate] = ()
) -> tuple[Span, ...]:
    """The days from *since* until *until* (itself not counted) at their rates, days at one rate together.

    Of several rules for a day the first holds; a day that none is for bears nothing. The factors of the spans add up
    to that of the whole time, actual/365. Raises :class:`MissingRate` for a day without the base rate it needs.
    """
    rates = sorted(set(base_rates), key=lambda rate: (rate.name, rate.effective_from, rate.percent))
    edges = {since, until} | {rate.effective_from for rate in rates}
    for one in interest:
        edges |= {day for day in (one.first_day, one.since) if day} | {
            day + _DAY for day in (one.last_day,) if day and day < date.max
        }
    days = sorted(day for day in edges if since <= day <= until)
    spans: list[Span] = []
    for start, end in pairwise(days):
        rule = next((one for one in interest if one.counts_on(start)), None)
        if rule is None:
            continue
        in_force = [rate for rate in rates if rate.name == rule.base and rate.effective_from <= start]
        if rule.base is not None and not in_force:
            raise MissingRate(f"base rate {rule.base} on {start}")
        base = in_force[-1] if rule.base is not None else None
        begun = start
        if spans and (spans[-1].rule, spans[-1].base, spans[-1].until) == (rule.rule, base, start):
            begun = spans.pop().since
        with localcontext(prec=PRECISION):
            percent = rule.percent + (base.percent if base else Decimal(0))
        spans.append(
            Span(rule.rule, begun, end, percent, base, interest_factor(_midnight(begun), _midnight(end), percent))
        )
    return tuple(spans)


def _days(duration: timedelta) -> Decimal:
    return Decimal(duration // _MICROSECOND) / Decimal(_DAY // _MICROSECOND)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def day_of(at: datetime) -> date:
    """The day (UTC) of an instant."""
    return at.astimezone(UTC).date()
