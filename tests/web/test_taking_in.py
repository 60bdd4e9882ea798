"""Taking in at the desk what came by telephone, at a branch, by letter or in public."""

import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image

from activities.intake.dealing import Dealing
from domain.case.complaint import Channel
from domain.case.messages.signals import CustomerReply
from domain.ground.words import Role
from domain.intake.received import Ending
from runtime.database import Pool
from tests.intake.test_dealing import Cases, deal
from tests.web.conftest import Browser, signed_in
from web.desk.taking_in import PLACE
from web.doors import Doors
from web.visits import Staff

CAME: Final = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TYPED: Final = {
    "channel": "post",
    "received_at": "2026-03-02T09:30",
    "customer": "李女士",
    "language": "zh-CN",
    "description": "我三月一日申请出金，至今没有到账。",
    "account": "70012345",
    "amount_claimed": "USD 2,500",
}


def picture() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (40, 60), "white").save(content, "PNG")
    return content.getvalue()


@pytest.fixture
async def handler(browser: Browser, doors: Doors) -> Browser:
    """A handler who has signed on."""
    await signed_in(browser, doors, Staff(id="h-1", roles=(Role.HANDLER,)))
    return browser


async def typed(browser: Browser, *letters: bytes, **fields: Any) -> httpx.Response:
    """The form, filled in and sent with a letter as pictures; what comes after it."""
    files = [("files", (f"letter-{number}.png", one, "image/png")) for number, one in enumerate(letters)]
    opened = (await browser.get(PLACE)).text
    message_id = re.search(r'name="message_id" value="([^"]+)"', opened)
    assert message_id
    return await browser.send_form(PLACE, message_id=message_id[1], **{**TYPED, **fields}, files=files or None)


async def seen(browser: Browser, page: httpx.Response) -> httpx.Response:
    """Send what *page* shows, once it was seen."""
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    return await browser.post(PLACE, data={**fields, "send": "yes"})


async def test_a_letter_is_taken_in_once_with_its_picture_from_the_day_on_which_it_came(
    handler: Browser, site: FastAPI, pool: Pool
) -> None:
    shown = await typed(handler, picture())
    assert (shown.status_code, "letter-0.png" in shown.text, "李女士" in shown.text) == (200, True, True)
    assert re.search(r"confirmation by \d+ Mar", shown.text), "from when it came, not from now"
    assert ("wait to be posted" in shown.text, "has missed it from its beginning" in shown.text) == (True, True)
    assert await pool.fetchval("select count(*) from intake.received") == 0, "it was only shown"
    for _ in range(2):  # pressed twice
        sent = await seen(handler, shown)
        assert sent.headers["location"] == "/desk/inbox"
    [row] = await pool.fetch("select key, door, reference, received_at, envelope from intake.received")
    assert (row["door"], row["received_at"], row["envelope"]["by"]) == ("desk", CAME, "handler:h-1")
    assert row["reference"] in (await handler.get("/desk/inbox")).text
    cases = Cases()
    dealing = Dealing(pool, cases, lambda: datetime.now(UTC))
    assert (await deal(dealing, row["key"])).ending is Ending.CASE_OPENED
    [complaint] = cases.started.values()
    assert (complaint.channel, complaint.complainant.name, complaint.language) == (Channel.POST, "李女士", "zh-CN")
    assert (str(complaint.amount_claimed), complaint.received_at) == ("USD 2,500.00", CAME)
    [files] = cases.heard.values()
    assert isinstance(files, CustomerReply)
    assert [one.title for one in files.attachments] == ["letter-0.png"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"received_at": (datetime.now(UTC) + timedelta(days=1)).isoformat()}, "received_at"),
        ({"received_at": "yesterday"}, "received_at"),
        ({"occurred_from": "2026-03-02", "occurred_until": "2026-03-01"}, "occurred_until"),
        ({"customer": ""}, "customer"),
        ({"channel": ""}, "channel"),
        ({"email": "not an address"}, "email"),
        ({"amount_claimed": "2500"}, "amount_claimed"),
        ({"trades": " ".join(map(str, range(101)))}, "trades"),
    ],
)
async def test_what_is_wrong_is_told_at_its_field_and_nothing_that_was_typed_or_chosen_is_lost(
    handler: Browser, pool: Pool, fields: dict[str, str], field: str
) -> None:
    again = (await typed(handler, picture(), **fields)).text
    assert f'id="{field}-error"' in again
    assert ("letter-0.png" in again, TYPED["description"] in again) == (True, True)
    assert await pool.fetchval("select count(*) from intake.received") == 0


async def test_an_id_of_the_form_that_nobody_here_made_is_replaced(handler: Browser) -> None:
    for forged in ("x" * 300, "a\x00b"):
        answer = await handler.send_form(PLACE, message_id=forged, **TYPED)
        assert answer.status_code == 200
        assert re.search(r'name="message_id" value="[0-9a-f-]{36}"', answer.text)


async def test_a_file_that_is_not_taken_is_told_by_its_name(handler: Browser) -> None:
    again = (await typed(handler, b"MZ\x90\x00\x03\x00\x00\x00")).text
    assert ('id="files-error"' in again, "letter-0.png" in again) == (True, True)
