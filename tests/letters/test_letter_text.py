"""What letters say: every kind in both languages, nothing missing, nothing invented, nothing leaked."""

from datetime import timedelta
from decimal import Decimal

import pytest
from pydantic import ValidationError
from temporalio.exceptions import ApplicationError

from domain.case.complaint import Complainant
from domain.checks.findings import Verdict
from domain.ground.words import Category, LetterKind, Outcome, PaymentReason, Priority, Remedy, Role, Severity, Stage
from domain.letters.kinds import LETTERS
from domain.letters.letter import LetterFacts
from domain.money.amounts import PositiveMoney
from domain.money.parts import Entered, PartKind
from runtime.advice import load_advice
from runtime.causes import load_causes
from runtime.letters.stationery import LANGUAGES
from tests.letters.support import (
    EXPECTED_BY,
    FULL_PACK,
    HOLDING_TEXT,
    NOW,
    PACK,
    REASONS,
    WITH_REASONS,
    complaint,
    extension,
    finding,
    full_facts,
    letter,
    replanned,
    usd,
    written,
)

CUSTOMER_LETTERS = [kind for kind in LetterKind if not LETTERS[kind].to_staff]
EXPECTED = {
    "en": "Friday, 17 July 2026, 23:59 (Hong Kong Standard Time)",
    "zh-CN": "2026年7月17日（星期五）23:59（香港标准时间）",
}
REPLY = {
    "en": "Monday, 13 July 2026, 23:59 (Hong Kong Standard Time)",
    "zh-CN": "2026年7月13日（星期一）23:59（香港标准时间）",
}
EXTENDED = {
    "en": "Sunday, 16 August 2026, 23:59 (Hong Kong Standard Time)",
    "zh-CN": "2026年8月16日（星期日）23:59（香港标准时间）",
}
"""30 days after the end of 10 business days from 3 July."""
ESSENTIALS: dict[LetterKind, dict[str, list[str]]] = {
    LetterKind.ACKNOWLEDGEMENT: {
        "en": [
            EXPECTED["en"],
            PACK.timetable.en,
            "the execution of a trade",
            "O-1001",
            "$4,000.00",
            "10:11 (Hong Kong",
        ],
        "zh-CN": [EXPECTED["zh-CN"], PACK.timetable.zh, "交易执行", "O-1001", "US$4,000.00", "10:11（香港标准时间）"],
    },
    LetterKind.INFORMATION_REQUEST: {
        "en": [REPLY["en"], "2. Do you have a screenshot?"],
        "zh-CN": [REPLY["zh-CN"], "2. Do you have a screenshot?"],
    },
    LetterKind.REMINDER: {
        "en": [REPLY["en"], "2. Do you have a screenshot?", "have not received it yet"],
        "zh-CN": [REPLY["zh-CN"], "2. Do you have a screenshot?", "尚未收到您的答复"],
    },
    LetterKind.PROGRESS: {
        "en": [EXPECTED["en"], "we have not reached a decision."],
        "zh-CN": [EXPECTED["zh-CN"], "我们尚未作出处理决定"],
    },
    LetterKind.OVERDUE: {"en": [EXPECTED["en"], "We apologise"], "zh-CN": [EXPECTED["zh-CN"], "诚恳致歉"]},
    LetterKind.HOLDING: {
        "en": [
            HOLDING_TEXT.en,
            EXPECTED["en"],
            "examination of your complaint is not finished",
            "Nobody has taken your complaint up yet to examine it",
        ],
        "zh-CN": [HOLDING_TEXT.zh, EXPECTED["zh-CN"], "核实处理工作尚未完成", "目前尚无人接手核查"],
    },
    LetterKind.EXTENSION: {
        "en": [REASONS, extension().ground.en, EXTENDED["en"]],
        "zh-CN": [REASONS, extension().ground.zh, EXTENDED["zh-CN"]],
    },
    LetterKind.SUMMARY_RESOLUTION: {
        "en": [
            "You have since told us that the matter is settled",
            "we now consider your complaint resolved",
            "We uphold your complaint.",
            finding().reason.en,
            "Compensation: $3,165.81 (the loss we established).",
            "1. Review by us",
        ],
        "zh-CN": [
            "您已向我们表示该事项得到解决",
            "已经办结",
            finding().reason.zh,
            "赔偿金额：US$3,165.81",
            "1. 我方核查",
        ],
    },
    LetterKind.FINAL_RESPONSE: {
        "en": [
            "We uphold your complaint.",
            finding().reason.en,
            "Compensation: $3,165.81 (the loss we established).",
            "We will also give you: an apology.",
            REPLY["en"],
            PACK.rights.en,
        ],
        "zh-CN": [
            "您的投诉成立",
            finding().reason.zh,
            "赔偿金额：US$3,165.81（即经核实的损失金额）。",
            "其他措施：道歉。",
            REPLY["zh-CN"],
            PACK.rights.zh,
        ],
    },
    LetterKind.OUTSIDE_DECISION: {
        "en": [
            "Your complaint was decided on 1 July 2026: Review by us, number F-1. The decision binds us",
            "Compensation: $3,165.81",
        ],
        "zh-CN": ["（案号 F-1）已于2026年7月1日作出决定", "赔偿金额：US$3,165.81"],
    },
    LetterKind.WITHDRAWAL: {"en": ["has been withdrawn"], "zh-CN": ["您的投诉已撤回"]},
    LetterKind.REFERRAL: {"en": [PACK.referral.en], "zh-CN": [PACK.referral.zh]},
    LetterKind.PAYMENT_DECLINED: {
        "en": ["but the payment failed", "$2,165.81", "ending in 345", "is closed", "Our decision stands"],
        "zh-CN": ["未能成功", "US$2,165.81", "尾号为 345", "账户已注销", "处理决定不变"],
    },
    LetterKind.PAYMENT_PARTIAL: {
        "en": ["$1,000.00", "$2,165.81", "ending in 345", "only a part"],
        "zh-CN": ["US$1,000.00", "US$2,165.81", "尾号为 345", "一部分"],
    },
    LetterKind.PAYMENT_REVERSED: {
        "en": ["has come back to us", "$2,165.81", "ending in 345", "is closed"],
        "zh-CN": ["已被退回", "US$2,165.81", "尾号为 345", "账户已注销"],
    },
    LetterKind.FEEDBACK_REQUEST: {"en": ["5  very satisfied"], "zh-CN": ["5  很满意"]},
    LetterKind.STAFF_NOTICE: {
        "en": ["To: compliance officer, team dealing", "The deadline “response” ends soon.", "propose a resolution"],
        "zh-CN": ["致：合规负责人（团队 dealing）", "时限“response”即将届满。", "提出处理方案"],
    },
}


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("kind", LetterKind)
def test_a_letter_of_every_kind_says_in_both_languages_what_it_must(kind: LetterKind, language: str) -> None:
    subject, body = written(letter(kind, language=language))
    reference = complaint().reference

    assert reference in subject
    assert reference in body
    assert "Example Bullion" in body
    for essential in ESSENTIALS[kind][language]:
        assert essential in body
    assert "{" not in body
    assert "None" not in body


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("kind", CUSTOMER_LETTERS)
def test_a_letter_to_the_customer_greets_by_name_dates_itself_and_invites_an_answer_while_the_case_is_open(
    kind: LetterKind, language: str
) -> None:
    _, body = written(letter(kind, language=language), name="王小明")

    greeting, day, answer = {
        "en": ("Dear 王小明,\n", "\n3 July 2026\n", "reply to this letter and quote the reference"),
        "zh-CN": ("尊敬的王小明：\n", "\n2026年7月3日\n", "请直接回复本函并注明投诉编号"),
    }[language]
    assert body.startswith(greeting)
    assert body.endswith(day)
    assert (answer in body) is (kind not in {LetterKind.REFERRAL, LetterKind.WITHDRAWAL})  # with them it is closed


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_word_of_the_domain_has_a_word_in_the_letters(language: str) -> None:
    for category in Category:
        written(letter(language=language, facts=full_facts(category=category)))
    for stage in Stage:
        written(letter(LetterKind.PROGRESS, language=language, facts=full_facts(stage=stage)))
        written(letter(LetterKind.STAFF_NOTICE, language=language, facts=full_facts(stage=stage)))
    for outcome in Outcome:
        written(letter(LetterKind.FINAL_RESPONSE, language=language, facts=full_facts(outcome=outcome)))
    for remedy in Remedy:
        written(letter(LetterKind.FINAL_RESPONSE, language=language, facts=full_facts(remedies=(remedy,))))
    for role in Role:
        written(letter(LetterKind.STAFF_NOTICE, language=language, facts=full_facts(audience=role)))
    for priority in Priority:
        written(letter(LetterKind.STAFF_NOTICE, language=language, priority=priority))
    for severity in Severity:
        written(letter(LetterKind.STAFF_NOTICE, language=language, severity=severity))
    for reason in PaymentReason:
        written(letter(LetterKind.PAYMENT_DECLINED, language=language, facts=full_facts(payment_reason=reason)))


