"""Much at once: repeats count once, of what contradicts one is refused, nothing is lost, and nothing grows."""

import asyncio
from collections.abc import Awaitable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from activities.checks.investigating import MOST_KEPT
from domain.case.clocks import has_recorded
from domain.case.file import Recorded
from domain.case.messages.handling import Assign
from domain.case.messages.table import UPDATES, Receipt
from domain.checks.findings import Check, Finding, Investigation, Verdict
from domain.ground.bilingual import Bilingual
from domain.ground.people import SYSTEM, Actor
from domain.ground.sizes import LONGEST_KEPT, size
from domain.ground.words import IncidentStage, LetterKind, Outcome, Role, Stage
from domain.incidents.messages import IncidentChanged
from domain.letters.letter import Letter, LetterFacts
from runtime.policies import load_packs
from runtime.temporal import LONGEST_ACTIVATION
from starter.client.conversation import Refused
from tests.checks.rows import ACCOUNT, AT, fill, order, store
from tests.checks.test_investigating import QUOTES
from tests.workflows.house import APPROVER, CUSTOMER, HANDLER, House
from tests.workflows.strange import JSON, LARGE, UNREADABLE, signal, sizes_of_activities
from tests.workflows.test_findings_decide import found
from tests.workflows.test_sizes import NOW, new_case
from workflows.complaint import ComplaintWorkflow
from workflows.parts.inbox import MOST_BYTES_AT_ONCE
from workflows.parts.post import MOST_NOTICES

MANY = 90
ADMITTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED


async def in_decision(house: House) -> str:
    await house.late_withdrawal("3000000")
    reference = await house.submit()
    await house.at(reference, Stage.DECIDING)
    return reference


async def propose(house: House, reference: str, by: Actor = HANDLER) -> None:
    await house.complaints.propose_resolution(
        reference,
        by=by,
        outcome="upheld",
        compensation={"amount": 4_000, "currency": "USD"},
        reasons="It was late, and we are sorry.",
    )


async def proposed(house: House) -> str:
    reference = await in_decision(house)
    await propose(house, reference)
    return reference


async def ends(*attempts: Awaitable[Any]) -> list[str]:
    """What became of each: the name of the class of its answer or error."""
    return sorted(type(end).__name__ for end in await asyncio.gather(*attempts, return_exceptions=True))


async def test_an_update_that_cannot_be_read_is_refused_with_the_reason(house: House) -> None:
    handle = house.client.get_workflow_handle(await in_decision(house))
    ways = {**{name: (payload,) for name, payload in UNREADABLE.items()}, "none": (), "two": (UNREADABLE["bytes"],) * 2}
    for number, kind in enumerate(UPDATES):
        # Every update with two ways, every way with some update: each is one path.
        for what in ("two", "none", *list(ways)[number % len(ways) :][:2]):
            with pytest.raises(WorkflowUpdateFailedError) as refused:
                await handle.execute_update(kind.name, args=[RawValue(payload) for payload in ways[what]])
            assert isinstance(refused.value.cause, ApplicationError), (kind.name, what)
            assert refused.value.cause.type == "Refused", (kind.name, what)
            assert len(refused.value.cause.message) < 1_000


async def test_one_megabyte_to_an_update_is_refused(house: House) -> None:
    handle = house.client.get_workflow_handle(await in_decision(house))
    for what in ("1 MB of junk", "1 MB of bytes"):
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update("assign", args=[RawValue(payload) for payload in LARGE[what]])


async def test_twenty_repeats_at_once_count_once_and_have_one_answer(house: House) -> None:
    reference = await in_decision(house)
    complaints = house.complaints
    receipts = await asyncio.gather(
        *(complaints.assign(reference, "h-1", by=HANDLER, message_id="m-1") for _ in range(8))
    )
    assert len(set(receipts)) == 1
    await asyncio.gather(
        *(complaints.escalate(reference, "Nobody answers.", by=CUSTOMER, message_id="m-2") for _ in range(20))
    )
    await house.eventually(lambda: house.timeline(reference, "escalation"))
    await complaints.assign(reference, "h-2", by=HANDLER)
    assert len(await house.timeline(reference, "assign")) == 2
    assert len(await house.timeline(reference, "escalate")) == 1

    async def notices(count: int) -> bool:
        found = await house.fetchval(
            "select count(*) from casefile.letters join casefile.letter_attempts using (key)"
            " where kind = 'staff_notice' and outcome = 'accepted'"
        )
        return bool(found == count)

    await house.eventually(partial(notices, 2))  # of the draft, and of the escalation


