"""A time of a clock on the wall, where that clock is put forward or back."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from domain.clocks.local_times import readings

NICOSIA = ZoneInfo("Asia/Nicosia")


@pytest.mark.parametrize(
    ("shown", "meant"),
    [
        ("2026-03-29 02:59", ["2026-03-29 00:59"]),
        ("2026-03-29 03:30", []),  # put forward from 3 to 4
        ("2026-03-29 04:00", ["2026-03-29 01:00"]),
        ("2026-10-25 03:30", ["2026-10-25 00:30", "2026-10-25 01:30"]),  # put back from 4 to 3
        ("2026-10-25 04:00", ["2026-10-25 02:00"]),
        ("0001-01-01 00:00", []),  # before there are instants
    ],
)
def test_a_clock_that_is_put_forward_skips_an_hour_and_one_that_is_put_back_has_one_twice(
    shown: str, meant: list[str]
) -> None:
    named = datetime.fromisoformat(shown)
    assert readings(named, NICOSIA) == tuple(datetime.fromisoformat(one).replace(tzinfo=UTC) for one in meant)
    assert readings(named, UTC) == (named.replace(tzinfo=UTC),)
