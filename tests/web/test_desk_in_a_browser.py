"""The desk in a real browser: every page in both languages looked at by axe, and what others do shows by itself."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from runtime.database import Pool
from starter.client.directory import People
from tests.case.support import OPENED_AT
from tests.cli.stories import Story, late_and_closed, proposed
from tests.people.support import LEAD, directory, person
from tests.signing import signed
from tests.web.chromium import look, needs_chromium, served, window
from tests.web.conftest import doors_over
from tests.web.test_refusals import ENGLISH
from web.app import create_app
from web.desk.acting import FORMS
from web.desk.case import OPEN_INCIDENT

TEAMS = ("dealing", "payments", "accounts", "conduct", "customer-care")


async def _on_paper(page: Page, language: str, *paths: str) -> None:
    """What is printed has nothing folded away, and no way to other pages."""
    await page.emulate_media(media="print")
    for path in paths:
        await page.goto(path)
        await expect(page.locator("header nav").first).to_be_hidden()
        folded = page.locator("details:not([open]) table")
        shown = [await folded.nth(at).is_visible() for at in range(await folded.count())]
        assert all(shown), f"{path}: what is folded is not on paper"
        await look(page, f"{language}-print{path.partition('?')[0].replace('/', '-')}", [718], axe=False)
    await page.emulate_media(media="screen")


@pytest.mark.long
@needs_chromium
async def test_every_page_of_the_desk_can_be_read_by_everybody_and_shows_what_others_do(
    pool: Pool, database_url: str, chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [person("h-2"), person("a-3", "approver", "team_lead", "compliance_officer")]
    await People(pool, signed).replace(directory(*people, teams=TEAMS), by=LEAD, at=OPENED_AT)
    waiting = await proposed(pool, tmp_path / "outbox")
    closed = await late_and_closed(pool, tmp_path / "outbox")
    story = Story(pool, tmp_path / "outbox", datetime.now(UTC) - timedelta(hours=1))
    running = await story.open("seen by two")
    doors = doors_over(pool, desk_sign_on="directory", web_address="127.0.0.1:8000", database_url=database_url)
    reports = f"/desk/reports?period={datetime.now(UTC):%Y-%m}"
    act = f"/desk/cases/{waiting}/do"
    paths = [
        "/desk/sign-on",
        "/desk/inbox?view=all",
        f"/desk/cases/{waiting}",
        f"/desk/cases/{closed}",
        f"{act}/propose_resolution",
        f"{act}/note_sign",
        "/desk/find?q=customer",
        "/desk/deadlines?within=30d",
        "/desk/incidents",
        "/desk/faq",
        "/desk/options",
        "/desk/reviews",
        reports,
        *(f"/desk/rules{of}" for of in ("", "/uk-fca", "/uk-fca/letters", "-which", "-check")),
        "/desk/rules-due?packs=uk-fca&received=2026-12-23T16:00",
        "/desk/rules-compare?old=platform-default&packs=uk-fca",
        "/desk/doctor",
    ]
    async with served(create_app(doors)) as url:
        for language, axe in (("en", True), ("zh-CN", False)):
            async with window(chromium, url, language) as page:
                await page.goto("/desk")
                await page.locator("button[value=a-3]").click()
                await page.wait_for_url("**/desk/inbox")
                for path in paths:
                    answer = await page.goto(path)
                    assert answer is not None, path
                    assert answer.status == 200, path
                    await look(page, f"{language}{path.partition('?')[0].replace('/', '-')}", [320], axe=axe)
                await _on_paper(page, language, f"/desk/cases/{closed}", reports)
                await page.goto(reports)
                await page.locator("td a").first.click()
                await expect(page.locator("main ul a").first).to_have_attribute("href", re.compile("/desk/cases/RD-"))
                await look(page, f"{language}-desk-figure", [320, 1200], axe=axe)
                await page.goto(f"{act}/request_information")
                await page.locator("main form .buttons button").click()
                await look(page, f"{language}-desk-wrong", [320], axe=axe)
                await page.locator("#questions").fill("Which order?")
                await page.locator("main form .buttons button").click()
                await look(page, f"{language}-desk-check", [320], axe=axe)
        monkeypatch.setattr("web.desk.case.LOOK_AGAIN", 0.1)
        async with window(chromium, url, "en") as page:
            await _as_handler(page)
            await page.goto(f"/desk/cases/{running}")
            await story.tell("escalated", "given to h-99", by="team_lead:tl-1")
            await expect(page.locator("#timeline")).to_contain_text("given to h-99", timeout=20_000)


async def _as_handler(page: Page) -> None:
    await page.goto("/desk")
    await page.locator("button[value=h-2]").click()
    await page.wait_for_url("**/desk/inbox")


_PROBLEMS = """page => [...page.querySelectorAll(".problems a")].map(
    link => ({text: link.textContent, missing: !page.getElementById(link.getAttribute("href").slice(1))})
)"""
# A page is drawn once, in the language with the longer words.
_SENT_EMPTY = f"""async paths => {{
    const parsed = async answer => new DOMParser().parseFromString(await (await answer).text(), "text/html");
    const found = {{}};
    for (const path of paths) {{
        const {{form}} = (await parsed(fetch(path))).querySelector("main form .buttons button");
        const body = new URLSearchParams(new FormData(form));
        found[path] = ({_PROBLEMS})(await parsed(fetch(form.getAttribute("action") ?? path, {{method: "POST", body}})));
    }}
    return found;
}}"""


@pytest.mark.long
@needs_chromium
async def test_every_form_can_be_read_by_everybody_while_it_says_what_is_wrong(
    pool: Pool, database_url: str, chromium: Browser, tmp_path: Path
) -> None:
    """What is wrong stands above the form in the language of who reads, and leads to a field that there is."""
    await People(pool, signed).replace(directory(person("h-2"), teams=TEAMS), by=LEAD, at=OPENED_AT)
    case = await proposed(pool, tmp_path / "outbox")
    doors = doors_over(pool, desk_sign_on="directory", web_address="127.0.0.1:8000", database_url=database_url)
    paths = [*(f"/desk/cases/{case}/do/{name}" for name in FORMS), OPEN_INCIDENT, f"/desk/cases/{case}/restrictions"]
    async with served(create_app(doors)) as url:
        async with window(chromium, url, "en") as page:
            await _as_handler(page)
            for path in paths:
                await page.goto(path)
                await page.locator("main form .buttons button").first.click()
                await expect(page.locator(".problems a").first).to_be_visible()
                problems = await page.evaluate(f"({_PROBLEMS})(document)")
                assert not [one for one in problems if one["missing"]], path
                await look(page, f"en{path.replace('/', '-')}-wrong", [320])
        async with window(chromium, url, "zh-CN") as page:
            await _as_handler(page)
            for path, problems in (await page.evaluate(_SENT_EMPTY, paths)).items():
                assert problems, path
                assert not [one for one in problems if one["missing"] or ENGLISH.search(one["text"])], path


async def _with_alt(page: Page, key: str) -> None:
    """Alt and *key*. Playwright's own presses lack the letter without Alt, by which browsers know access keys."""
    session = await page.context.new_cdp_session(page)
    said = {"key": key, "windowsVirtualKeyCode": ord(key.upper()), "modifiers": 1, "text": key, "unmodifiedText": key}
    for kind in ("keyDown", "keyUp"):
        await session.send("Input.dispatchKeyEvent", {"type": kind, **said})
    await session.detach()


