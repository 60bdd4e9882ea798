"""Whatever is opened to be shown is in the access log, also by a page or command that says nothing of it."""

import ast
from typing import Any

from fastapi import FastAPI
from starlette.responses import PlainTextResponse, Response

from runtime.database import Pool
from runtime.paths import ROOT
from starter.reading.accesses import accesses
from starter.reading.cases import get_case
from starter.upkeep.api_keys import Scope
from tests.case.support import keeping
from tests.people.test_hands import opened_as
from tests.web.test_api import service
from tests.web.test_desk import signed_on
from web.api.frame import Api, Call
from web.pages import Pages
from web.permissions import staff
from web.visit import Visit

DIRECTLY = {
    ("access.py", "read"): "the way of all others",
    ("reading.py", "show"): "writes it down",
    ("reading.py", "check"): "shows sums and keys of the ledger",
    ("serving.py", "_serve"): "puts the demo into it",
    ("calendars.py", "_tell"): "adds a calendar",
    ("loading.py", "_import"): "writes",
}
"""The functions of the command line that reach the record by themselves, and why nothing is missing in the log."""


async def test_a_page_and_a_route_that_forget_it_are_in_the_log_all_the_same(site: FastAPI, pool: Pool) -> None:
    reference, _ = await opened_as(keeping(pool), source="crm")
    unopened, _ = await opened_as(keeping(pool), "2", source="crm")
    pages, api = Pages("/desk"), Api()

    @pages.get("/made-up", staff())
    async def page(visit: Visit) -> Response:
        return PlainTextResponse((await get_case(visit.doors.pool, reference)).complaint.complainant.name)

    @pages.get("/counted", staff())
    async def counted(visit: Visit) -> Response:
        return PlainTextResponse(str(await visit.doors.pool.fetchval("select count(*) from casefile.cases")))

    @api.get("/made-up", Scope.READ, answer=dict)
    async def route(call: Call) -> dict[str, Any]:
        """Tell a name."""
        return {"name": (await get_case(call.doors.pool, reference)).complaint.complainant.name}

    site.router.routes[:0] = [*pages.routes, *api.routes]
    async with signed_on(site, "h-2") as desk, service(site, "crm") as crm:
        for path in ("/desk/made-up", "/desk/counted"):
            assert (await desk.get(path)).status_code == 200
        assert (await crm.get("/made-up")).status_code == 200
    noted = [(one.who, one.what, one.reference) for one in await accesses(pool)]
    assert noted == [
        ("service:crm", "GET /api/v1/made-up", reference),
        ("handler:h-2", "GET /desk/made-up", reference),
    ]
    assert unopened not in str(noted)


def test_every_command_reaches_the_record_by_the_way_that_writes_it_down() -> None:
    found = set()
    for path in sorted((ROOT / "starter" / "cli").glob("*.py")):
        for function in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) or function.name == "database":
                continue
            inside = [part for part in ast.walk(function) if isinstance(part, ast.Call)]
            names = {part.func.id for part in inside if isinstance(part.func, ast.Name)}
            if names & {"database", "open_pool"}:
                found.add((path.name, function.name))
    assert found == set(DIRECTLY)