async def test_of_two_decisions_that_were_both_admitted_one_counts(house: House) -> None:
    reference = await proposed(house)
    before = await house.events(reference, ADMITTED)
    async with house.holding("TakeTurn"):
        ending = asyncio.ensure_future(
            ends(
                house.complaints.approve(reference, by=APPROVER),
                house.complaints.return_proposal(reference, "Look again.", by=APPROVER),
            )
        )

        async def both_admitted() -> bool:
            return await house.events(reference, ADMITTED) == before + 2

        await house.eventually(both_admitted)
    assert await ending == ["Receipt", "Refused"]


async def test_an_award_that_the_record_does_not_approve_is_posted_only_once_people_decide_again(house: House) -> None:
    reference = await proposed(house)
    await house.complaints.approve(reference, by=APPROVER)
    await house.responded(reference)
    async with house.pool.acquire() as connection, connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        await connection.execute(
            "update casefile.timeline set actor = $1 where kind = 'decide_resolution'", str(HANDLER)
        )
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    [fault] = await house.eventually(lambda: house.timeline(reference, "fault"))
    assert "the award" in fault or "compensation" in fault
    assert not await house.fetchval("select exists (select from casefile.postings)")
    await house.complaints.reopen(reference, "The record does not bear it.", by=HANDLER)
    await house.at(reference, Stage.DECIDING)
    await propose(house, reference, Actor(id="h-18", role=Role.HANDLER))
    await house.complaints.approve(reference, by=Actor(id="c-1", role=Role.COMPLIANCE_OFFICER))
    await house.responded(reference)
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.at(reference, Stage.FOLLOWING_UP)
    assert await house.fetchval("select array_agg(key) from casefile.postings") == [f"{reference}:compensation:2"]


async def test_a_proposal_and_a_withdrawal_at_once_end_in_a_withdrawn_case(house: House) -> None:
    reference = await in_decision(house)
    [withdrawal, proposal] = await asyncio.gather(
        house.complaints.withdraw(reference, by=CUSTOMER), propose(house, reference), return_exceptions=True
    )
    assert not isinstance(withdrawal, BaseException)
    assert not isinstance(proposal, BaseException) or isinstance(proposal, Refused)
    closed = await house.closed(reference)
    assert (closed.outcome, closed.compensation) == (Outcome.WITHDRAWN, None)


async def test_many_signals_at_once_are_all_written_down_in_small_parts(house: House) -> None:
    """What waits unheard is in no state and in no activity: the case file takes so much at a time, and it is slow."""
    reference = await in_decision(house)
    junk = Payload(metadata=JSON, data=b'"' + b"x" * 60_000 + b'"')

    async def send(number: int) -> None:
        if number % 3:
            await house.complaints.reply(reference, by=CUSTOMER, text=f"Hello {number}", message_id=f"m-{number}")
        else:
            await signal(house, reference, "customer_reply", junk)

    async with house.holding("Record"):
        await asyncio.gather(*map(send, range(MANY)))

    async def written() -> bool:
        rejected = await house.fetchval("select count(*) from casefile.rejected_messages")
        return bool(rejected + len(await house.timeline(reference, "customer_reply")) >= MANY)

    await house.eventually(written)
    assert len(await house.timeline(reference, "customer_reply")) == sum(bool(number % 3) for number in range(MANY))
    assert max(await sizes_of_activities(house, reference)) < MOST_BYTES_AT_ONCE + 2 * LONGEST_KEPT


async def test_a_worker_lets_thousands_of_signals_take_their_time(house: House) -> None:
    usual = Worker(house.client, task_queue="none", workflows=[ComplaintWorkflow])._workflow_worker
    assert usual
    assert usual._deadlock_timeout_seconds == 2  # the SDK still calls it so
    house.task_queue += "-of-nobody"
    patient = house.worker()._workflow_worker
    assert patient
    assert patient._deadlock_timeout_seconds == LONGEST_ACTIVATION


