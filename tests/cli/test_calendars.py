"""Calendars on the command line: which days are worked, how long that is known, and counting anew once it is longer."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len

from domain.ground.reference import reference_for
from starter.cli.program import ExitCode
from tests.cli import stories
from tests.cli.command_line import CommandLine
from tests.cli.test_acting import a_complaint, at
from tests.patience import eventually

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

TODAY = datetime.now(UTC).date()
KNOWN_THEN = TODAY - timedelta(days=5)
KNOWN_NOW = TODAY + timedelta(days=400)
OFFICER = ("--as", "compliance_officer:c-1")

PACK = """
id = "own"
version = "1"
title = "Counted on a calendar of our own"
effective_from = 2020-01-01
extends = "platform-default"
calendar = "own-hk"

[[clocks]]
name = "limit"
kind = "statutory"
trigger = "received"
length = { business_days = 20 }
satisfied_by = ["responded"]
source = "the rule"
confirmed = true
rungs = [{ name = "due", actions = ["breach"] }]

[[clocks]]
name = "thirty-days"
kind = "statutory"
trigger = "received"
length = { days = 30 }
satisfied_by = ["responded"]
source = "the rule"
confirmed = true
rungs = [{ name = "due", actions = ["breach"] }]
"""

CALENDAR = """
id = "own-hk"
time_zone = "Asia/Hong_Kong"
country = "HK"
source = "the firm"
"""


def own(folder: Path, verified_until: date, *, closed: date | None = None) -> str:
    """A folder with a pack and its calendar, in which a weekday may be closed."""
    (folder / "calendars").mkdir(parents=True)
    (folder / "own.toml").write_text(PACK, encoding="utf-8")
    official = 'why = "Typhoon", official = true, source = "Gazette"'
    closures = f"closures = [{{ day = {closed}, {official} }}]" if closed else ""
    calendar = f"{CALENDAR}\nverified_until = {verified_until}\n{closures}\n"
    (folder / "calendars" / "own-hk.toml").write_text(calendar, encoding="utf-8")
    return str(folder)


@pytest.fixture
def before(redress: CommandLine, tmp_path: Path) -> None:
    """The firm's calendar is known until some days ago."""
    redress.set("REDRESS_POLICY_DIR", own(tmp_path / "before", KNOWN_THEN))


@pytest.fixture
def extended(tmp_path: Path) -> str:
    """The folder in which it is known for longer, and a weekday in ten days turned out to be closed."""
    soon = next(day for day in (TODAY + timedelta(days=number) for number in range(7, 14)) if day.weekday() == 2)
    return own(tmp_path / "extended", KNOWN_NOW, closed=soon)


@pytest.fixture
def look(redress: CommandLine, before: None, database_url: str) -> CommandLine:
    redress.set("DATABASE_URL", database_url)
    return redress


@pytest.fixture
async def reference(look: CommandLine, pool: "Pool", tmp_path: Path) -> str:
    """A case with nothing but its receipt, planned on the calendar as it was."""
    return await stories.Story(pool, tmp_path / "outbox", datetime.now(UTC)).open(policy="own")


# -- list and show -----------------------------------------------------------------------------------------------------


async def test_the_calendars_are_listed_with_the_days_that_are_left(redress: CommandLine, before: None) -> None:
    earliest = datetime.now(UTC).date()
    listed: list[dict[str, Any]] = (await redress("calendar", "list", "--json")).data
    latest = datetime.now(UTC).date()
    calendars = {one["id"]: one for one in listed}
    assert {"gb-england", "cn", "hk", "own-hk"} <= set(calendars)
    assert calendars["own-hk"]["verified_until"] == KNOWN_THEN.isoformat()
    assert (KNOWN_THEN - latest).days <= calendars["own-hk"]["days_left"] <= (KNOWN_THEN - earliest).days
    shown = await redress("calendar", "list")
    assert "gb-england" in shown.out
    assert max(map(cell_len, shown.out.splitlines())) <= 80


async def test_a_year_is_shown_with_what_is_closed_and_what_is_worked_and_why(redress: CommandLine) -> None:
    year = (await redress("calendar", "show", "cn", "--year", "2026", "--json")).data
    assert {"day": "2026-02-17", "why": "Chinese New Year (Spring Festival)"} in year["closed_weekdays"]
    assert [one["day"] for one in year["worked_weekend_days"]] == [
        "2026-01-04",
        "2026-02-14",
        "2026-02-28",
        "2026-05-09",
        "2026-09-20",
        "2026-10-10",
    ]
    shown = " ".join((await redress("calendar", "show", "gb-england", "--year", "2026")).out.split())
    assert "Mon 28 Dec Boxing Day (observed)" in shown
    assert "Worked at weekends in 2026 None." in shown
    assert "not official" not in shown


