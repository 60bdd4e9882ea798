"""The pages in a real browser: looked at by axe, in both languages, narrow and wide."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.async_api import Browser, Page

from tests.web.chromium import look, needs_chromium, served, window
from tests.web.test_complaining import ANSWERS
from tests.web.test_files import picture

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
