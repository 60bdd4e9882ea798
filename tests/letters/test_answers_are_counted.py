"""What a complaint came to counts in reports from when the customer is told: long before they accept it, or do not."""

from domain.case.file import CaseUpdate
from domain.ground.words import LetterKind, Outcome, Stage
from record.facts import cases_up_to, cut_off
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
