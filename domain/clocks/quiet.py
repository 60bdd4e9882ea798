"""Quiet hours: when nobody is written to about what can wait."""

from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Self

from pydantic import model_validator

from domain.ground.base import Record


class QuietHours(Record):
    """From ``start`` until ``end``, local times of day; past midnight where ``end`` is the earlier one."""

    start: time
    end: time

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.start.tzinfo or self.end.tzinfo:
            raise ValueError("quiet_hours: start and end are local times without offset")
        if self.start == self.end:
            raise ValueError("quiet_hours: start and end are the same, so that nobody could ever be written to")
        return self

    @property
    def length(self) -> timedelta:
        """How long they are on a day without a change of the clocks."""
        return (_on_one_day(self.end) - _on_one_day(self.start)) % timedelta(days=1)

    def until(self, now: datetime, zone: tzinfo) -> datetime | None:
        """When those end, in UTC, that are at *now* (aware) in *zone*; ``None`` where it is none of them."""
        today = now.astimezone(zone).date()
        for day in (today - timedelta(days=1), today):
            last = day if self.start < self.end else day + timedelta(days=1)
            begins = datetime.combine(day, self.start, zone).astimezone(UTC)
            # Where clocks are set back there are two such moments, and both nights are to be quiet to their end.
            ends = max(datetime.combine(last, self.end, zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1))
            if begins <= now < ends:
                return ends
        return None


def _on_one_day(at: time) -> timedelta:
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second, microseconds=at.microsecond)
