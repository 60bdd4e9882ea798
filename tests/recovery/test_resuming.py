"""Which workflow goes on from a file, and what is said where none can."""

import asyncio
import json
import os
from functools import partial
from pathlib import Path

import asyncpg
import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from domain.case.complaint import Complaint
from domain.ground.words import Stage, Store
from domain.keys.personal import Row
from recovery.reconcile import Doubt, Why
from runtime.database import migrate, open_pool
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.keys.vault import Vault
from runtime.temporal import register_search_attributes
from tests.patience import PATIENCE
from tests.recovery.records import Pool, TwoRecords
from tests.recovery.test_older_case_file import settled
from tests.replaying import LIVES
from tests.workflows.house import CUSTOMER, HANDLER, House
from tests.workflows.test_reset import reset
from tests.workflows.test_tasks import consulting, done, staff, stand_once
from workflows.search_attributes import KEYS


@pytest.fixture
async def records(dev_server_env: WorkflowEnvironment, postgres: EmbeddedPostgres, tmp_path: Path) -> TwoRecords:
    await register_search_attributes(dev_server_env.client, KEYS)
    return TwoRecords(dev_server_env, postgres, tmp_path, {})


async def ended_from_outside(records: TwoRecords, url: str) -> str:
    """A case at a stage where people decide, whose workflow was terminated."""
    async with records.house(url) as house:
        await staff(house.pool)
        await house.late_withdrawal("300000", days_late=30)
        reference = await house.submit()
        await house.at(reference, Stage.DECIDING)
        await consulting(house, reference)
        await settled(house, reference)
        await house.client.get_workflow_handle(reference).terminate("by mistake")
    return reference


async def went_on(house: House, reference: str) -> None:
    async def told() -> bool:
        return bool(await house.timeline(reference, "restored"))

    await house.eventually(told)


async def repaired(records: TwoRecords, pool: Pool) -> Doubt:
    (doubt,) = (await records.reconcile(pool, repair=True, store=Store.TEMPORAL)).doubts
    return doubt


async def test_a_file_from_which_no_workflow_can_go_on_is_left_as_it_is_and_says_why(
    records: TwoRecords, pool: Pool, database_url: str
) -> None:
    reference = await ended_from_outside(records, database_url)
    (doubt,) = (await records.reconcile(pool)).doubts
    assert (doubt.reference, doubt.why) == (reference, Why.NO_WORKFLOW)
    kept, revision = await pool.fetchrow("select state, revision from casefile.checkpoints") or ({}, 0)

    row = Row("casefile.checkpoints", reference, f"{reference}/{revision}")
    strange = row("state", {**kept, "stage": "unheard of"})
    await pool.execute("update casefile.checkpoints set state = $1", strange)
    assert "written by another version" in (await repaired(records, pool)).cannot[0]
    await pool.execute("delete from casefile.checkpoints")
    assert "keeps nothing for a workflow to go on from" in (await repaired(records, pool)).cannot[0]
    found = await records.env.client.get_workflow_handle(reference).describe()
    assert found.status is WorkflowExecutionStatus.TERMINATED

    await pool.execute(
        "insert into casefile.checkpoints (reference, revision, state) values ($1, $2, $3)",
        reference,
        revision,
        row("state", kept),
    )
    assert (await repaired(records, pool)).settled
    async with records.house(database_url) as house:
        await went_on(house, reference)
        assert (await house.complaints.status(reference)).summary.stage is Stage.DECIDING
        await done(house, reference, await stand_once(house, reference))
        await settled(house, reference)
        assert (await records.reconcile(pool)).doubts == ()


