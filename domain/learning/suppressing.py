"""Which counts a published row may not give: small ones, and those by which a small one can be worked out.

A count of 12 closed beside 11 upheld tells of the one that was not, as surely as "1 rejected" would. So counts are
looked at together: what a reader can work out by adding and subtracting up to four of them must not be a group of cases
that is too small. Nothing about the form need be known for it; the cases say which counts contain which.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Final

FEWEST: Final = 5
"""Groups of fewer cases are not told of where a return is published: they may tell of a person."""
_MOST_TERMS: Final = 4
"""How many counts a reader is taken to put together: open before + received + opened again - closed are four."""


def suppressed(cases: Sequence[Mapping[str, int]]) -> frozenset[str]:
    """The names of the counts that are kept back, where each case says how much it adds to each count.

    Of counts that together give a small group away, the smallest is kept back, of equals the one that is named last.
    """
    alike = Counter(tuple(sorted((name, of) for name, of in case.items() if of)) for case in cases)
    groups = [(dict(group), number) for group, number in alike.items()]
    totals: dict[str, int] = {name: 0 for case in cases for name in case}
    for group, number in groups:
        for name, of in group.items():
            totals[name] += of * number
    given = [name for name in totals if totals[name]]
    while telling := next(_telling(given, totals, groups), None):
        least = min(reversed(telling), key=lambda name: abs(totals[name]))
        given.remove(least)
    return frozenset(name for name in totals if totals[name]) - frozenset(given)


def _telling(
    given: Sequence[str], totals: Mapping[str, int], groups: Sequence[tuple[Mapping[str, int], int]]
) -> Iterator[tuple[str, ...]]:
    """The counts by which a small group can be worked out, the fewest first."""
    for size in range(1, _MOST_TERMS + 1):
        for names in combinations(given, size):
            for signs in product((1, -1), repeat=size - 1):
                terms = [(names[0], 1), *zip(names[1:], signs, strict=True)]
                found = sum(sign * totals[name] for name, sign in terms)
                if 0 < abs(found) < FEWEST and _one_group(terms, groups, 1 if found > 0 else -1):
                    yield names


def _one_group(terms: Sequence[tuple[str, int]], groups: Sequence[tuple[Mapping[str, int], int]], sign: int) -> bool:
    """Whether what the *terms* add up to counts each case once or not at all: whether it is a group of cases."""
    return all(sign * sum(side * group.get(name, 0) for name, side in terms) in {0, 1} for group, _ in groups)
