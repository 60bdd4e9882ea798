"""Sums as equations with the numbers filled in, as customers read them in findings."""

from decimal import Decimal, localcontext

from domain.checks.market import price_text
from domain.checks.profit import exit_loss
from domain.log.trade_log import Fill, Instrument, Side
from domain.money.amounts import Money
from domain.money.parts import PRECISION, plain


def exit_equation(side: Side, close: Decimal, reference: Decimal, lots: Decimal, instrument: Instrument) -> str:
    """What closing a *side* position at *close* instead of *reference* cost: ``(2000.00 − 1985.00) × 100 × 1 = …``."""
    amount = exit_loss(side, close=close, reference=reference, units=instrument.contract_size, lots=lots)
    first, second = (reference, close) if side is Side.BUY else (close, reference)
    return _equation(first, second, lots, amount, instrument)


def fill_equation(fill: Fill, reference: Decimal, instrument: Instrument) -> str:
    """What *fill* cost more than *reference*, whether it opened or closed."""
    with localcontext(prec=PRECISION):
        amount = fill.side.sign * (fill.price - reference) * instrument.contract_size * fill.volume
    first, second = (fill.price, reference) if fill.side is Side.BUY else (reference, fill.price)
    return _equation(first, second, fill.volume, amount, instrument)


def _equation(first: Decimal, second: Decimal, lots: Decimal, amount: Decimal, instrument: Instrument) -> str:
    """With an amount that is not rounded: several are added up, and the sum is rounded once."""
    prices = f"{price_text(first, instrument)} − {price_text(second, instrument)}"
    rounded = Money.of(amount, instrument.currency)
    told = str(rounded) if rounded.amount == amount else f"{instrument.currency} {amount.normalize():,f}"
    return f"({prices}) × {plain(instrument.contract_size)} × {plain(lots)} = {told}"
