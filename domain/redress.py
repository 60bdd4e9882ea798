"""The money: what puts a customer where the fault found them, in decimal arithmetic, rounded once, at the end.

With *s* = +1 for a long position and -1 for a short one, *U* the units of a lot and *L* the lots, a bad entry cost
``s * (P_fill - P_ref) * U * L`` and a bad exit ``s * (P_ref - P_close) * U * L``. *P_ref* follows one declared
:class:`ReferenceRule`; which one is as much a decision as the verdict, so it is named in every sum.

A sum is made of :class:`Part` s. Each has a key that names the loss itself and not who found it, so a loss that two
checks see is one part and counts once.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator, Field

from domain.base import Identifier, Instant, Line, Record, StaffId
from domain.money import Currency, Money, PositiveMoney
from domain.trade_log import Side

PRECISION: Final = 60
"""Digits carried through every sum; what is paid is rounded from them once."""

_DAY: Final = timedelta(days=1)
_MICROSECOND: Final = timedelta(microseconds=1)


def _one_spelling(amount: Decimal) -> Decimal:
    # 46.50 and 46.5 are the same amount, and have to be in a hash
    with localcontext(prec=PRECISION):
        return Decimal(plain(amount))


Exact = Annotated[Decimal, Field(allow_inf_nan=False), AfterValidator(_one_spelling)]
"""A decimal number of up to 60 digits: the middle of a sum, never what is paid."""


Name = Annotated[str, Field(min_length=1, max_length=300)]
"""What a part or its subject is called: the id of a row, with a word before it."""


class ReferenceRule(StrEnum):
    """What the price of a disputed order is measured by."""

    AT_THAT_INSTANT = "valid-price-at-that-instant"
    AT_RECEIPT = "valid-price-at-receipt"
    LIMIT_PRICE = "limit-price"
    PRICE_ASKED = "price-asked-for"
    NEXT_STOP_OUT = "next-valid-stop-out"
    """The position would have lived until valid prices liquidated it."""
    OWN_STOP_OR_TARGET = "customers-own-stop-or-target"
    """The position would have lived until valid prices reached the customer's stop-loss or take-profit."""
    WHEN_ABLE_TO_ACT = "price-when-the-customer-could-act"
    """The customer could have opened it again then, and is held to that."""
    REINSTATE = "reinstate"
    """The position is put back as it was; nothing is measured, and only what was charged is returned."""


class PartKind(StrEnum):
    """What a part of a sum makes good."""

    PRICE = "price"
    SWAP = "swap"
    FEE = "fee"
    PROFIT_TAKEN_BACK = "profit_taken_back"
    CONSEQUENCE = "consequence"
    """A further order that the same fault set off, such as a stop-out for want of the money lost."""
    SETTLEMENT = "settlement"
    INTEREST = "interest"
    CURRENCY_LOSS = "currency_loss"
    DISTRESS = "distress"
    GOODWILL = "goodwill"


class Part(Record):
    """One loss (above zero) or one saving (below zero), not rounded.

    ``key`` names it wherever it is found. Parts of one ``subject`` (a fill, a position, a withdrawal) are set off
    against each other, those of different subjects never. ``covers`` are the keys of losses that this one contains,
    as giving a whole trade back contains the loss on the price of its fills.
    """

    key: Name
    subject: Name
    kind: PartKind
    amount: Exact
    currency: Currency
    covers: tuple[Name, ...] = ()


class Rate(Record):
    """One unit of ``base`` is worth ``rate`` of ``quote``, as ``source`` recorded it at ``at``."""

    base: Currency
    quote: Currency
    source: Identifier
    at: Instant
    rate: Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]


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


class Entered(Record):
    """Money for what no formula measures, entered by a person with the reason for it."""

    kind: PartKind
    subject: Identifier
    amount: PositiveMoney
    entered_by: StaffId
    at: Instant
    reason: Line

    def part(self) -> Part:
        """The award as a part. Raises ``ValueError`` for a kind that is computed."""
        if self.kind not in {PartKind.DISTRESS, PartKind.GOODWILL}:
            raise ValueError(f"kind: {self.kind.value} is computed; only distress and goodwill are entered")
        return Part(
            key=f"{self.kind.value}/{self.subject}",
            subject=f"{self.kind.value}/{self.subject}",
            kind=self.kind,
            amount=self.amount.amount,
            currency=self.amount.currency,
        )


class MissingRate(LookupError):
    """A sum needs a rate that nobody recorded. The text names it."""


class Sum(NamedTuple):
    """A sum, what it was made of, and every number in it as text. ``losses`` are what each subject lost, above zero."""

    harm: Money
    exact: Decimal
    parts: tuple[Part, ...]
    numbers: dict[str, str]
    losses: dict[str, Decimal]


def exit_loss(side: Side, *, close: Decimal, reference: Decimal, units: Decimal, lots: Decimal) -> Decimal:
    """What a *side* position brought less by closing at *close* instead of *reference*."""
    with localcontext(prec=PRECISION):
        return side.sign * (reference - close) * units * lots


def profit(side: Side, *, opened: Decimal, closed: Decimal, units: Decimal, lots: Decimal) -> Decimal:
    """The profit (below zero: the loss) of a *side* position."""
    return exit_loss(side, close=opened, reference=closed, units=units, lots=lots)