_REACHED = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
_FOCUSED = """() => {
    const one = document.activeElement;
    if (one === document.body) return null;
    const {outlineStyle, outlineWidth} = getComputedStyle(one);
    return {what: one.outerHTML.slice(0, 80), seen: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2};
}"""


async def _tabbed_through(page: Page) -> int:
    """How many things the Tab key reaches, one after the other, until the page ends; each shows that it is reached."""
    await page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
    for count in range(500):
        await page.keyboard.press("Tab")
        if not (at := await page.evaluate(_FOCUSED)):
            return count
        assert at["seen"], at["what"]
        await expect(page.locator(":focus")).to_be_in_viewport()
    raise AssertionError("the keyboard does not get out of the page")


@pytest.mark.long
@needs_chromium
async def test_a_case_is_found_and_handled_by_keys_alone(
    pool: Pool, database_url: str, chromium: Browser, tmp_path: Path
) -> None:
    await People(pool, signed).replace(directory(person("a-3", "approver"), teams=TEAMS), by=LEAD, at=OPENED_AT)
    waiting = await proposed(pool, tmp_path / "outbox")
    doors = doors_over(pool, desk_sign_on="directory", web_address="127.0.0.1:8000", database_url=database_url)
    async with served(create_app(doors)) as url, window(chromium, url, "en") as page:
        await page.goto("/desk")
        await page.locator("button[value=a-3]").focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/desk/inbox")
        await expect(page.locator("footer")).to_contain_text("f find")
        await _with_alt(page, "5")
        await page.wait_for_url("**/desk/inbox?view=all")
        await _with_alt(page, "f")
        await page.keyboard.type(waiting)
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/desk/cases/{waiting}")
        reached = await page.locator(_REACHED).evaluate_all("all => all.filter(one => one.checkVisibility()).length")
        assert await _tabbed_through(page) == reached
        await _with_alt(page, "n")
        await page.wait_for_url(f"**/desk/cases/{waiting}/do/**")
        await _tabbed_through(page)
        await _with_alt(page, "s")
        await expect(page.locator(".problems, button[name=send]").first).to_be_visible()
        await _with_alt(page, "i")
        await page.wait_for_url("**/desk/inbox")
