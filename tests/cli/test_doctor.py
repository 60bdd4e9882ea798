"""``redress doctor``: everything that is wrong on one page, whichever server is there to ask."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest
from temporalio.testing import WorkflowEnvironment

import starter.upkeep.doctor
from domain.case.complaint import Complaint
from domain.ground.reference import reference_for
from domain.ground.words import WORKFLOW
from domain.people.recusal import Why
from runtime.settings import load_settings
from runtime.temporal import register_search_attributes
from starter.client.complaints import Complaints
from starter.client.directory import load_demo
from starter.upkeep.diagnosis import TO_DO, Diagnosis, Kind
from starter.upkeep.doctor import diagnose
from tests.cli.command_line import CommandLine
from tests.end_to_end.support import late_withdrawal_complaint
from tests.patience import eventually
from tests.people.test_recusal_of_money import keep_out
from tests.signing import signed
from worker import build_worker
from workflows.search_attributes import KEYS

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]


def kinds(found: Diagnosis, subject: str) -> set[Kind]:
    return {trouble.kind for trouble in found.troubles if trouble.subject == subject}


@pytest.fixture(autouse=True)
def rules_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether holidays run out depends on the day of the test; and nothing is on its way for long here."""
    monkeypatch.setattr(starter.upkeep.doctor, "EXPIRES_SOON", timedelta(0))
    monkeypatch.setattr(starter.upkeep.doctor, "SETTLED", timedelta(0))


@pytest.fixture
async def staffed(pool: "Pool") -> "Pool":
    """A database with a directory in which every role is held."""
    await load_demo(pool, signed)
    return pool


async def a_case(complaints: Complaints, pool: "Pool") -> str:
    complaint = Complaint.model_validate(late_withdrawal_complaint(str(uuid.uuid4())))
    reference = (await complaints.submit(complaint)).reference

    async def is_open() -> bool:
        return bool(await pool.fetchval("select true from casefile.cases where reference = $1", reference))

    await eventually(is_open, "the case file")
    return reference


async def test_a_case_whose_workflow_was_ended_is_told_and_one_that_runs_is_not(
    service: CommandLine,
    dev_server_env: WorkflowEnvironment,
    task_queue: str,
    pool: "Pool",
) -> None:
    complaints = Complaints(dev_server_env.client, task_queue=task_queue)
    well, ended = [await a_case(complaints, pool) for _ in range(2)]
    await dev_server_env.client.get_workflow_handle(ended).terminate()

    async def is_told() -> bool:
        found = await diagnose(load_settings())
        assert not found.unchecked
        return kinds(found, ended) == {Kind.CASE_WITHOUT_WORKFLOW} and not kinds(found, well)

    await eventually(is_told, "the case without a workflow, and no other")
    ran = await service("doctor")
    assert ran.code == 1
    assert f"{ended}: its case is open, and its workflow is terminated" in ran.out.replace("\n", " ")
    assert "customer@example.com" not in ran.out


async def test_a_workflow_without_a_case_and_the_activity_that_fails_are_told(
    connected: CommandLine,
    dev_server_env: WorkflowEnvironment,
    task_queue: str,
    database_url: str,
    pool: "Pool",
) -> None:
    connected.set("DATABASE_URL", database_url)
    await register_search_attributes(dev_server_env.client, KEYS)
    await pool.execute("alter table casefile.timeline add constraint nothing_fits check (false)")
    async with build_worker(dev_server_env.client, pool, load_settings()):
        complaint = Complaint.model_validate(late_withdrawal_complaint(str(uuid.uuid4())))
        handle = await dev_server_env.client.start_workflow(
            WORKFLOW, complaint, id=reference_for(complaint.source, complaint.idempotency_key), task_queue=task_queue
        )

        async def is_told() -> bool:
            found = await diagnose(load_settings())
            return {Kind.WORKFLOW_WITHOUT_CASE, Kind.ACTIVITY_FAILING} <= kinds(found, handle.id)

        await eventually(is_told, "a workflow without a case whose activity fails")
        await handle.terminate()


