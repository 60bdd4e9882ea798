"""The sum of a finding as an equation with its numbers filled in, so that anybody can do it again by hand."""

from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation, localcontext
from typing import Final, NamedTuple

from domain.checks.facts import LogFacts
from domain.checks.findings import Finding
from domain.checks.market import price_text
from domain.ground.base import Record
from domain.log.trade_log import Instrument
from domain.money.amounts import minor_digits
from domain.money.parts import PRECISION, Part, PartKind, plain
from starter.evidence.words import Words, grouped

MINUS: Final = "−"
_LONGEST: Final = 12
"""Decimals that a price may have to be one that somebody quoted, or the middle of two."""
_OUNCES: Final = ("XAU", "XAG", "XPT", "XPD")
"""ISO 4217: the codes of precious metals, each a troy ounce."""


class Step(Record):
    """A line of a sum: what it is about, the equation, and what it comes to, not rounded."""

    about: str
    equation: str
    amount: Decimal | None = None


class Priced(NamedTuple):
    """A loss on a price: ``sign`` is the position's, +1 for long; an exit is measured the other way round."""

    fill: str
    sign: int
    closes: bool
    price: Decimal
    reference: Decimal
    lots: Decimal
    instrument: Instrument
    amount: Decimal

    @property
    def computed(self) -> Decimal:
        """The sum done again from what is shown."""
        with localcontext(prec=PRECISION):
            first, second = (self.reference, self.price) if self.closes else (self.price, self.reference)
            return self.sign * (first - second) * self.instrument.contract_size * self.lots


def number(text: str | None) -> Decimal | None:
    """*text* as a finite number, if it is one."""
    try:
        value = Decimal(text) if text else None
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() else None


def priced(finding: Finding, facts: LogFacts) -> list[Priced]:
    """The parts of *finding* that are losses on a price, with the reference that each was measured by.

    The reference follows from the part's own amount; of several ways to read the rows the one counts that leads to a
    price which the finding names.
    """
    return [found for part in finding.parts if (found := _priced(part, finding, facts)) is not None]


def _priced(part: Part, finding: Finding, facts: LogFacts) -> Priced | None:
    if part.kind not in {PartKind.PRICE, PartKind.CONSEQUENCE} or not part.key.startswith("price/"):
        return None
    named = {plain(value) for text in finding.numbers.values() if (value := number(text)) is not None}
    candidates = list(_readings(part, finding, facts))
    return next(
        (each for each in candidates if plain(each.reference) in named),
        next((each for each in candidates if _decimals(each.reference) <= _LONGEST and each.reference > 0), None),
    )


def _readings(part: Part, finding: Finding, facts: LogFacts) -> Iterator[Priced]:
    orders = {row.order: row for row in facts.orders}
    for fill in facts.fills:
        instrument = facts.instrument(fill.symbol)
        if fill.fill != part.subject or instrument is None:
            continue
        order = orders.get(fill.order)
        closes = fill.effect == "close" or bool(order and order.position)
        lots = number(finding.numbers.get(f"{fill.fill}.lots")) or fill.volume  # of a fill only a part may count
        yield _solved(part, fill.side.sign, closes=closes, price=fill.price, lots=lots, instrument=instrument)
    order = orders.get(finding.subject)
    for position in facts.positions:
        instrument = facts.instrument(position.symbol)
        if instrument is None or position.close_price is None:
            continue
        volume = min(position.volume, order.volume) if order else position.volume
        volume = number(finding.numbers.get(f"{position.position}.lots")) or volume
        yield _solved(
            part, -position.side.sign, closes=True, price=position.close_price, lots=volume, instrument=instrument
        )


def _solved(part: Part, sign: int, *, closes: bool, price: Decimal, lots: Decimal, instrument: Instrument) -> Priced:
    """*sign* is the order's: +1 for a buy."""
    with localcontext(prec=PRECISION):
        reference = price - sign * part.amount / (instrument.contract_size * lots)
    own = -sign if closes else sign
    return Priced(part.subject, own, closes, price, reference, lots, instrument, part.amount)


