"""Reviews by compliance: who reviews which closed case, by which questions, and what its findings teach."""

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from domain.ground.base import Identifier, Instant, Record, Text, person_of
from domain.ground.messages import Message, NotAllowed
from domain.ground.words import ReviewTheme, Role
from domain.learning.periods import Length
from domain.learning.report import Figure, Row, Table
from domain.rules.causes import CauseId, CauseTree
from domain.rules.duties import ReviewRule

REVIEWING = frozenset({Role.COMPLIANCE_OFFICER, Role.EXECUTIVE})


class Kept(StrEnum):
    """The answer to a question of the checklist."""

    MET = "met"
    NOT_MET = "not_met"
    NOT_APPLICABLE = "not_applicable"


class ReviewFinding(Record):
    """What is wrong, in words, and its cause if the tree has it."""

    question: Identifier
    note: Text
    cause: CauseId | None = None


class RecordReview(Message):
    """Say what the review of a case found: an answer to every question, and a finding where one is not met."""

    name = "record_review"
    period: Identifier
    answers: dict[Identifier, Kept]
    findings: Annotated[tuple[ReviewFinding, ...], Field(max_length=50)] = ()


class Review(Record):
    """A case that was drawn for review. ``handlers`` are all who had it or decided on it; none of them reviews it."""

    reference: Identifier
    period: str
    stratum: str
    reviewer: str | None
    due: Instant
    handlers: tuple[str, ...] = ()
    rule: ReviewRule | None = None
    reviewed: RecordReview | None = None

    def state(self, at: Instant) -> str:
        if self.reviewed:
            return "reviewed"
        return "overdue" if at > self.due else "open"


class Reviewed(Record):
    """What a fact tells of a review: the themes and causes of its findings."""

    reference: str
    themes: tuple[ReviewTheme, ...] = ()
    causes: tuple[str, ...] = ()


class ReviewOrder(Record):
    """Have cases that were closed in the period before reviewed: so many of each kind, within so many days."""

    length: Length = "month"
    zone: str = "UTC"
    per_kind: Annotated[int, Field(ge=1, le=100)] = 5
    within_days: Annotated[int, Field(ge=1, le=90)] = 14


class DrawReviews(Record):
    """Draw the cases of the period before the one of ``at``, once. Answered with :class:`ReviewsDrawn`."""

    order: ReviewOrder
    at: Instant


class ReviewsDrawn(Record):
    period: str
    cases: int
    due: Instant


class ChaseReviews(Record):
    """Tell whoever has to review and did not, and whoever has the role ``raised_to``; answered with how many wait."""

    period: str
    at: Instant
    key: str
    raised_to: Role | None = None


class ReviewsOpen(Record):
    cases: int


def check_review(review: Review | None, said: RecordReview, causes: CauseTree) -> None:
    """Raise :class:`NotAllowed` unless that can be said of the case."""
    by = said.actor
    if review is None or review.rule is None:
        raise NotAllowed("reference: the case was not drawn for review in that period; redress review list shows them")
    if by.role not in REVIEWING:
        raise NotAllowed(f"actor: role {by.role.value} may not review; {', '.join(sorted(REVIEWING))} may")
    if by.person in {person_of(one) for one in review.handlers}:
        raise NotAllowed("actor: who had the case or decided on it does not review it; somebody else does")
    if review.reviewed:
        raise NotAllowed("reference: the case was reviewed for that period already")
    asked = {one.name for one in review.rule.checklist}
    if wrong := sorted(asked ^ said.answers.keys()):
        raise NotAllowed(f"answers: {wrong[0]}: answer each question of the checklist, and no other")
    found = {one.question for one in said.findings}
    if wrong := sorted(found ^ {name for name, answer in said.answers.items() if answer is Kept.NOT_MET}):
        raise NotAllowed(f"findings: {wrong[0]}: say what is wrong where a question is not met, and nowhere else")
    if unknown := [one.cause for one in said.findings if one.cause and one.cause not in causes.ids]:
        raise NotAllowed(f"cause: {unknown[0]} is not in the tree of causes; `redress cause list` shows it")


def founded(rule: ReviewRule, said: RecordReview) -> list[dict[str, str]]:
    """The theme and the cause of each finding, without its words."""
    themes = {one.name: one.theme.value for one in rule.checklist}
    return [
        {"question": one.question, "theme": themes[one.question]} | ({"cause": one.cause} if one.cause else {})
        for one in said.findings
    ]


def review_tables(reviews: Sequence[Reviewed]) -> tuple[Table, Table]:
    """What reviews found, by theme of training and by cause."""
    return (
        _table("reviews", "review_theme", reviews, [theme.value for theme in ReviewTheme]),
        _table("review_causes", "cause", reviews, sorted({cause for one in reviews for cause in one.causes})),
    )


def behind(key: str, reviews: Iterable[Reviewed]) -> list[str]:
    """The cases behind the figure of that *key* in those tables; none of another table's."""
    named = {(f"{table}.{name}.cases", one.reference) for one in reviews for table, name in _counted(one)}
    return [reference for of, reference in named if of == key]


def _counted(one: Reviewed) -> set[tuple[str, str]]:
    return {("reviews", theme.value) for theme in one.themes} | {("review_causes", cause) for cause in one.causes}


def _table(key: str, of: str, reviews: Sequence[Reviewed], names: Collection[str]) -> Table:
    rows = []
    for name in names:
        count = sum((key, name) in _counted(one) for one in reviews)
        if count:
            rows.append(
                Row(name=name, figures=(Figure(key=f"{key}.{name}.cases", unit="count", value=Decimal(count)),))
            )
    return Table(key=key, of=of, columns=("cases",), rows=tuple(rows))
