"""How sure a share or a rate is, and whether a count is more than usual. Places are fixed: same bytes each time."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import exp, fsum, lgamma, log, log1p, sqrt
from typing import Final

_Z95 = 1.959963984540054
_TAIL: Final = 0.025
"""What a 95 % interval leaves on each side."""


def share(part: int, whole: int) -> Decimal | None:
    """*part* of *whole* to four places; ``None`` of nothing."""
    return (Decimal(part) / Decimal(whole)).quantize(Decimal("0.0001")) if whole else None


def wilson(part: int, whole: int) -> tuple[Decimal, Decimal] | None:
    """The 95 % interval of a share (Wilson 1927), to four places; ``None`` of nothing."""
    if not whole:
        return None
    p, z2 = part / whole, _Z95**2
    middle = (p + z2 / (2 * whole)) / (1 + z2 / whole)
    reach = _Z95 * sqrt(p * (1 - p) / whole + z2 / (4 * whole**2)) / (1 + z2 / whole)
    return _places(max(0.0, middle - reach)), _places(min(1.0, middle + reach))


def rate_interval(count: int, per: float) -> tuple[Decimal, Decimal]:
    """The 95 % interval of a Poisson rate, *count* events over *per* units (Byar's approximation), to four places."""
    low = count * (1 - 1 / (9 * count) - _Z95 / (3 * sqrt(count))) ** 3 if count else 0.0
    more = count + 1
    high = more * (1 - 1 / (9 * more) + _Z95 / (3 * sqrt(more))) ** 3
    return _places(max(0.0, low) / per), _places(high / per)


def ratio_interval(count: int, before: int, times: float = 1.0) -> tuple[Decimal, Decimal | None]:
    """The 95 % interval of a rate ratio: *count* events after, over *times* as long as *before* events before.

    Given how many events there were in all, those after are binomial, with odds of the ratio times *times*
    (Przyborowski and Wilenski 1940). The limits are those of the exact conditional test, each side at 2.5 %
    (Clopper and Pearson 1934), as ``poisson.test`` of R has them. To four places; the upper one is ``None`` where
    there is none, because nothing was before.
    """
    low = _odds(count, before, lower=True) / times if count else 0.0
    high = _places(_odds(count, before, lower=False) / times) if before else None
    return _places(low), high


def _odds(count: int, before: int, *, lower: bool) -> float:
    """The odds at which *count* or more (for the *lower* limit), or *count* or fewer, are as likely as 2.5 %."""
    whole = count + before
    counts = range(count, whole + 1) if lower else range(count + 1)
    ways = [(k, lgamma(whole + 1) - lgamma(k + 1) - lgamma(whole - k + 1)) for k in counts]
    least, most = -60.0, 60.0  # of the logarithm of the odds
    for _ in range(60):
        middle = (least + most) / 2
        rare = _binomial(ways, whole, middle) < _TAIL
        least, most = (middle, most) if rare is lower else (least, middle)
    return exp((least + most) / 2)


def _binomial(ways: Iterable[tuple[int, float]], whole: int, log_odds: float) -> float:
    """The chance that one of some counts of *whole* comes to be, at those odds.

    *ways*: each count, and the logarithm of in how many ways it comes to be.
    """
    either = log1p(exp(-abs(log_odds))) + max(log_odds, 0.0)
    return fsum(exp(many + k * log_odds - whole * either) for k, many in ways)


_SHARED: Final = 15
"""As so many periods of its own the common spread counts beside that of one cause, of which few periods are known."""


def spread(counts: Iterable[Sequence[int]]) -> float:
    """By how much counts of many causes over some periods vary more than chance alone: 1 means not at all."""
    squares, freedom = 0.0, 0
    for earlier in counts:
        mean = sum(earlier) / len(earlier)
        if mean > 0:
            squares += sum((one - mean) ** 2 for one in earlier) / mean
            freedom += len(earlier) - 1
    return max(1.0, squares / freedom) if freedom else 1.0


def surprise(count: int, earlier: Sequence[int], usual: float = 1.0) -> float:
    """How unusual *count* is after those of *earlier* periods: minus the decimal logarithm of the chance of so many.

    The chance is that of a negative binomial: a Poisson count whose rate is known from the earlier periods only, and
    which spreads as much as those did, and those of all causes (*usual*, see :func:`spread`).
    """
    periods, total = len(earlier), sum(earlier)
    if not periods or count <= total / periods:
        return 0.0
    mean = (total + 0.5) / periods
    own = sum((one - total / periods) ** 2 for one in earlier) / mean
    varies = (own + _SHARED * usual) / (periods - 1 + _SHARED)
    shape = total + 0.5
    if varies > 1:
        shape = 1 / (1 / shape + (varies - 1) / mean)
    chance = shape / (shape + mean)
    return -log(max(_tail(count, shape, chance), 1e-300)) / log(10)


def _tail(count: int, shape: float, chance: float) -> float:
    """The chance of *count* or more."""
    below = sum(
        exp(lgamma(k + shape) - lgamma(shape) - lgamma(k + 1) + shape * log(chance) + k * log(1 - chance))
        for k in range(count)
    )
    rest = 1 - below
    if rest > 1e-9:
        return rest
    # what is left of one is lost in rounding: the terms themselves, which fall quickly
    k, term, found = count, 0.0, 0.0
    while k < count + 10_000:
        term = exp(lgamma(k + shape) - lgamma(shape) - lgamma(k + 1) + shape * log(chance) + k * log(1 - chance))
        found += term
        if term < found * 1e-12:
            break
        k += 1
    return found


def middle(values: list[Decimal], at: Decimal = Decimal("0.5")) -> Decimal | None:
    """The value at that place of the sorted *values*, the nearest rank; ``None`` of none."""
    if not values:
        return None
    ordered = sorted(values)
    rank = int((at * len(ordered)).to_integral_value(rounding="ROUND_CEILING"))
    return ordered[max(0, rank - 1)]


def _places(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal("0.0001"))
