"""Names of people as they are written: compared with each other, and looked for in a text."""

import re
import unicodedata
from functools import lru_cache
from typing import Final


def same_name(one: str, other: str) -> bool:
    """Whether two names are of one person, whatever their case, accents, order, titles, spaces and initials.

    Of longer names it is enough that all words of the one stand in the other; a single word has to be all there is.
    """
    first, second = frozenset(_words(one)), frozenset(_words(other))
    if not first or not second:
        return False
    fewer, more = sorted((first, second), key=len)
    return first == second or (len(fewer) > 1 and fewer <= more)


class Told:
    """A text in which names are looked for."""

    def __init__(self, text: str) -> None:
        self._folded = _folded(text)
        self._together = "".join(filter(str.isalnum, self._folded))
        self._words = _split(self._folded)
        self._known = frozenset(self._words)

    def has_id(self, identifier: str) -> bool:
        """Whether it has that id, not as a part of another."""
        return self._has_alone(_folded(identifier))

    def names(self, name: str) -> bool:
        """Whether it names somebody of that *name*, whatever its case, accents, order, titles and spaces.

        The words of a name stand together, at most an initial between them. Where a script has no spaces, or lets
        endings follow, the name may stand anywhere.
        """
        words = _words(name)
        if not words:
            return self._has_alone(_folded(name))
        if _RUN_ON.search(name):
            return "".join(words) in self._together
        wanted = frozenset(words)
        if len(wanted) < 2:
            return self._known >= wanted and self._has_alone(" ".join(words))
        return self._known >= wanted and self._have_together(wanted)

    def _have_together(self, wanted: frozenset[str]) -> bool:
        for begin, first in enumerate(self._words):
            if first not in wanted:
                continue
            left = set(wanted)
            for word in self._words[begin:]:
                left.discard(word)
                if not left:
                    return True
                if word not in wanted and len(word) > 1:
                    break
        return False

    def _has_alone(self, wanted: str) -> bool:
        """Whether *wanted* stands there as words of its own."""
        return wanted in self._folded and bool(
            re.search(rf"(?<!{_IN_A_WORD}){re.escape(wanted)}(?!{_IN_A_WORD})", self._folded)
        )


@lru_cache(maxsize=65_536)
def _words(name: str) -> tuple[str, ...]:
    """The words by which a name is compared: without titles, and in Han characters all of it as one."""
    folded = _folded(name)
    if _HAN.search(folded):
        # It has no spaces, or has them, or a dot, where somebody liked it so.
        whole = _TITLE_ZH.sub("", "".join(filter(str.isalnum, folded)))
        return (whole,) if whole else ()
    return tuple(word for word in _split(folded) if word not in _TITLES)


def _folded(text: str) -> str:
    """Without regard to letter case, width, accents and how many spaces."""
    if text.isascii():
        return " ".join(text.lower().split())
    taken_apart = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(letter for letter in taken_apart if not unicodedata.combining(letter))
    return " ".join(plain.split())


def _split(folded: str) -> list[str]:
    return _WORDS.findall(folded)


_HAN: Final = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_SCRIPTS: Final = "\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
"""In these a name may touch what follows: Thai, Lao, Hangul (apart and together), kana, Han."""
_RUN_ON: Final = re.compile(f"[{_SCRIPTS}]")
_WORDS: Final = re.compile(rf"[{_SCRIPTS}]+|[^\W_{_SCRIPTS}]+")
_IN_A_WORD: Final = rf"(?:[^\W{_SCRIPTS}]|-)"
_TITLE_ZH: Final = re.compile("(先生|女士|小姐|太太)$")
_TITLES: Final = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "madam"})
