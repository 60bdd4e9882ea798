"""Whoever is kept out of a case neither reads nor finds nor counts it, by whatever command they look."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest

from domain.ground.words import CaseEvent, Stage
from domain.incidents.state import IN_PART
from starter.cli.program import ExitCode
from starter.client.directory import People
from tests.case.support import OPENED_AT, after, decided, keeping, occurred, opened, summary, update, usd
from tests.cli.command_line import CommandLine
from tests.incidents.minute import bad_minute, new
from tests.incidents.test_cohort import Desk
from tests.people.support import LEAD, directory, person
from tests.signing import signed

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]

LOOKS = [
    ("show", "REF"),
    ("timeline", "REF"),
    ("letters", "REF"),
    ("deadlines", "REF"),
    ("rejected", "REF"),
    ("route", "explain", "REF"),
]


ACTS = [
    ("escalate", "REF", "--reason", "Too slow."),
    ("reply", "REF", "--text", "Hello."),
    ("assign", "REF", "h-1"),
    ("sign", "note", "REF", "raise", "fraud", "--rests-on", "a hunch"),
    ("task", "give", "REF", "consult"),
    ("customer", "verify", "REF", "--how", "Called back."),
    ("restriction", "propose", "REF", "by_post", "--until", "2126-01-01T00:00Z", "--reasons", "So many calls."),
]


@pytest.fixture
async def reference(redress: CommandLine, database_url: str, pool: "Pool") -> str:
    """A case that names h-1; h-2 has it."""
    redress.set("DATABASE_URL", database_url)
    people = directory(person("h-1", names=["Jane Doe"]), person("h-2"))
    await People(pool, signed).replace(people, by=LEAD, at=OPENED_AT)
    return await opened(keeping(pool), description="Jane Doe gave me a wrong price.")


async def test_to_them_the_case_is_not_there(redress: CommandLine, reference: str) -> None:
    for command in LOOKS:
        asked = [reference if word == "REF" else word for word in command]
        redress.set("REDRESS_ACTOR", "handler:H-1")
        hidden = await redress(*asked, "--json")
        assert hidden.code == 3, command
        assert "h-2" not in hidden.out + hidden.err, command
        redress.set("REDRESS_ACTOR", "handler:h-2")
        assert (await redress(*asked)).code != 3, command


async def test_they_learn_of_it_by_no_message_either(redress: CommandLine, reference: str) -> None:
    for command in ACTS:
        asked = [reference if word == "REF" else word for word in command]
        refused = await redress(*asked, "--as", "handler:H-1")  # REDRESS_ACTOR names nobody
        assert (refused.code, refused.err.strip()) == (3, f"redress: there is no case {reference}"), command
        assert "there is no case" not in (await redress(*asked, "--as", "handler:h-2")).err, command


async def test_lists_and_what_comes_due_are_without_it(redress: CommandLine, reference: str) -> None:
    for who, seen in (("handler:h-1", False), ("handler:h-2", True)):
        redress.set("REDRESS_ACTOR", who)
        for command in (["list"], ["list", "--handler", "h-2"], ["deadlines", "--next", "3650d"]):
            ran = await redress(*command, "--json")
            assert ran.code == 0
            assert (reference in ran.out) is seen, (who, command)


async def test_they_keep_nothing_of_it_from_being_erased_and_decide_on_no_erasure_of_it(
    redress: CommandLine, reference: str, pool: "Pool"
) -> None:
    account = await pool.fetchval("select account from casefile.cases where reference = $1", reference)
    why = ("--reason", "they asked for it", "--as")
    asked = await redress("erase", "request", account, *why, "handler:h-2")
    erasure = asked.out.split(":")[0]
    for words in (
        ("hold", "place", account),
        ("hold", "release", reference),
        ("erase", "request", account),
        ("erase", "approve", erasure),
        ("erase", "decline", erasure),
    ):
        ran = await redress(*words, *why, "executive:h-1")  # REDRESS_ACTOR names nobody
        assert (ran.code != 0, f"nothing is kept of {words[-1] if words[0] == 'hold' else account}" in ran.err) == (
            True,
            True,
        ), (words, ran.err)
    assert (await redress("hold", "place", account, *why, "handler:h-2")).code == 0
    assert (await redress("erase", "decline", erasure, *why, "executive:e-1")).code == 0


async def test_a_sample_is_without_it_and_has_nobody_review_what_they_are_kept_out_of(
    redress: CommandLine, reference: str, pool: "Pool"
) -> None:
    closed = summary(1, stage=Stage.CLOSED, closed_at=after(60))
    await keeping(pool).record(update(reference, 1, events=(occurred(CaseEvent.CLOSED, 3, 60),), summary=closed))
    sample = ["report", "sample", f"{OPENED_AT:%Y-%m}", "--reviewers", "h-1", "--json"]
    for who, seen in (("handler:h-1", []), ("handler:h-9", [(reference, None)])):
        redress.set("REDRESS_ACTOR", who)
        drawn = (await redress(*sample)).data
        assert [(one["reference"], one["reviewer"]) for one in drawn["cases"]] == seen


async def test_in_a_sample_nobody_reviews_what_they_had_or_decided_on(
    redress: CommandLine, reference: str, pool: "Pool"
) -> None:
    closed = summary(1, stage=Stage.CLOSED, closed_at=after(60), handler="h-17")
    await keeping(pool).record(update(reference, 1, summary=closed, entries=decided(1, usd("12.30"))))
    redress.set("REDRESS_ACTOR", "handler:h-9")
    for reviewer, drawn in (("h-17", None), ("e-1", None), ("e-2", "e-2")):
        sample = ("report", "sample", f"{OPENED_AT:%Y-%m}", "--reviewers", reviewer, "--json")
        assert [one["reviewer"] for one in (await redress(*sample)).data["cases"]] == [drawn], reviewer


async def test_an_incident_tells_them_no_sums_by_its_workflow_either(
    redress: CommandLine, reference: str, pool: "Pool"
) -> None:
    await bad_minute(pool)
    await Desk(pool).open(new())
    await pool.execute("insert into casefile.incident_cases values ($1, $2, now())", reference, new().reference)
    redress.set("REDRESS_ACTOR", "handler:h-1")
    refused = await redress("incident", "progress", new().reference)
    assert (refused.code, IN_PART in refused.err) == (ExitCode.FAILED, True)
    redress.set("REDRESS_ACTOR", "handler:h-2")
    assert IN_PART not in (await redress("incident", "progress", new().reference)).err


async def test_the_record_says_who_was_kept_out_and_who_has_the_case_and_why(
    redress: CommandLine, reference: str
) -> None:
    ran = await redress("route", "explain", reference, "--json")
    assert ran.code == 0
    (one,) = ran.data["assignments"]
    assert (one["person"], one["reproduced"]) == ("h-2", True)
    assert {each["id"]: each["why_not"] for each in one["candidates"]} == {"h-2": None, "h-1": "kept out: named"}
    assert [(each["person"], each["why"]) for each in ran.data["recusals"]] == [("h-1", "named")]
    shown = await redress("route", "explain", reference)
    assert "Kept out: h-1 (named: complaint)" in shown.out


async def test_a_route_that_the_record_does_not_lead_to_is_told_with_exit_code_5(
    redress: CommandLine, reference: str, pool: "Pool"
) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        await connection.execute("update casefile.assignments set person = 'h-3'")
    assert (await redress("route", "explain", reference)).code == 5


async def test_a_conflict_that_is_declared_while_the_case_runs_hides_it_at_once_and_in_its_days_only(
    redress: CommandLine, reference: str, pool: "Pool"
) -> None:
    redress.set("REDRESS_ACTOR", "handler:h-2")
    assert (await redress("show", reference)).code == 0
    today = datetime.now(UTC).date()
    for first, last, code in ((today, None, 3), (today - timedelta(9), today - timedelta(1), 0), (today, today, 3)):
        conflict = {"account": "70012345", "first": first, "last": last, "why": "family"}
        await People(pool, signed).replace(directory(person("h-2", conflicts=[conflict])), by=LEAD)
        assert (await redress("show", reference)).code == code
