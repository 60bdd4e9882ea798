"""Whatever anybody sends to Temporal is a case, on a case, or a refusal that can be found; and nothing is posted."""

import asyncio
import json
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload

from domain.case.messages.signals import PeopleChanged
from domain.case.messages.table import BY_ANYBODY
from domain.ground.reference import reference_for
from domain.ground.sizes import LONGEST_KEPT, size
from domain.ground.words import Outcome, Stage
from starter.client.conversation import Refused
from starter.client.examples import EXAMPLES
from tests.workflows.house import CUSTOMER, HANDLER, House
from tests.workflows.strange import JSON, LARGE, NUMBERS, UNREADABLE, signal, sizes_of_activities, start
from workflows.messages.of_a_case import SIGNALS


async def in_decision(house: House) -> str:
    await house.late_withdrawal("3000000")
    reference = await house.submit()
    await house.at(reference, Stage.DECIDING)
    return reference


@pytest.mark.parametrize("name", ["customer_reply", "escalate", "incident_changed", "unheard_of"])
async def test_what_cannot_be_read_is_kept_once_with_the_reason(house: House, name: str) -> None:
    reference = await in_decision(house)
    for payload in UNREADABLE.values():
        await signal(house, reference, name, payload)
    await signal(house, reference, name)
    await signal(house, reference, name, *[Payload(metadata=JSON, data=b"{}")] * 2)

    async def kept() -> bool:
        count = await house.fetchval("select count(*) from casefile.rejected_messages where name = $1", name)
        return bool(count == len(UNREADABLE) + 2)

    await house.eventually(kept)
    rows = await house.fetch("select reason, payload from casefile.rejected_messages")
    assert all(row["reason"] and len(row["payload"]) < 64_000 for row in rows)
    if name != "unheard_of":
        assert sum("level: " in row["reason"] and "; send " in row["reason"] for row in rows) == len(NUMBERS)
    await house.complaints.withdraw(reference, by=CUSTOMER)
    assert (await house.closed(reference)).outcome is Outcome.WITHDRAWN


async def test_no_signal_puts_a_name_into_the_record_that_nobody_proved_without_a_mark(house: House) -> None:
    reference = await in_decision(house)
    house.database.away = True
    sent = 0
    for role, token in (("compliance_officer", None), ("executive", "forged.by.me"), ("system", None)):
        for kind in [row.kind for row in SIGNALS] + [PeopleChanged] * 9:
            sent += 1
            said = {**EXAMPLES[kind], "message_id": f"m-{sent}", "actor": {"id": "mallory", "role": role}}
            payload = Payload(metadata=JSON, data=json.dumps(said).encode())
            await signal(house, reference, kind.name, payload, token=token)
    house.database.away = False
    await house.complaints.reply(reference, by=CUSTOMER, text="It is me.")

    async def is_heard() -> bool:
        rows = await house.fetch("select data from casefile.timeline where kind = 'customer_reply'")
        return any(row["data"].get("text") == "It is me." for row in rows)

    await house.eventually(is_heard)
    rows = await house.fetch("select kind, actor, text, data, token from casefile.timeline order by id")
    named = [row for row in rows if "mallory" in repr(dict(row)) and row["kind"] != "rejected"]
    assert {(row["kind"], row["data"].get("unproven"), row["token"]) for row in named} == {
        (kind.name, True, None) for kind in BY_ANYBODY
    }
    [mine] = [row for row in rows if row["data"].get("text") == "It is me."]
    assert mine["token"]
    assert "unproven" not in mine["data"]
    refused = await house.fetch("select reason from casefile.rejected_messages")
    assert [row["reason"] for row in refused] == ["actor: nobody speaks as the system; say who you are"] * 2
    assert sum(row["kind"] == PeopleChanged.name for row in rows) <= 4  # of 30


async def test_half_an_emoji_is_no_reason_to_lose_a_complaint_or_a_reply(house: House) -> None:
    now = await house.env.get_current_time()
    given = {
        "source": "test",
        "idempotency_key": "half",
        "received_at": now.isoformat(),
        "channel": "web",
        "language": "en",
        "complainant": {"name": "The Customer"},
        "description": "My withdrawal is late \ud83d",
    }
    reference = reference_for("test", "half")
    await start(house, reference, Payload(metadata=JSON, data=json.dumps(given).encode()))
    await house.row(reference, lambda case: True)
    reply = {"message_id": "m-1", "actor": {"id": "customer", "role": "customer"}, "text": "Where is it? \ud83d"}
    await signal(house, reference, "customer_reply", Payload(metadata=JSON, data=json.dumps(reply).encode()))
    await house.eventually(lambda: house.timeline(reference, "customer_reply"))
    case = await house.fetchval("select complaint from casefile.cases where reference = $1", reference)
    assert case["description"].endswith("late \N{REPLACEMENT CHARACTER}")


async def test_an_id_that_is_used_again_for_something_else_is_no_repeat(house: House) -> None:
    reference = await in_decision(house)
    for _ in range(3):
        await house.complaints.reply(reference, by=CUSTOMER, text="Hello?", message_id="m-1")
    await house.complaints.reply(reference, by=CUSTOMER, text="Something else.", message_id="m-1")

    async def rejected() -> str | None:
        reason: str | None = await house.fetchval("select reason from casefile.rejected_messages")
        return reason

    assert "something else" in await house.eventually(rejected)
    assert len(await house.timeline(reference, "customer_reply")) == 1
    await house.complaints.assign(reference, "h-1", by=HANDLER, message_id="m-1")
    with pytest.raises(Refused, match="message_id"):
        await house.complaints.assign(reference, "h-2", by=HANDLER, message_id="m-1")


async def test_of_two_proposals_at_once_one_counts_and_the_other_is_refused(house: House) -> None:
    reference = await in_decision(house)

    async def propose(amount: int) -> Any:
        money = {"amount": amount, "currency": "USD"}
        return await house.complaints.propose_resolution(
            reference, by=HANDLER, outcome="upheld", compensation=money, reasons="It was late, and we are sorry."
        )

    ends = await asyncio.gather(propose(400_000), propose(500_000), return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["Receipt", "Refused"]


@pytest.mark.parametrize("what", LARGE)
async def test_what_comes_after_a_large_signal_is_written_down_too(house: House, what: str) -> None:
    reference = await in_decision(house)
    await signal(house, reference, "customer_reply", *LARGE[what])
    await house.complaints.reply(reference, by=CUSTOMER, text="Is anybody there?", message_id="m-1")
    await house.eventually(lambda: house.timeline(reference, "customer_reply"))
    payload = await house.fetchval("select payload from casefile.rejected_messages")
    assert size(payload) <= LONGEST_KEPT
    assert "the whole is in the workflow history" in payload


@pytest.mark.long
async def test_what_strangers_send_makes_no_payload_grow(house: House) -> None:
    reference = await in_decision(house)
    junk = Payload(metadata=JSON, data=b'"' + b"x" * 60_000 + b'"')
    house.database.away = True
    for number in range(15):  # together twice as much as a payload may have
        await signal(house, reference, "customer_reply", junk)
        await house.complaints.reply(reference, by=CUSTOMER, text="钱" * 20_000, message_id=f"m-{number}")
    house.database.away = False

    async def kept() -> bool:
        rejected = await house.fetchval("select count(*) from casefile.rejected_messages")
        return bool(rejected == 15 and len(await house.timeline(reference, "customer_reply")) == 15)

    await house.eventually(kept)
    assert max(await sizes_of_activities(house, reference)) < 600_000