def _decimals(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else PRECISION


def working(
    finding: Finding, facts: LogFacts | None, words: Words, text: Callable[[str], str] = str
) -> tuple[Step, ...]:
    """The steps that lead to the harm of *finding*; none where there is no sum. *text* replaces names in it."""
    if finding.harm is None or not finding.parts:
        return ()
    by_key = {each.fill: each for each in priced(finding, facts)} if facts else {}
    steps = [_step(part, finding, by_key.get(part.subject), words, text) for part in finding.parts]
    return (*steps, *_sum_up(finding, words, text))


def _step(part: Part, finding: Finding, on_price: Priced | None, words: Words, text: Callable[[str], str]) -> Step:
    about = f"{words('part', part.kind.value)} {text(part.subject)}"
    result = _money(part.amount, part.currency)
    if on_price is not None and part.key.startswith("price/") and on_price.computed == part.amount:
        return Step(about=about, equation=f"{equation(on_price, words)} = {result}", amount=part.amount)
    terms = _terms(part, finding, words)
    return Step(about=about, equation=f"{terms} = {result}" if terms else result, amount=part.amount)


def equation(one: Priced, words: Words) -> str:
    """``+1 × (1921.90 − 1920.96) × 100 oz × 14 lots``."""
    instrument = one.instrument
    price, reference = price_text(one.price, instrument), price_text(one.reference, instrument)
    first, second = (reference, price) if one.closes else (price, reference)
    unit = words("unit", "ounces" if instrument.symbol.startswith(_OUNCES) else "units")
    sign = "+1" if one.sign > 0 else f"{MINUS}1"
    size, lots = grouped(instrument.contract_size), grouped(one.lots)
    lot = words("unit", "lot" if one.lots == 1 else "lots")
    return f"{sign} × ({first} {MINUS} {second}) × {size} {unit} × {lots} {lot}"


def _terms(part: Part, finding: Finding, words: Words) -> str | None:
    """What is subtracted from what, or multiplied, for the parts that are no loss on a price."""
    numbers = finding.numbers

    def told(*names: str) -> list[Decimal] | None:
        values = [number(numbers.get(name)) for name in names]
        return [value for value in values if value is not None] if None not in values else None

    terms: str | None = None
    match part.kind:
        case PartKind.INTEREST if found := told("amount", "rate_percent", "delay_days"):
            amount, rate, days = found
            terms = f"{grouped(amount)} × {grouped(rate)} % × {grouped(days)} {words('unit', 'days')} ÷ 365"
        case PartKind.SWAP if part.key.startswith("swap/") and (found := told("swap_due", "swap_booked")):
            terms = f"{_signed(found[0])} {MINUS} ({_signed(found[1])})"
        case PartKind.FEE if found := told("commission_booked", "commission_due"):
            terms = f"{grouped(-found[0])} {MINUS} {grouped(found[1])}"
        case PartKind.SETTLEMENT if found := told("due", "paid"):
            terms = f"{grouped(found[0])} {MINUS} {grouped(found[1])}"
        case PartKind.PRICE if part.key.startswith("product/") and (found := told("net")):
            terms = f"{MINUS}({_signed(found[0])})"
        case _:
            pass
    return terms


def _sum_up(finding: Finding, words: Words, text: Callable[[str], str]) -> Iterator[Step]:
    """How the parts come to the harm: conversion, what is set off, interest, and the one rounding."""
    if finding.harm is None:
        return
    currency = finding.harm.currency
    by_subject: dict[str, Decimal] = {}
    with localcontext(prec=PRECISION):
        for part in finding.parts:
            amount = part.amount
            if part.currency != currency:
                rate = number(finding.numbers.get(f"rate.{part.currency}.{currency}"))
                if rate is None:
                    return
                amount *= rate
                shown = f"{_money(part.amount, part.currency)} × {plain(rate)} = {_money(amount, currency)}"
                yield Step(about=words("sum", "converted", subject=text(part.subject)), equation=shown, amount=amount)
            by_subject[part.subject] = by_subject.get(part.subject, Decimal(0)) + amount
        for subject, amount in by_subject.items():
            if amount < 0:
                name = text(subject)
                yield Step(about=words("sum", "no_loss", subject=name), equation=f"{_money(amount, currency)}: 0")
        losses = [max(amount, Decimal(0)) for amount in by_subject.values()]
        exact = sum(losses, Decimal(0))
        if len(losses) > 1 or len(finding.parts) > 1:
            terms = " + ".join(grouped(loss) for loss in losses)
            yield Step(about=words("sum", "total"), equation=f"{terms} = {_money(exact, currency)}", amount=exact)
        factor = number(finding.numbers.get("interest_factor"))
        if factor is not None:
            terms = f"{_money(exact, currency)} × {_short(factor)}"
            exact += exact * factor
            yield Step(about=words("sum", "interest"), equation=f"{terms} = {_money(exact, currency)}", amount=exact)
    yield Step(
        about=words("sum", "rounded"),
        equation=f"{_money(exact, currency)} ≈ {finding.harm}" if exact != finding.harm.amount else str(finding.harm),
        amount=finding.harm.amount,
    )


def _money(amount: Decimal, currency: str) -> str:
    shown = _short(amount)
    digits = max(minor_digits(currency), _decimals(shown))
    return f"{f'{shown:,.{digits}f}'.replace('-', MINUS)} {currency}"


def _short(amount: Decimal) -> Decimal:
    """To ten decimals: more tell nobody anything."""
    with localcontext(prec=PRECISION):
        return round(amount, 10) if _decimals(amount) > 10 else amount


def _signed(amount: Decimal) -> str:
    return grouped(amount).replace("-", MINUS)
