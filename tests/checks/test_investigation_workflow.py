"""The workflow that runs an investigation without a case, with the real activity on a real database."""

from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowFailureError
from temporalio.common import RawValue
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.checks.investigating import Investigating
from activities.log.trade_log import TradeLog
from domain.checks.findings import Check, Investigation, InvestigationRequest, Verdict
from domain.log.trade_log import OrderType
from tests.checks.rows import ACCOUNT, after, fill, order, quote, steady, store
from workflows.investigation import InvestigationWorkflow

ASKED = {"checks": ["withdrawal_delay"], "account": ACCOUNT, "as_of": "2026-03-02T09:00:00Z"}


async def test_it_returns_the_findings_and_says_in_the_interface_what_it_does(
    time_skipping_env: WorkflowEnvironment, pool: "asyncpg.Pool[asyncpg.Record]", task_queue: str
) -> None:
    await store(
        pool,
        *steady("LP-B", "1937.39"),
        quote("LP-A", 0, "1920.96"),
        order(OrderType.STOP_OUT, position="P1"),
        fill("1920.96", volume=Decimal("0.8")),
    )
    client = time_skipping_env.client
    activity = Investigating(TradeLog(pool)).investigate
    request = InvestigationRequest(checks=(Check.EXECUTION,), account=ACCOUNT, trades=("O1",), as_of=after(60))
    async with Worker(client, task_queue=task_queue, workflows=[InvestigationWorkflow], activities=[activity]):
        handle = await client.start_workflow(
            "Investigation",
            request,
            id=f"investigation-{task_queue}",
            task_queue=task_queue,
            result_type=Investigation,
        )
        investigation = await handle.result()
    (finding,) = investigation.findings
    assert finding.verdict is Verdict.PROVIDER_FAULT
    assert str(finding.harm) == "USD 1,314.40"

    history = await handle.fetch_history()
    (scheduled,) = (event for event in history.events if event.HasField("activity_task_scheduled_event_attributes"))
    assert scheduled.activity_task_scheduled_event_attributes.activity_type.name == "Investigate"
    assert b"Query the trade log: execution" in scheduled.user_metadata.summary.data
    assert ACCOUNT.encode() not in scheduled.user_metadata.summary.data


async def test_other_languages_start_it_with_plain_json(
    time_skipping_env: WorkflowEnvironment, pool: "asyncpg.Pool[asyncpg.Record]", task_queue: str
) -> None:
    client = time_skipping_env.client
    activity = Investigating(TradeLog(pool)).investigate
    async with Worker(client, task_queue=task_queue, workflows=[InvestigationWorkflow], activities=[activity]):
        answer = await client.execute_workflow(
            "Investigation",
            ASKED,
            id=f"investigation-{task_queue}",
            task_queue=task_queue,
            result_type=dict,
        )
    (finding,) = answer["findings"]
    assert finding["verdict"] == "inconclusive"
    assert finding["missing"] == ["account"]
    assert finding["reason"]["zh"].startswith("我司交易日志中没有")


@pytest.mark.parametrize(
    ("start", "why"),
    [
        ((), "not with 0 arguments"),
        ((ASKED, ASKED), "not with 2 arguments"),
        (({**ASKED, "checks": ["astrology"]},), "checks.0: "),
        ((RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b'{"checks": ')),), "it is no JSON"),
        ((RawValue(Payload(metadata={"encoding": b"binary/encrypted"}, data=b"x")),), "cannot be read"),
    ],
)
async def test_what_cannot_be_investigated_fails_at_once_and_says_why(
    time_skipping_env: WorkflowEnvironment, task_queue: str, start: tuple[Any, ...], why: str
) -> None:
    client = time_skipping_env.client
    async with Worker(client, task_queue=task_queue, workflows=[InvestigationWorkflow]):
        with pytest.raises(WorkflowFailureError) as failed:
            await client.execute_workflow("Investigation", args=start, id=task_queue, task_queue=task_queue)
    assert why in str(failed.value.cause)
