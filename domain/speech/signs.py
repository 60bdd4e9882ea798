"""Signs of harm in a text: what it tells of, in which words, and whether that is meant."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from domain.ground.phrases import PhraseBook, Pieces, listed
from domain.ground.words import Severity
from domain.speech import signs_en, signs_zh
from domain.speech.heard import Ears
from domain.speech.patterns import PatternBook, Spans

DANGER_TO_LIFE = "danger to life"


@dataclass(frozen=True, slots=True)
class Heard:
    """A kind of harm in a text. ``not_meant`` says why it does not count, if it does not."""

    severity: Severity
    kind: str
    words: str
    not_meant: str | None = None


def is_one_phrase(words: Iterable[str]) -> bool:
    """Whether *words* are one phrase and parts of it."""
    said = sorted({each.casefold() for each in words}, key=len)
    return bool(said) and all(each in said[-1] for each in said)


def signs(pieces: Pieces, words: PhraseBook[tuple[Severity, str] | None]) -> Iterator[Heard]:
    """Yield what *pieces* tell of, in everyday speech or in these *words*, from left to right."""
    listed_words = [(first, end, meaning) for _, first, end, meaning in words.occurrences(pieces)]
    spans = Spans((first, end) for first, end, _ in listed_words)
    hits = [
        (hit.first, hit.end, hit.shown, hit.meaning)
        for book in _books()
        for hit in book.find(pieces)
        # A longer phrase of the lists says what is meant: life savings, not a life.
        if not any(
            hit.end <= high and hit.end - hit.first < high - low for low, high in spans.around(hit.first, hit.first + 1)
        )
    ]
    hits += [(first, end, pieces.as_written(first, end), meaning) for first, end, meaning in listed_words if meaning]
    if not hits:
        return
    ears = Ears(pieces)
    spared = bytearray(len(pieces.keys))
    for book in _spared():
        for hit in book.find(pieces):
            spared[hit.first : hit.end] = b"\1" * (hit.end - hit.first)
    for first, end, shown, (severity, kind) in sorted(hits, key=lambda one: (one[0], -one[1])):
        if not any(spared[first:end]):
            yield Heard(severity, kind, shown, ears.why_not_meant(first, danger=kind == DANGER_TO_LIFE))


@cache
def _books() -> tuple[PatternBook[tuple[Severity, str]], ...]:
    return tuple(PatternBook(_meanings(one.SIGNS), one.CLASSES) for one in (signs_en, signs_zh))


@cache
def _spared() -> tuple[PatternBook[None], ...]:
    """What contains a word of harm and does not tell of it."""
    return tuple(PatternBook(dict.fromkeys(listed(one.NOT_SIGNS)), {}) for one in (signs_en, signs_zh))


def _meanings(signs: Mapping[Severity, Mapping[str, str]]) -> dict[str, tuple[Severity, str]]:
    return {
        pattern: (severity, kind)
        for severity, kinds in signs.items()
        for kind, patterns in kinds.items()
        for pattern in listed(patterns)
        if pattern
    }
