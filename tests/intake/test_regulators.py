"""Files of regulators: each complaint is taken in once, and what cannot be read is named by its line."""

from datetime import UTC, datetime

import pytest

from domain.intake.received import Unreadable
from domain.intake.regulators import NEEDED, complaints_in_csv
from runtime.database import Pool
from starter.cli.intake import _take_in

HEAD = ",".join(NEEDED) + ",Date sent to company\n"
GOOD = '101,2026-03-02,Debt collection,Not owed,"They call me,\ndaily.",Example Ltd,2026-03-04\n'
NOW = datetime(2026, 3, 5, tzinfo=UTC)
SILENT = "102,2026-03-03,Mortgage,Late fee,,Example Ltd,\n"


async def test_each_complaint_of_a_file_is_taken_in_once(pool: Pool) -> None:
    told, silent = complaints_in_csv("\ufeff" + HEAD + GOOD + SILENT, NOW)
    assert not isinstance(told, Unreadable)
    assert not isinstance(silent, Unreadable)
    assert (told.channel, told.about, told.description) == ("regulator", "Example Ltd", "They call me,\ndaily.")
    assert f"{told.received_at:%Y-%m-%d} {silent.received_at:%Y-%m-%d}" == "2026-03-04 2026-03-03"
    assert silent.description == "Mortgage / Late fee"
    assert [await _take_in(pool, [told, silent]), await _take_in(pool, [silent, told])] == [2, 0]
    assert await pool.fetchval("select count(*) from intake.waiting") == 2


@pytest.mark.parametrize("day", ["2026-03-04", "03/04/26", "3/4/2026", "2026-03-04T12:00:00-05:00"])
@pytest.mark.parametrize("head", [HEAD, HEAD.lower(), HEAD.replace(",", ", "), HEAD.replace(" ", "  ")])
def test_days_and_columns_are_read_as_the_bureau_s_different_files_write_them(day: str, head: str) -> None:
    [told] = complaints_in_csv(head + GOOD.replace("2026-03-04", day), NOW)
    assert not isinstance(told, Unreadable)
    assert (f"{told.received_at:%Y-%m-%d}", told.subject) == ("2026-03-04", "Not owed")


def test_what_cannot_be_read_is_named_by_its_line() -> None:
    odd = "103,yesterday,Mortgage,Fee,Words,Example,\n,2026-03-02,Mortgage,Fee,,Example,\n104,2026-03-02,,,,,\n"
    found = [str(each) for each in complaints_in_csv(HEAD + GOOD + odd, NOW) if isinstance(each, Unreadable)]
    assert [each.partition(":")[0] for each in found] == ["line 4", "line 5", "line 6"]
    for none in ("", "a,b\n1,2\n", HEAD + '"never closed'):
        with pytest.raises(Unreadable):
            list(complaints_in_csv(none, NOW))
