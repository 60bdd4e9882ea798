"""The life of a complaint, told from outside: what is sent in, what the case file and the letters say."""

from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import asyncpg
import pytest
from temporalio import activity
from temporalio.api.enums.v1 import EventType

from bench.reading import multiply
from domain.ground.words import LetterKind, Outcome, Role, Stage, TaskKind
from domain.rules.deciding import Occasion
from runtime.policies import find_pack
from starter.client.conversation import Refused
from starter.reading.cases import get_timeline
from starter.reading.dossier import last_draft
from starter.reading.tasks import TaskView, get_tasks
from tests.reasons import a_no
from tests.workflows.house import ACCOUNT, APPROVER, CUSTOMER, HANDLER, House
from tests.workflows.rules import own

MOST_STATEMENTS: Final = {
    "OpenCase": 11,  # four of them only where its pack was not pinned and read before
    "SendLetter": 11,
    "Investigate": 8,
    "PromiseAward": 18,  # with the response
    "RecordCompensation": 10,
}
"""Of a life, with what begins and ends transactions and gives locks back: each is a round trip."""
OF_TASKS: Final = (
    EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
)


async def beside_its_tasks(house: House, reference: str) -> int:
    """The events of its history but for those of its tasks.

    How many of these there are depends on how much of what happens meets in one, and so on how busy the machine is.
    """
    return await house.events(reference) - sum([await house.events(reference, kind) for kind in OF_TASKS])


async def test_a_clear_small_case_goes_straight_through_within_46_events_beside_its_tasks(
    house: House, record_property: Callable[[str, object], None]
) -> None:
    await house.late_withdrawal("12000", days_late=7)
    reference = await house.submit()
    await house.responded(reference)
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.row(reference, lambda case: bool(case["stage"] == Stage.FOLLOWING_UP))
    await house.at_rest(reference)
    assert await beside_its_tasks(house, reference) <= 25, "40 with those of five tasks"
    await house.sleep(timedelta(days=5))
    await house.complaints.record_feedback(reference, 5, by=CUSTOMER, comment="Quick and fair.")
    closed = await house.closed(reference)

    events = await beside_its_tasks(house, reference)
    record_property("history events of a complaint that goes straight through, beside those of its tasks", events)
    assert events <= 46
    assert (closed.outcome, closed.breached) == (Outcome.UPHELD, False)
    # 12,000 x 8 % x 7/365 = 18.41
    assert closed.compensation is not None
    assert str(closed.compensation) == "USD 18.41"
    assert await house.accepted_letters(reference) == ["acknowledgement", "final_response", "feedback_request"]
    assert await house.timeline(reference, "stage") == [
        "stage: acknowledged",
        "stage: investigating",
        "stage: deciding",
        "stage: responded",
        "stage: settling",
        "stage: following_up",
        "stage: closed",
    ]
    assert await house.fetchval("SELECT count(*) FROM casefile.postings WHERE reference = $1", reference) == 1


