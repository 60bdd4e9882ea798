"""No door opens a case with a time that cannot be: each that asks for one names it, and takes nothing in."""

import csv
import io
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final

import httpx
import pytest
from fastapi import FastAPI

from activities.intake.dealing import Dealing
from channels.taking import take_in
from domain.case.complaint import EARLIEST, FUTURE_TOLERANCE, Complaint
from domain.ground.words import Role
from domain.intake.posts import complaints_in_posts
from domain.intake.received import Door, Unreadable
from domain.intake.regulators import NEEDED, complaints_in_csv
from runtime.database import Pool
from starter.client.complaints import Complaints, InvalidComplaint
from tests.intake.test_dealing import Cases, complaint, deal
from tests.web.conftest import Browser, doors_over, signed_in
from tests.web.test_api import COMPLAINT as TO_THE_API
from tests.web.test_api import problem, service
from tests.web.test_taking_in import typed
from tests.web.test_webhooks import COMPLAINT as TOLD
from tests.web.test_webhooks import NEW, signed, told
from web.api import ROOT
from web.app import create_app
from web.visits import Staff

NEVER: Final = (
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1899, 12, 30, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(1980, 1, 6, tzinfo=UTC),
    datetime.now(UTC) + timedelta(days=3),
    datetime(2286, 11, 20, tzinfo=UTC),
)
"""Empty dates and clocks that nobody set; a clock that runs ahead, and the largest number of seconds in ten digits."""


async def _pages(site: FastAPI, _field: str, at: datetime) -> str:
    async with Browser(site) as browser:
        day = {"year": f"{at.year:04}", "month": str(at.month), "day": str(at.day)}
        answer = await browser.send_form("/complain/when", **day)
    assert answer.status_code == 422
    return "when" if 'id="day-error"' in answer.text else answer.text


async def _desk(site: FastAPI, field: str, at: datetime) -> str:
    async with Browser(site) as browser:
        await signed_in(browser, site.state.doors, Staff(id="h-1", roles=(Role.HANDLER,)))
        answer = await typed(browser, **{field: at.isoformat()[:16]})
    return field if f'id="{field}-error"' in answer.text else answer.text


async def _api(site: FastAPI, field: str, at: datetime) -> str:
    async with service(site, "crm") as crm:
        answer = problem(await crm.says("/complaints", {**TO_THE_API, field: at.isoformat()}), 422)
    return str(answer["errors"][0]["field"])


async def _webhook(site: FastAPI, field: str, at: datetime) -> str:
    content = told("complaint", {**TOLD, field: at.isoformat()})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://127.0.0.1") as client:
        answer = await client.post(f"{ROOT}/webhooks/chat", content=content, headers=signed(content))
    return str(problem(answer, 422)["errors"][0]["field"])


async def _posts(_site: FastAPI, field: str, at: datetime) -> str:
    post = {"id": "1", field: at.isoformat(), "text": "No payout."}
    [one] = complaints_in_posts(json.dumps([post]), "weibo", datetime.now(UTC))
    assert isinstance(one, Unreadable)
    return str(one).removeprefix("post 1: ").partition(":")[0]


async def _regulator(_site: FastAPI, field: str, at: datetime) -> str:
    row = {**dict.fromkeys(NEEDED, "1"), field: at.date().isoformat()}
    content = io.StringIO()
    csv.DictWriter(content, row).writerows([{name: name for name in row}, row])
    [one] = complaints_in_csv(content.getvalue(), datetime.now(UTC))
    assert isinstance(one, Unreadable)
    return str(one).removeprefix("line 2: ").partition(":")[0]


async def _client(_site: FastAPI, field: str, at: datetime) -> str:
    with pytest.raises(InvalidComplaint) as refused:
        await Complaints(None).submit(complaint().model_copy(update={field: at}))  # type: ignore[arg-type]
    return str(refused.value).partition(":")[0]


HAPPENED: Final = ("occurred_from", "occurred_until")
DOORS: Final[Mapping[Callable[[FastAPI, str, datetime], Awaitable[str]], tuple[Door | None, tuple[str, ...]]]] = {
    _pages: (Door.PAGES, ("when",)),
    _desk: (Door.DESK, ("received_at", *HAPPENED)),
    _api: (Door.API, ("received_at", *HAPPENED)),
    _webhook: (Door.WEBHOOK, HAPPENED),
    _posts: (Door.FILE, ("time",)),
    _regulator: (Door.FILE, ("Date received", "Date sent to company")),
    _client: (None, ("received_at", *HAPPENED)),
}
"""Each way in, with the door of the intake that it is, and the fields in which it asks for a time."""


def test_every_door_is_tried_and_mail_has_a_test_of_its_own() -> None:
    assert {door for door, _ in DOORS.values() if door} | {Door.MAIL} == set(Door)


@pytest.mark.parametrize(("way", "field"), [(way, field) for way, (_, fields) in DOORS.items() for field in fields])
async def test_a_time_that_cannot_be_is_refused_by_the_name_of_its_field(
    pool: Pool, way: Callable[[FastAPI, str, datetime], Awaitable[str]], field: str
) -> None:
    site = create_app(doors_over(pool, webhooks={"chat": [NEW]}))
    assert {at: await way(site, field, at) for at in NEVER} == dict.fromkeys(NEVER, field)
    assert await pool.fetchval("select count(*) from intake.received") == 0


@pytest.mark.parametrize("at", NEVER)
async def test_what_the_clock_of_who_writes_a_mail_says_counts_for_nothing(pool: Pool, at: datetime) -> None:
    raw = f"From: a@example.com\r\nSubject: x\r\nDate: {format_datetime(at)}\r\n\r\nNo payout, help.\r\n".encode()
    cases = Cases()
    taken = await take_in(pool, raw, {"by": "imap"})
    await deal(Dealing(pool, cases, lambda: datetime.now(UTC)), taken.key)
    [opened] = cases.started.values()
    assert abs(opened.received_at - datetime.now(UTC)) < FUTURE_TOLERANCE


@pytest.mark.parametrize("field", ["received_at", *HAPPENED])
def test_the_first_moment_and_the_last_one_that_can_be_are_taken(field: str) -> None:
    now = datetime.now(UTC)
    for good, bad in ((EARLIEST, -timedelta.resolution), (now + FUTURE_TOLERANCE, timedelta.resolution)):
        given: Complaint = complaint().model_copy(update={field: good})
        given.check_times(now)
        with pytest.raises(ValueError, match=f"^{field}: "):
            given.model_copy(update={field: good + bad}).check_times(now)
