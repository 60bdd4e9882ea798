"""What something is found by: words of Latin and other alphabets, Han characters and pairs of them, in one spelling."""

import re
import unicodedata
from collections.abc import Iterable
from itertools import islice
from typing import Final

from domain.ground.simplified import SIMPLIFIED

MOST: Final = 2_000
"""Terms of one text, and as many Han characters: further ones are not searched for."""
_PIECES: Final = re.compile(r"([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+)|([^\W_]{2,64})")
_SHORTEST_NUMBER: Final = 5


def terms(*texts: str | None) -> set[str]:
    """The terms of *texts*, without regard to case, width, accents, traditional forms and what stands between words.

    Beside the pairs each Han character by itself: of a long text no pair is left out for one.
    """
    pieces = [piece for text in texts for piece in _pieces(text)]
    letters = dict.fromkeys(letter for han, _ in pieces for letter in han)
    return {*islice(_words(pieces), MOST), *islice(letters, MOST)}


def wanted_terms(text: str) -> set[str]:
    """The terms of whatever *text* finds: a Han character by itself only where it stands alone."""
    return set(_words(_pieces(text)))


def wholes(*texts: str | None) -> set[str]:
    """What stands for a whole account, address or number: as it is, and its digits where it is a number."""
    found = set()
    for text in texts:
        folded = "".join(_folded(text or "").split())
        if folded:
            found.add(f"={folded}")
        digits = "".join(letter for letter in folded if letter.isdigit())
        if len(digits) >= _SHORTEST_NUMBER and not any(letter.isalpha() for letter in folded):
            found.add(f"={digits}")
    return found


def _pieces(text: str | None) -> list[tuple[str, str]]:
    """The runs of Han characters and the words of *text*, each as one of the two."""
    return _PIECES.findall(_folded(text or ""))


def _words(pieces: Iterable[tuple[str, str]]) -> dict[str, None]:
    return dict.fromkeys(term for han, word in pieces for term in (_pairs(han) if han else (word,)))


def _pairs(han: str) -> Iterable[str]:
    if len(han) == 1:
        return (han,)
    return (han[place : place + 2] for place in range(len(han) - 1))


def _folded(text: str) -> str:
    """Small letters without accents, narrow forms, simplified characters."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in apart if unicodedata.category(letter) != "Mn")
    return unicodedata.normalize("NFKC", plain).casefold().translate(SIMPLIFIED)
