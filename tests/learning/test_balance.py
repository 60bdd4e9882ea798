"""What was there and what came, less what went, is what is there: or nothing is reported."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.generated_cases import END, generated
from domain.learning.balance import Balancing, DoesNotBalance
from domain.learning.definitions import Closed, is_open, turns
from domain.learning.facts import CaseFact
from domain.learning.monthly import report_of
from domain.learning.periods import Period
from domain.learning.tally import Tally
from runtime.causes import load_causes

NOVEMBER = Period.named("2026-11")
RECEIVED = datetime(2026, 10, 30, 9, tzinfo=UTC)


def case(**changes: object) -> CaseFact:
    return replace(CaseFact("RD-1", RECEIVED, "uk-fca", "web"), **changes)  # type: ignore[arg-type]


def at(days: float) -> datetime:
    return RECEIVED + timedelta(days=days)


def test_it_holds_for_every_product_on_fifty_thousand_cases() -> None:
    cases = list(generated(50_000))
    counted = Balancing(NOVEMBER)
    for one in cases:
        counted.count(one)
    balances = counted.balances()
    assert len(balances) == 5
    assert all(one.holds and min(one.before, one.opened, one.reopened, one.closed, one.after) > 0 for one in balances)
    assert sum(one.opened for one in balances) == sum(one.received_at in NOVEMBER for one in cases)
    assert sum(one.after for one in balances) == sum(is_open(one, END) for one in cases)


def test_the_report_is_refused_where_it_does_not_and_says_of_which_product() -> None:
    out_of_order = case(product="XAUUSD", turns=(("responded", at(40)), ("reopened", at(3))))
    tally = Tally(NOVEMBER, load_causes())
    tally.count(out_of_order)
    with pytest.raises(DoesNotBalance, match=r"^the report is refused, .*: XAUUSD: 1 \+ 0 opened \+ 1 reopened - 0"):
        report_of(tally, 1)


EVENT = st.sampled_from(["acknowledged", "responded", "disputed", "reopened", "referred", "settled"])


@given(
    st.lists(st.tuples(EVENT, st.integers(-5, 90)), max_size=8),
    st.one_of(st.none(), st.integers(-2, 90)),
    st.sampled_from(["uk-fca", "cn-banking"]),
)
def test_it_holds_whatever_happens_to_a_case_in_whatever_order_of_events(
    told: list[tuple[str, int]], closed: int | None, policy: str
) -> None:
    happened = sorted(((name, at(day)) for name, day in told), key=lambda one: one[1])
    one = case(policy=policy, turns=tuple(happened), closed_at=None if closed is None else at(closed))
    for number in range(-1, 4):
        counted = Balancing(NOVEMBER.before(number))
        counted.count(one)
        counted.balances()


def test_when_a_complaint_is_closed_is_said_by_its_pack() -> None:
    told = case(turns=(("responded", at(2)), ("disputed", at(5)), ("responded", at(9))), closed_at=at(40))
    assert list(turns(told)) == [(at(0), True), (at(2), False), (at(5), True), (at(9), False)]
    assert list(turns(told, Closed.FILED)) == [(at(0), True), (at(40), False)]
    assert list(turns(replace(told, policy="cn-banking"))) == list(turns(told, Closed.FILED))
    withdrawn = case(closed_at=at(1))
    assert [is_open(withdrawn, at(day)) for day in (0, 0.5, 1, 2)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("name", "zone", "start", "end"),
    [
        ("2026-11", "UTC", "2026-11-01T00:00+00:00", "2026-12-01T00:00+00:00"),
        ("2026-12", "Asia/Hong_Kong", "2026-12-01T00:00+08:00", "2027-01-01T00:00+08:00"),
        ("2026-Q4", "Europe/London", "2026-10-01T00:00+01:00", "2027-01-01T00:00+00:00"),
        ("2027-H1", "Europe/London", "2027-01-01T00:00+00:00", "2027-07-01T00:00+01:00"),
        ("2026", "UTC", "2026-01-01T00:00+00:00", "2027-01-01T00:00+00:00"),
    ],
)
def test_a_period_begins_and_ends_with_the_days_of_its_zone(name: str, zone: str, start: str, end: str) -> None:
    period = Period.named(name, zone)
    assert (period.start, period.end) == (datetime.fromisoformat(start), datetime.fromisoformat(end))
    assert period.before().end == period.start
    assert period.before(12).before(-12) == period == Period.of(period.length, period.start, zone)


@pytest.mark.parametrize("name", ["2026-13", "2026-Q5", "2026-H3", "november", "26-11", ""])
def test_what_is_no_period_is_refused_with_how_to_write_one(name: str) -> None:
    with pytest.raises(ValueError, match=r"write a month as 2026-11, a quarter as 2026-Q4, a half-year as 2026-H2"):
        Period.named(name)
