"""How big may be what travels through Temporal, which takes 2 MB at once: sizes are bytes of JSON, as it is sent."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

from pydantic import BaseModel
from pydantic_core import to_json

MOST_CARRIED: Final = 400_000
"""Bytes of timeline and of rejected messages that one activity carries to the case file."""
CARRIED_BY_A_LETTER: Final = 20_000
"""Bytes of timeline that a letter takes along: it may be on its way for days."""
LONGEST_KEPT: Final = 48_000
"""Bytes that are kept of one message that is rejected; the workflow's history has the whole."""

M = TypeVar("M", bound=BaseModel)


def size(value: BaseModel | str) -> int:
    """Bytes of *value* as JSON. A text must be clean."""
    return len(to_json(value))


def beginning(text: str, most: int) -> str:
    """The longest beginning of a clean *text* that takes at most *most* bytes."""
    text = text[:most]
    return text[: bisect_right(range(1, len(text) + 1), most, key=lambda length: size(text[:length]))]


def first_of(items: Iterable[M], most: int) -> Iterator[M]:
    """The first of *items*, as many as take *most* bytes together, and the first one whatever its size."""
    carried = 0
    for place, item in enumerate(items):
        carried += size(item)
        if place and carried > most:
            return
        yield item
