"""A customer complains on the pages while Temporal is down."""

import asyncio
import html
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest
from fastapi import FastAPI

from domain.ground.words import IncidentStage
from domain.intake.received import complaint_in
from runtime.database import Pool
from runtime.files import LARGEST, MOST
from tests.incidents.minute import bad_minute, new
from tests.incidents.test_cohort import Desk
from tests.scanning import unsealed
from tests.web.conftest import Browser, doors_over, signed_in
from tests.web.test_files import document, picture
from web.app import create_app
from web.doors import Doors
from web.portal.answers import QUESTIONS
from web.security import LARGEST_REQUEST
from web.visits import Customer

ANSWERS = {
    "what": {"description": "止损被错误报价触发。\n请核实。"},
    "when": {"year": "2026", "month": "3", "day": "27"},
    "account": {"account": "70012345", "trades": "50010001，50010002\n50010001"},
    "sought": {"remedy": "compensation", "amount": "1,314.40", "currency": "USD"},
    "you": {"name": "李雷", "email": "li.lei@example.com", "phone": ""},
}


async def answer(browser: Browser, *questions: str) -> None:
    """Answer these questions as asked."""
    for name in questions or ANSWERS:
        answered = await browser.send_form(f"/complain/{name}", **ANSWERS[name])
        assert answered.status_code == 303, answered.text


async def test_a_complaint_is_taken_in_once_with_its_files_and_the_receipt_tells_what_happens_next(
    site: FastAPI, pool: Pool
) -> None:
    async with Browser(site, "zh-CN") as browser:
        assert (await browser.get("/complain/check")).headers["location"] == "/complain/what"
        await answer(browser)
        chosen = [("files", ("账单.pdf", document())), ("files", ("screen.png", picture()))]
        added = await browser.send_form("/complain/files", files=chosen, more="yes")
        assert added.headers["location"] == "/complain/files"
        page = (await browser.get("/complain/files")).text
        name = re.search(r'name="name" value="(\w+)">移除<span class="unseen"> screen', page)
        assert name
        await browser.send_form("/complain/files", "/complain/files/remove", name=name[1])
        check = (await browser.get("/complain/check")).text
        assert "2026年3月27日" in check
        assert "US$1,314.40" in check
        assert "50010001、50010002" in check
        assert "账单.pdf" in check
        assert "screen.png" not in check
        for _ in range(2):
            assert (await browser.send_form("/", "/complain/check")).headers["location"] == "/complain/sent"
        assert (await browser.get("/complain/check")).headers["location"] == "/complain/sent", "who goes back is told"
        receipt = (await browser.get("/complain/sent")).text
    row = await pool.fetchrow("select * from intake.received")
    assert row
    assert row["reference"] in receipt
    assert re.search(r"最迟于\d+年\d+月\d+日 \d\d:\d\d", receipt)
    complaint = complaint_in(row["raw"], row["received_at"])
    assert complaint.reference == row["reference"]
    assert (complaint.trades, complaint.complainant.name) == (("50010001", "50010002"), "李雷")
    assert await pool.fetchval("select array_agg(title) from intake.files") == ["账单.pdf"]
    assert await pool.fetchval("select count(*) from intake.waiting") == 1
    assert await unsealed(pool) == []
    assert "li.lei" not in json.dumps(row["envelope"])
    assert "li.lei" not in row["sender"]


async def test_what_is_sent_twice_at_once_is_one_complaint_and_the_same_file_goes_with_another_one(
    doors: Doors, browser: Browser, pool: Pool
) -> None:
    today = datetime.now(UTC)
    day = {"year": str(today.year), "month": str(today.month), "day": str(today.day)}
    for description in ("Of this morning.", "Of another matter."):
        await answer(browser)
        await browser.send_form("/complain/what", description=description)
        assert (await browser.send_form("/complain/when", **day)).status_code == 303
        await browser.send_form("/complain/files", files={"files": ("screen.png", picture())})
        await signed_in(browser, doors, Customer(address="li.lei@example.com"))
        check = (await browser.get("/complain/check")).text
        assert "screen.png" in check, "what was chosen before signing in"
        token = re.search(r'name="form_token" value="(\w+)"', check)
        assert token
        sending = [browser.post("/complain/check", data={"form_token": token[1]}) for _ in range(3)]
        assert [each.headers.get("location") for each in await asyncio.gather(*sending)] == ["/complain/sent"] * 3
    assert await pool.fetchval("select array_agg(title) from intake.files") == ["screen.png", "screen.png"]
    assert await pool.fetchval("select count(*) from intake.received") == 2


