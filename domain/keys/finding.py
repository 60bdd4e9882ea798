"""By what somebody is found, though what is kept of them is sealed: values as they are compared."""

import re
from collections.abc import Iterator
from typing import Final

EMAIL: Final = "email"
PHONE: Final = "phone"
NAME: Final = "name"
MATTER: Final = "matter"
TEXT: Final = "text"

_WORD: Final = re.compile(r"[\u3400-\u9fff]+|[^\W_\u3400-\u9fff]+")
_FEWEST_DIGITS: Final = 5
_LOCAL: Final = 8
"""The last digits of a number, by which it is found without its country."""


def found_by(name: str | None, email: str | None, phone: str | None) -> Iterator[tuple[str, str]]:
    """Purposes and values that somebody with these is to be found by."""
    if email:
        yield EMAIL, email.casefold()
    if phone and (digits := digits_of(phone)):
        yield from ((PHONE, number) for number in sorted({digits, digits[-_LOCAL:]}))
    for word in words_of(name or ""):
        yield NAME, word


def digits_of(phone: str) -> str:
    """The digits of a telephone number; none, if there are too few to find anybody by, or other letters among them."""
    digits = "".join(letter for letter in phone if letter.isdigit())
    return digits if len(digits) >= _FEWEST_DIGITS and not any(letter.isalpha() for letter in phone) else ""


def words_of(text: str) -> list[str]:
    """The words of *text* in lower case; of Chinese, which has no spaces, each two characters that stand together."""
    words: dict[str, None] = {}
    for word in _WORD.findall(text.casefold()):
        pairs = [word[n : n + 2] for n in range(len(word) - 1)] if "\u3400" <= word[0] <= "\u9fff" else []
        words |= dict.fromkeys(pairs or [word])
    return list(words)
