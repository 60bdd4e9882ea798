"""Nobody waits for an answer longer than is said, also of a server that takes everything and answers nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import NoReturn

import pytest
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from domain.ground.people import Actor
from domain.ground.reference import reference_for
from domain.ground.words import Role
from runtime.connection import TemporalUnavailable
from runtime.database import Pool
from runtime.temporal import connect_to
from starter.client import conversation
from starter.client.complaints import Complaints
from starter.client.conversation import NotAnswered
from tests.case.support import complaint
from tests.web.conftest import doors_over
from trial.proxy import HOST, Proxy, through

REFERENCE = reference_for("tests", "answers")
BY = Actor(id="h-1", role=Role.HANDLER)


@pytest.fixture
async def complaints(dev_server_env: WorkflowEnvironment) -> AsyncIterator[Complaints]:
    """Complaints over a connection that was there and swallows everything now."""
    host, _, port = dev_server_env.client.service_client.config.target_host.rpartition(":")
    async with through(Proxy("temporal", (host, int(port)))) as line:
        client = await connect_to({"target_host": f"{HOST}:{line.port}", "namespace": "default"})
        line.swallow()
        yield Complaints(client)
        line.restore()


SAYS: dict[str, Callable[[Complaints], Awaitable[object]]] = {
    "start": lambda complaints: complaints.submit(complaint()),
    "signal": lambda complaints: complaints.reply(REFERENCE, by=Actor(id="customer", role=Role.CUSTOMER), text="Well?"),
    "update": lambda complaints: complaints.assign(REFERENCE, "h-1", by=BY),
    "query": lambda complaints: complaints.status(REFERENCE),
}


@pytest.mark.parametrize("how", SAYS)
async def test_a_connection_that_swallows_everything_is_told_and_not_waited_for(
    complaints: Complaints, how: str
) -> None:
    async with asyncio.timeout(6):
        with pytest.raises((NotAnswered, TemporalUnavailable), match="Temporal does not answer"):
            await SAYS[how](complaints)


async def test_a_worker_that_takes_its_time_is_waited_for_as_long_as_is_said(
    dev_server_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "ANSWER_WITHIN", timedelta(seconds=3))
    complaints = Complaints(dev_server_env.client, task_queue="nobody-asks-for-it")
    sent = await complaints.submit(complaint(key="slow"))
    with pytest.raises(NotAnswered, match="no worker answered within 3 s"):
        await complaints.assign(sent.reference, "h-1", by=BY)
    await dev_server_env.client.get_workflow_handle(sent.reference).terminate()


async def test_a_server_that_says_once_that_it_is_not_there_is_asked_again(
    dev_server_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one does that starts anew, or that a load balancer has just let go."""
    complaints, asked = Complaints(dev_server_env.client), 0

    async def described(*_: object, **_more: object) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise RPCError("starting", RPCStatusCode.UNAVAILABLE, b"")

    monkeypatch.setattr(dev_server_env.client.workflow_service, "describe_namespace", described)
    await complaints._see_the_server()
    assert asked == 2


async def test_pages_that_need_temporal_wait_for_one_attempt_together(pool: Pool) -> None:
    attempts = 0

    async def reach() -> NoReturn:
        nonlocal attempts
        attempts += 1
        await asyncio.sleep(0.05)
        raise TemporalUnavailable("nobody is there")

    doors = doors_over(pool)
    doors.reach = reach
    for attempt in (1, 2):
        told = await asyncio.gather(*(doors.temporal() for _ in range(20)), return_exceptions=True)
        assert {type(each) for each in told} == {TemporalUnavailable}
        assert attempts == attempt, "the next who ask have it tried again"
