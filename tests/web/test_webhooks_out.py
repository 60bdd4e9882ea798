"""Webhooks out: who may read a complaint is told what happened to it, signed, until it is taken, and no further."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.clocks.deadlines import Firing, Occurred
from domain.ground.words import CaseEvent
from runtime.database import Pool
from runtime.settings import load_settings
from starter.upkeep.api_keys import Scope, list_keys, revoke_key
from starter.upkeep.reached import NotThere, address_of
from starter.upkeep.subscriptions import MOST, NewSubscription
from starter.upkeep.webhooks_out import AFTER, FORGOTTEN_AFTER, WebhookSender
from tests.case.support import RECEIVED_AT, keeping, update
from tests.patience import eventually
from tests.people.test_hands import opened_as
from tests.web.chromium import served
from tests.web.conftest import doors_over
from tests.web.test_api import ADMIN, problem, service
from web.app import create_app

NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)


class Hooks:
    """A program that is told. It answers *statuses* in turn, the last of them from then on."""

    def __init__(self) -> None:
        self.statuses = [200]
        self.headers: dict[str, str] = {}
        self.heard: list[tuple[dict[str, str], bytes]] = []

    async def answer(self, request: Request) -> Response:
        self.heard.append((dict(request.headers), await request.body()))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return Response(b"?" * 20_000, status, headers={"location": "/elsewhere", **self.headers})

    @property
    def told(self) -> list[str]:
        return [json.loads(content)["type"] for _, content in self.heard]


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[Hooks, str]]:
    hooks = Hooks()
    app = Starlette(routes=[Route("/{rest:path}", hooks.answer, methods=["GET", "POST"])])
    async with served(app) as url:
        yield hooks, f"{url}/hooks"


@pytest.fixture
def site(pool: Pool) -> FastAPI:
    """The site of a firm that names hosts of its network that may be told."""
    return create_app(doors_over(pool, webhook_hosts="localhost, 127.0.0.1, ::ffff:127.0.0.1, crm.example.com"))


def sender(pool: Pool, inside: str | None = "localhost, 127.0.0.1", at: datetime = NOW) -> WebhookSender:
    return WebhookSender(pool, load_settings(webhook_hosts=inside), lambda: at)


def is_by(secret: str, headers: dict[str, str], content: bytes) -> bool:
    """Whether *secret* signed it, worked out as the specification of Standard Webhooks says."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + content
    key = base64.b64decode(secret.removeprefix("whsec_"))
    made = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return made in headers["webhook-signature"].split(" ")


async def test_a_service_is_told_of_its_own_complaints_until_it_has_taken_it(site: FastAPI, pool: Pool) -> None:
    async with listening() as (hooks, url), service(site, "crm") as crm, service(site, "app") as app:
        made = (await crm.post("/subscriptions", json={"url": url})).json()
        known, secret = made["subscription"]["id"], made["secret"]
        await app.post("/subscriptions", json={"url": url})
        async with service(site, "core", Scope.READ, Scope.EVERY_SOURCE) as core:
            await core.post("/subscriptions", json={"url": url, "events": ["breached"]})
        case_file = keeping(pool)
        reference, _ = await opened_as(case_file, source="crm", description="A wrong price.")
        acknowledged = Occurred(event=CaseEvent.ACKNOWLEDGED, at=RECEIVED_AT, number=2)
        (rung,) = await pool.fetch(_RUNG, reference)
        missed = Firing(**dict(rung), due=RECEIVED_AT, fired_at=RECEIVED_AT, breach=True)
        for _ in range(2):  # again, it changes nothing
            await case_file.record(update(reference, 1, events=(acknowledged,), firings=(missed,)))
        waiting = {one["service"]: one["events"] for one in await pool.fetch(_WAITING)}
        assert waiting == {"crm": ["received", "acknowledged", "breached"], "core": ["breached"]}

        hooks.statuses = [503, 302, 200]
        hooks.headers = {"retry-after": "86400"}
        for expected in (1, 2):
            await sender(pool).send(known)
            assert len(hooks.heard) == expected
            (one,) = (await crm.get("/subscriptions")).json()
            assert (one["waiting"], one["failing"]) == (3, f"it answered {(503, 302)[expected - 1]}")
            first = await pool.fetchval("select next_at from web.deliveries where tries > 0")
            assert first - await pool.fetchval("select now()") > timedelta(hours=23)
            await crm.post(f"/subscriptions/{known}/again")
        await sender(pool).send(known)
        assert hooks.told[2:] == ["complaint.received", "complaint.acknowledged", "complaint.breached"]
        headers, content = hooks.heard[2]
        assert {one["webhook-id"] for one, _ in hooks.heard[:3]} == {f"{reference}:received:1"}
        assert (headers["webhook-timestamp"], is_by(secret, headers, content)) == (str(int(NOW.timestamp())), True)
        assert json.loads(content) == {
            "type": "complaint.received",
            "timestamp": "2026-03-02T09:30:00Z",
            "data": {"reference": reference},
        }
        assert json.loads(hooks.heard[4][1])["data"] == {"reference": reference, "clock": missed.clock}
        (one,) = (await crm.get("/subscriptions")).json()
        assert (one["waiting"], one["failing"], one["told_at"]) == (0, None, NOW.isoformat().replace("+00:00", "Z"))

        both = (await crm.post(f"/subscriptions/{known}/secret")).json()["secret"]
        await case_file.record(update(reference, 2, events=(acknowledged.model_copy(update={"number": 3}),)))
        hooks.statuses = [410]
        await sender(pool).send(known)
        assert both != secret
        assert is_by(secret, *hooks.heard[-1])
        assert is_by(both, *hooks.heard[-1])
        (one,) = (await crm.get("/subscriptions")).json()
        assert (one["ended_by"], one["waiting"]) == ("endpoint", 0)
        assert problem(await crm.post(f"/subscriptions/{known}/again"), 404)


