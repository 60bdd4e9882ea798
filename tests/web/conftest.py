"""The site over a test's own database, and visitors who keep their cookies."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn

import httpx
import pytest
from fastapi import FastAPI
from playwright.async_api import Browser as RealBrowser
from temporalio.client import Client

from runtime.connection import TemporalUnavailable
from runtime.database import Pool
from runtime.settings import load_settings
from tests.web import chromium as debian
from web.app import create_app
from web.doors import Doors
from web.visits import Person, Session, sealed_id, session_sealed, sign_in

SECRET: Final = b"a secret of the tests, long enough"


async def away() -> NoReturn:
    """Temporal that cannot be reached."""
    raise TemporalUnavailable("Temporal is down")


def doors_over(pool: Pool, client: Client | None = None, **settings: Any) -> Doors:
    """The doors of a test; Temporal is down without *client*."""

    async def reach() -> Client:
        return client or await away()

    return Doors(
        pool=pool,
        settings=load_settings(**{"web_url": "http://127.0.0.1:8000", **settings}),
        secret=SECRET,
        clock=lambda: datetime.now(UTC),
        reach=reach,
    )


@pytest.fixture
def doors(pool: Pool, tmp_path: Path) -> Doors:
    """The doors over the test's own database, with Temporal down; mail goes to the folder ``outbox``."""
    return doors_over(pool, outbox_dir=tmp_path / "outbox")


@pytest.fixture
def site(doors: Doors) -> FastAPI:
    """The whole site."""
    return create_app(doors)


class Browser(httpx.AsyncClient):
    """A visitor with cookies, who sends forms as they are on the page."""

    def __init__(self, site: FastAPI, language: str = "en") -> None:
        super().__init__(
            transport=httpx.ASGITransport(site, raise_app_exceptions=False),
            base_url="http://127.0.0.1:8000",
            headers={"accept-language": language},
        )

    async def send_form(self, page: str, to: str | None = None, /, **fields: Any) -> httpx.Response:
        """Open *page* and send its form, or the one that goes *to*, with *fields*; files under ``files``."""
        files = fields.pop("files", None)
        opened = await self.get(page)
        token = re.search(r'name="form_token" value="(\w+)"', opened.text)
        assert token, opened.text
        return await self.post(to or page, data={"form_token": token[1], **fields}, files=files)


@pytest.fixture
async def browser(site: FastAPI) -> AsyncIterator[Browser]:
    """A visitor."""
    async with Browser(site) as browser:
        yield browser


def session_in(browser: Browser, doors: Doors) -> Session:
    """The session that the visitor's cookie names."""
    session = session_sealed(browser.cookies["visit"], doors)
    assert session
    return session


async def signed_in(browser: Browser, doors: Doors, person: Person) -> None:
    """Have the visitor be *person*, as after signing in."""
    await browser.get("/")
    session = session_in(browser, doors)
    await sign_in(session, person, doors)
    browser.cookies.set("visit", sealed_id(session, doors), domain="127.0.0.1")


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[RealBrowser]:
    """Debian's Chromium, one for all tests."""
    async with debian.started() as browser:
        yield browser
