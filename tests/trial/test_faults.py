"""The trial in short, in one house: a sample of its points, and workers that die while the database is cut off."""

import os
import tempfile
from pathlib import Path

import pytest

from runtime import child
from trial.at_random import run_at_random
from trial.parts import House, open_house
from trial.points import enumerate_points

SAMPLE = 6
LONGEST = 9.0
"""Points that take more seconds are left to `make trial`."""
SEED = 101
"""It found, among hundreds of complaints, that an incident which was paused before it was open lost count."""
CASES = 3
SECONDS = 4.0


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_whatever_strikes_nothing_is_lost_or_doubled() -> None:
    delays = child._DELAYS
    with tempfile.TemporaryDirectory(prefix="trial-") as place:
        async with open_house(Path(place)) as house:
            await at_a_sample_of_points(house)
            await at_random(house)
    assert delays == child._DELAYS  # other tests of this process wait as the service does


async def at_a_sample_of_points(house: House) -> None:
    """Whatever a fault strikes, a life leaves the same behind."""
    seed = int(os.environ.get("REDRESS_TRIAL_SEED", "1"))
    result, wrong = await enumerate_points(
        house, lambda _: None, lives=("straight", "disputed"), seed=seed, sample=SAMPLE, within=LONGEST
    )
    assert not wrong, f"seed {seed}"
    assert not result.violations, f"seed {seed}"
    assert len(result.played) == SAMPLE
    assert sum(result.faults.values()) >= SAMPLE - 2


async def at_random(house: House) -> None:
    """Workers die and the database is cut off under a few complaints."""
    only = ("kill worker", "cut PostgreSQL")
    outcome = await run_at_random(
        house, lambda _: None, seed=SEED, cases=CASES, seconds=SECONDS, only=only, policy="trial-brisk"
    )
    assert not outcome.report.violations
    assert outcome.report.counted["submissions"] >= CASES
    assert outcome.report.counted["messages"]
    assert outcome.report.counted["letters"]
    assert outcome.faults
