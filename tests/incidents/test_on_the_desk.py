"""An incident on the desk, in a real browser: its list is decided by who may, and each sees before what it causes."""

import pytest
from playwright.async_api import Browser, Page, expect

from domain.ground.words import IncidentStage
from starter.client.directory import People
from tests.incidents.minute import FAULT, bad_minute, new
from tests.incidents.test_incident_workflow import ALL, Desk, desk, env
from tests.people.support import LEAD, TODAY, directory, person
from tests.signing import signed, the_issuer
from tests.web.chromium import look, needs_chromium, served, window
from tests.web.conftest import chromium, doors_over
from web.app import create_app

NEW = new()
__all__ = ["chromium", "desk", "env"]


async def _as(page: Page, who: str, path: str) -> None:
    await page.goto("/desk")
    await page.locator(f"button[value={who}]").click()
    await page.wait_for_url("**/desk/inbox")
    await page.goto(path)


async def _open(page: Page) -> None:
    """Open the incident of the fault as the dealer, who is told before what it causes."""
    typed = {"symbol": "GOLD", "since": f"{FAULT.since:%Y-%m-%d %H:%M:%S}", "until": "later", "per_minute": "1"}
    await _as(page, "d-1", "/desk/incidents")
    await page.locator("main .buttons a").click()
    for name, text in typed.items():
        await page.locator(f"[name={name}]").fill(text)
    await page.locator("main form .buttons button").click()
    await expect(page.locator("#problems-title + ul")).to_contain_text("Write a date and a time")
    await page.locator("[name=until]").fill(FAULT.until.isoformat())
    await page.locator("main form .buttons button").click()
    await expect(page.locator("#problems-title + ul")).to_contain_text("no instrument GOLD")
    await look(page, "desk-incident-opening-refused", [320])
    await page.locator("[name=symbol]").fill(FAULT.symbol or "")
    await page.locator("main form .buttons button").click()
    await expect(page.locator("main section")).to_contain_text("6 orders of 6 accounts")
    await look(page, "desk-incident-opening")
    await page.locator("button[name=send]").click()
    await expect(page.locator("[role=status]")).to_contain_text(NEW.reference)


@pytest.mark.long
@needs_chromium
async def test_an_incident_is_opened_and_its_list_decided_by_who_may_and_each_sees_before_what_it_causes(
    desk: Desk, chromium: Browser, database_url: str
) -> None:
    await bad_minute(desk.pool)
    conflict = {"account": "70019999", "first": TODAY, "why": "family"}
    people = [person("d-1"), person("a-3", "approver", conflicts=[conflict])]
    await People(desk.pool, signed).replace(directory(*people), by=LEAD)
    doors = doors_over(
        desk.pool,
        desk.env.client,
        task_queue=desk.task_queue,
        desk_sign_on="directory",
        web_address="127.0.0.1:8000",
        database_url=database_url,
    )
    doors.kept["issuer"] = the_issuer()
    async with served(create_app(doors)) as url:
        async with window(chromium, url, "en") as page:
            await _open(page)
            reference = NEW.reference
            path = f"/desk/incidents/{reference}"
            await desk.listed(reference)
            await page.goto(f"{path}/do/decide_incident")
            await page.locator("[name=decision][value=approve]").check()
            await page.locator("main form .buttons button").click()
            await expect(page.locator("#problems-title + ul")).to_contain_text("never by who opened")
            await look(page, "desk-incident-refused", [320])
            await page.locator("[name=decision][value=dismiss]").check()
            await page.locator("main form .buttons button").click()
            await expect(page.locator("#problems-title + ul")).to_contain_text("they are needed")
        async with window(chromium, url, "zh-CN") as page:
            await _as(page, "a-3", path)
            await look(page, "desk-incident")
            await page.locator("nav.buttons a").click()
            await look(page, "desk-incident-form")
            await page.locator("[name=decision][value=approve]").check()
            await page.locator("main form .buttons button").click()
            await expect(page.locator("main")).to_contain_text("受损 3 个，合计 USD 4,271.80")
            await look(page, "desk-incident-check")
            await page.locator("button[name=send]").click()
            await page.wait_for_url(f"**{path}")
            assert (await desk.incidents.progress(reference)).stage is IncidentStage.COMPENSATING
            await page.reload()
            await expect(page.locator("nav.buttons")).to_contain_text("暂停")
            await page.goto(f"{path}/do/resume_incident")
            await page.locator("[name=per_minute]").fill("6000")
            await page.locator("main form .buttons button").click()
            await page.locator("button[name=send]").click()
            await page.wait_for_url(f"**{path}")
            answer = await page.goto(f"{path}/do/nothing")
            assert answer is not None
            assert answer.status == 404
    await desk.ended(reference)
    assert await desk.paid() == ALL