async def test_what_is_wrong_is_told_above_the_form_and_at_the_field_and_what_was_typed_stays(browser: Browser) -> None:
    wrong: dict[str, dict[str, str]] = {
        "what": {"description": " "},
        "when": {"day": "31", "month": "2", "year": "2026"},
        "account": {"account": "70 01", "trades": "<script>"},
        "sought": {"amount": "-5", "currency": "USD"},
        "you": {"name": "", "email": "nobody at home", "phone": "none"},
    }
    for question in QUESTIONS[:-1]:
        path = f"/complain/{question.name}"
        answered = await browser.send_form(path, **wrong[question.name])
        assert answered.status_code == 422
        assert "<title>Error: " in answered.text
        for field in re.findall(r'<a href="#(\w+)">', answered.text):
            assert f'id="{field}"' in answered.text
            assert f'id="{field}-error"' in answered.text
        for page in (answered, await browser.get(path)):
            for typed in wrong[question.name].values():
                assert typed.strip().replace("<", "&lt;").replace(">", "&gt;") in page.text
    long = await browser.send_form("/complain/you", name="x" * 201, email="li.lei@example.com")
    assert "200 characters or fewer" in long.text, "who typed a name is not told to type one"
    chosen: Any = [("files", ("x.exe", b"MZ\x90\0" + b"\0" * 99)), ("files", ("<b>.txt", b""))]
    refused = await browser.send_form("/complain/files", files=chosen)
    for told in ("x.exe must be a picture", "&lt;b&gt;.txt is empty"):
        assert refused.text.count(told) == 2, "of each file, above the form and at the field"
    too_many: Any = [("files", (f"{number}.txt", b"note %d" % number)) for number in range(MOST + 1)]
    assert f"You may add {MOST} files" in (await browser.send_form("/complain/files", files=too_many)).text
    assert LARGEST_REQUEST > MOST * LARGEST, "as many and as large files as the page tells of"
    assert (await browser.get("/complain/nothing")).status_code == 404


async def test_forms_that_are_sent_at_the_same_time_hold_no_more_files_together(browser: Browser, pool: Pool) -> None:
    opened = await browser.get("/complain/files")
    token = re.search(r'name="form_token" value="(\w+)"', opened.text)
    assert token

    async def add(form: int) -> str:
        files: Any = [("files", (f"{form}-{number}.txt", b"note %d of %d" % (number, form))) for number in range(4)]
        sent = await browser.post("/complain/files", data={"form_token": token[1], "more": "yes"}, files=files)
        return sent.text

    answers = await asyncio.gather(*(add(form) for form in range(6)))
    assert await pool.fetchval("select count(*) from web.held_files") == MOST
    assert sum(f"You may add {MOST} files" in text for text in answers) >= 3


async def test_numbers_count_as_they_are_typed_on_a_chinese_keyboard_or_copied_from_elsewhere(
    browser: Browser, pool: Pool
) -> None:
    full_width = {
        "what": {"description": "止损，滑点。"},
        "when": {"year": "２０２６", "month": "３", "day": "２７"},
        "account": {"account": "７００１２３４５", "trades": "５００１０００１；50010002、50010003"},
        "sought": {"remedy": "refund", "amount": "￥１，３１４.４０ 元", "currency": "CNY"},
        "you": {"name": "李雷", "email": "li.lei＠example.com", "phone": "\u202d138 0013 8000\u202c"},
    }
    for name, fields in full_width.items():
        answered = await browser.send_form(f"/complain/{name}", **fields)
        assert answered.status_code == 303, answered.text
    await browser.send_form("/", "/complain/check")
    row = await pool.fetchrow("select * from intake.received")
    assert row
    complaint = complaint_in(row["raw"], row["received_at"])
    assert (complaint.account, complaint.trades) == ("70012345", ("50010001", "50010002", "50010003"))
    assert (complaint.complainant.email, complaint.complainant.phone) == ("li.lei@example.com", "138 0013 8000")
    assert str(complaint.amount_claimed) == "CNY 1,314.40"
    assert complaint.description == "止损，滑点。", "words stay as they were written"


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_a_date_counts_if_there_was_such_a_day_anywhere_and_every_one_that_counts_can_be_sent(
    site: FastAPI, pool: Pool, language: str
) -> None:
    first = datetime.now(timezone(timedelta(hours=14))).date()  # where today begins
    no_days = {(2026, 2, 30), (26, 3, 27), (1, 1, 1), (1970, 1, 1), (9999, 12, 31)}
    days = {(first.year, first.month, first.day), (1981, 1, 2)}
    async with Browser(site, language) as browser:
        for year, month, day in [*no_days, *days]:
            await answer(browser)
            typed = {"year": str(year), "month": str(month), "day": str(day)}
            told = await browser.send_form("/complain/when", **typed)
            assert told.status_code == (303 if (year, month, day) in days else 422), typed
            if told.status_code == 303:
                sent = await browser.send_form("/", "/complain/check")
                assert sent.headers["location"] == "/complain/sent"
    assert await pool.fetchval("select count(*) from intake.received") == len(days)


