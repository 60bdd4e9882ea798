"""The case file: every effect once, whoever repeats it, and everything that happened to be read years later."""

import asyncio
import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.case.case_file import CaseFile
from domain.case.complaint import Complaint
from domain.case.file import CaseUpdate, Recorded, Rejected
from domain.case.requests import RecordContact
from domain.case.told import Told
from domain.checks.findings import Check
from domain.clocks.deadlines import Firing
from domain.ground.words import Action, CaseEvent, Stage
from domain.rules.applying import RulesTable
from runtime.policies import find_pack, load_packs
from starter.reading.related import related_to
from tests.case.dying import die_in
from tests.case.support import (
    OPENED_AT,
    RECEIVED_AT,
    after,
    all_rows,
    at_once,
    complaint,
    count,
    entry,
    keeping,
    occurred,
    opened,
    opening,
    summary,
    update,
)

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

EVENT = CaseEvent


@pytest.fixture
def case_file(pool: "Pool") -> CaseFile:
    return keeping(pool)


# -- opening a case ----------------------------------------------------------------------------------------------------


async def test_opening_pins_the_pack_assesses_and_starts_the_clocks_of_receipt(
    pool: "Pool", case_file: CaseFile
) -> None:
    request = opening()
    answer = await case_file.open_case(request)
    case = await pool.fetchrow("SELECT * FROM casefile.cases")
    assert case is not None
    assert answer.policy == find_pack("platform-default", RECEIVED_AT)
    assert answer.policy_hash == answer.policy.hash == case["policy_hash"]
    assert (case["reference"], case["stage"], case["revision"]) == (request.reference, "received", 0)
    assert (case["received_at"], case["opened_at"], case["stage_since"]) == (RECEIVED_AT, OPENED_AT, OPENED_AT)
    assert (case["category"], case["team"]) == (answer.assessment.category, answer.assessment.team)
    assert [(deadline.clock, deadline.rung, deadline.number) for deadline in answer.recorded.planned] == [
        ("acknowledgement", "warning", 1),
        ("acknowledgement", "due", 1),
        ("response", "warning", 1),
        ("response", "due", 1),
    ]
    assert answer.recorded.satisfied == ()
    assert case["next_deadline"] == answer.recorded.planned[0].due == RECEIVED_AT + timedelta(hours=20)


async def test_the_timeline_begins_with_receipt_an_assessment_that_gives_its_grounds_and_who_complains(
    pool: "Pool", case_file: CaseFile
) -> None:
    answer = await case_file.open_case(opening())
    received, assessed, identified = await pool.fetch("SELECT * FROM casefile.timeline ORDER BY id")
    assert (received["key"], received["at"], received["actor"]) == ("received", RECEIVED_AT, "service:tests")
    assert received["text"] == "received by email; policy pack platform-default 2026.1"
    assert (assessed["key"], assessed["at"], assessed["actor"]) == ("assessed", OPENED_AT, "system:redress")
    assert assessed["data"] == answer.assessment.model_dump(mode="json")
    assert assessed["data"]["grounds"]
    assert identified["data"] == {"state": "open", "because": ["not_on_file"]}
    assert answer.identity.at == OPENED_AT


async def test_a_case_opens_with_what_its_words_tell_and_the_checks_they_point_to(case_file: CaseFile) -> None:
    answer = await case_file.open_case(opening(subject="订单 12345678", description="冻结了。"))
    assert (answer.told, answer.pointed) == ((Told.TRADE,), (Check.FROZEN_ACCOUNT,))


async def test_the_timeline_of_an_opened_case_holds_no_personal_data(pool: "Pool", case_file: CaseFile) -> None:
    await case_file.open_case(opening())
    told = str([tuple(row) for row in await pool.fetch("SELECT actor, text FROM casefile.timeline")])
    assert "Customer" not in told
    assert "example.com" not in told
    assert "70012345" not in told


async def test_opening_again_answers_the_same_and_adds_nothing(pool: "Pool", case_file: CaseFile) -> None:
    first = await case_file.open_case(opening())
    rows = await all_rows(pool)
    assert await keeping(pool).open_case(opening()) == first
    assert await all_rows(pool) == rows


