"""Dates in letters: somebody stands for each, or a rule, as often as it says."""

from datetime import timedelta

import pytest

from domain.ground.words import Stage
from runtime.policies import load_packs
from tests.workflows.house import House
from tests.workflows.rules import own, statutory


async def test_a_rule_gives_a_new_date_as_often_as_the_pack_says_and_then_people_are_told(house: House) -> None:
    rungs = [{"name": "due", "actions": ["breach", "overdue_letter"]}]
    target = statutory("response", 1, kind="internal", rungs=rungs)
    again = statutory("overdue", 1, kind="internal", trigger="overdue_noted", rungs=rungs)
    reference = await house.submit(policy=own(house, target, again), description="It is wrong.", trades=[])
    await house.at(reference, Stage.DECIDING)
    await house.sleep(timedelta(days=5))
    await house.eventually(lambda: house.timeline(reference, "no_more_dates"))
    assert (await house.accepted_letters(reference)).count("overdue") == 1
    case = await house.row(reference, lambda row: row["escalation_level"] == 3)
    assert case["breached"]


def _packs() -> list[str]:
    """Those that firms use as they are."""
    return sorted(name for name, packs in load_packs().items() if name != "demo" and not packs[-1].demands)


@pytest.mark.parametrize("policy", _packs())
async def test_no_letter_of_a_complaint_that_people_leave_for_a_year_is_a_fault(house: House, policy: str) -> None:
    reference = await house.submit(policy=policy, description="It is wrong.", trades=[])
    await house.at(reference, Stage.DECIDING)
    for _ in range(12):
        await house.sleep(timedelta(days=31))
    assert await house.timeline(reference, "fault") == []
    letters = await house.accepted_letters(reference)
    assert letters.count("overdue") == 1
    assert letters[-1] == "progress"
