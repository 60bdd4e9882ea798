"""The corpus: as large as promised, in both languages, with known labels, and nothing in it twice."""

import gzip
from collections import Counter, defaultdict, deque
from itertools import pairwise
from math import ceil
from pathlib import Path

import pytest

from domain.ground.phrases import Pieces
from domain.ground.words import Category
from domain.speech.proposing import WINDOW, Model, ModelError, Weights, features, windows
from runtime.corpus import CorpusError, Sentence, authored, model, said, sentences, training
from runtime.learning import SEEN, NothingToLearn, besides, learn
from runtime.paths import CORPUS

SIGNS = {"", "danger", "vulnerable", "leak", "intrusion", "none"}
ALIKE = 0.6
"""Sentences that share so much of their character n-grams are the same (Jaccard)."""


def grams(text: str) -> frozenset[str]:
    letters = "".join(one for one in text.casefold() if one.isalnum())
    size = 3 if letters.isascii() else 2
    return frozenset(letters[at : at + size] for at in range(max(1, len(letters) - size + 1)))


def kept_apart() -> list[Sentence]:
    names = ("test", "life", "everyday", "blind_life", "blind_everyday", "voices", "many_kinds")
    return [one for name in names for one in authored(CORPUS / "authored" / f"{name}.jsonl")]


def test_every_sentence_has_a_known_language_category_and_sign() -> None:
    for row in (*training(), *kept_apart()):
        assert row.language in {"en", "zh"}, row
        assert row.sign in SIGNS, row
        assert row.category or row.sign, row
        assert row.text == row.text.strip(), row


def test_there_are_enough_sentences_of_each_kind_in_both_languages() -> None:
    count = Counter(row.language for row in training())
    assert sum(count.values()) >= 2500
    assert min(count.values()) >= 1200
    apart = Counter((row.language, row.sign) for row in kept_apart())
    for language in ("en", "zh"):
        assert apart[language, "danger"] >= 65
        assert apart[language, "none"] >= 280
        assert sum(row.language == language and bool(row.category) for row in kept_apart()) >= 100


def test_no_sentence_is_nearly_another_neither_within_the_corpus_nor_across_its_parts() -> None:
    about_signs = said(CORPUS / "authored" / "signs.jsonl")
    texts = [row.text for row in (*training(), *kept_apart())] + [row.text for row in about_signs]
    assert len(set(texts)) == len(texts)
    every = [grams(text) for text in texts]
    common = Counter(gram for known in every for gram in known)
    alike = []
    by_gram: dict[str, deque[int]] = defaultdict(deque)
    for number, known in sorted(enumerate(every), key=lambda one: len(one[1])):
        # Whatever is so much alike shares one of the rarest grams of each, and is not much shorter.
        rarest = sorted(known, key=lambda gram: (common[gram], gram))[: len(known) - ceil(ALIKE * len(known)) + 1]
        for gram in rarest:
            while by_gram[gram] and len(every[by_gram[gram][0]]) < ALIKE * len(known):
                by_gram[gram].popleft()
        for other in {other for gram in rarest for other in by_gram[gram]}:
            shared = len(known & every[other])
            if shared >= ALIKE * (len(known) + len(every[other]) - shared):
                alike.append((texts[number], texts[other]))
        # Whoever comes later is as long at least, and would share more of this one.
        for gram in rarest[: len(known) - ceil(2 * ALIKE / (1 + ALIKE) * len(known)) + 1]:
            by_gram[gram].append(number)
    assert alike == []


def test_a_table_that_cannot_be_read_names_file_and_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.tsv"
    for line in ("en\tnonsense\t\tText", "en\tfee"):
        broken.write_text(f"language\tcategory\tsign\ttext\nen\tfee\t\tText\n{line}\n", encoding="utf-8")
        with pytest.raises(CorpusError, match=r"broken\.tsv, line 3"):
            sentences(broken)


def test_the_model_knows_what_it_read_and_abstains_from_what_it_cannot_know() -> None:
    shipped = model()
    text = "I've been trying to withdraw 800 dollars since the beginning of the month."
    opinion = shipped.listen(text)
    assert opinion.proposal is not None
    assert (opinion.proposal.category, opinion.proposal.model) == (Category.WITHDRAWAL, shipped.version)
    assert not opinion.alarm
    assert sum(shipped.confidences(text).values()) == pytest.approx(1)
    assert shipped.propose("zzz") is None