async def test_eight_at_once_open_one_case_and_get_one_answer(pool: "Pool", case_file: CaseFile) -> None:
    answers = await at_once(pool, (case_file.open_case(opening()) for _ in range(8)))
    assert answers == [answers[0]] * 8
    assert (await count(pool, "cases"), await count(pool, "contacts"), await count(pool, "timeline")) == (1, 1, 3)
    assert (await count(pool, "events"), await count(pool, "deadlines"), await count(pool, "policy_packs")) == (1, 4, 1)


@pytest.mark.parametrize(("moment", "left"), [("before", 0), ("after", 1)])
async def test_a_crash_around_the_commit_leaves_one_whole_case_after_the_repetition(
    pool: "Pool", database_url: str, case_file: CaseFile, moment: str, left: int
) -> None:
    await die_in("OpenCase", moment, database_url, opening())
    assert await count(pool, "cases") == await count(pool, "contacts") == left
    after_the_crash = await all_rows(pool)
    answer = await case_file.open_case(opening())
    assert len(answer.recorded.planned) == await count(pool, "deadlines") == 4
    assert await count(pool, "cases") == 1
    assert moment == "before" or await all_rows(pool) == after_the_crash


async def test_a_repetition_is_answered_as_stored_when_clock_and_packs_have_changed(pool: "Pool") -> None:
    first = await keeping(pool).open_case(opening())
    renewed = first.policy.model_copy(update={"version": "2027.1", "title": "Other rules"})
    later = keeping(pool, clock=lambda: RECEIVED_AT - timedelta(days=30), packs={renewed.id: [renewed]})
    assert await later.open_case(opening()) == first


async def test_a_second_workflow_for_a_case_that_has_a_file_is_refused(case_file: CaseFile) -> None:
    first = opening()
    await case_file.open_case(first)
    second = first.model_copy(update={"run": "run-2"})
    assert await refusal(case_file.open_case(second)) == "AlreadyHandled"


async def test_an_attempt_that_is_made_again_later_finds_its_own_case(pool: "Pool", case_file: CaseFile) -> None:
    first = opening()
    answer = await case_file.open_case(first)
    rows = await all_rows(pool)
    later = first.model_copy(update={"at": first.at + timedelta(seconds=9)})
    assert await case_file.open_case(later) == answer
    assert await all_rows(pool) == rows


async def test_of_a_complaint_sent_again_with_other_content_the_first_stands(pool: "Pool", case_file: CaseFile) -> None:
    first = await case_file.open_case(opening())
    rows = await all_rows(pool)
    other = opening(description="On second thoughts it was about a withdrawal.", policy="demo", language="zh")
    assert await case_file.open_case(other) == first
    assert await all_rows(pool) == rows


async def test_another_complaint_under_the_same_reference_is_refused(case_file: CaseFile) -> None:
    await case_file.open_case(opening("1"))
    stray = opening("2").model_copy(update={"reference": opening("1").reference})
    assert await refusal(case_file.open_case(stray)) == "ReferenceTaken"


async def test_a_complaint_that_has_a_reference_gets_no_second_one(case_file: CaseFile) -> None:
    await case_file.open_case(opening("1"))
    stray = opening("1").model_copy(update={"reference": opening("2").reference})
    assert await refusal(case_file.open_case(stray), match=opening("1").reference) == "ReferenceTaken"


async def test_a_complaint_from_the_future_is_refused_with_the_field_and_leaves_nothing(
    pool: "Pool", case_file: CaseFile
) -> None:
    early = opening(received_at=OPENED_AT + timedelta(minutes=6))
    assert await refusal(case_file.open_case(early), match="received_at: .* lies in the future") == "InvalidComplaint"
    assert {table: len(rows) for table, rows in (await all_rows(pool)).items() if rows} == {}


async def test_the_clock_of_a_sender_may_be_a_little_ahead(case_file: CaseFile) -> None:
    ahead = OPENED_AT + timedelta(minutes=5)
    answer = await case_file.open_case(opening(received_at=ahead))
    assert answer.recorded.planned[0].started_at == ahead


