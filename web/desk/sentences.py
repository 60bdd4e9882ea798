"""The words of the desk: those of the field, and the sentences that the service says in English far from any page.

A workflow refuses, or says what it waits for, as an English sentence; `sentences.toml` has each as the desk says it,
`rule_sources.toml` what the packs of rules say of themselves.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from domain.case.complaint import Channel as CaseChannel
from domain.case.drafts import WHY
from domain.case.messages.table import SIGNALS, UPDATES
from domain.case.task_kinds import TASKS
from domain.checks.findings import Check, Verdict
from domain.checks.table import CHECKS
from domain.ground.bilingual import Bilingual
from domain.ground.spoken import REMEDIES
from domain.ground.timeline import Entry
from domain.ground.words import (
    Category,
    Complexity,
    IncidentStage,
    LetterKind,
    Outcome,
    PaymentState,
    Priority,
    ReferralStep,
    Remedy,
    Role,
    Severity,
    SignStep,
    Stage,
    TaskKind,
)
from domain.incidents.messages import INCIDENT_UPDATES
from domain.money.parts import PartKind
from domain.people.matching import GROUNDS, STATES
from domain.people.restrictions import RestrictionStep
from runtime.policies import load_packs
from starter.evidence.words import words_of
from web.visit import Visit
from web.words import LANGUAGES, all_words

_GROUPS: Final = {
    "Stage": "stage",
    "Role": "role",
    "Channel": "channel",
    "Clock": "clock",
    "Outcome": "outcome",
    "Remedy": "remedy",
    "Verdict": "verdict",
    "Confidence": "confidence",
}
"""Words that the evidence pack has already, by the name of their kind."""


def spoken(visit: Visit, word: Any, kind: str = "") -> str:
    """A word of the field in the visitor's language; one without words of its own as it is spelled."""
    if word is None:
        return ""
    if isinstance(word, Check):
        return words_of(visit.language).check(word)
    value = word.value if isinstance(word, StrEnum) else str(word)
    kind = kind or (type(word).__name__ if isinstance(word, StrEnum) else "")
    key = f"desk.word.{kind}.{value}"
    if key in all_words():
        return visit.t(key)
    if kind == "Entry" and (done := f"desk.do.{value}") in all_words():
        return visit.t(done)
    words = words_of(visit.language)
    if kind in _GROUPS and words.has(_GROUPS[kind], value):
        return words(_GROUPS[kind], value)
    return value.replace("_", " ")


def label(visit: Visit, name: str, form: str = "") -> str:
    """What the field *name* is called, in the form of the message *form* or in all."""
    return called(visit, name, form) or name.rpartition(".")[2].replace("_", " ").capitalize()


def called(visit: Visit, name: str, form: str) -> str:
    """What our words call that field; nothing where they do not."""
    keys = (f"desk.field_of.{form}.{name}", f"desk.field.{name}")
    return next((visit.t(key) for key in keys if key in all_words()), "")


def doing(visit: Visit, name: str) -> str:
    """What the form of the message *name* does."""
    key = f"desk.do.{name}"
    return visit.t(key) if key in all_words() else name.replace("_", " ").capitalize()


def in_words(visit: Visit, text: str, *, fact: bool = False) -> str:
    """What the service says in English, in the visitor's language; what nobody has put into words, as it came.

    A *fact* is a list of words, or what a sentence says in passing.
    """
    if visit.language != "en":
        for told, said in _with_commas().items():  # what stands between commas is looked for by itself
            text = text.replace(told, said)
    if fact:
        return _fact(visit, text)
    return _sentence(visit, _FIELD.sub("", text)) or _sentence(visit, text) or _word(visit, text)


def line_of(visit: Visit, entry: Entry) -> str:
    """What an entry of the timeline says; a notice to staff that nothing but the file took, in their language."""
    if visit.language == "zh-CN" and (notice := entry.data.get("notice")):
        sent, _, _ = entry.text.partition(": ")
        return f"{in_words(visit, sent, fact=True)}：{notice}"
    return in_words(visit, entry.text, fact=True)


_FIELD: Final = re.compile(r"^[\w.]+(?:, [\w.]+)*: ")


class Sentence(NamedTuple):
    """How a refusal is known, and how it is said in each of the languages."""

    known_by: re.Pattern[str]
    said: Mapping[str, str]
    word: str
    """A whole word that is in it whatever the facts are, the longest; empty where there is none."""


@cache
def sentences(*, facts: bool = False) -> tuple[Sentence, ...]:
    """All of them, those first that say more by themselves; those that only stand in for *facts* of others as well."""
    table: dict[str, Any] = {}
    for file in ("sentences", "rule_sources"):
        table |= tomllib.loads(Path(__file__).with_name(f"{file}.toml").read_text(encoding="utf-8"))
    of_facts = table.pop("facts")
    known: dict[str, str | list[str]] = table | of_facts if facts else table
    found = []
    for text, said in sorted(known.items(), key=lambda one: -len(one[0].replace("{}", ""))):
        pattern = "(.*?)".join(re.escape(part) for part in text.split("{}"))
        pair = [text, said] if isinstance(said, str) else said
        word = max(_WHOLE_WORD.findall(text), key=len, default="")
        found.append(Sentence(re.compile(pattern, re.DOTALL), dict(zip(LANGUAGES, pair, strict=True)), word))
    return tuple(found)


