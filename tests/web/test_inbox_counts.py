"""The numbers at the views of the inbox are the same, whichever view is open and whatever it is filtered by."""

import re

import pytest

import web.desk.inbox
from activities.case.case_file import CaseFile
from domain.ground.words import Role
from starter.reading.worklist import View
from tests.reading.test_worklist import case_file as case_file  # noqa: PLC0414 (a fixture)
from tests.reading.test_worklist import several
from tests.web.conftest import Browser, signed_in
from web.app import create_app
from web.doors import Doors
from web.visits import Staff


@pytest.mark.parametrize("at_once", [2, 50])
async def test_what_waits_for_approval_is_counted_the_same_in_every_view(
    doors: Doors, case_file: CaseFile, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    await several(doors.pool, case_file)
    monkeypatch.setattr(web.desk.inbox, "_AT_ONCE", at_once)
    async with Browser(create_app(doors)) as browser:
        await signed_in(browser, doors, Staff(id="a-1", roles=(Role.APPROVER,)))
        asked = [*(f"view={one.value}" for one in View), "view=approval&priority=p1", "view=approval&overdue=yes"]
        pages = [(await browser.get(f"/desk/inbox?{one}")).text for one in asked]
    counted = [re.findall(r'view=(\w+)[^>]*>[^<]*<span class="count">([\d,+]+)', page) for page in pages]
    assert dict(counted[0])["approval"] == "3"
    assert all(one == counted[0] for one in counted)
