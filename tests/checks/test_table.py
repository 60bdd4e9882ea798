"""A check has one row, and with it all that a check needs."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.checks.choice import checks_for, pointed_to
from domain.checks.facts import Given, LogFacts
from domain.checks.findings import Check, Verdict
from domain.checks.table import CHECKS
from domain.checks.tolerances import Tolerances
from domain.ground.phrases import listed
from domain.ground.words import Category
from runtime.policies import load_packs

GIVEN = Given(tolerances=Tolerances(), as_of=datetime(2026, 3, 2, tzinfo=UTC))
INVESTIGATIONS = (Path(__file__).resolve().parents[2] / "docs" / "investigations.md").read_text("utf-8")


def test_every_check_has_a_row() -> None:
    assert set(CHECKS) == set(Check)


@pytest.mark.parametrize("check", Check)
def test_a_check_answers_as_itself_guesses_nothing_and_names_the_version_of_its_formula(check: Check) -> None:
    row = CHECKS[check]
    finding = row.run("1", LogFacts(), GIVEN)
    assert (finding.check, finding.subject) == (check, "1")
    assert finding.verdict in {Verdict.INCONCLUSIVE, Verdict.NO_FAULT}
    assert finding.harm is None or not finding.harm.amount
    assert finding.reason.en
    assert finding.reason.zh
    assert "@" in row.formula


@pytest.mark.parametrize("check", Check)
def test_a_check_is_reached_by_the_words_of_a_complaint_in_both_languages_or_by_its_category(check: Check) -> None:
    words = listed(CHECKS[check].words) if CHECKS[check].words else []
    assert [word for word in words if check not in pointed_to(word)] == []
    reached = {any(word.isascii() is english for word in words) for english in (True, False)}
    of_a_category = {one for checks in load_packs()["platform-default"][-1].checks.values() for one in checks}
    assert reached == {True} or check in of_a_category or check is Check.ENTRIES, "that is for what nothing points to"


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (Check.FEES, "I was told the inactivity fee is 30 dollars a month, and you charged me 80."),
        (Check.FEES, "The price list says 5, my statement says 12."),
        (Check.FEES, "You never said there was a monthly charge for not trading."),
        (Check.FEES, "The maintenance fee was charged twice for October."),
        (Check.FEES, "貴公司告知閒置費為30美元，卻扣了80美元。"),
        (Check.FEES, "公示的是五块，扣了我十二块。"),
        (Check.FEES, "账户管理费多收了50美元，请退还。"),
        (Check.FEES, "You said 30 and took 80."),
        (Check.FEES, "They charged me $80. I was told thirty."),
        (Check.FEES, "You took 80.50 instead of 30.50!"),
        (Check.FEES, "说好三十收了八十"),
        (Check.FEES, "收了我八十塊，說好的是三十"),
        (Check.BINARY_OPTION, "Option 77 was wrong."),
        (Check.BINARY_OPTION, "期权77结错了"),
        (Check.ENTRIES, "80 is missing."),
        (Check.ENTRIES, "少了八十块"),
        (Check.VERIFICATION, "You asked for a copy of my passport three times."),
        (Check.VERIFICATION, "证件交了三遍还说不清楚，钱也动不了。"),
        (Check.PROMISE, "Your manager told me in the chat that I cannot lose capital."),
        (Check.PROMISE, "Your agent said in the chat that my fee would be waived."),
        (Check.PROMISE, "经理说绝对不会亏，聊天记录都在。"),
    ],
)
def test_what_was_told_is_looked_for_however_it_is_said(check: Check, text: str) -> None:
    assert check in pointed_to(text)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("You charged me too much swap on my gold position.", {Check.CHARGES, Check.FEES}),
        ("You overcharged me on position P1.", {Check.FEES}),
        ("I was never told of this fee.", {Check.FEES}),
        ("持仓 P1 的隔夜利息多收了。", {Check.CHARGES, Check.FEES}),
        ("收费未告知。", {Check.FEES}),
        ("This product was unsuitable for me.", {Check.SUITABILITY}),
        ("I was never told of the risks.", {Check.SUITABILITY}),
        ("你们没有告知风险。", {Check.SUITABILITY}),
        ("My take profit at 2660 was not set off although the price was 2662.", set()),
    ],
)
def test_who_complains_of_a_fee_does_not_ask_to_give_the_trade_back(text: str, asked: set[Check]) -> None:
    assert set(pointed_to(text)) & {Check.CHARGES, Check.FEES, Check.SUITABILITY} == asked


@pytest.mark.parametrize(
    "text",
    [
        "You said 3 days and it took 10 days.",
        "说好三天到账，等了十天",
        "This is shameful: 12 calls, 3 letters, 2 years.",
        "I called on 3 March at 10:15 and nobody answered.",
        "2026-03-02 10:00 it broke",
        "Nobody answers.",
    ],
)
def test_a_number_that_is_no_sum_points_to_nothing(text: str) -> None:
    assert pointed_to(text) == ()


WORD: Final = st.sampled_from(
    ["said", "took", "not", "charged", "30", "80", "三十", "八十", "说", "收", "days", ".", ",", "option", "77", "and"]
)


@given(st.lists(WORD, max_size=400))
def test_sums_are_compared_the_same_wherever_the_text_goes_on_and_what_tells_of_them_stays_alone(
    words: list[str],
) -> None:
    pointed = pointed_to(" ".join(words))
    assert Check.ENTRIES not in pointed or pointed == (Check.ENTRIES,)
    assert Check.FEES not in pointed or Check.FEES in pointed_to(" ".join([*words, ". Nobody answers."]))
    for category in Category:
        asked = checks_for(category, {Category.EXECUTION: (Check.EXECUTION,)}, pointed)
        assert Check.ENTRIES not in asked or asked == (Check.ENTRIES,)
    assert checks_for(Category.OTHER, {Category.EXECUTION: (Check.EXECUTION,)}, pointed_to("You said 30, took 80."))


@pytest.mark.parametrize("check", Check)
def test_the_documentation_tells_what_a_check_asks(check: Check) -> None:
    table = [line for line in INVESTIGATIONS.splitlines() if line.startswith((f"| `{check}` |", f"| [`{check}`]"))]
    assert table, f"docs/investigations.md has no line that begins with | `{check}` |"
