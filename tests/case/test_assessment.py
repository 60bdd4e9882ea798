"""The assessment: which words decide what, in both languages, and what must hold whatever somebody writes."""

import time
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.case import assessment_rules as rules
from domain.case.assessment import Assessment, assess, reassess
from domain.case.complaint import Channel, Complaint
from domain.case.hearing import signs_heard
from domain.ground.base import LONG_TEXT, SHORT_TEXT
from domain.ground.phrases import PhraseBook, Pieces, listed
from domain.ground.words import Category, Priority, Severity, SignKind
from domain.rules.deciding import Team
from domain.rules.policy import PolicyPack
from domain.speech.proposing import Opinion, Proposal
from runtime.corpus import model
from runtime.policies import find_pack

C = Category
LOW, MEDIUM, HIGH, CRITICAL = Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL

PACK = find_pack("platform-default", date(2026, 3, 2)).model_copy(
    update={
        "own_names": ("Example Bullion Ltd.", "示例金业有限公司"),
        "teams": (
            Team(name="dealing", categories=(C.EXECUTION,)),
            Team(name="payments", categories=(C.WITHDRAWAL, C.DEPOSIT, C.PAYMENT)),
            Team(name="front-office"),
        ),
    }
)


def complaint(description: str, **more: Any) -> Complaint:
    return Complaint(
        **{
            "source": "web",
            "idempotency_key": "1",
            "received_at": datetime(2026, 3, 2, tzinfo=UTC),
            "channel": "web",
            "language": "en",
            "complainant": {"name": "The complainant"},
            "description": description,
            **more,
        }
    )


def assessed(
    description: str,
    *,
    earlier_cases: int = 0,
    pack: PolicyPack = PACK,
    opinion: Opinion | None = None,
    **more: Any,
) -> Assessment:
    return assess(complaint(description, **more), pack, earlier=tuple(C) if earlier_cases else (), opinion=opinion)


def proposing(category: Category | None, **more: Any) -> Opinion:
    proposal = Proposal(category=category, confidence=0.8, model="m-1") if category else None
    return Opinion(model="m-1", proposal=proposal, **more)


def grounds(assessment: Assessment) -> dict[str, tuple[str, ...]]:
    return {ground.rule: ground.words for ground in assessment.grounds}


# -- what a model says -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("Trading against the Fed is suicide, I know.", False),
        ("Trading is suicide for me. I am suicidal and I shall kill myself.", True),
        ("我在药店刷卡买安眠药被重复扣款。", False),
        ("我想自杀，遗书都写好了。", True),
    ],
)
def test_one_word_of_danger_alone_counts_for_nothing_where_a_model_is_sure_that_there_is_none(
    text: str, counts: bool
) -> None:
    assert assessed(text).severity is Severity.CRITICAL
    heard = assessed(text, opinion=proposing(None, danger=0.01, harmless=True))
    assert (heard.severity is Severity.CRITICAL) is counts
    assert ("not counted: danger to life, which the model m-1 hears nowhere" in grounds(heard)) is not counts
    for harmless in (True, False):
        kinds = {sign.kind for sign in signs_heard(text, opinion=proposing(None, danger=0.01, harmless=harmless))}
        assert (SignKind.DANGER_TO_LIFE in kinds) is (counts or not harmless)


@pytest.mark.parametrize(
    ("text", "proposed", "category", "stands"),
    [
        ("Something happened.", C.CARD, C.OTHER, True),
        ("I was charged a fee.", C.CARD, C.OTHER, True),
        ("I was charged a fee.", C.FEE, C.FEE, False),
        ("I was charged a fee.", None, C.FEE, False),
        ("Slippage, a requote and a bad tick.", C.CARD, C.EXECUTION, False),
        ("A fee and a commission.", C.CARD, C.OTHER, True),  # five points
        ("An inactivity fee and a commission.", C.CARD, C.FEE, False),  # six, which is beyond doubt
    ],
)
def test_a_model_proposes_where_words_are_few_and_decides_nothing(
    text: str, proposed: Category | None, category: Category, stands: bool
) -> None:
    assessment = assessed(text, opinion=proposing(proposed))
    assert (assessment.category, assessment.team) == (category, PACK.team_for(category))
    assert (assessment.proposal is not None) is stands
    assert reassess(assessment, PACK, severity=HIGH, by="handler:h-1").proposal == assessment.proposal


