"""What a pack allows itself against the rules that it extends: more time than the law gives, or a duty left out."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import Final

from domain.clocks.business_days import local_day
from domain.clocks.calendar import Calendar
from domain.clocks.clock import Clock, Extension, Length
from domain.clocks.reckoning import end_of, reach
from domain.ground.scope import Facts
from domain.ground.words import Action, CaseEvent, Category, Complexity, Element, Matter
from domain.rules.duties import EarlyClosure
from domain.rules.policy import PolicyPack
from domain.rules.problem import Found

_OF_THE_LAW: Final = frozenset(Element) - {Element.TIMETABLE, Element.EXPECTED_DATE}
"""What letters name because a rule says so; a timetable and dates are the firm's custom."""
_A_YEAR: Final = 366
"""On so many days in a row two lengths are compared: holidays make now one, now the other of them end first."""


def laxer(pack: PolicyPack, extends: Sequence[PolicyPack], now: datetime) -> Iterator[Found]:
    """What of *pack* is laxer than a rule of the packs that it *extends*, the nearest first; each once.

    A newer version of the same pack is compared with what that one extends: it says itself what the rule is now.
    """
    told: set[str] = set()
    for rule in extends:
        if rule.id == pack.id:
            continue
        for found in (
            *_clocks(pack, rule, now),
            *_early(pack, rule, now),
            *_beside(pack, rule, now),
            *_news(pack, rule, now),
        ):
            if found[1] not in told:
                told.add(found[1])
                yield found


def _clocks(pack: PolicyPack, rule: PolicyPack, now: datetime) -> Iterator[Found]:
    own = {clock.name: clock for clock in pack.clocks if clock.kind == "statutory"}
    for clock in rule.clocks:
        if clock.kind != "statutory":
            continue
        if clock.name in own:
            yield from _clock(pack, own[clock.name], rule, clock, now)
        elif not any(_stands_in(pack, other, clock, now) for other in own.values()):
            what = "is no statutory clock here" if clock.name in {one.name for one in pack.clocks} else "is left out"
            yield (
                "warning",
                f"clocks[{clock.name}]",
                f"a statutory clock of {rule.id} {what}, and no other keeps its duty ({clock.keeps}) as soon",
            )


def _stands_in(pack: PolicyPack, other: Clock, clock: Clock, now: datetime) -> bool:
    """Whether *other* keeps the duty of *clock* from the same event, and never later."""
    same = other.keeps == clock.keeps and other.trigger is clock.trigger
    return same and _later(pack, other, clock, now) is None


def _clock(pack: PolicyPack, own: Clock, rule: PolicyPack, clock: Clock, now: datetime) -> Iterator[Found]:
    field = f"clocks[{own.name}]"
    if own.trigger is not clock.trigger:
        yield "error", f"{field}.trigger", f"the rule of {rule.id} runs from {clock.trigger.value}"
    for event in own.satisfied_by:
        if event not in clock.satisfied_by:
            yield "error", f"{field}.satisfied_by", f"by the rule of {rule.id} {event.value} does not keep it"
    if own.own_days and not clock.own_days:
        yield "error", f"{field}.own_days", f"the rule of {rule.id} does not count business days by the firm"
    if later := _later(pack, own, clock, now):
        yield "error", f"{field}.length", f"{later} ({rule.id})"
    known = {extension.name: extension for extension in clock.extensions}
    for extension in own.extensions:
        if why := _extends_further(pack.calendar_of(own), extension, known.get(extension.name), now):
            yield "error", f"{field}.extensions[{extension.name}]", f"{why} ({rule.id})"


def _later(pack: PolicyPack, own: Clock, clock: Clock, now: datetime) -> str | None:
    """Why *own* ends later than *clock* for some complaint, on some day at least; ``None`` if it never does."""
    calendar = pack.calendar_of(own)
    pairs = {(own.length_for(facts), clock.length_for(facts)) for facts in _all_facts(own, clock)}
    for mine, theirs in sorted(pairs, key=str):
        for start in _days(calendar, now):
            if end_of(calendar, own, start, mine) > end_of(calendar, clock, start, theirs):
                return f"{mine} is laxer than the rule's {theirs}: it ends later for what happens on {start:%d %b %Y}"
    return None


