"""Signing on to the desk: by the firm's provider, or at one machine as anybody in the directory."""

import json
import re
from collections.abc import AsyncIterator, Callable
from html import unescape
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, OctKey

from domain.ground.words import Role
from runtime.database import Pool
from runtime.embedded_web import with_pages
from runtime.settings import Settings, load_settings
from starter.client.directory import People
from tests.case.support import OPENED_AT
from tests.people.support import LEAD, directory, person
from tests.signing import signed
from tests.web.conftest import Browser, doors_over
from tests.web.fake_provider import CLIENT, ISSUER, FakeProvider
from web.app import create_app
from web.provider import Provider, staff_of

AT_THIS_MACHINE: dict[str, Any] = {"desk_sign_on": "directory", "web_address": "127.0.0.1:8000"}


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
async def visitor(pool: Pool, provider: FakeProvider) -> AsyncIterator[Browser]:
    doors = doors_over(
        pool, oidc_issuer=ISSUER, oidc_client_id=CLIENT, oidc_roles={"complaints": "handler", "leads": "team_lead"}
    )
    back = "http://127.0.0.1:8000/desk/sign-on/back"
    doors.kept["provider"] = Provider(doors.settings, back, transport=provider)
    async with Browser(create_app(doors)) as browser:
        yield browser


async def signs_on(visitor: Browser, provider: FakeProvider, *, code: str = "the-code", **back: str) -> httpx.Response:
    sent = await visitor.send_form("/desk/sign-on?next=/desk/rules", "/desk/sign-on", next="/desk/rules")
    assert sent.status_code == 200, "no form leads to another site, not even by a redirect: browsers stop it"
    on = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', sent.text)
    assert on
    provider.browser_sent(unescape(on[1]))
    query = {"code": code, "state": provider.asked["state"], **back}
    return await visitor.get("/desk/sign-on/back", params=query)


async def test_whoever_the_provider_signs_on_is_at_the_desk_with_their_roles(
    visitor: Browser, provider: FakeProvider
) -> None:
    assert (await visitor.get("/desk/inbox")).headers["location"] == "/desk/sign-on?next=/desk/inbox"
    before = visitor.cookies["visit"]
    back = await signs_on(visitor, provider)
    assert (back.status_code, back.headers["location"]) == (303, "/desk/rules")
    assert provider.asked["code_challenge_method"] == "S256"
    assert visitor.cookies["visit"] != before
    page = await visitor.get("/desk/inbox")
    assert page.status_code == 200
    assert "h-17" in page.text
    again = await visitor.get("/desk/sign-on/back", params={"code": "the-code", "state": provider.asked["state"]})
    assert again.status_code == 403  # a sign-on counts once


OTHER_KEY = ECKey.generate_key("P-256", auto_kid=True)


def _signed_with(key: ECKey | OctKey, algorithm: str) -> Callable[[FakeProvider], None]:
    def change(provider: FakeProvider) -> None:
        provider.signed_with, provider.algorithm = key, algorithm

    return change


def _claims(**changes: Any) -> Callable[[FakeProvider], None]:
    return lambda provider: provider.changes.update(changes)