async def test_a_stranger_does_not_take_a_case_over_before_the_repair_or_after_it(
    records: TwoRecords, pool: Pool, database_url: str
) -> None:
    reference = await ended_from_outside(records, database_url)
    sent = await pool.fetchval("select complaint from casefile.cases where reference = $1", reference)
    complaint = Complaint.model_validate(json.loads(json.dumps(sent)))
    client = records.env.client

    async def refused() -> str:
        handle = await client.start_workflow("Complaint", complaint, id=reference, task_queue=records.queue)
        with pytest.raises(WorkflowFailureError) as failed:
            async with asyncio.timeout(PATIENCE):
                await handle.result()
        return str(failed.value.cause)

    async with records.house(database_url):
        assert "its workflow was ended from outside" in await refused()
    assert (await repaired(records, pool)).settled
    async with records.house(database_url) as house:
        await went_on(house, reference)
        await client.get_workflow_handle(reference).terminate("once more")
        assert "its workflow was ended from outside" in await refused()
        assert len(await house.timeline(reference, "restored")) == 1


async def resets(house: House, reference: str, number: int) -> bool:
    return len(await house.timeline(reference, "reset")) == number


async def test_a_case_that_was_reset_is_in_no_doubt_however_often_and_from_wherever(
    records: TwoRecords, pool: Pool, database_url: str
) -> None:
    async with records.house(database_url) as house:
        await staff(house.pool)
        await house.late_withdrawal("300000", days_late=30)
        reference = await house.submit()
        await house.at(reference, Stage.DECIDING)
        await consulting(house, reference)
        await house.complaints.assign(reference, "h-18", by=HANDLER)

        for number, task in enumerate((-1, 2, 0), start=1):
            await settled(house, reference)
            await asyncio.sleep(3)  # as fast as somebody may see that it was the wrong moment
            await reset(house, reference, task)
            await house.eventually(partial(resets, house, reference, number))
            await house.at(reference, Stage.DECIDING)
            await settled(house, reference)
            assert (await records.reconcile(pool)).doubts == ()
        await house.complaints.withdraw(reference, by=HANDLER, reason="They rang to say so.")
        await house.complaints.result(reference)
        assert (await records.reconcile(pool)).doubts == ()


async def test_a_case_that_was_closed_and_erased_is_in_no_doubt_and_one_that_its_file_lost_is(
    records: TwoRecords, pool: Pool, database_url: str, keys: Vault
) -> None:
    async with records.house(database_url) as house:
        await staff(house.pool)
        await house.late_withdrawal("300000", days_late=30)
        reference = await house.submit()
        await house.at(reference, Stage.DECIDING)
        await house.complaints.withdraw(reference, by=CUSTOMER)
        await house.closed(reference)
    await keys.destroy([reference])
    assert (await records.reconcile(pool)).doubts == ()
    await pool.execute("update casefile.cases set closed_at = null, revision = revision + 1")
    (doubt,) = (await records.reconcile(pool)).doubts
    assert (doubt.why, "it was erased on" in doubt.cannot[0]) == (Why.UNREADABLE, True)
    LIVES.leave_out(reference)


async def test_a_workflow_whose_key_was_lost_with_its_file_is_named_and_gets_no_other_key(
    records: TwoRecords, database_url: str, empty_database_url: str, keys: Vault
) -> None:
    async with records.house(database_url) as house:
        await staff(house.pool)
        await house.late_withdrawal("300000", days_late=30)
        reference = await house.submit()
        await house.at(reference, Stage.DECIDING)
    await migrate(empty_database_url)
    table = await asyncpg.connect(os.environ["REDRESS_KEYS_DATABASE_URL"])
    await table.execute("set session_replication_role = replica")
    lost = await table.fetchrow("delete from keys.keys where scope = $1 returning *", reference)
    for known in (keys._opened, keys._newest):
        known.clear()
    try:
        async with await open_pool(empty_database_url) as pool:
            (doubt,) = (await records.reconcile(pool)).doubts
        assert (doubt.reference, doubt.why) == (reference, Why.UNREADABLE)
        assert f"the table of keys has no key 1 of {reference}" in doubt.cannot[0]
        assert not await table.fetch("select from keys.keys where scope = $1", reference)
    finally:
        keys._missed.clear()
        await table.execute("delete from keys.keys where scope = $1", reference)
        await table.execute("insert into keys.keys select ($1::keys.keys).*", lost)
        await table.close()
