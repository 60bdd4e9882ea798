"""The server's clock: what its times are in UTC, what happens where it changes, and which clock fits a file."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starter.importing.formats.server_clock import CANDIDATES, BadClock, ServerClock, candidates, closed, fit
from starter.importing.formats.source import WallTimes, moment
from starter.importing.formats.trade_log_csv import BadRow

NY7 = ServerClock.named("NY+7")
CLOCKS = st.sampled_from([*CANDIDATES, ServerClock.named("UTC+05:30"), ServerClock.named("Australia/Lord_Howe")])
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("shown", "at"),
    [
        ("2026-03-06 12:00", "2026-03-06 10:00"),  # winter in both
        ("2026-03-10 12:00", "2026-03-10 09:00"),  # summer in the US, winter in Europe
        ("2026-07-01 12:00", "2026-07-01 09:00"),  # summer in both
        ("2026-10-28 12:00", "2026-10-28 09:00"),  # summer in the US, winter in Europe
        ("2026-11-02 12:00", "2026-11-02 10:00"),
    ],
)
def test_new_york_plus_seven_changes_on_the_us_dates(shown: str, at: str) -> None:
    assert NY7.readings(wall(shown)) == (utc(at),)


def test_eastern_european_time_changes_on_the_european_dates() -> None:
    eet = ServerClock.named("EET")
    assert eet.readings(wall("2026-03-10 12:00")) == (utc("2026-03-10 10:00"),)
    assert eet.readings(wall("2026-03-30 12:00")) == (utc("2026-03-30 09:00"),)


@pytest.mark.parametrize(
    ("name", "hours"), [("UTC+2", 2), ("GMT-5", -5), ("utc", 0), ("UTC+05:30", 5.5), ("UTC+0530", 5.5)]
)
def test_a_fixed_clock_never_changes(name: str, hours: float) -> None:
    clock = ServerClock.named(name)
    for month in range(1, 13):
        at = datetime(2026, month, 15, 12, tzinfo=UTC)
        assert clock.shows(at) == at.replace(tzinfo=None) + timedelta(hours=hours)


@pytest.mark.parametrize("name", ["", "NY+", "NY+15", "UTC+2h", "Mars/Olympus", "+2", "America", "../etc/passwd"])
def test_what_is_no_clock_is_refused_with_what_would_be_one(name: str) -> None:
    with pytest.raises(BadClock, match=r"NY\+7 .* UTC\+2 .* zone such as EET"):
        ServerClock.named(name)


def test_the_hour_a_clock_skips_is_no_time_and_the_hour_it_repeats_is_two() -> None:
    assert NY7.readings(wall("2026-03-08 09:30")) == ()
    assert NY7.readings(wall("2026-11-01 08:30")) == (utc("2026-11-01 05:30"), utc("2026-11-01 06:30"))


@given(clock=CLOCKS, at=INSTANTS)
def test_what_a_clock_shows_is_read_back(clock: ServerClock, at: datetime) -> None:
    assert at in clock.readings(clock.shows(at))


@given(clock=CLOCKS, shown=st.datetimes(datetime(2000, 1, 1), datetime(2035, 1, 1)))  # noqa: DTZ001
def test_every_reading_of_a_time_shows_it_and_there_are_two_at_most(clock: ServerClock, shown: datetime) -> None:
    readings = clock.readings(shown)
    assert len(readings) <= 2
    assert list(readings) == sorted(set(readings))
    assert {clock.shows(at) for at in readings} <= {shown}


@given(clock=CLOCKS, at=INSTANTS, minutes=st.integers(1, 600))
def test_away_from_its_changes_a_clock_runs_as_time_does(clock: ServerClock, at: datetime, minutes: int) -> None:
    later = at + timedelta(minutes=minutes)
    shift = (clock.shows(later) - clock.shows(at)) - (later - at)
    assert abs(shift) <= timedelta(hours=1)
    months_away = {at.month, later.month} <= {1, 2, 6, 7, 8, 12}
    assert not shift or not months_away


# --- reading the times of a file --------------------------------------------------------------------------------------


def read(clock: str, shown: Iterable[str], *, ordered: bool = True) -> list[str]:
    times = WallTimes(ServerClock.named(clock), ordered=ordered)
    return [moment(times, each) for each in shown]


def test_in_the_hour_that_comes_twice_the_order_of_the_rows_decides() -> None:
    shown = [f"2026.11.01 {time}" for time in ("07:59:00", "08:00:00", "08:59:00", "08:00:00", "08:30:00", "09:00:00")]
    assert [at[11:16] for at in read("NY+7", shown)] == ["04:59", "05:00", "05:59", "06:00", "06:30", "07:00"]


def test_without_an_order_a_time_of_the_hour_that_comes_twice_is_a_bad_one() -> None:
    with pytest.raises(BadRow, match="NY\\+7 showed 2026-11-01 08:30:00 twice, and nothing tells which is meant"):
        read("NY+7", ["2026.11.01 08:30:00"], ordered=False)


@pytest.mark.parametrize("ordered", [True, False])
def test_a_time_of_the_hour_that_is_skipped_is_a_bad_one(ordered: bool) -> None:
    with pytest.raises(BadRow, match="NY\\+7 skipped 2026-03-08 09:30:00: another clock wrote it"):
        read("NY+7", ["2026.03.08 09:30:00"], ordered=ordered)


@pytest.mark.parametrize("text", ["2026.02.30 02:07:00", "2026.02.16 24:00:00", "2026.02.16 02:60:00", "noon", ""])
def test_what_is_no_time_is_a_bad_one(text: str) -> None:
    with pytest.raises(BadRow):
        read("NY+7", [text])


@given(clock=CLOCKS, start=INSTANTS, steps=st.lists(st.integers(0, 5_000), min_size=1, max_size=40))
def test_the_times_of_a_file_in_order_are_read_back_to_the_second(
    clock: ServerClock, start: datetime, steps: list[int]
) -> None:
    instants = [start.replace(microsecond=0)]
    for seconds in steps:
        instants.append(instants[-1] + timedelta(seconds=seconds))
    times = WallTimes(clock, ordered=True)
    read = [datetime.fromisoformat(moment(times, clock.shows(at).isoformat(" "))) for at in instants]
    assert read == sorted(read)
    for at, found, (before, after) in zip(instants, read, pairwise([instants[0], *instants]), strict=True):
        # Only a gap of about an hour over the change leaves room for the other reading.
        assert found == at or (len(clock.readings(clock.shows(at))) == 2 and after - before < timedelta(hours=2))
    assert sum(times.hours.values()) == len(instants)


# --- which clock fits -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "gold", "currencies"),
    [
        ("2026-02-20 21:59", None, None),  # Friday 16:59 in New York
        ("2026-02-20 22:00", "weekend", "weekend"),
        ("2026-02-22 21:59", "weekend", "weekend"),
        ("2026-02-22 22:30", "weekend", None),  # Sunday 17:30 there
        ("2026-02-22 23:00", None, None),
        ("2026-02-18 22:30", "daily break", None),
        ("2026-07-15 21:30", "daily break", None),  # summer
        ("2026-07-15 22:30", None, None),
    ],
)
def test_the_market_is_closed_by_new_yorks_clock(at: str, gold: str | None, currencies: str | None) -> None:
    assert closed(utc(at), daily_break=True) == gold
    assert closed(utc(at), daily_break=False) == currencies


def hours_of_gold(clock: ServerClock, first: str, days: int) -> Counter[datetime]:
    """Every hour of trading in gold, as *clock* shows it."""
    every = (utc(first) + timedelta(hours=hour) for hour in range(24 * days))
    return Counter(clock.shows(at) for at in every if closed(at, daily_break=True) is None)


@pytest.mark.parametrize("clock", CANDIDATES, ids=lambda each: each.name)
def test_a_year_of_trading_fits_the_clock_it_was_written_with_best(clock: ServerClock) -> None:
    hours = hours_of_gold(clock, "2026-01-05", 360)
    best = candidates(hours, daily_break=True, most=1)[0]
    assert best.clock == clock
    assert best.outside == 0


def test_before_the_clocks_change_several_fit_and_all_are_told() -> None:
    told = candidates(hours_of_gold(NY7, "2026-02-16", 12), daily_break=True)
    assert [(each.clock.name, each.outside) for each in told] == [("NY+7", 0), ("EET", 0), ("UTC+2", 0)]


def test_a_wrong_clock_shows_by_the_daily_break_and_the_weekend() -> None:
    hours = hours_of_gold(NY7, "2026-03-09", 14)  # between the US change and the European one
    assert fit(NY7, hours, daily_break=True).outside == 0
    wrong = fit(ServerClock.named("EET"), hours, daily_break=True)
    assert (wrong.weekend, wrong.daily_break) == (2, 8)
    assert str(wrong) == "2 in the weekend and 8 in the daily break of 230 times"
