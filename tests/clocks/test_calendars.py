"""Business days: against official lists, against dates counted by hand, and what holds whatever the dates."""

import json
import os
import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from domain.clocks.business_days import (
    add_business_days,
    business_days_between,
    closed_because,
    day_of,
    end_of_day,
    is_business_day,
    is_verified,
    local_day,
    next_business_day,
    place_problem,
    spell_business_days,
)
from domain.clocks.calendar import Calendar, Closure, Opening
from domain.clocks.clock import Length
from domain.clocks.reckoning import reach

FOLDER = Path(os.environ.get("REDRESS_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))

SHANGHAI = Calendar(time_zone="Asia/Shanghai", country="CN")
HONG_KONG = Calendar(time_zone="Asia/Hong_Kong", country="HK")
ENGLAND = Calendar(time_zone="Europe/London", country="GB", subdivision="ENG")
WALES = Calendar(time_zone="Europe/London", country="GB", subdivision="WLS")
SCOTLAND = Calendar(time_zone="Europe/London", country="GB", subdivision="SCT")
ULSTER = Calendar(time_zone="Europe/London", country="GB", subdivision="NIR")
IRELAND = Calendar(time_zone="Europe/Dublin", country="IE")
NSW = Calendar(time_zone="Australia/Sydney", country="AU", subdivision="NSW")
VICTORIA = Calendar(time_zone="Australia/Melbourne", country="AU", subdivision="VIC")
QUEENSLAND = Calendar(time_zone="Australia/Brisbane", country="AU", subdivision="QLD")
NEW_YORK = Calendar(time_zone="America/New_York", country="US")
CALENDARS = (SHANGHAI, HONG_KONG, ENGLAND, SCOTLAND, IRELAND, NSW, VICTORIA, NEW_YORK)


def local(calendar: Calendar, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=calendar.zone)


def on(text: str) -> date:
    return date.fromisoformat(text)


# -- official lists ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_every_day_of_mainland_china_is_what_the_state_council_says(year: int) -> None:
    path = FOLDER / "holiday-cn" / f"{year}.json"
    if not path.exists():
        pytest.skip(f"{path.name} is not in {path.parent}: set REDRESS_SHARED_DATA to the folder of the real data")
    listed = {on(day["date"]): not day["isOffDay"] for day in json.loads(path.read_text(encoding="utf-8"))["days"]}
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(366)]
    days = [day for day in days if day.year == year]
    assert len(listed) > 30
    assert set(listed) <= set(days)
    assert {day: is_business_day(SHANGHAI, day) for day in days} == {
        day: listed.get(day, day.isoweekday() < 6) for day in days
    }


# The weekdays among the general holidays, as gazetted; Saturdays and Sundays are off as it is.
@pytest.mark.parametrize(
    ("year", "holidays"),
    [
        # 1 October was a Sunday: the 2nd was off instead, and the 3rd was worked.
        (2023, "01-02 01-23 01-24 01-25 04-05 04-07 04-10 05-01 05-26 06-22 10-02 10-23 12-25 12-26"),
        (2026, "01-01 02-17 02-18 02-19 04-03 04-06 04-07 05-01 05-25 06-19 07-01 10-01 10-19 12-25"),
        (2027, "01-01 02-08 02-09 03-26 03-29 04-05 05-13 06-09 07-01 09-16 10-01 10-08 12-27"),
    ],
)
def test_hong_kong_rests_on_the_gazetted_days_and_no_others(year: int, holidays: str) -> None:
    weekdays = [date(year, 1, 1) + timedelta(days=number) for number in range(365)]
    closed = [day for day in weekdays if day.isoweekday() < 6 and not is_business_day(HONG_KONG, day)]
    assert " ".join(f"{day:%m-%d}" for day in closed) == holidays


# -- counted by hand ---------------------------------------------------------------------------------------------------

BY_HAND = [
    # Mainland China. New Year 2026: 1 to 3 January off, Sunday the 4th worked instead.
    (SHANGHAI, "2025-12-31 10:00:00", {"business_days": 1}, "2026-01-04"),
    (SHANGHAI, "2025-12-31 10:00:00", {"business_days": 2}, "2026-01-05"),
    # Spring Festival 2026, 15 to 23 February: 11, 12, 13, Saturday 14 (worked), then 24.
    (SHANGHAI, "2026-02-10 10:00:00", {"business_days": 5}, "2026-02-24"),
    # Received within the holiday: the first day after it is the first.
    (SHANGHAI, "2026-02-18 10:00:00", {"business_days": 1}, "2026-02-24"),
    # Afterwards: 25, 26, 27, Saturday 28 (worked), Monday 2 March.
    (SHANGHAI, "2026-02-24 10:00:00", {"business_days": 5}, "2026-03-02"),
    # Qingming 2026 is Sunday 5 April; 4 to 6 off.
    (SHANGHAI, "2026-04-03 10:00:00", {"business_days": 1}, "2026-04-07"),
    # Labour Day 2026, 1 to 5 May: 6, 7, 8, and Saturday 9 worked.
    (SHANGHAI, "2026-04-30 10:00:00", {"business_days": 1}, "2026-05-06"),
    (SHANGHAI, "2026-04-30 10:00:00", {"business_days": 4}, "2026-05-09"),
    # Dragon Boat Festival: Friday 19 June, then the weekend.
    (SHANGHAI, "2026-06-18 10:00:00", {"business_days": 1}, "2026-06-22"),
    # Sunday 20 September is worked for Golden Week; Saturday 19 is not.
    (SHANGHAI, "2026-09-18 10:00:00", {"business_days": 1}, "2026-09-20"),
    # 20 (Sunday), 21, 22, 23, 24; Mid-Autumn from Friday 25 to Sunday 27; 28, 29.
    (SHANGHAI, "2026-09-18 10:00:00", {"business_days": 7}, "2026-09-29"),
    # 28, 29, 30 September; 8, 9, Saturday 10 (worked), 12 to 16, 19 to 22 October.
    (SHANGHAI, "2026-09-24 10:00:00", {"business_days": 15}, "2026-10-22"),
    # Calendar days go on through Golden Week.
    (SHANGHAI, "2026-09-30 23:59:59", {"days": 7}, "2026-10-07"),
    # Spring Festival 2025: Sunday 26 January worked, Monday 27, off from the 28th to 4 February, then the 5th.
    (SHANGHAI, "2025-01-24 10:00:00", {"business_days": 3}, "2025-02-05"),
    (SHANGHAI, "2025-02-07 10:00:00", {"business_days": 1}, "2025-02-08"),  # Saturday, worked
    # In 2024 New Year's Eve, Friday 9 February, was worked; 10 to 17 off; Sunday 18 worked.
    (SHANGHAI, "2024-02-08 10:00:00", {"business_days": 1}, "2024-02-09"),
    (SHANGHAI, "2024-02-09 10:00:00", {"business_days": 1}, "2024-02-18"),
    # Mid-Autumn 2024: Saturday 14 September worked, 15 to 17 off.
    (SHANGHAI, "2024-09-13 10:00:00", {"business_days": 2}, "2024-09-18"),
    # Golden Week 2024: Sunday 29 September worked, Monday 30, then 8 October.
    (SHANGHAI, "2024-09-27 10:00:00", {"business_days": 3}, "2024-10-08"),
    # Golden Week and Mid-Autumn 2025, 1 to 8 October: Sunday 28, 29, 30 September, then the 9th.
    (SHANGHAI, "2025-09-26 10:00:00", {"business_days": 4}, "2025-10-09"),
    # 2026 has 261 weekdays; 19 of them off, 6 weekend days worked: 248.
    (SHANGHAI, "2025-12-31 10:00:00", {"business_days": 248}, "2026-12-31"),
    # Hong Kong. Lunar New Year 2027 is a Saturday and its second day a Sunday, so the fourth, Tuesday 9, is off too.
    (HONG_KONG, "2027-02-05 10:00:00", {"business_days": 1}, "2027-02-10"),
    (HONG_KONG, "2027-02-04 10:00:00", {"business_days": 3}, "2027-02-11"),
    # Easter 2027: Friday 26 to Monday 29 March.
    (HONG_KONG, "2027-03-25 10:00:00", {"business_days": 1}, "2027-03-30"),
    # 30, 31 March, 1, 2 April; Monday 5 is Ching Ming; 6.
    (HONG_KONG, "2027-03-25 10:00:00", {"business_days": 5}, "2027-04-06"),
    # The Buddha's birthday, 24 May 2026, is a Sunday: Monday is off.
    (HONG_KONG, "2026-05-22 10:00:00", {"business_days": 1}, "2026-05-26"),
    (HONG_KONG, "2026-06-30 10:00:00", {"business_days": 1}, "2026-07-02"),  # Establishment Day
    # The day after Mid-Autumn, 26 September 2026, is a Saturday, which in law is a weekday: Monday is worked.
    (HONG_KONG, "2026-09-25 10:00:00", {"business_days": 1}, "2026-09-28"),
    # Chung Yeung, 18 October 2026, is a Sunday: Monday is off.
    (HONG_KONG, "2026-10-16 10:00:00", {"business_days": 1}, "2026-10-20"),
    # 1 October 2023 is a Sunday: Monday is off, Tuesday 3 and Wednesday 4 count.
    (HONG_KONG, "2023-09-29 10:00:00", {"business_days": 2}, "2023-10-04"),
    # 1 October 2027 is a Friday; 4, 5, 6, 7; Friday 8 is Chung Yeung; Monday 11.
    (HONG_KONG, "2027-09-30 10:00:00", {"business_days": 5}, "2027-10-11"),
    # Christmas 2026: Friday 25 and Saturday 26; unlike in England Monday 28 is worked.
    (HONG_KONG, "2026-12-24 10:00:00", {"business_days": 1}, "2026-12-28"),
    # 28, 29, 30, 31 December; Friday 1 January; Monday 4.
    (HONG_KONG, "2026-12-24 10:00:00", {"business_days": 5}, "2027-01-04"),
    # Christmas 2027 is a Saturday; the first weekday after it is Monday 27.
    (HONG_KONG, "2027-12-24 10:00:00", {"business_days": 1}, "2027-12-28"),
    (HONG_KONG, "2026-12-31 23:59:59", {"business_days": 1}, "2027-01-04"),  # the last second of the year
    (HONG_KONG, "2027-01-01 00:00:00", {"business_days": 1}, "2027-01-04"),  # and the first of the next
    # 2026: 261 weekdays, 14 of them general holidays.
    (HONG_KONG, "2025-12-31 10:00:00", {"business_days": 247}, "2026-12-31"),
    # England. Easter 2026: Good Friday 3 April, Monday 6.
    (ENGLAND, "2026-04-02 10:00:00", {"business_days": 1}, "2026-04-07"),
    (ENGLAND, "2026-04-01 10:00:00", {"business_days": 3}, "2026-04-08"),
    (ENGLAND, "2026-04-04 10:00:00", {"business_days": 1}, "2026-04-07"),  # received on the Saturday between
    (ENGLAND, "2026-05-01 10:00:00", {"business_days": 1}, "2026-05-05"),  # the first Monday of May
    (ENGLAND, "2026-05-22 10:00:00", {"business_days": 3}, "2026-05-28"),  # the last Monday of May: 26, 27, 28
    (ENGLAND, "2026-08-28 10:00:00", {"business_days": 1}, "2026-09-01"),  # the last Monday of August
    (ENGLAND, "2026-07-31 10:00:00", {"business_days": 1}, "2026-08-03"),  # the first is Scotland's
    (ENGLAND, "2026-06-12 10:00:00", {"business_days": 1}, "2026-06-15"),  # Monday 15 June is Scotland's too
    # The three days of a summary resolution: Thursday 24, Tuesday 29, Wednesday 30.
    (ENGLAND, "2026-12-23 16:00:00", {"business_days": 3}, "2026-12-30"),
    (ENGLAND, "2026-12-26 10:00:00", {"business_days": 0}, "2026-12-26"),  # no days: the day itself, even a Saturday
    # Christmas 2027 is a Saturday: Monday 27 for it, Tuesday 28 for Boxing Day.
    (ENGLAND, "2027-12-24 10:00:00", {"business_days": 1}, "2027-12-29"),
    (ENGLAND, "2027-12-23 10:00:00", {"business_days": 3}, "2027-12-30"),
    # New Year 2028 is a Saturday: Monday 3.
    (ENGLAND, "2027-12-31 10:00:00", {"business_days": 1}, "2028-01-04"),
    (ENGLAND, "2025-12-31 10:00:00", {"business_days": 1}, "2026-01-02"),
    # Fifteen days over the year's end: 11; 14 to 18; 21 to 24; 29, 30, 31; 4, 5 January.
    (ENGLAND, "2026-12-10 10:00:00", {"business_days": 15}, "2027-01-05"),
    # Thirty-five over Easter: 4 of this week, 5 of each of three, 30 March to 2 April, 7 to 10, 13 to 17, 20 to 22.
    (ENGLAND, "2026-03-02 10:00:00", {"business_days": 35}, "2026-04-22"),
    # 2026: 261 weekdays less 8 bank holidays.
    (ENGLAND, "2025-12-31 10:00:00", {"business_days": 253}, "2026-12-31"),
    # 147 days into 2027: by month 20, 20, 21, 22, 19, 22, 22 make 146 to the end of July; then Monday 2 August.
    (ENGLAND, "2025-12-31 10:00:00", {"business_days": 400}, "2027-08-02"),
    (WALES, "2026-08-28 10:00:00", {"business_days": 1}, "2026-09-01"),
    # Scotland. Good Friday is a bank holiday, Easter Monday is none.
    (SCOTLAND, "2026-04-02 10:00:00", {"business_days": 1}, "2026-04-06"),
    (SCOTLAND, "2026-07-31 10:00:00", {"business_days": 1}, "2026-08-04"),  # the first Monday of August
    (SCOTLAND, "2026-08-28 10:00:00", {"business_days": 1}, "2026-08-31"),  # the last is England's
    (SCOTLAND, "2025-12-31 10:00:00", {"business_days": 1}, "2026-01-05"),  # Thursday 1 and Friday 2 January
    # Friday 1 January 2027; Saturday 2 is replaced by Monday 4.
    (SCOTLAND, "2026-12-31 10:00:00", {"business_days": 1}, "2027-01-05"),
    # 1 and 2 January 2028 are a weekend: Monday 3 and Tuesday 4.
    (SCOTLAND, "2027-12-31 10:00:00", {"business_days": 1}, "2028-01-05"),
    (SCOTLAND, "2026-06-12 10:00:00", {"business_days": 1}, "2026-06-16"),  # Monday 15 June 2026, by proclamation
    (SCOTLAND, "2026-11-27 10:00:00", {"business_days": 1}, "2026-12-01"),  # St Andrew's Day, Monday 30
    # Northern Ireland: St Patrick's Day, Tuesday 17 March; the Boyne, Sunday 12 July 2026, moves to Monday.
    (ULSTER, "2026-03-16 10:00:00", {"business_days": 1}, "2026-03-18"),
    (ULSTER, "2026-07-10 10:00:00", {"business_days": 1}, "2026-07-14"),
    # Ireland: St Brigid's Day, Monday 2 February; Good Friday is worked; St Stephen's, a Saturday, does not move.
    (IRELAND, "2026-01-30 10:00:00", {"business_days": 1}, "2026-02-03"),
    (IRELAND, "2026-04-02 10:00:00", {"business_days": 1}, "2026-04-03"),
    (IRELAND, "2026-04-03 10:00:00", {"business_days": 1}, "2026-04-07"),
    (IRELAND, "2026-10-23 10:00:00", {"business_days": 1}, "2026-10-27"),
    (IRELAND, "2026-12-24 10:00:00", {"business_days": 1}, "2026-12-28"),
    # Australia. Easter is the same in every state; Anzac Day, Saturday 25 April 2026, moves in New South Wales only.
    (NSW, "2026-04-02 10:00:00", {"business_days": 1}, "2026-04-07"),
    (NSW, "2026-04-24 10:00:00", {"business_days": 1}, "2026-04-28"),
    (VICTORIA, "2026-04-24 10:00:00", {"business_days": 1}, "2026-04-27"),
    # Labour Day: in Victoria Monday 9 March, in New South Wales Monday 5 October, in Queensland Monday 4 May.
    (VICTORIA, "2026-03-06 10:00:00", {"business_days": 1}, "2026-03-10"),
    (NSW, "2026-03-06 10:00:00", {"business_days": 1}, "2026-03-09"),
    (NSW, "2026-10-02 10:00:00", {"business_days": 1}, "2026-10-06"),
    (VICTORIA, "2026-10-02 10:00:00", {"business_days": 1}, "2026-10-05"),
    (QUEENSLAND, "2026-05-01 10:00:00", {"business_days": 1}, "2026-05-05"),
    # The King's Birthday: Monday 8 June, in Queensland Monday 5 October.
    (NSW, "2026-06-05 10:00:00", {"business_days": 1}, "2026-06-09"),
    (QUEENSLAND, "2026-06-05 10:00:00", {"business_days": 1}, "2026-06-08"),
    (QUEENSLAND, "2026-10-02 10:00:00", {"business_days": 1}, "2026-10-06"),
    # Melbourne: Friday 25 September before the Grand Final, and Cup Tuesday, 3 November.
    (VICTORIA, "2026-09-24 10:00:00", {"business_days": 1}, "2026-09-28"),
    (VICTORIA, "2026-11-02 10:00:00", {"business_days": 1}, "2026-11-04"),
    (NSW, "2027-12-24 10:00:00", {"business_days": 1}, "2027-12-29"),  # Monday 27 and Tuesday 28 are off
    # Thirty calendar days from 20 March: 11 to its end, 19 of April, over the end of daylight saving.
    (NSW, "2026-03-20 10:00:00", {"days": 30}, "2026-04-19"),
    # United States. Thanksgiving, Thursday 26 November; the Friday is worked.
    (NEW_YORK, "2026-11-25 10:00:00", {"business_days": 1}, "2026-11-27"),
    # 4 July 2026 is a Saturday: Friday 3 is off.
    (NEW_YORK, "2026-07-02 10:00:00", {"business_days": 1}, "2026-07-06"),
    (NEW_YORK, "2026-10-09 10:00:00", {"business_days": 1}, "2026-10-13"),  # Columbus Day, Monday 12
    # Christmas 2027 and New Year 2028 are Saturdays: Friday 24 and Friday 31 are off, the latter in the old year.
    (NEW_YORK, "2027-12-23 10:00:00", {"business_days": 1}, "2027-12-27"),
    (NEW_YORK, "2027-12-30 10:00:00", {"business_days": 1}, "2028-01-03"),
    # Sixty days from 25 November: 5 to its end, 31, and 24.
    (NEW_YORK, "2026-11-25 10:00:00", {"days": 60}, "2027-01-24"),
    (NEW_YORK, "2026-12-21 10:00:00", {"days": 15}, "2027-01-05"),
    # Leap day: Tuesday 29 February 2028 is worked.
    (ENGLAND, "2028-02-28 10:00:00", {"business_days": 1}, "2028-02-29"),
    (ENGLAND, "2028-02-28 10:00:00", {"business_days": 2}, "2028-03-01"),
    (ENGLAND, "2028-02-28 10:00:00", {"days": 1}, "2028-02-29"),
    (HONG_KONG, "2024-02-28 10:00:00", {"days": 2}, "2024-03-01"),
    (ENGLAND, "2028-02-29 10:00:00", {"months": 12}, "2029-02-28"),
    (ENGLAND, "2027-02-28 10:00:00", {"months": 12}, "2028-02-28"),
    (ENGLAND, "2027-12-31 10:00:00", {"months": 2}, "2028-02-29"),
    # Eight weeks from 30 January 2028: one day to its end, 29 of February, 26 of March, when the clocks go forward.
    (ENGLAND, "2028-01-30 10:00:00", {"weeks": 8}, "2028-03-26"),
    # Months that are shorter than the one they start in.
    (SHANGHAI, "2026-08-31 10:00:00", {"months": 1}, "2026-09-30"),
    (ENGLAND, "2026-10-31 10:00:00", {"months": 4}, "2027-02-28"),
    (ENGLAND, "2026-06-30 10:00:00", {"months": 6}, "2026-12-30"),
]


@pytest.mark.parametrize(
    ("calendar", "start", "length", "due"), BY_HAND, ids=[f"{row[0].country}-{row[1]}-{row[2]}" for row in BY_HAND]
)
def test_a_length_ends_on_the_day_counted_by_hand(
    calendar: Calendar, start: str, length: dict[str, int], due: str
) -> None:
    ends = local(calendar, f"{due} 23:59:59")
    assert reach(calendar, local(calendar, start).astimezone(UTC), Length(**length)) == ends
    if count := length.get("business_days"):
        day = local_day(calendar, local(calendar, start))
        assert add_business_days(calendar, day, count) == on(due)
        assert business_days_between(calendar, day, on(due)) == count


@pytest.mark.parametrize(
    ("calendar", "day", "count", "earlier"),
    [
        (ENGLAND, "2026-12-30", -3, "2026-12-23"),  # 29, 24, 23
        (ENGLAND, "2026-12-27", -1, "2026-12-24"),  # from a Sunday
        (SHANGHAI, "2026-10-08", -1, "2026-09-30"),
        (SHANGHAI, "2026-02-24", -2, "2026-02-13"),  # Saturday 14 (worked), 13
        (HONG_KONG, "2027-02-10", -1, "2027-02-05"),
        (SCOTLAND, "2027-01-05", -1, "2026-12-31"),
        (NEW_YORK, "2028-01-03", -1, "2027-12-30"),
        (ENGLAND, "2026-12-26", 0, "2026-12-26"),
    ],
)
def test_days_are_counted_back_as_well(calendar: Calendar, day: str, count: int, earlier: str) -> None:
    assert add_business_days(calendar, on(day), count) == on(earlier)
    assert business_days_between(calendar, on(day), on(earlier)) == count


@pytest.mark.parametrize(
    ("calendar", "start", "length", "due"),
    [
        # In Sydney 5 April 2026 has 25 hours and 4 October 23; in New York 8 March has 23 and 1 November 25.
        (NSW, "2026-04-04 18:00:00", {"hours": 24}, "2026-04-05 17:00:00"),
        (NSW, "2026-10-03 18:00:00", {"hours": 24}, "2026-10-04 19:00:00"),
        (NEW_YORK, "2026-03-07 18:00:00", {"hours": 24}, "2026-03-08 19:00:00"),
        (NEW_YORK, "2026-10-31 18:00:00", {"hours": 24}, "2026-11-01 17:00:00"),
        (NEW_YORK, "2026-11-01 00:30:00", {"hours": 3}, "2026-11-01 02:30:00"),  # 01:30 comes twice between
        (HONG_KONG, "2026-12-31 23:30:00", {"hours": 1}, "2027-01-01 00:30:00"),
        (HONG_KONG, "2028-02-28 23:59:59", {"seconds": 1}, "2028-02-29 00:00:00"),
    ],
)
def test_hours_are_hours_whatever_the_clocks_do(
    calendar: Calendar, start: str, length: dict[str, int], due: str
) -> None:
    assert reach(calendar, local(calendar, start).astimezone(UTC), Length(**length)) == local(calendar, due)


@pytest.mark.parametrize(
    ("zone", "day", "last"),
    [
        ("Europe/London", "2026-03-28", "2026-03-28T23:59:59+00:00"),
        ("Europe/London", "2026-03-29", "2026-03-29T22:59:59+00:00"),
        ("Europe/London", "2026-10-25", "2026-10-25T23:59:59+00:00"),
        ("Australia/Sydney", "2026-04-04", "2026-04-04T12:59:59+00:00"),
        ("Australia/Sydney", "2026-04-05", "2026-04-05T13:59:59+00:00"),
        ("Australia/Sydney", "2026-10-04", "2026-10-04T12:59:59+00:00"),
        ("America/New_York", "2026-03-08", "2026-03-09T03:59:59+00:00"),
        ("America/New_York", "2026-11-01", "2026-11-02T04:59:59+00:00"),
        ("Asia/Shanghai", "2028-02-29", "2028-02-29T15:59:59+00:00"),
        # In Santiago the clocks go back from 24:00 to 23:00: the last hour of 4 April comes twice.
        ("America/Santiago", "2026-04-04", "2026-04-05T03:59:59+00:00"),
        # And forward from 24:00 on 5 September, over the first hour of the 6th.
        ("America/Santiago", "2026-09-05", "2026-09-06T03:59:59+00:00"),
    ],
)
def test_a_day_ends_with_its_last_second_wherever_the_hours_went(zone: str, day: str, last: str) -> None:
    calendar = Calendar(time_zone=zone, country="GB", subdivision="ENG")
    assert end_of_day(calendar, on(day)).isoformat() == last
    assert local_day(calendar, datetime.fromisoformat(last)) == on(day)
    assert local_day(calendar, datetime.fromisoformat(last) + timedelta(seconds=1)) == on(day) + timedelta(days=1)


# -- the cut-off -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calendar", "cut_off", "at", "day"),
    [
        (ENGLAND, "16:00:00", "2026-12-23 15:59:59", "2026-12-23"),
        (ENGLAND, "16:00:00", "2026-12-23 16:00:00", "2026-12-23"),  # the second itself is in time
        (ENGLAND, "16:00:00", "2026-12-23 16:00:00.999999", "2026-12-23"),
        (ENGLAND, "16:00:00", "2026-12-23 16:00:01", "2026-12-24"),
        (ENGLAND, "16:00:00", "2026-12-24 17:00:00", "2026-12-29"),  # over Christmas
        (ENGLAND, "16:00:00", "2026-12-25 09:00:00", "2026-12-29"),  # on a holiday, however early
        (ENGLAND, "16:00:00", "2026-12-26 09:00:00", "2026-12-29"),  # on a Saturday
        (ENGLAND, "16:00:00", "2026-12-28 23:00:00", "2026-12-29"),  # and not one day more for coming late on it
        (ENGLAND, "16:00:00", "2026-12-31 16:30:00", "2027-01-04"),
        (ENGLAND, "23:59:59", "2026-12-23 23:59:59", "2026-12-23"),
        (ENGLAND, "00:00:00", "2026-12-23 00:00:01", "2026-12-24"),
        (SHANGHAI, "17:30:00", "2026-02-13 18:00:00", "2026-02-14"),  # Saturday, worked
        (SHANGHAI, "17:30:00", "2026-02-14 18:00:00", "2026-02-24"),
        (HONG_KONG, "12:00:00", "2026-12-24 12:00:01", "2026-12-28"),
        (NEW_YORK, "17:00:00", "2026-11-25 17:00:01", "2026-11-27"),
        # The wall shows summer time: 16:30 in London is 15:30 UTC.
        (ENGLAND, "16:00:00", "2026-07-01 16:30:00", "2026-07-02"),
        # Without a cut-off the local date counts, worked or not.
        (ENGLAND, None, "2026-12-26 23:59:59", "2026-12-26"),
        (ENGLAND, None, "2026-12-23 23:59:59", "2026-12-23"),
    ],
)
def test_what_comes_after_the_cut_off_counts_on_the_next_business_day(
    calendar: Calendar, cut_off: str | None, at: str, day: str
) -> None:
    calendar = calendar.model_copy(update={"cut_off": cut_off and time.fromisoformat(cut_off)})
    assert day_of(calendar, local(calendar, at).astimezone(UTC)) == on(day)