def test_words_that_a_model_doubts_are_told() -> None:
    doubted = assessed("I was charged a fee.", opinion=proposing(C.CARD))
    assert "fee" in " ".join(grounds(doubted)["category other: few words for fee, which a model doubts"])


def test_of_service_alone_any_number_of_words_is_doubted() -> None:
    text = "No reply, nobody answers, and the man on the hotline was rude."
    assert assessed(text, opinion=proposing(C.SERVICE)).category is C.SERVICE
    assert assessed(text, opinion=proposing(C.CARD)).category is C.OTHER


@pytest.mark.parametrize(
    "text", ["平台无故冻结我的账户，两周登录不上。", "出金两周没有到账。", "My payout is two weeks late."]
)
@pytest.mark.parametrize("aside", ["再不解决我就去死。", "I shall kill myself.", "客服一直不回复。", "Nobody answers."])
def test_a_cry_for_help_or_silence_beside_a_matter_moves_it_with_the_model_either(text: str, aside: str) -> None:
    def decided(said: str) -> Category:
        return assessed(said, opinion=model().listen(said)).category

    assert decided(text + " " + aside) is decided(text) is not C.OTHER


def test_trades_that_are_named_are_doubted_by_no_model() -> None:
    assert assessed("It went wrong.", trades=("T-1",), opinion=proposing(C.CARD)).category is C.EXECUTION
    assert assessed("I was charged a fee.", trades=("T-1",), opinion=proposing(C.CARD)).category is C.FEE


def test_danger_to_life_that_a_model_hears_makes_critical_and_is_told() -> None:
    alarmed = assessed("The cat is with a friend now.", opinion=proposing(None, danger=0.9, alarm=True))
    assert (alarmed.severity, alarmed.priority) == (CRITICAL, Priority.P1)
    heard = "severity critical: danger to life, as the model m-1 hears it"
    assert heard in grounds(alarmed)
    much = {"amount": "900000", "currency": "USD"}
    both = assessed("It went wrong.", amount_claimed=much, opinion=proposing(None, danger=0.9, alarm=True))
    assert {heard, "severity high: amount claimed"} <= set(grounds(both)), "what else was heard is told too"
    assert assessed("The cat is with a friend now.", opinion=proposing(None, danger=0.4)).severity is LOW


