"""``redress instrument``: what a lot is, and its correction."""

import json
from typing import TYPE_CHECKING

import asyncpg

from tests.checks.rows import store
from tests.checks.test_investigating import INCIDENT
from tests.cli.command_line import CommandLine

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]


async def test_the_command_says_what_was_and_is_and_who_may(
    redress: CommandLine, database_url: str, pool: "Pool"
) -> None:
    redress.set("DATABASE_URL", database_url)
    await store(pool, *INCIDENT)
    asked = ("instrument", "correct", "XAUUSD", "--contract-size", "10", "--reason", "a mini contract")
    assert (await redress(*asked)).code == 2  # who acts is not said
    assert (await redress(*asked, "--as", "customer:c-1")).code == 2
    assert (await redress(*asked[:3], *asked[5:], "--as", "compliance_officer:c-1")).code == 2  # nothing to correct
    done = await redress(*asked, "--as", "compliance_officer:c-1", "--json")
    told = json.loads(done.out)["correction"]
    assert (told["old"]["contract_size"], told["new"]["contract_size"]) == ("100", "10")
    shown = await redress("instrument", "show", "XAUUSD")
    assert "a mini contract" in shown.out
