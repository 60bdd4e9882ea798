"""Whose hands a case is in, in the record: assigned when it is opened and whenever that no longer fits."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from activities.case.case_file import CaseFile
from activities.people.hands import hand_over
from domain.case.case import Case
from domain.case.clocks import has_recorded
from domain.case.file import CaseUpdate, Recorded
from domain.case.hearing import HEARD
from domain.case.messages.handling import ChooseChannel, CorrectContact, Withdraw
from domain.case.messages.paying import ReportPayment
from domain.case.messages.putting_right import ConfirmRemedy
from domain.case.messages.signals import Arrived, PeopleChanged
from domain.ground.people import SYSTEM, Actor
from domain.ground.timeline import Entry
from domain.ground.words import CaseEvent, Role, SignKind
from domain.incidents.messages import IncidentChanged
from domain.people.hands import Hands
from domain.people.recusal import Why
from domain.people.signs import standing
from domain.rules.policy import PolicyPack
from domain.speech.proposing import Opinion
from record.directory import LOCK_DIRECTORY
from record.hands import sign_changes
from runtime.policies import find_pack
from starter.client.directory import People
from tests.case.support import OPENED_AT, RECEIVED_AT, after, keeping, occurred, opening, summary, update
from tests.patience import eventually
from tests.people.support import LEAD, directory, person
from tests.signing import signed
from workflows.messages.of_a_case import SIGNALS, UPDATES
from workflows.parts.hearing import Gate

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]

TEAMS = ("dealing", "payments", "accounts", "conduct", "customer-care")
STAFF = [
    person("h-1", names=["Jane Doe"]),
    person("h-2", teams=["dealing", "payments"]),
    person("h-3", teams=["payments"]),
    person("l-1", "team_lead"),
    person("c-1", "compliance_officer"),
    person("e-1", "executive"),
]


@pytest.fixture
async def case_file(pool: "Pool") -> CaseFile:
    """A case file where the directory has three handlers and one of each who is above them."""
    await People(pool, signed).replace(directory(*STAFF, teams=TEAMS), by=LEAD, at=OPENED_AT)
    return keeping(pool)


async def opened_as(case_file: CaseFile, key: str = "1", **changes: Any) -> tuple[str, Hands]:
    request = opening(key, **changes)
    answer = await case_file.open_case(request)
    assert answer.recorded.hands is not None
    return request.reference, answer.recorded.hands


def noted(kind: str, number: int, actor: str = "handler:h-9", text: str = "", **data: Any) -> Entry:
    return Entry(key=f"{kind}:{number}", at=after(number), kind=kind, actor=actor, text=text or kind, data=data)


def updating(reference: str, revision: int, *entries: Entry, **changes: Any) -> CaseUpdate:
    changes.setdefault("handler", None)
    return update(reference, revision, entries=entries, summary=summary(revision, **changes))


async def hands_after(case_file: CaseFile, request: CaseUpdate) -> Hands:
    hands = (await case_file.record(request)).hands
    assert hands is not None
    return hands


async def handler_of(pool: "Pool", reference: str) -> str | None:
    handler: str | None = await pool.fetchval("select handler from casefile.cases where reference = $1", reference)
    return handler


async def told(pool: "Pool", reference: str, kind: str) -> list[str]:
    rows = await pool.fetch(
        "select text from casefile.timeline where (reference, kind) = ($1, $2) order by id", reference, kind
    )
    return [row["text"] for row in rows]


async def test_a_case_is_somebodys_from_its_opening_and_a_repeat_gives_it_to_nobody_else(
    case_file: CaseFile, pool: "Pool"
) -> None:
    reference, hands = await opened_as(case_file)
    assert hands.handler == "h-1"
    assert await handler_of(pool, reference) == "h-1"
    again = await case_file.open_case(opening("1"))
    assert again.recorded.hands == hands
    assert hands.version
    _, second = await opened_as(case_file, "2", account="70099999")
    assert second.handler == "h-2"  # the lighter load
    assert await told(pool, reference, "assigned") == ["h-1 as handler (the case was opened)"]


async def test_a_case_stays_without_a_name_where_nobody_wrote_a_directory(pool: "Pool") -> None:
    _, hands = await opened_as(keeping(pool))
    assert (hands.handler, hands.kept_out) == (None, {})


async def test_an_escalation_reaches_a_person_who_holds_the_role_and_not_a_role(
    case_file: CaseFile, pool: "Pool"
) -> None:
    reference, _ = await opened_as(case_file)
    for level, who in ((1, "l-1"), (2, "c-1"), (3, "e-1")):
        request = updating(
            reference, level, noted("escalation", level), escalation_level=level, handler=Role.TEAM_LEAD.value
        )
        hands = await hands_after(case_file, request)
        assert hands.handler == who
        assert await hands_after(case_file, request) == hands
        assert await handler_of(pool, reference) == who
    causes = await pool.fetch("select cause from casefile.assignments order by number")
    assert [row["cause"] for row in causes] == ["opened", "escalated", "escalated", "escalated"]


async def test_a_summary_that_was_on_its_way_takes_the_case_from_nobody(case_file: CaseFile, pool: "Pool") -> None:
    reference, _ = await opened_as(case_file)
    for handler in (None, "team_lead"):
        await case_file.record(updating(reference, 3, noted("note", 1), handler=handler))
        assert await handler_of(pool, reference) == "h-1"


async def test_another_team_gets_the_case_when_it_is_reclassified(case_file: CaseFile) -> None:
    reference, hands = await opened_as(case_file)
    same_team = updating(reference, 1, noted("reclassify", 1), severity="high", handler="h-1")
    assert (await hands_after(case_file, same_team)).handler == hands.handler == "h-1"
    moved = updating(reference, 2, noted("reclassify", 2), category="withdrawal", team="payments", handler="h-1")
    assert (await hands_after(case_file, moved)).handler == "h-2"
    back = updating(reference, 3, noted("reclassify", 3), handler="h-2")
    assert (await hands_after(case_file, back)).handler == "h-2"  # is in both


async def test_who_is_named_never_gets_the_case_and_loses_it_when_a_reply_names_them(
    case_file: CaseFile, pool: "Pool"
) -> None:
    named, hands = await opened_as(case_file, description="Jane Doe closed my position.")
    assert (hands.handler, hands.kept_out) == ("h-2", {"h-1": Why.NAMED})
    assert await told(pool, named, "kept_out") == ["h-1 is kept out: the customer names them"]

    later, hands = await opened_as(case_file, "2", account="70099999")
    assert hands.handler == "h-1"
    replied = noted("customer_reply", 1, text="information").model_copy(
        update={"data": {"intent": "information", "text": "It was JANE DOE."}}
    )
    hands = await hands_after(case_file, updating(later, 1, replied, handler="h-1"))
    assert (hands.handler, hands.kept_out) == ("h-2", {"h-1": Why.NAMED})
    assert await handler_of(pool, later) == "h-2"


THEIR_WORDS = [
    ("customer_reply", "customer:c-1", "text"),
    ("customer_reply", "handler:h-9", "text"),
    ("reopen", "customer:c-1", "reason"),
    ("reopen", "handler:h-9", "reason"),
    ("record_feedback", "customer:c-1", "comment"),
    ("record_feedback", "handler:h-9", "comment"),
    ("add_evidence", "customer:c-1", "note"),
    ("escalate", "customer:c-1", "reason"),
]
STAFFS_WORDS = [("add_evidence", "handler:h-9", "note"), ("escalate", "handler:h-9", "reason")]


@pytest.mark.parametrize(("kind", "actor", "field"), THEIR_WORDS + STAFFS_WORDS)
async def test_whoever_is_named_and_whatever_danger_is_told_counts_in_all_that_the_customer_says(
    case_file: CaseFile, pool: "Pool", kind: str, actor: str, field: str
) -> None:
    reference, hands = await opened_as(case_file)
    assert hands.handler == "h-1"
    data = {field: "Doe, Jane lied to me. I want to kill myself.", "score": 1}
    said = noted(kind, 1, actor).model_copy(update={"data": data})
    after = (await case_file.record(updating(reference, 1, said, handler="h-1"))).hands
    theirs = (kind, actor, field) in THEIR_WORDS
    assert after or not theirs
    assert (bool(after and after.kept_out), bool(after and after.care.alarm)) == (theirs, theirs)
    assert await handler_of(pool, reference) == ("h-2" if theirs else "h-1")


def test_every_text_that_a_customer_may_send_is_heard_or_said_to_be_none_of_theirs() -> None:
    """What ends the case, or says that something was paid or done, is looked at by people anyway; a choice of channel
    has no words.
    """
    none_of_theirs = {
        *(Withdraw, CorrectContact, ChooseChannel, ConfirmRemedy, ReportPayment),
        *(Arrived, PeopleChanged, IncidentChanged),
    }
    open_to_them = {one.kind for one in SIGNALS} | {
        one.kind for one in UPDATES if not (isinstance(one.gate, Gate) and one.gate.staff)
    }
    assert {one.name for one in open_to_them - none_of_theirs} == set(HEARD)


async def test_who_acted_on_the_account_is_kept_out_but_not_of_another_trade(case_file: CaseFile, pool: "Pool") -> None:
    await pool.execute(
        'insert into tradelog.cancellations (cancellation, account, at, amount, currency, "order", decided_by)'
        " values ('X-1', '70012345', now(), 1, 'USD', 'O-1', 'h-1')"
    )
    _, any_trade = await opened_as(case_file, "1")
    _, that_trade = await opened_as(case_file, "2", trades=["O-1"])
    _, another = await opened_as(case_file, "3", trades=["O-2"])
    assert [list(one.kept_out.items()) for one in (any_trade, that_trade, another)] == [
        [("h-1", Why.ACTED)],
        [("h-1", Why.ACTED)],
        [],
    ]


async def test_who_decided_has_no_more_part_in_the_case_when_it_is_taken_up_again(
    case_file: CaseFile, pool: "Pool"
) -> None:
    reference, hands = await opened_as(case_file)
    decided = [
        noted("propose_resolution", 1, "handler:h-1", round=1),
        noted("decide_resolution", 2, "team_lead:l-1", round=1, decision="approve"),
    ]
    hands = await hands_after(case_file, updating(reference, 1, *decided, handler="h-1", stage="deciding"))
    assert hands.kept_out == {}
    responded = update(
        reference, 2, events=(occurred(CaseEvent.RESPONDED, 3),), summary=summary(2, handler="h-1", stage="responded")
    )
    await case_file.record(responded)
    back = updating(reference, 3, noted("stage", 4), handler="h-1", stage="deciding")
    hands = await hands_after(case_file, back)
    assert (hands.handler, hands.kept_out) == ("h-2", {"h-1": Why.DECIDED, "l-1": Why.DECIDED})
    escalated = updating(reference, 4, noted("escalation", 5), escalation_level=1, stage="deciding")
    assert (await hands_after(case_file, escalated)).handler == "c-1"  # the only team lead is kept out


async def test_who_decided_has_a_part_in_the_case_while_its_response_is_sent(case_file: CaseFile) -> None:
    reference, _ = await opened_as(case_file)
    decided = noted("propose_resolution", 1, "handler:h-1", round=1)
    await case_file.record(updating(reference, 5, decided, handler="h-1", stage="deciding"))
    entered = noted("stage", 2).model_copy(update={"text": "responded"})
    older = update(reference, 2, entries=(entered,), events=(occurred(CaseEvent.RESPONDED, 3),))
    await case_file.record(older)  # with the promise; the case has gone on, and writes its stage once more
    escalated = updating(reference, 6, noted("escalation", 5), handler="h-1", escalation_level=1, stage="deciding")
    assert (await hands_after(case_file, escalated)).kept_out == {}


async def test_who_decided_on_the_same_trade_in_another_case_is_kept_out_and_who_handled_another_keeps_the_customer(
    case_file: CaseFile,
) -> None:
    first, _ = await opened_as(case_file, "1", trades=["T-1"])
    await case_file.record(updating(first, 1, noted("propose_resolution", 1, "handler:h-1", round=1), handler="h-1"))
    _, same = await opened_as(case_file, "2", trades=["T-1"], received_at=RECEIVED_AT + timedelta(seconds=1))
    _, other = await opened_as(case_file, "3", trades=["T-2"], received_at=RECEIVED_AT + timedelta(seconds=2))
    assert (same.handler, same.kept_out) == ("h-2", {"h-1": Why.DECIDED})
    assert (other.kept_out, other.handler) == ({}, "h-2")  # who had the last case of this customer


async def test_who_decided_on_what_a_case_goes_on_from_is_kept_out_of_it_however_long_ago(
    case_file: CaseFile, pool: "Pool"
) -> None:
    async def close(reference: str) -> None:
        await pool.execute("update casefile.cases set closed_at = now(), revision = 9 where reference = $1", reference)

    first, _ = await opened_as(case_file, "1")
    await case_file.record(updating(first, 1, noted("propose_resolution", 1, "handler:h-1", round=1), handler="h-1"))
    await close(first)
    second, hands = await opened_as(case_file, "2", continues=first)
    assert (hands.handler, hands.kept_out) == ("h-2", {"h-1": Why.DECIDED})
    await case_file.record(updating(second, 1, noted("decide_resolution", 1, "team_lead:l-1", round=1), handler="h-2"))
    await close(second)
    _, hands = await opened_as(case_file, "3", continues=second)
    assert hands.kept_out == {"h-1": Why.DECIDED, "l-1": Why.DECIDED}
    _, others = await opened_as(case_file, "4", continues=second, account="70099999")  # not of that customer
    _, another = await opened_as(case_file, "5")
    assert (others.kept_out, another.kept_out) == ({}, {})


async def test_whom_the_customer_named_in_the_closed_case_is_kept_out_of_what_goes_on_from_it(
    case_file: CaseFile, pool: "Pool"
) -> None:
    first, _ = await opened_as(case_file, "1", description="Jane Doe did it.")
    said = noted("customer_reply", 1, "customer:customer", text="information")
    reply = said.model_copy(update={"data": {"text": "And l-1 looked on.", "intent": "information"}})
    await case_file.record(updating(first, 1, reply))
    await pool.execute("update casefile.cases set closed_at = now(), revision = 9 where reference = $1", first)
    _, hands = await opened_as(case_file, "2", continues=first)
    assert hands.kept_out == {"h-1": Why.NAMED, "l-1": Why.NAMED}
    _, others = await opened_as(case_file, "3", continues=first, account="70099999")
    assert others.kept_out == {}


async def test_only_a_declared_conflict_ends(case_file: CaseFile, pool: "Pool") -> None:
    reference, _ = await opened_as(case_file, description="Jane Doe did it.")
    taken_back = """
        insert into casefile.recusals (reference, person, why, about, last, at)
        values ($1, 'h-1', $2, 'complaint', current_date - 1, now())
    """
    for why in (Why.NAMED, Why.ACTED, Why.DECIDED):
        with pytest.raises(asyncpg.CheckViolationError):
            await pool.execute(taken_back, reference, why)
    await pool.execute(taken_back, reference, Why.DECLARED)


async def test_what_a_person_assigns_stands_unless_it_is_to_somebody_who_is_kept_out(
    case_file: CaseFile, pool: "Pool"
) -> None:
    reference, _ = await opened_as(case_file, description="Jane Doe did it.")
    given = updating(reference, 1, noted("assign", 1, "team_lead:l-1", handler="outside-1"), handler="outside-1")
    assert (await hands_after(case_file, given)).handler == "outside-1"
    wrong = updating(reference, 2, noted("assign", 2, "team_lead:l-1", handler="H-1"), handler="H-1")
    assert (await hands_after(case_file, wrong)).handler == "h-2"
    assert await handler_of(pool, reference) == "h-2"


async def test_where_nobody_is_left_nobody_has_it_until_somebody_comes(case_file: CaseFile, pool: "Pool") -> None:
    conflict = {"account": "70012345", "first": OPENED_AT.date(), "why": "family"}
    everybody = [{**one, "conflicts": [conflict]} for one in STAFF]
    await People(pool, signed).replace(directory(*everybody, teams=TEAMS), by=LEAD, at=OPENED_AT)
    reference, hands = await opened_as(case_file)
    assert hands.handler is None
    assert set(hands.kept_out.values()) == {Why.DECLARED}
    assert (await told(pool, reference, "assigned"))[0].startswith("nobody: ")
    planned = await pool.fetchval("select count(*) from casefile.deadlines where reference = $1", reference)
    assert planned  # the clocks run
    await People(pool, signed).replace(directory(*everybody, person("h-7"), teams=TEAMS), by=LEAD)
    assert (await hands_after(case_file, updating(reference, 1, noted("stage", 1)))).handler == "h-7"


async def test_open_cases_hear_of_who_left_came_or_declared_a_conflict_and_of_nothing_else(
    case_file: CaseFile, pool: "Pool"
) -> None:
    theirs, _ = await opened_as(case_file)
    by_hand, _ = await opened_as(case_file, "2", account="70099999")
    given = updating(by_hand, 1, noted("assign", 1, "team_lead:l-1", handler="h-3"), handler="h-3")
    assert (await hands_after(case_file, given)).handler == "h-3"
    outside, _ = await opened_as(case_file, "3", account="70088888")
    await hands_after(
        case_file, updating(outside, 1, noted("assign", 1, "team_lead:l-1", handler="out-1"), handler="out-1")
    )

    async def hear(*people: dict[str, Any]) -> set[str]:
        await pool.execute("delete from casefile.people_changes")
        await People(pool, signed).replace(directory(*people, teams=TEAMS), by=LEAD, at=OPENED_AT)
        return {row["reference"] for row in await pool.fetch("select reference from casefile.people_changes")}

    h1, h2, h3, *above = STAFF
    away = {"absences": [{"first": OPENED_AT.date(), "last": OPENED_AT.date()}], "capacity": 3}
    assert await hear(h1 | away, h2, h3, *above) == set()
    conflict = {"account": "70012345", "first": OPENED_AT.date(), "why": "family"}
    assert await hear(h1, h2, h3 | {"conflicts": [conflict]}, *above) == {theirs, by_hand}  # who has one, and theirs
    assert await hear(h1 | {"roles": ["approver"]}, h2, h3 | {"conflicts": [conflict]}, *above) == {theirs}
    assert await hear(h2, *above) == {theirs, by_hand}
    assert await hear(h2, person("h-7"), *above) == {outside}
    # Whoever has left has it no more, though a person gave it to them; whom the directory never had keeps it.
    for reference, who in ((theirs, "h-2"), (by_hand, "h-7"), (outside, "out-1")):
        again = updating(reference, 2, noted(PeopleChanged.name, 2, "system:redress"), handler=None)
        assert (await hands_after(case_file, again)).handler == who


async def test_a_case_that_is_given_to_somebody_while_they_leave_the_directory_hears_of_it(pool: "Pool") -> None:
    here, leaving = person("h-2", teams=TEAMS), person("h-1", teams=TEAMS, capacity=0)
    await People(pool, signed).replace(directory(here, leaving, teams=TEAMS), by=LEAD, at=OPENED_AT)
    reference, _ = await opened_as(keeping(pool))
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(f"select {LOCK_DIRECTORY}")
        await hand_over(
            connection, reference, find_pack("platform-default", OPENED_AT.date()), OPENED_AT
        )  # it has read who works here
        await connection.execute("update casefile.cases set handler = 'h-1' where reference = $1", reference)
        left = People(pool, signed).replace(directory(here, teams=TEAMS), by=LEAD, at=OPENED_AT)
        importing = asyncio.create_task(left)

        async def it_waits() -> bool:
            waiting = "select exists (select from pg_locks where locktype = 'advisory' and not granted)"
            return bool(importing.done() or await pool.fetchval(waiting))

        await eventually(it_waits)
    await importing
    assert await pool.fetchval("select reference from casefile.people_changes") == reference


async def test_words_raise_signs_once_and_danger_to_life_goes_before_all(case_file: CaseFile, pool: "Pool") -> None:
    reference, hands = await opened_as(case_file, description="I was hacked by a fraudster. I want to die.")
    assert hands.care.alarm
    replied = noted("customer_reply", 1).model_copy(update={"data": {"text": "My wife is in hospital."}})
    for _ in range(2):
        await case_file.record(updating(reference, 1, replied, handler=hands.handler))
    async with pool.acquire() as connection:
        changes = await sign_changes(connection, reference)
    assert [one.sign.kind for one in standing(changes)] == [
        SignKind.DANGER_TO_LIFE,
        SignKind.FRAUD,
        SignKind.VULNERABILITY,
    ]
    assert {one.by for one in changes} == {SYSTEM}
    assert Actor.named("system:redress") == SYSTEM
    timeline = await pool.fetch("select text, data from casefile.timeline where kind in ('assigned', 'kept_out')")
    assert "hospital" not in str(timeline)


async def test_replies_are_heard_by_whoever_gives_opinions_on_complaints(case_file: CaseFile, pool: "Pool") -> None:
    async def alarmed(text: str) -> Opinion:
        return Opinion(model="m-1", danger=1.0, alarm=text == "Adieu.")

    reference, hands = await opened_as(case_file, description="The charts freeze.")
    assert not hands.care.alarm
    replies = [noted("customer_reply", number, text=said) for number, said in enumerate(("Thanks.", "Adieu."), start=1)]
    replies = [one.model_copy(update={"data": {"text": one.text}}) for one in replies]
    await keeping(pool, listen=alarmed).record(updating(reference, 1, *replies, handler=hands.handler))
    async with pool.acquire() as connection:
        (heard,) = standing(await sign_changes(connection, reference))
    assert (heard.sign.kind, heard.sign.rests_on) == (SignKind.DANGER_TO_LIFE, ("the model m-1",))


def test_an_answer_that_comes_late_takes_the_case_from_nobody() -> None:
    request = opening("1")
    case = Case.received(request.reference, request.complaint, OPENED_AT)
    empty = updating(request.reference, 1)

    def answered(version: int, handler: str) -> str | None:
        has_recorded(case, empty, Recorded(hands=Hands(version=version, handler=handler)))
        return case.handler

    assert [answered(1, "h-1"), answered(3, "h-3"), answered(2, "h-2")] == ["h-1", "h-3", "h-3"]
    case.handler = "h-9"
    case.note(OPENED_AT, "assign", "assigned to h-9")  # the file has not heard of it yet
    assert answered(4, "h-3") == "h-9"
    case.entries = []
    assert answered(5, "h-9") == "h-9"


async def test_a_case_goes_to_nobody_who_lacks_the_course_that_its_pack_requires(pool: "Pool") -> None:
    rule = {"course": "complaints", "roles": ["handler"]}
    pack = PolicyPack.model_validate(find_pack("platform-default", OPENED_AT).model_dump() | {"training": [rule]})
    case_file = keeping(pool, packs={pack.id: (pack,)})
    trained = person("h-2", training=[{"course": "complaints", "first": OPENED_AT.date()}])
    await People(pool, signed).replace(directory(person("h-1"), trained, teams=TEAMS), by=LEAD, at=OPENED_AT)
    _, hands = await opened_as(case_file)
    assert hands.handler == "h-2"
