"""What every page of the desk stands on: who looks, what they may see, and the words of the field."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from babel.dates import format_datetime, format_timedelta
from starlette.responses import Response

from domain.ground.base import person_of
from domain.ground.people import Actor
from domain.ground.reference import InvalidReference, parse_reference
from domain.people.actors import Person
from runtime.database import Pool, seen_by
from starter.client.complaints import Complaints
from web.desk.reckoning import reckoned
from web.desk.sentences import called, doing, in_words, label, spoken, who
from web.pages import NotFound, Pages
from web.rendering import LOCALES
from web.visit import FieldError, Visit

DESK: Final = Pages("/desk")


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


async def speaking(visit: Visit) -> Complaints:
    """How messages are sent by whoever signed on: each carries a token that proves it.

    Raises `runtime.connection.TemporalUnavailable`.
    """
    return await visit.doors.spoken_for(speaker(visit))


def apart(visit: Visit, at: datetime, now: datetime) -> str:
    """How far off a moment is: in 3 days, 2 hours ago."""
    off = (at - now).total_seconds()
    exact = 1 if abs(off) < _IN_SECONDS else 60 if abs(off) < _IN_MINUTES else 3600
    return _apart(round(off / exact) * exact, visit.language)


_IN_SECONDS: Final = 3 * 3600
_IN_MINUTES: Final = 3 * 24 * 3600
"""Up to here hours are told; further off, days: to the hour they are the same, and hardly any is reckoned twice."""


@lru_cache(4_000)
def _apart(seconds: int, language: str) -> str:
    """So many seconds in words, which takes Babel longer than all else in the row of a list."""
    told = format_timedelta(timedelta(seconds=seconds), add_direction=True, threshold=1.5, locale=LOCALES[language])
    return str(told)


def stamp(visit: Visit, at: datetime) -> str:
    """A moment as lists show it, in UTC: the year only where it is another one."""
    same = at.year == visit.now.year
    patterns = {
        "en": "d MMM, HH:mm" if same else "d MMM yyyy, HH:mm",
        "zh-CN": "M月d日 HH:mm" if same else "yyyy年M月d日 HH:mm",
    }
    return str(format_datetime(at, patterns[visit.language], locale=LOCALES[visit.language]))


_NAMELESS: Final = tuple(f"desk.wrong.{key}" for key in ("missing", "money", "day", "moment", "unfit", "typed."))
"""Words that stand at their field and do not name it."""


def shown(
    visit: Visit, template: str, /, *, errors: Sequence[FieldError] = (), kind: Any = None, **context: Any
) -> Response:
    """A page of the desk; *kind* is the message that its form makes."""
    form = kind.name if kind else ""
    named = [
        each._replace(called=called(visit, each.field, form)) if each.key.startswith(_NAMELESS) else each
        for each in errors
    ]
    return visit.page(
        f"desk/{template}",
        errors=named,
        kind=kind,
        word=lambda word, kind="": spoken(visit, word, kind),
        label=lambda name, form="": label(visit, name, form),
        doing=lambda name: doing(visit, name),
        say=lambda text, fact=False: in_words(visit, text or "", fact=fact),
        who=lambda one: who(visit, str(one)),
        reckoned=lambda how: reckoned(visit, how),
        stamp=lambda at: stamp(visit, at),
        apart=lambda at: apart(visit, at, visit.now),
        now=visit.now,
        **context,
    )
