"""A first text of a question and answer, from what the record counts of its cases. A person edits and approves it.

It rests on categories, causes, verdicts, outcomes and days alone, and on what the policy packs say: no word of a
customer, no name, no sum and no count is in it.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, Final

from domain.checks.findings import Check, Verdict
from domain.checks.table import CHECKS
from domain.ground.base import Record
from domain.learning.articles import LEAST, Tongue, Topic, Wording
from domain.learning.definitions import is_upheld
from domain.learning.facts import CaseFact
from domain.learning.intervals import middle
from domain.rules.advice import Advice
from domain.rules.causes import CauseTree
from domain.rules.policy import PolicyPack
from runtime.paths import TEMPLATES
from runtime.toml_files import read_toml

_TELLING: Final = frozenset({Verdict.FIRM_FAULT, Verdict.PROVIDER_FAULT, Verdict.MARKET, Verdict.CUSTOMER_ACTION})
_TONGUES: Final[tuple[Tongue, ...]] = ("en", "zh-CN")
_ENOUGH: Final = 5
"""Of so many cases at least it is told how long they took."""


class Draft(Record):
    """A first text in each language, and the packs that it rests on."""

    topic: Topic
    wordings: tuple[Wording, ...]
    cites: tuple[str, ...]


@cache
def _texts(language: str, file: str) -> dict[str, Any]:
    return read_toml(TEMPLATES / language / f"{file}.toml")


def said(language: str, name: str, /, **values: Any) -> str:
    """What drafts say under *name* (``templates/<language>/article.toml``), with *values* filled in."""
    return str(_texts(language, "article")["draft"][name]).format(**values)


def is_draft(wording: Wording) -> bool:
    """Whether it still is marked as a draft, in whichever language."""
    text = f"{wording.question}\n{wording.answer}"
    return any(said(language, "mark") in text for language in _TONGUES)


def drafted(
    topic: Topic, cases: Sequence[CaseFact], packs: Mapping[str, PolicyPack], tree: CauseTree, advice: Advice
) -> Draft:
    """The draft on *topic*, of its *cases*; *packs* are those in force, by id."""
    cited = tuple(sorted({case.policy for case in cases} & packs.keys()))
    wordings = []
    for language in _TONGUES:
        answer = [said(language, "mark"), *_answer(cases, [packs[one] for one in cited], advice, language)]
        wordings.append(
            Wording(language=language, question=_question(topic, tree, language), answer="\n\n".join(answer))
        )
    return Draft(topic=topic, wordings=tuple(wordings), cites=cited)


def _question(topic: Topic, tree: CauseTree, language: str) -> str:
    title = tree.title(topic.cause)
    cause = title.in_language(language) if title else topic.cause
    cause = cause.partition("：" if language == "zh-CN" else ": ")[2] or cause
    return said(language, "question", category=_texts(language, "report")["category"][topic.category], cause=cause)


def _answer(cases: Sequence[CaseFact], packs: Collection[PolicyPack], advice: Advice, language: str) -> Iterator[str]:
    yield _found(cases, language)
    yield ("" if language == "zh-CN" else " ").join(_ended(cases, language))
    for pack in packs:
        timetable = pack.timetable.in_language(language).strip()
        if timetable:
            yield said(language, "rule", title=pack.title, timetable=timetable)
    routes = dict.fromkeys(route.title.in_language(language) for pack in packs for route in pack.routes)
    if routes:
        yield said(language, "routes", routes=said(language, "between").join(routes))
    told = {f"{one.check}:{one.verdict}" for case in cases for one in case.findings}
    if notes := [note.title.in_language(language) for note in advice.notes if told & set(note.found_by)]:
        yield said(language, "avoid", notes=said(language, "between").join(notes))


def _found(cases: Sequence[CaseFact], language: str) -> str:
    """By which checks it was looked into, and what they found most often; told of enough cases alone."""
    told = Counter(
        found
        for case in cases
        for found in {(one.check, one.verdict) for one in case.findings if one.verdict in _TELLING}
    )
    often = [found for found, count in sorted(told.items(), key=lambda one: (-one[1], one[0])) if count >= LEAST]
    if not often:
        return said(language, "looked")
    checks = dict.fromkeys(CHECKS[Check(check)].name.in_language(language) for check, _ in often)
    verdict = str(_texts(language, "evidence")["verdict"][often[0][1]])
    shown = verdict[:1].lower() + verdict[1:]
    return said(language, "found", checks=said(language, "between").join(checks), verdict=shown)


def _ended(cases: Sequence[CaseFact], language: str) -> Iterator[str]:
    """How they ended, in words without a count, and how long it took."""
    of = _texts(language, "report")["outcome"]
    outcomes = Counter(case.outcome for case in cases if case.outcome)
    ends = [
        said(language, "end", share=_share(count, len(cases), language), outcome=of[outcome])
        for outcome, count in outcomes.most_common()
    ]
    if ends:
        yield said(language, "ended", ends=said(language, "between").join(ends))
    if any(case.awards for case in cases if is_upheld(case)):
        yield said(language, "paid")
    days = [
        Decimal((answered - case.received_at).days + 1)
        for case in cases
        if (answered := case.first("responded") or case.closed_at)
    ]
    if len(days) >= _ENOUGH:
        yield said(language, "days", days=middle(days), slow=middle(days, Decimal("0.9")))


def _share(count: int, whole: int, language: str) -> str:
    share = "all" if count == whole else "most" if count * 2 > whole else "some"
    return str(_texts(language, "article")["share"][share])
