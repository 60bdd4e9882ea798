"""What stands beside the matter moves no complaint: when, where, how much, courtesies, anger, threats, that nobody
answers, even danger to life.
"""

import re
from collections.abc import Iterator
from functools import cache

import pytest

from domain.ground.phrases import Pieces
from domain.ground.words import Category
from domain.speech.adjuncts import adjuncts
from runtime.corpus import Sentence, training
from tests.case.test_assessment import assessed, grounds

KEPT_WITHIN = 0.98
"""So many of the sentences keep their category; what is put in may stand where nobody would say it."""
KEPT = 0.97
"""So many with a sentence beside; what told of the matter may tell of service as well."""
MOVED = 0.02
"""So many may get another, rather than none."""

ADJUNCTS = {
    "en": ("on Monday", "for two weeks", "since the 3rd of May", "three days ago", "last week", "in Hong Kong",
           "at the branch in Leeds", "at home", "of 2,500 dollars", "about £300", "suddenly", "to this day"),
    "zh": ("两周", "三天了", "上周三", "从五月三号到现在", "昨天晚上", "已经十几天", "在深圳", "在家里", "两万块",
           "5000美元", "突然", "一直", "居然", "到现在"),
}  # fmt: skip
PLACES = {
    "en": re.compile(r"(?<=[a-z])(?:(?= (?:and|but|for|from|because|when|until|while|after|before)\b)|(?=[.!?]))"),
    "zh": re.compile(r"(?<=[\u3400-\u9fff])(?=一直|还没|被|给我|没有|没到|不给)"),
}  # fmt: skip
ASIDES = {
    "en": (
        "Good morning to whoever reads this.", "This is an absolute disgrace.", "Thank you for looking into it.",
        "I will go to the police if this is not sorted out.", "My lawyer will hear of it.", "My wife keeps asking me.",
        "I don't want to live any more.", "If this goes on I shall kill myself.", "I am 58 and live in Leeds.",
    ),
    "zh": (
        "您好，打扰一下。", "真是太过分了！", "麻烦尽快处理，谢谢。", "再不解决我就报警。", "我会找律师起诉你们。",
        "我老婆天天问我。", "我不想活了。", "再这样下去我就去死。", "我今年五十八，在佛山打工。",
    ),
}  # fmt: skip
SILENCE = {
    "en": (
        "Nobody answers me.",
        "Your support does not reply to my e-mails.",
        "I wrote three times and got no answer.",
    ),
    "zh": ("客服一直不回复。", "打了五次电话都没人接。", "问了三遍没有人回答我。"),
}


@cache
def decided() -> tuple[Sentence, ...]:
    """Sentences of the corpus whose category their words decide, every sixth; those of danger tell of that first."""
    rows = [one for one in training() if one.category not in {None, Category.OTHER} and one.sign != "danger"]
    return tuple(one for one in rows[::6] if assessed(one.text).category is one.category)


def beside(one: Sentence, asides: tuple[str, ...]) -> Iterator[str]:
    """The sentence with an aside behind it and before it; of more than three asides every third, by its length."""
    for aside in asides[len(one.text) % 3 :: 3] if len(asides) > 3 else asides:
        yield f"{one.text}{'' if one.text[-1] in '.!?。！？' else '.'} {aside}"
        yield f"{aside} {one.text}"


def within(one: Sentence) -> Iterator[str]:
    """The sentence with an adjunct wherever a speaker would put it."""
    for number, place in enumerate(PLACES[one.language].finditer(one.text)):
        known = ADJUNCTS[one.language]
        put_in = known[(len(one.text) + number) % len(known)]
        gap = " " if one.language == "en" else ""
        yield one.text[: place.start()] + gap + put_in + one.text[place.start() :]


def shares(rows: Iterator[tuple[Sentence, str]]) -> tuple[float, float]:
    """Which share keeps the category, and which gets another."""
    found = [(one.category, assessed(text).category) for one, text in rows]
    assert len(found) > 30
    kept = sum(one is its for one, its in found)
    lost = sum(its is Category.OTHER for _, its in found)
    return kept / len(found), (len(found) - kept - lost) / len(found)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_time_a_place_or_a_sum_put_between_the_words_moves_no_complaint(language: str) -> None:
    rows = ((one, text) for one in decided() if one.language == language for text in within(one))
    kept, _ = shares(rows)
    assert kept >= KEPT_WITHIN


@pytest.mark.parametrize("asides", [ASIDES, SILENCE], ids=["asides", "nobody answers"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_sentence_beside_the_matter_moves_no_complaint(language: str, asides: dict[str, tuple[str, ...]]) -> None:
    rows = ((one, text) for one in decided() if one.language == language for text in beside(one, asides[language]))
    kept, moved = shares(rows)
    assert kept >= KEPT
    assert moved <= MOVED


@pytest.mark.parametrize("language", ["en", "zh"])
def test_that_nobody_answers_is_what_a_complaint_is_about_where_it_tells_of_nothing_else(language: str) -> None:
    for text in SILENCE[language]:
        assert assessed(text).category is Category.SERVICE
    money = {"en": "My withdrawal has not arrived. ", "zh": "出金两周没有到账，"}[language]
    for text in SILENCE[language]:
        assessment = assessed(money + text)
        assert assessment.category is Category.WITHDRAWAL
        assert grounds(assessment)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("出金，两周了，没有到账", "出金没有到账"),
        ("Frozen on Monday at 10:30, in Hong Kong, for no reason.", "frozen."),
        ("提现两万块一直没到", "提现没到"),
        ("My payout of HK$2,500.50 is late", "my payout is late"),
        ("After two\nlong weeks it came", "it came"),
        ("May I ask? A man paid.", "may i ask?a man paid."),
        ("不一定, 3点差", "不一定,3点差"),
    ],
)
def test_adjuncts_are_taken_out_and_nothing_else(text: str, left: str) -> None:
    pieces = Pieces(text)
    rest = pieces.without(adjuncts(pieces))
    assert rest.keys == Pieces(left).keys


def test_words_apart_are_shown_without_what_stands_between_them() -> None:
    told = grounds(assessed("You froze on Monday the 3rd of May my account."))
    assert "froze … my account" in told["category account"]
    assert "May" not in str(told)


def test_a_longer_phrase_apart_takes_its_words_out_of_play() -> None:
    assert assessed("I withdraw today my complaint.").category is Category.OTHER
