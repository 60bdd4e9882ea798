"""A linear model over n-grams: it proposes a category where the rules are silent, and hears danger to life.

It decides nothing. Where it is not sure enough it abstains; where it hears danger to life, a person looks. A model is a
table of weights by hash of n-gram (so that it holds no words), learned elsewhere; reading a text with it needs nothing
but this module.
"""

import gzip
import json
import math
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from domain.ground.base import Record
from domain.ground.phrases import Pieces
from domain.ground.words import Category

FORMAT: Final = "redress-ngrams-1"
WINDOW: Final = 45
"""Danger to life is listened for in so many words of English or characters of Chinese at once: a cry for help must not
be drowned by a long story."""

_ENGLISH: Final = (3, 4, 5, 6)
_CHINESE: Final = 4
_WORDS: Final = 2
THOUSANDTHS: Final = 1000
"""What is learned of features is kept in thousandths."""
_STOPS: Final = frozenset(".!?。！？;；…\n")


class ModelError(ValueError):
    """A model cannot be read; the message says why."""


class Proposal(Record):
    """The category that a model proposes for a text, how sure it is, from 0 to 1, and which model it is."""

    category: Category
    confidence: float
    model: str


class Opinion(Record):
    """What a model makes of a text. ``danger`` is how likely it tells of danger to life; ``alarm`` calls a person."""

    model: str
    proposal: Proposal | None = None
    danger: float = 0.0
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class Weights:
    """What was learned: of each feature its rarity, its weights by category and its weight for danger to life, in
    thousandths.

    ``bias`` is the same without any feature, in whole; ``heat`` divides the scores, so that a confidence is the share
    of the like that is right. Confidences below ``sure_enough`` propose nothing; from ``alarm`` on danger is heard.
    """

    version: str
    categories: tuple[Category, ...]
    bias: tuple[float, ...]
    features: Mapping[int, Sequence[int]]
    heat: float = 1.0
    sure_enough: float = 0.4
    alarm: float = 0.5

    def packed(self) -> bytes:
        """As a file: JSON, compressed; the same for the same weights."""
        content = {
            "format": FORMAT,
            "version": self.version,
            "categories": list(self.categories),
            "bias": [round(one, 4) for one in self.bias],
            "heat": self.heat,
            "sure_enough": self.sure_enough,
            "alarm": self.alarm,
            "features": {f"{key:x}": list(self.features[key]) for key in sorted(self.features)},
        }
        return gzip.compress(json.dumps(content, separators=(",", ":")).encode(), mtime=0)

    @classmethod
    def unpacked(cls, packed: bytes) -> "Weights":
        """Weights from a file. Raises :class:`ModelError`."""
        try:
            content = json.loads(gzip.decompress(packed))
            if content["format"] != FORMAT:
                raise ModelError(f"its format is {content['format']}, not {FORMAT}: train it again")
            categories = tuple(Category(one) for one in content["categories"])
            features = {int(key, 16): each for key, each in content["features"].items()}
            width = len(categories) + 1
            if len(content["bias"]) != width or any(len(each) != width + 1 for each in features.values()):
                raise ModelError("its weights do not fit its categories: train it again")
            return cls(
                content["version"],
                categories,
                tuple(content["bias"]),
                features,
                content["heat"],
                content["sure_enough"],
                content["alarm"],
            )
        except ModelError:
            raise
        except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"it is no model made by redress assess train ({type(error).__name__})") from None