def test_an_hour_that_comes_twice_has_one_cut_off() -> None:
    opened = Opening(day=on("2026-10-25"), why="Sunday worked")
    calendar = ENGLAND.model_copy(update={"cut_off": time(1, 30), "openings": (opened,)})
    in_time = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 01:30 in summer time, for the first time
    again = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 01:10 in winter time: earlier on the wall, but later
    assert day_of(calendar, in_time) == on("2026-10-25")
    assert day_of(calendar, again) == on("2026-10-26")


# -- the firm's own days -----------------------------------------------------------------------------------------------

TYPHOON = Closure(day=on("2026-08-20"), why="Typhoon signal No. 8")
SHUTDOWN = Closure(day=on("2026-12-24"), until=on("2027-01-03"), why="The firm is closed")


def test_a_closure_is_passed_over_with_its_reason() -> None:
    calendar = HONG_KONG.model_copy(update={"closures": (TYPHOON,)})
    assert closed_because(HONG_KONG, on("2026-08-20")) is None
    assert closed_because(calendar, on("2026-08-20")) == "Typhoon signal No. 8"
    assert add_business_days(calendar, on("2026-08-19"), 1) == on("2026-08-21")
    assert next_business_day(calendar, on("2026-08-20")) == on("2026-08-21")
    assert next_business_day(HONG_KONG, on("2026-08-20")) == on("2026-08-20")