@pytest.mark.parametrize(
    "cry",
    [
        "The tablets are counted and the letters to my daughters are on the table, I won't see the morning.",
        "药已经数好了，给女儿的信放在桌上，明天早上我就不在了。",
    ],
)
def test_a_cry_for_help_is_heard_alone_and_in_a_long_story(cry: str) -> None:
    dull = "My order of Monday was filled at another price than the one I saw. " * 60
    for text in (cry, dull + cry + dull):
        assert model().listen(text).alarm
    assert not model().listen(dull).alarm


def test_parts_of_a_text_leave_nothing_out_and_are_no_longer_than_they_may_be() -> None:
    keys = [str(number) if number % 37 else "." for number in range(1, 1000)]
    parts = list(windows(keys))
    assert max(map(len, parts)) <= WINDOW
    assert {key for part in parts for key in part} == set(keys)
    assert list(windows([])) == [[]]
    short = [str(number) if number % 7 else "." for number in range(1, 300)]
    assert all(set(one) & set(other) - {"."} for one, other in pairwise(windows(short)))


def test_a_cry_for_help_says_nothing_of_the_category_unless_it_is_all_there_is() -> None:
    matter, cry = "My payout is two weeks late.", "I shall kill myself."
    assert model().propose(f"{matter} {cry}") == model().propose(f"{cry} {matter}") == model().propose(matter)
    assert model().confidences(cry) != model().confidences("")


def test_a_complaint_that_is_like_none_is_no_proposal_however_sure_the_model_is() -> None:
    kinds = (Category.FEE, Category.OTHER, Category.CARD)
    known = dict.fromkeys(features(Pieces("Something.").keys), (1000, 0, 0, 0, 0))
    fee, other = (Model(Weights("v-1", kinds, bias, known)) for bias in ((9, 0, 0, 0), (0, 9, 0, 0)))
    assert (proposal := fee.propose("Something.")) is not None
    assert proposal.category is Category.FEE
    assert other.propose("Something.") is None
    assert fee.propose("Zzz.") is None, "it knows nothing of this text"


def test_what_is_learned_is_the_same_each_time_and_survives_its_file() -> None:
    few = {Category.FEE, Category.CARD, Category.SERVICE}
    rows = [one for one in training() if one.category in few or (one.sign == "danger" and not one.category)][::20]
    learned, again = learn(rows), learn(rows)
    assert learned.weights.packed() == again.weights.packed()
    assert learned.weights.packed()[4:8] == bytes(4), "the file says when it was made"
    read = Weights.unpacked(learned.weights.packed())
    assert read.packed() == learned.weights.packed()
    assert set(read.categories) == few
    seen = Counter(feature for one in rows for feature in features(Pieces(one.text).keys))
    assert all(seen[feature] >= SEEN for feature in read.features), "a feature of one sentence only is kept"
    assert learned.right > 0.5


def test_what_is_said_besides_the_matter_is_learned_as_beside_it() -> None:
    rows = [
        Sentence("en", Category.FEE, "", "Too dear"),
        Sentence("en", Category.SERVICE, "", "Nobody answers"),
        Sentence("en", Category.OTHER, "", "Hello."),
        Sentence("zh", Category.CARD, "", "没人回。"),
        Sentence("en", Category.CARD, "", "No card"),
    ]
    assert besides(rows, range(len(rows))) == [(0, "Nobody answers. Too dear"), (4, "No card. Nobody answers")]


def test_from_too_little_nothing_is_learned_and_the_error_says_of_what() -> None:
    rows = [Sentence("en", Category.FEE, "danger", f"too dear {number}") for number in range(9)]
    with pytest.raises(NothingToLearn, match="three categories"):
        learn(rows)
    with pytest.raises(NothingToLearn, match="card"):
        learn([*rows, Sentence("en", Category.CARD, "", "plastic")])


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"no model",
        gzip.compress(b"{}"),
        gzip.compress(b'{"format":"other"}'),
        Weights("v-1", (Category.FEE, Category.CARD), (0, 0), {}).packed(),
        Weights("v-1", (Category.FEE, Category.CARD), (0, 0, 0), {7: (1, 2, 3)}).packed(),
    ],
    ids=["empty", "no archive", "without a format", "of another format", "without a bias", "without a weight"],
)
def test_a_file_that_is_no_model_is_refused_with_the_way_out(broken: bytes, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="train"):
        Weights.unpacked(broken)
    (tmp_path / "own.gz").write_bytes(broken)
    with pytest.raises(CorpusError, match=r"own\.gz"):
        model(tmp_path / "own.gz")
