"""A model that proposes a category where the rules are silent: naive Bayes over character n-grams.

It is counted from labelled sentences, so it is the same for the same sentences. It proposes only, and decides nothing;
where it is not sure enough it abstains.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

from domain.ground.base import Record
from domain.ground.phrases import Pieces
from domain.ground.words import Category

SMOOTHING: Final = 0.3
EVIDENCE_ENGLISH: Final = 0.5
EVIDENCE_CHINESE: Final = 1.0
"""N-grams overlap, so that they tell less together than each alone. Found by leaving out a fifth of the training
sentences in turn, so that the confidence in those is on average the share of them that is right."""
SURE_ENOUGH: Final = 0.4
"""A proposal of less confidence is not made."""


class Proposal(Record):
    """The category proposed for a text and how sure that is, from 0 to 1."""

    category: Category
    confidence: float


class Model:
    """Counts of n-grams by category. Raises ``ValueError`` if there are no sentences."""

    def __init__(self, sentences: Iterable[tuple[Category, str]]) -> None:
        counts: dict[Category, Counter[str]] = defaultdict(Counter)
        for category, text in sentences:
            counts[category].update(_features(text))
        if not counts:
            raise ValueError("there is nothing to learn from: no sentence has a category")
        known = len({feature for each in counts.values() for feature in each})
        self._nothing: dict[Category, float] = {}
        self._weights: dict[str, dict[Category, float]] = defaultdict(dict)
        for category, each in counts.items():
            total = each.total() + SMOOTHING * known
            self._nothing[category] = math.log(SMOOTHING / total)
            for feature, count in each.items():
                self._weights[feature][category] = math.log((count + SMOOTHING) / SMOOTHING)

    def confidences(self, text: str) -> dict[Category, float]:
        """How likely each category is, the likeliest first."""
        features = _features(text) & self._weights.keys()
        scores = {category: len(features) * nothing for category, nothing in self._nothing.items()}
        for feature in features:
            for category, weight in self._weights[feature].items():
                scores[category] += weight
        highest = max(scores.values())
        weight = (EVIDENCE_ENGLISH if text.isascii() else EVIDENCE_CHINESE) / math.sqrt(max(1, len(features)))
        shares = {category: math.exp(weight * (score - highest)) for category, score in scores.items()}
        whole = sum(shares.values())
        return {
            category: share / whole for category, share in sorted(shares.items(), key=lambda one: (-one[1], one[0]))
        }

    def propose(self, text: str) -> Proposal | None:
        """The likeliest category if it is sure enough, else nothing."""
        category, confidence = next(iter(self.confidences(text).items()))
        if confidence < SURE_ENOUGH or category is Category.OTHER:
            return None
        return Proposal(category=category, confidence=round(confidence, 3))


def _features(text: str) -> frozenset[str]:
    """Words and their neighbours; of Chinese one to three characters, of English words two to five letters."""
    found: set[str] = set()
    run: list[str] = []
    for key in [*Pieces(text).keys, "\n"]:
        if not key[0].isalnum():
            run = []
            continue
        word = "#" if key.isdigit() else key
        if word.isascii():
            padded = f" {word} "
            found.update(padded[at : at + size] for size in (3, 4, 5) for at in range(len(padded) - size + 1))
            found.add(padded)
        run.append(word)
        for size in (1, 2, 3):
            if len(run) >= size and (size > 1 or not word.isascii()):
                found.add("_".join(run[-size:]))
    return frozenset(found)