def test_a_closure_of_several_days_holds_from_its_first_to_its_last() -> None:
    calendar = ENGLAND.model_copy(update={"closures": (SHUTDOWN,)})
    assert is_business_day(calendar, on("2026-12-23"))
    assert add_business_days(calendar, on("2026-12-23"), 1) == on("2027-01-04")
    assert add_business_days(calendar, on("2027-01-04"), -1) == on("2026-12-23")


def test_the_law_is_named_before_the_firm_where_both_close() -> None:
    calendar = ENGLAND.model_copy(update={"closures": (SHUTDOWN,)})
    days = ("2026-12-24", "2026-12-25", "2026-12-26", "2026-12-27", "2026-12-28", "2026-12-29", "2027-01-01")
    assert [closed_because(calendar, on(day)) for day in days] == [
        "The firm is closed",
        "Christmas Day",
        "Saturday",
        "Sunday",
        "Boxing Day (observed)",
        "The firm is closed",
        "New Year's Day",
    ]


@pytest.mark.parametrize("day", ["2026-12-25", "2026-12-26", "2026-12-28"])
def test_an_opening_wins_over_holiday_and_weekend(day: str) -> None:
    opened = ENGLAND.model_copy(update={"openings": (Opening(day=on(day), why="Emergency desk"),)})
    assert not is_business_day(ENGLAND, on(day))
    assert is_business_day(opened, on(day))
    assert add_business_days(opened, on("2026-12-24"), 1) == on(day)
    assert add_business_days(opened, on("2026-12-24"), 2) == on("2026-12-29")


