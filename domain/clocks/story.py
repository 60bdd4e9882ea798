"""What happened in a case, in order, and when a clock that it started ends."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from domain.clocks import business_days
from domain.clocks.calendar import Calendar
from domain.clocks.clock import Clock, Extension, Length
from domain.clocks.deadlines import Occurred, Round
from domain.clocks.reckoning import end_of, put_off, reach
from domain.ground.scope import Facts
from domain.ground.words import CaseEvent, Category

Calendars = Mapping[str, Calendar]
"""Calendars by hash: those that REPLANNED events of a case name."""


class ClockRules(Protocol):
    """What is asked of a policy pack here: its clocks, and the calendar that each is counted in."""

    @property
    def clocks(self) -> tuple[Clock, ...]: ...

    def clock(self, name: str) -> Clock:
        """The clock of that name. Raises ``LookupError``."""

    def calendar_of(self, clock: Clock) -> Calendar: ...


class End(NamedTuple):
    """When a clock ends, and in words how that was found."""

    at: datetime
    provisional: bool
    how: str


class Story(NamedTuple):
    """What happened in a case until some moment, in order, and the rules and calendars it is judged by."""

    pack: ClockRules
    history: Sequence[Occurred]
    known: Calendars

    def calendar(self, clock: Clock, trigger: Occurred) -> Calendar:
        """The calendar that the clock started by *trigger* is counted in.

        That is the one it was last extended to; but of a statutory clock what a certain end was counted on stays.
        """
        calendar = self.pack.calendar_of(clock)
        for index, event in enumerate(self.history):
            later = self.known.get(event.calendar) if event.calendar else None
            if later is None or later.id is None or later.id != calendar.id:
                continue
            if clock.kind == "statutory" and as_it_happened(trigger) < as_it_happened(event):
                before = self._replace(history=self.history[:index]).end(clock, trigger)
                if before is not None and not before.provisional:
                    continue
            calendar = later
        return calendar

    def trigger(self, clock: Clock, one: Round) -> Occurred:
        """The event that a round of *clock* counts from."""
        started = [event for event in self.history if event.event is clock.trigger]
        return max(started, key=lambda event: (event.number == one.number, event.at == one.started_at, event.number))

    def facts(self, clock: Clock, trigger: Occurred) -> list[Facts]:
        """The assessments by which the clock's length is chosen."""
        assessed = [event for event in self.history if event.facts]
        at_start = [event.facts for event in assessed if as_it_happened(event) <= as_it_happened(trigger)][-1:]
        later = [event.facts for event in assessed if as_it_happened(event) > as_it_happened(trigger)]
        counting = [facts for facts in (*at_start, *later) if facts] or [Facts(category=Category.OTHER)]
        if clock.kind == "internal":
            counting = counting[-1:]
        return [facts for facts in counting if clock.scope is None or clock.scope.covers(facts)]

    def end(self, clock: Clock, trigger: Occurred) -> End | None:
        """When the clock started by *trigger* ends, after all that moved its end; ``None`` if it does not run."""
        calendar = clock.counted_in(self.calendar(clock, trigger))
        if trigger.until is not None:
            return End(trigger.until, False, f"as set: {_spoken(calendar, trigger.until)}")
        facts = [one.model_copy(update={"task": trigger.task}) for one in self.facts(clock, trigger)]
        lengths = [clock.length_for(one) for one in facts]
        if not lengths:
            return None
        # Of the assessments a statutory clock has known, the strictest holds; an internal one goes by the last.
        length = min(lengths, key=lambda one: end_of(calendar, clock, trigger.at, one))
        end = end_of(calendar, clock, trigger.at, length)
        how = _spell(calendar, clock, trigger, length, end)
        used = [length]
        paused_at: datetime | None = None
        since = [event for event in self.history if as_it_happened(event) > as_it_happened(trigger)]
        # What leads to a length from the start comes first, so that the order of the grants makes no difference.
        for extension in sorted(self._granted(clock, trigger, since), key=lambda one: one.to is None):
            used.append(extension.length)
            if extension.to:
                end = max(end, end_of(calendar, clock, trigger.at, extension.to))
            else:
                end = reach(calendar, end, extension.length, on_closed_day=clock.on_closed_day)
            how += f"; extended {extension} ({extension.name}): {_spoken(calendar, end)}"
        for event in since:
            if clock.pauses and event.event is CaseEvent.INFORMATION_REQUESTED:
                paused_at = paused_at or event.at
            if clock.pauses and event.event in RESUME and paused_at:
                end = put_off(calendar, end, length.unit, paused_at, event.at)
                how += f"; stood still while the customer was asked: {_spoken(calendar, end)}"
                paused_at = None
        if paused_at:
            return None
        counted = clock.on_closed_day != "stays" or any(one.unit == "business_days" for one in used)
        provisional = counted and not business_days.is_verified(calendar, business_days.local_day(calendar, end))
        if provisional:
            how += f"; provisional: holidays are known until {calendar.verified_until}"
        return End(end, provisional, how)

    def _granted(self, clock: Clock, trigger: Occurred, since: Sequence[Occurred]) -> Iterable[Extension]:
        """The extensions that the customer was told of before the end as it then stood."""
        for event in since:
            extension = _extension(clock, event)
            if extension is None:
                continue
            until = [one for one in self.history if as_it_happened(one) < as_it_happened(event)]
            stood = self._replace(history=until).end(clock, trigger)
            if stood is not None and event.at <= stood.at:
                yield extension


def _extension(clock: Clock, event: Occurred) -> Extension | None:
    """The extension of *clock* that *event* is the granting of."""
    if event.event is not CaseEvent.EXTENDED or event.clock != clock.name:
        return None
    return next((one for one in clock.extensions if one.name == event.extension), None)


def _spell(calendar: Calendar, clock: Clock, trigger: Occurred, length: Length, end: datetime) -> str:
    counted = (
        f"{length} from {trigger.event.value.replace('_', ' ')} at {_spoken(calendar, trigger.at)} {calendar.time_zone}"
    )
    start = business_days.day_of(calendar, trigger.at)
    if length.unit == "business_days" and start != business_days.local_day(calendar, trigger.at):
        counted += f", which counts as {start:%a %d %b %Y}"
    if clock.first_day_counts and length.unit not in {"seconds", "hours"}:
        counted += ", the first day counting"
    days = ""
    if length.unit == "business_days" and length.count:
        first = clock.first_day_counts and business_days.is_business_day(calendar, start)
        days = business_days.spell_business_days(calendar, start, length.count - first)
    return f"{counted}: {days}{' → ' if days else ''}{_spoken(calendar, end)}"


def _spoken(calendar: Calendar, at: datetime) -> str:
    return f"{at.astimezone(calendar.zone):%a %d %b %Y %H:%M:%S}"


def as_it_happened(occurred: Occurred) -> tuple[datetime, int, str]:
    """The order of events by time, and by number where two have one time."""
    return occurred.at, occurred.number, occurred.event


RESUME = {CaseEvent.CUSTOMER_REPLIED, CaseEvent.WAIT_ENDED}
PAUSE = {CaseEvent.INFORMATION_REQUESTED, *RESUME}