async def test_the_time_of_the_workflow_counts_where_it_is_ahead_of_this_machine(pool: "Pool") -> None:
    behind = keeping(pool, clock=lambda: OPENED_AT - timedelta(days=90))
    assert (await behind.open_case(opening())).recorded.planned


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"policy": "nowhere"}, "there is no pack 'nowhere'; there are au-asic, .*platform-default"),
        (
            {"received_at": datetime(1999, 12, 31, tzinfo=UTC)},
            "no version of platform-default is in force on 1999-12-31",
        ),
    ],
)
async def test_a_complaint_whose_pack_is_not_there_waits_where_it_is_found(
    pool: "Pool", case_file: CaseFile, changes: dict[str, Any], match: str
) -> None:
    request = opening(**changes)
    for _ in range(2):
        waiting = refusal(case_file.open_case(request), match=match, for_good=False)
        assert await waiting == "UnknownPolicyPack"
    [row] = await pool.fetch("select workflow_id, state, reason, payload from casefile.unopened")
    assert (row["workflow_id"], row["state"]) == (request.reference, "waiting")
    assert re.search(match, row["reason"])
    assert Complaint.model_validate_json(row["payload"]) == request.complaint


async def test_a_complaint_that_names_a_pack_is_handled_by_it(case_file: CaseFile) -> None:
    assert (await case_file.open_case(opening(policy="demo"))).policy.id == "demo"


TABLE = RulesTable.model_validate(
    {
        "version": "3",
        "rows": [
            {
                "name": "hong-kong",
                "effective_from": date(2020, 1, 1),
                "entities": ["hk"],
                "residences": ["HK"],
                "policy": ["hk-hkma"],
                "why": "Our bank",
            }
        ],
    }
)


@pytest.mark.parametrize(
    ("changes", "pack", "said", "told"),
    [
        ({"entity": "hk", "residence": "hk"}, "hk-hkma", "hk-hkma by row hong-kong (entity hk, residence HK: Our", ""),
        ({"entity": "hk", "residence": "HK", "policy": "hk-hkma"}, "hk-hkma", "names hk-hkma", ""),
        (
            {"entity": "hk", "residence": "HK", "policy": "uk-fca"},
            "hk-hkma",
            "hk-hkma by row hong-kong (entity hk, residence HK: Our bank); the complaint names uk-fca",
            "came with the rules uk-fca; by the table of rules they are hk-hkma",
        ),
        (
            {"entity": "hk"},
            "platform-default",
            "no answer (not known: residence; without that it may be hong-kong)",
            "no answer for this complaint",
        ),
        ({"entity": "uk"}, "platform-default", "no answer (no row fits on 2026-", "no answer for this complaint"),
        ({"policy": "demo"}, "demo", "no answer (not known: entity, residence;", "no answer for this complaint"),
    ],
)
async def test_the_rules_are_found_by_the_table_with_the_reasons_on_the_case(
    pool: "Pool", changes: dict[str, Any], pack: str, said: str, told: str
) -> None:
    case_file = keeping(pool, table=TABLE)
    request = opening(**changes)
    for _ in range(2):  # again, it answers the same
        answer = await case_file.open_case(request)
        assert answer.policy.id == pack
        assert bool(answer.about_rules) == bool(told)
        assert answer.about_rules is None or told in answer.about_rules.en
    [entry] = await pool.fetch("select text, data from casefile.timeline where key = 'rules'")
    assert entry["text"].startswith("table of rules 3: ")
    assert said in entry["text"]
    assert entry["data"]["table"] == "3"


async def test_without_a_table_nothing_is_said_of_the_rules(pool: "Pool", case_file: CaseFile) -> None:
    assert (await case_file.open_case(opening())).about_rules is None
    assert not await pool.fetchval("select exists (select from casefile.timeline where key = 'rules')")


async def test_the_version_in_force_at_receipt_is_pinned_by_the_day_in_its_time_zone(pool: "Pool") -> None:
    new = find_pack("platform-default", date(2026, 3, 2))
    old = new.model_copy(update={"version": "old", "effective_until": date(2026, 3, 2)})
    new = new.model_copy(update={"version": "new", "effective_from": date(2026, 3, 3)})
    case_file = keeping(pool, packs={"platform-default": [old, new]})
    for hour, minute, version in ((15, 59, "old"), (16, 0, "new")):
        received_at = datetime(2026, 3, 2, hour, minute, tzinfo=UTC)
        request = opening(version, received_at=received_at).model_copy(update={"at": received_at})
        assert (await case_file.open_case(request)).policy.version == version


