"""Jinja's environment for pages: everything is escaped, a name that is missing is an error."""

import hashlib
from datetime import UTC, date, datetime, tzinfo
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from babel import Locale
from babel.dates import format_date, format_datetime
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from domain.ground.spoken import REMEDIES
from domain.ground.words import Remedy
from domain.money.amounts import Money
from domain.money.spoken import localised
from runtime.letters.drawing import codes_whole, drawn

HERE: Final = Path(__file__).parent
STATIC: Final = HERE / "static"
LOCALES: Final = {"en": Locale.parse("en_GB"), "zh-CN": Locale.parse("zh_Hans_CN")}
"""By language. Made once: by its name Babel makes a locale anew for every date."""


@cache
def environment() -> Environment:
    """The one environment; templates are in ``web/templates``."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"day": _day, "moment": _moment, "paragraphs": _paragraphs, "letter": _letter, "money": _money}
    made.filters |= {"remedy": _remedy, "whole": _whole}
    made.globals["static"] = static
    return made


@cache
def static(name: str) -> str:
    """The address of a file in ``web/static``, which changes with its content."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def _locale(context: Context) -> Locale:
    return LOCALES[context["language"]]


@pass_context
def _day(context: Context, at: date | datetime, zone: tzinfo | None = None) -> str:
    if isinstance(at, datetime) and zone is not None:
        at = at.astimezone(zone)
    return format_date(at, format="long", locale=_locale(context))


@pass_context
def _moment(context: Context, at: datetime, zone: tzinfo | None = None) -> str:
    return moment_in(context["language"], at, zone)


@lru_cache(4_000)
def moment_in(language: str, at: datetime, zone: tzinfo | None = None) -> str:
    """*at* to the minute: in the *zone*, named as letters name it; else in UTC."""
    named = "zzzz" if zone else "'UTC'"
    pattern = f"yyyy年M月d日 HH:mm（{named}）" if language == "zh-CN" else f"d MMMM yyyy, HH:mm ({named})"
    return format_datetime(at, pattern, tzinfo=zone or UTC, locale=LOCALES[language])


@pass_context
def _money(context: Context, amount: Money) -> str:
    return localised(amount, context["language"])


@pass_context
def _remedy(context: Context, kind: Remedy) -> str:
    spoken = REMEDIES[kind].in_language(context["language"])
    return spoken[:1].upper() + spoken[1:]


def _letter(text: str) -> Markup:
    """A letter of ours as the customer has it."""
    return Markup(drawn(text, heading="h3"))  # noqa: S704 (what draws it escapes everything)


def _whole(text: str) -> Markup:
    """A text in which references are not broken into lines."""
    return Markup(codes_whole(str(escape(text)), 'class="code"'))  # noqa: S704 (it is escaped)


def _paragraphs(text: str) -> Markup:
    """What people wrote, with their line ends; nothing in it is markup."""
    parts = [part for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()]
    lines: list[Any] = [Markup("<br>").join(map(_whole, part.strip("\n").split("\n"))) for part in parts]
    return Markup("").join(Markup("<p>{}</p>").format(line) for line in lines)