async def test_days_beyond_what_is_known_are_marked(redress: CommandLine) -> None:
    shown = " ".join((await redress("calendar", "show", "cn", "--year", "2027")).out.split())
    assert "Fri 01 Jan New Year's Day (not official yet)" in shown
    assert "The official holidays are known until 2026-12-31" in shown


async def test_the_firms_own_closures_are_shown(redress: CommandLine, extended: str) -> None:
    redress.set("REDRESS_POLICY_DIR", extended)
    soon = TODAY + timedelta(days=10)
    assert "Typhoon" in (await redress("calendar", "show", "own-hk", "--year", soon.year)).out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["calendar", "show", "atlantis"], "there is no calendar 'atlantis'; there are "),
        (["calendar", "show", "cn", "--year", "0"], "--year"),
        (["calendar", "replan", "atlantis", *OFFICER], "there is no calendar 'atlantis'"),
        (["calendar", "replan"], "--as ROLE:ID"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
async def test_what_does_not_fit_is_named(redress: CommandLine, arguments: list[str], told: str) -> None:
    ran = await redress(*arguments, "--json")
    assert ran.code == ExitCode.INVALID
    assert told in ran.error["message"]


async def test_a_calendar_that_does_not_load_is_named_with_its_field(redress: CommandLine, tmp_path: Path) -> None:
    folder = Path(own(tmp_path / "broken", KNOWN_NOW))
    calendar = folder / "calendars" / "own-hk.toml"
    calendar.write_text(calendar.read_text(encoding="utf-8").replace("HK", "XX"), encoding="utf-8")
    redress.set("REDRESS_POLICY_DIR", str(folder))
    ran = await redress("calendar", "list", "--json")
    assert (ran.code, ran.error["kind"]) == (ExitCode.INVALID, "invalid_configuration")
    assert "own-hk.toml: country" in ran.error["message"]


# -- replan ------------------------------------------------------------------------------------------------------------


async def test_what_is_counted_on_the_calendar_as_it_is_needs_nothing(look: CommandLine, reference: str) -> None:
    ran = await look("calendar", "replan", *OFFICER)  # and neither Temporal, which does not answer here
    assert ran.out == "No open case is counted on an older version of these calendars.\n"


async def test_a_dry_run_tells_what_would_move_and_changes_nothing(
    look: CommandLine, pool: "Pool", reference: str, extended: str
) -> None:
    look.set("REDRESS_POLICY_DIR", extended)
    ran = await look("calendar", "replan", "--dry-run", "--json")
    assert ran.code == 0
    (case,) = ran.data["cases"]
    assert (case["reference"], case["calendar"], case["moved"]) == (reference, "own-hk", True)
    moves = {move["clock"]: move for move in case["moves"]}
    assert set(moves) == {"limit", "response"}  # what is counted in hours or days stays as it is
    assert moves["limit"]["statutory"]
    assert not moves["limit"]["provisional"]
    for move in moves.values():
        assert move["after"] > move["before"]
    assert (ran.data["moved"], ran.data["unmoved"], ran.data["failed"]) == (1, 0, [])
    shown = await look("calendar", "replan", "own-hk", "--dry-run")
    text = " ".join(shown.out.split())
    assert "1 case(s) would be counted anew: 1 moved, 0 unmoved, 0 not told." in text
    assert moves["limit"]["after"][:10] in text
    assert await pool.fetchval("SELECT count(*) FROM casefile.calendars") == 0


async def test_a_calendar_that_only_became_certain_moves_nothing(
    look: CommandLine, reference: str, tmp_path: Path
) -> None:
    look.set("REDRESS_POLICY_DIR", own(tmp_path / "same", KNOWN_NOW))
    (case,) = (await look("calendar", "replan", "--dry-run", "--json")).data["cases"]
    assert not case["moved"]
    assert all(move["before"] == move["after"] and not move["provisional"] for move in case["moves"])
    assert {"limit", "response"} == {move["clock"] for move in case["moves"]}


async def test_a_calendar_that_is_known_for_a_shorter_time_replaces_nothing(
    look: CommandLine, reference: str, tmp_path: Path
) -> None:
    look.set("REDRESS_POLICY_DIR", own(tmp_path / "older", KNOWN_THEN - timedelta(days=1)))
    assert (await look("calendar", "replan", "--dry-run", "--json")).data["cases"] == []


@pytest.mark.usefixtures("reference")
async def test_other_calendars_and_closed_cases_are_left_alone(
    look: CommandLine, pool: "Pool", extended: str, tmp_path: Path
) -> None:
    look.set("REDRESS_POLICY_DIR", extended)
    assert (await look("calendar", "replan", "hk", "--dry-run", "--json")).data["cases"] == []
    await pool.execute("UPDATE casefile.cases SET closed_at = now(), revision = revision + 1")
    assert (await look("calendar", "replan", "--dry-run", "--json")).data["cases"] == []
    look.set("REDRESS_POLICY_DIR", str(Path(extended).with_name("before")))
    other = await stories.Story(pool, tmp_path / "outbox", datetime.now(UTC)).open("2", policy="own")
    look.set("REDRESS_POLICY_DIR", extended)
    found = (await look("calendar", "replan", "--dry-run", "--json")).data["cases"]
    assert [case["reference"] for case in found] == [other]


async def test_cases_that_could_not_be_told_are_named_and_the_command_fails(
    look: CommandLine, connected: CommandLine, pool: "Pool", reference: str, extended: str
) -> None:
    look.set("REDRESS_POLICY_DIR", extended)
    ran = await connected("calendar", "replan", *OFFICER, "--json")  # its workflow was never started
    assert (ran.code, ran.error["kind"]) == (ExitCode.FAILED, "failed")
    assert ran.error["message"].startswith("1 of 1 cases could not be told")
    assert ran.data["failed"] == [
        {"reference": reference, "calendar": "own-hk", "reason": f"there is no case {reference}"}
    ]
    row = await pool.fetchrow("SELECT id, added_by, content FROM casefile.calendars")
    assert row is not None
    assert (row["id"], row["added_by"]) == ("own-hk", "compliance_officer:c-1")
    assert row["content"]["verified_until"] == KNOWN_NOW.isoformat()
    again = await connected("calendar", "replan", *OFFICER)
    assert again.code == ExitCode.FAILED
    assert f"{reference}: there is no case" in " ".join(again.out.split())
    assert await pool.fetchval("SELECT count(*) FROM casefile.calendars") == 1


@pytest.mark.usefixtures("look")
async def test_without_a_worker_the_other_cases_are_not_waited_for(
    connected: CommandLine,
    pool: "Pool",
    extended: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("starter.client.conversation.ANSWER_WITHIN", timedelta(seconds=1))
    monkeypatch.setattr("starter.upkeep.replanning._AT_ONCE", 1)
    given = [a_complaint(policy="own") for _ in range(2)]
    await connected("submit", "-", stdin=json.dumps(given))
    for complaint in given:
        story = stories.Story(pool, tmp_path / "outbox", datetime.now(UTC))
        await story.open(complaint["idempotency_key"], source=complaint["source"], policy="own")
    connected.set("REDRESS_POLICY_DIR", extended)
    ran = await connected("calendar", "replan", *OFFICER, "--json")
    assert ran.code == ExitCode.FAILED
    reasons = sorted(one["reason"] for one in ran.data["failed"])
    assert [reason.startswith("not tried") for reason in reasons] == [False, True], reasons


async def test_a_case_counts_anew_once_and_remembers_by_whom(
    before: None, service: CommandLine, pool: "Pool", extended: str
) -> None:
    complaint = a_complaint(policy="own")
    await service("submit", "-", stdin=json.dumps(complaint))
    reference = reference_for(complaint["source"], complaint["idempotency_key"])
    await at(service, reference, "deciding")
    planned = (await service("deadlines", reference, "--json")).data
    assert all(row["provisional"] for row in planned if row["clock"] == "limit")
    assert "(provisional)" in " ".join((await service("deadlines", reference)).out.split())

    service.set("REDRESS_POLICY_DIR", extended)
    foreseen = (await service("calendar", "replan", "--dry-run", "--json")).data["cases"]
    ran = await service("calendar", "replan", *OFFICER, "--json")
    assert (ran.code, ran.data["cases"], ran.data["failed"]) == (0, foreseen, [])

    async def planned_anew() -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = (await service("deadlines", reference, "--json")).data
        return rows if any(row["replaced"] for row in rows) else []

    rows = await eventually(planned_anew)
    ends = {row["clock"]: row for row in rows if row["rung"] == "due" and not row["replaced"]}
    for move in foreseen[0]["moves"]:
        assert ends[move["clock"]]["clock_due"] == move["after"]
        assert not ends[move["clock"]]["provisional"]
    assert "replaced: replanned" in " ".join((await service("deadlines", reference)).out.split())
    (thirty,) = [row for row in rows if row["clock"] == "thirty-days"]
    assert not thirty["replaced"]  # what the rule fixed stays

    assert (await service("calendar", "replan", *OFFICER, "--json")).data["cases"] == []
    told = [entry for entry in (await service("timeline", reference, "--json")).data if "replan" in entry["kind"]]
    assert [entry["actor"] for entry in told] == ["compliance_officer:c-1"]
    await service("withdraw", reference, "--reason", "They rang to say so.", "--as", "handler:h-17")
