"""Business days: which days of a calendar are worked, why the others are not, and how they are counted.

What a country's days are comes from the `holidays` package: weekends, public holidays of the country or a part of it,
and working days moved to a weekend. A calendar's own closures and openings come on top. Everything here is a function
of the calendar and the day; nothing asks what day it is today.
"""

import re
from calendar import SATURDAY, SUNDAY
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Final, NamedTuple

from holidays import country_holidays

from domain.clocks.calendar import Calendar

# `holidays` has as "public" in Hong Kong the statutory holidays of employees; the general holidays, on which banks and
# offices rest (Good Friday among them), are its "optional" ones. Both together are too many: where the National Day is
# a Sunday, each category moves it on, and 3 October would be a holiday too.
_CATEGORIES: Final = {"HK": ("optional",)}

# In English like the holidays' names, whatever the locale.
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_ALL_LISTED: Final = 10
"""So many counted days are spelled out one by one; of more, only what is remarkable."""

_DAY: Final = timedelta(days=1)


def is_business_day(calendar: Calendar, day: date) -> bool:
    """Whether *day* is worked."""
    return closed_because(calendar, day) is None


def closed_because(calendar: Calendar, day: date) -> str | None:
    """Why *day* is not worked: "Saturday", "Boxing Day (observed)" or the words of a closure; ``None`` if it is.

    The country's reasons come before the firm's own. An opening of the calendar wins over everything.
    """
    if calendar.openings and any(opening.day == day for opening in calendar.openings):
        return None
    closed = _year_of(calendar, day).closed.get(day)
    if closed or not calendar.closures:
        return closed
    return next((closure.why for closure in calendar.closures if closure.day <= day <= closure.last), None)


def add_business_days(calendar: Calendar, day: date, count: int) -> date:
    """The *count*-th business day after *day*, or before it where *count* is negative; *day* itself does not count.

    With a *count* of 0 it is *day*, worked or not.
    """
    return next((counted for counted, _ in _counted(calendar, day, count, abs(count) - 1)), day)


def business_days_between(calendar: Calendar, start: date, end: date) -> int:
    """How many business days one has to add to *start* to come to *end*: those after *start*, up to and with *end*.

    Where *end* is the earlier one, those before *start*, down to and with *end*, as a negative number.
    """
    step = _DAY if start <= end else -_DAY
    worked = sum(is_business_day(calendar, start + step * number) for number in range(1, abs((end - start).days) + 1))
    return worked if start <= end else -worked


def next_business_day(calendar: Calendar, day: date) -> date:
    """*day* itself if it is worked, otherwise the first business day after it."""
    return day if is_business_day(calendar, day) else add_business_days(calendar, day, 1)


def local_day(calendar: Calendar, instant: datetime) -> date:
    """The calendar's own date at *instant*."""
    return instant.astimezone(calendar.zone).date()


def day_of(calendar: Calendar, instant: datetime) -> date:
    """The day on which something that comes at *instant* counts as having come.

    Without a cut-off that is the local date. With one it is a business day: what comes after the cut-off, or on a day
    that is not worked, counts on the next. The second of the cut-off itself is still in time.
    """
    day = local_day(calendar, instant)
    if calendar.cut_off is None:
        return day
    # As instants, not as times on a wall, which goes through an hour twice when the clocks are put back.
    cut_off = datetime.combine(day, calendar.cut_off, calendar.zone).astimezone(UTC)
    if instant.astimezone(UTC).replace(microsecond=0) > cut_off:
        day += _DAY
    return next_business_day(calendar, day)


def end_of_day(calendar: Calendar, day: date) -> datetime:
    """The last second of *day* in the calendar's time zone, as UTC."""
    # The later one of two, where the clocks are put back at midnight.
    return datetime.combine(day, time(23, 59, 59, fold=1), calendar.zone).astimezone(UTC)


def is_verified(calendar: Calendar, day: date) -> bool:
    """Whether the official holidays up to *day* are known. A calendar that names no last such day is taken as it is."""
    return calendar.verified_until is None or day <= calendar.verified_until


def place_problem(calendar: Calendar) -> str | None:
    """What is wrong with the calendar's country or subdivision, the field first; ``None`` if its holidays are known."""
    try:
        subdivisions = country_holidays(calendar.country).subdivisions
    except NotImplementedError:
        return f"country: no holidays are known of {calendar.country!r}: use an ISO 3166 code such as GB"
    try:
        country_holidays(calendar.country, subdiv=calendar.subdivision)
    except NotImplementedError:
        known = f"use one of {', '.join(subdivisions)}" if subdivisions else "leave it out"
        return f"subdivision: no holidays are known of {calendar.subdivision!r} in {calendar.country}: {known}"
    return None


