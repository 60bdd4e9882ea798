"""Real complaints, many at once: every one of them gets its case, and every case comes to rest where it may.

A sample of the US regulator's and Chinese ones, where they are at hand. They speak of banks and lenders rather than of
trades, and are as long, as angry and as oddly spelt as complaints are.
"""

import asyncio
import csv
import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

import asyncpg
import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from domain.case.complaint import Complaint
from domain.ground.base import LONG_TEXT
from domain.ground.people import Actor
from domain.ground.words import Role
from runtime.settings import load_settings
from runtime.temporal import register_search_attributes
from starter.client.complaints import Complaints
from tests.patience import eventually
from worker import build_worker
from workflows.search_attributes import KEYS

FOLDER: Final = Path(os.environ.get("REDRESS_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
SOURCES: Final = (
    ("cfpb_sample.csv", "Consumer complaint narrative", "en"),
    ("zh_complaints.csv", "text", "zh-CN"),
)
OF_EACH: Final = 40
AT_ONCE: Final = 16
PATIENCE: Final = 400.0
"""Seconds; an idle machine needs half a minute."""
CUSTOMER: Final = Actor(id="customer", role=Role.CUSTOMER)


def texts(name: str, column: str) -> Iterator[str]:
    """The texts of a file that say something, cut to what a complaint may hold."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"{name} is not in {FOLDER}: set REDRESS_SHARED_DATA to the folder of the real data")
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if text := (row[column] or "").strip():
                yield text[:LONG_TEXT]


def real_complaints() -> Iterator[Complaint]:
    """The complaints as they would arrive today, each by another customer."""
    for name, column, language in SOURCES:
        for number, text in enumerate(islice(texts(name, column), OF_EACH)):
            customer = f"{language.lower()}-{number}"
            yield Complaint.model_validate(
                {
                    "source": name,
                    "idempotency_key": str(number),
                    "received_at": datetime.now(UTC),
                    "channel": "web",
                    "language": language,
                    "complainant": {"name": "The Customer", "email": f"{customer}@example.com"},
                    "account": customer,
                    "description": text,
                    "policy": "platform-default",
                }
            )


async def failed_workflows(client: Client, references: list[str]) -> list[str]:
    """Those of *references* whose workflow neither runs nor has completed."""
    fine = {WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED}
    failed = []
    for reference in references:
        if (await client.get_workflow_handle(reference).describe()).status not in fine:
            failed.append(reference)
    return failed


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_every_real_complaint_gets_a_case_that_comes_to_rest_where_people_decide(
    dev_server_env: WorkflowEnvironment,
    database_url: str,
    pool: "asyncpg.Pool[asyncpg.Record]",
    task_queue: str,
    tmp_path: Path,
) -> None:
    client = dev_server_env.client
    await register_search_attributes(client, KEYS)
    settings = load_settings(database_url=database_url, task_queue=task_queue, outbox_dir=tmp_path / "outbox")
    complaints = Complaints(client, task_queue=task_queue)
    given = list(real_complaints())
    turn = asyncio.Semaphore(AT_ONCE)

    async def submit(complaint: Complaint) -> str:
        async with turn:
            submitted = await complaints.submit(complaint)
        assert not submitted.already_known
        return submitted.reference

    async def say_all_is_said(reference: str) -> None:
        async with turn:
            await complaints.reply(reference, by=CUSTOMER, text="I have nothing to add. 没有其他补充。")

    async def at(*stages: str) -> list[str]:
        rows = await pool.fetch("SELECT reference FROM casefile.cases WHERE stage = ANY($1)", stages)
        return [row["reference"] for row in rows]

    async def all_wait_for_people() -> bool:
        asked = await pool.fetch("SELECT reference FROM casefile.events WHERE event = 'information_requested'")
        return len({*await at("deciding", "closed"), *(row["reference"] for row in asked)}) == len(given)

    async def all_rest() -> bool:
        return len(await at("deciding", "closed")) == len(given)

    async with build_worker(client, pool, settings):
        references = await asyncio.gather(*map(submit, given))
        await eventually(
            all_wait_for_people, "every case waits for the customer or the staff, or is closed", within=PATIENCE
        )
        await asyncio.gather(*map(say_all_is_said, await at("investigating")))
        await eventually(all_rest, "every case is at a decision or closed")

    assert len(set(references)) == len(given)
    assert await pool.fetchval("SELECT count(*) FROM casefile.cases") == len(given)
    assert await failed_workflows(client, references) == []
    assert await pool.fetchval("SELECT count(*) FROM casefile.rejected_messages") == 0
    assert await pool.fetchval("SELECT count(*) FROM casefile.timeline WHERE kind = 'fault'") == 0
    first_letters = await pool.fetch(
        "SELECT reference FROM casefile.letters JOIN casefile.letter_attempts USING (key)"
        " WHERE kind IN ('acknowledgement', 'referral') AND outcome = 'accepted'"
    )
    assert sorted(row["reference"] for row in first_letters) == sorted(references)
    referred = await pool.fetch("SELECT outcome, in_scope FROM casefile.cases WHERE stage = 'closed'")
    assert {tuple(row) for row in referred} <= {("referred", False)}

    cases = await pool.fetch("SELECT language, category, stage FROM casefile.cases")
    for language, category, stage in sorted(counted := Counter(tuple(row) for row in cases)):
        print(f"{language:6} {category:16} {stage:10} {counted[language, category, stage]:4}")