@pytest.mark.parametrize(
    ("kind", "fact"),
    [
        *((kind, fact) for kind, row in LETTERS.items() for fact in row.needs),
        (LetterKind.FINAL_RESPONSE, "findings"),
        (LetterKind.SUMMARY_RESOLUTION, "findings"),
    ],
)
def test_a_letter_without_a_fact_it_needs_is_refused_by_the_name_of_the_fact(kind: LetterKind, fact: str) -> None:
    nothing = () if fact == "findings" else None
    # Nothing in this case starts a wait, so that no end of it can be planned either.
    request = letter(
        kind, facts=full_facts(**{"reasons": REASONS if kind in WITH_REASONS else None, fact: nothing})
    ).model_copy(update={"announces": ()})

    with pytest.raises(ApplicationError, match=fact) as refusal:
        written(request)

    assert refusal.value.type == "LetterIncomplete"
    assert refusal.value.non_retryable


def test_an_upheld_complaint_with_neither_compensation_nor_remedy_is_refused() -> None:
    with pytest.raises(ApplicationError, match="compensation or remedies") as refusal:
        written(letter(LetterKind.FINAL_RESPONSE, facts=full_facts(compensation=None, remedies=())))
    assert refusal.value.type == "LetterIncomplete"


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(ApplicationError, match="questions, reply_by"):
        written(letter(LetterKind.REMINDER, facts=LetterFacts()))