# -- category ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("My stop loss was triggered by a bad tick.", C.EXECUTION),
        ("Order 5 was filled at 1931.20 although I saw 1930.", C.EXECUTION),
        ("Five dollars of slippage on a market order!", C.EXECUTION),
        ("I was STOPPED OUT while the spread widened to 3 dollars", C.EXECUTION),
        ("My position was liquidated without a margin call.", C.EXECUTION),
        ("You cancelled my trades after I had won.", C.EXECUTION),
        ("The take-profit was never executed", C.EXECUTION),
        ("严重滑点，止损没有按价格成交", C.EXECUTION),
        ("半夜插针导致爆仓", C.EXECUTION),
        ("平台强平了我的多单", C.EXECUTION),
        ("点差突然扩大到三美元", C.EXECUTION),
        ("报价异常，和国际金价差很多", C.EXECUTION),
        ("无法平仓，眼看着亏损", C.EXECUTION),
        ("爆倉之後客服不理", C.EXECUTION),
        ("My withdrawal is pending for nine days.", C.WITHDRAWAL),
        ("I cannot withdraw.", C.WITHDRAWAL),
        ("withdrew 500 and nothing came", C.WITHDRAWAL),
        ("申请提现三天没有处理", C.WITHDRAWAL),
        ("出金一直被拒绝", C.WITHDRAWAL),
        ("取款要等多久", C.WITHDRAWAL),
        ("平台不让提款", C.WITHDRAWAL),
        ("My deposit has not arrived.", C.DEPOSIT),
        ("I topped up 200 and the balance is unchanged", C.DEPOSIT),
        ("入金两天未到账", C.DEPOSIT),
        ("充值没有到账", C.DEPOSIT),
        ("I was overcharged: an inactivity fee nobody told me of.", C.FEE),
        ("The overnight interest is wrong", C.FEE),
        ("会员费自动扣费，要求退还", C.FEE),
        ("多收担保费和利息", C.FEE),
        ("隔夜利息算错了", C.FEE),
        ("The app crashed and I could not log in", C.PLATFORM),
        ("Your server was down all morning.", C.PLATFORM),
        ("软件闪退，无法登录", C.PLATFORM),
        ("系统崩溃，一直卡顿", C.PLATFORM),
        ("You froze my account", C.ACCOUNT),
        ("My account was closed without notice", C.ACCOUNT),
        ("账户被冻结，要求解冻", C.ACCOUNT),
        ("开户审核不通过", C.ACCOUNT),
        ("My adviser promised a guaranteed return and misled me.", C.CONDUCT),
        ("Unauthorised trading by the account manager", C.CONDUCT),
        ("老师喊单诱导交易", C.CONDUCT),
        ("虚假宣传，承诺收益", C.CONDUCT),
        ("The mortgage servicer lost my refinance papers", C.LENDING),
        ("I want to pay off my car loan", C.LENDING),
        ("房贷利率不对", C.LENDING),
        ("申请提前还款被拒", C.LENDING),
        ("My credit card was charged by a merchant I do not know", C.CARD),
        ("the chargeback was refused", C.CARD),
        ("信用卡被降额", C.CARD),
        ("办卡被拒", C.CARD),
        ("The wire transfer was sent to the wrong payee.", C.PAYMENT),
        ("Somebody made an unauthorized transfer", C.PAYMENT),
        ("转账重复扣款", C.PAYMENT),
        ("支付宝付款失败", C.PAYMENT),
        ("A debt collector calls me every day; it is not my debt.", C.DEBT_COLLECTION),
        ("暴力催收，爆通讯录", C.DEBT_COLLECTION),
        ("天天打骚扰电话催债", C.DEBT_COLLECTION),
        ("Equifax will not correct my credit report.", C.CREDIT_REPORT),
        ("There are inquiries on my credit file", C.CREDIT_REPORT),
        ("征信报告上有不良记录", C.CREDIT_REPORT),
        ("徵信有錯誤記錄", C.CREDIT_REPORT),
        ("You shared my personal data in a data breach", C.PRIVACY),
        ("泄露了我的隐私", C.PRIVACY),
        ("No reply for weeks, and the agent was rude.", C.SERVICE),
        ("客服态度恶劣，互相推诿", C.SERVICE),
        ("I am not happy.", C.OTHER),
        ("我很不满意", C.OTHER),
        ("12345 !!! ???", C.OTHER),
    ],
)
def test_the_words_of_a_complaint_decide_its_category(text: str, category: Category) -> None:
    assessment = assessed(text)
    assert assessment.category is category, assessment.grounds