async def test_cases_under_the_same_rules_share_one_pinned_pack(pool: "Pool", case_file: CaseFile) -> None:
    await opened(case_file, "1")
    await opened(case_file, "2")
    await opened(case_file, "3", policy="demo")
    pinned = await pool.fetch("SELECT hash, id, version, content FROM casefile.policy_packs ORDER BY id")
    assert [(row["id"], row["version"]) for row in pinned] == [("demo", "1"), ("platform-default", "2026.1")]
    for row in pinned:
        pack = load_packs()[row["id"]][0]
        assert row["hash"] == pack.hash
        assert row["content"] == pack.model_dump(mode="json")


@pytest.mark.parametrize(
    ("changes", "repeat"),
    [
        ({"complainant": {"name": "Somebody", "email": "else@example.com"}}, True),
        ({"account": None}, True),
        ({"account": None, "complainant": {"name": "A Customer", "email": "CUSTOMER@example.com"}}, True),
        ({"account": "70099999", "complainant": {"name": "A Customer", "email": "else@example.com"}}, False),
        ({"account": None, "complainant": {"name": "A Customer"}}, False),
        ({"received_at": RECEIVED_AT - timedelta(seconds=1)}, False),
        ({"description": "My withdrawal has not arrived for two weeks."}, False),
        ({"trades": ["T-2"]}, False),
        ({"trades": ["T-1", "T-2"]}, True),
        ({"trades": [], "product": "EURUSD"}, False),
        ({"received_at": RECEIVED_AT + timedelta(days=366)}, False),
    ],
    ids=[
        "account",
        "address",
        "address in capitals",
        "name only",
        "nothing to know them by",
        "received before",
        "another category",
        "another trade",
        "a trade in common",
        "another product",
        "too long ago",
    ],
)
async def test_who_complained_of_the_same_before_is_known_by_account_or_address(
    case_file: CaseFile, pool: "Pool", changes: dict[str, Any], repeat: bool
) -> None:
    first = opening("1", trades=["T-1"], product="XAUUSD")
    assert not (await case_file.open_case(first)).assessment.repeat
    second = opening("2", **{"trades": ["T-1"], **changes})
    second = second.model_copy(update={"at": max(second.at, second.complaint.received_at)})
    assert (await case_file.open_case(second)).assessment.repeat is repeat
    others = (await related_to(pool, second.reference)).cases
    assert any(one.same_matter for one in others) is (repeat or second.complaint.received_at < RECEIVED_AT)


# -- recording what happened -------------------------------------------------------------------------------------------


def full_update(reference: str) -> CaseUpdate:
    """An update with something of everything."""
    return update(
        reference,
        3,
        entries=(entry("a", finding="F-1"), entry("b")),
        events=(occurred(EVENT.ACKNOWLEDGED, 2), occurred(EVENT.CONTACTED, 2)),
        firings=(
            Firing(
                clock="acknowledgement",
                number=1,
                rung="due",
                due=RECEIVED_AT + timedelta(hours=24),
                fired_at=RECEIVED_AT + timedelta(hours=24, seconds=2),
                breach=True,
            ),
        ),
        rejected=(Rejected(key="r", at=after(2), name="customer_rely", reason="no such signal", payload="[{}]"),),
        summary=summary(3, breached=True, escalation_level=1),
    )


async def test_an_update_is_written_whole(pool: "Pool", case_file: CaseFile) -> None:
    reference = await opened(case_file)
    answer = await case_file.record(full_update(reference))
    assert [deadline.key for deadline in answer.planned] == ["progress:2:due"]
    assert [(done.clock, done.number, done.by, done.by_number) for done in answer.satisfied] == [
        ("acknowledgement", 1, EVENT.ACKNOWLEDGED, 2)
    ]
    case = await pool.fetchrow("SELECT * FROM casefile.cases")
    assert case is not None
    assert (case["revision"], case["stage"], case["handler"]) == (3, "investigating", "h-17")
    assert (case["breached"], case["escalation_level"]) == (True, 1)
    written = await pool.fetchrow("SELECT * FROM casefile.timeline WHERE key = 'a'")
    assert written is not None
    assert (written["kind"], written["actor"], written["data"]) == ("test", "handler:h-17", {"finding": "F-1"})
    firing = await pool.fetchrow("SELECT * FROM casefile.firings")
    assert firing is not None
    assert (firing["lateness"], firing["breach"]) == (timedelta(seconds=2), True)
    rejected = await pool.fetchrow("SELECT * FROM casefile.rejected_messages")
    assert rejected is not None
    assert (rejected["name"], rejected["reason"], rejected["payload"]) == ("customer_rely", "no such signal", "[{}]")


