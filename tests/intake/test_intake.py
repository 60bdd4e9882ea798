"""From a commit to a case file, over a whole Temporal server."""

from datetime import UTC, datetime
from pathlib import Path

from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.intake.bringing import CUSTOMER
from channels.taking import take_in
from domain.case.messages.signals import CustomerReply
from domain.intake.received import Door, Ending, Kind
from runtime.connection import TemporalUnavailable
from runtime.database import Pool
from runtime.settings import load_settings
from runtime.temporal import register_search_attributes
from starter.intake.dealer import Dealer, workflow_id
from starter.intake.receiving import receive, receive_complaint, receive_message
from starter.reading.intake import show_incoming
from tests.channels.messages.making import VOICES, mail
from tests.intake.test_dealing import complaint, file
from tests.patience import eventually
from worker import build_worker
from workflows.search_attributes import KEYS


async def test_what_was_received_while_temporal_was_away_is_in_the_case_file_once_when_it_is_back(
    dev_server_env: WorkflowEnvironment, pool: Pool, task_queue: str, tmp_path: Path
) -> None:
    client = dev_server_env.client
    await register_search_attributes(client, KEYS)
    now, given, away = datetime.now(UTC), complaint(task_queue), True

    async def reach() -> Client:
        if away:
            raise TemporalUnavailable("away")
        return client

    poison, _ = await receive(pool, Door.PAGES, Kind.COMPLAINT, b"poison", at=now, reference="RD-1")
    opened, _ = await receive_complaint(pool, Door.PAGES, given, files=[file()])
    reply = CustomerReply(message_id="m-1", actor=CUSTOMER, text="还有一点要说明。")
    said, _ = await receive_message(pool, Door.PAGES, given.reference, reply, at=now)
    # Nobody proves whose mail it is: the case knows that it waits, and hears nothing of it.
    letter, _ = await take_in(pool, mail(VOICES[1], subject=given.reference), {})
    one, other = (Dealer(pool, reach, task_queue=task_queue) for _ in range(2))
    async with one.running(), other.running():
        assert (await show_incoming(pool, opened)).waits
        away = False
        one.nudge()
        settings = load_settings(task_queue=task_queue, outbox_dir=tmp_path)
        async with build_worker(client, pool, settings):
            await eventually(lambda: _none_waits(pool))
            await client.get_workflow_handle(workflow_id(said)).result()
            await eventually(lambda: _heard(pool, given.reference))
    endings = [(await show_incoming(pool, key)).ending for key in (poison, opened, said, letter)]
    assert endings == [Ending.UNREADABLE, Ending.CASE_OPENED, Ending.ON_CASE, Ending.UNPROVEN]
    assert await pool.fetchval("select array_agg(text) from casefile.timeline where kind = 'arrived'") == ["unproven"]
    assert await pool.fetchval("select count(*) from casefile.cases") == 1
    await client.get_workflow_handle(given.reference).terminate()


async def _none_waits(pool: Pool) -> bool:
    return not await pool.fetchval("select exists (select from intake.waiting)")


async def _heard(pool: Pool, reference: str) -> bool:
    texts = await pool.fetch(
        "select data from casefile.timeline where reference = $1 and kind in ('customer_reply', 'arrived')", reference
    )
    return len(texts) == 3
