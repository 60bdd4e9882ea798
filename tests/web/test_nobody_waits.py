"""Reading waits for nobody: where no worker answers, or Temporal says nothing, what the record has is there at once."""

import re
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI
from starlette.routing import Route
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from domain.ground.words import WORKFLOW
from runtime.database import Pool
from starter.upkeep.api_keys import Scope
from tests.cli.command_line import CommandLine
from tests.web.conftest import Browser, doors_over, signed_in
from tests.web.test_api import service
from tests.web.test_desk import signed_on
from tests.web.test_mine import LI, case_of
from web.api.frame import ROOT
from web.app import create_app
from web.words import words

LONGEST: Final = 3.0
"""Seconds of waiting: one for what the record does not have, the rest for a slow machine."""
SHARED: Final = 4
"""So many programs may want the processor at once: what is reckoned here takes so many times as long."""
ANOTHER: Final = ("/events", ".{form}", "/files/{name}", "/{form}")
"""What a page needs besides a reference, or what goes on for ever."""
OF_A_CASE: Final = ("show", "timeline", "deadlines", "rejected", "recompute")


@asynccontextmanager
async def frozen() -> AsyncIterator[Client]:
    """A server that takes what is sent, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        yield await Client.connect(address, lazy=True, data_converter=pydantic_data_converter)


@asynccontextmanager
async def without_worker(client: Client, reference: str) -> AsyncIterator[Client]:
    """A server that knows the case, whose worker is stopped."""
    handle = await client.start_workflow(WORKFLOW, id=reference, task_queue="nobody-works-here")
    try:
        yield client
    finally:
        await handle.terminate()


def pages_of(site: FastAPI, start: str) -> list[str]:
    """The pages that are read, of a case or of many."""
    paths = [one.path for one in site.routes if isinstance(one, Route) and "GET" in (one.methods or ())]
    found = [path for path in paths if path.startswith(start) and not path.endswith(ANOTHER)]
    return [path for path in found if "{" not in path.replace("{reference}", "")]


async def took(asked: Awaitable[Any]) -> tuple[float, Any]:
    """How long was waited, whatever was reckoned meanwhile, and the answer."""
    began, used = time.monotonic(), time.process_time()
    answer = await asked
    return time.monotonic() - began - SHARED * (time.process_time() - used), answer


class Reader:
    """Reads by every way there is, and knows what took too long."""

    def __init__(self, pool: Pool, reference: str) -> None:
        self.pool, self.reference, self.slow = pool, reference, list[str]()

    async def see(self, what: str, ask: Callable[[str], Awaitable[Any]]) -> Any:
        """Read what the path or command *what* has of the case; a second time, once what is made once is made."""
        asked = what.replace("{reference}", self.reference)
        await ask(asked)
        seconds, answer = await took(ask(asked))
        if seconds > LONGEST:
            self.slow.append(f"{what}: {seconds:.1f} s")
        return answer

    async def pages(self, client: Client, folder: Path) -> None:
        """By the desk, the customer's pages and the API."""
        site = create_app(doors_over(self.pool, client, outbox_dir=folder / "outbox"))
        async with signed_on(site, "h-2") as desk, Browser(site) as customer, service(site, "crm", *Scope) as program:
            await signed_in(customer, site.state.doors, LI)
            await self.form(desk, folder)
            ways: list[tuple[httpx.AsyncClient, str]] = [(desk, "/desk"), (customer, "/mine"), (program, ROOT)]
            for browser, start in ways:
                pages = pages_of(site, start)
                assert [page for page in pages if "{reference}" in page], start
                for page in pages:
                    answer = await self.see(page, browser.get)
                    assert answer.status_code < 500, page

    async def form(self, desk: httpx.AsyncClient, folder: Path) -> None:
        """What a message will cause; a case that does not answer is told of, and so is that nothing was sent."""
        path = f"/desk/cases/{self.reference}/do/request_information"
        page = await desk.get(path)
        token = re.search(r'name="form_token" value="(\w+)"', page.text)
        assert token
        typed = {"form_token": token[1], "questions": "When was it?"}
        answer = await self.see(path, lambda asked: desk.post(asked, data=typed))
        said = [words("desk.form.unforeseen", each) for each in ("en", "zh-CN")]
        assert any(one in answer.text for one in said) or answer.status_code == 503, answer.text

    async def commands(self, redress: CommandLine) -> None:
        """By the command line."""
        for command in ("list", *(f"{name} {{reference}}" for name in OF_A_CASE)):
            ran = await self.see(command, lambda asked: redress(*asked.split()))
            assert ran.code in {0, 1}, (command, ran)


@pytest.fixture
def redress(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    command_line = CommandLine(monkeypatch)
    command_line.set("REDRESS_STATE_DIR", str(tmp_path / "state"))
    command_line.set("DATABASE_URL", database_url)
    return command_line


@pytest.mark.parametrize("silent", ["the server", "the worker"])
async def test_reading_does_not_wait_for_who_says_nothing(
    dev_server_env: WorkflowEnvironment, pool: Pool, redress: CommandLine, tmp_path: Path, silent: str
) -> None:
    reader = Reader(pool, await case_of(pool, tmp_path, LI, "1"))
    server = frozen() if silent == "the server" else without_worker(dev_server_env.client, reader.reference)
    async with server as client:
        await reader.pages(client, tmp_path)
        redress.set("TEMPORAL_ADDRESS", client.service_client.config.target_host)
        await reader.commands(redress)
    assert not reader.slow
