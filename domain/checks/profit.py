"""What a position gained or lost, and the price that it is measured by.

With *s* = +1 for a long position and -1 for a short one, *U* the units of a lot and *L* the lots, a bad entry cost
``s * (P_fill - P_ref) * U * L`` and a bad exit ``s * (P_ref - P_close) * U * L``. *P_ref* follows one declared
:class:`ReferenceRule`; which one is as much a decision as the verdict, so it is named in every sum.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import NamedTuple

from domain.log.trade_log import Side
from domain.money.parts import PRECISION


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


def exit_loss(side: Side, *, close: Decimal, reference: Decimal, units: Decimal, lots: Decimal) -> Decimal:
    """What a *side* position brought less by closing at *close* instead of *reference*."""
    with localcontext(prec=PRECISION):
        return side.sign * (reference - close) * units * lots


def profit(side: Side, *, opened: Decimal, closed: Decimal, units: Decimal, lots: Decimal) -> Decimal:
    """The profit (below zero: the loss) of a *side* position."""
    return exit_loss(side, close=opened, reference=closed, units=units, lots=lots)


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


def _first(path: Iterable[Standing], since: datetime | None) -> Standing | None:
    return None if since is None else next((each for each in path if each.at >= since), None)