_RUNG = "select clock, number, rung from casefile.deadlines where reference = $1 and 'breach' = any(actions) limit 1"
_WAITING = """
    select service, array_agg(event order by number) as events
    from web.deliveries d join web.subscriptions s on s.id = d.subscription group by service
"""


async def test_what_nobody_takes_is_given_up_and_what_no_key_reads_is_not_told(site: FastAPI, pool: Pool) -> None:
    async with listening() as (hooks, url), service(site, "crm") as crm:
        known = (await crm.post("/subscriptions", json={"url": url})).json()["subscription"]["id"]
        await opened_as(keeping(pool), source="crm")
        hooks.statuses = [500]
        for _ in range(len(AFTER) + 1):
            await pool.execute("update web.deliveries set next_at = now()")
            await sender(pool).send(known)
        (one,) = (await crm.get("/subscriptions")).json()
        assert (len(hooks.heard), one["waiting"], one["given_up"]) == (len(AFTER) + 1, 0, 1)
        again = (await crm.post(f"/subscriptions/{known}/again")).json()
        assert (again["waiting"], again["given_up"]) == (1, 0)
        (key,) = await list_keys(pool)
        await revoke_key(pool, key.id, by=ADMIN, at=datetime.now(UTC))
        await opened_as(keeping(pool), "2", source="crm")
        await sender(pool).send(known)
        assert len(hooks.heard) == len(AFTER) + 1
        assert await pool.fetchval("select count(*) from web.deliveries") == 1
    async with service(site, "crm"):
        await sender(pool, at=NOW + FORGOTTEN_AFTER + timedelta(1)).send(known)  # nobody listens any more
        assert await pool.fetchval("select ended_by from web.subscriptions") == "endpoint"


async def test_a_webhook_goes_inside_the_firms_network_only_where_the_firm_says_so(site: FastAPI, pool: Pool) -> None:
    async with listening() as (hooks, url), service(site, "crm") as crm:
        port = url.split(":")[2]
        for inside in (
            url,
            f"https://127.0.0.1:{port}",
            f"https://localhost:{port}/",
            f"https://[::ffff:127.0.0.1]:{port}/",
        ):
            answer = await crm.post("/subscriptions", json={"url": inside})
            known = answer.json()["subscription"]["id"]
            await opened_as(keeping(pool), known, source="crm")
            await sender(pool, "crm.internal").send(known)
            why = await pool.fetchval("select failing from web.subscriptions where id = $1", known)
            assert "REDRESS_WEBHOOK_HOSTS" in why, inside
        assert hooks.heard == []
        async with sender(pool).running():

            async def all_told() -> bool:
                return len(hooks.heard) == 4  # the others are not spoken to by TLS

            await pool.execute("update web.deliveries set next_at = now()")
            await eventually(all_told, "the first subscription is told of all four")


