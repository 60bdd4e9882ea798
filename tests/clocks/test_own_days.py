"""Two kinds of closed days: the law's, and the firm's own, which lengthen no statutory clock."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.clocks.calendar import Calendar, Closure
from domain.clocks.clock import Clock, Length
from domain.clocks.deadlines import Deadline, Occurred
from domain.clocks.planning import plan
from domain.clocks.reckoning import end_of
from domain.ground.words import CaseEvent, Category
from domain.rules.combining import combine
from domain.rules.policy import PolicyPack
from domain.rules.routes import eligibility
from runtime.policies import find_pack, load_packs

DAY = date(2026, 3, 2)
SHIPPED = sorted(load_packs())
FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def closed(first: date, days: int = 1, **more: Any) -> Closure:
    return Closure(day=first, until=first + timedelta(days=days - 1), why="Closed", **more)


@st.composite
def own_days(draw: st.DrawFn) -> dict[str, Any]:
    """Closures of a firm, apart from each other, and a cut-off hour."""
    starts = draw(st.sets(st.integers(min_value=0, max_value=50), min_size=1, max_size=10))
    closures = tuple(closed(FIRST.date() + timedelta(days=10 * start), draw(st.integers(1, 9))) for start in starts)
    return {"closures": closures, "cut_off": draw(st.none() | st.times().map(lambda at: at.replace(microsecond=0)))}


def ends(pack: PolicyPack, received: datetime) -> dict[tuple[str, Category], datetime]:
    """When each clock that receipt starts ends, for each category."""
    return {
        (one.clock, category): one.clock_due
        for category in (Category.EXECUTION, Category.PAYMENT, Category.HARDSHIP)
        for one in plan(pack, Occurred(event=CaseEvent.RECEIVED, at=received, number=1, facts={"category": category}))
    }


RECEIPTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 3, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(own=own_days(), received=RECEIPTS, name=st.sampled_from(SHIPPED))
def test_no_closure_and_no_cut_off_of_a_firm_moves_a_statutory_end_of_any_shipped_pack(
    own: dict[str, Any], received: datetime, name: str
) -> None:
    pack = find_pack(name, DAY)
    pack = pack.model_copy(update={"clocks": tuple(clock for clock in pack.clocks if clock.length)})
    closing = pack.model_copy(update={"calendar": pack.calendar.model_copy(update=own)})
    before, after = ends(pack, received), ends(closing, received)
    assert before.keys() == after.keys()
    for key, end in before.items():
        clock = pack.clock(key[0])
        if clock.kind == "statutory" and not clock.own_days:
            assert after[key] == end, key
        else:
            assert after[key] >= end, key
    assert closing.early_until(received) == pack.early_until(received)


@given(own=own_days(), received=RECEIPTS)
def test_the_customers_ways_further_open_and_end_by_the_law_alone(own: dict[str, Any], received: datetime) -> None:
    pack = find_pack("uk-fca-payments", DAY)
    closing = pack.model_copy(update={"calendar": pack.calendar.model_copy(update=own)})
    asked: dict[str, Any] = {
        "category": Category.PAYMENT,
        "claimed": None,
        "received_at": received,
        "responded_at": None,
        "at": received + timedelta(days=10),
    }
    assert eligibility(pack, **asked) == eligibility(closing, **asked)


def the(pack: PolicyPack, name: str, received: str) -> dict[str, Deadline]:
    at = datetime.fromisoformat(received).replace(tzinfo=pack.calendar.zone)
    rungs = plan(pack, Occurred(event=CaseEvent.RECEIVED, at=at, number=1))
    return {one.rung: one for one in rungs if one.clock == name}


def closing_over_christmas(name: str, **more: Any) -> PolicyPack:
    pack = find_pack(name, DAY)
    calendar = pack.calendar.model_copy(update={"closures": (closed(date(2026, 12, 24), 8, **more),)})
    return pack.model_copy(update={"calendar": calendar})


def test_a_holiday_proclaimed_at_short_notice_does_lengthen_a_statutory_clock() -> None:
    # 29, 30, 31 December, 4 and 5 January where the firm works on the 24th; the law knows nothing of its closing.
    own = the(closing_over_christmas("uk-fca"), "acknowledgement", "2026-12-23 16:00")
    official = closing_over_christmas("uk-fca", official=True, source="London Gazette")
    proclaimed = the(official, "acknowledgement", "2026-12-23 16:00")
    assert f"{own['due'].clock_due:%Y-%m-%d}" == "2027-01-04"
    assert f"{proclaimed['due'].clock_due:%Y-%m-%d}" == "2027-01-08"


def test_an_official_closure_says_where_it_was_proclaimed() -> None:
    with pytest.raises(ValidationError, match="source: say where the official closure of 2026-12-24 was proclaimed"):
        closed(date(2026, 12, 24), official=True)


def test_people_are_warned_on_a_day_on_which_the_firm_works() -> None:
    pack = closing_over_christmas("uk-fca")
    warning = the(pack, "acknowledgement", "2026-12-23 16:00")["warning"]
    # Two working days of the firm before 4 January: it is closed from the 24th to the 31st.
    assert f"{warning.due.astimezone(pack.calendar.zone):%Y-%m-%d %H:%M}" == "2026-12-23 16:00"


OWN_DAYS = {"source": "PSD2, Art. 4(37): a day on which the provider is open", "confirmed": True}


def counted(**more: Any) -> Clock:
    base = find_pack("uk-fca", DAY).clock("acknowledgement").model_dump()
    return Clock.model_validate({**base, **more})


def test_where_the_rule_defines_business_days_by_the_firm_its_closures_count() -> None:
    calendar: Calendar = closing_over_christmas("uk-fca").calendar
    start = datetime(2026, 12, 23, 16, tzinfo=UTC)
    for clock, day in ((counted(), "2027-01-04"), (counted(own_days=OWN_DAYS), "2027-01-08")):
        assert f"{end_of(calendar, clock, start, Length(business_days=5)):%Y-%m-%d}" == day


def test_the_definition_needs_its_source_and_is_for_statutory_clocks_only() -> None:
    with pytest.raises(ValidationError, match="source"):
        counted(own_days={"confirmed": True})
    with pytest.raises(ValidationError, match="own_days is for a statutory clock"):
        counted(own_days=OWN_DAYS, kind="internal")


def test_a_second_pack_of_a_case_counts_its_statutory_clocks_on_the_laws_days_too() -> None:
    payments, first = closing_over_christmas("uk-fca-payments"), find_pack("hk-hkma", DAY)
    received = datetime(2026, 12, 20, 12, tzinfo=UTC)
    both = combine([first, payments])
    key = ("uk-fca-payments/fifteen-days", Category.PAYMENT)
    assert ends(both, received)[key] == ends(combine([first, find_pack("uk-fca-payments", DAY)]), received)[key]


def test_what_comes_after_the_cut_off_is_received_that_day_for_the_law() -> None:
    pack = find_pack("uk-fca", DAY)
    late = pack.model_copy(update={"calendar": pack.calendar.model_copy(update={"cut_off": time(16)})})
    assert f"{the(late, 'acknowledgement', '2026-03-02 18:00')['due'].clock_due:%Y-%m-%d}" == "2026-03-09"
    assert f"{the(late, 'response', '2026-03-02 18:00')['due'].clock_due:%Y-%m-%d}" == "2026-03-31"
