"""The templates of a language, filled in."""

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Any, Final

from babel import Locale
from babel.dates import format_date, format_datetime
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from temporalio.exceptions import ApplicationError

from domain.ground import spoken
from domain.ground.base import clean
from domain.ground.words import Element, LetterKind
from domain.letters.letter import LetterFacts
from domain.letters.truths import elapsed
from domain.money.amounts import Money
from domain.money.spoken import localised
from runtime.letters.sentences import Says
from runtime.paths import TEMPLATES


@dataclass(frozen=True)
class Stationery:
    """The templates of one language, its words, and its locale."""

    language: str
    templates: Environment
    words: dict[str, Any]
    locale: Locale

    def moment(self, at: datetime, zone: tzinfo) -> str:
        return format_datetime(at, self.words["moment"], tzinfo=zone, locale=self.locale)

    def spelt(self, text: str, zone: tzinfo) -> str:
        """*text* of a finding as a letter says it: its instants in *zone*, to the second."""
        return _INSTANT.sub(lambda found: self._moment_of(found.group(1), zone), text)

    def _moment_of(self, utc: str, zone: tzinfo) -> str:
        at = datetime.fromisoformat(utc).replace(tzinfo=UTC)
        return format_datetime(at, self.words["instant"], tzinfo=zone, locale=self.locale)

    def elapsed(self, since: datetime, at: datetime) -> str:
        """How long it is from *since* to *at*, counted in weeks and days."""
        weeks, days = elapsed(since, at)
        counted = [(weeks, "week")] * bool(weeks) + [(days, "day")] * bool(days or not weeks)
        said = [spoken.in_units(count, unit).in_language(self.language) for count, unit in counted]
        return ("" if self.language.startswith("zh") else " and ").join(said)

    def run_on(self, sentences: Iterable[str]) -> str:
        """*sentences* one after the other, as the language sets them."""
        return ("" if self.language.startswith("zh") else " ").join(sentences)

    def write(self, kind: LetterKind, known: Mapping[str, Any], demanded: Collection[Element]) -> tuple[str, str]:
        """Subject and text of a letter of *kind*, with all that is *demanded* really in it.

        Templates can be changed: what a template leaves out of what a rule demands is added, and where even that fails
        no letter is written.
        """
        name = f"{kind.value}.txt"
        subject, body = self.render(name, known)
        if also := self._unsaid(body, known, demanded):
            subject, body = self.render(name, {**known, "also": also})
        unsaid = [element.value for element in self._unsaid(body, known, demanded)]
        unsaid += ["a rule's text" for paragraph in known["paragraphs"] if not _holds(body, paragraph)]
        if unsaid:
            raise ApplicationError(
                f"templates/{self.language}/{name} leaves out what a rule of the policy pack demands:"
                f" {', '.join(unsaid)}",
                type="LetterIncomplete",
                non_retryable=True,
            )
        return subject, body

    def render(self, name: str, known: Mapping[str, Any]) -> tuple[str, str]:
        text = clean(self.templates.get_template(name).render(known))
        subject, _, body = text.partition("\n")
        return subject.strip(), re.sub(r"\n{3,}", "\n\n", body).strip() + "\n"

    def _unsaid(self, body: str, known: Mapping[str, Any], demanded: Collection[Element]) -> list[Element]:
        return [
            element
            for element in Element
            if element in demanded
            and not any(all(_holds(body, text) for text in saying) for saying in self._sayings(element, known))
        ]

    def _sayings(self, element: Element, known: Mapping[str, Any]) -> list[Sequence[str]]:
        """The ways to name *element*, each the texts that it takes."""
        facts: LetterFacts = known["facts"]
        match element:
            case Element.TIMETABLE:
                return [[known["timetable"]]]
            case Element.EXPECTED_DATE:
                return [[self.moment(facts.expected_by, known["zone"])]] if facts.expected_by else []
            case Element.REASONS:
                return [[facts.reasons] if facts.reasons else known["reasons"] or [self.words["not_finished"]]]
            case _:
                routes = (route for route in known["routes"] if route.element is element and route.contact)
                return [[route.title, route.contact] for route in routes]


def _holds(body: str, text: str) -> bool:
    return " ".join(clean(text).split()) in " ".join(body.split())


_INSTANT: Final = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)? UTC")


@cache
def stationery_in(language: str) -> Stationery:
    """The templates of a language."""
    folder = TEMPLATES / language
    locale = Locale.parse(language, sep="-")
    words = tomllib.loads((folder / "words.toml").read_text(encoding="utf-8"))
    templates = Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 (plain text, never HTML)
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[Says],
    )
    stationery = Stationery(language, templates, words, locale)

    @pass_context
    def moment(context: Context, at: datetime) -> str:
        return stationery.moment(at, context["zone"])

    @pass_context
    def day(context: Context, at: datetime) -> str:
        return format_date(at.astimezone(context["zone"]), words["day"], locale=locale)

    def money(amount: Money) -> str:
        return localised(amount, language)

    def listed(names: Iterable[str]) -> str:
        return spoken.listed(spoken.said(name, name) for name in names).in_language(language)

    templates.filters |= {"moment": moment, "day": day, "money": money, "listed": listed}
    templates.globals["words"] = words
    return stationery


LANGUAGES: Final = tuple(sorted(frame.parent.name for frame in TEMPLATES.glob("*/_frame.txt")))
"""The languages letters can be written in."""