def resolver(monkeypatch: pytest.MonkeyPatch, knows: dict[str, str | int]) -> None:
    """Have names looked up in *knows*: an address, or how it fails."""

    async def getaddrinfo(_: Any, host: str, port: int, **__: Any) -> list[Any]:
        found = knows[host]
        if isinstance(found, int):
            raise socket.gaierror(found, "as it says")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize(
    "within",
    ["::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "64:ff9b:1::808:808", "2002:a01:203::1", "::10.1.2.3", "fd00::1", "::1"],
)
async def test_an_address_that_a_network_leads_inside_is_none(within: str) -> None:
    with pytest.raises(NotThere, match="leads inside"):
        await address_of(f"https://[{within}]/hooks", ())


@pytest.mark.parametrize("public", ["64:ff9b::8.8.8.8", "2a00:1450:4001::1"])
async def test_an_address_that_a_network_leads_outside_is_one(public: str) -> None:
    assert await address_of(f"https://[{public}]/hooks", ())


async def test_an_address_to_which_no_webhook_would_go_is_refused_where_somebody_subscribes(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    knows: dict[str, str | int] = {
        "inside.example": "10.1.2.3",
        "169.254.169.254": "169.254.169.254",
        "nowhere.example": socket.EAI_NONAME,
        "crm.example": "93.184.216.34",
        "later.example": socket.EAI_AGAIN,
    }
    outside = create_app(doors_over(pool))
    async with listening() as (_, url), service(outside, "crm") as crm:
        resolver(monkeypatch, knows)
        for there, why in (
            (url, "not https"),
            ("http://crm.example/hooks", "not https"),
            ("https://inside.example/hooks", "inside a network"),
            ("https://169.254.169.254/latest", "inside a network"),
            ("https://nowhere.example:8443/hooks", "no address is known"),
        ):
            told = problem(await crm.post("/subscriptions", json={"url": there}), 422)
            (wrong,) = told["errors"]
            assert (wrong["field"], wrong["pointer"]) == ("url", "#/url"), there
            assert why in wrong["detail"], there
            assert "REDRESS_WEBHOOK_HOSTS" in wrong["detail"], "the way out"
        assert await pool.fetchval("select count(*) from web.subscriptions") == 0
        for there in (
            "https://crm.example:8443/hooks",
            "https://later.example/hooks",
        ):  # what is not known now is later
            assert (await crm.post("/subscriptions", json={"url": there})).status_code == 201, there


@pytest.mark.parametrize(
    "url",
    ["ftp://x.example", "https://", "https://a:b@x.example", "https://x.example/#a", "//x", "https://x.example:0",
     "https://x.example:99999", "https://x y.example", "https://例.example", "https://x.example/\n", "x" * 501,
     "https://" + "a" * 70 + ".example"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        NewSubscription(url=url)


async def test_a_service_sees_and_changes_its_own_subscriptions_alone(site: FastAPI, pool: Pool) -> None:
    async with service(site, "crm") as crm, service(site, "app") as app:
        body: dict[str, Any] = {"url": "https://crm.example.com/hooks", "events": ["closed", "responded"]}
        made = (await crm.post("/subscriptions", json=body)).json()
        known = made["subscription"]["id"]
        assert made["subscription"]["events"] == ["responded", "closed"]
        assert (await app.get("/subscriptions")).json() == []
        assert made["secret"] not in (await crm.get("/subscriptions")).text
        assert problem(await app.delete(f"/subscriptions/{known}"), 404)
        assert problem(await app.post(f"/subscriptions/{known}/secret"), 404)
        wrong = problem(await crm.post("/subscriptions", json={"url": "x", "events": ["x"]}), 422)
        assert wrong["errors"][0]["field"] == "url"
        for _ in range(MOST - 1):
            assert (await crm.post("/subscriptions", json=body)).status_code == 201
        assert str(MOST) in problem(await crm.post("/subscriptions", json=body), 422)["detail"]
        assert (await crm.delete(f"/subscriptions/{known}")).json()["ended_by"] == "service:crm"
    secret = await pool.fetchval("select secret from web.subscriptions limit 1")
    assert secret.startswith("whsec_")