@pytest.mark.parametrize(
    ("calendar", "day", "why"),
    [
        (HONG_KONG, "2026-04-06", "The day following Ching Ming Festival"),
        (HONG_KONG, "2026-12-26", "Saturday"),
        (NSW, "2026-10-05", "Labour Day"),
        (SCOTLAND, "2026-11-30", "Saint Andrew's Day"),
        (SHANGHAI, "2026-02-18", "Chinese New Year (Spring Festival)"),
        (SHANGHAI, "2026-01-02", "Day off (substituted from 2026-01-04)"),
        (SHANGHAI, "2026-01-04", None),
        (Calendar(time_zone="Europe/Berlin", country="DE"), "2026-10-03", "Saturday"),
        (Calendar(time_zone="Europe/Berlin", country="DE"), "2026-05-25", "Pentecost Monday"),
        (Calendar(time_zone="Asia/Riyadh", country="SA"), "2026-03-06", "Friday"),
        (Calendar(time_zone="Asia/Riyadh", country="SA"), "2026-03-08", None),  # Sunday
    ],
)
def test_a_closed_day_says_why_in_english(calendar: Calendar, day: str, why: str | None) -> None:
    assert closed_because(calendar, on(day)) == why


# -- how it is told ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calendar", "start", "count", "words"),
    [
        (ENGLAND, "2026-03-02", 2, "3 Mar, 4 Mar"),
        (ENGLAND, "2026-12-26", 0, "26 Dec"),
        (ENGLAND, "2026-03-06", 1, "9 Mar (7–8 Mar weekend)"),
        (ENGLAND, "2026-03-07", 1, "9 Mar (8 Mar Sunday)"),
        (
            ENGLAND,
            "2026-12-23",
            3,
            "24 Dec, 29 Dec (25 Dec Christmas Day, 26–27 Dec weekend, 28 Dec Boxing Day (observed)), 30 Dec",
        ),
        (
            ENGLAND,
            "2026-12-30",
            3,
            "31 Dec, 4 Jan 2027 (1 Jan New Year's Day, 2–3 Jan weekend), 5 Jan",
        ),
        (ENGLAND, "2026-06-01", -2, "29 May (30–31 May weekend), 28 May"),
        (ENGLAND, "2026-01-30", 1, "2 Feb (31 Jan–1 Feb weekend)"),
        (
            SHANGHAI,
            "2026-09-30",
            3,
            "8 Oct (1–2 Oct National Day, 3–4 Oct weekend, 5 Oct National Day (observed), "
            "6 Oct Day off (substituted from 2026-09-20), 7 Oct Day off (substituted from 2026-10-10)), "
            "9 Oct, 10 Oct (working Saturday)",
        ),
        (
            HONG_KONG.model_copy(
                update={"closures": (TYPHOON,), "openings": (Opening(day=on("2026-08-22"), why="Backlog"),)}
            ),
            "2026-08-19",
            2,
            "21 Aug (20 Aug Typhoon signal No. 8), 22 Aug (Backlog)",
        ),
        # Ten are listed; of eleven the first, what lies behind a holiday, and the last.
        (
            ENGLAND,
            "2026-03-23",
            10,
            "24 Mar, 25 Mar, 26 Mar, 27 Mar, 30 Mar (28–29 Mar weekend), 31 Mar, 1 Apr, 2 Apr, "
            "7 Apr (3 Apr Good Friday, 4–5 Apr weekend, 6 Apr Easter Monday), 8 Apr",
        ),
        (
            ENGLAND,
            "2026-03-23",
            11,
            "24 Mar, …, 7 Apr (3 Apr Good Friday, 4–5 Apr weekend, 6 Apr Easter Monday), …, 9 Apr",
        ),
        (
            ENGLAND,
            "2026-12-10",
            15,
            "11 Dec, …, 29 Dec (25 Dec Christmas Day, 26–27 Dec weekend, 28 Dec Boxing Day (observed)), …, "
            "4 Jan 2027 (1 Jan New Year's Day, 2–3 Jan weekend), 5 Jan",
        ),
    ],
)
def test_the_days_counted_and_those_passed_over_are_spelled_out(
    calendar: Calendar, start: str, count: int, words: str
) -> None:
    assert spell_business_days(calendar, on(start), count) == words