async def test_who_chooses_the_other_language_is_on_the_same_page_also_where_something_is_wrong(
    browser: Browser,
) -> None:
    wrong = await browser.send_form("/complain/what", description="")
    for page, back in ((wrong, "/complain/what"), (await browser.get("/sign-in?next=/mine"), "/sign-in?next=/mine")):
        found = re.search(r'action="/language".*?name="back" value="([^"]*)"', page.text, re.DOTALL)
        assert found
        assert found[1] == back


async def test_after_a_change_one_is_back_on_the_page_that_checks_it_all(browser: Browser) -> None:
    await answer(browser)
    changed = await browser.send_form("/complain/when?from=check", "/complain/when", **{"from": "check"})
    assert changed.headers["location"] == "/complain/check"


async def test_what_somebody_typed_is_nobody_elses(site: FastAPI, browser: Browser) -> None:
    await answer(browser, "what")
    async with Browser(site) as other:
        assert "止损" not in (await other.get("/complain/what")).text
    assert "止损" in (await browser.get("/complain/what")).text


async def test_what_was_typed_and_the_receipt_are_deleted_for_whoever_uses_the_device_next(browser: Browser) -> None:
    await answer(browser)
    await browser.send_form("/complain/files", files={"files": ("screen.png", picture())})
    assert (await browser.send_form("/complain", "/complain/forget")).headers["location"] == "/complain"
    assert "止损" not in (await browser.get("/complain/what")).text
    assert "screen.png" not in (await browser.get("/complain/files")).text
    await answer(browser)
    await browser.send_form("/", "/complain/check")
    assert "RD-" in (await browser.get("/complain/sent")).text
    await browser.send_form("/complain/sent", "/complain/forget")
    assert (await browser.get("/complain/sent")).headers["location"] == "/complain"


async def test_the_public_pages_tell_steps_times_and_where_else_to_turn(site: FastAPI) -> None:
    for language in ("en", "zh-CN"):
        async with Browser(site, language) as browser:
            for path in ("/", "/how", "/complain"):
                assert (await browser.get(path)).status_code == 200


async def test_a_fault_that_is_known_is_told_before_somebody_complains_of_it_once_somebody_approved_that(
    site: FastAPI, doors: Doors, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bad_minute(pool)
    incident = new()
    await Desk(pool).open(incident)
    since = incident.fault.since
    stages = {**dict.fromkeys(IncidentStage, False), IncidentStage.COMPENSATING: True, IncidentStage.CLOSED: True}
    for stage, told in stages.items():
        await pool.execute("update casefile.incidents set stage = $1", stage)
        for days in (1, 61):
            now = since + timedelta(days=days)
            monkeypatch.setattr(doors, "clock", partial(datetime.fromtimestamp, now.timestamp(), UTC))
            for language in ("en", "zh-CN"):
                async with Browser(site, language) as browser:
                    for path in ("/complain", "/how"):
                        text = html.unescape((await browser.get(path)).text)
                        shown = incident.title.in_language(language) in text
                        assert shown is (told and days == 1), (stage, days, path)


async def test_where_the_rules_give_no_dates_the_page_speaks_of_none(pool: Pool) -> None:
    for policy, told in (("platform-default", True), ("eu-mifid", False)):  # that one leaves its time to the firm
        async with Browser(create_app(doors_over(pool, default_policy=policy)), "zh-CN") as browser:
            page = await browser.get("/how")
            assert (page.status_code, "上述日期" in page.text, "最迟于" in page.text) == (200, told, told)
