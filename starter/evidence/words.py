"""What a pack says, in its languages (``templates/<language>/evidence.toml``), and how numbers are written."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final

from domain.checks.findings import Check
from domain.checks.table import CHECKS
from domain.money.amounts import Money
from domain.money.parts import plain
from runtime.paths import TEMPLATES
from runtime.toml_files import read_toml

LANGUAGES: Final = ("en", "zh-CN")


class Words:
    """The texts of one language, by group and name. A name without a text of its own is shown as it is spelled."""

    def __init__(self, language: str, texts: Mapping[str, Mapping[str, str]]) -> None:
        self.language = language
        self._texts = texts
        by_length = sorted(texts.get("missing", {}).items(), key=lambda one: -len(one[0].replace("{}", "")))
        self._missing = [(re.compile("(.+?)".join(map(re.escape, one.split("{}")))), said) for one, said in by_length]

    def __call__(self, group: str, name: str, /, **values: Any) -> str:
        """The text *name* of *group*, with *values* filled in."""
        text = self._texts[group].get(name)
        return name.replace("_", " ") if text is None else text.format(**values)

    def has(self, group: str, name: str) -> bool:
        return name in self._texts[group]

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(self._texts)

    def raw(self, group: str, name: str) -> str:
        """The text as it is, nothing filled in."""
        return self._texts[group][name]

    def names(self, group: str) -> tuple[str, ...]:
        return tuple(self._texts[group])

    def joined(self, *sentences: str) -> str:
        """Sentences one after the other: Chinese puts no space between them."""
        return ("" if self.language.startswith("zh") else " ").join(one for one in sentences if one)

    def label(self, name: str) -> str:
        """What a number of a finding is called: ``F-1.valid_price`` is the valid price of F-1."""
        if self.has("number", name):
            return self("number", name)
        for known in self.names("number"):
            if name.endswith(f".{known}"):
                return f"{self('number', known)} ({name.removesuffix(f'.{known}')})"
        for known in self.names("number_of"):
            if name.startswith(f"{known}."):
                return f"{self('number_of', known)}: {name.removeprefix(f'{known}.')}"
        return self("number", name)

    def value(self, text: str) -> str:
        """A value of a finding or a row: an instant in UTC, a number grouped, a word of ours translated."""
        if self.has("value", text):
            return self("value", text)
        if instant := as_instant(text):
            return utc(instant)
        return text

    def missing(self, name: str) -> str:
        """What the log lacks, which a check names in English; as it came where there are no words for it."""
        for pattern, said in self._missing:
            if found := pattern.fullmatch(name):
                return said.format(*map(self.value, found.groups()))
        return name

    def check(self, check: Check) -> str:
        """What *check* is called in a heading."""
        name = CHECKS[check].name.in_language(self.language)
        return name[:1].upper() + name[1:]

    def money(self, money: Money) -> str:
        return str(money)


@cache
def words_of(language: str) -> Words:
    """The words of *language*, one of :data:`LANGUAGES`."""
    return Words(language, read_toml(TEMPLATES / language / "evidence.toml"))


def as_instant(text: str) -> datetime | None:
    """*text* as an instant, if it is one as findings write it."""
    if len(text) < 20 or text[4:5] != "-" or "T" not in text:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant.astimezone(UTC) if instant.tzinfo else None


def utc(instant: datetime) -> str:
    """``2026-03-02 09:15:07.250 UTC``; a fraction as long as it needs to be."""
    return f"{instant.astimezone(UTC):%Y-%m-%d} {clock(instant)} UTC"


def second(instant: datetime) -> str:
    """``2026-03-02 09:15:07 UTC``, where fractions tell nothing."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def clock(instant: datetime) -> str:
    """``09:15:07.250``: the time of day in UTC, in milliseconds or microseconds where it has them."""
    moment = instant.astimezone(UTC)
    micro = moment.microsecond
    fraction = "" if not micro else f".{micro // 1000:03d}" if micro % 1000 == 0 else f".{micro:06d}"
    return f"{moment:%H:%M:%S}{fraction}"


def grouped(value: Decimal) -> str:
    """``1,316.5``: without exponent and trailing zeros."""
    whole, point, fraction = plain(abs(value)).partition(".")
    return f"{'-' if value < 0 else ''}{int(whole):,}{point}{fraction}"
