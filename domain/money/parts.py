"""What makes good a loss: sums in decimal arithmetic, rounded once, at the end.

A sum is made of :class:`Part` s. Each has a key that names the loss itself and not who found it, so a loss that two
checks see is one part and counts once.
"""

from collections.abc import Iterable
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator, Field

from domain.ground.base import Identifier, Instant, Line, Record, StaffId
from domain.money.amounts import Currency, Money, PositiveMoney

PRECISION: Final = 60
"""Digits carried through every sum; what is paid is rounded from them once."""


def _one_spelling(amount: Decimal) -> Decimal:
    # 46.50 and 46.5 are the same amount, and have to be in a hash
    with localcontext(prec=PRECISION):
        return Decimal(plain(amount))


Exact = Annotated[Decimal, Field(allow_inf_nan=False), AfterValidator(_one_spelling)]
"""A decimal number of up to 60 digits: the middle of a sum, never what is paid."""


Name = Annotated[str, Field(min_length=1, max_length=300)]
"""What a part or its subject is called: the id of a row, with a word before it."""


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


def total(parts: Iterable[Part], currency: str, *, rates: Iterable[Rate] = ()) -> Sum:
    """What *parts* come to in *currency*.

    Each key counts once: the same part again changes nothing, and of different amounts under one key the dearest
    counts, for they are the same loss measured twice. A subject that gained on balance counts as nothing: nobody is
    charged for having complained. Raises :class:`MissingRate` for an amount in a currency without a rate.
    """
    recorded = tuple(rates)
    with localcontext(prec=PRECISION):
        counted: dict[str, tuple[Decimal, Part]] = {}
        numbers: dict[str, str] = {}
        for part in parts:
            amount = part.amount
            if part.currency != currency:
                rate = last_rate(recorded, part.currency, currency)
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


def plain(value: Decimal) -> str:
    """*value* as text without exponent or trailing zeros."""
    return f"{value.normalize():f}" if value else "0"


def in_direction(rates: Iterable[Rate], base: str, quote: str) -> dict[Rate, Rate]:
    """Of *rates* those by which *base* becomes *quote*, each with the row that was recorded.

    A pair recorded the other way round is turned: EUR in USD tells USD in EUR, to 12 digits.
    """
    found: dict[Rate, Rate] = {}
    for row in rates:
        if (row.base, row.quote) == (base, quote):
            found[row] = row
        elif (row.base, row.quote) == (quote, base):
            with localcontext(prec=12):
                turned = Rate(base=base, quote=quote, source=row.source, at=row.at, rate=1 / row.rate)
            found.setdefault(turned, row)
    return found


def last_rate(rates: Iterable[Rate], base: str, quote: str) -> Rate | None:
    """The latest rate by which *base* becomes *quote*; of several at one instant one that was recorded so, then the
    last source by name."""
    known = in_direction(rates, base, quote)
    return max(known, key=lambda rate: (rate.at, rate == known[rate], rate.source, rate.rate), default=None)


def _told(rate: Rate) -> dict[str, str]:
    pair = f"rate.{rate.base}.{rate.quote}"
    return {pair: plain(rate.rate), f"{pair}.source": rate.source, f"{pair}.at": rate.at.isoformat()}


class Loss(Record):
    """A loss that an award makes good: its key (see :class:`domain.money.parts.Part`), not rounded.

    What a loss contains is made good with it, and stands beside it with an amount of zero.
    """

    key: str
    amount: Decimal
    currency: str