def spell_business_days(calendar: Calendar, start: date, count: int) -> str:
    """How :func:`add_business_days` counts: the days counted, and in brackets the closed ones passed over, and why.

    "24 Dec, 29 Dec (25 Dec Christmas Day, 26–27 Dec weekend, 28 Dec Boxing Day (observed)), 30 Dec". A year is named
    where it begins, and a working day at the weekend is marked. Of more than ten days only the first, the last and
    those beyond a holiday are named.
    """
    counted = list(_counted(calendar, start, count))
    if not counted:
        return _spell_day(start)
    words: list[str] = []
    year = start.year
    for number, (day, passed) in enumerate(counted, 1):
        worked = _worked_because(calendar, day)
        plain = worked is None and all(why in _WEEKDAYS for _, why in passed)
        if plain and len(counted) > _ALL_LISTED and 1 < number < len(counted):
            if words[-1] != "…":
                words.append("…")
            continue
        remarks = [*_spell_closed(sorted(passed)), *([worked] if worked else [])]
        words.append(
            _spell_day(day)
            + (f" {day.year}" if day.year != year else "")
            + (f" ({', '.join(remarks)})" if remarks else "")
        )
        year = day.year
    return ", ".join(words)


_Passed = list[tuple[date, str]]


def _counted(calendar: Calendar, day: date, count: int, skip: int = 0) -> Iterator[tuple[date, _Passed]]:
    """The business days counted from *day* on but the first *skip*, with the closed days passed over to each."""
    step = _DAY if count > 0 else -_DAY
    for number in range(abs(count)):
        passed: _Passed = []
        day += step
        while why := closed_because(calendar, day):
            passed.append((day, why))
            day += step
        if number >= skip:
            yield day, passed


def _worked_because(calendar: Calendar, day: date) -> str | None:
    """Why the business day *day* is worked although it is none by the week or the law of the country."""
    opened = next((opening.why for opening in calendar.openings if opening.day == day), None)
    return opened or _year_of(calendar, day).moved.get(day)


def _spell_closed(passed: Sequence[tuple[date, str]]) -> Iterator[str]:
    for why, days in groupby(passed, key=lambda one: "weekend" if one[1] in _WEEKDAYS else one[1]):
        run = list(days)
        first, last = run[0][0], run[-1][0]
        if first == last:
            yield f"{_spell_day(first)} {run[0][1]}"
        elif first.month == last.month:
            yield f"{first.day}–{_spell_day(last)} {why}"
        else:
            yield f"{_spell_day(first)}–{_spell_day(last)} {why}"


def _spell_day(day: date) -> str:
    return f"{day.day} {day:%b}"


class _Year(NamedTuple):
    """The days of a country's year that are not worked, and those of its weekends that are, with the reasons."""

    closed: Mapping[date, str]
    moved: Mapping[date, str]


def _year_of(calendar: Calendar, day: date) -> _Year:
    return _year(calendar.country, calendar.subdivision, day.year)


@lru_cache(maxsize=512)
def _year(country: str, subdivision: str | None, year: int) -> _Year:
    languages = country_holidays(country).supported_languages
    known = country_holidays(
        country,
        subdiv=subdivision,
        years=year,
        language=next((language for language in languages if language.startswith("en")), None),
        categories=_CATEGORIES.get(country),
    )
    if known.weekend == {SUNDAY}:
        # The law's one day of rest (in Hong Kong); offices rest on Saturday too.
        known.weekend = {SATURDAY, SUNDAY}
    closed: dict[date, str] = {}
    moved: dict[date, str] = {}
    for number in range(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1):
        day = date.fromordinal(number)
        at_weekend = known.is_weekend(day)
        if known.is_working_day(day):
            if at_weekend:
                moved[day] = f"working {_WEEKDAYS[day.weekday()]}"
        else:
            closed[day] = _WEEKDAYS[day.weekday()] if at_weekend else _unambiguous(known[day])
    return _Year(closed, moved)


def _unambiguous(name: str) -> str:
    """The package's name of a day, in which another day may be named in the American way."""
    return re.sub(r"\b(\d\d)/(\d\d)/(\d{4})\b", r"\3-\1-\2", name)
