"""Counts cases one after the other for a report. Nothing of a case is kept but numbers."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple, Self

from domain.ground.words import Outcome
from domain.learning.balance import NO_PRODUCT, Balancing
from domain.learning.definitions import is_open, is_rejected, is_upheld, turns
from domain.learning.facts import UNKNOWN, CaseFact, cause_of
from domain.learning.periods import Period
from domain.rules.causes import CauseTree

EARLIER: Final = 6
"""Periods before the reported one by which it is judged what is unusual."""
TREND: Final = 12
TOTAL: Final = "total"
"""The row of a table's sums."""
AGES: Final = ((7, "week"), (15, "days_15"), (30, "days_30"), (56, "days_56"), (1_000_000, "longer"))
"""How old an open complaint is: up to so many days."""
_DAY: Final = Decimal(86_400)

Place = tuple[str, str, str]
"""Table, row and column of a figure."""


_COUNTED_AS: Final[Mapping[str, str]] = {
    "share": "cases",
    "upheld_share": "upheld",
    "redress_share": "with_redress",
    "met_share": "met",
    "slow_days": "median_days",
    "awards": "sum",
    "median": "sum",
    "largest": "sum",
    "unlikely": "now",
}
"""The column whose cases are behind a figure that is not counted itself. Behind a share are those of its part."""


class Watch(NamedTuple):
    """The places whose cases are behind a figure: ``row`` is ``None`` for the total of a table."""

    table: str
    row: str | None
    column: str

    @classmethod
    def on(cls, key: str) -> Self:
        table, _, rest = key.partition(".")
        row, _, column = rest.rpartition(".")
        return cls(table, None if row == TOTAL else row, _COUNTED_AS.get(column, column))

    def has(self, place: Place) -> bool:
        table, row, column = place
        return table == self.table and self.row in {None, row} and column == self.column


