"""The API: who may do what, what is whose, and what is answered to what does not fit."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from joserfc import jwt

from domain.case.messages.table import SIGNALS, UPDATES
from domain.ground.people import Actor
from domain.ground.words import Role, Stage
from domain.incidents.messages import INCIDENT_UPDATES
from runtime.database import Pool
from starter.client.directory import People
from starter.client.examples import example_of
from starter.reading.accesses import accesses
from starter.upkeep.api_keys import Scope, list_keys, make_key, revoke_key
from tests.case.support import OPENED_AT, keeping
from tests.people.support import LEAD, directory, person
from tests.people.test_hands import opened_as
from tests.signing import signed, the_issuer
from tests.web.answering import answer_again
from tests.web.conftest import doors_over
from tests.web.fake_provider import CLIENT, ISSUER, FakeProvider
from tests.workflows.conftest import open_house
from tests.workflows.house import House
from web.api import API, ROOT
from web.api.frame import cursor
from web.api.messages import who_may
from web.app import create_app
from web.permissions import Kind
from web.provider import Provider

ADMIN = Actor(id="l-1", role=Role.TEAM_LEAD)
NOWHERE = "RD-K7M4-9QXT-2VBHC"
COMPLAINT: dict[str, Any] = {
    "channel": "app",
    "language": "en",
    "complainant": {"name": "The Customer", "email": "customer@example.com"},
    "description": "My withdrawal has not arrived.",
    "amount_claimed": {"amount": "250.00", "currency": "USD"},
}


class Program(httpx.AsyncClient):
    """A program that uses the API with a bearer token."""

    def __init__(self, site: FastAPI, bearer: str) -> None:
        super().__init__(
            transport=httpx.ASGITransport(site, raise_app_exceptions=False),
            base_url=f"http://127.0.0.1:8000{ROOT}",
            headers={"authorization": f"Bearer {bearer}"} if bearer else {},
        )

    async def says(self, path: str, body: Any, key: str = "1", **more: Any) -> httpx.Response:
        """Send *body* under the Idempotency-Key *key*."""
        return await self.post(path, json=body, headers={"idempotency-key": key}, **more)


@asynccontextmanager
async def service(site: FastAPI, name: str, *scopes: Scope) -> AsyncIterator[Program]:
    """A service with a key of its own; without *scopes* with all but that to every source."""
    wanted = scopes or set(Scope) - {Scope.EVERY_SOURCE}
    made = await make_key(site.state.doors.pool, name, wanted, by=ADMIN, at=datetime.now(UTC))
    async with Program(site, made.secret) as program:
        yield program


def problem(answer: httpx.Response, status: int) -> Mapping[str, Any]:
    """The problem that was answered."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: Mapping[str, Any] = answer.json()
    assert told["status"] == status
    return told


async def test_a_complaint_is_accepted_while_temporal_is_down_and_counts_once(site: FastAPI, pool: Pool) -> None:
    async with service(site, "crm") as crm:
        first = await crm.says("/complaints", COMPLAINT, "2026/1")
        assert (first.status_code, first.json()["already_known"]) == (202, False)
        known = first.json()["reference"]
        assert first.headers["location"] == f"{ROOT}/complaints/{known}"
        again = await crm.says("/complaints", COMPLAINT, "2026/1")
        assert again.json() == {"reference": known, "already_known": True}
        other = {**COMPLAINT, "description": "Something else."}
        assert "says something else" in problem(await crm.says("/complaints", other, "2026/1"), 409)["detail"]
        standing = (await crm.get(f"/complaints/{known}")).json()
        assert (standing["case"], standing["arrival"]["ending"]) == (None, None)
        said = await crm.says(f"/complaints/{known}/messages/customer_reply", {"text": "It is urgent."})
        assert said.json() == {"reference": known, "already_known": False}
        otherwise = await crm.says(f"/complaints/{known}/messages/customer_reply", {"text": "It is not urgent."})
        assert problem(otherwise, 409)["errors"][0]["field"] == "Idempotency-Key"
        rated = await crm.says(f"/complaints/{known}/messages/record_feedback", {"score": 1})
        assert rated.status_code == 202, "ids are counted by kind"
        text = b"what the bank wrote"
        sent = await crm.post(
            f"/complaints/{known}/files", params={"title": "bank.txt"}, content=text, headers={"idempotency-key": "f"}
        )
        assert sent.status_code == 202, sent.text
        where = f"/complaints/{known}/files?title=a.exe"
        odd = await crm.post(where, content=b"MZ\0", headers={"idempotency-key": "o"})
        assert problem(odd, 422)["errors"][0]["field"] == "file"
        (kept,) = (await crm.get(f"/complaints/{known}/files")).json()
        saved = await crm.get(f"/complaints/{known}/files/{kept['name']}")
        assert (saved.content, saved.headers["content-disposition"][:10]) == (text, "attachment")
        away = await crm.says(f"/complaints/{known}/messages/add_evidence", {"note": "x"})
        assert "same Idempotency-Key" in problem(away, 503)["detail"]
        assert away.headers["retry-after"] == "5"
    assert await pool.fetchval("select count(*) from intake.received") == 4


