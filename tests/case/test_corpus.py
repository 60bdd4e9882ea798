"""The corpus: as large as promised, in both languages, with known labels, and nothing in it twice."""

from collections import Counter
from itertools import pairwise

from domain.ground.words import Category
from tests.case.corpus import kept_apart, training

SIGNS = {"", "danger", "vulnerable", "leak", "intrusion", "none"}
ALIKE = 0.6
"""Sentences that share so much of their character n-grams are the same (Jaccard)."""


def grams(text: str) -> frozenset[str]:
    letters = "".join(one for one in text.casefold() if one.isalnum())
    size = 3 if letters.isascii() else 2
    return frozenset(letters[at : at + size] for at in range(max(1, len(letters) - size + 1)))


def test_every_sentence_has_a_known_language_category_and_sign() -> None:
    for row in (*training(), *kept_apart()):
        assert row.language in {"en", "zh"}, row
        assert row.category in {"", *Category}, row
        assert row.sign in SIGNS, row
        assert row.category or row.sign, row
        assert row.text == row.text.strip(), row


def test_there_are_enough_sentences_of_each_kind_in_both_languages() -> None:
    count = Counter(row.language for row in training())
    assert sum(count.values()) >= 1500
    assert min(count.values()) >= 700
    apart = Counter((row.language, row.sign) for row in kept_apart())
    for language in ("en", "zh"):
        assert apart[language, "danger"] >= 30
        assert apart[language, "none"] >= 30
        assert sum(row.language == language and bool(row.category) for row in kept_apart()) >= 100


def test_no_sentence_is_nearly_another_neither_within_the_corpus_nor_across_its_parts() -> None:
    every = sorted((len(grams(row.text)), row.text, grams(row.text)) for row in (*training(), *kept_apart()))
    alike = []
    for number, (size, text, known) in enumerate(every):
        for larger, other, its in every[number + 1 :]:
            if size < ALIKE * larger:
                break
            shared = len(known & its)
            if shared >= ALIKE * (size + larger - shared):
                alike.append((text, other))
    assert alike == []
    assert all(one[1] != another[1] for one, another in pairwise(every))
