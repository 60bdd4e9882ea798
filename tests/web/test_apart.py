"""What takes longer than a page goes on apart: it is done once, kept for a while, and its page says so."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI

import web.apart
import web.desk.reports
from domain.ground.words import Role
from runtime.database import Pool
from starter.reports.making import make_report
from tests.patience import eventually
from tests.web.conftest import Browser, signed_in
from web.apart import Apart
from web.doors import Doors
from web.visits import Staff


async def test_what_takes_long_is_done_once_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    apart, may_end, begun = Apart(), asyncio.Event(), 0
    monkeypatch.setattr(web.apart, "_QUICK", 0.0)

    async def work() -> int:
        nonlocal begun
        begun += 1
        await may_end.wait()
        return begun

    assert [await apart.ask("it", work, patience=0.01) for _ in range(3)] == [None] * 3
    may_end.set()
    assert await apart.ask("it", work) == 1
    assert (await apart.ask("it", work), apart.kept("it"), apart.kept("other")) == (1, 1, None)
    monkeypatch.setattr(web.apart, "_HOLDS", 0.0)
    assert await apart.ask("other", work) == 2
    may_end.clear()
    assert await apart.ask("other", work, patience=0.01) == 2, "what came of it before, while it is done anew"
    assert begun == 3
    may_end.set()
    assert await apart.ask("other", work) == 3


async def test_what_is_quick_is_done_for_each_who_asks_and_what_fails_is_said_to_them() -> None:
    apart, begun = Apart(), 0

    async def work() -> int:
        nonlocal begun
        begun += 1
        if begun == 3:
            raise LookupError
        return begun

    assert [await apart.ask("it", work) for _ in range(2)] == [1, 2]
    with pytest.raises(LookupError):
        await apart.ask("it", work)
    assert (await apart.ask("it", work), apart.kept("it")) == (4, None)


async def test_a_report_that_takes_long_is_made_meanwhile(
    site: FastAPI, doors: Doors, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end = asyncio.Event()

    async def slow(*args: Any, **options: Any) -> Any:
        await may_end.wait()
        return await make_report(*args, **options)

    monkeypatch.setattr(web.desk.reports, "make_report", slow)
    monkeypatch.setattr(web.apart, "_QUICK", 0.0)
    monkeypatch.setattr(Apart.ask, "__kwdefaults__", {"patience": 0.05})
    async with Browser(site) as browser:
        await signed_in(browser, doors, Staff(id="c-1", roles=(Role.COMPLIANCE_OFFICER,)))

        async def is_told() -> bool:
            return "2026-01/csv" in (await browser.get("/desk/reports?period=2026-01")).text

        assert "is being made" in (await browser.get("/desk/reports?period=2026-01")).text
        sent = await browser.get("/desk/reports/2026-01/csv")
        assert sent.headers["location"] == "/desk/reports?period=2026-01"
        may_end.set()
        await eventually(is_told, "the report")
        cut_off = await pool.fetchval("select reporting.settled()")
        may_end.clear()
        kept = await browser.get(f"/desk/reports/2026-01/csv?cut_off={cut_off}")
        assert kept.status_code == 200, "the file is of the report that is shown"
        may_end.set()
