"""Business days: which days count, in the calendar of a policy pack."""

from calendar import SATURDAY
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from holidays import HolidayBase, country_holidays

from domain.policy import Calendar

# `holidays` has as "public" in Hong Kong the statutory holidays of employees; the general holidays, on which banks and
# offices rest as well (Good Friday among them), are its "optional" ones.
_CATEGORIES = {"HK": ("public", "optional")}


@lru_cache(maxsize=32)
def _holidays(country: str, subdivision: str | None) -> HolidayBase:
    holidays = country_holidays(country, subdiv=subdivision, categories=_CATEGORIES.get(country))
    if len(holidays.weekend) == 1:
        # The law's one day of rest (Sunday in Hong Kong); offices rest on Saturday too.
        holidays.weekend = holidays.weekend | {SATURDAY}
    return holidays


def is_business_day(calendar: Calendar, day: date) -> bool:
    """Whether *day* is worked: not a weekend nor a public holiday, or a make-up working day."""
    return bool(_holidays(calendar.country, calendar.subdivision).is_working_day(day))


def add_business_days(calendar: Calendar, day: date, count: int) -> date:
    """The *count*-th business day after *day*; *day* itself does not count."""
    while count:
        day += timedelta(days=1)
        count -= is_business_day(calendar, day)
    return day


def local_day(calendar: Calendar, instant: datetime) -> date:
    """The calendar's own date at *instant*."""
    return instant.astimezone(calendar.zone).date()


def end_of_day(calendar: Calendar, day: date) -> datetime:
    """The last second of *day* in the calendar's time zone, as UTC."""
    return datetime.combine(day, time(23, 59, 59), calendar.zone).astimezone(UTC)