class Tally:
    """What was counted. *watching* is the key of a figure whose cases are wanted: their references are in ``seen``."""

    def __init__(self, period: Period, tree: CauseTree, watching: str | None = None) -> None:
        self.period = period
        self.counts: Counter[Place] = Counter()
        self.values: dict[Place, list[Decimal]] = defaultdict(list)
        self.earlier: dict[str, list[int]] = defaultdict(lambda: [0] * EARLIER)
        """By cause and source, how many in each of the periods before, the oldest first."""
        self.now: Counter[str] = Counter()
        self.policies: set[str] = set()
        self.seen: list[str] = []
        self.balancing = Balancing(period)
        self._tree = tree
        self._watching = Watch.on(watching) if watching else None
        self._starts = [period.before(number).start for number in range(EARLIER, 0, -1)] + [period.start, period.end]
        self._months = [period.before(number) for number in range(TREND - 1, 0, -1)] + [period]
        self._month_starts = [one.start for one in self._months] + [period.end]

    def count(self, case: CaseFact) -> None:
        """Count one case."""
        closings = [at for at, opens in turns(case) if not opens]
        opened = case.received_at in self.period
        closed = [at for at in closings if at in self.period]
        open_at_end = is_open(case, self.period.end)
        for column in self.balancing.count(case):
            self._hit(("balance", case.product or NO_PRODUCT, column), case)
        self._trend(case, closings)
        if opened or closed or open_at_end:
            self.policies.add(case.policy)
        if opened:
            self._opened(case)
        if closed:
            self._closed(case, closed[-1])
        if open_at_end:
            self._open(case)
        self._clocks(case)
        self._redress(case)
        self.count_cause(case, closings)

    def _hit(self, place: Place, case: CaseFact) -> None:
        self.counts[place] += 1
        self._see(place, case)

    def _measure(self, place: Place, value: Decimal, case: CaseFact) -> None:
        self.values[place].append(value)
        self._see(place, case)

    def _see(self, place: Place, case: CaseFact) -> None:
        if self._watching and self._watching.has(place):
            self.seen.append(case.reference)

    def _trend(self, case: CaseFact, closings: list[datetime]) -> None:
        for column, instants in (("opened", [case.received_at]), ("closed", closings)):
            for at in instants:
                place = bisect_right(self._month_starts, at) - 1
                if 0 <= place < len(self._months):
                    self._hit(("trend", self._months[place].name, column), case)

    def _opened(self, case: CaseFact) -> None:
        self._hit(("categories", case.category, "opened"), case)
        self._hit(("channels", case.channel, "opened"), case)
        self._hit(("workload", case.team or UNKNOWN, "opened"), case)
        if case.repeat:
            self._hit(("recurrence", "repeat", "cases"), case)

    def _closed(self, case: CaseFact, at: datetime) -> None:
        days = days_between(case.received_at, at)
        outcome = case.outcome or UNKNOWN
        self._hit(("outcomes", outcome, "closed"), case)
        self._hit(("categories", case.category, "closed"), case)
        self._measure(("categories", case.category, "median_days"), days, case)
        self._hit(("workload", case.team or UNKNOWN, "closed"), case)
        group = "vulnerable" if case.vulnerable else "others"
        self._hit(("vulnerable", group, "closed"), case)
        self._measure(("vulnerable", group, "median_days"), days, case)
        if case.awards:
            self._hit(("vulnerable", group, "with_redress"), case)
        if is_upheld(case):
            self._hit(("categories", case.category, "upheld"), case)
            self._hit(("vulnerable", group, "upheld"), case)
        if outcome not in {Outcome.WITHDRAWN, Outcome.REFERRED}:
            unanswered = "no_answer" if case.first("asked") else "not_asked"
            self._hit(("satisfaction", str(case.score) if case.score else unanswered, "cases"), case)
        for event in ("disputed", "reopened", "referred"):
            if any(name == event and instant in self.period for name, instant in case.turns):
                self._hit(("recurrence", event, "cases"), case)

    def _open(self, case: CaseFact) -> None:
        age = (self.period.end - case.received_at).total_seconds() / 86_400
        self._hit(("ages", next(name for most, name in AGES if age <= most), "open"), case)
        self._hit(("workload", case.team or UNKNOWN, "open"), case)
        if any(one.missed and one.at < self.period.end for one in case.clocks):
            self._hit(("ages", next(name for most, name in AGES if age <= most), "missed"), case)

    def _clocks(self, case: CaseFact) -> None:
        for one in case.clocks:
            if one.at in self.period:
                sort = "statutory" if one.statutory else "own"
                self._hit(("clocks", f"{sort}:{one.clock}", "missed" if one.missed else "met"), case)

    def _redress(self, case: CaseFact) -> None:
        for award in case.awards:
            if award.at in self.period:
                self._measure(("redress", award.currency, "sum"), award.amount, case)
        if case.incident and case.received_at in self.period:
            self._hit(("incidents", case.incident, "complaints"), case)

    def count_cause(self, case: CaseFact, closings: Iterable[datetime]) -> None:
        """Count the cause of *case* in each period in which it was closed: as people named it or the checks point."""
        if not (is_upheld(case) or is_rejected(case)):
            return
        cause = cause_of(case, self._tree)
        for place in {bisect_right(self._starts, at) - 1 for at in closings}:
            if place == EARLIER:
                self._hit(("causes", cause, "upheld" if is_upheld(case) else "rejected"), case)
                for other in case.contributing:
                    self._hit(("causes", other, "contributing"), case)
            if is_upheld(case) and 0 <= place <= EARLIER:
                self._count_usual(case, cause, place)

    def _count_usual(self, case: CaseFact, cause: str, place: int) -> None:
        for subject in subjects(cause, case):
            if place == EARLIER:
                self.now[subject] += 1
                self._hit(("standing_out", subject, "now"), case)
            else:
                self.earlier[subject][place] += 1
                self._see(("standing_out", subject, "usual"), case)
        if place < EARLIER:
            self._see(("causes", cause, "usual"), case)


def subjects(cause: str, case: CaseFact) -> list[str]:
    """What a cause is counted under where it is asked what stands out: with the source of each price concerned."""
    found = {source for one in case.findings if one.verdict.endswith("_fault") for source in one.sources}
    return [f"{cause}@{source}" for source in sorted(found)] or [cause]


def days_between(start: datetime, end: datetime) -> Decimal:
    """Days, to a tenth."""
    return (Decimal(int((end - start).total_seconds())) / _DAY).quantize(Decimal("0.1"))
