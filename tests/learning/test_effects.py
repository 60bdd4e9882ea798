"""Whether an action had an effect: what may be chance is called neither an effect nor none."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from math import comb, exp
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.learning.effects import LOOKS, EffectMeasure, Judged, Verdict, effect, in_words
from domain.learning.intervals import ratio_interval
from runtime.database import Pool
from tests.cli.command_line import CommandLine
from tests.cli.conftest import redress as redress  # noqa: PLC0414 (a fixture)

MEASURE = EffectMeasure(accounts=1_000)
COUNTS = st.integers(0, 60)


@pytest.mark.parametrize(
    ("counts", "times", "limits"),
    [
        # Fay, Testing the Ratio of Two Poisson Rates (vignette of the package rateratio.test of R)
        ((2, 9), 17877 / 16660, ("0.0218", "1.0005")),
        # the example of poisson.test of R
        ((11, 21), 800 / 3011, ("0.8584", "4.2773")),
        ((0, 3), 1, ("0.0000", "2.4200")),
        ((3, 0), 1, ("0.4132", None)),
        ((0, 0), 1, ("0.0000", None)),
    ],
)
def test_the_interval_of_a_ratio_is_the_published_one(
    counts: tuple[int, int], times: float, limits: tuple[str, str | None]
) -> None:
    low, high = ratio_interval(*counts, times)
    assert (str(low), high and str(high)) == limits


@given(after=COUNTS, before=COUNTS)
def test_at_a_limit_so_many_or_fewer_are_as_likely_as_two_and_a_half_percent(after: int, before: int) -> None:
    low, high = ratio_interval(after, before)
    whole = after + before
    if after > 5:
        share = float(low / (1 + low))
        assert _chance(whole, share, range(after, whole + 1)) == pytest.approx(0.025, rel=0.01)
    if high is not None and after:
        share = float(high / (1 + high))
        assert _chance(whole, share, range(after + 1)) == pytest.approx(0.025, rel=0.01)
    assert low <= (Decimal(after) / before if before else Decimal("Infinity")) <= (high or Decimal("Infinity"))


def _chance(whole: int, share: float, counts: range) -> float:
    return sum(comb(whole, k) * share**k * (1 - share) ** (whole - k) for k in counts)


@pytest.mark.parametrize(
    ("before", "after", "spans", "verdict"),
    [
        (40, 12, 1, Verdict.EFFECTIVE),
        (40, 35, 1, Verdict.NOT_SHOWN),
        (40, 60, 1, Verdict.WITHOUT_EFFECT),
        (3, 0, 1, Verdict.NOT_SHOWN),
        (3, 0, 3, Verdict.EFFECTIVE),
        (3, 1, 1, Verdict.NOT_SHOWN),
        (3, 12, 1, Verdict.WITHOUT_EFFECT),
        (6, 0, 1, Verdict.EFFECTIVE),
        (400, 330, 1, Verdict.WITHOUT_EFFECT),  # it fell beyond chance, but by less than was fixed
        (0, 0, LOOKS, Verdict.NOT_SHOWN),
        (0, 2, 1, Verdict.NOT_SHOWN),
        (0, 9, 1, Verdict.WITHOUT_EFFECT),
    ],
)
def test_an_effect_is_shown_or_ruled_out_only_beyond_chance(
    before: int, after: int, spans: int, verdict: Verdict
) -> None:
    judged = effect(MEASURE, before, after, spans)
    assert (judged.verdict, judged.effective) == (verdict, verdict is Verdict.EFFECTIVE)
    words = in_words(judged, MEASURE)
    assert f"{after} in {90 * spans} days after" in words.en
    assert f"之后{90 * spans}天成立{after}件" in words.zh


@given(before=COUNTS, after=COUNTS, spans=st.integers(1, LOOKS))
def test_fewer_cases_after_never_speak_against_an_action(before: int, after: int, spans: int) -> None:
    order = [Verdict.EFFECTIVE, Verdict.NOT_SHOWN, Verdict.WITHOUT_EFFECT]
    fewer, more = (order.index(effect(MEASURE, before, one, spans).verdict) for one in (after, after + 1))
    assert fewer <= more


@cache
def _verdict(before: int, after: int, spans: int) -> Verdict:
    return effect(MEASURE, before, after, spans).verdict


def _poisson(random: Random, mean: float) -> int:
    count, chance, least = 0, random.random(), exp(-mean)
    while chance > least:
        count, chance = count + 1, chance * random.random()
    return count


@pytest.mark.parametrize(("ratio", "wrong"), [(1.0, Verdict.EFFECTIVE), (0.7, Verdict.WITHOUT_EFFECT)])
@pytest.mark.parametrize("mean", [3, 25])
def test_of_actions_judged_at_all_looks_no_more_than_one_in_twenty_is_judged_wrongly(
    ratio: float, wrong: Verdict, mean: float
) -> None:
    random, mistakes, actions = Random(17), 0, 1_000  # noqa: S311 (nothing secret)
    for _ in range(actions):
        before, after = _poisson(random, mean), 0
        for spans in range(1, LOOKS + 1):
            after += _poisson(random, mean * ratio)
            if (verdict := _verdict(before, after, spans)) is not Verdict.NOT_SHOWN:
                mistakes += verdict is wrong
                break
    assert mistakes / actions <= 0.05


def test_what_was_judged_before_there_was_a_third_verdict_is_read_as_it_was_then() -> None:
    kept = effect(MEASURE, 40, 35).model_dump(mode="json")
    del kept["verdict"]
    assert Judged.model_validate(kept).verdict is Verdict.WITHOUT_EFFECT
    assert Judged.model_validate(kept | {"effective": True}).verdict is Verdict.EFFECTIVE


async def test_what_was_measured_is_shown_in_words_in_both_languages(
    redress: CommandLine, pool: Pool, database_url: str
) -> None:
    redress.set("DATABASE_URL", database_url)
    redress.set("COLUMNS", "400")
    judged = effect(MEASURE, 3, 0)
    words = in_words(judged, MEASURE)
    data = judged.model_dump(mode="json") | {"words": words.model_dump(), "due": "2027-03-01"}
    now = datetime(2026, 11, 30, tzinfo=UTC)
    await pool.execute(_STEP, now, data)
    shown = (await redress("action", "show", "CA-1")).out
    assert words.en in shown
    assert words.zh in shown
    assert "due 2027-03-01" in shown
    assert "high after" not in shown


_STEP = (
    "insert into reporting.actions (action, number, at, step, by, data) values ('CA-1', 1, $1, 'not_shown', 'x', $2)"
)
