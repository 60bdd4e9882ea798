"""Webhooks in: who signed one is heard, once, for five minutes, by the old secret and the new one."""

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.intake.dealing import Dealing
from domain.case.messages.signals import Arrived, CustomerReply
from domain.ground.reference import reference_for
from domain.intake.received import Ending
from domain.intake.told import Spoken, written
from runtime.database import Pool
from runtime.settings import ConfigurationError, load_settings
from starter.reading.intake import replay, show_incoming
from tests.channels.test_mail_in import Office
from tests.intake.test_dealing import LEAD, Cases, deal
from tests.web.conftest import doors_over
from web.api import ROOT
from web.app import create_app

NEW, OLD = ("whsec_" + base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
COMPLAINT = {
    "channel": "chat",
    "language": "zh-CN",
    "complainant": {"name": "李雷", "email": "li.lei@example.com"},
    "transcript": [
        {"who": "program", "text": "您好，请问有什么可以帮您？"},
        {"who": "customer", "text": "我的出金三周仍未到账。"},
    ],
}


def told(kind: str, data: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "data": data}).encode()


def signed(content: bytes, identity: str = "msg_1", *, secret: str = NEW, at: float | None = None) -> dict[str, str]:
    """The headers of a webhook, made as its specification says."""
    when = str(int(time.time() if at is None else at))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mark = base64.b64encode(hmac.digest(key, f"{identity}.{when}.".encode() + content, hashlib.sha256)).decode()
    return {"webhook-id": identity, "webhook-timestamp": when, "webhook-signature": f"v1,{'A' * 43}= v1,{mark}"}


