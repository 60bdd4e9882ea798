"""The response goes with the promise of what it gives: what happens while that is under way, and is not known yet."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from temporalio.exceptions import ApplicationError

from domain.case.requests import AwardPromised, PromiseAward
from domain.ground.words import LetterKind, Stage, TaskKind
from recovery import keys
from recovery.history import Step
from recovery.resuming import resume
from runtime.settings import load_settings
from starter.reading.tasks import get_tasks
from tests.around import Carry
from tests.workflows.house import APPROVER, CUSTOMER, HANDLER, House
from tests.workflows.rules import HOLDING, OMBUDSMAN, own, statutory
from tests.workflows.test_clocks import eight_weeks

AWARD: Final[dict[str, Any]] = {
    "outcome": "upheld",
    "compensation": {"amount": "300", "currency": "USD"},
    "reasons": "It was our fault.",
}


async def decided(house: House, policy: str | None = None, **resolution: Any) -> str:
    """A case that two persons have decided."""
    more = {"policy": policy} if policy else {}
    reference = await house.submit(description="Something is wrong.", trades=[], **more)
    await house.at(reference, Stage.DECIDING)
    await house.complaints.propose_resolution(reference, by=HANDLER, **resolution)
    await house.complaints.approve(reference, by=APPROVER)
    return reference


async def promised_by(house: House, promise: Callable[[Any, Carry], Awaitable[Any]], policy: str | None = None) -> str:
    """A case that two persons decided, whose award is promised by *promise*."""
    house.effects["PromiseAward"] = promise
    return await decided(house, policy, **AWARD)


async def keep_out_who_proposed(house: House, reference: str) -> None:
    """What the workflow has not heard of: the handler had decided in a case that is linked with this one."""
    await house.pool.execute(
        "insert into casefile.recusals (reference, person, why, about, since, at)"
        " values ($1, $2, 'decided', 'elsewhere', now() - interval '1 year', now())",
        reference,
        HANDLER.person,
    )


def answer_lost_for(days: int) -> Callable[[Any, Carry], Awaitable[Any]]:
    lost: list[AwardPromised] = []

    async def promise(_request: Any, carry: Carry) -> Any:
        done = await carry()
        if not lost:
            lost.append(done)
            raise ApplicationError("the answer was lost", next_retry_delay=timedelta(days=days))
        return done

    return promise


async def test_the_response_goes_with_the_promise_or_by_itself_once_a_channel_takes_it(house: House) -> None:
    await house.late_withdrawal()
    reference = await house.submit()

    async def without_a_channel(_request: Any, promise: Carry) -> Any:
        house.outbox.closed = True
        return await promise()

    house.effects["PromiseAward"] = without_a_channel
    case = await house.row(reference, lambda row: bool(row["stage"] == Stage.RESPONDED))
    assert case["outcome"] is None
    assert "final_response" not in await house.accepted_letters(reference)
    house.outbox.closed = False
    await house.sleep(timedelta(minutes=10))
    await house.sent(reference, LetterKind.FINAL_RESPONSE)
    assert (await house.accepted_letters(reference)).count("final_response") == 1


@pytest.mark.parametrize("kind", ["statutory", "holding"])
async def test_a_response_sent_in_time_is_no_breach_and_no_holding_letter_follows_it(house: House, kind: str) -> None:
    policy = {
        "statutory": lambda: own(house, statutory("response", 0, length={"hours": 24})),
        "holding": lambda: own(house, eight_weeks(5), letters=[HOLDING], routes=[OMBUDSMAN]),
    }[kind]()
    days = {"statutory": 2, "holding": 4}[kind]
    reference = await promised_by(house, answer_lost_for(days), policy)
    await house.sent(reference, LetterKind.FINAL_RESPONSE)
    await house.sleep(timedelta(days=days + 2))
    assert await house.timeline(reference, "breach") == []
    assert "holding" not in await house.accepted_letters(reference)


async def test_who_withdraws_before_a_channel_took_the_response_is_promised_nothing(house: House) -> None:
    heard = asyncio.Event()

    async def without_a_channel(_request: Any, carry: Carry) -> Any:
        house.outbox.closed = True
        done = await carry()
        await heard.wait()
        return done

    reference = await promised_by(house, without_a_channel)
    await house.row(reference, lambda row: bool(row["stage"] == Stage.RESPONDED))
    await house.complaints.withdraw(reference, by=CUSTOMER)
    heard.set()
    await house.row(reference, lambda row: bool(row["stage"] == Stage.CLOSED))
    house.outbox.closed = False
    await house.sleep(timedelta(hours=1))
    assert await house.accepted_letters(reference) == ["acknowledgement", "withdrawal"]
    assert await house.timeline(reference, "given_up") == [
        "given_up: letter final_response:1: it is of no use any more"
    ]


async def test_a_case_whose_workflow_is_lost_meanwhile_goes_on_with_the_same_letter(house: House) -> None:
    seen: list[tuple[PromiseAward, AwardPromised]] = []
    answered = asyncio.Event()

    async def slowly(request: PromiseAward, carry: Carry) -> Any:
        seen.append((request, await carry()))
        if len(seen) == 1:
            await answered.wait()
        return seen[-1][1]

    async def promised_again() -> bool:
        return len(seen) > 1

    async def in_the_file() -> set[str]:
        return (await keys.in_the_file(house.pool, [reference])).get(reference, set())

    reference = await promised_by(house, slowly)
    await house.sent(reference, LetterKind.FINAL_RESPONSE)
    under_way = Step("PromiseAward", seen[0][0], datetime.now(UTC))
    told = {key for key in await in_the_file() if "final_response" in key or key.endswith(":responded")}
    assert told <= keys.perhaps_by([under_way]), "no other workflow has written them"
    await house.complaints.reply(reference, by=CUSTOMER, intent="information", text="One more thing you should know.")
    await house.eventually(lambda: house.timeline(reference, "customer_reply"))
    await house.at_rest(reference)  # a later checkpoint has the letter, too
    began = await house.fetchval("select opened_at from casefile.cases where reference = $1", reference)
    run = (await house.client.get_workflow_handle(reference).describe()).run_id
    settings = load_settings(task_queue=house.task_queue)
    await resume(house.client, house.pool, settings, reference, await in_the_file(), run, began)
    answered.set()
    await house.eventually(promised_again)
    await house.row(reference, lambda row: bool(row["stage"] == Stage.RESPONDED))
    first, second = (request.letter for request, _ in seen[:2])
    assert first is not None
    assert second is not None
    assert (first.key, first.number) == (second.key, second.number)
    assert await house.timeline(reference, "fault") == []
    assert (await house.accepted_letters(reference)).count("final_response") == 1


async def is_read_by_somebody(house: House, reference: str) -> bool:
    known = await get_tasks(house.pool, datetime.now(UTC), reference=reference)
    return any(one.kind is TaskKind.ANSWER and one.state == "open" for one in known)


REFUSAL: Final[dict[str, Any]] = {
    "outcome": "not_upheld",
    "reasons": "You complained: that something is wrong. We looked at: your account's records. We found: no fault.",
}
EARLY: Final = {
    "promised": ("PromiseAward", AWARD, Stage.RESPONDED),
    "put aside": ("PromiseAward", AWARD, Stage.DECIDING),
    "nothing to promise": ("SendLetter", REFUSAL, Stage.RESPONDED),
}


@pytest.mark.parametrize("intent", ["accept", "dispute"])
@pytest.mark.parametrize("way", EARLY)
async def test_what_is_said_before_the_response_can_be_read_is_no_answer_and_somebody_reads_it(
    house: House, intent: str, way: str
) -> None:
    effect, resolution, stage = EARLY[way]

    async def heard_first(request: Any, carry: Carry) -> Any:
        reference = request.reference if effect == "PromiseAward" else request.update.reference
        if effect == "SendLetter" and request.kind is not LetterKind.FINAL_RESPONSE:
            return await carry()
        if await house.timeline(reference, "customer_reply"):
            return await carry()
        await house.complaints.reply(reference, by=CUSTOMER, intent=intent, text="To your letter of Monday.")
        await house.eventually(lambda: house.timeline(reference, "customer_reply"))
        if way == "put aside":
            await keep_out_who_proposed(house, reference)
        raise ApplicationError("not yet", next_retry_delay=timedelta(seconds=1))

    house.effects[effect] = heard_first
    reference = await decided(house, **resolution)
    await house.eventually(lambda: is_read_by_somebody(house, reference))
    await house.at(reference, stage)
    assert len(await house.timeline(reference, "set_aside")) == (way == "put aside")
    assert not await house.fetchval(
        "select count(*) from casefile.events where reference = $1 and event in ('answered', 'disputed')", reference
    )
    if stage is Stage.RESPONDED:
        await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
        await house.row(reference, lambda row: bool(row["stage"] == Stage.FOLLOWING_UP))


async def test_who_reads_a_response_before_its_workflow_knows_of_it_and_changes_their_mind_disputes_it(
    house: House,
) -> None:
    async def answered_late(request: Any, carry: Carry) -> Any:
        done = await carry()
        for number, intent in enumerate(("accept", "dispute"), start=1):
            await house.complaints.reply(request.reference, by=CUSTOMER, intent=intent)

            async def both(number: int = number) -> bool:
                return len(await house.timeline(request.reference, "customer_reply")) == number

            await house.eventually(both)
        house.effects.pop("PromiseAward")
        return done

    reference = await promised_by(house, answered_late)
    await house.row(reference, lambda row: bool(row["stage"] == Stage.DECIDING))
    assert not await is_read_by_somebody(house, reference)


async def test_who_answered_before_the_workflow_knew_of_the_response_is_not_taken_to_be_silent(house: House) -> None:
    """What waits to be heard is an answer, though the time for one is over when the workflow hears of the response."""
    lost: list[AwardPromised] = []

    async def answer_lost(request: Any, carry: Carry) -> Any:
        if lost:
            return lost[0]
        lost.append(await carry())
        await house.complaints.reply(request.reference, by=CUSTOMER, intent="dispute", text="It is not enough.")
        await house.eventually(lambda: house.timeline(request.reference, "customer_reply"))
        raise ApplicationError("the answer was lost", next_retry_delay=timedelta(days=20))

    reference = await promised_by(house, answer_lost)
    await house.eventually(lambda: house.timeline(reference, "customer_reply"))
    await house.sleep(timedelta(days=21))
    disputed = "select count(*) from casefile.events where reference = $1 and event = 'disputed'"
    await house.eventually(lambda: house.fetchval(disputed, reference))
    assert await house.timeline(reference, "silence") == []