async def test_what_is_passed_on_of_a_final_response_that_another_has_followed_is_refused(
    site: FastAPI, pool: Pool
) -> None:
    known, _ = await opened_as(keeping(pool), source="crm", description="A wrong price.")
    path = f"/complaints/{known}/messages/"
    async with service(site, "crm") as crm:
        early = await crm.says(f"{path}customer_reply", {"intent": "accept", "response": 1}, "e")
        assert problem(early, 409)["errors"][0]["pointer"] == "#/response"
        assert "has no final response yet" in early.text
        for number in (1, 2):
            await answer_again(pool, known, number, "responded")
        assert (await crm.get(f"/complaints/{known}")).json()["case"]["response"] == 2
        for name, body in (("customer_reply", {"intent": "accept"}), ("record_feedback", {"score": 5})):
            old = await crm.says(path + name, {**body, "response": 1}, "o")
            assert "was followed by another, 2" in problem(old, 409)["detail"]
            for key, more in (("of-2", {"response": 2}), ("of-none", {})):
                assert (await crm.says(path + name, {**body, **more}, key)).status_code == 202


async def test_two_services_with_all_ids_swapped_find_nothing(site: FastAPI, pool: Pool) -> None:
    opened, _ = await opened_as(keeping(pool), source="crm", description="A wrong price.")
    async with service(site, "crm") as crm, service(site, "app") as app:
        waiting = (await crm.says("/complaints", COMPLAINT)).json()["reference"]
        own = (await app.says("/complaints", COMPLAINT)).json()["reference"]
        assert (await crm.get(f"/complaints/{opened}")).status_code == 200
        assert (await app.get(f"/complaints/{own}")).status_code == 200
        asked = [
            one for one in API.operations if "/complaints/{reference}" in one.path and one.who.kind is not Kind.STAFF
        ]
        assert len(asked) > 15
        for one in asked:
            answers = []
            for known in (opened, waiting, NOWHERE):
                path = one.path.replace("{reference}", known).replace("{name}", "x")
                answer = await app.request(
                    one.method,
                    path,
                    json={},
                    params={"title": "x.txt"} if one.raw else {},
                    headers={"idempotency-key": "1"},
                )
                answers.append((answer.status_code, answer.text))
            assert answers[0] == answers[1] == answers[2], one.path
            assert answers[0][0] == 404, one.path
        listed = (await app.get("/complaints")).json()["items"] + (await crm.get("/complaints")).json()["items"]
        assert [one["reference"] for one in listed] == [opened]
    async with service(site, "core", Scope.READ, Scope.EVERY_SOURCE) as core:
        assert (await core.get(f"/complaints/{opened}")).status_code == 200
        assert (await core.get("/deadlines", params={"hours": 9000})).json()
        assert problem(await core.get(f"/complaints/{NOWHERE}/files"), 404)


