"""Which categories a text speaks of in everyday words."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from domain.ground.phrases import PhraseBook, Pieces, listed
from domain.ground.words import Category
from domain.speech import topics_en, topics_zh
from domain.speech.adjuncts import adjuncts
from domain.speech.patterns import Hit, PatternBook, Spans

NAMES_IT = 3
"""A word of this weight names the matter: everyday speech around it adds nothing."""


class Named(NamedTuple):
    """A phrase that stands in a text: as its list has it, how it is written, its first piece and the one behind it, and
    its weight by category; of a phrase that takes its words out of play there is none.
    """

    phrase: str
    written: str
    first: int
    end: int
    weights: Mapping[Category, int]


class Reading:
    """A text as it is written, and without the adjuncts that part the words of a phrase."""

    def __init__(self, pieces: Pieces, words: PhraseBook[dict[Category, int]]) -> None:
        self.pieces = pieces
        self._adjuncts = adjuncts(pieces)
        self._rest = pieces.without(self._adjuncts) if self._adjuncts else None
        self.named = sorted(self._named(words), key=lambda one: one.first)
        """The *words* that stand in it, from left to right, however often."""

    def _named(self, words: PhraseBook[dict[Category, int]]) -> Iterator[Named]:
        covered = list(self._adjuncts)  # a branch in a place is none
        if rest := self._rest:
            for phrase, first, end, weights in words.occurrences(rest):
                low, high = rest.in_whole(first, end)
                if high - low > end - first:
                    covered.append((low, high))  # the longer phrase says what is meant: withdraw today my complaint
                    yield Named(phrase, rest.as_written(first, end), low, high, weights)
        spans = Spans(covered)
        for phrase, first, end, weights in words.occurrences(self.pieces):
            if not any(low <= first and end <= high for low, high in spans.around(first, end)):
                yield Named(phrase, self.pieces.as_written(first, end), first, end, weights)

    def patterns(self) -> dict[str, Hit[dict[Category, int]]]:
        """The patterns found, each where it stands first."""
        hits: dict[str, Hit[dict[Category, int]]] = {}
        for book in _books():
            for hit in book.find(self.pieces, once=True):
                hits[hit.pattern] = hit
            if rest := self._rest:
                for hit in book.find(rest, once=True):
                    if hit.pattern not in hits:
                        first, end = rest.in_whole(hit.first, hit.end)
                        hits[hit.pattern] = replace(hit, first=first, end=end)
        return hits


def spoken(reading: Reading) -> Iterator[Named]:
    """Yield each pattern found once.

    Of patterns that share words the heaviest counts for a category, so that one remark is not counted twice. What a
    word that is named says already is not counted again, and what one covers that means no category is not heard.
    """
    elsewhere = bytearray(len(reading.pieces.keys))
    counted: list[tuple[int, int, Mapping[Category, int]]] = []
    for one in reading.named:
        if one.weights:
            counted.append((one.first, one.end, one.weights))
        else:
            elsewhere[one.first : one.end] = b"\1" * (one.end - one.first)
    hits = {name: hit for name, hit in reading.patterns().items() if not any(elsewhere[hit.first : hit.end])}
    weights: dict[str, dict[Category, int]] = {pattern: {} for pattern in hits}
    taken: dict[Category, list[tuple[int, int]]] = {}
    for found, category, weight in sorted(
        ((one, category, weight) for one in hits.values() for category, weight in one.meaning.items()),
        key=lambda each: (-each[2], each[0].first, each[0].first - each[0].end, each[0].pattern),
    ):
        first, end = found.first, found.end
        said = max((by.get(category, 0) for low, high, by in counted if low < end and first < high), default=0)
        more = 0 if said >= NAMES_IT else weight - said
        spans = taken.setdefault(category, [])
        if more > 0 and not any(low < end and first < high for low, high in spans):
            spans.append((first, end))
            weights[found.pattern][category] = more
    for pattern, hit in hits.items():
        if weights[pattern]:
            yield Named(pattern, hit.shown, hit.first, hit.end, weights[pattern])


@cache
def _books() -> tuple[PatternBook[dict[Category, int]], ...]:
    return tuple(PatternBook(_meanings(one.TOPICS), one.CLASSES) for one in (topics_en, topics_zh))


def _meanings(topics: Mapping[Category, Mapping[int, str]]) -> dict[str, dict[Category, int]]:
    meanings: dict[str, dict[Category, int]] = {}
    for category, by_weight in topics.items():
        for weight, patterns in by_weight.items():
            for pattern in listed(patterns):
                weights = meanings.setdefault(pattern, {})
                weights[category] = max(weight, weights.get(category, 0))
    return meanings