async def test_an_update_recorded_twice_changes_nothing_and_is_answered_the_same(
    pool: "Pool", case_file: CaseFile
) -> None:
    request = full_update(await opened(case_file))
    first = await case_file.record(request)
    rows = await all_rows(pool)
    assert await keeping(pool).record(request) == first
    assert await all_rows(pool) == rows


async def test_an_update_recorded_eight_times_at_once_is_there_once(pool: "Pool", case_file: CaseFile) -> None:
    request = full_update(await opened(case_file))
    answers = await at_once(pool, (case_file.record(request) for _ in range(8)))
    assert answers == [answers[0]] * 8
    assert len(answers[0].planned) == 1
    assert (await count(pool, "timeline"), await count(pool, "events"), await count(pool, "satisfactions")) == (5, 3, 1)
    assert (await count(pool, "firings"), await count(pool, "rejected_messages")) == (1, 1)


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_crash_around_the_commit_leaves_one_update_after_the_repetition(
    pool: "Pool", database_url: str, case_file: CaseFile, moment: str
) -> None:
    request = full_update(await opened(case_file))
    opened_only = await all_rows(pool)
    await die_in("Record", moment, database_url, request)
    after_the_crash = await all_rows(pool)
    assert (after_the_crash == opened_only) is (moment == "before")
    answer = await case_file.record(request)
    assert (len(answer.planned), len(answer.satisfied)) == (1, 1)
    assert (await count(pool, "timeline"), await count(pool, "events"), await count(pool, "satisfactions")) == (5, 3, 1)
    assert moment == "before" or await all_rows(pool) == after_the_crash


async def test_an_older_summary_never_replaces_a_newer_one(pool: "Pool", case_file: CaseFile) -> None:
    reference = await opened(case_file)
    await case_file.record(update(reference, summary=summary(5, stage=Stage.DECIDING, handler="h-5")))
    await case_file.record(update(reference, summary=summary(4, handler="h-4"), entries=(entry("late"),)))
    await case_file.record(update(reference, summary=summary(5, handler="h-other")))
    assert await pool.fetchval("SELECT handler FROM casefile.cases") == "h-5"
    assert await pool.fetchval("SELECT stage FROM casefile.cases") == "deciding"
    assert await pool.fetchval("SELECT count(*) FROM casefile.timeline WHERE key = 'late'") == 1


async def test_updates_at_once_leave_the_newest_summary(pool: "Pool", case_file: CaseFile) -> None:
    reference = await opened(case_file)
    revisions = [7, 2, 9, 4, 8, 1, 6, 3]
    doings = (case_file.record(update(reference, summary=summary(n, handler=f"h-{n}"))) for n in revisions)
    await at_once(pool, doings)
    assert await pool.fetchval("SELECT handler FROM casefile.cases") == "h-9"


async def test_a_missed_duty_stands_in_the_file_with_its_firing_never_without_and_stays(
    pool: "Pool", case_file: CaseFile
) -> None:
    """What is newer may be written first, while the firing is on its way with a letter."""
    reference = await opened(case_file)
    whole = full_update(reference)
    await case_file.record(whole.model_copy(update={"firings": ()}))
    assert await pool.fetchval("SELECT (revision, breached) FROM casefile.cases") == (3, False)
    await case_file.record(update(reference, summary=summary(1), firings=whole.firings))
    assert await pool.fetchval("SELECT (revision, breached) FROM casefile.cases") == (3, True)
    await case_file.record(update(reference, summary=summary(4, breached=False)))
    assert await pool.fetchval("SELECT (revision, breached) FROM casefile.cases") == (4, True)


