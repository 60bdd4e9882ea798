"""The clock of a trading server: what its wall-clock times are in UTC, and whether a file's times fit it.

Platforms write server time without saying which. ``NY+7`` (New York wall clock plus seven hours, changing on the US
dates) is the commonest clock of gold and currency brokers, because their day then ends when New York's does; ``EET``
changes on the European dates, ``UTC+2`` never. They agree for most of the year and differ by an hour for weeks of it.

When the market is closed is known: gold and silver trade from Sunday 18:00 to Friday 17:00 in New York with a break
from 17:00 to 18:00 each day, currencies from Sunday 17:00 to Friday 17:00 without one (CME Globex hours, which the
over-the-counter market follows). So a file in which trading is recorded while nobody trades was read with another
clock than its own.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.clocks.local_times import readings

NEW_YORK = ZoneInfo("America/New_York")
HOUR = timedelta(hours=1)

_SHIFTED = re.compile(r"(?:NY|UTC|GMT)(?:([+-])([0-9]{1,2})(?::?([0-5][0-9]))?)?", re.IGNORECASE).fullmatch


class BadClock(ValueError):
    """The name is that of no clock. The text says which names there are."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} is no clock: write NY+7 (New York plus seven hours), UTC+2 (fixed), or a zone such as EET or"
            " Europe/Athens"
        )


@dataclass(frozen=True)
class ServerClock:
    """Shows the wall-clock time of ``zone`` plus ``shift``."""

    name: str
    zone: tzinfo
    shift: timedelta = timedelta(0)

    @classmethod
    def named(cls, name: str) -> "ServerClock":
        """The clock called *name*: ``NY+7``, ``UTC+2``, ``UTC+05:30``, or an IANA zone. Raises :class:`BadClock`."""
        name = name.strip()
        if shape := _SHIFTED(name):
            sign, hours, minutes = shape.groups()
            shift = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
            if abs(shift) > 14 * HOUR:
                raise BadClock(name)
            if name.upper().startswith("NY"):
                return cls(name.upper(), NEW_YORK, shift)
            return cls(name.upper(), timezone(shift))
        try:
            return cls(name, ZoneInfo(name))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise BadClock(name) from None

    def readings(self, shown: datetime) -> tuple[datetime, ...]:
        """The instants at which the clock shows *shown* (without zone), the earlier one first.

        One, but none in the hour a clock skips in spring, and two in the hour it repeats in autumn.
        """
        try:
            return readings(shown - self.shift, self.zone)
        except OverflowError:
            return ()

    def shows(self, at: datetime) -> datetime:
        """What the clock shows at the instant *at*, without zone."""
        return at.astimezone(self.zone).replace(tzinfo=None) + self.shift


CANDIDATES: Sequence[ServerClock] = tuple(
    map(ServerClock.named, ("NY+7", "EET", "UTC+2", "UTC+3", "UTC", "Europe/London", "NY", "UTC-5", "UTC+8"))
)
"""Clocks that brokers and data vendors use, the commonest first."""


@lru_cache(maxsize=65_536)
def closed(at: datetime, *, daily_break: bool) -> str | None:
    """``"weekend"`` or ``"daily break"`` if nobody trades at *at*, with the break of gold and silver if asked for."""
    there = at.astimezone(NEW_YORK)
    day, hour = there.isoweekday(), there.hour
    opens = 18 if daily_break else 17
    if day == 6 or (day == 5 and hour >= 17) or (day == 7 and hour < opens):
        return "weekend"
    return "daily break" if daily_break and hour == 17 else None


@dataclass(frozen=True)
class Fit:
    """How the times of a file lie in the market's hours, read with ``clock``. ``impossible``: the clock skips them."""

    clock: ServerClock
    times: int
    weekend: int
    daily_break: int
    impossible: int

    @property
    def outside(self) -> int:
        return self.weekend + self.daily_break + self.impossible

    def __str__(self) -> str:
        counts = (("in the weekend", self.weekend), ("in the daily break", self.daily_break))
        parts = [f"{count:,} {where}" for where, count in (*counts, ("in no hour of it", self.impossible)) if count]
        return f"{' and '.join(parts) or 'none'} of {self.times:,} times"


def fit(clock: ServerClock, hours: Mapping[datetime, int], *, daily_break: bool) -> Fit:
    """How *hours* (wall-clock hours without zone, each with the number of times in it) lie in the market's hours."""
    counts: Counter[str | None] = Counter()
    for hour, times in hours.items():
        readings = clock.readings(hour)
        # In the hour that comes twice the market is closed only if it is in both.
        states = {closed(at, daily_break=daily_break) for at in readings} or {"impossible"}
        counts[None if None in states else next(iter(states))] += times
    return Fit(clock, sum(hours.values()), counts["weekend"], counts["daily break"], counts["impossible"])


def candidates(hours: Mapping[datetime, int], *, daily_break: bool, most: int = 3) -> list[Fit]:
    """The clocks that fit *hours* best, the best first: those that leave as little outside as the best one does."""
    fits = sorted((fit(clock, hours, daily_break=daily_break) for clock in CANDIDATES), key=lambda each: each.outside)
    return [each for each in fits if each.outside <= fits[0].outside + fits[0].times // 1_000][:most]
