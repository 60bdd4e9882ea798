"""Speaking to a payment rail over HTTP: what is believed, and what is not."""

import asyncio
import hashlib
import hmac
import re
import socket
import tracemalloc
from decimal import Decimal
from pathlib import Path

import pytest

from domain.ground.words import PaymentReason
from domain.money.amounts import Money, PositiveMoney
from domain.money.payment import PaymentOrder, RailState
from runtime.payment_rail import HttpRail, RailConflict, RailFailed, name_of, path_of, sign
from runtime.settings import ConfigurationError, load_settings
from tests.money.rail import ENDLESS, SECRET, Rail, declining, partly, pending

KEY = "RD-K7M4-9QXT-2VBHC:payment:1:1"


def order(amount: str = "812.50", key: str = KEY, payee: str = "70012345") -> PaymentOrder:
    money = PositiveMoney(amount=Decimal(amount), currency="USD")
    return PaymentOrder(key=key, reference="RD-K7M4-9QXT-2VBHC", payee=payee, amount=money)


def usd(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


async def test_an_order_is_paid_once_for_its_key_and_can_be_asked_about(rail: Rail) -> None:
    http = HttpRail(rail.settings())
    assert (await http.ask(KEY)).state is RailState.UNKNOWN
    for answer in (await http.pay(order()), await http.pay(order()), await http.ask(KEY)):
        assert (answer.state, answer.paid, answer.rail_reference) == (RailState.PAID, usd("812.50"), "B-1")
    assert rail.money() == Decimal("812.50")
    assert rail.payments[KEY].body == {
        "amount": "812.50",
        "currency": "USD",
        "payee": "70012345",
        "reference": "RD-K7M4-9QXT-2VBHC",
    }


async def test_what_the_rail_says_is_understood(rail: Rail) -> None:
    http = HttpRail(rail.settings())
    rail.pays = pending
    assert (await http.pay(order(key="k:1"))).state is RailState.PENDING
    rail.pays = partly("600")
    answer = await http.pay(order(key="k:2"))
    assert (answer.state, answer.paid) == (RailState.PARTIAL, usd("600"))
    rail.pays = declining()
    answer = await http.pay(order(key="k:3"))
    assert (answer.state, answer.reason) == (RailState.DECLINED, PaymentReason.ACCOUNT_CLOSED)
    rail.pays = declining("code 4711 of some bank")
    assert (await http.pay(order(key="k:4"))).reason is PaymentReason.OTHER


async def test_a_key_that_was_used_for_something_else_is_a_conflict(rail: Rail) -> None:
    http = HttpRail(rail.settings())
    await http.pay(order())
    with pytest.raises(RailConflict):
        await http.pay(order("812.51"))


@pytest.mark.parametrize(
    "how", ["lost", "unheard", "silent", "garbled", "unsigned", "500", "502", "301", "408", "429", "404", "401"]
)
async def test_an_answer_that_cannot_be_trusted_is_none(rail: Rail, how: str) -> None:
    http = HttpRail(rail.settings(payment_timeout=0.3) if how == "silent" else rail.settings())
    rail.script = [how]
    with pytest.raises(RailFailed) as failed:
        await http.pay(order())
    assert failed.value.unsent == (how == "401")
    assert "812" not in str(failed.value)


async def test_answers_are_asked_for_as_they_are(rail: Rail) -> None:
    http = HttpRail(rail.settings())
    await http.pay(order())
    await http.ask(KEY)
    assert rail.encodings == ["identity", "identity"]


@pytest.mark.parametrize("how", ["gzip", "nested", "long", *ENDLESS])
async def test_an_answer_that_costs_more_than_its_few_words_is_none_and_the_rail_is_asked_again(
    rail: Rail, how: str
) -> None:
    http = HttpRail(rail.settings(payment_timeout=1))
    rail.script = [how, how]
    tracemalloc.start()
    try:
        for ask in (http.pay(order()), http.ask(KEY)):
            async with asyncio.timeout(30):
                with pytest.raises(RailFailed) as failed:
                    await ask
            assert not failed.value.unsent
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < (10 << 20)
    assert (await http.ask(KEY)).paid == usd("812.50")
    assert rail.money() == Decimal("812.50")


@pytest.mark.parametrize("how", ["404", "unsigned", "garbled"])
async def test_only_the_rails_own_signed_word_means_that_it_never_heard_of_a_key(rail: Rail, how: str) -> None:
    rail.script = [how]  # 404 with a body that does not say so: a wrong address, say
    with pytest.raises(RailFailed):
        await HttpRail(rail.settings()).ask(KEY)


@pytest.mark.parametrize("how", ["400", "422"])
async def test_an_order_that_the_rail_calls_invalid_is_declined(rail: Rail, how: str) -> None:
    rail.script = [how]
    answer = await HttpRail(rail.settings()).pay(order())
    assert (answer.state, answer.reason) == (RailState.DECLINED, PaymentReason.INVALID)


async def test_a_rail_with_another_secret_refuses_us_and_nothing_is_paid(rail: Rail) -> None:
    http = HttpRail(rail.settings(payment_secret="another secret, long enough to be one"))
    with pytest.raises(RailFailed, match="secret or clock differ") as failed:
        await http.pay(order())
    assert failed.value.unsent
    assert rail.payments == {}


async def test_a_rail_that_nobody_runs_is_known_to_have_heard_nothing() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    http = HttpRail(load_settings(payment_url=url, payment_secret=SECRET))
    with pytest.raises(RailFailed, match="could not be reached") as failed:
        await http.pay(order())
    assert failed.value.unsent


@pytest.mark.parametrize(
    ("paid", "problem"),
    [("812.50", None), ("812.51", "paid USD 812.51 of USD 812.50"), ("8.00", "paid USD 8.00 of USD 812.50")],
)
async def test_what_was_paid_must_be_what_was_ordered(rail: Rail, paid: str, problem: str | None) -> None:
    rail.pays = lambda body: {"state": "paid", "amount": paid, "currency": "USD"}
    assert (await HttpRail(rail.settings()).pay(order())).problem_with(order()) == problem


async def test_the_name_in_the_ledger_is_the_rails_host_and_tells_its_urls_apart(rail: Rail) -> None:
    name = HttpRail(rail.settings()).name
    assert re.fullmatch(r"127\.0\.0\.1#[0-9a-f]{8}", name)
    assert name == HttpRail(rail.settings(payment_url=f"{rail.url}/", payment_secret="x" * 32)).name
    urls = {
        "https://pay.example.com/live",
        "https://pay.example.com/sandbox",
        "https://pay.example.com:8443/live",
        "http://pay.example.com/live",
        "https://pay.example.com",
    }
    assert len({name_of(url) for url in urls}) == len(urls)
    assert name_of("https://PAY.example.com:443/live/") == name_of("https://pay.example.com/live")
    digest = hashlib.sha256(b"https://pay.example.com:443/live").hexdigest()
    assert name_of("https://pay.example.com/live") == f"pay.example.com#{digest[:8]}"


# -- settings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"payment_url": "https://pay.example.com"}, "REDRESS_PAYMENT_SECRET: it is not set"),
        ({"payment_url": "http://pay.example.com", "payment_secret": SECRET}, "REDRESS_PAYMENT_URL: .* https://"),
        ({"payment_url": "https://u:p@pay.example.com", "payment_secret": SECRET}, "without user, password"),
        ({"payment_url": "https://pay.example.com", "payment_secret": "short"}, "REDRESS_PAYMENT_SECRET: .* too short"),
        ({"payment_timeout": 60}, "REDRESS_PAYMENT_TIMEOUT"),
    ],
)
def test_a_rail_is_configured_whole_or_refused_with_the_way_out(settings: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        load_settings(**settings)


def test_a_rail_needs_https_but_on_this_machine() -> None:
    assert load_settings(payment_url="http://localhost:8400/", payment_secret=SECRET).payment_url
    assert load_settings(payment_url="https://pay.example.com/v1/", payment_secret=SECRET).payment_url == (
        "https://pay.example.com/v1"
    )
    assert SECRET not in repr(load_settings(payment_url="https://pay.example.com", payment_secret=SECRET))


# -- what the writer of a rail reads -----------------------------------------------------------------------------------


def test_the_signatures_in_the_documentation_are_true() -> None:
    page = (Path(__file__).parents[2] / "docs" / "payments.md").read_text(encoding="utf-8")
    secret = b"0123456789abcdef0123456789abcdef"
    body = b'{"amount": "812.50", "currency": "USD", "payee": "70012345", "reference": "RD-K7M4-9QXT-2VBHC"}'
    request = sign(secret, "1767225600", "PUT", path_of(KEY), body)
    answer = b'{"state":"paid","amount":"812.50","currency":"USD","reference":"B-2026-0815"}'
    for said in (path_of(KEY), body.decode(), request, answer.decode(), sign(secret, request, "200", answer)):
        assert said in page
    message = b"1767225600.PUT." + path_of(KEY).encode() + b"." + body
    assert request == "v1=" + hmac.new(secret, message, hashlib.sha256).hexdigest()
