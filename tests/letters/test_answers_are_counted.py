"""What a complaint came to counts in reports from when the customer is told: long before they accept it, or do not."""

from decimal import Decimal

import pytest

from domain.case.file import CaseUpdate
from domain.ground.people import SYSTEM
from domain.ground.timeline import Entry
from domain.ground.words import LetterKind, Outcome, Stage
from domain.learning.monthly import report_of
from domain.learning.periods import Period
from domain.learning.tally import Tally
from record.facts import cases_up_to, cut_off
from runtime.causes import load_causes
from tests.letters.support import FULL_PACK as PACK
from tests.letters.support import NOW, REASONS, complaint, full_facts, letter, summary
from tests.letters.test_sending_letters import Office
from tests.letters.test_sending_letters import office as office  # noqa: PLC0414 (a fixture)
from tests.letters.test_sending_letters import receiver as receiver  # noqa: PLC0414 (a fixture)


async def outcome(office: Office) -> str | None:
    (case,) = [one async for one in cases_up_to(office.pool, await cut_off(office.pool))]
    return case.outcome


async def test_the_outcome_is_the_one_that_the_customer_was_told_last_until_the_file_is_closed(office: Office) -> None:
    await office.letters.send_letter(letter(LetterKind.PROGRESS, number=3))
    assert await outcome(office) is None
    for number, told in ((4, Outcome.NOT_UPHELD), (5, Outcome.PARTLY_UPHELD), (6, Outcome.UPHELD)):
        kind = LetterKind.OUTSIDE_DECISION if number == 6 else LetterKind.FINAL_RESPONSE
        facts = full_facts(outcome=told, reasons=REASONS)
        await office.letters.send_letter(letter(kind, facts=facts, number=number, revision=number))
        assert await outcome(office) == told
        await office.letters.send_letter(letter(LetterKind.PROGRESS, number=number + 10, revision=number))
        assert await outcome(office) == told
    ended = summary(revision=30, stage=Stage.CLOSED, outcome=Outcome.WITHDRAWN, closed_at=NOW)
    await office.case_file.record(CaseUpdate(reference=complaint().reference, policy_hash=PACK.hash, summary=ended))
    assert await outcome(office) == Outcome.WITHDRAWN


@pytest.mark.parametrize("asked", [True, False])
async def test_who_was_never_asked_how_satisfied_they_are_has_not_failed_to_answer(office: Office, asked: bool) -> None:
    async def satisfaction() -> list[tuple[str, *tuple[Decimal | None, ...]]]:
        tally = Tally(Period.of("month", NOW), load_causes())
        async for case in cases_up_to(office.pool, await cut_off(office.pool)):
            tally.count(case)
        rows = report_of(tally, 1).table("satisfaction").rows
        return [(row.name, *(one.value for one in row.figures)) for row in rows if row.figures[0].value]

    one = Decimal(1)
    ended = summary(revision=4, stage=Stage.CLOSED, outcome=Outcome.UPHELD, closed_at=NOW)
    update = CaseUpdate(reference=complaint().reference, policy_hash=PACK.hash, summary=ended)
    await office.letters.send_letter(letter(LetterKind.FINAL_RESPONSE, number=2))
    if asked:
        facts = full_facts(stage=Stage.FOLLOWING_UP)
        await office.letters.send_letter(
            letter(LetterKind.FEEDBACK_REQUEST, facts=facts, number=3, stage=Stage.FOLLOWING_UP)
        )
    await office.case_file.record(update)
    assert await satisfaction() == [("no_answer", one, one) if asked else ("not_asked", one, None)]
    said = Entry(
        key="record_feedback:10", at=NOW, kind="record_feedback", actor=str(SYSTEM), text="", data={"score": 2}
    )
    await office.case_file.record(update.model_copy(update={"entries": (said,)}))
    assert await satisfaction() == [("2", one, one)]
