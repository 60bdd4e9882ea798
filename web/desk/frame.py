"""What every page of the desk stands on: who looks, what they may see, and the words of the field."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from babel.dates import format_datetime, format_timedelta
from starlette.responses import Response

from domain.checks.findings import Check
from domain.ground.base import person_of
from domain.ground.people import Actor
from domain.ground.reference import InvalidReference, parse_reference
from domain.people.actors import Person
from runtime.database import Pool, seen_by
from starter.client.complaints import Complaints
from starter.evidence.words import words_of
from web.pages import NotFound, Pages
from web.visit import Visit
from web.words import all_words

DESK: Final = Pages("/desk")
_LOCALES: Final = {"en": "en_GB", "zh-CN": "zh_Hans_CN"}

_GROUPS: Final = {
    "Stage": "stage",
    "Role": "role",
    "Channel": "channel",
    "Outcome": "outcome",
    "Remedy": "remedy",
    "Verdict": "verdict",
    "Confidence": "confidence",
}
"""Words that the evidence pack has already, by the name of their kind."""


def eyes(visit: Visit) -> Pool:
    """The record, as who looks may see it: what they are kept out of is not there."""
    return seen_by(visit.doors.pool, person_of(visit.staff.id))


def actor(visit: Visit) -> Actor:
    """Who acts: the person of the session, as the one of their roles that the form names, else as the first."""
    wanted = visit.text("as_role")
    role = next((one for one in visit.staff.roles if one.value == wanted), visit.staff.roles[0])
    return Actor(id=visit.staff.id, role=role)


def speaker(visit: Visit) -> Person:
    """Who signed on, with all their roles."""
    return Person(id=visit.staff.id, roles=visit.staff.roles)


def reference(visit: Visit) -> str:
    """The reference in the address; its data is seen. Raises `NotFound` if it is none."""
    try:
        known = parse_reference(visit.path["reference"])
    except InvalidReference:
        raise NotFound from None
    visit.seen.append(known)
    return known


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
    words = words_of(visit.language)
    if kind in _GROUPS and words.has(_GROUPS[kind], value):
        return words(_GROUPS[kind], value)
    return value.replace("_", " ")


def label(visit: Visit, name: str, form: str = "") -> str:
    """What the field *name* is called, in the form of the message *form* or in all."""
    for key in (f"desk.field_of.{form}.{name}", f"desk.field.{name}"):
        if key in all_words():
            return visit.t(key)
    return name.rpartition(".")[2].replace("_", " ").capitalize()


async def speaking(visit: Visit) -> Complaints:
    """How messages are sent by whoever signed on: each carries a token that proves it.

    Raises `runtime.connection.TemporalUnavailable`.
    """
    return await visit.doors.spoken_for(speaker(visit))


def doing(visit: Visit, name: str) -> str:
    """What the form of the message *name* does."""
    key = f"desk.do.{name}"
    return visit.t(key) if key in all_words() else name.replace("_", " ").capitalize()


def apart(visit: Visit, at: datetime, now: datetime) -> str:
    """How far off a moment is: in 3 days, 2 hours ago."""
    return str(format_timedelta(at - now, add_direction=True, threshold=1.5, locale=_LOCALES[visit.language]))


def stamp(visit: Visit, at: datetime) -> str:
    """A moment as lists show it, in UTC: the year only where it is another one."""
    same = at.year == visit.now.year
    patterns = {
        "en": "d MMM, HH:mm" if same else "d MMM yyyy, HH:mm",
        "zh-CN": "M月d日 HH:mm" if same else "yyyy年M月d日 HH:mm",
    }
    return str(format_datetime(at, patterns[visit.language], locale=_LOCALES[visit.language]))


def shown(visit: Visit, template: str, /, **context: Any) -> Response:
    """A page of the desk."""
    return visit.page(
        f"desk/{template}",
        word=lambda word, kind="": spoken(visit, word, kind),
        label=lambda name, form="": label(visit, name, form),
        doing=lambda name: doing(visit, name),
        stamp=lambda at: stamp(visit, at),
        apart=lambda at: apart(visit, at, visit.now),
        now=visit.now,
        **context,
    )
