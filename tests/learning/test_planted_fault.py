"""A fault that nobody knows of is seen in the report of its month, and where there is none nothing is made of chance.

A firm with 40,000 orders a month at five providers. Some 120 complaints a month are upheld, of 22 causes and sources,
whose rates wander by 15 % from month to month. The fault: one provider misprices 0.5 % of all orders, and of the
customers concerned 15 % complain.
"""

from collections.abc import Iterator
from datetime import timedelta
from random import Random

import pytest

from domain.learning.facts import CaseFact, FoundFact
from domain.learning.intervals import surprise, wilson
from domain.learning.monthly import standing_out
from domain.learning.periods import Period
from domain.learning.tally import EARLIER, Tally
from runtime.causes import load_causes

NOVEMBER = Period.named("2026-11")
PROVIDERS = ("LP-A", "LP-B", "LP-C", "LP-D", "LP-E")
BY_PROVIDER = ("execution", "execution_delay")
BY_FIRM = ("execution", "slippage", "trigger", "stop_out", "withdrawal_delay", "charges", "outage", "requote")
OTHERS = ("people/late_answer", "people/wrong_information", "sales/misleading", "payments/wrong_booking")
TOUCHED, COMPLAIN = 200, 0.15

Made = tuple[str | None, tuple[FoundFact, ...]]
SUBJECTS: tuple[Made, ...] = (
    *((None, (FoundFact(check, "provider_fault", (lp,)),)) for check in BY_PROVIDER for lp in PROVIDERS),
    *((None, (FoundFact(check, "firm_fault"),)) for check in BY_FIRM),
    *((cause, ()) for cause in OTHERS),
)


def month_of(random: Random, period: Period, rates: list[float], fault: str | None) -> Iterator[CaseFact]:
    for (cause, findings), rate in zip(SUBJECTS, rates, strict=True):
        for _ in range(poisson(random, rate * random.gauss(1, 0.15))):
            yield upheld(period, cause, findings)
    if fault:
        for _ in range(sum(random.random() < COMPLAIN for _ in range(TOUCHED))):
            yield upheld(period, None, (FoundFact("execution", "provider_fault", (fault,)),))


def upheld(period: Period, cause: str | None, findings: tuple[FoundFact, ...]) -> CaseFact:
    closed = period.start + timedelta(days=9)
    return CaseFact("RD", period.start, "p", "web", outcome="upheld", closed_at=closed, cause=cause, findings=findings)


def poisson(random: Random, mean: float) -> int:
    at, count = random.expovariate(1), 0
    while at < mean:
        at += random.expovariate(1)
        count += 1
    return count


def told(seed: int, fault: str | None) -> list[str]:
    """What the report of a simulated month tells to stand out."""
    random = Random(seed)  # noqa: S311 (a simulation)
    rates = [random.uniform(1, 10) for _ in SUBJECTS]
    tally = Tally(NOVEMBER, load_causes())
    for number in range(EARLIER, -1, -1):
        for case in month_of(random, NOVEMBER.before(number), rates, None if number else fault):
            tally.count_cause(case, [case.closed_at] if case.closed_at else [])
    return [subject for subject, _ in standing_out(tally)]


def test_a_provider_that_misprices_one_order_in_two_hundred_is_among_the_first_three_in_95_of_100_months() -> None:
    found = 0
    for seed in range(100):
        fault = PROVIDERS[seed % len(PROVIDERS)]
        found += f"pricing/provider_quote@{fault}" in told(seed, fault)[:3]
    assert found >= 95


def test_where_nothing_is_wrong_hardly_anything_is_told_to_stand_out() -> None:
    assert sum(bool(told(seed, None)) for seed in range(500, 540)) <= 4


@pytest.mark.parametrize(
    ("count", "earlier", "low", "high"),
    [
        (3, [3, 2, 4, 3, 3, 3], 0.0, 0.0),
        (0, [0] * 6, 0.0, 0.0),
        (5, [0] * 6, 4.0, 8.0),
        (18, [3, 2, 4, 3, 3, 3], 5.0, 9.0),
        (18, [3, 20, 1, 3, 15, 3], 0.5, 2.0),
        (2_000, [3, 2, 4, 3, 3, 3], 99.0, 301.0),
    ],
)
def test_how_unlikely_a_count_is(count: int, earlier: list[int], low: float, high: float) -> None:
    assert low <= surprise(count, earlier) <= high


def test_the_interval_of_a_share_is_the_one_of_the_textbook() -> None:
    # Newcombe 1998, table I, method 3
    for part, whole, low, high in (
        (81, 263, "0.2553", "0.3662"),
        (15, 148, "0.0624", "0.1605"),
        (0, 20, "0", "0.1611"),
    ):
        found = wilson(part, whole)
        assert found is not None
        assert [float(one) for one in found] == pytest.approx([float(low), float(high)], abs=0.0001)
    assert wilson(0, 0) is None
