"""How far a length reaches: from an instant, in a calendar."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

from domain.clocks import business_days
from domain.clocks.calendar import Calendar
from domain.clocks.clock import Clock, Length


def reach(
    calendar: Calendar,
    start: datetime,
    length: Length,
    *,
    first_day_counts: bool = False,
    on_closed_day: str = "stays",
) -> datetime:
    """The instant *length* after *start*, in UTC."""
    if length.unit in {"seconds", "hours"}:
        return start.astimezone(UTC) + timedelta(**{length.unit: length.count})
    if length.unit == "business_days":
        day = _add_business_days(calendar, business_days.day_of(calendar, start), length.count, first=first_day_counts)
    else:
        day = add(business_days.local_day(calendar, start), length)
        if first_day_counts and length.count:
            day -= timedelta(days=1)
    if on_closed_day == "next_business_day":
        day = business_days.next_business_day(calendar, day)
    return business_days.end_of_day(calendar, day)


def end_of(calendar: Calendar, clock: Clock, start: datetime, length: Length) -> datetime:
    """Where *length* from *start* ends on *clock*, in UTC, on those days of *calendar* that count for it."""
    return reach(
        clock.counted_in(calendar),
        start,
        length,
        first_day_counts=clock.first_day_counts,
        on_closed_day=clock.on_closed_day,
    )


def _add_business_days(calendar: Calendar, day: date, count: int, *, first: bool) -> date:
    if first and count and business_days.is_business_day(calendar, day):
        count -= 1
    return business_days.add_business_days(calendar, day, count)


def add(day: date, length: Length, *, sign: int = 1) -> date:
    """The day *length* after *day*, or before it with *sign* -1; not for business days."""
    if length.unit == "months":
        return _add_months(day, sign * length.count)
    return day + timedelta(days=sign * length.count * (7 if length.unit == "weeks" else 1))


def _add_months(day: date, count: int) -> date:
    """The same day *count* months on, or that month's last day."""
    month = day.month - 1 + count
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def put_off(calendar: Calendar, end: datetime, unit: str, paused_at: datetime, resumed_at: datetime) -> datetime:
    """*end*, later by the time a clock stood still: to the second, or so that as many (business) days are left."""
    if unit in {"seconds", "hours"}:
        return end + (resumed_at - paused_at)
    stopped, going = (business_days.local_day(calendar, at) for at in (paused_at, resumed_at))
    day = business_days.local_day(calendar, end)
    if unit != "business_days":
        return business_days.end_of_day(calendar, day + (going - stopped))
    left = business_days.business_days_between(calendar, stopped, day)
    resumed = business_days.add_business_days(calendar, going, left) if left else going
    return business_days.end_of_day(calendar, business_days.next_business_day(calendar, resumed))
