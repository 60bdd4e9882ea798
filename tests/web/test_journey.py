"""A customer's whole way in a real browser, in Chinese: complain, be asked, answer, disagree, accept, rate."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect
from temporalio.testing import WorkflowEnvironment

from domain.ground.people import Actor
from domain.ground.words import Role
from domain.money.amounts import PositiveMoney
from runtime.database import Pool
from runtime.settings import load_settings
from runtime.temporal import register_search_attributes
from starter.client.complaints import Complaints
from tests.intake.test_dealing import complaint
from tests.on_file import put_on_file
from tests.patience import PATIENCE, eventually
from tests.web.chromium import look, needs_chromium, served, window
from tests.web.conftest import doors_over
from tests.web.test_complaining import ANSWERS
from tests.web.test_files import picture
from tests.web.test_in_a_browser import fill_in
from tests.web.test_mine import mail_in
from web.app import create_app
from web.live import Live
from worker import build_worker
from workflows.search_attributes import KEYS

HANDLER = [Actor(id=f"h-{number}", role=Role.HANDLER) for number in (17, 18)]  # who looks again is somebody else
APPROVER = [Actor(id="a-3", role=Role.APPROVER), Actor(id="co-1", role=Role.COMPLIANCE_OFFICER)]
"""Of each round: what was decided before is reviewed by a superior."""
MILLISECONDS = PATIENCE * 1000


@pytest.mark.long
@needs_chromium
async def test_a_customer_is_taken_from_the_first_word_to_the_last_though_a_worker_dies_on_the_way(
    dev_server_env: WorkflowEnvironment, pool: Pool, task_queue: str, chromium: Browser, tmp_path: Path
) -> None:
    client = dev_server_env.client
    await register_search_attributes(client, KEYS)
    who = {"name": ANSWERS["you"]["name"], "email": ANSWERS["you"]["email"]}
    await put_on_file(pool, complaint().model_copy(update={"account": ANSWERS["account"]["account"]}))
    doors = doors_over(pool, client, outbox_dir=tmp_path / "codes", task_queue=task_queue)
    doors.live = Live(pool, often=0.1)
    complaints = Complaints(client, task_queue=task_queue)
    expect.set_options(timeout=MILLISECONDS)

    @asynccontextmanager
    async def a_worker() -> AsyncIterator[None]:
        settings = load_settings(task_queue=task_queue, outbox_dir=tmp_path / "letters")
        async with build_worker(client, pool, settings):
            yield

    async with served(create_app(doors)) as url, window(chromium, url) as page:
        page.set_default_timeout(MILLISECONDS)
        async with a_worker():
            reference = await _complain(page, tmp_path)
            await _sign_in(page, tmp_path / "codes", who["email"])
            await page.get_by_role("link", name=reference).click()
            await expect(page.locator("main")).to_contain_text("我们的信函")
            await expect(page.get_by_text("等待您答复").first).to_be_visible()
        # Nobody works now; what the customer says is kept.
        await page.goto(f"/mine/{reference}")
        await page.locator("#text").fill("补充：当时报价与其他平台不同。")
        await page.locator("main form button").click()
        await expect(page.get_by_text("正在归入案卷")).to_be_visible()
        await look(page, "zh-CN-case")
        async with a_worker():
            # without loading the page again
            await expect(page.locator(".said").first).to_contain_text("补充：当时报价")
            await _answered(pool, complaints, reference, 0)
            await page.get_by_role("link", name="提出异议").first.click()
            await page.locator("#text").fill("金额不对。")
            await page.locator("main form button").click()
            await expect(page.get_by_text("已记录您的异议")).to_be_visible()
            await expect(page.get_by_text("决定阶段")).to_be_visible()
            await _answered(pool, complaints, reference, 1)
            await look(page, "zh-CN-answered")
            await expect(page.get_by_text("投诉成立", exact=True)).to_be_visible()
            await _choose_post(page, pool, reference)
            await page.get_by_role("link", name="接受处理决定").first.click()
            await page.get_by_role("button", name="接受").click()
            await expect(page.get_by_text("如仍有问题，请现在告诉我们")).to_be_visible()
            await page.goto(f"/mine/{reference}?do=rate")
            await page.get_by_label("非常满意").check()
            await page.locator("main form button").click()
            await expect(page.get_by_text("谢谢，已收到您的评价")).to_be_visible()
            await eventually(lambda: _is_rated(pool, reference), "the rating is in the case file")
    assert await pool.fetchval("select count(*) from casefile.cases") == 1
    assert await pool.fetchval("select count(*) from casefile.rejected_messages") == 0
    await client.get_workflow_handle(reference).terminate()


async def _choose_post(page: Page, pool: Pool, reference: str) -> None:
    await page.goto(f"/mine/{reference}?do=channel")
    await page.locator("main form button").click()
    await look(page, "zh-CN-channel")
    await page.get_by_label("邮寄").check()
    await page.locator("main form button").click()
    await expect(page.get_by_text("已记录您对信函的选择")).to_be_visible()
    await eventually(lambda: _has_chosen(pool, reference), "the case has heard it")


async def _has_chosen(pool: Pool, reference: str) -> bool:
    said = "select text from casefile.timeline where reference = $1 and kind = 'choose_channel'"
    return "to be written to by post" in str(await pool.fetchval(said, reference))


async def _complain(page: Page, folder: Path) -> str:
    (folder / "截图.png").write_bytes(picture())
    await page.goto("/complain/what")
    for name in ANSWERS:
        await fill_in(page, name)
    await page.set_input_files("#files", folder / "截图.png")
    await page.locator("main form button").first.click()
    await page.locator("main form button").click()
    return str(await page.locator(".reference").inner_text())


async def _sign_in(page: Page, codes: Path, email: str) -> None:
    await page.get_by_role("link", name="我的投诉").first.click()
    await page.locator("#email").fill(email)
    await page.locator("main form button").click()
    code = re.search(r"\d{4} \d{4}", await mail_in(codes))
    assert code
    await page.locator("#code").fill(code[0])
    await page.locator("main form button").click()


async def _answered(pool: Pool, complaints: Complaints, reference: str, number: int) -> None:
    """Two persons decide, and the customer is told."""
    await eventually(lambda: _stage(pool, reference, "deciding"), "it is to be decided")
    loss = PositiveMoney(amount=Decimal("1314.40"), currency="USD")
    await complaints.propose_resolution(
        reference, by=HANDLER[number], outcome="upheld", reasons="报价有误。", compensation=loss
    )
    await complaints.approve(reference, by=APPROVER[number])
    await eventually(lambda: _stage(pool, reference, "responded"), "it is answered")


async def _stage(pool: Pool, reference: str, *stages: str) -> bool:
    return await pool.fetchval("select stage from casefile.cases where reference = $1", reference) in stages


async def _is_rated(pool: Pool, reference: str) -> bool:
    kinds = await pool.fetchval("select array_agg(kind) from casefile.timeline where reference = $1", reference)
    return "record_feedback" in kinds
