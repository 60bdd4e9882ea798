"""The workflow that runs an investigation without a case, with the real activity on a real database."""

from decimal import Decimal

import asyncpg
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.checks.investigating import Investigating
from activities.log.trade_log import TradeLog
from domain.checks.findings import Check, InvestigationRequest, Verdict
from domain.log.trade_log import OrderType
from tests.checks.rows import ACCOUNT, after, fill, order, quote, steady, store
from workflows.investigation import InvestigationWorkflow


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
            InvestigationWorkflow.run, request, id=f"investigation-{task_queue}", task_queue=task_queue
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
            {"checks": ["withdrawal_delay"], "account": ACCOUNT, "as_of": "2026-03-02T09:00:00Z"},
            id=f"investigation-{task_queue}",
            task_queue=task_queue,
            result_type=dict,
        )
    (finding,) = answer["findings"]
    assert finding["verdict"] == "inconclusive"
    assert finding["missing"] == ["account"]
    assert finding["reason"]["zh"].startswith("我司交易日志中没有")
