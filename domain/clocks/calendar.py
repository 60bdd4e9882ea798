"""A calendar: where business days are counted, and what the firm knows of its days."""

from datetime import date, time
from typing import Annotated, Final, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, model_validator

from domain.ground.base import Country, Identifier, Line, Record, content_hash

# Read from the system's files now: a workflow, which carries its pack, may open none.
_ZONES: Final = frozenset(available_timezones())


def _zone(name: str) -> str:
    if name not in _ZONES:
        raise ValueError(f"unknown time zone {name!r}: use an IANA name such as Asia/Hong_Kong")
    return name


class Closure(Record):
    """A day, or the days until another, on which nobody works although the country does.

    Without more it is the firm's own, and lengthens no statutory clock. An ``official`` one is a holiday of the country
    that the package `holidays` does not know yet: ``source`` says where it was proclaimed.
    """

    day: date
    until: date | None = None
    why: Line
    official: bool = False
    source: Line | None = None

    @model_validator(mode="after")
    def _official_has_source(self) -> Self:
        if self.official and not self.source:
            raise ValueError(f"source: say where the official closure of {self.day} was proclaimed")
        return self

    @property
    def last(self) -> date:
        return self.until or self.day


class Opening(Record):
    """A day that is worked although the country rests: a make-up working day, say."""

    day: date
    why: Line


class Calendar(Record):
    """Where business days are counted: country and subdivision by ISO 3166, IANA time zone.

    ``cut_off`` is the local time after which something counts, on clocks in business days, as having come on the next
    business day, and so does what comes on a day that is none; without it the local date counts. ``verified_until`` is
    the last day for which the official holidays are known: a date counted beyond it is provisional.

    A cut-off and closures that are not official are the firm's own: see :attr:`of_the_law`.
    """

    id: Identifier | None = None
    time_zone: Annotated[str, AfterValidator(_zone)]
    country: Country
    subdivision: str | None = None
    cut_off: time | None = None
    verified_until: date | None = None
    source: str | None = None
    closures: tuple[Closure, ...] = ()
    openings: tuple[Opening, ...] = ()

    @model_validator(mode="after")
    def _days_fit(self) -> Self:
        for closure in self.closures:
            if closure.last < closure.day:
                raise ValueError(f"closures: {closure.day} until {closure.last} ends before it begins")
            for opening in self.openings:
                if closure.day <= opening.day <= closure.last:
                    raise ValueError(f"openings: {opening.day} is among the closures too")
        if self.cut_off is not None and self.cut_off.tzinfo is not None:
            raise ValueError("cut_off: give a local time without offset")
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def of_the_law(self) -> "Calendar":
        """The calendar without what would give the firm more time by its own choice: its closures and its cut-off.

        Openings stay: a day more that is worked never makes an end later.
        """
        official = tuple(closure for closure in self.closures if closure.official)
        if self.cut_off is None and len(official) == len(self.closures):
            return self
        return self.model_copy(update={"closures": official, "cut_off": None})

    @property
    def hash(self) -> str:
        """SHA-256 of the calendar's content."""
        return content_hash(self)
