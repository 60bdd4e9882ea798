"""Nothing is closed while something is owed."""

import base64
import json
import time
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import httpx
import pytest

from domain.ground.people import Actor
from domain.ground.reference import reference_for
from domain.ground.words import CaseEvent, LetterKind, Outcome, Remedy, Role, Stage, TaskKind
from domain.money.amounts import Money
from runtime.policies import find_pack
from starter.client.conversation import Refused
from starter.client.directory import People
from starter.reading.ledger import check_ledger
from starter.reading.remedies import get_remedies
from starter.reading.tasks import TaskView, get_tasks
from tests.people.support import directory, person
from tests.signing import signed as vouched
from tests.web.chromium import served
from tests.web.conftest import doors_over
from tests.web.test_webhooks import signed
from tests.workflows.house import ACCOUNT, APPROVER, CUSTOMER, HANDLER, House
from tests.workflows.rules import own
from tests.workflows.test_tasks import TEAMS
from web.api import ROOT
from web.app import create_app

LEAD, H1 = Actor(id="t-2", role=Role.TEAM_LEAD), Actor(id="h-1", role=Role.HANDLER)


async def pending_withdrawal(house: House) -> None:
    now = await house.env.get_current_time()
    await house.pool.execute(
        "insert into tradelog.account_entries (entry, account, kind, amount, currency, requested_at)"
        " values ('w-1', $1, 'withdrawal', -12000, 'USD', $2)",
        ACCOUNT,
        now - timedelta(days=9),
    )


async def responded_while_it_is_pending(house: House) -> str:
    """A case about it with a final response: while something is owed beside the sum, people decide."""
    await pending_withdrawal(house)
    reference = await house.submit()
    await house.drafted(reference)
    await house.complaints.propose_draft(reference, by=HANDLER)
    await house.responded(reference)
    return reference


async def release(house: House) -> None:
    now = await house.env.get_current_time()
    await house.pool.execute(
        "insert into tradelog.account_entry_completions "
        "(entry, account, kind, amount, currency, requested_at, booked_at)"
        " select entry, account, kind, amount, currency, requested_at, $1 from tradelog.account_entries"
        " where entry = 'w-1'",
        now,
    )