@pytest.mark.parametrize(
    ("text", "category"),
    [
        # A longer phrase that means something else.
        ("I will not withdraw my complaint until the app crashes no more.", C.PLATFORM),
        ("I withdrew my complaint last year.", C.OTHER),
        ("Read your credit report, not my credit card: the credit report is wrong.", C.CREDIT_REPORT),
        ("The security deposit for my flat.", C.OTHER),
        ("A court order, in order to be exact.", C.OTHER),
        ("It was free of charge, said the person in charge.", C.OTHER),
        ("付出金额与收入金额不符", C.OTHER),
        ("防止损失扩大，停止损害", C.OTHER),
        ("全国最强平台", C.OTHER),
        ("造成交通拥堵", C.OTHER),
        ("服务有点差", C.OTHER),
        ("天然气泄漏", C.OTHER),
        # A word within a word.
        ("A discharged and coffeehouse-loving tradesman.", C.OTHER),
        ("Slippages? Withdrawals? My withdrawals!", C.WITHDRAWAL),
        # Across a full stop, an empty line or other writing nothing belongs together.
        ("They gave me credit. Report it, they said.", C.OTHER),
        ("I saw the stop\n\nloss of time", C.OTHER),
        ("the stop\nloss failed", C.EXECUTION),
        ("The stop–loss and the stop 损 loss", C.OTHER),
        ("征。信", C.OTHER),
    ],
)
def test_common_traps_are_not_stepped_into(text: str, category: Category) -> None:
    assessment = assessed(text)
    assert assessment.category is category, assessment.grounds


def test_full_width_letters_and_curly_apostrophes_are_read() -> None:
    assert assessed("ＳＬＩＰＰＡＧＥ　ｏｎ ＭＴ４").category is C.EXECUTION
    assert assessed("can’t log in").category is assessed("can't log in").category is C.PLATFORM


def test_a_possessive_is_read_like_the_word() -> None:
    assert assessed("It is the police's affair").severity is MEDIUM
    assert assessed("the ombudsman’s letter").severity is MEDIUM


def test_a_phrase_is_found_once_as_it_stands_first() -> None:
    book = PhraseBook({"late fee": 2, "fee": 1})
    assert list(book.find(Pieces("Late\n Fees, a FEE, fees and a late fee's late-fee"))) == [
        ("late fee", "Late Fees", 2),
        ("fee", "FEE", 1),
    ]


def test_one_weak_word_decides_nothing_and_two_do() -> None:
    assert assessed("a chart").category is C.OTHER
    assert assessed("a chart for the trader").category is C.EXECUTION


def test_trades_without_words_that_decide_are_about_execution() -> None:
    assessment = assessed("Please look at this.", trades=("T-1",))
    assert assessment.category is C.EXECUTION
    assert grounds(assessment)["category execution: trades named, no words decide"] == ("trades",)


def test_words_decide_before_trades() -> None:
    assert assessed("I was overcharged a hidden fee.", trades=("T-1",)).category is C.FEE


def test_a_repeated_word_counts_once() -> None:
    assert assessed("Slippage. The app crashed, my login failed." + " slippage" * 50).category is C.PLATFORM


def test_a_word_in_subject_and_description_counts_twice_not_three_times() -> None:
    text = "slippage. An outage, a glitch, an error message."
    assert assessed(text, subject="slippage").category is C.PLATFORM


def test_words_in_subject_and_product_count_twice() -> None:
    text = "First an app crashed, then there was slippage."
    assert assessed(text, subject="slippage").category is C.EXECUTION
    assert assessed(text, subject="app crashed").category is C.PLATFORM
    assert assessed("It is too dear.", product="Credit card").category is C.CARD


def test_equal_points_go_to_the_earlier_category_and_the_others_are_named() -> None:
    assessment = assessed("Slippage, and my withdrawal request, and I was overcharged.")
    assert assessment.category is C.EXECUTION
    later = grounds(assessment)["as many points, but later in the order of categories"]
    assert later == ("withdrawal", "fee")


def test_every_category_but_other_has_its_place_in_the_order_and_its_words() -> None:
    assert sorted(rules.TIE_ORDER) == sorted(rules.CATEGORY_WORDS) == sorted(set(Category) - {C.OTHER})