async def test_thirty_changes_of_an_incident_while_the_mail_is_down_are_all_noted_and_told_in_bounds(
    house: House,
) -> None:
    reference = await in_decision(house)
    house.outbox.closed = True
    handle = house.client.get_workflow_handle(reference)
    for number in range(30):
        changed = IncidentChanged(
            message_id=f"i-{number}", actor=SYSTEM, incident="RDI-1", stage=IncidentStage.APPROVAL
        )
        await handle.signal(changed.name, changed)

    async def noted() -> bool:
        return len(await house.timeline(reference, "incident")) == 30

    await house.eventually(noted)
    house.outbox.closed = False
    await house.complaints.withdraw(reference, by=CUSTOMER)
    assert (await house.closed(reference)).outcome is Outcome.WITHDRAWN


MOST = 1_000_000
"""Bytes of anything that travels through Temporal, which takes twice as many."""


async def test_fifty_trades_examined_in_every_way_and_told_of_stay_within_a_payload(house: House) -> None:
    orders = [order(order=f"O{number}", price=Decimal("1938")) for number in range(50)]
    fills = [fill("1937.40", fill=f"F{number}", order=f"O{number}") for number in range(50)]
    await store(house.pool, *QUOTES, *orders, *fills)
    reference = await house.submit(
        account=ACCOUNT, trades=[], occurred_from=AT.isoformat(), description="My orders were executed at wrong prices."
    )
    await house.at(reference, Stage.DECIDING)
    await house.complaints.investigate(reference, *Check, by=HANDLER)

    async def every_check() -> bool:
        return {one.partition(":")[0] for one in await found(house, reference)} == set(Check)

    await house.eventually(every_check)
    await house.at(reference, Stage.DECIDING)
    await propose(house, reference)
    await house.complaints.approve(reference, by=APPROVER)
    await house.responded(reference)
    history = await house.client.get_workflow_handle(reference).fetch_history()
    assert max(event.ByteSize() for event in history.events) < MOST


def examined(most: int) -> Investigation:
    """Findings of *most* bytes at the utmost, as small as they come: there are most of them."""
    finding = Finding(
        check=Check.TRIGGER,
        subject="O-1",
        verdict=Verdict.FIRM_FAULT,
        reason=Bilingual(en="It was executed late.", zh="成交延迟。"),
        formula="trigger@1",
    )
    return Investigation(version=2, findings=(finding,) * (most // size(finding)))


def test_the_state_that_a_next_run_is_handed_stays_small_after_a_heavy_life() -> None:
    case = new_case()
    packs = [pack for versions in load_packs().values() for pack in versions]
    case.policy = max(packs, key=size)
    case.investigation = examined(MOST_KEPT)
    letter = Letter(
        purpose="final_response:1",
        number=9,
        kind=LetterKind.FINAL_RESPONSE,
        facts=LetterFacts(findings=case.investigation.findings),
    )
    case.letters = [letter]
    for number in range(2_000):
        message = Assign(message_id=f"{number}-".ljust(100, "x"), actor=HANDLER, handler="h" * 100)
        case.hear(message)
        receipt = Receipt(
            message_id=message.message_id, reference=case.reference, stage=case.stage, noted="n" * 500, at=NOW
        )
        case.answer_with(f"assign:{message.message_id}", receipt)
        case.note(NOW, "assign", "钱" * 500, data={"text": "钱" * 20_000})
        has_recorded(case, case.unrecorded(), Recorded())
    notice = Letter(purpose="staff_notice:1", number=10, kind=LetterKind.STAFF_NOTICE)
    case.letters += [notice.model_copy(update={"purpose": f"staff_notice:{number}"}) for number in range(MOST_NOTICES)]
    while case.is_light:
        case.note(NOW, "customer_reply", "information", data={"text": "钱" * 1_000})
    assert size(case) < MOST
    assert size(case.checked(case.unrecorded())) + size(letter) < MOST