def test_a_language_without_templates_is_refused_whatever_it_is_called() -> None:
    assert LANGUAGES == ("en", "zh-CN")
    for language in ("fr", "../en", "en/../zh-CN", ""):
        with pytest.raises(ApplicationError, match="templates in the language") as refusal:
            written(letter(language=language))
        assert refusal.value.type == "LetterIncomplete"


@pytest.mark.parametrize("kind", [LetterKind.INFORMATION_REQUEST, LetterKind.FINAL_RESPONSE])
def test_the_end_of_a_wait_that_starts_with_the_letter_is_planned_by_the_pack(kind: LetterKind) -> None:
    _, body = written(letter(kind, facts=full_facts(reply_by=None)))

    # From 3 July in Hong Kong: 10 days for information, 14 days for the answer to the final response.
    day = {
        LetterKind.INFORMATION_REQUEST: "Monday, 13 July 2026, 23:59",
        LetterKind.FINAL_RESPONSE: "Friday, 17 July 2026, 23:59",
    }
    assert f"{day[kind]} (Hong Kong Standard Time)" in body


def test_an_extension_gives_the_new_end_of_the_clock_that_it_extends_and_of_no_other() -> None:
    [new, *_] = replanned(FULL_PACK)
    other = new.model_copy(update={"clock": "progress", "clock_due": new.clock_due + timedelta(days=9)})
    _, body = written(letter(LetterKind.EXTENSION), foreseen=[new, other])
    assert EXTENDED["en"] in body


@pytest.mark.parametrize("kind", [LetterKind.ACKNOWLEDGEMENT, LetterKind.PROGRESS])
def test_a_date_that_has_passed_is_not_given_as_one_to_come(kind: LetterKind) -> None:
    _, body = written(letter(kind, facts=full_facts(expected_by=NOW - timedelta(days=1))))
    assert "We expect" not in body
    assert "Thursday, 2 July 2026, 11:00 (Hong Kong Standard Time). That time has passed, and we apologise." in body


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_an_overdue_letter_never_promises_a_date_that_has_passed(language: str) -> None:
    facts = full_facts(expected_by=NOW - timedelta(days=1))
    _, body = written(letter(LetterKind.OVERDUE, language=language, facts=facts))
    assert {"en": "That time has passed too", "zh-CN": "该期限亦已过"}[language] in body
    assert {"en": "We now expect", "zh-CN": "我们现预计"}[language] not in body