# -- what is known -----------------------------------------------------------------------------------------------------


def test_a_day_is_verified_up_to_the_last_known_one() -> None:
    calendar = SHANGHAI.model_copy(update={"verified_until": on("2026-12-31")})
    assert is_verified(calendar, on("2026-12-31"))
    assert not is_verified(calendar, on("2027-01-01"))
    assert is_verified(SHANGHAI, on("2099-01-01"))


@pytest.mark.parametrize(
    ("country", "subdivision", "problem"),
    [
        ("GB", "ENG", None),
        ("HK", None, None),
        ("XX", None, "country: no holidays are known of 'XX': use an ISO 3166 code such as GB"),
        ("GB", "ENGL", "subdivision: no holidays are known of 'ENGL' in GB: use one of ENG, NIR, SCT, WLS"),
        ("HK", "KOWLOON", "subdivision: no holidays are known of 'KOWLOON' in HK: leave it out"),
    ],
)
def test_a_place_whose_holidays_are_unknown_is_named_with_the_way_out(
    country: str, subdivision: str | None, problem: str | None
) -> None:
    assert place_problem(Calendar(time_zone="UTC", country=country, subdivision=subdivision)) == problem


# -- what always holds -------------------------------------------------------------------------------------------------

unhurried = settings(deadline=None, max_examples=100)  # the first look at a year builds it

