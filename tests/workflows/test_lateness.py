"""What an outage must not hide: breaches that came due meanwhile, letters that wait for a date, true lateness."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest

from domain.ground.words import LetterKind, Stage
from runtime.temporal import register_search_attributes
from tests.servers import whole_server
from tests.workflows.house import CUSTOMER, HANDLER, House
from tests.workflows.rules import HOLDING, OMBUDSMAN, own, statutory
from workflows.search_attributes import KEYS


@pytest.fixture
async def real_time(pool: "asyncpg.Pool[asyncpg.Record]", tmp_path: Path) -> AsyncIterator[House]:
    """A house on a server whose clock does not skip, and without a worker."""
    env = await whole_server()
    async with env:
        await register_search_attributes(env.client, KEYS)
        yield House(env, pool, tmp_path / "outbox")


async def submitted(house: House, policy: str, stage: Stage, **changes: Any) -> str:
    reference = await house.submit(policy=policy, description="Something is wrong.", trades=[], **changes)
    await house.row(reference, lambda case: bool(case["stage"] == stage))
    return reference


async def breaches(house: House, reference: str) -> int:
    sql = "SELECT count(*) FROM casefile.firings WHERE reference = $1 AND breach"
    return cast(int, await house.fetchval(sql, reference))


async def satisfactions(house: House, reference: str) -> int:
    sql = "SELECT count(*) FROM casefile.satisfactions WHERE reference = $1 AND NOT replaced"
    return cast(int, await house.fetchval(sql, reference))


async def test_a_withdrawal_after_an_outage_does_not_hide_the_breach_that_came_due_in_it(real_time: House) -> None:
    house = real_time
    async with house.worker():
        reference = await submitted(house, own(house, statutory("law", 0, length={"seconds": 3})), Stage.DECIDING)
    await asyncio.sleep(3.2)
    withdrawal = asyncio.create_task(house.complaints.withdraw(reference, by=CUSTOMER))
    await asyncio.sleep(0.5)
    async with house.worker():
        await withdrawal
        await house.row(reference, lambda case: case["closed_at"] is not None)
        await house.eventually(lambda: breaches(house, reference))
    assert await breaches(house, reference) == 1


async def test_a_late_letter_whose_answer_comes_together_with_the_timer_is_a_breach(real_time: House) -> None:
    house = real_time
    house.outbox.closed = True
    policy = own(house, statutory("acknowledgement", 0, length={"seconds": 3}, satisfied_by=["acknowledged"]))
    async with house.worker():
        reference = await submitted(house, policy, Stage.ACKNOWLEDGED)
        await asyncio.sleep(0.5)
    async with house.worker(workflows=[]):  # only carries out what cases asked for before
        await asyncio.sleep(3)
        house.outbox.closed = False
        await house.sent(reference, LetterKind.ACKNOWLEDGEMENT)
        await asyncio.sleep(0.3)
    async with house.worker():
        await house.row(reference, lambda case: bool(case["breached"]))
        await house.eventually(lambda: breaches(house, reference))
    assert await breaches(house, reference) == 1


async def test_a_holding_letter_waits_for_the_new_date_that_an_overdue_target_brings(real_time: House) -> None:
    house = real_time
    overdue = [{"name": "due", "actions": ["breach", "overdue_letter"]}]
    target = statutory("response", 0, kind="internal", length={"seconds": 2}, rungs=overdue)
    holding = {"after_start": {"seconds": 3}, "actions": ["holding_letter"], "letter": "holding"}
    rungs = [{"name": "letter", **holding}, {"name": "due", "actions": ["breach"]}]
    law = statutory("law", 0, length={"seconds": 60}, satisfied_by=["responded", "held"], rungs=rungs)
    policy = own(house, target, law, letters=[HOLDING], routes=[OMBUDSMAN])
    async with house.worker():
        reference = await submitted(house, policy, Stage.DECIDING)
    await asyncio.sleep(3.2)
    async with house.worker():
        await house.sent(reference, LetterKind.HOLDING)
    assert await house.timeline(reference, "fault") == []


async def test_a_deadline_that_is_being_moved_fires_once_though_the_database_is_away(real_time: House) -> None:
    house = real_time
    stricter = {"length": {"seconds": 3}, "categories": ["hardship"], "source": "Test", "confirmed": True}
    async with house.worker():
        policy = own(house, statutory("law", 0, length={"seconds": 4}, lengths=[stricter]))
        reference = await submitted(house, policy, Stage.DECIDING)
        house.database.away = True
        change = asyncio.create_task(
            house.complaints.reclassify(reference, "In hardship.", by=HANDLER, category="hardship")
        )
        await asyncio.sleep(5)
        house.database.away = False
        await change
        await house.eventually(lambda: breaches(house, reference))
        await asyncio.sleep(1)
    assert await breaches(house, reference) == 1


async def test_what_was_done_in_time_is_no_breach_though_the_database_was_away_when_the_time_ended(
    real_time: House,
) -> None:
    house = real_time
    async with house.worker():
        duty = statutory("law", 0, length={"seconds": 4}, satisfied_by=["referred"])
        reference = await submitted(house, own(house, duty, routes=[OMBUDSMAN]), Stage.DECIDING)
        house.database.away = True
        referral = asyncio.create_task(
            house.complaints.record_referral(reference, "ombudsman", datetime.now(UTC), by=HANDLER)
        )
        await asyncio.sleep(5)
        house.database.away = False
        await referral
        await house.eventually(lambda: satisfactions(house, reference))
        await asyncio.sleep(1)
    assert await breaches(house, reference) == 0
    assert not await house.timeline(reference, "breach")


async def test_the_lateness_of_a_breach_is_that_of_its_recording_when_the_ledger_had_to_be_asked(
    real_time: House,
) -> None:
    house = real_time
    house.outbox.closed = True
    policy = own(house, statutory("acknowledgement", 0, length={"seconds": 3}, satisfied_by=["acknowledged"]))
    async with house.worker():
        reference = await submitted(house, policy, Stage.ACKNOWLEDGED)
        house.database.away = True
        await asyncio.sleep(6)
        house.database.away = False
        await house.eventually(lambda: breaches(house, reference))
        told = await house.eventually(lambda: house.timeline(reference, "breach"))
    assert told
    row = await house.fetchrow(
        "SELECT t.at, f.fired_at FROM casefile.timeline t JOIN casefile.firings f USING (reference)"
        " WHERE reference = $1 AND t.kind = 'breach' AND f.breach",
        reference,
    )
    assert row is not None
    assert row["at"] == row["fired_at"]
