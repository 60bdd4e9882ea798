"""What every page of the site stands on."""

import re
from datetime import timedelta

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from domain.ground.words import Role
from runtime.embedded_web import CODEC_PATH
from tests.web.conftest import Browser, doors_over, session_in, signed_in
from web import drafts
from web.api import ROOT
from web.app import AREAS, create_app
from web.doors import Doors
from web.pages import Pages
from web.permissions import ANYBODY, CUSTOMER, Kind, UndeclaredRoute, check_routes, permission_of, staff
from web.rendering import HERE, environment
from web.visit import Visit, local
from web.visits import Customer, Staff, row_of
from web.words import all_words

FIELD = re.compile(r"{(\w*)")


def test_words_are_there_in_both_languages_and_tell_the_same_facts() -> None:
    for key, (english, chinese) in all_words().items():
        assert set(FIELD.findall(english)) == set(FIELD.findall(chinese)), key
        assert re.search(r"[\u4e00-\u9fff]", chinese) or english == chinese or key.startswith("frame."), key


def test_every_word_that_a_template_or_a_page_asks_for_is_there() -> None:
    asked = {
        (path.name, key)
        for path in [*HERE.rglob("*.html"), *HERE.rglob("*.py")]
        for key in re.findall(r"""\b(?:t|html|words)\(["']([a-z0-9_.]+)["'][),]""", path.read_text("utf-8"))
    }
    assert asked
    assert [each for each in sorted(asked) if each[1] not in all_words()] == []


def test_every_template_can_be_read() -> None:
    for name in environment().list_templates():
        environment().get_template(name)


def test_a_route_that_does_not_say_who_may_use_it_stops_the_site() -> None:
    async def page(_request: object) -> Response:
        return PlainTextResponse("")

    with pytest.raises(UndeclaredRoute, match="/somewhere"):
        check_routes([Route("/somewhere", page)])


def test_no_page_that_is_looked_at_and_no_public_page_names_a_case(site: FastAPI) -> None:
    """A link does nothing, so what changes something takes POST; and what has a reference belongs to somebody."""
    for route in site.routes:
        who, path = permission_of(route), getattr(route, "path", "")
        assert who, path
        if "{reference}" in path:
            assert who.kind is not Kind.ANYBODY, path


