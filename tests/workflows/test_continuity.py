"""A case outlives its history: when that grows long, the case goes on in a new run with all it knows."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import asyncpg
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus

from domain.ground.words import Outcome, Stage, TaskKind
from runtime.payment_rail import HttpRail, PaymentRail
from runtime.temporal import register_search_attributes
from starter.reading.tasks import TaskView, get_tasks
from tests.money.rail import declining, open_rail, paid
from tests.servers import whole_server
from tests.workflows.house import APPROVER, CUSTOMER, HANDLER, House
from tests.workflows.rules import own, statutory
from workflows.search_attributes import KEYS

LONG = 40
"""History events after which this server suggests to continue as new."""


@pytest.fixture
async def short_lived_runs(pool: "asyncpg.Pool[asyncpg.Record]", tmp_path: Path) -> AsyncIterator[House]:
    async with _open(pool, tmp_path) as house:
        yield house


@asynccontextmanager
async def _open(
    pool: "asyncpg.Pool[asyncpg.Record]", folder: Path, rail: PaymentRail | None = None
) -> AsyncIterator[House]:
    env = await whole_server(f"limit.historyCount.suggestContinueAsNew={LONG}")
    async with env:
        await register_search_attributes(env.client, KEYS)
        house = House(env, pool, folder / "outbox", rail)
        async with house.worker():
            yield house


async def test_a_case_goes_on_in_a_new_run_with_everything_it_knows(short_lived_runs: House) -> None:
    house = short_lived_runs
    await house.late_withdrawal("300000", days_late=30)
    reference = await house.submit()
    await house.at(reference, Stage.DECIDING)
    handle = house.client.get_workflow_handle(reference)
    first_run = (await handle.describe()).run_id
    receipt = await house.complaints.assign(reference, HANDLER.id, by=HANDLER, message_id="m-1")
    house.outbox.closed = True  # a letter is on its way while the run changes
    await house.complaints.escalate(reference, "Nobody answers.", by=CUSTOMER, message_id="m-2")
    for number in range(12):
        await house.complaints.reply(reference, by=CUSTOMER, text=f"Hello? {number}", message_id=f"hello-{number}")
        await house.eventually(partial(_heard, house, reference, number))

    async def in_a_new_run() -> bool:
        return (await handle.describe()).run_id != first_run

    await house.eventually(in_a_new_run)
    [to_answer] = await _open_tasks(house, reference, TaskKind.ANSWER)  # one for all twelve, and it goes on too
    await house.complaints.finish_task(reference, to_answer.number, "I wrote to them.", by=HANDLER)
    assert not await _open_tasks(house, reference, TaskKind.ANSWER)
    await handle.signal("customer_reply", "does not fit")
    await house.eventually(lambda: house.timeline(reference, "rejected"))

    status = await house.complaints.status(reference)
    assert (status.summary.stage, status.summary.escalation_level) == (Stage.DECIDING, 1)
    assert status.summary.next_deadline is not None
    assert await house.complaints.assign(reference, HANDLER.id, by=HANDLER, message_id="m-1") == receipt
    await house.complaints.escalate(reference, "Nobody answers.", by=CUSTOMER, message_id="m-2")

    house.outbox.closed = False
    await house.complaints.propose_resolution(
        reference,
        by=HANDLER,
        outcome="upheld",
        compensation={"amount": "1972.60", "currency": "USD"},
        reasons="Paid late.",
    )
    await house.complaints.approve(reference, by=APPROVER)
    await house.responded(reference)
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.at(reference, Stage.FOLLOWING_UP)
    await house.complaints.withdraw(reference, by=CUSTOMER)
    closed = await house.complaints.result(reference)
    assert closed.outcome is Outcome.UPHELD
    assert str(closed.compensation) == "USD 1,972.60"
    assert await house.fetchval("SELECT escalation_level FROM casefile.cases WHERE reference = $1", reference) == 1
    assert (await house.accepted_letters(reference)).count("acknowledgement") == 1
    first = await house.client.get_workflow_handle(reference, run_id=first_run).fetch_history()
    assert first.events[-1].event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
    assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED


async def _open_tasks(house: House, reference: str, kind: TaskKind) -> list[TaskView]:
    known = await get_tasks(house.pool, datetime.now(UTC), reference=reference)
    return [one for one in known if one.kind is kind and one.state == "open"]


async def _heard(house: House, reference: str, number: int) -> bool:
    return len(await house.timeline(reference, "customer_reply")) > number


async def test_rungs_that_came_due_while_no_worker_was_up_act_in_order_at_once_with_their_true_lateness(
    short_lived_runs: House,
) -> None:
    house = short_lived_runs
    house.task_queue = "another"
    for later in (0, 4, 16):  # seconds: a busy machine may need more of them until no worker is up
        clocks = [
            statutory(f"second-{n}", 0, length={"seconds": n + later}, satisfied_by=["settled"]) for n in (4, 2, 3)
        ]
        async with house.worker():
            reference = await house.submit(policy=own(house, *clocks), description="Something is wrong.", trades=[])
            await house.row(reference, lambda case: bool(case["stage"] == Stage.DECIDING))
        if not await _due(house, reference, any):
            break  # none was due while the worker was up: a rung may have fired that is not recorded yet
    await house.eventually(lambda: _due(house, reference, all))
    async with house.worker():
        await house.eventually(lambda: _fired(house, reference, 3))
        told = await house.complaints.timeline(reference)
    breaches = [entry.text.split(" was ")[0] for entry in told if entry.kind == "breach"]
    assert breaches == [f"second-{n}" for n in (2, 3, 4)]
    rows = await house.fetch(
        "SELECT due, fired_at, lateness FROM casefile.firings WHERE reference = $1 ORDER BY due", reference
    )
    assert len({row["fired_at"] for row in rows}) == 1
    assert [rows[0]["lateness"] - row["lateness"] for row in rows] == [timedelta(seconds=n) for n in (0, 1, 2)]
    assert rows[-1]["lateness"] > timedelta(0)


async def _due(house: House, reference: str, how_many: Callable[[Iterable[bool]], bool]) -> bool:
    rows = await house.fetch(
        "SELECT due FROM casefile.deadlines WHERE reference = $1 AND clock LIKE 'second-%'", reference
    )
    return how_many(row["due"] < datetime.now(UTC) - timedelta(milliseconds=100) for row in rows)


async def _fired(house: House, reference: str, count: int) -> bool:
    fired = await house.fetchval("SELECT count(*) FROM casefile.firings WHERE reference = $1", reference)
    return bool(fired == count)


async def test_a_payment_goes_on_in_a_new_run_under_the_same_key(
    pool: "asyncpg.Pool[asyncpg.Record]", tmp_path: Path
) -> None:
    async with open_rail() as rail, _open(pool, tmp_path, HttpRail(rail.settings(payment_timeout=2))) as house:
        rail.pays = declining()
        await house.late_withdrawal()
        reference = await house.submit()
        await house.responded(reference)
        await house.complaints.reply(reference, by=CUSTOMER, intent="accept")

        async def held() -> bool:
            return "held" in ((await house.complaints.status(reference)).payment or "")

        await house.eventually(held)
        handle = house.client.get_workflow_handle(reference)
        first_run = (await handle.describe()).run_id
        for number in range(12):
            text = f"My account is right. {number}"
            await house.complaints.reply(reference, by=CUSTOMER, text=text, message_id=f"hello-{number}")
            await house.eventually(partial(_heard, house, reference, number))

        async def in_a_new_run() -> bool:
            return (await handle.describe()).run_id != first_run

        await house.eventually(in_a_new_run)
        assert await held()
        rail.pays = paid
        await house.complaints.retry_payment(reference, "It is right now.", by=HANDLER)
        await house.at(reference, Stage.FOLLOWING_UP)
        assert rail.keys == [f"{reference}:payment:1:1", f"{reference}:payment:1:2"]
        assert (await house.complaints.status(reference)).payment == "USD 18.41 paid"