async def test_a_clock_runs_until_its_event_and_then_never_again(pool: "Pool", case_file: CaseFile) -> None:
    reference = await opened(case_file)
    asked = await record(case_file, reference, (EVENT.INFORMATION_REQUESTED, 3), (EVENT.CONTACTED, 3))
    assert started(asked) == {"information:3", "progress:3"}
    assert [d.actions for d in asked.planned if d.clock == "information"] == [
        (Action.REMINDER_LETTER,),
        (Action.STOP_WAITING,),
    ]
    replied = await record(case_file, reference, (EVENT.CUSTOMER_REPLIED, 4))
    assert (started(replied), ended(replied)) == (set(), {"information:3"})
    again = await record(case_file, reference, (EVENT.CUSTOMER_REPLIED, 5))
    assert again == Recorded()
    assert await pool.fetchval("SELECT by_number FROM casefile.satisfactions WHERE clock = 'information'") == 4


async def test_events_that_happen_together_start_and_satisfy_whatever_their_order(
    pool: "Pool", case_file: CaseFile
) -> None:
    for key, order in (("1", (EVENT.CONTACTED, EVENT.RESPONDED)), ("2", (EVENT.RESPONDED, EVENT.CONTACTED))):
        reference = await opened(case_file, key)
        await record(case_file, reference, (EVENT.CONTACTED, 2))
        answer = await record(case_file, reference, *((event, 3) for event in order))
        assert started(answer) == {"acceptance:3", "progress:3"}
        assert ended(answer) == {"response:1", "progress:2", "progress:3"}
        assert await open_clocks(pool, reference) == {"acknowledgement:1", "acceptance:3"}


async def test_a_letter_accepted_after_what_it_led_up_to_starts_nothing_that_would_run_on(
    pool: "Pool", case_file: CaseFile
) -> None:
    reference = await opened(case_file)
    await record(case_file, reference, (EVENT.RESPONDED, 4), (EVENT.CONTACTED, 4))
    late = await record(case_file, reference, (EVENT.CONTACTED, 3), minutes=90)
    assert started(late) == {"progress:3"}
    assert [(done.clock, done.number, done.at) for done in late.satisfied] == [("progress", 3, after(90))]
    assert "progress:3" not in await open_clocks(pool, reference)


async def test_updates_of_one_case_take_turns_and_see_each_other(pool: "Pool", case_file: CaseFile) -> None:
    reference = await opened(case_file)
    async with pool.acquire() as connection, connection.transaction():
        first = update(reference, events=(occurred(EVENT.CONTACTED, 2),))
        await case_file.apply(connection, first)
        second = asyncio.create_task(record(case_file, reference, (EVENT.CONTACTED, 3)))
        done, _ = await asyncio.wait([second], timeout=0.3)
        assert not done
    assert ended(await second) == {"progress:2"}


async def test_each_event_is_answered_with_the_clocks_of_its_own(case_file: CaseFile) -> None:
    reference = await opened(case_file)
    assert started(await record(case_file, reference, (EVENT.RESPONDED, 3))) == {"acceptance:3"}
    letter = await record(case_file, reference, (EVENT.CONTACTED, 3))
    assert (started(letter), ended(letter)) == ({"progress:3"}, {"progress:3"})


async def test_eight_letters_accepted_at_once_leave_one_wait_for_the_next(pool: "Pool", case_file: CaseFile) -> None:
    reference = await opened(case_file)
    numbers = [5, 2, 9, 4, 8, 3, 7, 6]
    await at_once(pool, (record(case_file, reference, (EVENT.CONTACTED, number)) for number in numbers))
    assert await open_clocks(pool, reference) == {"acknowledgement:1", "response:1", "progress:9"}


async def test_closing_ends_every_clock(pool: "Pool", case_file: CaseFile) -> None:
    reference = await opened(case_file)
    await record(case_file, reference, (EVENT.ACKNOWLEDGED, 2), (EVENT.CONTACTED, 2))
    assert ended(await record(case_file, reference, (EVENT.CLOSED, 3))) == {"response:1", "progress:2"}
    assert await open_clocks(pool, reference) == set()


async def test_a_repetition_also_tells_which_of_its_clocks_ended_meanwhile(case_file: CaseFile) -> None:
    reference = await opened(case_file)
    first = await record(case_file, reference, (EVENT.CONTACTED, 2))
    await record(case_file, reference, (EVENT.CONTACTED, 3))
    again = await record(case_file, reference, (EVENT.CONTACTED, 2))
    assert again.planned == first.planned
    assert ended(again) == {"progress:2"}


