"""Patterns of everyday speech, found in Chinese and English text.

A pattern is written like a phrase of :mod:`domain.ground.phrases`, and may leave room:

- ``~`` stands for up to four English words or six Chinese characters, ``~~`` for twice as many;
- ``{money}`` for any phrase of the class *money*;
- ``(not|never)`` for one of these, ``(my|)`` for the word or nothing;
- ``#`` for a number.

No pattern reaches across punctuation.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from domain.ground.phrases import Pieces, listed

T = TypeVar("T")

_ENGLISH_GAP, _CHINESE_GAP = 4, 6
_ELEMENT = re.compile(r"~+|\{\w+\}|\([^()]*\)|#|[^~{}()#]+")
_DECIMAL = frozenset({".", ","})


class PatternError(ValueError):
    """A pattern cannot be read; the message names it."""


@dataclass(frozen=True, slots=True)
class _Words:
    """One of some phrases, by their first piece; ``None`` in ``optional`` lets them be left out."""

    beginning: Mapping[str, tuple[tuple[str, ...], ...]]
    optional: bool


_NUMBER: Final = "#"
_Element = _Words | int | str


@dataclass(frozen=True, slots=True)
class Hit(Generic[T]):
    """A pattern found: what it means and where, in pieces. ``shown`` are its words as written, gaps left out."""

    pattern: str
    meaning: T
    first: int
    end: int
    shown: str


class Spans:
    """Places in a text, of which those near a place are found without looking at all of them."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        self._spans = sorted(spans)
        self._longest = max((end - first for first, end in self._spans), default=0)

    def around(self, begin: int, end: int) -> list[tuple[int, int]]:
        """Those that have a piece from *begin* on and start before *end*, and perhaps some that end before *begin*."""
        first = bisect_left(self._spans, (begin - self._longest, 0))
        return self._spans[first : bisect_left(self._spans, (end, 0))]


class PatternBook(Generic[T]):
    """Patterns, each with what it means. Raises ``PatternError`` for one that cannot be read."""

    def __init__(self, meanings: Mapping[str, T], classes: Mapping[str, str]) -> None:
        self._classes = classes
        self._by_first: dict[str, list[tuple[str, T, tuple[_Element, ...]]]] = defaultdict(list)
        for pattern, meaning in meanings.items():
            elements = self._read(pattern)
            first = elements[0]
            if not isinstance(first, _Words) or first.optional:
                raise PatternError(f"{pattern}: begins with no word")
            for key in first.beginning:
                self._by_first[key].append((pattern, meaning, elements))

    def find(self, pieces: Pieces, *, once: bool = False) -> Iterator[Hit[T]]:
        """Yield where the patterns are found, from left to right; of one pattern at one place the shortest.

        With *once* each pattern is looked for until it is found. A clause that is repeated is read once.
        """
        keys = pieces.keys
        found: set[str] = set()
        read: set[tuple[str, ...]] = set()
        for begin, end in clauses(keys):
            clause = tuple(keys[begin:end])
            if clause in read:
                continue
            read.add(clause)
            known = frozenset(clause)
            possible: dict[str, list[tuple[str, T, tuple[_Element, ...]]]] = {}
            for key in known & self._by_first.keys():
                possible[key] = [one for one in self._by_first[key] if _may_stand(one[2], known)]
            for at in range(begin, end):
                for pattern, meaning, elements in tuple(possible.get(keys[at], ())):
                    if once and pattern in found:
                        possible[keys[at]].remove((pattern, meaning, elements))
                        continue
                    spans = _match(keys, at, end, elements, 0)
                    if spans is not None:
                        found.add(pattern)
                        shown = " … ".join(pieces.as_written(first, last) for first, last in _joined(spans))
                        yield Hit(pattern, meaning, spans[0][0], spans[-1][1], shown)

    def _read(self, pattern: str) -> tuple[_Element, ...]:
        gap = _ENGLISH_GAP if pattern.isascii() else _CHINESE_GAP
        elements: list[_Element] = []
        for part in (match.group().strip() for match in _ELEMENT.finditer(pattern)):
            if not part:
                continue
            if part[0] == "~":
                elements.append(gap * len(part))
            elif part == "#":
                elements.append(_NUMBER)
            elif part[0] == "{":
                if part[1:-1] not in self._classes:
                    raise PatternError(f"{pattern}: there is no class {part[1:-1]}")
                elements.append(_words(listed(self._classes[part[1:-1]])))
            elif part[0] == "(":
                elements.append(_words([one.strip() for one in part[1:-1].split("|")]))
            else:
                elements.append(_words([part]))
        if not elements:
            raise PatternError("a pattern is empty")
        return tuple(elements)


def _words(phrases: Iterable[str]) -> _Words:
    beginning: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    optional = False
    for phrase in phrases:
        keys = tuple(Pieces(phrase).keys)
        if keys:
            beginning[keys[0]].append(keys)
        else:
            optional = True
    # The longest first: "funds" before "fund" where both may stand.
    return _Words({key: tuple(sorted(each, key=len, reverse=True)) for key, each in beginning.items()}, optional)


def _may_stand(elements: tuple[_Element, ...], known: frozenset[str]) -> bool:
    return all(not isinstance(one, _Words) or one.optional or not known.isdisjoint(one.beginning) for one in elements)


def _match(
    keys: list[str], at: int, end: int, elements: tuple[_Element, ...], number: int
) -> list[tuple[int, int]] | None:
    """The spans of the words of *elements* from the one of that *number*, if they stand from piece *at* on.

    The clause ends before piece *end*.
    """
    if number == len(elements):
        return []
    element = elements[number]
    if isinstance(element, int):
        for ahead in range(at, min(at + element, end) + 1):
            rest = _match(keys, ahead, end, elements, number + 1)
            if rest is not None:
                return rest
        return None
    if at < end:
        for after in _ends(keys, at, element):
            rest = _match(keys, after, end, elements, number + 1)
            if rest is not None:
                return [(at, after), *rest]
    if isinstance(element, _Words) and element.optional:
        return _match(keys, at, end, elements, number + 1)
    return None


def _ends(keys: list[str], at: int, element: _Words | str) -> Iterator[int]:
    """Where *element* may end if it begins at piece *at*."""
    if isinstance(element, str):
        if keys[at].isdigit():
            if at + 2 < len(keys) and keys[at + 1] in _DECIMAL and keys[at + 2].isdigit():
                yield at + 3
            yield at + 1
        return
    for phrase in element.beginning.get(keys[at], ()):
        if tuple(keys[at : at + len(phrase)]) == phrase:
            yield at + len(phrase)


def clauses(keys: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the first piece of each clause and the one behind it: what stands between punctuation."""
    begin = 0
    for at, key in enumerate(keys):
        if not key[0].isalnum() and not _in_a_number(keys, at):
            if begin < at:
                yield begin, at
            begin = at + 1
    if begin < len(keys):
        yield begin, len(keys)


def _in_a_number(keys: list[str], at: int) -> bool:
    return keys[at] in _DECIMAL and 0 < at < len(keys) - 1 and keys[at - 1].isdigit() and keys[at + 1].isdigit()


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans that touch are one."""
    joined: list[tuple[int, int]] = []
    for first, end in spans:
        if joined and joined[-1][1] == first:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((first, end))
    return joined
