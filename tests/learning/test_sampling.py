"""The month's sample for review: from every kind of case, by a seed, and nobody reviews their own."""

from collections import Counter
from datetime import timedelta

from bench.generated_cases import generated
from domain.learning.facts import CaseFact
from domain.learning.periods import Period
from domain.learning.sampling import Sample, draw, stratum_of

NOVEMBER = Period.named("2026-11")
CASES = list(generated(2_000))
REVIEWERS = tuple(f"h-{number}" for number in range(1, 7))


def sample(seed: str = "2026-11", reviewers: tuple[str, ...] = REVIEWERS) -> Sample:
    return draw(CASES, NOVEMBER, 1, seed=seed, per_stratum=4, reviewers=reviewers)


def test_the_same_seed_draws_the_same_cases_in_whatever_order_they_come_and_another_draws_others() -> None:
    again = draw(reversed(CASES), NOVEMBER, 1, seed="2026-11", per_stratum=4, reviewers=REVIEWERS)
    assert {one.reference for one in again.cases} == {one.reference for one in sample().cases}
    assert {one.reference for one in sample("other").cases} != {one.reference for one in sample().cases}


def test_every_kind_of_case_is_drawn_as_often_as_asked_or_as_there_are() -> None:
    drawn = sample()
    counts = Counter(one.stratum for one in drawn.cases)
    assert {"not_upheld", "upheld", "withdrawn"} <= set(counts)
    assert counts == {name: min(4, there) for name, there in drawn.strata.items()}
    kinds = {case.reference: stratum_of(case) for case in CASES}
    assert all(kinds[one.reference] == one.stratum for one in drawn.cases)


def test_nobody_reviews_their_own_case_and_the_work_is_shared() -> None:
    drawn = sample()
    assert all(one.reviewer and one.reviewer != one.handler for one in drawn.cases)
    work = Counter(one.reviewer for one in drawn.cases)
    assert max(work.values()) - min(work.values()) <= 2
    alone = sample(reviewers=("h-1",))
    assert {one.reviewer for one in alone.cases if one.handler == "h-1"} <= {None}


def test_of_one_kind_every_handler_is_looked_at_before_one_is_looked_at_twice() -> None:
    closed = NOVEMBER.start + timedelta(days=3)
    handled = ["h-1"] * 30 + ["h-2", "h-3"]
    cases = [
        CaseFact(f"RD-{number}", NOVEMBER.start, "p", "web", handler=handler, outcome="upheld", closed_at=closed)
        for number, handler in enumerate(handled)
    ]
    drawn = draw(cases, NOVEMBER, 1, seed="any", per_stratum=3, reviewers=REVIEWERS)
    assert {one.handler for one in drawn.cases} == {"h-1", "h-2", "h-3"}