async def test_of_an_event_told_twice_with_two_times_the_first_stands(pool: "Pool", case_file: CaseFile) -> None:
    reference = await opened(case_file)
    first = await record(case_file, reference, (EVENT.CONTACTED, 2), minutes=10)
    assert await record(case_file, reference, (EVENT.CONTACTED, 2), minutes=99) == first
    assert await pool.fetchval("SELECT at FROM casefile.events WHERE number = 2") == after(10)


async def test_clocks_go_by_the_pinned_pack_and_not_by_todays(pool: "Pool", case_file: CaseFile) -> None:
    reference = await opened(case_file, policy="demo")
    answer = await keeping(pool, packs={}).record(update(reference, events=(occurred(EVENT.CONTACTED, 2),)))
    assert [(d.clock, d.due - d.started_at) for d in answer.planned] == [("progress", timedelta(seconds=25))]


async def test_what_goes_wrong_after_the_update_takes_it_back(pool: "Pool", case_file: CaseFile) -> None:
    request = full_update(await opened(case_file))
    rows = await all_rows(pool)

    async def effect() -> None:
        async with pool.acquire() as connection, connection.transaction():
            await case_file.apply(connection, request)
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await effect()
    assert await all_rows(pool) == rows


async def test_an_update_outside_a_transaction_is_refused(pool: "Pool", case_file: CaseFile) -> None:
    request = full_update(await opened(case_file))
    async with pool.acquire() as connection:
        with pytest.raises(RuntimeError, match="open one first"):
            await case_file.apply(connection, request)


async def test_an_update_of_no_case_is_refused(case_file: CaseFile) -> None:
    assert (
        await refusal(case_file.record(update(complaint("none").reference)), match="open it first", for_good=False)
        == "NoCase"
    )


async def test_characters_that_postgresql_refuses_do_not_stop_a_case(pool: "Pool", case_file: CaseFile) -> None:
    reference = await opened(case_file)
    request = update(
        reference,
        entries=(entry("odd", text="nul \x00", **{"list": ["\x00 😀", {"de\x00ep": "\x07"}], "number": 1}),),
        rejected=(Rejected(key="r", at=after(1), name="\x00", reason="\x00", payload='{"text": "\x00"}'),),
    )
    await case_file.record(request)
    written = await pool.fetchrow("SELECT text, data FROM casefile.timeline WHERE key = 'odd'")
    assert written is not None
    assert written["text"] == "nul \N{REPLACEMENT CHARACTER}"
    assert written["data"] == {"list": ["� 😀", {"de�ep": "�"}], "number": 1}
    assert await pool.fetchval("SELECT payload FROM casefile.rejected_messages") == '{"text": "�"}'


async def test_the_deadline_ledger_shows_plan_action_and_satisfaction_side_by_side(
    pool: "Pool", case_file: CaseFile
) -> None:
    await case_file.record(full_update(await opened(case_file)))
    rows = await pool.fetch("SELECT * FROM casefile.deadline_ledger ORDER BY due, rung")
    assert [(r["clock"], r["rung"], r["breach"], r["lateness"], r["satisfied_by"]) for r in rows] == [
        ("acknowledgement", "warning", False, None, "acknowledged"),
        ("acknowledgement", "due", True, timedelta(seconds=2), "acknowledged"),
        ("progress", "due", False, None, None),
        ("response", "warning", False, None, None),
        ("response", "due", False, None, None),
    ]


# -- where letters go --------------------------------------------------------------------------------------------------


def correction(reference: str, key: str = "c-1", **changes: Any) -> RecordContact:
    fields: dict[str, Any] = {"email": None, "phone": None, **changes}
    return RecordContact(key=f"{reference}:contact:{key}", reference=reference, at=after(9), **fields)


async def newest_contact(pool: "Pool") -> tuple[Any, ...]:
    row = await pool.fetchrow("SELECT name, email, phone FROM casefile.contacts ORDER BY id DESC LIMIT 1")
    assert row is not None
    return tuple(row)