async def test_what_waits_in_the_record_is_told_with_its_age_and_what_to_do(
    service: CommandLine,
    dev_server_env: WorkflowEnvironment,
    task_queue: str,
    pool: "Pool",
) -> None:
    reference = await a_case(Complaints(dev_server_env.client, task_queue=task_queue), pool)
    long_ago = datetime.now(UTC) - timedelta(days=2)
    await pool.execute(
        "insert into casefile.letters (key, reference, number, kind, language, subject, body, message_id, rendered_at)"
        " values ('k', $1, 99, 'progress', 'en', 's', 'b', 'm', $2)",
        reference,
        long_ago,
    )
    await pool.execute(
        "insert into payments.orders (key, reference, amount, currency, rail, ordered_at)"
        " values ('k', $1, 1, 'USD', 'r', $2)",
        reference,
        long_ago,
    )
    await pool.execute(
        "insert into casefile.rejected_messages (reference, key, at, name, reason, payload)"
        " values ($1, 'k', now(), 'n', 'r', 'p')",
        reference,
    )
    await pool.execute(
        "insert into casefile.deadlines (reference, clock, number, rung, statutory, started_at, due, clock_due,"
        " actions, how) values ($1, 'c', 99, 'r', true, $2, $2, $2, '{breach}', 'h')",
        reference,
        long_ago,
    )
    found = await diagnose(load_settings())
    told = {Kind.LETTER_WAITING, Kind.PAYMENT_IN_DOUBT, Kind.MESSAGES_REJECTED, Kind.DEADLINE_OVERDUE}
    assert told <= kinds(found, reference)
    await keep_out(pool, reference, "h-9", Why.NAMED)
    theirs = await diagnose(load_settings(), "h-9")
    assert not kinds(theirs, reference)
    assert sum(theirs.more.values()) == sum(found.more.values())
    ran = await service("doctor")
    assert ran.code == 1
    page = " ".join(ran.out.split())
    for kind in told:
        assert TO_DO[kind] in page
    assert "for 2 d" in page


async def test_a_workflow_whose_tasks_keep_failing_is_told(
    service: CommandLine, dev_server_env: WorkflowEnvironment, task_queue: str
) -> None:
    handle = await dev_server_env.client.start_workflow("Nobody", id=f"nobody-{uuid.uuid4()}", task_queue=task_queue)

    async def is_told() -> bool:
        return Kind.WORKFLOW_FAILING in kinds(await diagnose(load_settings()), handle.id)

    await eventually(is_told, "Temporal reports its problems")
    await handle.terminate()


@pytest.mark.usefixtures("staffed")
async def test_nobody_who_works_is_told(
    connected: CommandLine,
    database_url: str,
    task_queue: str,
) -> None:
    connected.set("DATABASE_URL", database_url)
    found = await diagnose(load_settings())
    assert [trouble.kind for trouble in found.troubles] == [Kind.NO_WORKER, Kind.NO_WORKER]
    assert {trouble.subject for trouble in found.troubles} == {task_queue}


@pytest.mark.usefixtures("staffed")
async def test_all_is_well_with_exit_code_0(service: CommandLine) -> None:
    async def is_well() -> bool:
        return not (await diagnose(load_settings())).troubles

    await eventually(is_well, "nothing is wrong, once the worker has asked for work")
    ran = await service("doctor")
    assert (ran.code, ran.out) == (0, "Nothing is wrong.\n")
    ran = await service("doctor", "--json")
    assert ran.data["troubles"] == []


@pytest.mark.usefixtures("staffed")
async def test_without_temporal_the_record_is_looked_at_all_the_same(
    redress: CommandLine,
    database_url: str,
) -> None:
    redress.set("DATABASE_URL", database_url)
    ran = await redress("doctor", "--json")
    assert ran.code == 1
    assert [trouble["kind"] for trouble in ran.data["troubles"]] == ["temporal"]
    assert "127.0.0.1:1" in ran.data["troubles"][0]["what"]


async def test_without_postgresql_the_workflows_are_looked_at_all_the_same(
    connected: CommandLine,
) -> None:
    connected.set("DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/nothing")
    ran = await connected("doctor", "--json")
    assert ran.code == 1
    assert {trouble["kind"] for trouble in ran.data["troubles"]} == {"postgresql", "no_worker"}
    assert "secret" not in ran.out


def test_every_kind_of_trouble_says_what_to_do() -> None:
    assert set(TO_DO) == set(Kind)