async def test_a_key_goes_as_far_as_its_scopes_and_until_it_is_revoked(site: FastAPI, pool: Pool) -> None:
    nobody = problem(await Program(site, "").get("/complaints"), 401)
    assert "Authorization: Bearer" in nobody["detail"]
    async with service(site, "crm", Scope.SUBMIT) as crm:
        for one in API.operations:
            if one.who.scopes == {Scope.SUBMIT}:
                continue
            path = one.path.replace("{reference}", NOWHERE).replace("{name}", "x").replace("{id}", "x")
            told = problem(await crm.request(one.method, path, json={}), 403)
            assert "scope" in told["detail"] or "people" in told["detail"], one.path
        (key,) = await list_keys(pool)
        assert (await crm.says("/complaints", COMPLAINT)).status_code == 202
        await revoke_key(pool, key.id, by=ADMIN, at=datetime.now(UTC))
        assert problem(await crm.says("/complaints", COMPLAINT), 401)
    made = await make_key(pool, "crm", [Scope.READ], by=ADMIN, at=datetime.now(UTC))
    for wrong in (made.secret[:-1], made.secret + "x", f"rdk_{made.key.id}_", "rdk__", "rdk_é_x", "xyz"):
        async with Program(site, "") as program:
            answer = await program.get("/complaints", headers=[(b"authorization", f"Bearer {wrong}".encode())])
            assert problem(answer, 401)
    kept = await pool.fetch("select api_keys::text as row from web.api_keys")
    assert not any(made.secret.rpartition("_")[2] in one["row"] for one in kept)


@pytest.mark.parametrize(
    ("change", "field", "pointer"),
    [
        ({"complainant": {"name": "X", "email": "nobody"}}, "complainant.email", "#/complainant/email"),
        ({"description": ""}, "description", "#/description"),
        ({"colour": "red"}, "colour", "#/colour"),
        ({"source": "others"}, "source", "#/source"),
        ({"occurred_from": "2999-01-01T00:00:00Z"}, "occurred_from", None),
        ({"amount_claimed": {"amount": "-1", "currency": "USD"}}, "amount_claimed.amount", "#/amount_claimed/amount"),
    ],
)
async def test_what_does_not_fit_is_told_at_its_field_and_not_quoted(
    site: FastAPI, change: dict[str, Any], field: str, pointer: str | None
) -> None:
    async with service(site, "crm") as crm:
        told = problem(await crm.says("/complaints", {**COMPLAINT, **change}), 422)
    assert told["errors"][0]["field"] == field
    assert told["errors"][0].get("pointer") == pointer
    assert "nobody" not in str(told)


async def test_what_is_no_json_no_page_and_no_route_is_a_problem_too(site: FastAPI) -> None:
    async with service(site, "crm") as crm:
        for body in (b"{", b"[]", b"\xff", b"[" * 100_000, b'{"description": NaN}', b"9" * 5000, b" " * 1_000_001):
            answer = await crm.post("/complaints", content=body, headers={"idempotency-key": "1"})
            assert problem(answer, answer.status_code)["type"].startswith("urn:redress:problem:")
            assert 400 <= answer.status_code < 500
        known = (await crm.says("/complaints", COMPLAINT)).json()["reference"]
        unnamed = problem(await crm.post("/complaints", json=COMPLAINT), 400)
        assert unnamed["errors"][0]["field"] == "Idempotency-Key"
        for place in ("x", cursor(10**30), cursor("2026-11-30T00:00:00Z", "\0")):
            for path in ("/complaints", f"/complaints/{known}/timeline"):
                assert problem(await crm.get(path, params={"cursor": place}), 422)["errors"][0]["field"] == "cursor"
        assert problem(await crm.get("/complaints", params={"stages": "x"}), 422)["errors"][0]["field"] == "stages"
        assert problem(await crm.get("/nowhere"), 404)
        assert problem(await crm.delete("/complaints"), 405)


