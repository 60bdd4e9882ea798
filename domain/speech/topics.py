"""Which categories a text speaks of in everyday words."""

from collections.abc import Iterator, Mapping
from functools import cache

from domain.ground.phrases import PhraseBook, Pieces, listed
from domain.ground.words import Category
from domain.speech import topics_en, topics_zh
from domain.speech.patterns import Hit, PatternBook

NAMES_IT = 3
"""A word of this weight names the matter: everyday speech around it adds nothing."""


def spoken(pieces: Pieces, words: PhraseBook[dict[Category, int]]) -> Iterator[tuple[str, str, Mapping[Category, int]]]:
    """Yield each pattern found once: the pattern, its words as they are written, and its weight by category.

    Of patterns that share words the heaviest counts for a category, so that one remark is not counted twice. What one
    of these *words* says already is not counted again, and what one covers that means no category is not heard.
    """
    hits: dict[str, Hit[dict[Category, int]]] = {}
    elsewhere = bytearray(len(pieces.keys))
    counted: list[tuple[int, int, Mapping[Category, int]]] = []
    for _, first, end, by_category in words.occurrences(pieces):
        if by_category:
            counted.append((first, end, by_category))
        else:
            elsewhere[first:end] = b"\1" * (end - first)
    for book in _books():
        for hit in book.find(pieces, once=True):
            if not any(elsewhere[hit.first : hit.end]):
                hits[hit.pattern] = hit
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
            yield pattern, hit.shown, weights[pattern]


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
