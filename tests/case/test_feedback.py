"""A score is read out of a reply to the letter that asks for one, and out of no other sentence."""

import re
import time

import pytest

from domain.case.feedback import score_of
from runtime.paths import TEMPLATES


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("4", (4, False)),
        (" 5.\n", (5, False)),
        ("4/5", (4, False)),
        ("3 out of 5", (3, False)),
        ("1  not at all satisfied", (1, False)),
        ("２分", (2, False)),
        ("5  很满意", (5, False)),
        ("2, far too slow", (2, True)),
        ("2，太慢了", (2, True)),
        ("4\n\nThank you. When is it paid?", (4, True)),
        ("Thank you", None),
        ("", None),
        ("6", None),
        ("45", None),
        ("2 weeks ago I asked where my money is.", None),
        ("3天了还没有到账", None),
        ("2,000 USD are missing", None),
        ("1.5", None),
        ("1\n2", None),
        ("1 not at all satisfied\n2 not satisfied", None),
        ("I waited\n3", None),
        ("1. Where is my money?\n2. Who decided that?", None),
    ],
)
def test_a_reply_gives_a_score_where_its_first_line_says_nothing_else(text: str, told: tuple[int, bool] | None) -> None:
    assert score_of(text) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("十分满意", (5, False)),
        ("很满意。", (5, False)),
        ("满意", (4, False)),
        ("一般", (3, False)),
        ("不太满意", (2, False)),
        ("非常不满意！我要投诉，钱还没到账", (1, True)),
        ("5分", (5, False)),
        ("5分，谢谢", (5, True)),
        ("4分（满意）", (4, False)),
        ("我给3分", (3, False)),
        ("评分：4", (4, False)),
        ("五星", (5, False)),
        ("3/5", (3, False)),
        ("five", (5, False)),
        ("Score: 4", (4, False)),
        ("Very satisfied, thank you", (5, True)),
        ("I am not satisfied at all", (1, False)),
        ("Dissatisfied. I will go to the ombudsman.", (2, True)),
        ("1, you have charged me a fee again!", (1, True)),
        ("5 - very satisfied", (5, False)),
        ("Hello,\n\n4\n\nThanks", (4, True)),
        ("您好！\n不满意", (2, False)),
        # what contradicts itself, is on another scale, within a sentence or a robot's is left to a person
        ("1 very satisfied", None),
        ("5（很不满意）", None),
        ("2\n满意", None),
        ("8/10", None),
        ("10/10", None),
        ("满意？一点都不", None),
        ("I would be satisfied if I had my money", None),
        ("I am out of office until 3 March", None),
        ("我不在办公室，3月5日回来", None),
        ("很好", None),
        ("3天了还没有到账", None),
    ],
)
def test_a_reply_gives_a_score_in_the_words_of_the_scale_or_leaves_it_to_a_person(
    text: str, told: tuple[int, bool] | None
) -> None:
    assert score_of(text) == told


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_line_of_the_scale_in_the_letter_is_its_own_score(language: str) -> None:
    letter = (TEMPLATES / language / "feedback_request.txt").read_text(encoding="utf-8")
    scale = re.findall(r"^([1-5])  (.+)$", letter, re.MULTILINE)
    assert [number for number, _ in scale] == list("12345")
    for number, words in scale:
        for said in (number, words, words.capitalize() + ".", f"{number}  {words}", f"{number} ({words})"):
            assert score_of(said) == (int(number), False), said
    assert score_of("\n".join(f"{number}  {words}" for number, words in scale)) is None


@pytest.mark.parametrize("filler", [" ", "\t", "-", "(", "–", "!", "满", "very ", "_"])
def test_no_reply_takes_long_to_read(filler: str) -> None:
    """A workflow that thinks for two seconds is taken for stuck: twenty thousand spaces were enough for that."""
    begun = time.monotonic()
    for text in (f"5{filler * 9_000}x", filler * 9_000, f"满意{filler * 9_000}？"):
        score_of(text)
    assert time.monotonic() - begun < 1.5
