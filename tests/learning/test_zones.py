"""In whose days a report counts: the firm says it once, and every way to a report goes by it and names it."""

import csv
from datetime import UTC, datetime
from io import StringIO

import pytest

from bench.reporting import facts_rows
from domain.learning.facts import CaseFact
from runtime.database import Pool
from runtime.settings import ConfigurationError, load_settings
from starter.cli.actions import _order as report_order
from starter.cli.process import _order as process_order
from starter.cli.reviews import _order as review_order
from starter.upkeep.api_keys import Scope
from tests.cli.command_line import CommandLine
from tests.cli.conftest import redress as redress  # noqa: PLC0414 (a fixture)
from tests.web.conftest import doors_over
from tests.web.test_api import service
from tests.web.test_desk import signed_on
from web.app import create_app

SHANGHAI = "Asia/Shanghai"
LATE = CaseFact("RD-1", datetime(2026, 10, 31, 20, 0, tzinfo=UTC), "cn-banking", "web", category="execution")
"""Received in October by UTC, on the first of November in Shanghai."""


async def test_the_desk_the_command_line_and_the_api_count_in_the_days_of_the_firm_and_name_them(
    pool: Pool, database_url: str, redress: CommandLine
) -> None:
    await pool.executemany(
        "insert into reporting.facts (reference, kind, at, key, data) values ($1, $2, $3, $4, $5)",
        list(facts_rows(LATE)),
    )
    redress.set("DATABASE_URL", database_url)
    for zone, opened in ((SHANGHAI, "1"), ("UTC", "0")):
        redress.set("REDRESS_REPORT_ZONE", zone)
        data = (await redress("report", "month", "2026-11", "--json")).data
        assert f"days of {zone}" in (await redress("report", "month", "2026-11")).out
        site = create_app(doors_over(pool))
        async with service(site, "core", Scope.READ, Scope.EVERY_SOURCE) as core:
            told = (await core.get("/reports/2026-11")).json()
        assert (told["hash"], told["report"]["period"]["zone"]) == (data["hash"], zone)
        async with signed_on(site, "h-2") as desk:
            page = (await desk.get("/desk/reports?period=2026-11")).text
            file = (await desk.get("/desk/reports/2026-11/csv")).text
        assert f"days of {zone}" in page
        (row,) = (one for one in csv.DictReader(StringIO(file)) if one["key"] == "balance.total.opened")
        assert (row["value"], row["period"], row["zone"]) == (opened, "2026-11", zone)
    there = (await redress("report", "month", "2026-11", "--zone", SHANGHAI, "--json")).data
    assert there["period"]["zone"] == SHANGHAI


def test_what_is_scheduled_goes_by_the_days_of_the_firm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDRESS_REPORT_ZONE", SHANGHAI)
    orders = (report_order(None), review_order(None, 5, 14), process_order("half-year", None, 30))
    assert {one.zone for one in orders} == {SHANGHAI}
    assert report_order("UTC").zone == "UTC"


@pytest.mark.parametrize("zone", ["Mars/Base", "../x"])
def test_what_is_no_zone_is_refused_by_the_settings(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDRESS_REPORT_ZONE", zone)
    with pytest.raises(ConfigurationError, match=r"REDRESS_REPORT_ZONE: .*time zone"):
        load_settings()