def _keyed_with_what_is_public(provider: FakeProvider) -> None:
    """The classic: HS256, with the provider's public key as the secret."""
    public = json.dumps(provider.keys[0].as_dict(private=False)).encode()
    provider.signed_with, provider.algorithm = OctKey.import_key(public), "HS256"


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(_claims(iss="https://login.example.org"), id="another issuer"),
        pytest.param(_claims(aud="another-service"), id="made for another"),
        pytest.param(_claims(aud=[CLIENT, "another-service"]), id="made for several, by nobody in particular"),
        pytest.param(_claims(nonce="of another sign-on"), id="another nonce"),
        pytest.param(_claims(nonce=None), id="no nonce"),
        pytest.param(_claims(exp=1), id="expired"),
        pytest.param(_claims(exp=None), id="never expires"),
        pytest.param(_claims(iat=9_999_999_999), id="of the future"),
        pytest.param(_signed_with(OTHER_KEY, "ES256"), id="signed with another key"),
        pytest.param(_keyed_with_what_is_public, id="signed with what is public"),
        pytest.param(_signed_with(OTHER_KEY, "none"), id="not signed"),
        pytest.param(_claims(roles=["gardening"]), id="no role here"),
        pytest.param(_claims(roles=["customer", "system"]), id="roles that nobody who works here has"),
        pytest.param(_claims(sub="somebody@example.com h"), id="no id of ours"),
    ],
)
async def test_what_is_not_the_providers_word_on_this_sign_on_signs_nobody_on(
    visitor: Browser, provider: FakeProvider, wrong: Callable[[FakeProvider], None]
) -> None:
    wrong(provider)
    assert (await signs_on(visitor, provider)).status_code == 403
    assert (await visitor.get("/desk/inbox")).status_code == 303


async def test_only_the_browser_that_was_sent_there_comes_back(visitor: Browser, provider: FakeProvider) -> None:
    assert (await visitor.get("/desk/sign-on/back?code=the-code&state=x")).status_code == 403
    assert (await signs_on(visitor, provider, state="another")).status_code == 403
    assert (await signs_on(visitor, provider, code="another")).status_code == 403
    assert (await visitor.get("/desk/inbox")).status_code == 303


async def test_a_key_that_is_new_is_asked_for_and_strangers_cause_no_storm(
    visitor: Browser, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await signs_on(visitor, provider)
    provider.keys.append(ECKey.generate_key("P-256", auto_kid=True))
    for _ in range(3):
        assert (await signs_on(visitor, provider)).status_code == 403
    assert provider.published == 1
    monkeypatch.setattr("web.provider._KEYS_AGAIN", 0.0)
    assert (await signs_on(visitor, provider)).headers["location"] == "/desk/rules"
    assert provider.published == 2


def test_roles_are_what_the_settings_make_of_the_claim() -> None:
    named = Settings(oidc_roles_claim="groups", oidc_person_claim="employee")
    one = staff_of({"employee": "h-17", "groups": ["approver", "handler", "x"], "name": "N"}, named)
    assert (one.id, one.roles) == ("h-17", (Role.HANDLER, Role.APPROVER))
    mapped = Settings(oidc_roles={"leads": "team_lead", "all": "customer"})
    assert staff_of({"sub": "h-17", "roles": "leads"}, mapped).roles == (Role.TEAM_LEAD,)


async def test_at_one_machine_one_signs_on_as_anybody_in_the_directory_and_from_elsewhere_nobody_does(
    pool: Pool, tmp_path: Any
) -> None:
    people = directory(person("h-1"), person("a-1", "approver"))
    await People(pool, signed).replace(people, by=LEAD, at=OPENED_AT)
    site = create_app(doors_over(pool, **AT_THIS_MACHINE))
    async with Browser(site) as browser:
        answer = await browser.send_form("/desk/sign-on", person="a-1", next="//evil.example.com")
        assert answer.headers["location"] == "/desk/inbox"
        assert "a-1" in (await browser.get("/desk/inbox")).text
    for client, host in (("10.0.0.7", "127.0.0.1:8000"), ("127.0.0.1", "rebound.example.com:8000")):
        transport = httpx.ASGITransport(site, raise_app_exceptions=False, client=(client, 4711))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as stranger:
            assert (await stranger.get("/desk/sign-on")).status_code == 404
    async with Browser(create_app(doors_over(pool, **AT_THIS_MACHINE | {"web_address": "0.0.0.0:8000"}))) as browser:
        assert (await browser.get("/desk/sign-on")).status_code == 404
    assert with_pages(load_settings(), tmp_path).desk_sign_on == "directory"
    assert with_pages(load_settings(oidc_issuer=ISSUER), tmp_path).desk_sign_on == "provider"
    assert load_settings().desk_sign_on == "provider"
