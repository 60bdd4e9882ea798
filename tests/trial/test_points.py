"""The enumerated part of the trial: how its places are named, and what strikes them."""

import pytest

from trial.failpoints import KILL, LATE, STALL, Point
from trial.points import kind_of, points_of, share_of


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("SendLetter#1 start", "start"),
        ("SendLetter#1 commit 2 before", "before"),
        ("Record#12 commit 1 after", "after"),
        ("OpenCase#1 reported", "reported"),
        ("task 5 before", "task before"),
        ("task 5 after", "task after"),
        ("letter 3", "letter"),
        ("payment 1", "payment"),
    ],
)
def test_places_are_told_apart_by_their_kind(place: str, kind: str) -> None:
    assert kind_of(place) == kind


def test_every_place_is_combined_with_every_fault_of_its_kind() -> None:
    points = points_of(["Record#1 commit 1 before", "task 2 after"])
    assert Point(place="Record#1 commit 1 before", fault=KILL) in points
    assert Point(place="Record#1 commit 1 before", fault=LATE) in points
    assert Point(place="task 2 after", fault=KILL) in points
    assert not any(point.fault == STALL for point in points if point.place == "task 2 after")


@pytest.mark.parametrize("count", [1, 3, 7, 60])
def test_all_shares_of_one_seed_together_are_every_point_once(count: int) -> None:
    points = [("straight", point) for point in points_of([f"task {number} before" for number in range(10)])]
    shares = [share_of(points, 5, (number, count)) for number in range(1, count + 1)]
    assert sorted(map(str, (point for share in shares for point in share))) == sorted(map(str, points))
