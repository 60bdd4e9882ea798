"""Whatever the document of the API allows to be sent, or nearly, is answered without an error of ours."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.core import NOT_SET
from schemathesis.core.result import Ok

from starter.upkeep.api_keys import Scope, make_key
from tests.case.support import keeping
from tests.people.test_hands import opened_as
from tests.web.test_api import ADMIN, service
from web.api import ROOT
from web.api.frame import cursor
from web.api.openapi import document


async def test_no_request_that_the_document_leads_to_is_an_error_of_ours(site: FastAPI) -> None:
    reference, _ = await opened_as(keeping(site.state.doors.pool), source="crm")
    made = await make_key(site.state.doors.pool, "crm", list(Scope), by=ADMIN, at=datetime.now(UTC))
    loop = asyncio.get_running_loop()
    transport = httpx.ASGITransport(site, raise_app_exceptions=False)
    failed: list[tuple[str, int]] = []
    async with httpx.AsyncClient(transport=transport, base_url=f"http://127.0.0.1:8000{ROOT}") as program:

        def send(case: Any) -> None:
            path = case.path.replace("{reference}", reference) if "/complaints/" in case.path else case.formatted_path
            path = path.replace("{name}", quote(str((case.path_parameters or {}).get("name", "")), safe=""))
            headers = {name: str(value) for name, value in (case.headers or {}).items()}
            sent: dict[str, Any] = {"params": dict(case.query or {})}
            if case.body is not NOT_SET:
                sent |= {"content": case.body} if isinstance(case.body, bytes) else {"content": json.dumps(case.body)}
            try:
                httpx.URL(path, params=sent["params"])
            except httpx.InvalidURL:
                return  # no program can send it
            request = program.request(
                case.method,
                path,
                headers={**_encoded(headers), b"authorization": f"Bearer {made.secret}".encode()},
                **sent,
            )
            answer = asyncio.run_coroutine_threadsafe(request, loop).result()
            if answer.status_code >= 500 and answer.status_code != 503:  # Temporal is down
                failed.append((f"{case.method} {case.path}", answer.status_code))

        def fuzz() -> None:
            schema = schemathesis.openapi.from_dict(document())
            for found in schema.get_all_operations():
                assert isinstance(found, Ok)
                operation = found.ok()
                for mode in GenerationMode:
                    strategy = operation.as_strategy(generation_mode=mode)
                    _few(given(strategy)(send))()

        await asyncio.to_thread(fuzz)
    assert failed == []


async def test_text_that_the_database_cannot_hold_is_refused_wherever_it_is_sent(site: FastAPI) -> None:
    reference, _ = await opened_as(keeping(site.state.doors.pool), source="crm")
    async with service(site, "crm", *Scope) as crm:
        for text in ("\0", "a\0b", "\ud800", "\x85"):
            sent = quote(text, errors="surrogatepass")
            for path in (
                f"/complaints?handler={sent}",
                f"/complaints?cursor={sent}",
                f"/complaints/{sent}",
                f"/complaints/{reference}/files/{sent}",
                f"/incidents/{sent}",
            ):
                assert (await crm.get(path)).status_code < 500, path
        for wrong in (cursor(2**70), cursor("x"), cursor(-1), cursor()):
            answer = await crm.get(f"/complaints/{reference}/timeline", params={"cursor": wrong})
            assert answer.status_code < 500, wrong
            for key in (text.encode("utf-8", "surrogatepass"), b"1"):
                answer = await crm.post(
                    f"/complaints/{reference}/files?title=a.txt&text={sent}",
                    content=text.encode("utf-8", "surrogatepass"),
                    headers=[(b"idempotency-key", key)],
                )
                assert answer.status_code < 500, (text, key)


_few = settings(
    max_examples=4,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def _encoded(headers: dict[str, str]) -> dict[bytes, bytes]:
    return {name.encode("latin-1", "ignore"): value.encode("latin-1", "ignore") for name, value in headers.items()}