def test_escalation_is_told_only_when_it_happened_and_somebody_has_the_case() -> None:
    assert "escalated" not in written(letter(LetterKind.OVERDUE, handler="h-17"))[1]
    assert "escalated" not in written(letter(LetterKind.OVERDUE, escalation_level=2))[1]
    assert "escalated" in written(letter(LetterKind.OVERDUE, escalation_level=2, handler="h-17"))[1]


def test_the_reasons_of_a_handler_stand_in_place_of_the_findings() -> None:
    _, body = written(letter(LetterKind.FINAL_RESPONSE, facts=full_facts(reasons="We answer for our provider.")))
    assert "We answer for our provider." in body
    assert finding().reason.en not in body


def test_compensation_is_explained_by_the_losses_only_when_it_is_their_sum() -> None:
    both = (finding("3000"), finding("165.81"), finding(None, Verdict.INCONCLUSIVE), finding("7", Verdict.MARKET))

    def line(**facts: object) -> str:
        _, body = written(letter(LetterKind.FINAL_RESPONSE, facts=full_facts(**facts)))
        return next(line for line in body.splitlines() if line.startswith("Compensation"))

    assert line(findings=both) == "Compensation: $3,165.81 (the losses we established: $3,000.00 + $165.81)."
    assert line(findings=both, compensation=usd("3000")) == "Compensation: $3,000.00 (for the reasons given above)."
    in_euro = usd("3165.81").model_copy(update={"currency": "EUR"})
    assert line(findings=both, compensation=in_euro) == "Compensation: €3,165.81 (for the reasons given above)."


def test_what_people_awarded_is_told_apart_from_the_loss_in_every_language() -> None:
    awards = tuple(
        Entered(
            kind=kind,
            subject="RD-1",
            amount=PositiveMoney(amount=Decimal(amount), currency="USD"),
            entered_by="handler:h-17",
            at=NOW,
            reason=reason,
        )
        for kind, amount, reason in (
            (PartKind.DISTRESS, "150", "three weeks without margin"),
            (PartKind.GOODWILL, "25.5", "for your patience"),
        )
    )

    def lines(language: str, **facts: object) -> list[str]:
        facts = {"awards": awards, "compensation": usd("3341.31")} | facts
        request = letter(LetterKind.FINAL_RESPONSE, language=language, facts=full_facts(**facts))
        body = written(request)[1].splitlines()
        start = next(n for n, line in enumerate(body) if line.startswith(("Compensation", "赔偿金额")))
        return [line for line in body[start : start + 4] if line]

    assert lines("en") == [
        "Compensation: $3,341.31, which is made up of",
        "- $3,165.81 for what it cost you (the loss we established)",
        "- $150.00 for the distress and inconvenience: three weeks without margin",
        "- $25.50 as a gesture of goodwill: for your patience",
    ]
    assert lines("zh-CN") == [
        "赔偿金额：US$3,341.31，其中",
        "- 损失赔偿：US$3,165.81（即经核实的损失金额）",
        "- 精神困扰及不便补偿：US$150.00（three weeks without margin）",
        "- 善意补偿：US$25.50（for your patience）",
    ]
    alone = lines("en", compensation=usd("175.50"))
    assert alone[:3] == ["Compensation: $175.50, which is made up of", *lines("en")[2:]]


def test_a_complaint_not_upheld_is_told_neither_of_compensation_nor_of_regret() -> None:
    facts = full_facts(outcome=Outcome.NOT_UPHELD, compensation=None, remedies=())
    _, body = written(letter(LetterKind.FINAL_RESPONSE, facts=facts))
    assert "We do not uphold your complaint." in body
    assert "WHAT WE WILL DO" not in body
    assert "sorry" not in body


