"""After a restore, from the command line: declare it, see what is in doubt, put it right."""

import json
from typing import TYPE_CHECKING

import asyncpg
import pytest

from runtime.embedded_postgres import EmbeddedPostgres
from runtime.keys.vault import Vault
from starter.cli.program import ExitCode
from tests.cli.command_line import CommandLine
from tests.cli.test_acting import a_complaint, at
from tests.recovery.fingerprint import TABLES, fingerprint

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]

OPERATOR = ("--as", "team_lead:o-1")
DECLARE = ("restore", "declare", "--store", "postgresql", "--since", "2026-03-02T01:00Z", "--reason", "the disk broke")

FOLLOWING = ("reporting.facts", "casefile.chain", "casefile.search_terms")
"""What the database writes by itself of what is written to the record, and loses with it."""


async def lose_everything(pool: "Pool") -> None:
    """As a replica, so that no trigger refuses it."""
    async with pool.acquire() as connection:
        await connection.execute("set session_replication_role = replica")
        for table in (*TABLES, *FOLLOWING):
            await connection.execute(f"delete from {table}")  # noqa: S608 (our own names)
        await connection.execute("reset session_replication_role")


async def it_is_told_that_its_key_is_gone(service: CommandLine, reference: str, postgres: EmbeddedPostgres) -> None:
    """And nothing else of the case is."""
    connection = await asyncpg.connect(postgres.url("keys"))
    await connection.execute("set session_replication_role = replica")
    kept = await connection.fetch("delete from keys.keys where scope = $1 returning *", reference)
    told = await service("reconcile", "--json")
    await connection.executemany("insert into keys.keys select ($1::keys.keys).*", [[row] for row in kept])
    await connection.close()
    [doubt] = told.data["doubts"]
    assert (doubt["reference"], doubt["why"]) == (reference, "key_lost")
    assert "the table of keys has no key 1 of it: bring back" in doubt["cannot"][0]


@pytest.mark.long
async def test_a_lost_case_is_listed_written_again_and_shown_with_the_restore(
    service: CommandLine, pool: "Pool", keys: Vault, postgres: EmbeddedPostgres
) -> None:
    submitted = await service("submit", "-", "--json", stdin=json.dumps(a_complaint()))
    reference = submitted.data["submitted"][0]["reference"]
    page = await at(service, reference, "deciding")
    assert (page["restores"], page["repairs"]) == ([], [])
    whole = await fingerprint(pool)
    await keys.destroy(["of-a-reconcile"], "ER-of-a-reconcile")
    agreed = await service("reconcile")
    assert await pool.fetchval("select step from casefile.erasures where erasure = 'ER-of-a-reconcile'") == "erased"
    assert "1 workflows agree with their files" in agreed.out
    await it_is_told_that_its_key_is_gone(service, reference, postgres)
    await lose_everything(pool)

    in_doubt = await service("reconcile", "--json")
    assert in_doubt.code == ExitCode.CHECK_FAILED
    (doubt,) = in_doubt.data["doubts"]
    assert (doubt["reference"], doubt["why"]) == (reference, "lost_from_the_file")
    assert "timeline:received" in doubt["keys"]
    assert (await service("show", reference)).code == ExitCode.NOT_FOUND  # nothing was changed

    undeclared = await service("reconcile", "--repair", *OPERATOR)
    assert undeclared.code == ExitCode.FAILED
    assert "redress restore declare" in undeclared.err

    assert (await service(*DECLARE, *OPERATOR)).code == 0
    assert "the disk broke" in " ".join((await service("restore", "list")).out.split())
    repaired = await service("reconcile", "--repair", "--json", *OPERATOR)
    assert repaired.data["doubts"][0]["cannot"] == []
    assert await fingerprint(pool) == whole
    page = (await service("show", reference, "--json")).data
    assert page["restores"][0]["declared_by"] == "team_lead:o-1"
    assert "case" in page["repairs"][0]["written"]
    assert "the disk broke" in (await service("show", reference)).out
    assert (await service("ledger", "check", "--json")).data["workflows_compared"] is True


async def test_an_open_case_whose_key_was_given_up_is_ended_by_somebody_and_in_doubt_no_more(
    service: CommandLine, pool: "Pool", postgres: EmbeddedPostgres
) -> None:
    submitted = await service("submit", "-", "--json", stdin=json.dumps(a_complaint()))
    reference = submitted.data["submitted"][0]["reference"]
    await at(service, reference, "deciding")
    end = ("reconcile", "--end", reference, "--reason", "Nobody has a copy of the table.", *OPERATOR)
    too_early = await service(*end)
    assert (too_early.code, "its key opens what is sealed" in too_early.err) == (ExitCode.FAILED, True)
    beside = await asyncpg.connect(postgres.url("keys"))
    await beside.execute("set session_replication_role = replica")
    kept = await beside.fetch("delete from keys.keys where scope = $1 returning *", reference)
    assert "the table of keys has no key 1" in (await service(*end)).err
    assert (await service("keys", "give-up", reference)).code == 0
    in_doubt = await service("reconcile", "--json")
    assert (in_doubt.code, in_doubt.data["doubts"][0]["repaired"]) == (ExitCode.CHECK_FAILED, [])
    assert "redress reconcile --end" in in_doubt.data["doubts"][0]["cannot"][0]
    assert (await service(*end[:-1], "customer:customer")).code == ExitCode.FAILED
    assert (await service(*end[:3], *OPERATOR)).code == ExitCode.INVALID, "it stands in the record, so with why"
    for _ in range(2):  # broken off, it is done again
        assert (await service(*end)).code == 0
    at_rest = await service("reconcile", "--json")
    assert (at_rest.code, at_rest.data["examined"]) == (0, 0)
    assert "was given up on" in at_rest.data["doubts"][0]["repaired"][0]
    page = (await service("show", reference, "--json")).data
    assert (page["case"]["summary"]["stage"], page["possible"]) == ("closed", [])
    (told,) = await pool.fetch("select actor, text from casefile.timeline where kind = 'ended'")
    assert (told["actor"], "Nobody has a copy of the table." in told["text"]) == ("team_lead:o-1", True)
    assert await pool.fetchval("select count(*) from casefile.events where event = 'closed'") == 1
    await beside.execute("delete from keys.keys where scope = $1", reference)
    await beside.executemany("insert into keys.keys select ($1::keys.keys).*", [[row] for row in kept])
    await beside.close()


async def test_a_restore_is_declared_by_staff_for_a_time_that_has_passed(service: CommandLine) -> None:
    for more, told in (
        (("--as", "customer:customer"), "--as: role customer may not declare a restore"),
        (("--until", "2026-03-01T00:00Z", *OPERATOR), "--since: it must lie before until"),
        (("--until", "2199-03-01T00:00Z", *OPERATOR), "--until: it lies in the future"),
    ):
        ran = await service(*DECLARE, *more)
        assert ran.code == ExitCode.INVALID
        assert told in ran.err
    assert "No restore was ever declared" in (await service("restore", "list")).out