DAYS = st.dates(date(2023, 1, 1), date(2028, 12, 31))
COUNTS = st.integers(-40, 40)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """A shipped place with a few closures and openings of a firm, and sometimes a cut-off."""
    days = draw(st.lists(DAYS, max_size=8, unique=True))
    half = len(days) // 2
    closures = tuple(
        Closure(day=day, until=draw(st.none() | st.just(day + timedelta(days=9))), why="closed") for day in days[:half]
    )
    openings = tuple(
        Opening(day=day, why="open")
        for day in days[half:]
        if not any(closure.day <= day <= closure.last for closure in closures)
    )
    return draw(st.sampled_from(CALENDARS)).model_copy(
        update={"closures": closures, "openings": openings, "cut_off": draw(st.none() | st.times())}
    )


@unhurried
@given(calendars(), DAYS, COUNTS)
def test_the_day_counted_to_is_never_closed(calendar: Calendar, day: date, count: int) -> None:
    assume(count)
    assert is_business_day(calendar, add_business_days(calendar, day, count))


@unhurried
@given(calendars(), DAYS, COUNTS)
def test_one_more_is_later_and_passes_over_closed_days_only(calendar: Calendar, day: date, count: int) -> None:
    sooner, later = (add_business_days(calendar, day, days) for days in (count, count + 1))
    between = [sooner + timedelta(days=number) for number in range(1, (later - sooner).days)]
    assert sooner < later
    assert all(closed_because(calendar, passed) for passed in between)


