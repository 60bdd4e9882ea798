"""Whoever names an account may be a stranger: until it is known who complains, letters tell nothing of the account."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError

from domain.ground.words import LetterKind, Outcome
from domain.letters.kinds import LETTERS
from domain.letters.letter import untold
from tests.letters.support import REASONS, complaint, full_facts, letter, written

TO_CUSTOMERS = [kind for kind, row in LETTERS.items() if not row.to_staff]
OF_THE_ACCOUNT = ("3,165.81", "3165.81", "2,165.81", "1,000.00", "4,000", "1920.96", "O-1001", "1001", "01:30", "09:30")
"""Amounts, trades, the time and a finding: some of them the complaint says, and all of them the facts have."""


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("kind", TO_CUSTOMERS)
def test_a_letter_to_a_possible_stranger_tells_no_amount_trade_date_or_finding_or_is_not_written(
    kind: LetterKind, language: str
) -> None:
    request = letter(kind, language=language, facts=full_facts(reasons=REASONS))
    if LETTERS[kind].discloses:
        with pytest.raises(ApplicationError, match="redress customer verify RD-"):
            written(request, verified=False)
        return
    said = " ".join(written(request, verified=False))
    assert not [one for one in OF_THE_ACCOUNT if one in said]


@pytest.mark.parametrize(("language", "asks"), [("en", "show us who you are"), ("zh-CN", "请您先证明身份")])
def test_the_acknowledgement_asks_a_possible_stranger_for_proof_and_nobody_else(language: str, asks: str) -> None:
    for verified in (True, False):
        subject, body = written(letter(language=language), verified=verified)
        assert complaint().reference in subject
        assert (asks in body) is not verified


def test_a_person_may_refuse_a_stranger_in_words_of_their_own() -> None:
    facts = full_facts(
        reasons="You have not shown that the account is yours.",
        outcome=Outcome.NOT_UPHELD,
        findings=(),
        compensation=None,
        remedies=(),
    )
    _, body = written(letter(LetterKind.FINAL_RESPONSE, facts=facts), verified=False)
    assert "You have not shown that the account is yours." in body


@given(
    said=st.lists(st.integers(0, 10**9), max_size=4),
    more=st.lists(st.integers(0, 10**9), max_size=3),
    form=st.sampled_from(["{}", "{:,}", "{}.00", "P-{}", "（{}元）"]),
)
def test_no_number_that_the_complaint_did_not_say_passes_in_a_persons_words(
    said: list[int], more: list[int], form: str
) -> None:
    complaint = "I lost " + " and ".join(f"{number:,}" for number in said)
    words = "; ".join(form.format(number) for number in [*said, *more])
    new = {number for number in more if number >= 10} - set(said)
    assert bool(untold(words, complaint)) is bool(new)
    assert not untold("Show us who you are: 1 document of 2 is enough.", complaint)
