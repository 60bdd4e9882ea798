"""What no letter, notice or finding may say: names that only the code has."""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

import pytest

from domain.case.complaint import Channel
from domain.checks import findings
from domain.ground import words
from domain.ground.bilingual import Bilingual
from domain.incidents import incident
from domain.log import trade_log
from domain.money import parts
from runtime.letters.stationery import Stationery

_ENUMS: Final[tuple[type[Enum], ...]] = (
    *(
        kind
        for module in (words, findings, incident, parts, trade_log)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Enum) and kind not in {words.SearchAttribute, words.Store}
    ),
    Channel,
)
VALUES: Final = frozenset(str(member.value) for kind in _ENUMS for member in kind)
"""Every value of an enumeration of the domain."""

_SNAKE: Final = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b")
_MEMBER: Final = re.compile(rf"\b(?:{'|'.join(kind.__name__ for kind in _ENUMS)})\.[A-Z_]+\b|<\w+[.:]|\bNone\b(?! of )")
_LATIN: Final = re.compile(r"(?<![A-Za-z0-9_./@#:-])[a-z][a-z-]*(?![A-Za-z0-9_./@#-])")
_COMMAND: Final = re.compile(r"redress(?: [a-z-]+)+")
"""What staff is told to type."""


def identifiers(text: str, language: str) -> set[str]:
    """The identifiers in *text*: snake_case, members and ``None``; in Chinese also each value of an enumeration."""
    text = _COMMAND.sub("", text)
    found = {match.group() for pattern in (_SNAKE, _MEMBER) for match in pattern.finditer(text)}
    if language.startswith("zh"):
        found |= {match.group() for match in _LATIN.finditer(text)} & VALUES
    return found


def listen(patch: pytest.MonkeyPatch) -> list[str]:
    """The letters written and the statements made in both languages from now on that hold identifiers.

    Free text that a test puts in may hold the value of an enumeration by chance; that is looked for only where a test
    asks for it.
    """
    wrong: list[str] = []
    render, say = Stationery.render, Bilingual.__init__

    def hear(text: str) -> None:
        if found := identifiers(text, "en"):
            wrong.append(f"{sorted(found)}: {text}")

    def rendered(stationery: Stationery, name: str, known: Mapping[str, Any]) -> tuple[str, str]:
        subject, body = render(stationery, name, known)
        hear(f"{subject}\n{body}")
        return subject, body

    def said(statement: Bilingual, **texts: Any) -> None:
        say(statement, **texts)
        hear(f"{statement.en} {statement.zh}")

    patch.setattr(Stationery, "render", rendered)
    patch.setattr(Bilingual, "__init__", said)
    return wrong