@pytest.mark.parametrize("kind", LetterKind)
def test_no_letter_repeats_what_the_customer_wrote(kind: LetterKind) -> None:
    # A stranger could otherwise have us mail his own words to an address of his choice.
    subject, body = written(letter(kind))
    for text in (subject, body):
        assert "Confidential" not in text
        assert "Stopped out" not in text
        assert "customer@example.com" not in text


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_staff_notice_holds_nothing_of_the_customer(language: str) -> None:
    _, body = written(letter(LetterKind.STAFF_NOTICE, language=language), name="王小明")
    for personal in ("王小明", "70012345", "O-1001", "4,000"):
        assert personal not in body


def test_markup_in_a_text_stays_as_it_was_written() -> None:
    questions = "Is {{ reference }} or {% raw %} in it? <b>5 > 3 & 2</b>"
    _, body = written(letter(LetterKind.INFORMATION_REQUEST, facts=full_facts(questions=questions)))
    assert questions in body


def test_a_name_with_a_line_break_is_refused_by_the_models() -> None:
    for name in ("A\nBcc: other@example.org", "A\r\nBcc: other@example.org", "A\rB"):
        with pytest.raises(ValidationError):
            Complainant(name=name)


def test_a_subject_is_one_line_whatever_the_firm_is_called() -> None:
    subject, body = written(letter(), pack=PACK, firm_name="Example\r\nBcc: a@example.org")
    assert subject.splitlines() == [subject]
    assert "Example Bcc: a@example.org" in body


def test_instants_are_told_in_the_time_zone_of_the_pack() -> None:
    london = PACK.model_copy(update={"calendar": PACK.calendar.model_copy(update={"time_zone": "Europe/London"})})
    _, body = written(letter(), pack=london)
    assert f"{EXPECTED_BY:%H}" == "15"
    assert "Friday, 17 July 2026, 16:59 (British Summer Time)" in body


def test_control_characters_in_a_fact_do_not_reach_the_letter() -> None:
    _, body = written(letter(LetterKind.FINAL_RESPONSE, facts=full_facts(reasons="one\x00two\x1b[31mthree")))
    assert "one�two�[31mthree" in body


@pytest.mark.parametrize(
    ("language", "false", "true"),
    [("en", "tried", "have no account of yours"), ("zh-CN", "未能成功", "没有您可供收款的账户")],
)
def test_a_payment_that_had_nowhere_to_go_is_not_said_to_have_been_tried(language: str, false: str, true: str) -> None:
    facts = full_facts(payment_reason=PaymentReason.NO_PAYEE, payee=None)
    _, body = written(letter(LetterKind.PAYMENT_DECLINED, language=language, facts=facts))
    assert false not in body
    assert true in body


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("kind", CUSTOMER_LETTERS)
def test_a_customer_is_never_told_that_the_complaint_is_about_another_matter(kind: LetterKind, language: str) -> None:
    reasons = REASONS if kind in WITH_REASONS else None
    _, body = written(letter(kind, language=language, facts=full_facts(category=Category.OTHER, reasons=reasons)))
    assert "another matter" not in body
    assert "其他事项" not in body


def test_who_is_refused_is_told_where_to_read_how_it_is_avoided_and_who_is_right_is_not() -> None:
    facts = {"outcome": Outcome.NOT_UPHELD, "compensation": None, "remedies": (), "awards": (), "elsewhere": ()}
    refused = full_facts().model_copy(update={**facts, "findings": (finding(None, Verdict.MARKET),)})
    for language, heading in (("en", "ANOTHER TIME"), ("zh-CN", "【供您参考】")):
        request = letter(LetterKind.FINAL_RESPONSE, facts=refused, language=language)
        note = load_advice().notes[0]
        _, linked = written(request, pages="https://example.com/")
        assert heading in linked
        assert "https://example.com/how#note-orders" in linked
        _, whole = written(request)
        assert note.text.in_language(language).split()[-1] in whole
        right = refused.model_copy(update={"outcome": Outcome.UPHELD, "remedies": (Remedy.APOLOGY,)})
        assert heading not in written(letter(LetterKind.FINAL_RESPONSE, facts=right, language=language))[1]


def test_whatever_has_the_customers_own_action_for_its_cause_has_a_note() -> None:
    pointing = {each for branch in load_causes().branches if branch.name == "customer" for cause in branch.causes
                for each in cause.found_by}  # fmt: skip
    assert pointing <= {each for note in load_advice().notes for each in note.found_by}
