"""What goes wrong around a case: the database, the mail, people who change their minds."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from activities.letters.letters import Letters
from domain.case.requests import SendLetter
from domain.ground.people import Actor
from domain.ground.words import LetterKind, Outcome, Role, Stage
from domain.people.guidance import ALARM
from starter.client.conversation import Refused
from tests.around import Carry, skipped_time
from tests.reasons import a_no
from tests.workflows.house import APPROVER, CUSTOMER, HANDLER, House


async def test_a_case_waits_for_a_database_that_is_away_when_it_starts(house: House) -> None:
    await house.late_withdrawal()
    house.database.away = True
    reference = await house.submit()
    await house.sleep(timedelta(minutes=5))
    assert await house.fetchval("SELECT count(*) FROM casefile.cases") == 0
    house.database.away = False
    await house.sleep(timedelta(minutes=5))
    await house.at(reference, Stage.RESPONDED)


async def test_a_message_during_an_outage_of_the_database_is_kept_and_recorded_afterwards(house: House) -> None:
    await house.late_withdrawal("3000000")
    reference = await house.submit()
    await house.at(reference, Stage.DECIDING)
    house.database.away = True
    await house.complaints.reply(reference, by=CUSTOMER, text="Are you there?")
    await house.sleep(timedelta(minutes=5))
    assert await house.timeline(reference, "customer_reply") == []
    house.database.away = False
    await house.sleep(timedelta(minutes=5))
    await house.eventually(lambda: house.timeline(reference, "customer_reply"))


async def test_an_acknowledgement_delivered_after_the_withdrawal_does_not_reopen_the_file(house: House) -> None:
    house.outbox.closed = True
    reference = await house.submit()
    await house.at(reference, Stage.ACKNOWLEDGED)
    await house.complaints.withdraw(reference, by=CUSTOMER)
    await house.at(reference, Stage.CLOSED)
    receipt = await house.complaints.correct_contact(reference, by=HANDLER, by_post=True)
    assert receipt.noted == "address corrected"
    house.outbox.closed = False
    await house.sleep(timedelta(minutes=10))
    assert (await house.closed(reference)).outcome is Outcome.WITHDRAWN
    stages = await house.timeline(reference, "stage")
    assert stages[-1] == "stage: closed"
    assert "stage: investigating" not in stages
    assert "withdrawal" in await house.accepted_letters(reference)


async def test_sums_that_cannot_be_paid_are_refused(house: House) -> None:
    await house.late_withdrawal("3000000")
    reference = await house.submit()
    await house.at(reference, Stage.DECIDING)
    less_than_a_cent: dict[str, Any] = {
        "outcome": "upheld",
        "compensation": {"amount": "0.001", "currency": "USD"},
        "reasons": "Less than a cent.",
    }
    with pytest.raises(ValidationError, match="USD has no units that small"):
        await house.complaints.propose_resolution(reference, by=HANDLER, **less_than_a_cent)
    raw = {"message_id": "m-1", "actor": {"id": "h-17", "role": "handler"}, **less_than_a_cent}
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await house.client.get_workflow_handle(reference).execute_update("propose_resolution", raw)
    assert "compensation: USD has no units that small" in str(refused.value.cause)


async def test_a_proposal_ends_the_wait_for_an_answer_and_a_later_round_can_ask_again(house: House) -> None:
    reference = await house.submit(trades=["w-unknown"])
    await house.at(reference, Stage.INVESTIGATING)
    await house.complaints.propose_resolution(reference, by=HANDLER, outcome="not_upheld", reasons=a_no())
    await house.at(reference, Stage.DECIDING)
    await house.complaints.approve(reference, by=APPROVER)
    await house.responded(reference)
    await house.complaints.reply(reference, by=CUSTOMER, intent="dispute")
    await house.at(reference, Stage.DECIDING)
    await house.settled(reference)  # who is kept out is answered where the dispute is written down
    with pytest.raises(Refused, match="handler:h-17 is kept out of this case"):
        await house.complaints.request_information(reference, "Which withdrawal was it?", by=HANDLER)
    another = Actor(id="h-18", role=Role.HANDLER)
    await house.complaints.request_information(reference, "Which withdrawal was it?", by=another)
    await house.at(reference, Stage.INVESTIGATING)


async def test_nobody_is_reminded_of_a_question_while_a_proposal_waits(house: House) -> None:
    reference = await house.submit(trades=["w-unknown"])
    await house.sent(reference, LetterKind.INFORMATION_REQUEST)
    award = {"amount": "3000", "currency": "USD"}
    await house.complaints.propose_resolution(
        reference, by=HANDLER, outcome="upheld", compensation=award, reasons="It was late."
    )
    await house.at(reference, Stage.DECIDING)
    await house.sleep(timedelta(days=8))
    letters = await house.accepted_letters(reference)
    assert "information_request" in letters
    assert "reminder" not in letters


async def test_the_limit_holds_for_the_whole_case_not_for_each_round(house: House) -> None:
    await house.late_withdrawal()
    reference = await house.submit()
    await house.responded(reference)
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.at(reference, Stage.FOLLOWING_UP)
    await house.complaints.reopen(reference, "More was lost.", by=HANDLER)
    await house.at(reference, Stage.DECIDING)
    with pytest.raises(Refused, match="use the same currency"):
        await house.complaints.propose_resolution(
            reference,
            by=HANDLER,
            outcome="upheld",
            compensation={"amount": "1", "currency": "EUR"},
            reasons="So it is.",
        )
    # 18.41 was awarded before; 190 more is above the limit of 200 for the case.
    await house.complaints.propose_resolution(
        reference, by=HANDLER, outcome="upheld", compensation={"amount": "190", "currency": "USD"}, reasons="So it is."
    )
    status = await house.complaints.status(reference)
    assert (status.summary.stage, status.waiting_for) == (Stage.DECIDING, "a second person to decide the proposal")
    await house.complaints.return_proposal(reference, "Show how.", by=APPROVER)

    async def asked_to_decide() -> bool:
        sent = "SELECT body FROM casefile.letters WHERE reference = $1 AND kind = 'staff_notice'"
        return any("waits for your decision" in each["body"] for each in await house.fetch(sent, reference))

    await house.eventually(asked_to_decide)
    await house.eventually(lambda: _told_of_the_return(house, reference))


async def _told_of_the_return(house: House, reference: str) -> bool:
    letters = await house.fetch("select body from casefile.letters where reference = $1", reference)
    return any("was returned" in letter["body"] for letter in letters)


async def test_a_dispute_while_the_award_is_being_posted_takes_the_case_up_again(house: House) -> None:
    await house.late_withdrawal()
    reference = await house.submit()
    await house.responded(reference)
    house.database.away = True
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")

    async def settling() -> bool:
        return (await house.complaints.status(reference)).summary.stage is Stage.SETTLING

    await house.eventually(settling)
    await house.complaints.reply(reference, by=CUSTOMER, intent="dispute", text="I changed my mind.")
    house.database.away = False
    await house.sleep(timedelta(minutes=5))
    case = await house.at(reference, Stage.DECIDING)
    assert case["escalation_level"] == 1
    assert await house.fetchval("SELECT count(*) FROM casefile.postings WHERE reference = $1", reference) == 1


async def test_a_dispute_in_one_breath_with_an_acceptance_is_not_lost(house: House) -> None:
    await house.late_withdrawal()
    reference = await house.submit()
    await house.responded(reference)
    await asyncio.gather(
        house.complaints.reply(reference, by=CUSTOMER, intent="accept", message_id="m-1"),
        house.complaints.reply(reference, by=CUSTOMER, intent="dispute", text="No!", message_id="m-2"),
    )
    case = await house.at(reference, Stage.DECIDING)
    assert case["escalation_level"] == 1


@pytest.mark.long
@pytest.mark.parametrize(("away", "told"), [(timedelta(hours=6), True), (timedelta(days=30), False)])
async def test_a_notice_to_staff_is_not_lost_because_the_case_ends(
    house: House, away: timedelta, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    reachable, carry = asyncio.Event(), Letters._carry

    async def to_customers_only(self: Letters, connection: Any, request: SendLetter, *more: Any) -> Any:
        if request.kind is LetterKind.STAFF_NOTICE and not reachable.is_set():
            raise ApplicationError("nobody answers", next_retry_delay=timedelta(hours=1))
        return await carry(self, connection, request, *more)

    monkeypatch.setattr(Letters, "_carry", to_customers_only)
    reference = await house.submit(description="Something is wrong, nobody says why.", trades=())
    await house.at(reference, Stage.DECIDING)
    await house.complaints.escalate(reference, by=CUSTOMER, reason="I wait for ever.")
    await house.complaints.withdraw(reference, by=CUSTOMER, reason="All is well.")
    await house.eventually(lambda: _is_out(house, reference, "withdrawal"))
    for hours in range(0, 120, 3):
        if timedelta(hours=hours) >= away:
            reachable.set()
        if await _has_ended(house, reference):
            break
        await house.sleep(timedelta(hours=3))
        await asyncio.sleep(0.05)  # what can happen now happens before time goes on
    untold = await house.fetchval(
        "select count(*) from casefile.timeline where (reference, kind) = ($1, 'untold')", reference
    )
    assert (await _is_out(house, reference, "staff_notice"), untold) == ((True, 0) if told else (False, 1))


async def test_a_notice_to_staff_that_takes_nothing_along_to_the_file_is_seen_out_as_well(house: House) -> None:
    tried, reachable = asyncio.Event(), asyncio.Event()

    async def no_alarm_arrives(request: SendLetter, send: Carry) -> Any:
        if request.facts.notice == ALARM:
            tried.set()
            if not reachable.is_set():
                raise ApplicationError("nobody answers", next_retry_delay=timedelta(minutes=1))
        return await send()

    house.effects["SendLetter"] = no_alarm_arrives
    reference = await house.submit(description="Something is wrong, nobody says why.", trades=())
    await house.at(reference, Stage.DECIDING)
    async with asyncio.TaskGroup() as sending, house.holding("Record"):
        sending.create_task(house.complaints.withdraw(reference, by=CUSTOMER, reason="All is well."))
        await house.eventually(lambda: _is_out(house, reference, "withdrawal"))
        sending.create_task(house.complaints.reply(reference, by=CUSTOMER, text="It is over. I shall kill myself."))
        await tried.wait()  # the file had the words, and told of the danger, while the end was still to be written
    await house.at_rest(reference)
    assert not await _has_ended(house, reference)
    reachable.set()
    await house.sleep(timedelta(minutes=2))
    await house.eventually(lambda: _has_ended(house, reference))
    assert await house.fetchval("select count(*) from casefile.letters where kind = 'staff_notice'") == 3


async def _has_ended(house: House, reference: str) -> bool:
    history = await house.client.get_workflow_handle(reference).fetch_history()
    return history.events[-1].HasField("workflow_execution_completed_event_attributes")


async def _is_out(house: House, reference: str, kind: str) -> bool:
    return bool(
        await house.fetchval(
            "select count(*) from casefile.letters join casefile.letter_attempts using (key)"
            " where (reference, kind, outcome) = ($1, $2, 'accepted')",
            reference,
            kind,
        )
    )


async def test_a_letter_that_is_tried_again_tells_the_date_of_then(house: House) -> None:
    told: list[datetime] = []

    async def until_then(request: SendLetter, send: Carry) -> Any:
        if ":progress:asked:" in request.key:
            assert request.facts.expected_by
            told.append(request.facts.expected_by)
            if skipped_time() < told[0]:
                raise ApplicationError("it cannot be written", type="LetterIncomplete", non_retryable=True)
        return await send()

    await _asked_how_far(house, until_then)
    await house.sleep(told[0] - skipped_time() + timedelta(days=2))
    assert told[-1] > told[0]


async def test_an_interim_letter_that_is_being_tried_again_is_waited_for_when_the_case_ends(house: House) -> None:
    begun, reachable = asyncio.Event(), asyncio.Event()
    tried: list[str] = []

    async def fails_once(request: SendLetter, send: Carry) -> Any:
        if ":progress:asked:" in request.key:
            tried.append(request.key)
            if len(tried) == 1:
                raise ApplicationError("it cannot be written", type="LetterIncomplete", non_retryable=True)
            begun.set()
            await reachable.wait()
        return await send()

    reference = await _asked_how_far(house, fails_once)
    await house.sleep(timedelta(hours=1))
    await begun.wait()
    await house.complaints.withdraw(reference, by=CUSTOMER, reason="All is well.")
    await house.row(reference, lambda row: bool(row["stage"] == Stage.CLOSED))
    await house.sent(reference, LetterKind.WITHDRAWAL)
    assert not await _has_ended(house, reference)
    reachable.set()
    await house.eventually(lambda: _has_ended(house, reference))
    assert await _is_out(house, reference, "progress")


async def _asked_how_far(house: House, send: Callable[[SendLetter, Carry], Awaitable[Any]]) -> str:
    """A case whose customer asks how far it is; the letter with the answer failed at first."""
    house.effects["SendLetter"] = send
    reference = await house.submit(description="Something is wrong, nobody says why.", trades=())
    await house.at(reference, Stage.DECIDING)
    await house.complaints.reply(reference, by=CUSTOMER, intent="progress")
    await house.eventually(lambda: house.timeline(reference, "fault"))
    return reference