def _all_facts(*clocks: Clock) -> Iterable[Facts]:
    """Every sort of complaint that the lengths of these clocks tell apart, as far as they have one for it."""
    words = {word for clock in clocks for rule in clock.lengths for word in rule.products}
    matters: list[tuple[Matter, ...]] = [(), *((matter,) for matter in Matter)]
    urgencies = [None, *sorted({one for clock in clocks for rule in clock.lengths for one in rule.priorities})]
    tasks = [None, *sorted({one for clock in clocks for rule in clock.lengths for one in rule.tasks})]
    sorts = product(Category, Complexity, [None, *sorted(words)], matters, urgencies, tasks)
    for category, complexity, named, matter, priority, task in sorts:
        facts = Facts(
            category=category, complexity=complexity, product=named, matters=matter, priority=priority, task=task
        )
        if all(clock.length or any(rule.covers(facts) for rule in clock.lengths) for clock in clocks):
            yield facts


def _extends_further(calendar: Calendar, own: Extension, known: Extension | None, now: datetime) -> str | None:
    if known is None:
        return "the rule knows no such extension"
    if own.at_most > known.at_most:
        return f"the rule grants it {'once' if known.at_most == 1 else f'at most {known.at_most} times'}"
    if known.circumstances and not (own.circumstances and set(own.circumstances) <= set(known.circumstances)):
        return f"the rule grants it only for {' or '.join(one.value for one in known.circumstances)}"
    if (own.by is None) != (known.by is None):
        return f"the rule extends {known}"
    if _reaches_further(calendar.of_the_law, own.length, known.length, now):
        return f"{own} is more than the rule's {known}"
    return None


def _early(pack: PolicyPack, rule: PolicyPack, now: datetime) -> Iterator[Found]:
    own, other = pack.early_closure, rule.early_closure
    if own and other and _closes_later(pack.calendar, own, other, now):
        yield "error", "early_closure.within", f"{own.within} is laxer than the rule's {other.within} ({rule.id})"


def _beside(pack: PolicyPack, rule: PolicyPack, now: datetime) -> Iterator[Found]:
    """What is laxer beside the clocks, in what was read in a source: the file, the ways to go further, the letters."""
    calendar = pack.calendar.of_the_law
    kept, owed = pack.retention, rule.retention
    if owed and owed.confirmed and not (kept and _as_long(calendar, kept.after_closing, owed.after_closing, now)):
        yield "error", "retention", f"by the rule of {rule.id} the file is kept for {owed.after_closing}"
    for name, way in ((route.name, route) for route in rule.routes if route.confirmed):
        own = next((route for route in pack.routes if route.name == name), None)
        if own is None:
            yield "warning", f"routes[{name}]", f"a way to go further by the rule of {rule.id} is left out"
        elif way.within and own.within and not _as_long(calendar, own.within, way.within, now):
            yield "error", f"routes[{name}].within", f"by the rule of {rule.id} the customer has {way.within}"
    named = {(letter.kind, element) for letter in pack.letters for element in letter.must_name}
    for letter in (letter for letter in rule.letters if letter.confirmed):
        owed_to_customers = [element for element in letter.must_name if element in _OF_THE_LAW]
        if lacking := [element.value for element in owed_to_customers if (letter.kind, element) not in named]:
            what = f"by the rule of {rule.id} the letter names {', '.join(lacking)}"
            yield "error", f"letters[{letter.name}].must_name", what


def _news(pack: PolicyPack, rule: PolicyPack, now: datetime) -> Iterator[Found]:
    """A timetable that was taken over, and tells the customer of news more often than there are any here."""
    if pack.timetable != rule.timetable:
        return
    own = {clock.name: clock for clock in pack.clocks}
    for clock in rule.clocks:
        told = clock.trigger is CaseEvent.CONTACTED and any(
            Action.PROGRESS_LETTER in rung.actions for rung in clock.rungs
        )
        if told and (clock.name not in own or _later(pack, own[clock.name], clock, now)):
            what = (
                f"it tells of news as often as in {rule.id}, and clocks[{clock.name}] is not as there; write your own"
            )
            yield "error", "timetable", what


def _as_long(calendar: Calendar, own: Length, owed: Length, now: datetime) -> bool:
    return not _reaches_further(calendar, owed, own, now)


def _closes_later(calendar: Calendar, own: EarlyClosure, other: EarlyClosure, now: datetime) -> bool:
    return any(
        local_day(calendar, own.until(calendar, start)) > local_day(calendar, other.until(calendar, start))
        for start in _days(calendar, now)
    )


def _reaches_further(calendar: Calendar, one: Length, other: Length, now: datetime) -> bool:
    return one != other and any(
        reach(calendar, start, one) > reach(calendar, start, other) for start in _days(calendar, now)
    )


def _days(calendar: Calendar, now: datetime) -> Iterator[datetime]:
    """Noon on each day of a year."""
    noon = now.astimezone(calendar.zone).replace(hour=12, minute=0, second=0, microsecond=0)
    return (noon + timedelta(days=number) for number in range(_A_YEAR))