class Model:
    """Reads texts with what was learned."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights

    @property
    def version(self) -> str:
        return self.weights.version

    def listen(self, text: str) -> Opinion:
        """What it makes of *text*."""
        danger = self.danger(text)
        return Opinion(
            model=self.version,
            proposal=self.propose(text),
            danger=round(danger, 3),
            alarm=danger >= self.weights.alarm,
        )

    def propose(self, text: str) -> Proposal | None:
        """The likeliest category if it is sure enough, else nothing; nothing either of a text with nothing it knows."""
        if self.weights.features.keys().isdisjoint(features(Pieces(text).keys)):
            return None
        category, confidence = next(iter(self.confidences(text).items()))
        if confidence < self.weights.sure_enough or category is Category.OTHER:
            return None
        return Proposal(category=category, confidence=round(confidence, 3), model=self.version)

    def confidences(self, text: str) -> dict[Category, float]:
        """How likely each category is, the likeliest first."""
        scores = [one / self.weights.heat for one in self._scores(self._matter(Pieces(text).keys))[:-1]]
        highest = max(scores)
        shares = [math.exp(score - highest) for score in scores]
        whole = sum(shares)
        ranked = sorted(zip(self.weights.categories, shares, strict=True), key=lambda one: (-one[1], one[0]))
        return {category: share / whole for category, share in ranked}

    def danger(self, text: str) -> float:
        """How likely *text* tells of danger to life, from 0 to 1: the most of any part of it."""
        return max(likelihood(self._scores(part)[-1]) for part in windows(Pieces(text).keys))

    def _matter(self, keys: Sequence[str]) -> Sequence[str]:
        """Without the sentences in which danger to life is heard, if others are left: those say what it is about."""
        told = [one for one in sentences(keys) if likelihood(self._scores(one)[-1]) < self.weights.alarm]
        matter = [key for one in told for key in one]
        return matter if any(key[0].isalnum() for key in matter) else keys

    def _scores(self, keys: Sequence[str]) -> list[float]:
        scores = list(self.weights.bias)
        length, found = 0.0, []
        for feature, count in features(keys).items():
            learned = self.weights.features.get(feature)
            if learned:
                value = (1 + math.log(count)) * learned[0] / THOUSANDTHS
                length += value * value
                found.append((value, learned))
        if found:
            norm = math.sqrt(length)
            for value, learned in found:
                share = value / norm / THOUSANDTHS
                for at in range(len(scores)):
                    scores[at] += share * learned[at + 1]
        return scores


def features(keys: Sequence[str]) -> Counter[int]:
    """The n-grams of a text in pieces, by hash: parts of English words, one to four characters of Chinese, pairs of
    words."""
    found: Counter[str] = Counter()
    run: list[str] = []
    for key in [*keys, "\n"]:
        if not key[0].isalnum():
            if key[0] in "?？":
                found["?"] += 1
            run = []
            continue
        word = "#" if key.isdigit() else key
        if word.isascii():
            padded = f" {word} "
            found.update(padded[at : at + size] for size in _ENGLISH for at in range(len(padded) - size + 1))
            if len(padded) > _ENGLISH[-1]:
                found[padded] += 1
        run.append(word)
        for size in range(1, _WORDS + 1 if word.isascii() else _CHINESE + 1):
            if len(run) >= size and (size > 1 or not word.isascii()):
                found["_".join(run[-size:])] += 1
    return Counter({zlib.crc32(gram.encode()): count for gram, count in found.items()})


def likelihood(score: float) -> float:
    """A score as a likelihood, from 0 to 1."""
    return 1 / (1 + math.exp(-score))


def sentences(keys: Sequence[str]) -> list[list[str]]:
    """The sentences of a text, the longest cut; the last one may be empty."""
    parts: list[list[str]] = [[]]
    for key in keys:
        parts[-1].append(key)
        if key[0] in _STOPS or len(parts[-1]) >= WINDOW:
            parts.append([])
    return parts


def windows(keys: Sequence[str]) -> Iterator[list[str]]:
    """The sentences of a text, as many at once as fit; each but the first begins where half of the last one began."""
    parts = sentences(keys)
    at = 0
    while at < len(parts):
        end, size = at, 0
        while end < len(parts) and (end == at or size + len(parts[end]) <= WINDOW):
            size += len(parts[end])
            end += 1
        yield [key for one in parts[at:end] for key in one]
        if end == len(parts):
            return
        at = max(at + 1, (at + end) // 2)