def total(parts: Iterable[Part], currency: str, *, rates: Iterable[Rate] = ()) -> Sum:
    """What *parts* come to in *currency*.

    Each key counts once: the same part again changes nothing, and of different amounts under one key the dearest
    counts, for they are the same loss measured twice. A subject that gained on balance counts as nothing: nobody is
    charged for having complained. Raises :class:`MissingRate` for an amount in a currency without a rate.
    """
    known = _by_pair(rates)
    with localcontext(prec=PRECISION):
        counted: dict[str, tuple[Decimal, Part]] = {}
        numbers: dict[str, str] = {}
        for part in parts:
            amount = part.amount
            if part.currency != currency:
                rate = known.get((part.currency, currency))
                if rate is None:
                    raise MissingRate(f"rate of {part.currency} in {currency}")
                amount *= rate.rate
                numbers |= _told(rate)
            rival = counted.get(part.key)
            if rival is None or (amount, part.subject, part.kind) > (rival[0], rival[1].subject, rival[1].kind):
                counted[part.key] = (amount, part)
        by_subject: dict[str, Decimal] = {}
        for key in sorted(counted):
            amount, part = counted[key]
            by_subject[part.subject] = by_subject.get(part.subject, Decimal(0)) + amount
            numbers[f"part.{key}"] = plain(amount)
        losses = {subject: amount for subject, amount in sorted(by_subject.items()) if amount > 0}
        loss = sum(losses.values(), Decimal(0))
        numbers["harm"] = plain(loss)
        return Sum(
            harm=Money.of(loss, currency),
            exact=loss,
            parts=tuple(part for _, part in (counted[key] for key in sorted(counted))),
            numbers=numbers,
            losses=losses,
        )


def currency_loss(amount: Decimal, *, due: Rate, paid: Rate) -> Decimal:
    """What *amount*, paid late, was worth less in the customer's own money than on the day it was due.

    Both rates are of the same pair. Raises ``ValueError`` otherwise.
    """
    if (due.base, due.quote) != (paid.base, paid.quote):
        raise ValueError("the rates at the due date and at payment are of different currencies")
    with localcontext(prec=PRECISION):
        return amount * (due.rate - paid.rate)


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


class Reference(NamedTuple):
    """The price a sum is measured by, and when it stood."""

    rule: ReferenceRule
    price: Decimal
    at: datetime


class Standing(NamedTuple):
    """The valid price at which a position could have been closed from ``at`` on."""

    at: datetime
    price: Decimal


def reference_of_exit(
    rule: ReferenceRule,
    side: Side,
    path: Sequence[Standing],
    *,
    at: datetime,
    stop: Decimal | None = None,
    target: Decimal | None = None,
    stopped_out_at: datetime | None = None,
    able_at: datetime | None = None,
) -> Reference | None:
    """What the closing of a *side* position at *at* is measured by, on the *path* of valid closing prices.

    ``None`` where the path does not reach as far as the rule needs, and for ``REINSTATE``, which measures nothing.
    A stop is filled at the first valid price through it, gap or not; a target at its own price, as a limit is.
    """
    known = sorted(set(path))
    match rule:
        case ReferenceRule.AT_THAT_INSTANT | ReferenceRule.AT_RECEIPT:
            found = next((each for each in reversed(known) if each.at <= at), None)
        case ReferenceRule.NEXT_STOP_OUT:
            found = _first(known, stopped_out_at)
        case ReferenceRule.WHEN_ABLE_TO_ACT:
            found = _first(known, able_at)
        case ReferenceRule.OWN_STOP_OR_TARGET:
            for each in known:
                if each.at <= at:
                    continue
                if stop is not None and side.sign * (each.price - stop) <= 0:
                    return Reference(rule, each.price, each.at)
                if target is not None and side.sign * (each.price - target) >= 0:
                    return Reference(rule, target, each.at)
            found = None
        case ReferenceRule.LIMIT_PRICE | ReferenceRule.PRICE_ASKED | ReferenceRule.REINSTATE:
            found = None
    return Reference(rule, found.price, found.at) if found else None


def plain(value: Decimal) -> str:
    """*value* as text without exponent or trailing zeros."""
    return f"{value.normalize():f}" if value else "0"


def _first(path: Iterable[Standing], since: datetime | None) -> Standing | None:
    return None if since is None else next((each for each in path if each.at >= since), None)


def _by_pair(rates: Iterable[Rate]) -> dict[tuple[str, str], Rate]:
    """The latest rate of each pair; of several at one instant the last source by name."""
    return {(rate.base, rate.quote): rate for rate in sorted(rates, key=lambda rate: (rate.at, rate.source, rate.rate))}


def _told(rate: Rate) -> dict[str, str]:
    pair = f"rate.{rate.base}.{rate.quote}"
    return {pair: plain(rate.rate), f"{pair}.source": rate.source, f"{pair}.at": rate.at.isoformat()}


def _days(duration: timedelta) -> Decimal:
    return Decimal(duration // _MICROSECOND) / Decimal(_DAY // _MICROSECOND)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
