"""Keys for services that use the API."""

import json
from datetime import UTC, datetime

from runtime.database import Pool
from starter.upkeep.api_keys import find_key
from tests.cli.command_line import CommandLine


async def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(
    redress: CommandLine, pool: Pool, database_url: str
) -> None:
    redress.set("DATABASE_URL", database_url)
    lead = ("--as", "team_lead:l-1")
    made = json.loads((await redress("api", "key", "add", "crm", "--scope", "read", *lead, "--json")).out)
    assert await find_key(pool, made["secret"], datetime.now(UTC))
    listed = (await redress("api", "key", "list", "--json")).out
    assert made["id"] in listed
    assert made["secret"] not in listed
    assert (await redress("api", "key", "revoke", made["id"], *lead)).code == 0
    assert await find_key(pool, made["secret"], datetime.now(UTC)) is None
    for wrong, says in (
        (("revoke", made["id"], *lead), "no key"),
        (("add", "crm", "--scope", "all", *lead), "--scope: there is no all"),
        (("add", "a@b", "--scope", "read", *lead), "SERVICE"),
        (("add", "crm", "--scope", "read"), "--as"),
    ):
        ran = await redress("api", "key", *wrong)
        assert says in ran.err, wrong
