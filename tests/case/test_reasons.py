"""Reasons have a floor: nobody is refused with a word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.case.messages.deciding import ProposeResolution, ResolveEarly
from domain.case.reasons import HEADINGS, reasons_of
from tests.reasons import a_no

_WORDS = {
    "en": ("a refund of the fee", "the account's entries of March", "no fee was booked"),
    "zh-CN": ("要求退还手续费", "三月份的账户流水", "没有收取任何费用"),
}


def said(
    reasons: str, outcome: str = "not_upheld", kind: type[ProposeResolution | ResolveEarly] = ProposeResolution
) -> None:
    actor = {"id": "h-17", "role": "handler"}
    remedies = ["apology"]
    told = {"told": "She said so on the telephone."} if kind is ResolveEarly else {}
    kind.model_validate(
        {"message_id": "m", "actor": actor, "outcome": outcome, "remedies": remedies, "reasons": reasons, **told}
    )


@pytest.mark.parametrize("outcome", ["not_upheld", "partly_upheld"])
@pytest.mark.parametrize("kind", [ProposeResolution, ResolveEarly])
@pytest.mark.parametrize("language", list(_WORDS))
@given(left_out=st.sets(st.sampled_from([0, 1, 2])), word=st.sampled_from(["", "no", "No!", "no no", "不成立", "…"]))
def test_a_no_says_what_was_claimed_looked_at_and_found_or_hears_what_is_missing(
    outcome: str, kind: type[ProposeResolution], language: str, left_out: set[int], word: str
) -> None:
    claimed, looked_at, found = (word if at in left_out else text for at, text in enumerate(_WORDS[language]))
    reasons = reasons_of(claimed, looked_at, found)
    if not left_out:
        said(reasons, outcome, kind)
        return
    with pytest.raises(ValidationError) as refusal:
        said(reasons, outcome, kind)
    missing = ", ".join(name for at, name in enumerate(HEADINGS) if at in left_out)
    assert f"missing: {missing}" in str(refusal.value)


@pytest.mark.parametrize("reasons", ["No.", "Rejected", "不成立"])
def test_one_word_is_refused_whatever_the_outcome(reasons: str) -> None:
    with pytest.raises(ValidationError, match="missing: claimed, looked at, found"):
        said(reasons)
    with pytest.raises(ValidationError, match="one word is no reason"):
        said(reasons, "upheld")
    said("The fee was not told.", "upheld")


@pytest.mark.parametrize("told", ["", "Yes", "满意"])
def test_whoever_says_that_the_customer_regards_it_as_settled_says_how_they_said_so(told: str) -> None:
    early = {"message_id": "m", "actor": {"id": "h-17", "role": "handler"}, "outcome": "upheld", "reasons": "It is so."}
    assert ResolveEarly.model_validate({**early, "told": "On the telephone, on 3 March."})
    for said in ({}, {"told": told}):
        with pytest.raises(ValidationError, match="told"):
            ResolveEarly.model_validate(early | said)


@pytest.mark.parametrize("remedy", ["refund", "compensation"])
def test_no_letter_promises_money_without_a_sum(remedy: str) -> None:
    proposal = {
        "message_id": "m",
        "actor": {"id": "h-17", "role": "handler"},
        "outcome": "upheld",
        "reasons": "It is so.",
    }
    with pytest.raises(ValidationError, match=f"remedies: {remedy} is a sum"):
        ProposeResolution.model_validate({**proposal, "remedies": ["apology", remedy]})
    assert ProposeResolution.model_validate({**proposal, "remedies": [remedy], "as_found": True})


def test_the_same_words_three_times_say_nothing() -> None:
    with pytest.raises(ValidationError, match="the same words stand twice"):
        said(reasons_of("it is so", "It is so.", "as it was"))
    said(a_no())
