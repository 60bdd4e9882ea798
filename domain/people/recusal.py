"""Recusal: who may not work on a case, and why.

Who is named in the complaint, acted on its trades or account, decided on it before, or has declared a conflict neither
reads nor finds, gets, proposes, approves or is told of it.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum

from domain.ground.base import Instant, Record, person_of
from domain.people.directory import Directory
from domain.people.names import Told, same_name


class Why(StrEnum):
    """Why somebody is kept out of a case."""

    NAMED = "named"
    """The customer names them."""
    ACTED = "acted"
    """They acted on a trade or the account that the complaint is about."""
    DECIDED = "decided"
    """They proposed or approved an earlier decision on the same."""
    DECLARED = "declared"
    """They declared a conflict of interest."""


class Recusal(Record):
    """That a ``person`` is kept out of a case, from the ``first`` to the ``last`` day, and what that rests on.

    Without days it holds always. ``about`` is an account, a trade, a reference or the key of an entry.
    """

    person: str
    why: Why
    about: str
    since: Instant | None = None
    """When they did what keeps them out: in what came before they may have had a part."""
    first: date | None = None
    last: date | None = None
    at: Instant | None = None
    """When it was recorded."""

    def holds(self, moment: datetime) -> bool:
        day = moment.date()
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


class Acted(Record):
    """That somebody acted on something: whom the firm's records name, and the trade or account."""

    who: str
    about: str
    since: Instant | None = None


class Concerned(Record):
    """What a complaint concerns, as far as it bears on who may handle it.

    ``texts`` are the customer's words; ``acted`` who acted on its trades and account; ``decided`` who decided before,
    with the key of the entry.
    """

    account: str | None
    texts: tuple[str, ...]
    acted: tuple[Acted, ...] = ()
    decided: tuple[Acted, ...] = ()


def recusals(directory: Directory, concerned: Concerned) -> list[Recusal]:
    """Who is to be kept out of a case that concerns this, whether in the directory or not."""
    found: dict[tuple[str, Why, str], Recusal] = {}

    def keep_out(recusal: Recusal) -> None:
        found.setdefault((recusal.person, recusal.why, recusal.about), recusal)

    told = [Told(text) for text in concerned.texts] if directory.people else []
    for one in directory.people:
        if any(text.has_id(one.id) or any(map(text.names, one.names)) for text in told):
            keep_out(Recusal(person=one.person, why=Why.NAMED, about="complaint"))
        for conflict in one.conflicts:
            if concerned.account is not None and conflict.account == concerned.account:
                span = {"first": conflict.first, "last": conflict.last}
                keep_out(Recusal(person=one.person, why=Why.DECLARED, about=conflict.account, **span))
    for why, who in ((Why.ACTED, concerned.acted), (Why.DECIDED, concerned.decided)):
        for acted in who:
            for person in _persons(directory, acted.who):
                keep_out(Recusal(person=person, why=why, about=acted.about, since=acted.since))
    return sorted(found.values(), key=lambda one: (one.person, one.why, one.about))


def kept_out(recorded: Iterable[Recusal], moment: datetime) -> Mapping[str, Recusal]:
    """Who is kept out at that *moment*, by person, with one reason each."""
    newest = {(one.person, one.why, one.about): one for one in recorded}
    return {one.person: one for one in newest.values() if one.holds(moment)}


def _persons(directory: Directory, who: str) -> set[str]:
    """Whom the firm's records mean by *who*: an id, ``role:id``, or a name; a name may be that of several."""
    named = {one.person for one in directory.people if any(same_name(name, who) for name in one.names)}
    identifier = who.rpartition(":")[2] if directory.find(who) is None else who
    return named | {person_of(identifier)}