# -- severity ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("I will kill myself if this goes on", CRITICAL),
        ("I have thought of suicide", CRITICAL),
        ("I don’t want to live any more", CRITICAL),
        ("再不还钱我就自杀", CRITICAL),
        ("我不想活了", CRITICAL),
        ("要從樓上跳樓", CRITICAL),
        ("My husband has cancer", HIGH),
        ("My mother is elderly", HIGH),
        ("I lost my job and am about to be evicted", HIGH),
        ("These were my life savings", HIGH),
        ("They take my life savings", HIGH),
        ("There was a data breach", HIGH),
        ("He threatened my family", HIGH),
        ("My wife passed away", HIGH),
        ("家里老人生病住院", HIGH),
        ("毕生积蓄都没了", HIGH),
        ("个人信息泄露", HIGH),
        ("暴力催收", HIGH),
        ("生活困难，已经失业", HIGH),
        ("I shall go to the ombudsman", MEDIUM),
        ("My lawyer will write to you", MEDIUM),
        ("I have told the police", MEDIUM),
        ("A journalist has asked me about it", MEDIUM),
        ("我要向监管部门投诉", MEDIUM),
        ("已经报警", MEDIUM),
        ("找媒体曝光", MEDIUM),
        ("保留起诉的权利", MEDIUM),
        ("有困难", MEDIUM),
        ("The button is ugly", LOW),
        ("按钮不好看", LOW),
        # Words that look like harm and are none.
        ("I am sick and tired of your advertising", LOW),
        ("That would be financial suicide", LOW),
        ("You have disabled the button", LOW),
        ("The hospital bill was entered twice", LOW),
        ("It was a stroke of luck", LOW),
        ("跳楼价广告太多", LOW),
        ("自杀式营销", LOW),
        ("提现困难", LOW),
        ("我年轻生活简单", LOW),
        # The worst counts.
        ("My lawyer says: my elderly mother spoke of suicide", CRITICAL),
    ],
)
def test_the_words_of_a_complaint_decide_its_severity(text: str, severity: Severity) -> None:
    assessment = assessed(text)
    assert assessment.severity is severity, assessment.grounds


@pytest.mark.parametrize(
    ("amount", "currency", "severity"),
    [
        ("999.99", "USD", LOW),
        ("1000", "USD", MEDIUM),
        ("19999.99", "EUR", MEDIUM),
        ("20000", "USD", HIGH),
        ("6999.99", "CNY", LOW),
        ("7000", "CNY", MEDIUM),
        ("140000", "CNY", HIGH),
        ("149999", "JPY", LOW),
        ("150000", "JPY", MEDIUM),
        ("8000", "HKD", MEDIUM),
        ("300", "KWD", MEDIUM),
        ("20000000", "XAF", HIGH),
    ],
)
def test_the_amount_claimed_decides_by_the_size_of_its_currency(amount: str, currency: str, severity: Severity) -> None:
    assessment = assessed("It is wrong.", amount_claimed={"amount": amount, "currency": currency})
    assert assessment.severity is severity
    if severity is not LOW:
        assert grounds(assessment)[f"severity {severity.value}: amount claimed"] == ("amount_claimed",)


def test_every_reason_of_the_severity_is_told_and_no_lesser_one() -> None:
    told = grounds(assessed("Cancer, evicted, police", amount_claimed={"amount": "30000", "currency": "USD"}))
    assert {rule for rule in told if rule.startswith("severity")} == {
        "severity high: illness or disability",
        "severity high: hardship",
        "severity high: amount claimed",
    }


# -- priority, repeat, team --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "alone", "repeated", "both"),
    [
        ("It is ugly", "p4", "p3", "p2"),
        ("police", "p3", "p2", "p1"),
        ("cancer", "p2", "p1", "p1"),
        ("suicide", "p1", "p1", "p1"),
    ],
)
def test_priority_follows_severity_and_two_reasons_to_hurry(text: str, alone: str, repeated: str, both: str) -> None:
    assert assessed(text).priority is Priority(alone)
    assert assessed(text, earlier_cases=1).priority is Priority(repeated)
    assert assessed(text, channel="regulator").priority is Priority(repeated)
    assert assessed(text, channel="regulator", earlier_cases=7).priority is Priority(both)


def test_somebody_who_complained_before_is_a_repeat_complainant() -> None:
    assert not assessed("x").repeat
    again = assessed("x", earlier_cases=1)
    assert again.repeat
    assert "repeat complainant" in grounds(again)


