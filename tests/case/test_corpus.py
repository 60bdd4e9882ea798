"""The corpus: as large as promised, in both languages, with known labels, and nothing in it twice."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from domain.ground.words import Category
from domain.speech.proposing import Model
from runtime.corpus import CorpusError, Sentence, model, sentences, training
from runtime.paths import CORPUS

SIGNS = {"", "danger", "vulnerable", "leak", "intrusion", "none"}
ALIKE = 0.6
"""Sentences that share so much of their character n-grams are the same (Jaccard)."""


def grams(text: str) -> frozenset[str]:
    letters = "".join(one for one in text.casefold() if one.isalnum())
    size = 3 if letters.isascii() else 2
    return frozenset(letters[at : at + size] for at in range(max(1, len(letters) - size + 1)))


def kept_apart() -> list[Sentence]:
    return [*sentences(CORPUS / "test.tsv"), *sentences(CORPUS / "unseen.tsv")]


def test_every_sentence_has_a_known_language_category_and_sign() -> None:
    for row in (*training(), *kept_apart()):
        assert row.language in {"en", "zh"}, row
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


def test_a_table_that_cannot_be_read_names_file_and_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.tsv"
    for line in ("en\tnonsense\t\tText", "en\tfee"):
        broken.write_text(f"language\tcategory\tsign\ttext\nen\tfee\t\tText\n{line}\n", encoding="utf-8")
        with pytest.raises(CorpusError, match=r"broken\.tsv, line 3"):
            sentences(broken)


def test_the_model_is_the_same_each_time_knows_what_it_read_and_abstains_from_what_it_cannot_know() -> None:
    one, another = model(), model()
    text = "The withdrawal I asked for was cancelled without a reason."
    assert one.confidences(text) == another.confidences(text)
    proposal = one.propose("I've been trying to withdraw 800 dollars since the beginning of the month.")
    assert proposal is not None
    assert proposal.category is Category.WITHDRAWAL
    assert sum(one.confidences(text).values()) == pytest.approx(1)
    assert one.propose("zzz") is None
    with pytest.raises(ValueError, match="nothing to learn from"):
        Model([])