_WORD: Final = re.compile(r"\w+")
_WHOLE_WORD: Final = re.compile(r"(?<![\w}])\w+(?![\w{])")  # a fact beside it could make it longer


@cache
def _by_word(*, facts: bool) -> Mapping[str, Sequence[tuple[int, Sentence]]]:
    """The sentences, with their places among all, by the word that is in each."""
    found: dict[str, list[tuple[int, Sentence]]] = {}
    for place, one in enumerate(sentences(facts=facts)):
        found.setdefault(one.word, []).append((place, one))
    return found


def sentence_of(text: str, *, facts: bool = False) -> tuple[Sentence, tuple[str, ...]] | None:
    """The first of `sentences` that *text* is, with its facts: only those are tried of which it has the word."""
    known = _by_word(facts=facts)
    tried = [one for word in {"", *_WORD.findall(text)} for one in known.get(word, ())]
    for _, one in sorted(tried, key=lambda each: each[0]):
        if found := one.known_by.fullmatch(text):
            return one, found.groups()
    return None


def _sentence(visit: Visit, text: str, *, fact: bool = False) -> str | None:
    if found := sentence_of(text, facts=fact):
        one, told = found
        return one.said[visit.language].format(*(_fact(visit, each) for each in told))
    return None


def _fact(visit: Visit, text: str) -> str:
    """A fact of a sentence: another sentence, words of the field, or what stays as it is (a sum, a name, a number)."""
    if text in _spoken_before():
        return text if visit.language == "en" else _spoken_before()[text]
    first, _, more = text.partition("; ")
    if more and first in _spoken_before():  # reasons of a case, which no sentence is to take for one of its facts
        return ("；" if visit.language == "zh-CN" else "; ").join((_fact(visit, first), _fact(visit, more)))
    if said := _sentence(visit, text, fact=True):
        return said
    chinese = visit.language == "zh-CN"
    for between, instead in (("; ", "；"), (": ", "："), (", ", "、"), (" or ", "或")):
        if between in text:
            parts = text.split(between)
            told = [_fact(visit, part) for part in parts]
            return (instead if chinese else between).join(told) if told != parts else text
    return _word(visit, text)


_KINDS: Final[tuple[type[StrEnum], ...]] = (
    Role,
    Stage,
    IncidentStage,
    Outcome,
    Remedy,
    ReferralStep,
    TaskKind,
    Category,
    PaymentState,
    PartKind,
    RestrictionStep,
    LetterKind,
    Verdict,
    Check,
    Severity,
    Priority,
    CaseChannel,
    Complexity,
    SignStep,
)
_OF_PACKS: Final = ("Team", "Clock")
_MESSAGES: Final = frozenset(kind.name for kind in (*SIGNALS, *UPDATES, *INCIDENT_UPDATES))


@cache
def _words() -> Mapping[str, StrEnum]:
    return {one.value: one for kind in reversed(_KINDS) for one in kind}


@cache
def _spoken_before() -> Mapping[str, str]:
    """What the service says of a case in both languages elsewhere: Chinese by English."""
    told = [
        *WHY.values(),
        *GROUNDS.values(),
        *STATES.values(),
        *REMEDIES.values(),
        *(one.does for one in TASKS.values()),
        *(one.name for one in CHECKS.values()),
        *_named_by_packs(),
    ]
    return {one.en: one.zh for one in told}


@cache
def _with_commas() -> Mapping[str, str]:
    return {told: said for told, said in _spoken_before().items() if ", " in told}


def _named_by_packs() -> Iterator[Bilingual]:
    """What packs name in both languages: the ways to go further, and what goes with a letter."""
    for pack in (pack for versions in load_packs().values() for pack in versions):
        yield from (route.title for route in pack.routes)
        yield from (rule.encloses for rule in pack.letters if rule.encloses)


def who(visit: Visit, actor: str) -> str:
    """Who did something, as timelines name them: their role in words, and their id."""
    role, _, person = actor.partition(":")
    if not person or role not in set(Role):
        return actor
    return spoken(visit, Role(role)) if person == role else f"{spoken(visit, Role(role))} {person}"


def _word(visit: Visit, text: str) -> str:
    if text in _MESSAGES:
        return doing(visit, text)
    if one := _words().get(text.replace(" ", "_")):
        return spoken(visit, one)
    for kind in _OF_PACKS:
        if (told := spoken(visit, text, kind)) != text.replace("_", " "):
            return told
    role, _, person = text.partition(":")
    return person if person and role in set(Role) else text
