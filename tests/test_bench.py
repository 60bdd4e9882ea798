"""What the benchmark counts and reckons. How fast anything is, no test says."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from activities.case.case_file import CaseFile
from bench import deadlines as bench
from bench.common import percentile
from bench.deadlines import Measured
from bench.ticks import Measured as Ticks
from bench.ticks import write_ticks
from domain.case.file import CaseUpdate
from domain.case.requests import OpenCase
from domain.case.summary import CaseSummary
from domain.clocks.deadlines import Firing
from domain.ground.timeline import Entry
from runtime.policies import load_packs

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

DUE = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def measured(*lateness: float, cases: int | None = None, missed: int = 0, doubled: int = 0) -> Measured:
    return Measured("Redress", "rung fired", cases or len(lateness), lateness, missed=missed, doubled=doubled)


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 (a seed that can be repeated, nothing secret)


# -- arithmetic --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("percent", "expected"),
    [(50, 5.0), (51, 6.0), (99, 10.0), (100, 10.0), (0.1, 1.0), (10, 1.0), (10.1, 2.0)],
)
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(percent: float, expected: float) -> None:
    assert percentile([float(value) for value in (3, 1, 2, 10, 9, 8, 4, 5, 7, 6)], percent) == expected


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0.1, 100))
def test_a_percentile_is_a_value_that_was_observed(values: list[float], percent: float) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) >= len(values) * percent / 100 - 1e-9


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1.0], 0), ([1.0], 101)])
def test_there_is_no_percentile_of_nothing_nor_beyond_the_whole(values: list[float], percent: float) -> None:
    with pytest.raises(ValueError, match="percent"):
        percentile(values, percent)


def test_the_due_instants_are_spread_evenly_over_the_window() -> None:
    due = bench.due_instants(DUE, 4)
    assert [(at - DUE).total_seconds() for at in due] == [0, 2.5, 5, 7.5]


def test_shares_are_of_all_cases_and_what_never_fired_is_late() -> None:
    result = measured(0.5, 1.0, 30.0, cases=4, missed=1)
    assert [result.share_within(seconds) for seconds in (1, 5, 60)] == [0.5, 0.5, 0.75]


@pytest.mark.parametrize(("missed", "doubled"), [(1, 0), (0, 1)])
def test_a_result_with_a_deadline_missed_or_doubled_has_a_fault(missed: int, doubled: int) -> None:
    assert measured(1.0).faultless
    assert not measured(1.0, missed=missed, doubled=doubled).faultless


# -- the poller --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "phase", "expected"),
    [(120.0, 15.0, 135.0), (134.9, 15.0, 135.0), (135.0, 15.0, 195.0), (136.0, 15.0, 195.0), (60.0, 0.0, 120.0)],
)
def test_a_poller_looks_every_sixty_seconds_in_its_phase(now: float, phase: float, expected: float) -> None:
    assert bench.next_poll(now, phase) == expected


def test_pollers_look_at_moments_spread_over_the_cycle_that_the_seed_decides() -> None:
    phases = bench.poll_phases(12, seeded(7))
    assert [int(phase // 5) for phase in phases] == list(range(12))
    assert phases == bench.poll_phases(12, seeded(7))
    assert phases != bench.poll_phases(12, seeded(8))


async def test_the_pollers_stamp_every_row_once_and_not_before_it_is_due(
    pool: "Pool", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "POLL_EVERY", 0.2)
    start = datetime.now(UTC)
    due = [start + timedelta(milliseconds=number) for number in range(-50, 250)]
    result = await bench.poll(pool, due, seeded(1))
    assert (result.cases, result.missed, result.doubled) == (300, 0, 0)
    assert min(result.lateness) >= 0
    assert await pool.fetchval("SELECT count(DISTINCT fired_at) FROM bench.due") > 1


# -- what is read from the case files ----------------------------------------------------------------------------------


@pytest.fixture
def case_file(pool: "Pool") -> CaseFile:
    return CaseFile(pool, default_policy=bench.POLICY, packs=load_packs(bench.POLICIES))


async def opened(case_file: CaseFile, key: str) -> str:
    complaint = bench._complaint(key, DUE)
    request = OpenCase(reference=complaint.reference, complaint=complaint, at=DUE - timedelta(minutes=3), run="run-1")
    (deadline,) = (await case_file.open_case(request)).recorded.planned
    assert (deadline.clock, deadline.rung, deadline.due) == (bench.CLOCK, "due", DUE)
    return complaint.reference


async def fired(case_file: CaseFile, reference: str, *kinds: str, late: float) -> None:
    """The rung of that case fired, and its timeline has entries of these kinds."""
    at = DUE + timedelta(seconds=late)
    summary = CaseSummary(
        revision=1, stage="deciding", stage_since=at, category=None, severity=None, priority=None, in_scope=True,
        repeat=False, team=None, handler=None, escalation_level=1, outcome=None, compensation=None, next_deadline=None,
        breached=True, closed_at=None,
    )  # fmt: skip
    firing = Firing(clock=bench.CLOCK, number=1, rung="due", due=DUE, fired_at=at, breach=True)
    entries = [
        Entry(key=f"{number}", at=at, kind=kind, actor="system:redress", text=kind) for number, kind in enumerate(kinds)
    ]
    update = CaseUpdate(reference=reference, policy_hash="", summary=summary, firings=(firing,), entries=tuple(entries))
    await case_file.record(update)


async def told(pool: "Pool", reference: str, number: int, *, late: float, outcome: str = "accepted") -> None:
    key = f"{reference}:letter:{number}"
    await pool.execute(
        "INSERT INTO casefile.letters"
        " (key, reference, number, kind, language, subject, body, message_id, rendered_at)"
        " VALUES ($1, $2, $3, 'staff_notice', 'en', 'a notice', 'a notice', $1, $4)",
        key,
        reference,
        number,
        DUE,
    )
    await pool.execute(
        "INSERT INTO casefile.letter_attempts (key, at, channel, outcome) VALUES ($1, $2, 'outbox', $3)",
        key,
        DUE + timedelta(seconds=late),
        outcome,
    )


async def read(pool: "Pool", *references: str) -> list[dict[str, Any]]:
    return [
        {"lateness": sorted(result.lateness), "missed": result.missed, "doubled": result.doubled}
        for result in await bench.read(pool, "Redress", references)
    ]


async def test_a_case_whose_rung_did_all_it_should_is_neither_missed_nor_doubled(
    pool: "Pool", case_file: CaseFile
) -> None:
    references = [await opened(case_file, key) for key in ("one", "two")]
    for reference, late in zip(references, (0.25, 7.5), strict=True):
        await fired(case_file, reference, "breach", "escalation", late=late)
        await told(pool, reference, 5, late=late + 1)
    assert await read(pool, *references) == [
        {"lateness": [0.25, 7.5], "missed": 0, "doubled": 0},
        {"lateness": [1.25, 8.5], "missed": 0, "doubled": 0},
    ]


async def test_a_rung_that_never_fired_is_missed(pool: "Pool", case_file: CaseFile) -> None:
    assert await read(pool, await opened(case_file, "one")) == [{"lateness": [], "missed": 1, "doubled": 0}] * 2


async def test_a_case_that_was_never_opened_is_missed(pool: "Pool") -> None:
    assert await read(pool, "RD-K7M4-9QXT-2VBHC") == [{"lateness": [], "missed": 1, "doubled": 0}] * 2


@pytest.mark.parametrize(
    ("kinds", "missed", "doubled"),
    [
        (("breach",), 1, 0),
        (("escalation",), 1, 0),
        (("breach", "breach", "escalation"), 0, 1),
        (("breach", "escalation", "escalation"), 0, 1),
    ],
    ids=["no breach", "no escalation", "two breaches", "two escalations"],
)
async def test_a_rung_that_fired_must_have_done_each_thing_once(
    pool: "Pool", case_file: CaseFile, *, kinds: tuple[str, ...], missed: int, doubled: int
) -> None:
    reference = await opened(case_file, "one")
    await fired(case_file, reference, *kinds, late=1)
    assert (await read(pool, reference))[0] == {"lateness": [1.0], "missed": missed, "doubled": doubled}


async def test_two_notices_of_one_rung_are_doubled_and_the_first_one_counts(pool: "Pool", case_file: CaseFile) -> None:
    reference = await opened(case_file, "one")
    await told(pool, reference, 5, late=2)
    await told(pool, reference, 6, late=1)
    assert (await read(pool, reference))[1] == {"lateness": [1.0], "missed": 0, "doubled": 1}


async def test_a_notice_that_nobody_accepted_has_not_told_anybody(pool: "Pool", case_file: CaseFile) -> None:
    reference = await opened(case_file, "one")
    await told(pool, reference, 5, late=2, outcome="failed")
    assert (await read(pool, reference))[1] == {"lateness": [], "missed": 1, "doubled": 0}


# -- what is printed ---------------------------------------------------------------------------------------------------


def printed(*results: Measured) -> list[str]:
    console = Console(width=120, force_terminal=False, color_system=None)
    with console.capture() as capture:
        console.print(bench.show(results, cases=2000))
    return capture.get().splitlines()


def test_the_table_tells_lateness_shares_and_faults() -> None:
    lines = printed(measured(0.0204, 0.9994, 2.0, 61.25), measured(cases=4, missed=4))
    assert "2,000 cases" in lines[0]
    assert "the same 10 s" in lines[0]
    head, row, second = (" ".join(line.split()) for line in lines if "p50" in line or "rung fired" in line)
    assert head == "measured p50 p99 max ≤ 1 s ≤ 5 s ≤ 60 s missed doubled"
    assert row == "Redress rung fired 999 ms 61.2 s 61.2 s 50.0 % 75.0 % 75.0 % 0 0"
    assert second == "rung fired – – – 0.0 % 0.0 % 0.0 % 4 0"


def test_json_has_the_same_in_seconds() -> None:
    assert measured(0.25, 2.0).as_json() == {
        "who": "Redress",
        "what": "rung fired",
        "cases": 2,
        "p50": 0.25,
        "p99": 2.0,
        "max": 2.0,
        "within": {"1 s": 0.5, "5 s": 1.0, "60 s": 1.0},
        "missed": 0,
        "doubled": 0,
    }
    assert measured(cases=1, missed=1).as_json()["p99"] is None


def test_the_ticks_of_a_file_are_told_apart(tmp_path: Path) -> None:
    different = write_ticks(tmp_path / "ticks.csv", 1_000, seed=1)
    heading, *lines = (tmp_path / "ticks.csv").read_text().splitlines()
    assert (heading, len(lines), len(set(lines))) == ("timestamp,bid,ask", 1_000, different)
    assert different < 1_000


@pytest.mark.parametrize(("before", "there", "faultless"), [(5, 9, True), (5, 8, False), (0, 9, False), (9, 9, False)])
def test_ticks_are_faultless_if_each_is_there_once_after_an_import_that_was_broken_off(
    before: int, there: int, *, faultless: bool
) -> None:
    assert Ticks(10, 9, before, there, 1.0, 1).faultless is faultless
