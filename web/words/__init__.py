"""The words of the pages: each key in English and in Chinese, side by side in the tables beside this file."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

LANGUAGES: Final = ("en", "zh-CN")

Pair = tuple[str, str]


class MissingWords(KeyError):
    """There are no words under this key."""


@cache
def all_words() -> Mapping[str, Pair]:
    """Every key (``complain.what.title``) with its words in the order of `LANGUAGES`."""
    found: dict[str, Pair] = {}
    for path in sorted(Path(__file__).parent.glob("*.toml")):
        for key, pair in _leaves("", tomllib.loads(path.read_text(encoding="utf-8"))):
            if key in found:
                raise ValueError(f"{path.name}: {key} is there twice")
            found[key] = pair
    return found


def _leaves(prefix: str, table: Mapping[str, Any]) -> Iterator[tuple[str, Pair]]:
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict):
            yield from _leaves(f"{key}.", value)
        elif isinstance(value, list) and len(value) == 2 and all(isinstance(each, str) and each for each in value):
            yield key, (value[0], value[1])
        else:
            raise ValueError(f"{key}: words come as a pair, English and Chinese")


def words(key: str, language: str, /, **facts: Any) -> str:
    """The words under *key*, with *facts* in the places that name them. Raises `MissingWords`."""
    try:
        text = all_words()[key][LANGUAGES.index(language)]
    except KeyError:
        raise MissingWords(key) from None
    return text.format_map(facts) if facts else text