async def test_a_life_takes_at_most_60_statements_to_its_follow_up(
    house: House, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    by_run: Counter[tuple[str, str, datetime]] = Counter()

    def counting(statement: str) -> None:
        carry = getattr(asyncpg.Connection, statement)

        async def counted_one(*arguments: Any, **options: Any) -> Any:
            if activity.in_activity():
                info = activity.info()
                by_run[info.activity_type, info.activity_id, info.started_time] += 1
            return await carry(*arguments, **options)

        monkeypatch.setattr(asyncpg.Connection, statement, counted_one)

    for statement in ("execute", "executemany", "fetch", "fetchrow"):
        counting(statement)
    await house.late_withdrawal("12000", days_late=7)
    reference = await house.submit()
    await house.responded(reference)
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.row(reference, lambda case: bool(case["stage"] == Stage.FOLLOWING_UP))
    # On a busy machine one may be run again.
    once = {(name, number): count for (name, number, _), count in sorted(by_run.items(), key=lambda run: run[1])}
    by_activity: Counter[str] = Counter()
    for (name, _), count in once.items():
        by_activity[name] += count
    counted = by_activity.total()
    record_property("statements of a complaint that goes straight through, to its follow-up", counted)
    assert 0 < counted <= 60, by_activity
    assert by_activity.keys() <= MOST_STATEMENTS.keys()
    assert not [name for name, most in MOST_STATEMENTS.items() if by_activity[name] > most], by_activity


async def test_a_life_reads_no_table_as_a_whole_in_a_record_that_holds_thousands_of_others(
    house: House, record_property: Callable[[str, object], None]
) -> None:
    """Nor does one that is disputed, decided by people, and taken up again."""

    async def answered(account: str, entry: str) -> str:
        await house.late_withdrawal("12000", days_late=7, account=account, entry=entry)
        reference = await house.submit(account=account, trades=[entry])
        await house.responded(reference)
        return reference

    model = await answered("first", "w-1")
    await house.complaints.reply(model, by=CUSTOMER, intent="accept")
    await house.row(model, lambda case: bool(case["stage"] == Stage.FOLLOWING_UP))
    await house.at_rest(model)
    async with house.pool.acquire() as connection:
        await multiply(connection, [model], 3000, seed=1, say=lambda _: None)
        await connection.execute("update casefile.cases set account = reference where reference <> $1", model)
        await connection.execute("update casefile.promises set account = reference where reference <> $1", model)
        await connection.execute("reset session_replication_role")
        await connection.execute("vacuum analyze casefile.cases, casefile.promises")
    before = await rows_read(house.pool)
    reference = await answered("second", "w-2")
    await house.complaints.reply(reference, by=CUSTOMER, intent="dispute", text="That is not enough.")
    await house.at(reference, Stage.DECIDING)
    award = {"amount": "25.00", "currency": "USD"}
    await house.complaints.propose_resolution(
        reference, by=HANDLER, outcome="upheld", compensation=award, reasons="With goodwill."
    )
    await house.complaints.approve(reference, by=APPROVER)
    await house.responded(reference)
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.at(reference, Stage.FOLLOWING_UP)
    await house.complaints.reopen(reference, "A fee was overlooked.", by=HANDLER)
    await house.at(reference, Stage.DECIDING)
    read = await rows_read(house.pool)
    read.subtract(before)
    record_property("rows that a life reads of the table of which it reads most", read.most_common(1)[0])
    assert not {table: rows for table, rows in read.items() if rows > 3000}


async def rows_read(pool: "asyncpg.Pool[asyncpg.Record]") -> Counter[str]:
    """By table, how many rows and entries of its indexes have been read so far."""
    async with AsyncExitStack() as all_of_them:
        for _ in range(pool.get_size()):  # each tells the server what it has read when it likes, or now
            connection = await all_of_them.enter_async_context(pool.acquire())
            await connection.execute("select pg_stat_force_next_flush()")
    rows = await pool.fetch("""
        select concat(schemaname, '.', relname) as name, seq_tup_read + coalesce((
            select sum(idx_tup_read) from pg_stat_user_indexes i where i.relid = t.relid), 0)::bigint as rows
        from pg_stat_user_tables t
    """)
    return Counter({row["name"]: row["rows"] for row in rows})


async def test_silence_counts_as_no_objection_and_the_case_closes_by_itself(house: House) -> None:
    await house.late_withdrawal()
    reference = await house.submit()
    closed = await house.closed(reference)
    assert closed.outcome is Outcome.UPHELD
    assert await house.timeline(reference, "silence")
    case = await house.at(reference, Stage.CLOSED)
    assert case["next_deadline"] is None
    assert not await house.timeline(reference, "breach")


async def test_who_answers_the_survey_by_mail_with_a_low_score_is_called_before_the_case_closes(house: House) -> None:
    await house.late_withdrawal()
    reference = await house.submit()
    await house.responded(reference)
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.row(reference, lambda case: bool(case["stage"] == Stage.FOLLOWING_UP))
    await house.sleep(timedelta(days=5))
    await house.sent(reference, LetterKind.FEEDBACK_REQUEST)
    await house.complaints.reply(reference, by=CUSTOMER, text="2, far too slow")

    async def to_call() -> TaskView | None:
        known = await get_tasks(house.pool, await house.env.get_current_time(), reference=reference)
        return next((one for one in known if one.kind is TaskKind.CALL_BACK), None)

    call: TaskView = await house.eventually(to_call)
    assert await house.timeline(reference, "record_feedback") == ["record_feedback: 2 of 5, in a reply"]
    await house.sleep(timedelta(days=200))
    assert (await house.at(reference, Stage.FOLLOWING_UP))["closed_at"] is None
    await house.complaints.finish_task(reference, call.number, "Apologised; content now.", by=HANDLER)
    await house.closed(reference)
    score = "select score from reporting.cases where reference = $1"
    assert await house.fetchval(score, reference) == 2


async def test_who_answers_the_survey_in_words_is_heard_and_a_complaint_in_it_reopens_the_case(house: House) -> None:
    await house.late_withdrawal()
    reference = await house.submit()
    await house.responded(reference)
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.row(reference, lambda case: bool(case["stage"] == Stage.FOLLOWING_UP))
    await house.sleep(timedelta(days=5))
    await house.sent(reference, LetterKind.FEEDBACK_REQUEST)
    await house.complaints.reply(reference, by=CUSTOMER, text="很不满意！你们又扣了我一笔费用。")

    async def given() -> TaskView | None:
        known = await get_tasks(house.pool, await house.env.get_current_time(), reference=reference)
        return next((one for one in known if one.kind is TaskKind.CALL_BACK), None)

    call: TaskView = await house.eventually(given)
    assert await house.timeline(reference, "record_feedback") == ["record_feedback: 1 of 5, in a reply"]
    await house.complaints.finish_task(reference, call.number, "A new charge: taken up again.", by=HANDLER)
    await house.complaints.reopen(reference, "A charge that was not in the complaint.", by=HANDLER)
    await house.row(reference, lambda case: bool(case["stage"] != Stage.FOLLOWING_UP))


async def test_a_sum_above_the_limit_waits_for_a_proposal_and_a_second_person(house: House) -> None:
    await house.late_withdrawal("300000", days_late=30)  # 300,000 x 8 % x 30/365 = 1,972.60
    reference = await house.submit()
    await house.drafted(reference)
    status = await house.complaints.status(reference)
    assert status.proposal == "upheld, USD 1,972.60"  # what the findings would lead to

    proposal = {"outcome": "upheld", "compensation": {"amount": "1972.60", "currency": "USD"}, "reasons": "Paid late."}
    with pytest.raises(Refused, match="role customer may not"):
        await house.complaints.propose_resolution(reference, by=CUSTOMER, **proposal)
    await house.complaints.propose_resolution(reference, by=HANDLER, **proposal)
    seen = (await house.complaints.status(reference)).proposal_digest
    with pytest.raises(Refused, match="never by its proposer"):
        await house.complaints.approve(reference, by=HANDLER.model_copy(update={"role": "approver"}))
    with pytest.raises(Refused, match=r"role team_lead may not approve USD 1,972.60; roles that may: approver"):
        await house.complaints.approve(reference, by=HANDLER.model_copy(update={"id": "t-1", "role": "team_lead"}))
    with pytest.raises(ValueError, match="reasons"):
        await house.complaints.return_proposal(reference, "", by=APPROVER)

    await house.complaints.return_proposal(reference, "Name the dates.", by=APPROVER)
    with pytest.raises(Refused, match="no proposal waits"):
        await house.complaints.approve(reference, by=APPROVER)
    await house.complaints.propose_resolution(reference, by=HANDLER, **proposal)
    with pytest.raises(Refused, match=f"{seen} does not wait any more, another has taken its place"):
        await house.complaints.approve(reference, seen, by=APPROVER)
    await house.complaints.approve(reference, by=APPROVER)
    await house.responded(reference)
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    case = await house.at(reference, Stage.FOLLOWING_UP)
    assert case["compensation_amount"] == Decimal("1972.60")


async def test_a_missing_fact_is_asked_for_with_a_reminder_and_a_limit(house: House) -> None:
    reference = await house.submit(
        description="The fill price of my order was wrong, far off the market.", trades=[], account=None
    )
    await house.row(reference, lambda case: case["stage"] == Stage.INVESTIGATING)
    await house.sleep(timedelta(days=6))
    await house.sleep(timedelta(days=6))
    await house.at(reference, Stage.DECIDING)
    letters = [kind for kind in await house.accepted_letters(reference) if kind != "progress"]
    assert letters == ["acknowledgement", "information_request", "reminder"]
    assert await house.timeline(reference, "no_answer")
    questions = house.mail()[1].get_content()
    assert "account" in questions
    assert "time zone" in questions


async def test_the_customers_answer_ends_the_wait_and_is_investigated(house: House) -> None:
    await house.late_withdrawal(entry="w-9")
    reference = await house.submit(trades=["w-unknown"])
    await house.eventually(
        lambda: house.fetchval("SELECT count(*) FROM casefile.letters WHERE kind = 'information_request'")
    )
    await house.complaints.reply(reference, by=CUSTOMER, text="It is w-9, sorry.", trades=["w-9"])
    await house.at(reference, Stage.RESPONDED)
    assert await house.timeline(reference, "finding") == [
        "finding: withdrawal_delay: inconclusive",
        "finding: withdrawal_delay: firm_fault",
    ]


async def test_a_disputed_response_goes_back_to_people_at_a_higher_level(house: House) -> None:
    await house.late_withdrawal()
    reference = await house.submit()
    await house.responded(reference)
    await house.complaints.reply(reference, by=CUSTOMER, intent="dispute", text="That is not enough.")
    case = await house.at(reference, Stage.DECIDING)
    assert (case["escalation_level"], case["handler"]) == (1, "team_lead")
    award = {"amount": "25.00", "currency": "USD"}
    await house.complaints.propose_resolution(
        reference, by=HANDLER, outcome="upheld", compensation=award, reasons="With goodwill."
    )
    await house.complaints.approve(reference, by=APPROVER)  # whatever it comes to, a review has two persons
    await house.responded(reference)
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    case = await house.at(reference, Stage.FOLLOWING_UP)
    assert case["compensation_amount"] == Decimal("25.00")
    assert (await house.accepted_letters(reference)).count("final_response") == 2


async def test_what_is_said_of_a_response_that_another_has_followed_counts_for_neither(house: House) -> None:
    await house.late_withdrawal()
    reference = await house.submit()
    await house.responded(reference)
    await house.complaints.reply(reference, by=CUSTOMER, intent="dispute", text="That is not enough.", response=1)
    await house.at(reference, Stage.DECIDING)
    award = {"amount": "25.00", "currency": "USD"}
    await house.complaints.propose_resolution(
        reference, by=HANDLER, outcome="upheld", compensation=award, reasons="With goodwill."
    )
    await house.complaints.approve(reference, by=APPROVER)
    await house.responded(reference)
    for said in ({"intent": "accept"}, {"intent": "dispute", "text": "No."}):
        await house.complaints.reply(reference, by=CUSTOMER, response=1, **said)
    why = "response: final response 1 was followed by another, 2; read that one"
    await house.eventually(lambda: house.timeline(reference, "rejected"))
    assert (
        await house.timeline(reference, "rejected") == [f"rejected: message 'customer_reply' does not fit: {why}"] * 2
    )
    assert (await house.at(reference, Stage.RESPONDED))["stage"] == Stage.RESPONDED
    asked = "select count(*) from casefile.tasks where (reference, kind) = ($1, 'answer_customer')"
    assert await house.eventually(lambda: house.fetchval(asked, reference)) == 1, "somebody reads all of it"
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept", response=2)
    await house.at(reference, Stage.FOLLOWING_UP)
    with pytest.raises(Refused, match=why):
        await house.complaints.record_feedback(reference, 5, by=CUSTOMER, response=1)
    await house.complaints.record_feedback(reference, 4, by=CUSTOMER, response=2)


@pytest.mark.parametrize(
    "stage", [Stage.INVESTIGATING, Stage.DECIDING, Stage.RESPONDED, Stage.FOLLOWING_UP], ids=lambda stage: stage.value
)
async def test_a_withdrawal_ends_the_case_the_same_day_from_any_stage(house: House, stage: Stage) -> None:
    match stage:
        case Stage.INVESTIGATING:
            reference = await house.submit(trades=["w-unknown"])
            await house.sent(reference, LetterKind.INFORMATION_REQUEST)
        case Stage.DECIDING:
            await house.late_withdrawal("3000000")
            reference = await house.submit()
        case _:
            await house.late_withdrawal()
            reference = await house.submit()
    if stage is Stage.FOLLOWING_UP:
        await house.responded(reference)
        await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.at(reference, stage)
    before = await house.env.get_current_time()
    await house.complaints.withdraw(reference, by=CUSTOMER, reason="Settled otherwise.")
    closed = await house.closed(reference)
    assert closed.outcome is (Outcome.UPHELD if stage is Stage.FOLLOWING_UP else Outcome.WITHDRAWN)
    closed_at = await house.fetchval("SELECT closed_at FROM casefile.cases WHERE reference = $1", reference)
    assert closed_at - before < timedelta(hours=1)
    assert (await house.accepted_letters(reference))[-1] == "withdrawal"


async def test_a_third_partys_matter_is_referred_once_a_person_says_so(house: House) -> None:
    reference = await house.submit(
        description="This is not about your company: another broker owes me a withdrawal.", account=None, trades=[]
    )
    await house.eventually(lambda: house.timeline(reference, "draft"))
    assert (await house.complaints.status(reference)).proposal == "referred"
    await house.complaints.propose_draft(reference, by=HANDLER)
    closed = await house.closed(reference)
    assert closed.outcome is Outcome.REFERRED
    assert await house.accepted_letters(reference) == ["acknowledgement", "referral"]
    assert not closed.breached


async def test_a_no_is_drafted_with_its_letter_and_sent_by_two_persons(house: House) -> None:
    await house.late_withdrawal(days_late=0)
    reference = await house.submit()
    assert await house.eventually(lambda: house.timeline(reference, "draft")) == [
        "draft: not upheld; left to people: it is a rejection"
    ]
    draft = last_draft(await get_timeline(house.pool, reference))
    with pytest.raises(Refused, match=r"another one .* has taken its place; look at that first"):
        await house.complaints.propose_draft(reference, "0" * 12, by=HANDLER)
    await house.complaints.propose_draft(reference, by=HANDLER)
    with pytest.raises(Refused, match="never by its proposer"):
        await house.complaints.approve(reference, by=HANDLER.model_copy(update={"role": Role.APPROVER}))
    await house.complaints.approve(reference, by=APPROVER)
    await house.responded(reference)
    assert draft
    assert draft.second_person
    assert draft.second_person.endswith("because it is a rejection")
    assert draft.letter
    assert (draft.letter.body or "").split() == house.mail()[-1].get_content().split()


async def test_a_handler_cannot_turn_a_customer_away_alone_where_the_pack_has_two_refer(house: House) -> None:
    decision = find_pack("platform-default", house.today).decision
    policy = own(house, decision=decision.model_copy(update={"second_person": (Occasion.REFERRAL,)}))
    reference = await house.submit(trades=["w-unknown"], policy=policy)
    await house.at(reference, Stage.INVESTIGATING)
    await house.complaints.reclassify(reference, "The payer is another firm.", by=HANDLER, in_scope=False)
    await house.drafted(reference)
    assert await house.accepted_letters(reference) == ["acknowledgement", "information_request"]
    await house.complaints.propose_draft(reference, by=HANDLER)
    await house.complaints.approve(reference, by=APPROVER)
    assert (await house.closed(reference)).outcome is Outcome.REFERRED


async def test_reclassifying_changes_team_and_checks(house: House) -> None:
    reference = await house.submit(description="Something is wrong.", trades=[])
    await house.at(reference, Stage.DECIDING)
    await house.late_withdrawal()
    await house.complaints.reclassify(reference, "It is about a withdrawal.", by=HANDLER, category="withdrawal")
    case = await house.at(reference, Stage.RESPONDED)
    assert (case["category"], case["team"]) == ("withdrawal", "payments")


async def test_reopening_starts_another_round_within_the_window_only(house: House) -> None:
    await house.late_withdrawal()
    reference = await house.submit()
    await house.responded(reference)
    with pytest.raises(Refused, match="possible at following_up"):
        await house.complaints.reopen(reference, "Too early.", by=HANDLER)
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.at(reference, Stage.FOLLOWING_UP)
    await house.complaints.reopen(reference, "A fee was overlooked.", by=HANDLER)
    await house.at(reference, Stage.DECIDING)
    await house.complaints.propose_resolution(
        reference,
        by=HANDLER,
        outcome="upheld",
        compensation={"amount": "10", "currency": "USD"},
        reasons="The fee is refunded.",
    )
    await house.complaints.approve(reference, by=APPROVER)
    await house.complaints.record_cause(reference, "charges/wrong_charge", by=HANDLER)
    closed = await house.closed(reference)
    assert str(closed.compensation) == "USD 28.41"
    assert await house.fetchval("SELECT count(*) FROM casefile.postings WHERE reference = $1", reference) == 2


async def test_progress_letters_come_while_nobody_decides_and_stop_with_the_response(house: House) -> None:
    await house.late_withdrawal("3000000")
    reference = await house.submit()
    await house.at(reference, Stage.DECIDING)
    await house.sleep(timedelta(days=8))
    assert "progress" in await house.accepted_letters(reference)
    await house.complaints.propose_resolution(reference, by=HANDLER, outcome="not_upheld", reasons=a_no())
    await house.complaints.approve(reference, by=APPROVER)
    await house.responded(reference)
    sent = (await house.accepted_letters(reference)).count("progress")
    await house.closed(reference)
    assert (await house.accepted_letters(reference)).count("progress") == sent


async def test_a_passed_response_deadline_is_a_breach_with_a_new_date_and_stays_one(house: House) -> None:
    await house.late_withdrawal("3000000")
    reference = await house.submit()
    await house.at(reference, Stage.DECIDING)
    await house.sleep(timedelta(days=17))
    case = await house.row(reference, lambda case: bool(case["breached"]))
    assert case["escalation_level"] >= 2
    await house.eventually(lambda: _has(house, reference, "overdue"))
    await house.complaints.propose_resolution(reference, by=HANDLER, outcome="not_upheld", reasons=a_no())
    await house.complaints.approve(reference, by=APPROVER)
    closed = await house.closed(reference)
    assert closed.breached


@pytest.mark.long
async def test_an_acknowledgement_that_cannot_be_delivered_is_a_breach_and_still_goes_out(house: House) -> None:
    house.outbox.closed = True
    await house.late_withdrawal()
    default = find_pack("platform-default", house.today).model_dump()
    (clock,) = [clock for clock in default["clocks"] if clock["name"] == "acknowledgement"]
    five_hours = {**clock, "length": {"hours": 5}}  # in each, 30 attempts are made to deliver it
    reference = await house.submit(policy=own(house, five_hours))
    await house.at(reference, Stage.ACKNOWLEDGED)
    await house.sleep(timedelta(hours=6))
    case = await house.row(reference, lambda case: bool(case["breached"]))
    assert (case["escalation_level"], case["handler"]) == (1, "team_lead")
    notices = await house.fetchval(
        "SELECT count(*) FROM casefile.letters WHERE reference = $1 AND kind = 'staff_notice'", reference
    )
    assert notices >= 1
    house.outbox.closed = False
    await house.sleep(timedelta(minutes=10))
    closed = await house.closed(reference)
    assert closed.breached
    assert (await house.accepted_letters(reference))[0] == "acknowledgement"


async def test_an_undeliverable_letter_goes_to_the_corrected_address(house: House) -> None:
    await house.late_withdrawal()
    house.outbox.closed = True
    reference = await house.submit()
    await house.at(reference, Stage.ACKNOWLEDGED)
    receipt = await house.complaints.correct_contact(reference, by=HANDLER, email="right@example.com")
    assert receipt.noted == "address corrected"
    house.outbox.closed = False
    await house.sleep(timedelta(minutes=5))
    await house.eventually(lambda: house.accepted_letters(reference))
    assert house.mail()[0]["To"] == "right@example.com"


async def test_letters_are_in_the_language_that_the_customer_chose_last(house: House) -> None:
    reference = await house.submit(account="79999999")
    await house.sent(reference, LetterKind.INFORMATION_REQUEST)
    for channel, language, noted in (
        (None, "zh-CN", "to be written to in Chinese"),
        ("post", None, "to be written to by post"),
        ("email", "en", "to be written to by e-mail, in English"),
        (None, "zh-CN", "to be written to in Chinese"),
    ):
        receipt = await house.complaints.choose_channel(reference, channel, by=CUSTOMER, language=language)
        assert receipt.noted == noted
        assert (await house.timeline(reference, "choose_channel"))[-1] == f"choose_channel: {noted}"
    await house.complaints.withdraw(reference, by=CUSTOMER)
    await house.sent(reference, LetterKind.WITHDRAWAL)
    assert [each["language"] for each in await house.fetch(_LANGUAGES)] == ["en", "en", "zh-CN"]
    assert "撤回" in house.mail()[-1].get_content()


_LANGUAGES: Final = "select language from casefile.letters where kind <> 'staff_notice' order by number"


async def test_an_unknown_account_leads_to_a_question_never_to_a_guess(house: House) -> None:
    reference = await house.submit(account="79999999")
    await house.at(reference, Stage.INVESTIGATING)
    await house.eventually(lambda: house.timeline(reference, "finding"))
    assert await house.timeline(reference, "finding") == ["finding: withdrawal_delay: inconclusive"]
    await house.complaints.add_evidence(reference, "The customer meant this one.", by=HANDLER, account=ACCOUNT)
    await house.late_withdrawal()


async def _has(house: House, reference: str, kind: str) -> bool:
    return kind in await house.accepted_letters(reference)