def test_whether_somebody_complained_of_it_before_follows_a_corrected_category() -> None:
    before = assess(complaint("slippage"), PACK, earlier={C.WITHDRAWAL})
    after = reassess(before, PACK, category=C.WITHDRAWAL, by="handler:h-17")
    assert (before.repeat, after.repeat) == (False, True)
    assert after.priority < before.priority
    assert "complained of it before: no → yes" in after.grounds[-1].words
    assert not reassess(after, PACK, category=C.FEE, by="handler:h-17").repeat


def test_the_pack_names_the_team_and_the_last_team_takes_the_rest() -> None:
    assert assessed("slippage").team == "dealing"
    assert assessed("出金").team == "payments"
    assert assessed("rude").team == "front-office"


# -- ours or not -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("about", "ours"),
    [
        (None, True),
        ("Example Bullion", True),
        ("EXAMPLE BULLION LIMITED", True),
        ("example-bullion, ltd", True),
        ("Ｅｘａｍｐｌｅ Bullion", True),
        ("The Example Bullion Co.", True),
        ("Example Bullion Hong Kong", True),
        ("Example", True),
        ("示例金业", True),
        ("示例金业（香港）有限公司", True),
        ("示例金业平台", True),
        ("your company", True),
        ("You", True),
        ("贵公司", True),
        ("你们平台", True),
        ("N/A", True),
        ("---", True),
        ("Another Broker Ltd", False),
        ("Example-Bullionaire Partners Inc", False),
        ("Limited", False),
        ("另一金业有限公司", False),
        ("Другой брокер", False),
    ],
)
def test_a_complaint_that_names_another_firm_is_not_ours(about: str | None, ours: bool) -> None:
    assessment = assessed("slippage", about=about)
    assert assessment.in_scope is ours
    assert ("not ours: names another firm" in grounds(assessment)) is not ours


def test_a_firm_without_a_list_of_names_takes_what_comes() -> None:
    assert assessed("x", about="Whoever", pack=PACK.model_copy(update={"own_names": ()})).in_scope


@pytest.mark.parametrize(
    "text",
    [
        "My complaint is about another broker. They quoted a false price.",
        "I know it is not your company, but where can I go?",
        "I lost my money with another broker.",
        "I traded with a different broker who does not pay.",
        "This has nothing to do with you: whom do I ask?",
        "我在另一家平台开户，被骗了",
        "我在别的平台入金后联系不上",
        "投诉另一家公司，与贵公司无关",
        "我不是你们的客户，对不是你们的客户有帮助吗",
    ],
)
def test_a_text_that_clearly_means_another_firm_is_not_ours(text: str) -> None:
    assessment = assessed(text)
    assert not assessment.in_scope
    assert grounds(assessment)["not ours: the text says so"]


@pytest.mark.parametrize(
    "text",
    [
        "I have an account with another broker and at the same time the price there was 1930.",
        "I shall open an account with another broker.",
        "Your platform closed my trade; on my account with another broker nothing happened.",
        "Another broker would have paid.",
        "That is not your company's first mistake.",
        "A complaint about another withdrawal",
        "我在另一家平台交易的报价没有到这个点",
        "我在其他平台交易很正常，你们平台爆仓",
        "难道与你们无关吗",
        "这不是贵公司第一次了",
        "我以后去别的平台",
    ],
)
def test_when_in_doubt_it_is_ours(text: str) -> None:
    assert assessed(text).in_scope


def test_a_complaint_that_names_trades_is_ours_whatever_else_it_tells() -> None:
    text = "I lost my money with another broker."
    assessment = assessed(text, trades=("T-1",))
    assert assessment.in_scope
    assert "ours: mentions another firm, but names trades" in grounds(assessment)


# -- grounds -----------------------------------------------------------------------------------------------------------