async def test_a_list_goes_on_where_it_ended_and_a_timeline_where_something_is_new(site: FastAPI, pool: Pool) -> None:
    wanted = {(await opened_as(keeping(pool), str(number), source="crm"))[0] for number in range(5)}
    async with service(site, "crm") as crm:
        found: list[str] = []
        page: dict[str, Any] = {"next": None}
        while not found or page["next"]:
            query = {"limit": 2} | ({"cursor": page["next"]} if page["next"] else {})
            page = (await crm.get("/complaints", params=query)).json()
            found += [one["reference"] for one in page["items"]]
        assert (len(found), set(found)) == (5, wanted)
        path = f"/complaints/{found[0]}/timeline"
        whole = (await crm.get(path)).json()
        assert (whole["more"], bool(whole["items"])) == (False, True)
        after = (await crm.get(path, params={"cursor": whole["next"]})).json()
        assert (after["items"], after["next"]) == ([], whole["next"])
        for more in ("deadlines", "letters"):
            assert (await crm.get(f"/complaints/{found[0]}/{more}")).status_code == 200
    seen = await accesses(pool, reference=found[0])
    assert {one.who for one in seen} == {"service:crm"}
    assert f"GET {ROOT}/complaints/{{reference}}/timeline" in {one.what for one in seen}


def _token(provider: FakeProvider, **changes: Any) -> str:
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": "redress-api", "sub": "h-2", "roles": ["handler"], "iat": now, "exp": now + 60}
    return jwt.encode({"alg": "ES256", "kid": provider.keys[0].kid or ""}, {**claims, **changes}, provider.keys[0])


def _with_provider(pool: Pool, provider: FakeProvider, client: Any = None, **settings: Any) -> FastAPI:
    doors = doors_over(pool, client, oidc_issuer=ISSUER, oidc_client_id=CLIENT, api_audience="redress-api", **settings)
    doors.kept["provider"] = Provider(doors.settings, "http://127.0.0.1:8000/desk/sign-on/back", transport=provider)
    doors.kept["issuer"] = the_issuer()
    return create_app(doors)


async def test_a_persons_token_counts_only_as_made_for_us_and_who_is_kept_out_finds_nothing(pool: Pool) -> None:
    people = [person("h-1", names=["Jane Doe"]), person("h-2")]
    teams = ("dealing", "payments", "accounts", "conduct", "customer-care")
    await People(pool, signed).replace(directory(*people, teams=teams), by=LEAD, at=OPENED_AT)
    reference, _ = await opened_as(keeping(pool), description="Jane Doe filled my stop loss at a wrong price.")
    provider = FakeProvider()
    site = _with_provider(pool, provider)
    path = f"/complaints/{reference}"
    async with Program(site, _token(provider)) as other, Program(site, _token(provider, sub="H-1")) as out:
        assert (await other.get(path)).json()["case"]["reference"] == reference
        assert (await other.get("/complaints")).json()["items"]
        assert (await out.get("/complaints")).json()["items"] == []
        for one in API.operations:
            if "/complaints/{reference}" not in one.path:
                continue
            answers = [
                await out.request(
                    one.method,
                    one.path.replace("{reference}", known).replace("{name}", "x"),
                    json={},
                    params={"title": "x.txt"} if one.raw else {},
                    headers={"idempotency-key": "1"},
                )
                for known in (reference, NOWHERE)
            ]
            assert {answer.status_code for answer in answers} == {404}, one.path
            assert answers[0].text == answers[1].text
    for changes in (
        {"aud": CLIENT},
        {"iss": "https://else.example.com"},
        {"exp": 1},
        {"roles": ["customer"]},
        {"sub": ""},
    ):
        async with Program(site, _token(provider, **changes)) as wrong:
            assert problem(await wrong.get(path), 401), changes


