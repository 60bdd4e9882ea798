"""What something is found by: words of Latin and other alphabets, and pairs of Han characters, in one spelling."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

MOST: Final = 2_000
"""Terms of one text: further ones are not searched for."""
_PIECES: Final = re.compile(r"([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+)|([^\W_]{2,64})")
_SHORTEST_NUMBER: Final = 5


def terms(*texts: str | None) -> set[str]:
    """The terms of *texts*, without regard to letter case, width and what stands between words."""
    found: dict[str, None] = {}
    for text in texts:
        for han, word in _PIECES.findall(_folded(text or "")):
            found.update(dict.fromkeys(_pairs(han) if han else (word,)))
            if len(found) >= MOST:
                return set(list(found)[:MOST])
    return set(found)


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


def _pairs(han: str) -> Iterable[str]:
    if len(han) == 1:
        return (han,)
    return (han[place : place + 2] for place in range(len(han) - 1))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