def test_grounds_hold_the_deciding_words_as_they_are_written_and_nothing_around_them() -> None:
    told = grounds(
        assessed("John Smith of account 70012345 saw  Stop-\n Loss  and 爆倉 at 1931.20; his lawyer Jane Doe agrees")
    )
    assert told == {
        "category execution": ("Stop Loss", "爆倉"),
        "severity medium: lawyer or court": ("lawyer",),
    }


def test_grounds_hold_only_the_first_few_words() -> None:
    text = "slippage requote bad tick, wrong price, stop loss, take profit, margin call, limit order"
    assert len(grounds(assessed(text))["category execution"]) == 6


def test_grounds_never_hold_more_of_a_text_than_the_phrases_of_the_lists() -> None:
    text = "Max Muster, max@example.com, 4111 1111 1111 1111: overcharged, cancer, police, not your company, 骗"
    known = {
        " ".join(Pieces(phrase).keys)
        for lists in (
            *(words for by_weight in rules.CATEGORY_WORDS.values() for words in by_weight.values()),
            *(words for kinds in rules.SEVERITY_WORDS.values() for words in kinds.values()),
            rules.NOT_ABOUT_US,
        )
        for phrase in listed(lists)
    }
    for ground in assessed(text).grounds:
        assert all(" ".join(Pieces(word).keys) in known for word in ground.words), ground


# -- reassessment ------------------------------------------------------------------------------------------------------


def test_a_handler_corrects_the_category_and_the_team_follows() -> None:
    before = assessed("slippage")
    after = reassess(before, PACK, category=C.WITHDRAWAL, by="handler:h-17")
    assert (after.category, after.team, after.severity, after.priority) == (
        C.WITHDRAWAL,
        "payments",
        before.severity,
        before.priority,
    )
    assert after.grounds[:-1] == before.grounds
    assert after.grounds[-1].rule == "reclassified by handler"
    assert after.grounds[-1].words == ("category: execution → withdrawal", "by handler:h-17")


def test_a_handler_corrects_the_severity_and_the_priority_follows_with_the_same_hurry() -> None:
    before = assessed("It is ugly", channel=Channel.REGULATOR, earlier_cases=1)
    after = reassess(before, PACK, severity=MEDIUM, by="handler:h-17")
    assert (before.priority, after.priority) == (Priority.P2, Priority.P1)
    down = reassess(after, PACK, severity=LOW, by="handler:h-17")
    assert down.priority is Priority.P2
    assert len(down.grounds) == len(before.grounds) + 2


def test_a_team_that_was_given_the_case_keeps_it_when_only_the_severity_is_corrected() -> None:
    moved = assessed("slippage").model_copy(update={"team": "payments"})
    assert reassess(moved, PACK, severity=HIGH, by="handler:h-17").team == "payments"


def test_a_handler_refers_a_case_and_takes_it_back() -> None:
    out = reassess(assessed("slippage"), PACK, in_scope=False, by="handler:h-17")
    assert not out.in_scope
    back = reassess(out, PACK, in_scope=True, by="team_lead:t-2")
    assert back.in_scope
    assert back.grounds[-1].words == ("in scope: no → yes", "by team_lead:t-2")


def test_a_correction_that_changes_nothing_leaves_no_trace() -> None:
    before = assessed("slippage")
    same = reassess(before, PACK, category=C.EXECUTION, severity=before.severity, in_scope=True, by="handler:h-17")
    assert same == before


# -- whatever somebody writes ------------------------------------------------------------------------------------------

ANYTHING = st.text(st.characters(codec="utf-8"), min_size=1, max_size=400).filter(lambda text: bool(text.strip()))
PHRASES = st.sampled_from(
    [phrase for kinds in rules.SEVERITY_WORDS.values() for phrases in kinds.values() for phrase in listed(phrases)]
)
ENGLISH = st.lists(
    st.sampled_from([phrase for phrase in listed(rules.NOT_A_CATEGORY + "," + rules.NOT_SEVERE) if phrase.isascii()])
    | PHRASES.filter(str.isascii)
    | st.sampled_from(["I", "the", "slippage", "withdraw", "my complaint", "credit", "report", ".", "\n", "'s", "-"]),
    min_size=1,
    max_size=25,
).map(lambda words: "x " + " ".join(words))


