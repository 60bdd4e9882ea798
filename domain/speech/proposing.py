"""A linear model over n-grams: it proposes a category where the rules are silent, and hears danger to life.

It decides nothing. Where it is not sure enough it abstains; where it hears danger to life, a person looks. A model is a
table of weights by hash of n-gram (so that it holds no words), learned elsewhere; reading a text with it needs nothing
but this module.
"""

import gzip
import json
import math
import zlib
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from domain.ground.base import Record
from domain.ground.phrases import Pieces
from domain.ground.words import Category

FORMAT: Final = "redress-ngrams-1"
WINDOW: Final = 45
"""Danger to life is listened for in so many words of English or characters of Chinese at once: a cry for help must not
be drowned by a long story."""
_ALONE: Final = 6
"""A sentence of so many words or characters is listened to by itself as well."""

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
    """What a model makes of a text. ``danger`` is how likely it tells of danger to life; ``alarm`` calls a person.

    ``harmless``: it is so sure that there is none that a single word of the lists raises none.
    """

    model: str
    proposal: Proposal | None = None
    danger: float = 0.0
    alarm: bool = False
    harmless: bool = False


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
            # An array of these takes a fifth of the memory that a list does.
            features = {int(key, 16): array("i", each) for key, each in content["features"].items()}
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

    def listen(self, text: str, beside: Mapping[Category, float] | None = None) -> Opinion:
        """What it makes of *text*; a category weighed with how likely another model finds each, *beside*."""
        read = _Read(self.weights, text)
        danger = read.danger()
        return Opinion(
            model=self.version,
            proposal=read.proposal(beside),
            danger=round(danger, 3),
            alarm=danger >= self.weights.alarm,
        )

    def propose(self, text: str) -> Proposal | None:
        """The likeliest category if it is sure enough, else nothing; nothing either of a text with nothing it knows."""
        return _Read(self.weights, text).proposal()

    def confidences(self, text: str) -> dict[Category, float]:
        """How likely each category is, the likeliest first."""
        return _Read(self.weights, text).confidences()

    def danger(self, text: str) -> float:
        """How likely *text* tells of danger to life, from 0 to 1: the most of any part of it."""
        return _Read(self.weights, text).danger()


class _Read:
    """A text as it is read with what was learned, no part of it twice."""

    def __init__(self, weights: Weights, text: str) -> None:
        self._weights = weights
        self._keys = Pieces(text).keys
        self._known: dict[tuple[str, ...], _Found] = {}

    def proposal(self, beside: Mapping[Category, float] | None = None) -> Proposal | None:
        if not self._found(self._keys):
            return None
        shares = self.confidences()
        if beside:
            shares = _both(shares, beside)
        category, confidence = max(shares.items(), key=lambda one: one[1])
        if confidence < self._weights.sure_enough or category is Category.OTHER:
            return None
        return Proposal(category=category, confidence=round(confidence, 3), model=self._weights.version)

    def confidences(self) -> dict[Category, float]:
        found, heat = self._found(self._matter()), self._weights.heat
        scores = [self._score(found, at) / heat for at in range(len(self._weights.categories))]
        highest = max(scores)
        shares = [math.exp(score - highest) for score in scores]
        whole = sum(shares)
        ranked = sorted(zip(self._weights.categories, shares, strict=True), key=lambda one: (-one[1], one[0]))
        return {category: share / whole for category, share in ranked}

    def danger(self) -> float:
        """Of a sentence among others as of the same alone: what stands around it takes nothing from it.

        Short ones say too little by themselves; the word lists know them, and whether they are meant.
        """
        alone = (one for one in sentences(self._keys) if len(one) >= _ALONE)
        return max(map(self._danger_in, [*windows(self._keys), *alone]))

    def _matter(self) -> Sequence[str]:
        """Without the sentences in which danger to life is heard, if others are left: those say what it is about."""
        told = [one for one in sentences(self._keys) if self._danger_in(one) < self._weights.alarm]
        matter = [key for one in told for key in one]
        return matter if any(key[0].isalnum() for key in matter) else self._keys

    def _danger_in(self, keys: Sequence[str]) -> float:
        return likelihood(self._score(self._found(keys), -1))

    def _score(self, found: "_Found", at: int) -> float:
        """What was learned of a part, by the place of a category in the weights; danger to life is the last."""
        score = self._weights.bias[at]
        for share, learned in found:
            score += share * learned[at]
        return score

    def _found(self, keys: Sequence[str]) -> "_Found":
        part = tuple(keys)
        if part not in self._known:
            self._known[part] = _found(self._weights.features, part)
        return self._known[part]


def _both(some: Mapping[Category, float], others: Mapping[Category, float]) -> dict[Category, float]:
    """What two models find likely, as if each had half a voice."""
    shares = {one: math.sqrt(some[one] * others.get(one, 0.0)) for one in some}
    whole = sum(shares.values()) or 1.0
    return {one: share / whole for one, share in shares.items()}


_Found: TypeAlias = Sequence[tuple[float, Sequence[int]]]
"""The known features of a part: the share of each, and what was learned of it."""


def _found(known: Mapping[int, Sequence[int]], keys: Sequence[str]) -> _Found:
    found = [
        ((1 + math.log(count)) * learned[0] / THOUSANDTHS, learned)
        for feature, count in features(keys).items()
        if (learned := known.get(feature))
    ]
    norm = math.sqrt(sum(value * value for value, _ in found))
    return [(value / norm / THOUSANDTHS, learned[1:]) for value, learned in found]


def features(keys: Sequence[str]) -> Counter[int]:
    """The n-grams of a text in pieces, by hash: parts of English words, one to four characters of Chinese, pairs of
    words."""
    found: list[int] = []
    run: list[str] = []
    for key in [*keys, "\n"]:
        if not key[0].isalnum():
            if key[0] in "?？":
                found.append(_hashed("?"))
            run = []
            continue
        word = "#" if key.isdigit() else key
        run.append(word)
        if word.isascii():
            found += _parts(word)
        for size in range(2 if word.isascii() else 1, _WORDS + 1 if word.isascii() else _CHINESE + 1):
            if len(run) >= size:
                found.append(_hashed("_".join(run[-size:])))
    return Counter(found)


@lru_cache(maxsize=16_384)
def _parts(word: str) -> tuple[int, ...]:
    """The parts of an English word, and the whole, by hash: most words of a text stand in all others."""
    padded = f" {word} "
    parts = [padded[at : at + size] for size in _ENGLISH for at in range(len(padded) - size + 1)]
    return tuple(map(_hashed, [*parts, padded] if len(padded) > _ENGLISH[-1] else parts))


def _hashed(gram: str) -> int:
    return zlib.crc32(gram.encode())


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
