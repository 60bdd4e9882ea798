"""The pages in a real browser: looked at by axe, in both languages, narrow and wide."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.async_api import Browser, Page, expect

from runtime.database import Pool
from tests.web.chromium import look, needs_chromium, served, window
from tests.web.test_complaining import ANSWERS
from tests.web.test_files import picture
from tests.web.test_mine import LI, case_of
from web.doors import Doors
from web.visits import Session, sealed_id, sign_in, sign_out

MUST_BE_ANSWERED = {"what", "sought", "you"}


async def fill_in(page: Page, name: str) -> None:
    """Answer the question that is shown, and go on."""
    for field, value in ANSWERS[name].items():
        if field == "currency":
            await page.locator("#currency").select_option(value)
        elif field == "remedy":
            await page.locator(f"[name=remedy][value={value}]").check()
        else:
            await page.locator(f"#{field}").fill(value)
    await page.locator("main form button").first.click()


@pytest.mark.long
@needs_chromium
async def test_every_page_can_be_read_by_everybody_with_errors_shown_too(
    site: FastAPI, chromium: Browser, tmp_path: Path
) -> None:
    screenshot = tmp_path / "截图.png"
    screenshot.write_bytes(picture())
    async with served(site) as url:
        for language, axe in (("en", True), ("zh-CN", False)):
            async with window(chromium, url, language) as page:
                for path in ("/how", "/"):
                    await page.goto(path)
                    await look(page, f"{language}{path.replace('/', '-')}", axe=axe)
                await page.locator("main .button").first.click()
                await look(page, f"{language}-begin", axe=axe)
                await page.locator("main .button").click()
                for name in ANSWERS:
                    if name in MUST_BE_ANSWERED:
                        await page.locator("main form button").first.click()
                        assert await page.locator(".problems").count() == 1
                    await look(page, f"{language}-{name}", axe=axe)
                    await fill_in(page, name)
                await page.set_input_files("#files", screenshot)
                await page.locator("button[name=more]").click()
                await look(page, f"{language}-files", axe=axe)
                await page.locator("main form button").first.click()
                await look(page, f"{language}-check", axe=axe)
                await page.locator("main form button").click()
                await look(page, f"{language}-sent", axe=axe)


@needs_chromium
async def test_an_open_page_says_when_it_shows_nothing_new_any_more_and_keeps_what_is_typed(
    site: FastAPI, doors: Doors, pool: Pool, chromium: Browser, tmp_path: Path
) -> None:
    reference, session = await case_of(pool, tmp_path, LI, "1"), Session("a visitor")
    await sign_in(session, LI, doors)
    async with served(site) as url, window(chromium, url) as page:
        await page.context.add_cookies([{"name": "visit", "value": sealed_id(session, doors), "url": url}])
        await page.goto(f"/mine/{reference}")
        await page.locator("textarea").fill("写到一半")
        said = page.get_by_text("您的登录已结束")
        await expect(said).to_be_hidden()
        await sign_out(session, doors)
        await page.evaluate("htmx.trigger('[data-live]', 'changed')")
        await expect(said).to_be_visible()
        await look(page, "zh-CN-signed-out")
        assert await page.locator("textarea").input_value() == "写到一半"