async def test_every_answer_has_the_headers_that_keep_it_to_itself(site: FastAPI, browser: Browser) -> None:
    for path in ("/", "/nowhere", "/static/style.css", "/healthz"):
        headers = (await browser.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-frame-options"] == "DENY"
    page = await browser.get("/")
    assert page.headers["cache-control"] == "no-store"
    assert not re.search(r"<script(?! src=)|<style| style=| on\w+=", page.text), "nothing inline"
    assert "immutable" in (await browser.get("/static/style.css")).headers["cache-control"]


async def test_a_fault_of_ours_is_answered_with_the_same_headers(doors: Doors) -> None:
    pages = Pages()

    @pages.get("/broken", ANYBODY)
    async def broken(_visit: Visit) -> Response:
        raise RuntimeError

    async with Browser(create_app(doors, areas=[*AREAS, pages])) as browser:
        answer, whole = await browser.get("/broken"), await browser.get("/")
    assert answer.status_code == 500
    assert "Sorry" in answer.text
    kept = set(whole.headers) - {"content-length", "set-cookie"}
    assert {name: answer.headers.get(name) for name in kept} == {name: whole.headers[name] for name in kept}


@pytest.mark.parametrize(
    "charset", ["unicode_escape", "raw_unicode_escape", "punycode", "utf-7", "undefined", "utf-16"]
)
async def test_half_characters_are_no_fault_of_ours_whatever_encoding_the_sender_names(
    browser: Browser, charset: str
) -> None:
    token = re.search(r'name="form_token" value="(\w+)"', (await browser.get("/complain/what")).text)
    assert token
    head = {"content-type": f"multipart/form-data; boundary=b; charset={charset}"}
    for typed in (token[1], r"\ud800"):
        for path, name in (("/complain/what", "description"), ("/sign-in", "email"), ("/mine/x/reply", "text")):
            fields = ((f"{name}", r"\ud800 \x00"), ("form_token", typed), (r"\udc00", "x"))
            parts = "".join(f'--b\r\ncontent-disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields)
            answer = await browser.post(path, content=f"{parts}--b--\r\n", headers=head)
            assert answer.status_code < 500, (path, typed)


async def test_cookies_are_kept_from_scripts_and_over_tls_from_everything_else(doors: Doors) -> None:
    over_tls = doors_over(doors.pool)
    over_tls.settings = over_tls.settings.model_copy(update={"web_url": "https://complaints.example.com"})
    for each, marks in ((doors, {"HttpOnly", "SameSite=lax"}), (over_tls, {"HttpOnly", "SameSite=lax", "Secure"})):
        async with Browser(create_app(each)) as browser:
            answer = await browser.get("/")
        cookie = answer.headers["set-cookie"]
        assert marks <= {part.strip() for part in cookie.split(";")}
        assert cookie.startswith("__Host-") is each.secure
        assert ("strict-transport-security" in answer.headers) is each.secure


async def test_a_form_of_another_site_or_of_another_visitor_is_refused_on_every_route_that_takes_one(
    site: FastAPI, browser: Browser
) -> None:
    async with Browser(site) as other:
        token = re.search(r'name="form_token" value="(\w+)"', (await other.get("/")).text)
    assert token
    await browser.get("/")
    for route in site.routes:
        if "POST" not in (getattr(route, "methods", None) or ()):
            continue
        path = re.sub(r"{\w+}", "RD-K7M4-9QXT-2VBHC", getattr(route, "path", ""))
        for fields in ({}, {"form_token": token[1]}):
            # To the API a cookie says nothing, and to the codec server only that of the desk, from the UI's page.
            expected = {401} if path.startswith(ROOT) else {401, 404} if path.startswith(CODEC_PATH) else {403}
            assert (await browser.post(path, data=fields)).status_code in expected, path


async def test_the_language_is_the_browsers_until_another_is_chosen(site: FastAPI) -> None:
    async with Browser(site, "zh-TW,zh;q=0.9,en;q=0.8") as browser:
        assert '<html lang="zh-CN">' in (await browser.get("/")).text
        chosen = await browser.send_form("/", "/language", language="en", back="/")
        assert chosen.headers["location"] == "/"
        assert '<html lang="en">' in (await browser.get("/")).text
        assert (await browser.send_form("/nowhere", "/language", language="zh-CN", back="/nowhere")).status_code == 303
        assert '<html lang="zh-CN">' in (await browser.get("/nowhere")).text


@given(st.text())
def test_nobody_is_sent_to_another_site(path: str) -> None:
    for each in (path, "/" + path, "//" + path, "/\\" + path, "https://" + path):
        gone = local(each)
        assert gone.startswith("/")
        assert not gone.startswith(("//", "/\\"))


def _a_site_with_rooms_for_some(doors: Doors) -> FastAPI:
    pages = Pages()

    @pages.get("/of-handlers", staff(Role.HANDLER))
    async def of_handlers(visit: Visit) -> Response:
        return PlainTextResponse(visit.staff.id)

    @pages.get("/of-staff", staff())
    async def of_staff(visit: Visit) -> Response:
        return PlainTextResponse(visit.staff.id)

    @pages.post("/of-customers", CUSTOMER)
    async def of_customers(visit: Visit) -> Response:
        return PlainTextResponse(visit.customer.address)

    return create_app(doors, areas=[*AREAS, pages])


async def test_who_lacks_the_role_finds_nothing_and_who_is_nobody_is_asked_to_sign_in(doors: Doors) -> None:
    site = _a_site_with_rooms_for_some(doors)
    async with Browser(site) as nobody, Browser(site) as approver, Browser(site) as customer:
        assert (await nobody.get("/of-handlers")).headers["location"] == "/desk/sign-on?next=/of-handlers"
        await signed_in(approver, doors, Staff(id="a-3", roles=(Role.APPROVER,)))
        assert (await approver.get("/of-handlers")).status_code == 404
        assert (await approver.get("/of-staff")).text == "a-3"
        itself = await nobody.get("/of-handlers", headers={"hx-request": "true"})
        assert (itself.status_code, itself.text) == (401, ""), "an open page that asks by itself stays as it is"
        await signed_in(customer, doors, Customer(address="li@example.com"))
        assert (await customer.get("/of-staff")).status_code == 303


async def test_what_somebody_typed_whose_session_ended_is_there_after_they_sign_in_again(doors: Doors) -> None:
    async with Browser(_a_site_with_rooms_for_some(doors)) as browser:
        answer = await browser.send_form("/", "/of-customers", text="long and well considered", back="/mine")
        assert answer.headers["location"] == "/sign-in?next=/mine"
        await signed_in(browser, doors, Customer(address="li@example.com"))
        assert await drafts.draft(doors, session_in(browser, doors), "/of-customers") == {
            "text": "long and well considered"
        }


async def test_a_session_ends_when_nothing_is_heard_for_long_and_at_the_latest_after_half_a_day(doors: Doors) -> None:
    async with Browser(_a_site_with_rooms_for_some(doors)) as browser:
        await signed_in(browser, doors, Staff(id="h-17", roles=(Role.HANDLER,)))
        assert (await browser.get("/of-staff")).status_code == 200
        real = doors.clock
        doors.clock = lambda: real() + timedelta(hours=3)
        for header, value in (("hx-request", "true"), ("accept", "text/event-stream")):
            assert (await browser.get("/of-staff", headers={header: value})).status_code == 200
        doors.clock = lambda: real() + timedelta(hours=5)
        assert (await browser.get("/of-staff")).status_code == 303


CHIEF = Staff(id="c-1", roles=(Role.APPROVER, Role.EXECUTIVE))
WRITTEN = {
    "who it is, in the clear": "update web.sessions set person = $2 where id = $1",
    "another row's": "update web.sessions set person = (select ('sealed:2:web.sessions.person:64:'"
    " || encode($1, 'hex') || ':' || casefile.sealed_part(encode(person, 'escape')))::bytea"
    " from web.sessions where id <> $1) where id = $1",
    "for longer": "update web.sessions set expires_at = expires_at + interval '1 day', idle = '1 day' where id = $1",
}


@pytest.mark.parametrize("what", WRITTEN)
async def test_whoever_writes_to_the_database_signs_nobody_on(doors: Doors, what: str) -> None:
    site = _a_site_with_rooms_for_some(doors)
    async with Browser(site) as chief, Browser(site) as browser:
        await signed_in(chief, doors, CHIEF)
        await signed_in(browser, doors, Staff(id="h-17", roles=(Role.HANDLER,)))
        row = session_in(browser, doors).row
        values = [CHIEF.model_dump_json().encode()] if "$2" in WRITTEN[what] else []
        await doors.pool.execute(WRITTEN[what], row, *values)
        if what == "for longer":
            real = doors.clock
            doors.clock = lambda: real() + timedelta(hours=13)
        else:
            assert (await chief.get("/of-staff")).status_code == 200
        assert (await browser.get("/of-staff")).status_code == 303


async def test_a_cookie_that_is_not_ours_is_nobody(doors: Doors, browser: Browser) -> None:
    await browser.get("/")
    ours = browser.cookies["visit"]
    browser.cookies.set("visit", ours[:-2] + "xx", domain="127.0.0.1")
    assert "set-cookie" in (await browser.get("/")).headers
    assert await doors.pool.fetchval("select count(*) from web.sessions where id = $1", row_of(ours)) == 0
