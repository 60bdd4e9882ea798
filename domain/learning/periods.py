"""Periods that are reported on: months, quarters, half-years and years, in a time zone."""

import re
from datetime import date, datetime
from typing import Final, Literal, Self
from zoneinfo import ZoneInfo

from domain.ground.base import Instant, Record

Length = Literal["month", "quarter", "half_year", "year"]
MONTHS: Final[dict[Length, int]] = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
_WRITTEN: Final = re.compile(r"(?P<year>20\d\d)(?:-(?:(?P<month>0[1-9]|1[0-2])|Q(?P<quarter>[1-4])|H(?P<half>[12])))?")


class Period(Record):
    """From ``start`` until before ``end``; ``name`` as it is written: 2026-11, 2026-Q4, 2026-H2 or 2026."""

    name: str
    length: Length
    zone: str
    start: Instant
    end: Instant

    @classmethod
    def named(cls, name: str, zone: str = "UTC") -> Self:
        """The period of that name. Raises ``ValueError`` saying how periods are written."""
        written = _WRITTEN.fullmatch(name)
        if written is None:
            raise ValueError(
                f"period: {name!r} is none; write a month as 2026-11, a quarter as 2026-Q4, a half-year as 2026-H2"
            )
        number = {each: int(value) for each, value in written.groupdict().items() if value}
        if "month" in number:
            return cls._of("month", number["year"], number["month"], zone)
        if "quarter" in number:
            return cls._of("quarter", number["year"], 3 * number["quarter"] - 2, zone)
        if "half" in number:
            return cls._of("half_year", number["year"], 6 * number["half"] - 5, zone)
        return cls._of("year", number["year"], 1, zone)

    @classmethod
    def of(cls, length: Length, instant: datetime, zone: str = "UTC") -> Self:
        """The period of that *length* that *instant* lies in."""
        day = instant.astimezone(ZoneInfo(zone))
        months = MONTHS[length]
        return cls._of(length, day.year, (day.month - 1) // months * months + 1, zone)

    @classmethod
    def _of(cls, length: Length, year: int, month: int, zone: str) -> Self:
        names = {
            "month": f"{year}-{month:02}",
            "quarter": f"{year}-Q{(month + 2) // 3}",
            "half_year": f"{year}-H{(month + 5) // 6}",
            "year": f"{year}",
        }
        end = date(year + (month + MONTHS[length] - 1) // 12, (month + MONTHS[length] - 1) % 12 + 1, 1)
        return cls(
            name=names[length],
            length=length,
            zone=zone,
            start=_midnight(date(year, month, 1), zone),
            end=_midnight(end, zone),
        )

    def before(self, count: int = 1) -> "Period":
        """The period of the same length that many before this one."""
        local = self.start.astimezone(ZoneInfo(self.zone))
        months = local.year * 12 + local.month - 1 - count * MONTHS[self.length]
        return Period._of(self.length, months // 12, months % 12 + 1, self.zone)

    def __contains__(self, instant: datetime | None) -> bool:
        return instant is not None and self.start <= instant < self.end

    @property
    def first_day(self) -> date:
        return self.start.astimezone(ZoneInfo(self.zone)).date()

    @property
    def last_day(self) -> date:
        """The last day that belongs to it."""
        after = self.end.astimezone(ZoneInfo(self.zone)).date()
        return date.fromordinal(after.toordinal() - 1)


def _midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