async def test_a_corrected_address_replaces_what_it_names_and_keeps_the_rest(pool: "Pool", case_file: CaseFile) -> None:
    reference = await opened(case_file)
    assert await newest_contact(pool) == ("A Customer", "customer@example.com", "+852 5555 0100")
    await case_file.record_contact(correction(reference, email="new@example.org"))
    assert await newest_contact(pool) == ("A Customer", "new@example.org", "+852 5555 0100")
    await case_file.record_contact(correction(reference, "c-2", phone="+44 20 5555 0100"))
    assert await newest_contact(pool) == ("A Customer", "new@example.org", "+44 20 5555 0100")
    assert await count(pool, "contacts") == 3


async def test_a_correction_repeated_or_sent_eight_times_at_once_counts_once(pool: "Pool", case_file: CaseFile) -> None:
    request = correction(await opened(case_file), email="new@example.org")
    await at_once(pool, (case_file.record_contact(request) for _ in range(8)))
    assert await count(pool, "contacts") == 2
    assert (await newest_contact(pool))[1] == "new@example.org"


async def test_another_correction_under_the_same_key_counts_too(pool: "Pool", case_file: CaseFile) -> None:
    request = correction(await opened(case_file), email="new@example.org")
    other = request.model_copy(update={"email": "newer@example.org"})
    for one in (request, other, request, other):
        await case_file.record_contact(one)
    assert await count(pool, "contacts") == 3
    assert (await newest_contact(pool))[1] == "newer@example.org"


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_crash_around_the_commit_leaves_one_correction_after_the_repetition(
    pool: "Pool", database_url: str, case_file: CaseFile, moment: str
) -> None:
    request = correction(await opened(case_file), email="new@example.org")
    await die_in("RecordContact", moment, database_url, request)
    assert await count(pool, "contacts") == {"before": 1, "after": 2}[moment]
    await case_file.record_contact(request)
    assert await count(pool, "contacts") == 2


async def test_corrections_at_once_are_all_kept(pool: "Pool", case_file: CaseFile) -> None:
    reference = await opened(case_file)
    changes = [{"email": "new@example.org"}, {"phone": "+44 20 5555 0100"}] * 4
    corrections = [correction(reference, f"c-{n}", **change) for n, change in enumerate(changes)]
    await at_once(pool, (case_file.record_contact(one) for one in corrections))
    assert await newest_contact(pool) == ("A Customer", "new@example.org", "+44 20 5555 0100")


async def test_an_address_of_no_case_is_refused(case_file: CaseFile) -> None:
    assert await refusal(case_file.record_contact(correction(complaint("none").reference)), for_good=False) == "NoCase"


# -- helpers -----------------------------------------------------------------------------------------------------------


async def refusal(doing: Any, match: str | None = None, *, for_good: bool = True) -> str | None:
    """The type of the error with which *doing* is refused, for good or until it is tried again."""
    with pytest.raises(ApplicationError, match=match) as refused:
        await doing
    assert refused.value.non_retryable == for_good
    return refused.value.type


async def record(case_file: CaseFile, reference: str, *events: tuple[CaseEvent, int], minutes: float = 0) -> Recorded:
    return await case_file.record(
        update(reference, events=tuple(occurred(event, number, minutes) for event, number in events))
    )


def started(recorded: Recorded) -> set[str]:
    return {f"{deadline.clock}:{deadline.number}" for deadline in recorded.planned}


def ended(recorded: Recorded) -> set[str]:
    return {f"{satisfied.clock}:{satisfied.number}" for satisfied in recorded.satisfied}


async def open_clocks(pool: "Pool", reference: str) -> set[str]:
    rows = await pool.fetch(
        "SELECT DISTINCT clock || ':' || number AS clock FROM casefile.deadline_ledger"
        " WHERE reference = $1 AND satisfied_at IS NULL",
        reference,
    )
    return {row["clock"] for row in rows}


async def test_a_final_response_accepted_late_ends_the_clock_of_the_new_date(case_file: CaseFile) -> None:
    reference = await opened(case_file)
    await case_file.record(update(reference, 1, events=(occurred(EVENT.OVERDUE_NOTED, 7, minutes=60),)))
    answer = await case_file.record(update(reference, 2, events=(occurred(EVENT.RESPONDED, 6, minutes=90),)))
    assert "overdue:7" in {satisfied.round for satisfied in answer.satisfied}
