"""Questions and answers for customers, learned from closed cases: written, approved in each language, withdrawn."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints, model_validator

from domain.ground.base import Identifier, Instant, Line, Record, StaffId, Text
from domain.ground.messages import Message, NotAllowed
from domain.ground.people import Actor
from domain.ground.phrases import Pieces
from domain.ground.words import Category, Outcome, Role
from domain.learning.facts import UNKNOWN, CaseFact, cause_of
from domain.people.actors import NotProven, Proofs
from domain.rules.causes import CauseId, CauseTree

LEAST: Final = 3
"""Cases of as many customers that an article rests on at least: fewer would tell of one of them."""
APPROVING: Final = frozenset({Role.TEAM_LEAD, Role.APPROVER, Role.COMPLIANCE_OFFICER, Role.EXECUTIVE})
_OFFERED: Final = 3
_ALIKE: Final = 0.3
_LONG: Final = 4
_COMMON: Final = frozenset(
    {"what", "when", "where", "which", "with", "have", "does", "this", "that", "your", "from", "they", "were", "been"}
    | set("什么为吗呢的了我您")
)
"""Words and characters that say nothing of what a question is about."""

ArticleId = Annotated[str, StringConstraints(pattern=r"^FAQ-[A-Z0-9][A-Z0-9-]{0,40}$")]
Tongue = Literal["en", "zh-CN"]


class Topic(Record):
    """One question: complaints of a category that had one cause."""

    category: Category
    cause: CauseId


class Suggestion(Record):
    """A topic without an article, with the closed cases that people answered: how they ended, and under which packs."""

    topic: Topic
    outcomes: dict[Outcome, int]
    policies: dict[str, int]
    cases: tuple[str, ...]


class Wording(Record):
    """Question and answer in a language."""

    language: Tongue
    question: Line
    answer: Text


class Cited(Record):
    """A policy pack that an answer rests on, as it was when it was written."""

    policy: Identifier
    hash: Identifier


class WriteArticle(Message):
    """Write an article, or write it anew: it counts once it is approved, and until ``until``."""

    name = "write_article"
    topic: Topic
    owner: StaffId
    until: date
    cited: tuple[Cited, ...] = ()
    wordings: Annotated[tuple[Wording, ...], Field(min_length=1)]
    cases: Annotated[tuple[Identifier, ...], Field(min_length=LEAST)]

    @model_validator(mode="after")
    def _once_a_language(self) -> "WriteArticle":
        if len({one.language for one in self.wordings}) < len(self.wordings):
            raise ValueError("wordings: give each language once")
        return self


class ArticleDecision(StrEnum):
    """What somebody decides about an article."""

    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


class ArticleState(StrEnum):
    """Whether customers see an article in a language, or why not."""

    PUBLISHED = "published"
    NOT_APPROVED = "not_approved"
    EXPIRED = "expired"
    RULE_CHANGED = "rule_changed"
    WITHDRAWN = "withdrawn"


class DecideArticle(Message):
    """Approve what was written under that ``version`` in a language, or withdraw the article in all."""

    name = "decide_article"
    version: int
    decision: ArticleDecision
    language: Tongue | None = None
    reason: Text

    @model_validator(mode="after")
    def _of_a_language(self) -> "DecideArticle":
        if (self.decision is ArticleDecision.APPROVED) is (self.language is None):
            raise ValueError("language: name the one that is approved; an article is withdrawn in all of them")
        return self


class ArticleStep(Record):
    """What somebody said of an article, in order; ``token`` is what proves it."""

    article: ArticleId
    number: int
    at: Instant
    said: WriteArticle | DecideArticle
    token: str | None = None


class Article(Record):
    """An article as it stands. ``version`` is the number of the step by which it was written last."""

    article: str
    version: int
    written: WriteArticle
    approved: dict[Tongue, Actor] = Field(default_factory=dict)
    withdrawn: bool = False

    def state(self, language: str, day: date, rules: Mapping[str, str]) -> ArticleState:
        """Whether customers see it in *language* on that *day*, or why not.

        *rules* are the hashes of the policy packs in force. Once a cited one is another, the answer may be wrong.
        """
        if self.withdrawn:
            return ArticleState.WITHDRAWN
        if any(rules.get(one.policy) != one.hash for one in self.written.cited):
            return ArticleState.RULE_CHANGED
        if day > self.written.until:
            return ArticleState.EXPIRED
        return ArticleState.PUBLISHED if language in self.approved else ArticleState.NOT_APPROVED

    def without(self, hidden: Collection[str]) -> "Article":
        """The article without those of its cases, for somebody who may not know of them."""
        cases = tuple(one for one in self.written.cases if one not in hidden)
        return self.model_copy(update={"written": self.written.model_copy(update={"cases": cases})})

    def wording(self, language: str) -> Wording | None:
        return next((one for one in self.written.wordings if one.language == language), None)


def standing(steps: Iterable[ArticleStep], proofs: Proofs | None = None) -> list[Article]:
    """The articles that *steps*, in order, lead to; without what is not proven, where signatures count."""
    found: dict[str, Article] = {}
    for step in steps:
        known = found.get(step.article)
        try:
            if proofs:
                proofs.check_recorded(step.token, step.article, step.said)
            check_step(known, step.said)
        except (NotProven, NotAllowed):
            continue
        if isinstance(step.said, WriteArticle):
            found[step.article] = Article(article=step.article, version=step.number, written=step.said)
        elif known and step.said.language:
            approved = {**known.approved, step.said.language: step.said.actor}
            found[step.article] = known.model_copy(update={"approved": approved})
        elif known:
            found[step.article] = known.model_copy(update={"withdrawn": True})
    return [found[name] for name in sorted(found)]


def check_step(known: Article | None, said: WriteArticle | DecideArticle) -> None:
    """Raise :class:`NotAllowed` unless that can be said of the article."""
    by = said.actor
    if not by.role.is_staff:
        raise NotAllowed(f"actor: role {by.role.value} may not; this is for staff")
    if isinstance(said, WriteArticle):
        return
    if known is None:
        raise NotAllowed("article: there is none of that name; redress faq list shows them")
    if said.version != known.version:
        raise NotAllowed(f"version: the article stands at version {known.version}; look at it again")
    if said.decision is ArticleDecision.WITHDRAWN:
        return  # the customers' safety: anybody of the staff
    if by.role not in APPROVING:
        raise NotAllowed(f"actor: role {by.role.value} may not approve; {', '.join(sorted(APPROVING))} may")
    if by.person == known.written.actor.person:
        raise NotAllowed("actor: who wrote an article does not approve it; a second person does")
    if known.withdrawn:
        raise NotAllowed("article: it is withdrawn; write it anew")
    if said.language and known.wording(said.language) is None:
        raise NotAllowed(f"language: it is not written in {said.language}")


def suggestions(
    cases: Iterable[CaseFact], tree: CauseTree, asked_by: Mapping[str, Collection[str]], known: Collection[Article] = ()
) -> list[Suggestion]:
    """Topics that have no article yet, with at least so many closed cases that people answered; the most asked first.

    *asked_by* is by case what its customer is known by, an account or an address, of those that people answered.
    """
    of: dict[Topic, list[CaseFact]] = {}
    for case in cases:
        cause = cause_of(case, tree)
        decided = case.outcome not in {None, Outcome.WITHDRAWN, Outcome.REFERRED}
        if case.closed_at and decided and cause != UNKNOWN and case.reference in asked_by:
            of.setdefault(Topic(category=Category(case.category), cause=cause), []).append(case)
    written = {one.written.topic for one in known if not one.withdrawn}
    found = [
        Suggestion(
            topic=topic,
            outcomes=dict(sorted(Counter(Outcome(one.outcome) for one in each if one.outcome).items())),
            policies=dict(sorted(Counter(one.policy for one in each).items())),
            cases=tuple(sorted(one.reference for one in each)),
        )
        for topic, each in of.items()
        if topic not in written and _customers(asked_by[one.reference] for one in each) >= LEAST
    ]
    return sorted(found, key=lambda one: (-len(one.cases), one.topic.category, one.topic.cause))


def _customers(known_by: Iterable[Collection[str]]) -> int:
    """How many customers they are at least: who has an account or an address in common is one, who has none nobody."""
    found: list[set[str]] = []
    for each in known_by:
        same = [one for one in found if not one.isdisjoint(each)]
        found = [one for one in found if one not in same] + ([set(each).union(*same)] if each else [])
    return len(found)


_PERSONAL: Final = (
    ("an e-mail address", re.compile(r"[\w.+-]+@[\w-]+\.\w")),
    ("a reference of a case", re.compile(r"\b(?:RD|IN)-[A-Z0-9]{4}-", re.IGNORECASE)),
    ("a long number, such as an account's or a phone's", re.compile(r"\d(?:[\s().-]?\d){6,}")),
)


def check_impersonal(message: WriteArticle, names: Iterable[str]) -> None:
    """Raise :class:`NotAllowed` where a wording names somebody: one of *names*, an address, an account, a case."""
    for one in message.wordings:
        text = f"{one.question}\n{one.answer}"
        if what := next((what for what, pattern in _PERSONAL if pattern.search(text)), None):
            raise NotAllowed(f"wordings: the text in {one.language} holds {what}; leave it out")
        keys = " " + " ".join(Pieces(text).keys) + " "
        if any(f" {' '.join(named)} " in keys for name in names if (named := Pieces(name).keys)):
            raise NotAllowed(f"wordings: the text in {one.language} names a customer of the cases; leave it out")


def offered(text: str, wordings: Iterable[Wording]) -> list[Wording]:
    """Those whose question is most like *text*, the most alike first: by their longer words, or pairs of characters."""
    said = _features(text)
    alike = [(len(said & asked) / len(asked), one) for one in wordings if (asked := _features(one.question))]
    near = sorted((one for one in alike if one[0] >= _ALIKE), key=lambda one: (-one[0], one[1].question))
    return [one for _, one in near[:_OFFERED]]


def _features(text: str) -> set[str]:
    telling = [key if key.isalpha() and key not in _COMMON else "" for key in Pieces(text).keys]
    pairs = {one + other for one, other in pairwise(telling) if len(one) == len(other) == 1}
    return pairs | {key for key in telling if len(key) >= _LONG}