@given(text=ANYTHING, subject=st.none() | ANYTHING.map(lambda text: text[:SHORT_TEXT]), earlier=st.integers(0, 3))
def test_any_text_is_assessed_and_twice_the_same(text: str, subject: str | None, earlier: int) -> None:
    line = None if subject is None else " ".join(subject.split())
    once = assessed(text, subject=line, about=line, earlier_cases=earlier)
    assert assessed(text, subject=line, about=line, earlier_cases=earlier) == once
    assert once.grounds
    assert Assessment.model_validate_json(once.model_dump_json()) == once


@given(text=ENGLISH)
def test_upper_and_lower_case_make_no_difference(text: str) -> None:
    def told(assessment: Assessment) -> tuple[Any, ...]:
        lower = [(ground.rule, tuple(word.lower() for word in ground.words)) for ground in assessment.grounds]
        return assessment.category, assessment.severity, assessment.in_scope, lower

    assert told(assessed(text.upper())) == told(assessed(text)) == told(assessed(text.title().swapcase()))


@given(harm=PHRASES, before=ANYTHING, after=ANYTHING, more=ENGLISH)
def test_more_text_never_lowers_the_severity(harm: str, before: str, after: str, more: str) -> None:
    order = list(Severity)
    least = order.index(assessed(harm).severity)
    for text in (f"{before}\n\n{harm}\n\n{after}", f"{more}. {harm}. {more}", f"{more}。{harm}。{after}"):
        assert order.index(assessed(text).severity) >= least


@pytest.mark.parametrize(
    "part",
    [
        "credit ",
        "提",
        "贷款",
        "我在贵平台开户，提现不到账。",
        "a",
        "a'",
        " \n",
        "\n\n",
        "-",
        "!",
        "😀",
        "\U0001f600a",
        "出金额",
    ],
)
def test_the_longest_text_takes_no_longer_than_its_length(part: str) -> None:
    text = "x" + (part * LONG_TEXT)[: LONG_TEXT - 2] + "x"
    assessed(text)  # the word lists are read once
    subject = complaint(text)
    started = time.process_time()
    assess(subject, PACK, earlier=())
    assert time.process_time() - started < 2  # seconds of the processor


# -- the lists ---------------------------------------------------------------------------------------------------------


def test_amounts_are_compared_in_whole_tables() -> None:
    assert [severity for severity, _ in rules.CLAIMS] == [HIGH, MEDIUM]
    assert all(isinstance(units, Decimal) and units > 0 for units in rules.UNITS_PER_DOLLAR.values())
    assert set(rules.PRIORITIES) == set(Severity)


@pytest.mark.parametrize(
    "lists",
    [
        pytest.param({name: text for name, text in vars(rules).items() if isinstance(text, str) and name.isupper()}),
        *(
            pytest.param({str(weight): text for weight, text in by_weight.items()}, id=category.value)
            for category, by_weight in rules.CATEGORY_WORDS.items()
        ),
        pytest.param(
            {kind: text for kinds in rules.SEVERITY_WORDS.values() for kind, text in kinds.items()}, id="severity"
        ),
    ],
)
def test_no_phrase_stands_twice_in_a_list_and_none_is_empty(lists: dict[str, str]) -> None:
    for name, text in lists.items():
        keys = [" ".join(Pieces(phrase).keys) for phrase in listed(text)]
        assert all(keys), name
        assert [key for key, count in Counter(keys).items() if count > 1] == [], name


def test_every_phrase_of_the_severity_lists_is_found_in_a_text_of_its_own() -> None:
    for severity, kinds in rules.SEVERITY_WORDS.items():
        for kind, phrases in kinds.items():
            for phrase in listed(phrases):
                told = grounds(assessed(phrase))
                assert any(rule == f"severity {severity.value}: {kind}" for rule in told), (phrase, told)