async def test_a_case_waits_for_the_withdrawal_that_is_still_owed_and_sees_its_release_in_the_log(house: House) -> None:
    reference = await responded_while_it_is_pending(house)
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.row(reference, lambda case: bool(case["stage"] == Stage.SETTLING))
    await house.sleep(timedelta(days=40))
    case = await house.at(reference, Stage.SETTLING)
    assert case["breached"], "its clock ran out, and stays run out"
    now = await house.env.get_current_time()
    (owed,) = await get_remedies(house.pool, now, reference=reference)
    assert (owed.remedy.kind, owed.remedy.subject, owed.state) == (Remedy.RELEASE, "w-1", "overdue")
    assert await get_remedies(house.pool, now) == [owed]

    await release(house)
    await house.complaints.record_cause(reference, "payments/own_delay", by=HANDLER)
    closed = await house.closed(reference)
    assert closed.outcome is Outcome.UPHELD
    # interest ran on until the release, and what is posted is what the check finds of the whole time
    row = await house.fetchrow("select requested_at, booked_at from tradelog.known_account_entries")
    assert row is not None
    late = row["booked_at"] - row["requested_at"] - timedelta(hours=48)
    owed_in_all = Decimal(12000) * 8 / 100 / 365 * (late // timedelta(microseconds=1)) / (86_400 * 10**6)
    assert closed.compensation == Money.of(owed_in_all, "USD")
    assert late > timedelta(days=45)
    said = " ".join(" ".join(mail.get_content().split()) for mail in house.mail())
    assert "interest runs on at USD 2.6301 a day" in said
    assert not (await check_ledger(house.pool)).faults
    (done,) = await get_remedies(house.pool, now, reference=reference)
    assert done.state == "done"
    assert done.remedy.proof is not None
    assert done.remedy.proof.by == "trade_log"


async def test_a_release_just_before_its_clock_ends_is_no_breach_though_nobody_has_looked_since(house: House) -> None:
    reference = await responded_while_it_is_pending(house)
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.row(reference, lambda case: bool(case["stage"] == Stage.SETTLING))
    now = await house.env.get_current_time()
    (owed,) = await get_remedies(house.pool, now, reference=reference)
    assert owed.due is not None
    await house.sleep(owed.due - now - timedelta(minutes=1))
    await release(house)
    await house.sleep(timedelta(minutes=3))  # the log is looked at every six hours by now
    (done,) = await get_remedies(house.pool, owed.due, reference=reference)
    assert done.state == "done"
    assert await house.timeline(reference, "breach") == []


async def test_a_customer_who_takes_the_complaint_back_is_still_owed_the_withdrawal(house: House) -> None:
    reference = await responded_while_it_is_pending(house)
    await house.complaints.withdraw(reference, by=CUSTOMER)
    await house.row(reference, lambda case: bool(case["stage"] == Stage.SETTLING))
    await house.sleep(timedelta(days=1))
    await house.at(reference, Stage.SETTLING)
    await release(house)
    closed = await house.closed(reference)
    assert (closed.outcome, closed.compensation) == (Outcome.WITHDRAWN, None)


async def test_remedies_that_people_carry_out_are_confirmed_by_people_and_relief_ends_with_the_case(
    house: House,
) -> None:
    reference = await house.submit(trades=["w-unknown"])
    await house.sent(reference, LetterKind.INFORMATION_REQUEST)
    until = await house.env.get_current_time() + timedelta(days=90)
    await house.complaints.grant_relief(reference, "The transfer is not reversed meanwhile.", until, by=LEAD)
    await house.complaints.propose_resolution(
        reference, by=HANDLER, outcome="upheld", remedies=["correction", "apology"], reasons="Wrong address on file."
    )
    if (await house.complaints.status(reference)).summary.stage is Stage.DECIDING:
        await house.complaints.approve(reference, by=APPROVER)
    await house.responded(reference)
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.row(reference, lambda case: bool(case["stage"] == Stage.SETTLING))
    now = await house.env.get_current_time()

    async def states() -> bool:
        return [one.state for one in await get_remedies(house.pool, now, reference=reference)] == ["ended", "owed"]

    await house.eventually(states)
    _, correction = await get_remedies(house.pool, now, reference=reference)
    with pytest.raises(Refused, match="99 is not owed"):
        await house.complaints.confirm_remedy(reference, 99, "It was seen.", by=HANDLER)
    with pytest.raises(Refused, match="99 is not owed"):
        await house.complaints.reassign_remedy(reference, 99, "h-21", by=LEAD)
    await house.complaints.reassign_remedy(reference, correction.remedy.number, "h-21", by=LEAD)

    async def owner() -> bool:
        found = await get_remedies(house.pool, now, reference=reference)
        return [one.remedy.owner for one in found][-1] == "h-21"

    await house.eventually(owner)
    await confirmed_by_a_system(house, reference, correction.remedy.number)
    await house.complaints.record_cause(reference, "payments/own_delay", by=HANDLER)
    closed = await house.closed(reference)
    assert closed.outcome is Outcome.UPHELD


async def confirmed_by_a_system(house: House, reference: str, number: int) -> None:
    """A system of the firm says so by a signed webhook; what does not fit is refused, and names the field."""
    secret, other = (f"whsec_{base64.b64encode(bytes([n]) * 32).decode()}" for n in (1, 2))
    doors = doors_over(
        house.pool,
        house.env.client,
        task_queue=house.task_queue,
        webhooks={"core": [other]},
        remedy_webhooks={"core": [secret]},
    )
    right = {"reference": reference, "remedy": number, "kind": "correction", "proof": "Changed, 4711."}
    async with served(create_app(doors)) as url, httpx.AsyncClient(base_url=url) as client:

        async def told(identity: str, data: dict[str, Any], **more: Any) -> tuple[int, list[str]]:
            content = json.dumps({"type": "remedy", "data": data}).encode()
            headers = signed(content, identity, **{"secret": secret, **more})
            answer = await client.post(f"{ROOT}/webhooks/core/remedies", content=content, headers=headers)
            said = answer.json()
            fields = [one["field"] for one in said.get("errors", [])]
            return answer.status_code, fields or [said.get("noted") or said["detail"].partition(":")[0]]

        assert await told("d-1", right, secret=other) == (401, ["webhook-signature"])
        assert await told("d-1", right, at=time.time() - 400) == (401, ["webhook-timestamp"])
        assert await told("d-2", right | {"reference": reference_for("nobody", "1")}) == (404, ["data.reference"])
        assert await told("d-3", right | {"reference": "RD-1"}) == (422, ["data.reference"])
        assert await told("d-4", right | {"remedy": 99}) == (409, ["data.remedy"])
        assert await told("d-5", right | {"kind": "unfreeze"}) == (409, ["data.kind"])
        assert await told("d-6", {"proof": ""}) == (422, ["data.reference", "data.remedy", "data.kind", "data.proof"])
        done = await told("d-7", right)
        assert done == (200, [f"{number}: correction of account data"])
        assert await told("d-7", right, at=time.time() + 60) == done
        assert await told("d-7", right | {"proof": "4712"}) == (409, ["webhook-id"])
        assert await told("d-8", right) == (409, ["data.remedy"])
    said = [one for one in await house.timeline(reference) if "4711" in one]
    assert len(said) == 1, said


async def test_without_a_clock_for_remedies_each_is_a_task_until_it_is_confirmed(house: House) -> None:
    await People(house.pool, vouched).replace(directory(person("h-1", teams=TEAMS), teams=TEAMS), by=LEAD)
    clocks = find_pack("platform-default", house.today).model_dump()["clocks"]
    clocks = [clock for clock in clocks if clock["trigger"] != CaseEvent.REMEDY_OWED]
    policy = own(house, clocks=clocks)
    reference = await house.submit(description="You keep a wrong name.", amount_claimed=None, trades=(), policy=policy)
    await house.at(reference, Stage.DECIDING)
    given = {"outcome": Outcome.UPHELD, "remedies": [Remedy.CORRECTION], "reasons": "The name on file was wrong."}
    await house.complaints.propose_resolution(reference, by=H1, **given)
    await house.responded(reference)
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")

    async def task(state: str) -> TaskView | None:
        now = await house.env.get_current_time()
        known = [one for one in await get_tasks(house.pool, now, reference=reference) if one.state == state]
        return next((one for one in known if one.kind is TaskKind.CONFIRM_REMEDY), None)

    to_do: TaskView = await house.eventually(partial(task, "open"))
    assert (to_do.owner, to_do.due is not None) == ("h-1", True)
    (owed,) = await get_remedies(house.pool, await house.env.get_current_time(), reference=reference)
    assert owed.due is None, "no clock says by when"
    with pytest.raises(Refused, match="ends by itself with confirm_remedy"):
        await house.complaints.finish_task(reference, to_do.number, "It is done.", by=H1)
    await house.at(reference, Stage.SETTLING)
    await house.complaints.confirm_remedy(reference, owed.remedy.number, "The name on file is right.", by=H1)
    ended: TaskView = await house.eventually(partial(task, "ended"))
    assert ended.how == "done with confirm_remedy"
    await house.complaints.record_cause(reference, "payments/own_delay", by=H1)
    assert (await house.closed(reference)).outcome is Outcome.UPHELD
