"""Nobody waits for an answer longer than is said, also of a server that takes everything and answers nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from domain.ground.people import Actor
from domain.ground.reference import reference_for
from domain.ground.words import Role
from runtime.connection import TemporalUnavailable
from runtime.temporal import connect_to
from starter.client import conversation
from starter.client.complaints import Complaints
from starter.client.conversation import NotAnswered
from tests.case.support import complaint
from trial.proxy import HOST, Proxy, through

REFERENCE = reference_for("tests", "answers")
BY = Actor(id="h-1", role=Role.HANDLER)


@pytest.fixture
async def complaints(dev_server_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Complaints]:
    """Complaints over a connection that was there and swallows everything now."""
    host, _, port = dev_server_env.client.service_client.config.target_host.rpartition(":")
    async with through(Proxy("temporal", (host, int(port)))) as line:
        client = await connect_to({"target_host": f"{HOST}:{line.port}", "namespace": "default"})
        line.swallow()
        monkeypatch.setattr(conversation, "ANSWER_WITHIN", timedelta(seconds=1))
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
    async with asyncio.timeout(12):
        with pytest.raises((NotAnswered, TemporalUnavailable)):
            await SAYS[how](complaints)
