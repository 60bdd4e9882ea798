"""Opened and outstanding before make closed and outstanding after, for every product, or nothing is reported."""

from collections import Counter
from collections.abc import Iterable

from domain.ground.base import Record
from domain.learning.definitions import Closed, is_open, turns
from domain.learning.facts import CaseFact
from domain.learning.periods import Period

NO_PRODUCT = "-"
"""What a complaint that names no product is counted under."""


class Balance(Record):
    """The complaints of one product over a period.

    ``before`` and ``after`` are read from the state of each case at the two instants, the others from what happened
    between them.
    """

    product: str
    before: int = 0
    opened: int = 0
    reopened: int = 0
    closed: int = 0
    after: int = 0

    @property
    def holds(self) -> bool:
        return self.before + self.opened + self.reopened - self.closed == self.after


class DoesNotBalance(ValueError):
    """The figures of a product contradict each other: nothing may be reported of that period."""

    def __init__(self, wrong: Iterable[Balance]) -> None:
        told = "; ".join(
            f"{one.product}: {one.before} + {one.opened} opened + {one.reopened} reopened - {one.closed} closed"
            f" is not {one.after}"
            for one in wrong
        )
        super().__init__(f"the report is refused, its figures do not balance: {told}. Look at reporting.facts.")


class Balancing:
    """Counts cases one after the other; each belongs to one product, by what is known of it now.

    What closed means is said by *rule*, or else by the pack of each case.
    """

    def __init__(self, period: Period, rule: Closed | None = None) -> None:
        self._period, self._rule = period, rule
        self._counts: dict[str, Counter[str]] = {}

    def count(self, case: CaseFact) -> list[str]:
        """Count *case*; returns the columns it counts in, once for each time."""
        hits = []
        if is_open(case, self._period.start, self._rule):
            hits.append("before")
        known = False
        for at, opens in turns(case, self._rule):
            if at in self._period:
                hits.append(("reopened" if known else "opened") if opens else "closed")
            known = True
        if is_open(case, self._period.end, self._rule):
            hits.append("after")
        if hits:
            self._counts.setdefault(case.product or NO_PRODUCT, Counter()).update(hits)
        return hits

    def balances(self) -> list[Balance]:
        """The balance of every product, by name. Raises :class:`DoesNotBalance`."""
        found = [Balance(product=product, **counts) for product, counts in sorted(self._counts.items())]
        if wrong := [one for one in found if not one.holds]:
            raise DoesNotBalance(wrong)
        return found