@unhurried
@given(calendars(), DAYS, st.integers(0, 20), COUNTS)
def test_a_later_start_never_ends_earlier(calendar: Calendar, day: date, more: int, count: int) -> None:
    later = add_business_days(calendar, day + timedelta(days=more), count)
    assert add_business_days(calendar, day, count) <= later


@unhurried
@given(calendars(), DAYS, COUNTS)
@example(ENGLAND, on("2026-12-26"), -3)
def test_counting_is_the_inverse_of_adding(calendar: Calendar, day: date, count: int) -> None:
    assert business_days_between(calendar, day, add_business_days(calendar, day, count)) == count


@unhurried
@given(calendars(), DAYS, DAYS)
def test_adding_what_was_counted_comes_to_the_last_business_day_on_the_way(
    calendar: Calendar, start: date, end: date
) -> None:
    end = start + (end - start) // 20
    reached = add_business_days(calendar, start, business_days_between(calendar, start, end))
    assert min(start, end) <= reached <= max(start, end)
    assert reached in {start, end} or not is_business_day(calendar, end)


@unhurried
@given(calendars(), DAYS, st.integers(0, 40), st.integers(0, 40), st.sampled_from([1, -1]))
def test_two_counts_in_a_row_are_their_sum(calendar: Calendar, day: date, one: int, other: int, sign: int) -> None:
    halfway = add_business_days(calendar, day, sign * one)
    assert add_business_days(calendar, halfway, sign * other) == add_business_days(calendar, day, sign * (one + other))


