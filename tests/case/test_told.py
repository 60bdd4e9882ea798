"""What a complaint says in its own words is not asked for again."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.case.questions import ask_for
from domain.case.told import Told, told_in
from domain.checks.choice import numbers_in
from domain.checks.findings import Verdict
from domain.ground.words import Category
from tests.case.test_resolution import case, finding

_NUMBERS = st.from_regex(r"[1-9][0-9]{4,9}", fullmatch=True) | st.from_regex(r"[A-Z]{1,3}-?[0-9]{3,8}", fullmatch=True)
_WAYS = {
    Told.ACCOUNT: (
        "my account {}",
        "Account no. {}",
        "account number is {}",
        "acct #{}",
        "MT5 login: {}",
        "{} is my trading account",
        "我的账户{}",
        "账号：{}",
        "交易帳號是 {}",
        "{}这个账户",
    ),
    Told.TRADE: (
        "order {}",
        "Order No.{}",
        "position #{}",
        "ticket number {}",
        "my trade with the id {}",
        "binary option {}",
        "订单{}",
        "訂單號：{}",
        "单号是{}",
        "持仓编号 {}",
        "{}号订单",
        "二元期权{}",
    ),
}
_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d %B %Y", "on %B %d", "%Y年%m月%d日", "%m月%d號", "%d/%m/%y")
_FILLERS = ("It was badly filled.", "成交价很差。", "The fill of my gold was worse than quoted.", "滑点严重，请赔偿。")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Binary option 771 was settled at a wrong price.", "771"),
        ("It was option no. 9.", "9"),
        ("My option #12, and no other.", "12"),
        ("期权77结算错误。", "77"),
        ("二元期權編號：17，到期價不對。", "17"),
        ("I lost 3 options of 200 dollars.", None),
        ("The option paid 80 % instead of 85 %.", None),
        ("An option 80% in the money.", None),
        ("An option 60 seconds long.", None),
        ("期权5分钟就到期。", None),
        ("期权200美元全没了。", None),
        ("Option 1,000 dollars", None),
    ],
)
def test_a_short_number_counts_right_behind_an_option_alone(text: str, number: str | None) -> None:
    assert numbers_in(text) == ((number,) if number else ())
    assert (Told.TRADE in told_in(text)) is (number is not None)


@settings(max_examples=60)
@given(st.data())
def test_what_the_complaint_says_in_either_language_is_not_asked_for(data: st.DataObject) -> None:
    known = {fact: data.draw(st.sampled_from(ways)).format(data.draw(_NUMBERS)) for fact, ways in _WAYS.items()}
    day = data.draw(st.datetimes(datetime(2001, 1, 1), datetime(2039, 1, 1)))  # noqa: DTZ001 (told without a zone)
    known[Told.TIME] = day.strftime(data.draw(st.sampled_from(_DATES)))
    told = data.draw(st.sets(st.sampled_from(Told)))
    parts = data.draw(st.permutations([*(known[fact] for fact in told), data.draw(st.sampled_from(_FILLERS))]))
    text = data.draw(st.sampled_from(("{}", "  {}\n", "Sir,\n{}"))).format("; ".join(parts))
    assert set(told_in(text)) == told, text
    if Told.TRADE in told:
        number = known[Told.TRADE]
        assert set(numbers_in(number)) <= set(numbers_in(text)) != set()
    of = case(
        finding(Verdict.INCONCLUSIVE, missing=("number of the order or position, or the exact time of the trade",)),
        description=text,
        trades=[],
    )
    assert of.assessment is not None
    of.assessment = of.assessment.model_copy(update={"category": Category.EXECUTION})
    of.account, of.told = None, told_in(text)
    asked = ask_for(of) or ""
    assert ("Which trading account" in asked) is (Told.ACCOUNT not in told)
    assert ("Which order" in asked) is (Told.TRADE not in told)
    if Told.TIME in told or Told.TRADE in told:
        assert "When did it happen" not in asked


@pytest.mark.parametrize(
    "text",
    [
        "I ordered 2000 USD of gold and my position of 5000 ounces was closed.",
        "成交 5000 美元，持仓 2000 手。",
        "In 2023 the price was 1935.20 and 1936.",
        "My account: 12345.67 is missing. 账户 3000.50 的差额。",
        "Your account manager called at 1000 o'clock.",
        "",
    ],
)
def test_sums_and_prices_are_no_numbers_of_accounts_and_trades(text: str) -> None:
    assert told_in(text) == ()


def test_a_text_that_repeats_what_stands_between_word_and_number_does_not_take_long() -> None:
    assert told_in("order " + "号码 number is " * 1_400 + "x") == ()


def test_a_number_of_several_pieces_is_found_whole_and_a_date_is_none() -> None:
    found = numbers_in("2026-03-02，二元期权编号：OPT2024-00017到期价不对；also live-2:70012345:9001")
    assert {"OPT2024-00017", "live-2:70012345:9001"} <= set(found)
    assert "2026-03-02" not in found
