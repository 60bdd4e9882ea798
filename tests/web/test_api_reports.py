"""Reports by the API: the same figures as everywhere, for programs that see all cases and for nobody else."""

from fastapi import FastAPI

from domain.learning.periods import Period
from runtime.database import Pool
from starter.reports.making import make_report
from starter.upkeep.api_keys import Scope
from tests.case.support import OPENED_AT, keeping
from tests.people.test_hands import opened_as
from tests.web.test_api import problem, service

MONTH = f"{OPENED_AT:%Y-%m}"


async def test_it_has_the_figures_of_all_other_ways_and_opens_them(site: FastAPI, pool: Pool) -> None:
    reference, _ = await opened_as(keeping(pool), source="crm")
    report = await make_report(pool, Period.named(MONTH))
    async with service(site, "core", Scope.READ, Scope.EVERY_SOURCE) as core:
        answer = (await core.get(f"/reports/{MONTH}")).json()
        assert (answer["hash"], answer["report"]) == (report.hash, report.model_dump(mode="json"))
        await opened_as(keeping(pool), source="erp")
        again = await core.get(f"/reports/{MONTH}", params={"cut_off": report.cut_off})
        assert again.json() == answer
        asked: dict[str, int | str] = {"cut_off": report.cut_off, "figure": "balance.total.opened"}
        assert (await core.get(f"/reports/{MONTH}/cases", params=asked)).json()["references"] == [reference]
        for path, status in (
            ("2026-13", 404),
            (f"{MONTH}?zone=Mars/Base", 404),
            (f"{MONTH}?zone=../x", 404),
            (f"{MONTH}?cut_off=9999999", 422),
            (f"{MONTH}/cases?figure=nothing", 422),
        ):
            assert problem(await core.get(f"/reports/{path}"), status), path


async def test_a_service_that_sees_its_own_complaints_alone_sees_no_report(site: FastAPI) -> None:
    async with service(site, "crm", *(set(Scope) - {Scope.EVERY_SOURCE})) as crm:
        for path in (f"/reports/{MONTH}", f"/reports/{MONTH}/cases?figure=balance.total.opened"):
            assert problem(await crm.get(path), 403), path