@unhurried
@given(calendars(), DAYS, COUNTS)
def test_counting_back_mirrors_counting_on(calendar: Calendar, day: date, count: int) -> None:
    worked = next_business_day(calendar, day)
    assert add_business_days(calendar, add_business_days(calendar, worked, count), -count) == worked


@unhurried
@given(calendars(), DAYS)
def test_the_next_business_day_is_the_first_that_is_worked(calendar: Calendar, day: date) -> None:
    following = next_business_day(calendar, day)
    assert is_business_day(calendar, following)
    assert (following == day) is is_business_day(calendar, day)
    assert not any(is_business_day(calendar, day + timedelta(days=number)) for number in range((following - day).days))


@unhurried
@given(
    calendars(),
    st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.times(),
    st.times(),
)
def test_a_later_cut_off_never_makes_the_day_later(calendar: Calendar, at: datetime, one: time, other: time) -> None:
    early, late = (day_of(calendar.model_copy(update={"cut_off": cut_off}), at) for cut_off in sorted([one, other]))
    assert local_day(calendar, at) <= late <= early
    assert is_business_day(calendar, late)


@unhurried
@given(
    calendars(),
    st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.timedeltas(timedelta(0), timedelta(days=2)),
)
def test_what_comes_later_never_counts_as_having_come_earlier(
    calendar: Calendar, at: datetime, more: timedelta
) -> None:
    assert day_of(calendar, at) <= day_of(calendar, at + more)


@unhurried
@given(calendars(), DAYS, st.integers(1, 20))
def test_a_closure_more_never_ends_earlier_and_an_opening_more_never_later(
    calendar: Calendar, day: date, count: int
) -> None:
    bare = calendar.model_copy(update={"closures": (), "openings": ()})
    closed = calendar.model_copy(update={"openings": ()})
    opened = calendar.model_copy(update={"closures": ()})
    reached = [add_business_days(one, day, count) for one in (opened, bare, closed)]
    assert reached == sorted(reached)
    assert reached[0] <= add_business_days(calendar, day, count) <= reached[2]


@unhurried
@given(calendars(), DAYS)
def test_a_day_is_worked_or_says_why_not(calendar: Calendar, day: date) -> None:
    why = closed_because(calendar, day)
    assert why is None or why.strip()
    assert why is None or not any(opening.day == day for opening in calendar.openings)
    assert why or not any(closure.day <= day <= closure.last for closure in calendar.closures)


@unhurried
@given(calendars(), DAYS, st.integers(-30, 30))
def test_what_is_spelled_out_ends_with_the_day_reached(calendar: Calendar, day: date, count: int) -> None:
    reached = add_business_days(calendar, day, count)
    words = spell_business_days(calendar, day, count)
    listed = re.sub(r" \((?:[^()]|\([^()]*\))*\)", "", words).split(", ")
    assert listed[-1].removesuffix(f" {reached.year}") == f"{reached.day} {reached:%b}"
    assert abs(count) > 10 or len(listed) == max(1, abs(count))
