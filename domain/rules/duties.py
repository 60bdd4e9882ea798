"""What a pack prescribes beside its clocks: ways to go further, letters, interest, retention."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from domain.clocks.business_days import local_day
from domain.clocks.calendar import Calendar
from domain.clocks.clock import Length, LengthRule
from domain.clocks.reckoning import reach
from domain.ground.base import Identifier, Line, Record
from domain.ground.bilingual import Bilingual
from domain.ground.scope import Facts, Scope, Sourced
from domain.ground.words import CaseEvent, Category, Element, LetterKind, Matter, ReviewTheme, Role, RouteKind
from domain.money.amounts import Money


class Route(Sourced):
    """A way to go further when the customer disagrees: an internal review, a mediator, an ombudsman, a court.

    ``contact`` is how to reach it; without one no letter can name it. ``members`` says which firms belong, and
    ``firm_belongs`` whether this one does; ``None``: the firm has yet to say. ``limit`` is the largest claim it takes.
    ``within`` is the customer's time after ``since``; ``after_silence`` the time after receipt from which the customer
    may go there without a final response: of ``silences`` the first that covers the complaint, after an extension told
    ``after_holding`` if there is one, otherwise ``after_silence``. Without any a final response is needed.
    """

    name: Identifier
    kind: RouteKind
    title: Bilingual
    contact: Bilingual | None = None
    members: Bilingual | None = None
    firm_belongs: bool | None = None
    limit: Money | None = None
    within: Length | None = None
    since: CaseEvent = CaseEvent.RESPONDED
    after_silence: Length | None = None
    after_holding: Length | None = None
    silences: tuple[LengthRule, ...] = ()
    left_to_firm: bool = False
    """The rule has firms name one of their own: without a contact the pack cannot be used."""
    categories: tuple[Category, ...] = ()
    scope: Scope | None = None

    def opens_after(self, facts: Facts, *, extended: bool) -> Length | None:
        """The silence after which it is open; *extended* if the customer was told of an extension."""
        special = next((rule.length for rule in self.silences if rule.covers(facts)), None)
        return special or (self.after_holding if extended and self.after_holding else self.after_silence)


class LetterRule(Sourced):
    """What a letter of ``kind`` must name, and what it says besides: a paragraph of the pack's own.

    A rung that sends a holding letter refers to the rule by ``name``. A letter that lacks one of ``must_name`` is not
    sent: its failure is loud. Letters carry no files: what the rule has enclosed (``encloses``) people send besides.
    """

    name: Identifier
    kind: LetterKind
    text: Bilingual | None = None
    must_name: tuple[Element, ...] = ()
    encloses: Bilingual | None = None
    scope: Scope | None = None


class EarlyClosure(Sourced):
    """Within this time after receipt a complaint that the customer regards as settled ends with a summary letter.

    Where the last day ends with business, ``close_of_business`` is the firm's local time of day for that; otherwise it
    ends at midnight. Complaints of the categories in ``not_for``, and about ``not_for_matters``, are owed a final
    response however early they are settled.
    """

    within: Length
    first_day_counts: bool = False
    close_of_business: time | None = None
    not_for: tuple[Category, ...] = ()
    not_for_matters: tuple[Matter, ...] = ()

    @model_validator(mode="after")
    def _is_local_time(self) -> Self:
        if self.close_of_business is not None and self.close_of_business.tzinfo is not None:
            raise ValueError("close_of_business: give a local time without offset")
        return self

    def bars(self, facts: Facts) -> bool:
        """Whether a complaint with these *facts* is owed a final response however early it is settled."""
        return facts.category in self.not_for or not set(self.not_for_matters).isdisjoint(facts.matters)

    def until(self, calendar: Calendar, received_at: datetime) -> datetime:
        """The last moment for a complaint received then, in UTC: counted on the law's days, not on the firm's own."""
        law = calendar.of_the_law
        end = reach(law, received_at, self.within, first_day_counts=self.first_day_counts)
        if self.close_of_business is None:
            return end
        return datetime.combine(local_day(law, end), self.close_of_business, law.zone).astimezone(UTC)


class InterestRule(Sourced):
    """Interest on redress: ``percent`` a year, simple, over ``base`` where one is named.

    It is for cases in which ``trigger`` has happened (``received``: all). With ``holds_by`` ``trigger`` it holds for
    the whole case, if that was from ``effective_from`` to ``effective_until``; with ``day`` it holds on those days, and
    a loss that lasted over the end of one rule bears interest by the next from then on. It ``runs_from`` the day of the
    loss, or from the trigger if that was later. Rules ``on`` late payment are told, and are for whoever pays: the award
    does not contain them.
    """

    name: Identifier
    trigger: CaseEvent
    on: Literal["award", "late_payment"] = "award"
    effective_from: date | None = None
    effective_until: date | None = None
    holds_by: Literal["trigger", "day"] = "trigger"
    runs_from: Literal["loss", "trigger"] = "loss"
    base: Literal["bank_of_england"] | None = None
    percent: Annotated[Decimal, Field(ge=0)]

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        check_dates(self.effective_from, self.effective_until)
        return self


def check_dates(first: date | None, last: date | None) -> None:
    """Raise ``ValueError`` if the last day that something holds lies before the first."""
    if first and last and last < first:
        raise ValueError(f"effective_until: {last} lies before effective_from, {first}")


class EarlyWarning(Sourced):
    """So many complaints about the same instrument or service within so many ``hours`` point to an incident."""

    complaints: Annotated[int, Field(ge=2)]
    hours: Annotated[int, Field(ge=1, le=720)]


class Return(Sourced):
    """What an authority is told of complaints: for every such period, ``within`` a length after its last day."""

    name: Identifier
    to: Line
    every: Literal["month", "quarter", "half_year", "year"]
    within: Length


class Retention(Sourced):
    """How long the file is kept after the case was closed."""

    after_closing: Length


class ContactRestrictions(Sourced):
    """How long contact with a customer may be restricted, who approves that, and when it is to be reviewed."""

    approval: tuple[Role, ...] = Field(min_length=1)
    longest: Length
    review: Length


class ReviewQuestion(Record):
    """A question of the checklist. Where the answer is no, training on its ``theme`` may help."""

    name: Identifier
    theme: ReviewTheme
    question: Bilingual


class ReviewRule(Sourced):
    """What compliance asks of a closed case that was drawn for review."""

    checklist: Annotated[tuple[ReviewQuestion, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({one.name for one in self.checklist}) < len(self.checklist):
            raise ValueError("checklist: give each name once")
        return self