def test_every_message_of_the_client_has_a_route_and_what_is_decided_people_decide() -> None:
    paths = {one.path for one in API.operations}
    assert {f"/complaints/{{reference}}/messages/{kind.name}" for kind in (*SIGNALS, *UPDATES)} <= paths
    assert {f"/incidents/{{reference}}/messages/{kind.name}" for kind in INCIDENT_UPDATES} <= paths
    for kind in UPDATES:
        if kind.name.startswith(("propose", "decide", "resolve", "verify", "extend", "grant")):
            assert who_may(kind).kind is Kind.STAFF, kind.name


async def test_a_complaint_lives_through_the_api(pool: Pool, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    async with open_house(pool, tmp_path, request) as house:
        await _lives(house)


async def _lives(house: House) -> None:
    reference = await house.submit(
        description="You never paid what you owe.", amount_claimed=None, trades=[], source="crm"
    )
    await house.at(reference, Stage.DECIDING)
    provider = FakeProvider()
    site = _with_provider(house.pool, provider, house.client, task_queue=house.task_queue)
    said = f"/complaints/{reference}/messages"
    proposal = {
        "outcome": "upheld",
        "compensation": {"amount": "4000.00", "currency": "USD"},
        "reasons": "Claimed: a payment. Looked at: the account. Found: it was never made.",
    }
    async with (
        service(site, "crm") as crm,
        Program(site, _token(provider, sub="h-17")) as handler,
        Program(site, _token(provider, sub="a-3", roles=["handler", "approver"])) as approver,
    ):
        assert problem(await crm.says(f"{said}/propose_resolution", proposal), 403)
        noted = await crm.says(f"{said}/add_evidence", {"note": "The bank confirms."})
        assert noted.status_code == 200, noted.text
        assert (await crm.says(f"{said}/add_evidence", {"note": "The bank confirms."})).json() == noted.json()
        again = problem(await crm.says(f"{said}/add_evidence", {"note": "No."}), 409)
        assert [(one["field"], one.get("pointer")) for one in again["errors"]] == [("Idempotency-Key", None)]
        owed = {"remedy": 99, "proof": "They have it."}
        unowed = problem(await crm.says(f"{said}/confirm_remedy", owed, "owed"), 409)
        assert [(one["field"], one.get("pointer")) for one in unowed["errors"]] == [("remedy", "#/remedy")]
        assert (await handler.says(f"{said}/propose_resolution", proposal)).status_code == 200
        unnamed = problem(await handler.says(f"{said}/decide_resolution", {"decision": "approve"}), 422)
        assert "proposal: name the proposal that is decided" in str(unnamed)
        waiting = (await approver.get(f"/complaints/{reference}")).json()["proposal"]
        assert waiting["digest"] == (await house.complaints.status(reference)).proposal_digest
        decision = {"decision": "approve", "proposal": waiting["digest"]}
        own = problem(await handler.says(f"{said}/decide_resolution", decision), 409)
        assert "never by its proposer" in own["detail"]
        assert [one["field"] for one in own["errors"]] == ["actor"]
        as_nothing = await handler.says(f"{said}/decide_resolution", decision, params={"as": "approver"})
        assert problem(as_nothing, 422)["errors"][0]["field"] == "as"
        decided = await approver.says(f"{said}/decide_resolution", decision, params={"as": "approver"})
        assert decided.status_code == 200, decided.text
        await house.at(reference, Stage.RESPONDED)
        entries = (await crm.get(f"/complaints/{reference}/timeline", params={"limit": 200})).json()["items"]
        actors = {one["actor"] for one in entries}
        assert {"service:crm", "handler:h-17", "approver:a-3"} <= actors


def test_the_examples_of_the_contracts_fit_the_document() -> None:
    """What the document asks for is what the models take, without what is filled in."""
    from web.api.openapi import document

    paths = document()["paths"]
    for kind in (*SIGNALS, *UPDATES):
        schema = paths[f"/complaints/{{reference}}/messages/{kind.name}"]["post"]["requestBody"]["content"]
        fields = schema["application/json"]["schema"]["properties"]
        assert set(example_of(kind)) - {"message_id", "actor"} <= set(fields), kind.name
        assert not {"message_id", "actor"} & set(fields)