async def test_a_signed_webhook_is_committed_once_and_only_who_is_proven_is_heard_by_a_case(pool: Pool) -> None:
    site = create_app(doors_over(pool, webhooks={"chat": [NEW, OLD]}, remedy_webhooks={"chat": [NEW]}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://127.0.0.1") as client:

        async def sent(content: bytes, headers: dict[str, str], source: str = "chat") -> httpx.Response:
            return await client.post(f"{ROOT}/webhooks/{source}", content=content, headers=headers)

        content = told("complaint", COMPLAINT)
        first = await sent(content, signed(content))
        assert (first.status_code, first.json()["already_known"]) == (202, False)
        again = await sent(content, signed(content, secret=OLD))
        assert (again.json()["reference"], again.json()["already_known"]) == (first.json()["reference"], True)
        other = told("complaint", {**COMPLAINT, "language": "en"})
        assert (await sent(other, signed(other))).json()["errors"][0]["field"] == "webhook-id"
        late, early = (signed(content, at=time.time() + seconds) for seconds in (-400, 400))
        altered = content.replace(b"chat", b"app!")
        refused = [(content, late), (content, early), (altered, signed(content)), (content, {"webhook-id": "msg_1"})]
        refused.append((content, signed(content, "other") | {"webhook-id": "msg_1"}))
        assert [(await sent(*one)).status_code for one in refused] == [401] * len(refused)
        assert (await sent(content, signed(content), "nobody")).status_code == 401
        for odd in (b"{", told("complaint", {}), told("reply", {"reference": "RD-1", "text": "x"}), told("order", {})):
            assert (await sent(odd, signed(odd))).status_code == 422, odd
        assert await pool.fetchval("select count(*) from intake.received") == 1
        large = content + b" " * 1_000_000
        assert (await sent(large, signed(large))).status_code == 413
        done = {"reference": first.json()["reference"], "remedy": 1, "kind": "unfreeze", "proof": "4711"}
        away = await sent(told("remedy", done), signed(told("remedy", done)), "chat/remedies")  # Temporal is
        assert (away.status_code, away.json()["detail"]) == (503, "send it again under the same webhook-id")

        cases = Cases()
        dealing = Dealing(pool, cases, lambda: datetime.now(UTC))
        key = await pool.fetchval("select key from intake.received")
        assert (await deal(dealing, key)).ending is Ending.CASE_OPENED
        [case] = cases.started.values()
        assert case.description == "[program] 您好，请问有什么可以帮您？\n我的出金三周仍未到账。"
        for identity, proven in (("msg_2", True), ("msg_3", False)):
            said = told("reply", {"reference": case.reference, "text": identity, "proven": proven})
            assert (await sent(said, signed(said, identity))).status_code == 202
            said = told("reply", {"reference": case.reference, "text": "other", "proven": proven})
            assert (await sent(said, signed(said, identity))).status_code == 409
    keys = await pool.fetch("select key from intake.received where kind = 'message' order by received_at")
    assert [(await deal(dealing, row["key"])).ending for row in keys] == [Ending.ON_CASE, Ending.UNPROVEN]
    assert [type(each) for each in cases.heard.values()] == [CustomerReply, Arrived]
    await replay(pool, keys[1]["key"], by=LEAD, reason="they called", vouched=True)
    assert (await deal(dealing, keys[1]["key"])).ending is Ending.ON_CASE
    assert not (await show_incoming(pool, keys[1]["key"])).needs_a_person


async def test_who_asks_how_far_a_complaint_is_is_told_if_signed_in_and_known_to_be_the_customer(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.api.progress.MOST", 3)
    office = Office(pool, tmp_path)
    await office.open()
    site = create_app(doors_over(pool, webhooks={"chat": [NEW], "phone": [OLD]}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://127.0.0.1") as client:

        async def asked(source: str = "chat", secret: str = NEW, **data: Any) -> httpx.Response:
            content = told("progress", {"reference": office.reference, "proven": True, **data})
            return await client.post(
                f"{ROOT}/webhooks/{source}", content=content, headers=signed(content, secret=secret)
            )

        english, chinese = await asked(), await asked(language="zh-CN")
        assert english.json()["stage"] == "received"
        assert english.json()["text"].startswith("We have your complaint. We will confirm it to you in writing. Our")
        assert chinese.json()["text"].startswith("我们已收到您的投诉，将向您书面确认。我们本应于")
        assert (await asked(proven=False)).status_code == 403
        assert (await asked(reference=reference_for("nobody", "1"))).status_code == 404
        assert (await asked(reference="RD-1")).status_code == 422
        assert (await asked(language="fr")).status_code == 422
        assert [(await asked()).status_code for _ in range(2)] == [200, 429]
        assert (await asked("phone", OLD)).status_code == 200
        assert await pool.fetchval("select count(*) from casefile.accesses where who = 'service:chat'") == 3
        await pool.execute(
            "insert into casefile.timeline (reference, key, at, kind, actor, text, data) values"
            " ($1, 'doubt', now(), 'identified', 'system:redress', 'open', '{\"state\": \"open\", \"because\": []}')",
            office.reference,
        )
        assert (await asked("phone", OLD)).status_code == 409


@given(st.lists(st.builds(Spoken, who=st.sampled_from(["customer", "staff"]), text=st.just("x" * 900)), max_size=30))
def test_a_conversation_of_any_length_fits_and_ends_as_it_ended(lines: list[Spoken]) -> None:
    text = written(tuple(lines))
    assert len(text) <= 20_000
    assert not lines or text.endswith(lines[-1].text)


WRONG: list[object] = [
    [1],
    {"chat": []},
    {"chat": ["secret"]},
    {"chat": [NEW, NEW.removeprefix("whsec_")]},
    {"chat": [NEW, "whsec_" + base64.b64encode(bytes(23)).decode()]},
    {"a/b": [NEW]},
    {"chat": [NEW], "": [NEW]},
]


@pytest.mark.parametrize("wrong", [json.dumps(each) for each in WRONG])
def test_a_secret_that_is_none_is_refused_at_the_start(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDRESS_WEBHOOKS", wrong)
    with pytest.raises(ConfigurationError, match="REDRESS_WEBHOOKS") as error:
        load_settings()
    assert 'secret"' not in str(error.value)
    assert NEW not in str(error.value)


def test_secrets_of_the_length_that_is_asked_for_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = {"chat.v2": ["whsec_" + base64.b64encode(bytes(24)).decode(), NEW]}
    monkeypatch.setenv("REDRESS_WEBHOOKS", json.dumps(taken))
    assert load_settings().webhooks == taken
