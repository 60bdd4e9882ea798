"""Deadlines: counted by hand for the awkward days, and followed through whole cases of the shipped packs."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.clocks.business_days import is_business_day
from domain.clocks.calendar import Calendar
from domain.clocks.clock import Clock, Length, Rung
from domain.clocks.deadlines import Occurred
from domain.clocks.planning import plan, satisfies
from domain.clocks.reckoning import reach
from domain.ground.words import Action, CaseEvent
from domain.rules.policy import PolicyPack
from runtime.policies import find_pack

HONG_KONG = Calendar(time_zone="Asia/Hong_Kong", country="HK")
SHANGHAI = Calendar(time_zone="Asia/Shanghai", country="CN")
LONDON = Calendar(time_zone="Europe/London", country="GB", subdivision="ENG")
CALENDARS = (HONG_KONG, SHANGHAI, LONDON)

EVENT = CaseEvent


def default() -> PolicyPack:
    return find_pack("platform-default", date(2026, 3, 2))


def local(calendar: Calendar, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=calendar.zone)


# -- counted by hand ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calendar", "start", "length", "due"),
    [
        # Seconds and hours count from the instant, at night and on holidays too.
        (HONG_KONG, "2026-02-16 23:59:58", {"seconds": 3}, "2026-02-17 00:00:01"),
        (HONG_KONG, "2026-02-13 18:00:00", {"hours": 24}, "2026-02-14 18:00:00"),
        # 24 hours are 24 hours when the clocks change: 29 March 2026 has 23 of them in London, 25 October 25.
        (LONDON, "2026-03-28 18:00:00", {"hours": 24}, "2026-03-29 19:00:00"),
        (LONDON, "2026-10-24 18:00:00", {"hours": 24}, "2026-10-25 17:00:00"),
        # Days begin to count on the day after and end with their last second, wherever the hours went.
        (LONDON, "2026-03-28 18:00:00", {"days": 1}, "2026-03-29 23:59:59"),
        (LONDON, "2026-10-24 00:30:00", {"days": 1}, "2026-10-25 23:59:59"),
        (HONG_KONG, "2026-03-02 00:00:00", {"days": 10}, "2026-03-12 23:59:59"),
        (HONG_KONG, "2026-03-02 23:59:59", {"days": 10}, "2026-03-12 23:59:59"),
        (HONG_KONG, "2026-03-02 12:00:00", {"days": 0}, "2026-03-02 23:59:59"),
        (LONDON, "2026-02-20 09:00:00", {"weeks": 8}, "2026-04-17 23:59:59"),
        # A month later is the same day, or the month's last.
        (LONDON, "2026-01-31 09:00:00", {"months": 1}, "2026-02-28 23:59:59"),
        (LONDON, "2028-01-31 09:00:00", {"months": 1}, "2028-02-29 23:59:59"),
        (LONDON, "2026-08-31 09:00:00", {"months": 6}, "2027-02-28 23:59:59"),
        (LONDON, "2026-12-15 09:00:00", {"months": 1}, "2027-01-15 23:59:59"),
        (LONDON, "2026-11-30 09:00:00", {"months": 13}, "2027-12-30 23:59:59"),
        # Business days: a weekend; received on one.
        (HONG_KONG, "2026-03-06 10:00:00", {"business_days": 1}, "2026-03-09 23:59:59"),
        (HONG_KONG, "2026-03-07 10:00:00", {"business_days": 1}, "2026-03-09 23:59:59"),
        (HONG_KONG, "2026-03-06 10:00:00", {"business_days": 5}, "2026-03-13 23:59:59"),
        # Chinese New Year in Hong Kong: 17 to 19 February (Tuesday to Thursday) are holidays, Friday is worked.
        (HONG_KONG, "2026-02-16 10:00:00", {"business_days": 1}, "2026-02-20 23:59:59"),
        (HONG_KONG, "2026-02-13 10:00:00", {"business_days": 10}, "2026-03-04 23:59:59"),
        # Easter and Ching Ming in Hong Kong: from Good Friday, 3 April, to Tuesday.
        (HONG_KONG, "2026-04-02 10:00:00", {"business_days": 1}, "2026-04-08 23:59:59"),
        # On the mainland 16 to 23 February are off, and Saturdays 14 and 28 February are worked instead.
        (SHANGHAI, "2026-02-13 10:00:00", {"business_days": 1}, "2026-02-14 23:59:59"),
        (SHANGHAI, "2026-02-13 10:00:00", {"business_days": 2}, "2026-02-24 23:59:59"),
        (SHANGHAI, "2026-02-27 10:00:00", {"business_days": 1}, "2026-02-28 23:59:59"),
        # Golden Week: 1 to 7 October off on the mainland, Saturday 10 October worked; Hong Kong has 1 October only.
        (SHANGHAI, "2026-09-30 10:00:00", {"business_days": 1}, "2026-10-08 23:59:59"),
        (SHANGHAI, "2026-09-30 10:00:00", {"business_days": 3}, "2026-10-10 23:59:59"),
        (HONG_KONG, "2026-09-30 10:00:00", {"business_days": 1}, "2026-10-02 23:59:59"),
        # Christmas in England: Friday 25th, and Monday 28th for Boxing Day on a Saturday.
        (LONDON, "2026-12-24 10:00:00", {"business_days": 1}, "2026-12-29 23:59:59"),
        (LONDON, "2026-12-24 10:00:00", {"business_days": 3}, "2026-12-31 23:59:59"),
    ],
)
def test_a_length_ends_when_a_person_with_a_calendar_says(
    calendar: Calendar, start: str, length: dict[str, int], due: str
) -> None:
    assert reach(calendar, local(calendar, start).astimezone(UTC), Length(**length)) == local(calendar, due)


def test_the_day_a_complaint_is_received_is_the_one_in_the_time_zone_of_the_pack() -> None:
    late_on_sunday_in_utc = datetime(2026, 3, 1, 23, 0, tzinfo=UTC)  # Monday morning in Hong Kong
    due = reach(HONG_KONG, late_on_sunday_in_utc, Length(business_days=1))
    assert due == local(HONG_KONG, "2026-03-03 23:59:59")


# -- what always holds -------------------------------------------------------------------------------------------------

unhurried = settings(deadline=None)  # the first look at a year builds its calendar
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001
LENGTHS = st.builds(
    lambda unit, count: Length(**{unit: count}),
    st.sampled_from(["seconds", "hours", "days", "business_days", "weeks", "months"]),
    st.integers(0, 40),
)


@unhurried
@given(st.sampled_from(CALENDARS), INSTANTS, LENGTHS)
def test_nothing_is_due_before_it_starts(calendar: Calendar, start: datetime, length: Length) -> None:
    assert reach(calendar, start, length) >= start.replace(microsecond=0)


@unhurried
@given(st.sampled_from(CALENDARS), INSTANTS, st.integers(1, 40))
def test_business_days_end_in_the_last_second_of_an_open_day(calendar: Calendar, start: datetime, count: int) -> None:
    due = reach(calendar, start, Length(business_days=count)).astimezone(calendar.zone)
    assert is_business_day(calendar, due.date())
    assert (due.hour, due.minute, due.second) == (23, 59, 59)


@unhurried
@given(st.sampled_from(CALENDARS), INSTANTS, st.integers(0, 40))
def test_one_business_day_more_is_later_and_skips_only_closed_days(
    calendar: Calendar, start: datetime, count: int
) -> None:
    sooner, later = (
        reach(calendar, start, Length(business_days=days)).astimezone(calendar.zone).date()
        for days in (count, count + 1)
    )
    between = [sooner + timedelta(days=days) for days in range(1, (later - sooner).days)]
    assert sooner < later
    assert not any(is_business_day(calendar, day) for day in between)


@unhurried
@given(st.sampled_from(CALENDARS), INSTANTS, LENGTHS, st.timedeltas(timedelta(0), timedelta(days=3)))
def test_a_later_start_is_never_due_earlier(
    calendar: Calendar, start: datetime, length: Length, more: timedelta
) -> None:
    assert reach(calendar, start, length) <= reach(calendar, start + more, length)


@unhurried
@given(INSTANTS, st.sampled_from(EVENT), st.integers(1, 1000))
def test_a_plan_is_in_order_and_starts_with_its_event(at: datetime, event: CaseEvent, number: int) -> None:
    planned = plan(default(), Occurred(event=event, at=at, number=number))
    assert all(one.due <= other.due for one, other in pairwise(planned))
    for deadline in planned:
        assert deadline.started_at == at
        assert deadline.number == number
        assert at.replace(microsecond=0) <= deadline.due
    assert len({deadline.key for deadline in planned}) == len(planned)


# -- rungs -------------------------------------------------------------------------------------------------------------


def test_the_default_pack_plans_this_on_receipt() -> None:
    received = Occurred(event=EVENT.RECEIVED, at=local(HONG_KONG, "2026-02-13 17:30:00"), number=1)
    assert [(d.clock, d.rung, d.due, d.level) for d in plan(default(), received)] == [
        ("acknowledgement", "warning", local(HONG_KONG, "2026-02-14 13:30:00"), None),
        ("acknowledgement", "due", local(HONG_KONG, "2026-02-14 17:30:00"), 1),
        ("response", "warning", local(HONG_KONG, "2026-03-03 09:00:00"), None),
        ("response", "due", local(HONG_KONG, "2026-03-04 23:59:59"), 2),
    ]


def test_a_deadline_tells_how_it_was_found() -> None:
    received = Occurred(event=EVENT.RECEIVED, at=local(HONG_KONG, "2026-02-13 17:30:00"), number=1)
    warning, due = plan(default(), received)[2:]
    how = due.how
    assert how.startswith("10 business days from received at Fri 13 Feb 2026 17:30:00 Asia/Hong_Kong: 16 Feb (14")
    assert how.endswith("3 Mar, 4 Mar → Wed 04 Mar 2026 23:59:59")
    assert warning.how == f"{how}; rung warning 1 business day before at 09:00 on a business day"


def test_a_reminder_counts_from_the_start() -> None:
    asked = Occurred(event=EVENT.INFORMATION_REQUESTED, at=local(HONG_KONG, "2026-03-02 10:00:00"), number=4)
    reminder, due = plan(default(), asked)
    assert (reminder.due, due.due) == (local(HONG_KONG, "2026-03-09 10:00:00"), local(HONG_KONG, "2026-03-12 23:59:59"))
    assert (reminder.clock_due, due.clock_due) == (due.due, due.due)
    # The fifth day is a Saturday: nobody is reminded at the weekend, nor at night.
    assert reminder.how.endswith("rung reminder 5 days after the start at 10:00 on a business day")


def test_a_warning_longer_than_its_clock_comes_at_the_start() -> None:
    clock = default().clocks[0]
    hasty = clock.model_copy(update={"rungs": (Rung(name="w", before=Length(days=9), actions=(Action.WARN,)),)})
    pack = default().model_copy(update={"clocks": (hasty,)})
    at = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    assert [deadline.due for deadline in plan(pack, Occurred(event=EVENT.RECEIVED, at=at, number=1))] == [at]


# -- what satisfies a clock --------------------------------------------------------------------------------------------


def clock(trigger: CaseEvent, *satisfied_by: CaseEvent) -> Clock:
    return Clock(
        name="any",
        kind="internal",
        trigger=trigger,
        length=Length(days=1),
        satisfied_by=satisfied_by,
        rungs=(Rung(name="due", actions=(Action.WARN,)),),
        source="test",
        confirmed=False,
    )


def occurred(event: CaseEvent, number: int) -> Occurred:
    return Occurred(event=event, at=datetime(2026, 3, 2, tzinfo=UTC), number=number)


def test_each_letter_ends_the_wait_that_the_one_before_began_but_not_its_own() -> None:
    progress = clock(EVENT.CONTACTED, EVENT.CONTACTED)
    assert satisfies(progress, 2, occurred(EVENT.CONTACTED, 5))
    assert not satisfies(progress, 5, occurred(EVENT.CONTACTED, 5))
    assert not satisfies(progress, 5, occurred(EVENT.CONTACTED, 2))


def test_the_final_response_ends_the_wait_that_it_begins_itself_as_a_letter() -> None:
    progress = clock(EVENT.CONTACTED, EVENT.CONTACTED, EVENT.RESPONDED)
    assert satisfies(progress, 5, occurred(EVENT.RESPONDED, 5))
    assert not satisfies(progress, 6, occurred(EVENT.RESPONDED, 5))


def test_a_letter_accepted_late_ends_what_began_after_it_was_asked_for() -> None:
    overdue = clock(EVENT.OVERDUE_NOTED, EVENT.RESPONDED)
    response = occurred(EVENT.RESPONDED, 6)
    assert satisfies(overdue, 7, response, started_at=response.at - timedelta(days=1))
    assert not satisfies(overdue, 7, response, started_at=response.at + timedelta(days=1))


def test_the_end_of_the_case_ends_every_clock() -> None:
    assert satisfies(clock(EVENT.RECEIVED, EVENT.RESPONDED), 1, occurred(EVENT.CLOSED, 9))


# -- whole cases, with the clocks of a pack and nothing else -----------------------------------------------------------


class Life:
    """A case reduced to its events: what runs after each, by the rules of the case file."""

    def __init__(self, pack: PolicyPack) -> None:
        self.pack = pack
        self.clocks = {one.name: one for one in pack.clocks}
        self.happened: list[Occurred] = []
        self.number = 0

    def __call__(self, *events: CaseEvent) -> set[str]:
        """What still runs, as ``clock:round``, once *events* have happened together."""
        self.number += 1
        self.happened += [occurred(event, self.number) for event in events]
        return self.running

    @property
    def running(self) -> set[str]:
        started = {(d.clock, d.number) for event in self.happened for d in plan(self.pack, event)}
        return {
            f"{name}:{number}"
            for name, number in started
            if not any(satisfies(self.clocks[name], number, event) for event in self.happened)
        }


@pytest.fixture(params=["platform-default", "demo"])
def life(request: pytest.FixtureRequest) -> Life:
    return Life(find_pack(request.param, date(2026, 3, 2)))


def acknowledged(life: Life) -> Life:
    life(EVENT.RECEIVED)
    life(EVENT.ACKNOWLEDGED, EVENT.CONTACTED)
    return life


def responded(life: Life) -> Life:
    acknowledged(life)(EVENT.RESPONDED, EVENT.CONTACTED)
    return life


def settled(life: Life) -> Life:
    responded(life)(EVENT.ANSWERED)
    life(EVENT.SETTLED)
    return life


def test_receipt_starts_the_acknowledgement_and_the_response(life: Life) -> None:
    assert life(EVENT.RECEIVED) == {"acknowledgement:1", "response:1"}
    assert life(EVENT.ACKNOWLEDGED, EVENT.CONTACTED) == {"response:1", "progress:2"}


def test_every_letter_moves_the_next_news_on(life: Life) -> None:
    acknowledged(life)
    assert life(EVENT.CONTACTED) == {"response:1", "progress:3"}
    assert life(EVENT.CONTACTED) == {"response:1", "progress:4"}


def test_the_response_clock_does_not_stop_for_questions_nor_for_an_overdue_notice(life: Life) -> None:
    acknowledged(life)
    assert life(EVENT.INFORMATION_REQUESTED, EVENT.CONTACTED) == {"response:1", "information:3", "progress:3"}
    assert life(EVENT.CUSTOMER_REPLIED) == {"response:1", "progress:3"}
    assert life(EVENT.OVERDUE_NOTED) == {"response:1", "overdue:5", "progress:3"}
    assert life(EVENT.CONTACTED) == {"response:1", "overdue:5", "progress:6"}
    assert life(EVENT.RESPONDED, EVENT.CONTACTED) == {"acceptance:7"}


def test_a_new_question_ends_the_wait_for_the_old_one_and_a_response_ends_both(life: Life) -> None:
    acknowledged(life)(EVENT.INFORMATION_REQUESTED, EVENT.CONTACTED)
    assert "information:3" not in life(EVENT.INFORMATION_REQUESTED, EVENT.CONTACTED)
    assert "information:4" in life.running
    assert "information:4" not in life(EVENT.RESPONDED, EVENT.CONTACTED)


def test_no_news_is_owed_while_the_customer_considers_the_final_response(life: Life) -> None:
    responded(life)
    assert life.running == {"acceptance:3"}


def test_a_progress_letter_accepted_only_after_the_final_response_starts_nothing(life: Life) -> None:
    acknowledged(life)
    life.number += 1  # asked for as number 3, still on its way
    life(EVENT.RESPONDED, EVENT.CONTACTED)
    life.happened.append(occurred(EVENT.CONTACTED, 3))
    assert life.running == {"acceptance:4"}


@pytest.mark.parametrize("answer", [(EVENT.ANSWERED,), ()], ids=["accepted", "silence"])
def test_no_news_is_owed_in_follow_up(life: Life, answer: tuple[CaseEvent, ...]) -> None:
    responded(life)
    if answer:
        life(*answer)
    assert {running.split(":")[0] for running in life(EVENT.SETTLED)} == {"feedback", "follow-up"}


def test_feedback_given_leaves_the_window_open_and_closing_ends_everything(life: Life) -> None:
    settled(life)
    assert life(EVENT.FEEDBACK_GIVEN) == {"follow-up:5"}
    assert life(EVENT.CLOSED) == set()


def test_a_disputed_case_is_owed_news_and_an_answer_until_the_next_response(life: Life) -> None:
    responded(life)
    assert life(EVENT.ANSWERED) == {"progress-after-answer:4", "reconsideration:4"}
    assert life(EVENT.CONTACTED) == {"progress:5", "reconsideration:4"}
    assert life(EVENT.RESPONDED, EVENT.CONTACTED) == {"acceptance:6"}


def test_a_reopened_case_does_not_close_by_itself_and_is_answered_like_a_new_one(life: Life) -> None:
    settled(life)
    assert life(EVENT.REOPENED) == {"reopened:6", "progress-after-reopening:6"}
    assert life(EVENT.CONTACTED) == {"reopened:6", "progress:7"}
    assert life(EVENT.RESPONDED, EVENT.CONTACTED) == {"acceptance:8"}
    life(EVENT.ANSWERED)
    assert life(EVENT.SETTLED) == {"feedback:10", "follow-up:10"}


@unhurried
@given(st.lists(st.lists(st.sampled_from(EVENT), min_size=1, max_size=3, unique=True), max_size=12))
def test_whatever_happens_the_end_of_the_case_leaves_nothing_running(story: list[list[CaseEvent]]) -> None:
    life = Life(default())
    for events in story:
        life(*events)
    assert life(EVENT.CLOSED) == set()


def test_time_zones_are_those_of_the_calendar_whatever_zone_an_instant_comes_in() -> None:
    in_new_york = datetime(2026, 3, 1, 18, 0, tzinfo=ZoneInfo("America/New_York"))  # Monday 07:00 in Hong Kong
    assert reach(HONG_KONG, in_new_york, Length(business_days=1)) == local(HONG_KONG, "2026-03-03 23:59:59")
