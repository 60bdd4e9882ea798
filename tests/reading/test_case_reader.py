"""Reading the case file: lists that can be filtered, and every page of a case."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from activities.case.case_file import CaseFile
from domain.case.file import Rejected
from domain.clocks.deadlines import Firing
from domain.ground.base import Record
from domain.ground.words import CaseEvent, Category, Stage
from domain.speech.proposing import Opinion, Proposal
from starter.reading.cases import get_case, get_letters, get_rejected, get_timeline, list_cases
from starter.reading.database import CaseNotFound
from starter.reading.deadlines import get_deadlines
from starter.reading.dossier import last_proposal
from starter.reading.labelled import closed_complaints
from tests.case.support import (
    OPENED_AT,
    RECEIVED_AT,
    after,
    complaint,
    decided,
    entry,
    keeping,
    occurred,
    opened,
    summary,
    update,
    usd,
)

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

DUE = RECEIVED_AT + timedelta(hours=24)


@pytest.fixture
def case_file(pool: "Pool") -> CaseFile:
    return keeping(pool)


async def case(case_file: CaseFile, key: str, hours: int, **changes: Any) -> str:
    """A case received some hours before the others, with a summary of its own."""
    reference = await opened(case_file, key, received_at=RECEIVED_AT - timedelta(hours=hours))
    await case_file.record(update(reference, summary=summary(1, **changes)))
    return reference


# -- lists -------------------------------------------------------------------------------------------------------------


async def test_cases_are_listed_the_last_received_first_and_page_by_page(pool: "Pool", case_file: CaseFile) -> None:
    references = [await case(case_file, str(hours), hours) for hours in range(5)]
    assert [listed.reference for listed in await list_cases(pool)] == references
    assert [listed.reference for listed in await list_cases(pool, limit=2, offset=2)] == references[2:4]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"stage": Stage.DECIDING}, {"a"}),
        ({"category": Category.WITHDRAWAL}, {"b", "c"}),
        ({"handler": "h-2"}, {"b"}),
        ({"team": "payments"}, {"b", "c"}),
        ({"team": "payments", "handler": "h-3"}, {"c"}),
        ({"team": "payments", "stage": Stage.DECIDING}, set()),
        ({}, {"a", "b", "c"}),
    ],
)
async def test_every_filter_given_must_fit(
    pool: "Pool", case_file: CaseFile, filters: dict[str, Any], found: set[str]
) -> None:
    references = {
        "a": await case(case_file, "a", 1, stage="deciding", handler="h-1"),
        "b": await case(case_file, "b", 2, category="withdrawal", team="payments", handler="h-2"),
        "c": await case(case_file, "c", 3, category="withdrawal", team="payments", handler="h-3"),
    }
    listed = await list_cases(pool, **filters)
    assert {one.reference for one in listed} == {references[key] for key in found}


async def test_a_case_is_overdue_from_a_missed_duty_until_it_is_done(pool: "Pool", case_file: CaseFile) -> None:
    reference = await opened(case_file)
    just_before, just_after = DUE, DUE + timedelta(seconds=1)
    assert await overdue(pool, just_before) == set()
    assert await overdue(pool, just_after) == {reference}
    await case_file.record(update(reference, events=(occurred(CaseEvent.ACKNOWLEDGED, 2, minutes=60 * 30),)))
    assert await overdue(pool, just_after) == set()
    assert await overdue(pool, RECEIVED_AT + timedelta(days=30)) == {reference}


async def test_waiting_for_the_customer_is_not_overdue_and_neither_is_what_is_closed(
    pool: "Pool", case_file: CaseFile
) -> None:
    reference = await opened(case_file)
    done = (CaseEvent.ACKNOWLEDGED, CaseEvent.CONTACTED, CaseEvent.RESPONDED)
    await case_file.record(update(reference, events=tuple(occurred(event, 2) for event in done)))
    assert await overdue(pool, after(60 * 24 * 365)) == set()
    other = await opened(case_file, "2")
    await case_file.record(update(other, summary=summary(1, stage="closed", closed_at=after(5))))
    assert await overdue(pool, after(60 * 24 * 365)) == set()


async def overdue(pool: "Pool", at: Any) -> set[str]:
    found = {listed.reference for listed in await list_cases(pool, overdue=True, at=at)}
    shown = {listed.reference for listed in await list_cases(pool, at=at) if listed.overdue}
    others = {listed.reference for listed in await list_cases(pool, overdue=False, at=at) if listed.overdue}
    assert found == shown
    assert not others
    return found


# -- one case ----------------------------------------------------------------------------------------------------------


async def test_a_case_is_shown_with_its_complaint_pack_contact_and_counts(pool: "Pool", case_file: CaseFile) -> None:
    reference = await opened(case_file)
    rejected = Rejected(key="r", at=after(1), name="x", reason="no such signal", payload="[]")
    told = summary(4, outcome="upheld", compensation=usd("812.50"))
    await case_file.record(update(reference, summary=told, rejected=(rejected,)))
    await letter(pool, reference, 2, "failed", "accepted")
    await letter(pool, reference, 3, "failed")
    shown = await get_case(pool, reference)
    assert shown.complaint == complaint()
    # The next deadline comes from the ledger, which may be younger than the summary.
    due = await pool.fetchval("SELECT min(due) FROM casefile.deadlines WHERE reference = $1", reference)
    assert shown.summary == told.model_copy(update={"next_deadline": due})
    assert (shown.policy, shown.policy_version) == ("platform-default", "2026.1")
    assert (shown.received_at, shown.opened_at) == (RECEIVED_AT, OPENED_AT)
    assert (shown.contact.name, shown.contact.email) == ("A Customer", "customer@example.com")
    assert (shown.letters, shown.letters_accepted, shown.rejected_messages) == (2, 1, 1)


async def test_the_timeline_is_in_the_order_of_what_happened(pool: "Pool", case_file: CaseFile) -> None:
    reference = await opened(case_file)
    late = entry("late").model_copy(update={"at": after(9)})
    await case_file.record(update(reference, 1, entries=(late,)))
    await case_file.record(update(reference, 2, entries=(entry("early", finding={"harm": "12.50"}),)))
    timeline = await get_timeline(pool, reference)
    assert [line.key for line in timeline] == ["received", "assessed", "identified", "early", "late"]
    assert timeline[3] == entry("early", finding={"harm": "12.50"})


def test_of_a_decision_that_was_put_aside_before_its_letter_nobody_reads_that_it_stands() -> None:
    told = decided(1, usd("300"))
    aside = entry("set_aside:9", "before the response: others pay it").model_copy(update={"kind": "set_aside"})
    decisions = [proposal.decision for proposal in map(last_proposal, (told, [*told, aside])) if proposal]
    assert decisions == ["decide_resolution by executive:e-1", "set aside before the response: others pay it"]


async def test_what_a_model_says_stands_in_the_record_and_closed_cases_can_be_learned_from(pool: "Pool") -> None:
    said = Opinion(
        model="m-1", proposal=Proposal(category=Category.CARD, confidence=0.8, model="m-1"), danger=0.9, alarm=True
    )

    async def listen(text: str) -> Opinion:
        assert text == "A word\n\nThe plastic is somewhere else."
        return said

    case_file = keeping(pool, listen=listen)
    reference = await opened(
        case_file, subject="A word", description="The plastic is somewhere else.", trades=(), product=None
    )
    (assessed,) = [line for line in await get_timeline(pool, reference) if line.kind == "assessed"]
    assert "proposed by a model: card (80%)" in assessed.text
    assert assessed.data["severity"] == "critical"
    heard = await pool.fetchval("select sign from casefile.signs where reference = $1", reference)
    assert heard["kind"] == "danger_to_life"
    assert await closed_complaints(pool) == []
    await case_file.record(update(reference, summary=summary(1, stage="closed", closed_at=after(5), category="card")))
    (learned,) = await closed_complaints(pool)
    assert (learned.reference, learned.category) == (reference, Category.CARD)
    assert learned.text == "A word\n\nThe plastic is somewhere else."


async def test_letters_come_with_every_attempt(pool: "Pool", case_file: CaseFile) -> None:
    reference = await opened(case_file)
    await letter(pool, reference, 3)
    await letter(pool, reference, 2, "failed", "refused", "accepted")
    first, second = await get_letters(pool, reference)
    assert (first.number, [attempt.outcome for attempt in first.attempts]) == (2, ["failed", "refused", "accepted"])
    assert (second.number, second.attempts, second.recipient) == (3, (), None)


async def test_the_deadline_ledger_says_what_was_kept_and_what_was_missed(pool: "Pool", case_file: CaseFile) -> None:
    reference = await opened(case_file)
    late = Firing(clock="acknowledgement", number=1, rung="due", due=DUE, fired_at=DUE, breach=True)
    warned = late.model_copy(update={"rung": "warning", "breach": False})
    await case_file.record(update(reference, firings=(warned, late)))
    assert (await kept(pool, reference))["acknowledgement:1:due"] is False
    events = (CaseEvent.ACKNOWLEDGED, CaseEvent.CONTACTED)
    await case_file.record(update(reference, events=tuple(occurred(event, 2, minutes=60 * 25) for event in events)))
    assert await kept(pool, reference) == {
        "acknowledgement:1:warning": None,
        "acknowledgement:1:due": False,
        "response:1:warning": None,
        "response:1:due": None,
        "progress:2:due": None,
    }
    await case_file.record(update(reference, events=(occurred(CaseEvent.RESPONDED, 3),)))
    assert (await kept(pool, reference))["response:1:due"] is True


async def test_a_duty_done_late_is_not_kept_even_if_no_breach_was_written(pool: "Pool", case_file: CaseFile) -> None:
    reference = await opened(case_file)
    await case_file.record(update(reference, events=(occurred(CaseEvent.ACKNOWLEDGED, 2, minutes=60 * 25),)))
    assert (await kept(pool, reference))["acknowledgement:1:due"] is False


async def kept(pool: "Pool", reference: str) -> dict[str, Any]:
    return {row.key: row.kept for row in await get_deadlines(pool, reference)}


async def test_rejected_messages_are_read_as_they_were_kept(pool: "Pool", case_file: CaseFile) -> None:
    reference = await opened(case_file)
    rejected = Rejected(key="r", at=after(1), name="x", reason="no such signal", payload='[{"a": 1}]')
    await case_file.record(update(reference, rejected=(rejected,)))
    assert await get_rejected(pool, reference) == [rejected]


READERS = [
    get_case,
    get_timeline,
    get_letters,
    get_deadlines,
    get_rejected,
]


@pytest.mark.parametrize("read", READERS)
async def test_a_case_that_does_not_exist_is_named(pool: "Pool", read: Any) -> None:
    with pytest.raises(CaseNotFound, match="there is no case RD-2222-2222-22222"):
        await read(pool, "RD-2222-2222-22222")


@pytest.mark.parametrize("read", READERS)
async def test_every_answer_is_plain_json(pool: "Pool", case_file: CaseFile, read: Any) -> None:
    reference = await opened(case_file)
    await letter(pool, reference, 2, "accepted")
    answer = await read(pool, reference)
    answers: list[Record] = answer if isinstance(answer, list) else [answer]
    assert json.loads(json.dumps([one.model_dump(mode="json") for one in answers])) is not None


async def letter(pool: "Pool", reference: str, number: int, *outcomes: str) -> None:
    key = f"{reference}:letter:{number}"
    await pool.execute(
        "INSERT INTO casefile.letters VALUES ($1, $2, $3, 'progress', 'en', NULL, 'subject', 'body', $1, $4)",
        key,
        reference,
        number,
        after(number),
    )
    for attempt, outcome in enumerate(outcomes):
        await pool.execute(
            "INSERT INTO casefile.letter_attempts (key, at, channel, outcome) VALUES ($1, $2, 'smtp', $3)",
            key,
            after(number + attempt),
            outcome,
        )
