"""Calendars as files: those that are shipped, and what is said of one that does not fit."""

from datetime import date, time
from pathlib import Path
from textwrap import dedent

import pytest
from holidays import country_holidays

from domain.clocks.business_days import closed_because, is_business_day, is_verified, place_problem
from domain.clocks.calendar import Calendar, Closure, Opening
from runtime.calendars import CalendarError, load_calendars
from runtime.paths import POLICIES

SHIPPED = load_calendars()


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(dedent(text), encoding="utf-8")
    return folder


# -- the shipped ones --------------------------------------------------------------------------------------------------


def test_these_calendars_are_shipped() -> None:
    assert list(SHIPPED) == ["au-nsw", "au-vic", "cn", "cy", "gb-england", "gb-scotland", "hk", "ie", "us"]
    assert [path.stem for path in sorted((POLICIES / "calendars").iterdir())] == list(SHIPPED)


@pytest.mark.parametrize("calendar", SHIPPED.values(), ids=SHIPPED)
def test_a_shipped_calendar_is_known_sourced_and_verified_to_the_end_of_a_month(calendar: Calendar) -> None:
    assert place_problem(calendar) is None
    assert calendar.source
    assert calendar.verified_until is not None
    assert date(2026, 12, 31) <= calendar.verified_until <= date(2027, 12, 31)
    assert calendar.zone.key == calendar.time_zone
    assert (calendar.closures, calendar.openings) == ((), ())
    assert calendar.cut_off is None


@pytest.mark.parametrize("calendar", SHIPPED.values(), ids=SHIPPED)
def test_a_shipped_calendar_names_the_part_of_the_country_where_the_country_alone_has_too_few_holidays(
    calendar: Calendar,
) -> None:
    if calendar.country in {"AU", "GB"}:
        assert calendar.subdivision in country_holidays(calendar.country).subdivisions
    else:
        assert calendar.subdivision is None


def test_the_days_of_exchange_of_mainland_china_are_not_known_beyond_the_last_notice() -> None:
    assert is_verified(SHIPPED["cn"], date(2026, 12, 31))
    assert not is_verified(SHIPPED["cn"], date(2027, 1, 1))


def test_the_day_before_the_next_grand_final_is_not_known() -> None:
    assert closed_because(SHIPPED["au-vic"], date(2026, 9, 25)) == "Friday before the AFL Grand Final"
    assert is_verified(SHIPPED["au-vic"], date(2027, 8, 31))
    assert not is_verified(SHIPPED["au-vic"], date(2027, 9, 24))


def test_the_days_shown_in_the_comments_can_be_taken_over_as_they_are(tmp_path: Path) -> None:
    for name in SHIPPED:
        text = (POLICIES / "calendars" / f"{name}.toml").read_text(encoding="utf-8")
        write(tmp_path, f"{name}.toml", text.replace("  # {", "  {"))
    for name, calendar in load_calendars(tmp_path).items():
        (closure,), (opening,) = calendar.closures, calendar.openings
        assert is_business_day(SHIPPED[name], closure.day)
        assert closed_because(calendar, closure.day) == closure.why
        assert not is_business_day(SHIPPED[name], opening.day)
        assert is_business_day(calendar, opening.day)


# -- a firm's own ------------------------------------------------------------------------------------------------------


def test_a_calendar_says_everything_in_its_file(tmp_path: Path) -> None:
    write(
        tmp_path,
        "firm.toml",
        """
        id = "firm"
        time_zone = "Europe/London"
        country = "GB"
        subdivision = "WLS"
        cut_off = 16:30:00
        verified_until = 2027-12-31
        source = "The firm"
        closures = [{ day = 2026-12-24, until = 2026-12-31, why = "Closed" }, { day = 2026-07-03, why = "Outing" }]
        openings = [{ day = 2027-01-02, why = "Backlog" }]
        """,
    )
    assert load_calendars(tmp_path) == {
        "firm": Calendar(
            id="firm",
            time_zone="Europe/London",
            country="GB",
            subdivision="WLS",
            cut_off=time(16, 30),
            verified_until=date(2027, 12, 31),
            source="The firm",
            closures=(
                Closure(day=date(2026, 12, 24), until=date(2026, 12, 31), why="Closed"),
                Closure(day=date(2026, 7, 3), why="Outing"),
            ),
            openings=(Opening(day=date(2027, 1, 2), why="Backlog"),),
        )
    }


def test_a_folder_is_read_once(tmp_path: Path) -> None:
    write(tmp_path, "firm.toml", 'id = "firm"\ntime_zone = "Asia/Tokyo"\ncountry = "JP"\n')
    read = load_calendars(tmp_path)
    write(tmp_path, "other.toml", 'id = "other"\ntime_zone = "Asia/Tokyo"\ncountry = "JP"\n')
    assert load_calendars(tmp_path) is read


def test_without_a_folder_there_are_no_calendars(tmp_path: Path) -> None:
    assert load_calendars(tmp_path / "calendars") == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id = ", r"firm\.toml: not a TOML file: "),
        ('time_zone = "Asia/Tokyo"\ncountry = "JP"', r'firm\.toml: id: write id = "firm", the name of the file'),
        ('id = "hk"\ntime_zone = "Asia/Tokyo"\ncountry = "JP"', r'firm\.toml: id: write id = "firm"'),
        ('id = "firm"\ntime_zone = "Asia/Tokio"\ncountry = "JP"', r"firm\.toml: time_zone: unknown time zone"),
        ('id = "firm"\ntime_zone = "Asia/Tokyo"', r"firm\.toml: country: Field required"),
        ('id = "firm"\ntime_zone = "Asia/Tokyo"\ncountry = "JP"\ncutoff = 16:00:00', r"firm\.toml: cutoff: Extra"),
        (
            'id = "firm"\ntime_zone = "Asia/Tokyo"\ncountry = "ZZ"',
            r"firm\.toml: country: no holidays are known of 'ZZ'",
        ),
        (
            'id = "firm"\ntime_zone = "Europe/London"\ncountry = "GB"\nsubdivision = "ENGL"',
            r"firm\.toml: subdivision: no holidays are known of 'ENGL' in GB: use one of ENG, NIR, SCT, WLS",
        ),
        (
            'id = "firm"\ntime_zone = "Asia/Tokyo"\ncountry = "JP"\nclosures = [{ day = 2026-02-30, why = "x" }]',
            r"firm\.toml: not a TOML file: ",
        ),
        (
            'id = "firm"\ntime_zone = "Asia/Tokyo"\ncountry = "JP"\nclosures = [{ day = 2026-02-03 }]',
            r"firm\.toml: closures\[0\]\.why: Field required",
        ),
        (
            'id = "firm"\ntime_zone = "Asia/Tokyo"\ncountry = "JP"\n'
            'closures = [{ day = 2026-02-03, why = "x" }]\nopenings = [{ day = 2026-02-03, why = "y" }]',
            r"firm\.toml: openings: 2026-02-03 is among the closures too",
        ),
    ],
)
def test_a_calendar_that_does_not_fit_is_refused_by_file_and_field(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(CalendarError, match=f"^{problem}"):
        load_calendars(write(tmp_path, "firm.toml", text))


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "firm.toml").write_bytes(b"id = '\xff'")
    with pytest.raises(CalendarError, match=r"^firm\.toml: not a TOML file: "):
        load_calendars(tmp_path)
