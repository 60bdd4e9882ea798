"""Keys for services that use the API, and where services are told what happened."""

import json
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from domain.ground.people import Actor
from domain.ground.words import Role
from runtime.database import Pool, open_pool
from runtime.roles import WRITER
from starter.upkeep.api_keys import Scope, find_key, make_key, revoke_key
from starter.upkeep.subscriptions import TOLD, NewSubscription, end_subscription, subscribe
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


async def test_whoever_writes_to_the_database_makes_no_key_and_widens_none(pool: Pool) -> None:
    now = datetime.now(UTC)
    by = Actor(id="l-1", role=Role.TEAM_LEAD)
    made = await make_key(pool, "crm", [Scope.SUBMIT], by=by, at=now, ends_at=now + timedelta(days=1))
    for column, value in (
        ("scopes", "'{submit,every_source}'"),
        ("service", "'other'"),
        ("ends_at", "null"),
        ("digest", "sha256('rdk_x'::bytea)"),
    ):
        assert await find_key(pool, made.secret, now)
        statement = f"update web.api_keys set {column} = {value}"  # noqa: S608 (they stand above)
        with pytest.raises(asyncpg.RestrictViolationError):
            await pool.execute(statement)
        async with pool.acquire() as connection:  # as who owns the database could
            await connection.execute("set session_replication_role = replica")
            await connection.execute(statement)
            assert await find_key(pool, made.secret, now) is None, column
            await connection.execute("delete from web.api_keys")
            await connection.execute("set session_replication_role = origin")
        made = await make_key(pool, "crm", [Scope.SUBMIT], by=by, at=now, ends_at=now + timedelta(days=1))


async def test_whoever_writes_to_the_database_gives_nothing_that_ended_its_life_back(
    pool: Pool, database_url: str
) -> None:
    now, by = datetime.now(UTC), Actor(id="l-1", role=Role.TEAM_LEAD)
    writer = await open_pool(database_url.replace("postgres@", f"{WRITER}@"), max_size=1)
    made = await make_key(writer, "crm", [Scope.SUBMIT], by=by, at=now)
    told = NewSubscription(url="https://crm.example.com/hook")
    subscribed = (await subscribe(writer, "crm", told, by=by, at=now, inside={"crm.example.com"})).subscription.id
    before = await pool.fetchrow("select * from web.api_keys")
    await revoke_key(writer, made.key.id, by=by, at=now)
    await end_subscription(writer, subscribed, by=str(by), at=now)
    try:
        for statement, refused in (
            ("update web.api_keys set revoked_at = null", asyncpg.RestrictViolationError),
            ("update web.api_keys set revoked_at = now() + interval '1 year'", asyncpg.RestrictViolationError),
            ("update web.api_keys set id = 'x'", asyncpg.RestrictViolationError),
            ("delete from web.api_keys", asyncpg.InsufficientPrivilegeError),
            ("truncate web.api_keys", asyncpg.InsufficientPrivilegeError),
            ("insert into web.api_keys select ($1::web.api_keys).*", asyncpg.UniqueViolationError),
            ("alter table web.api_keys disable trigger ends_once", asyncpg.InsufficientPrivilegeError),
            ("update web.subscriptions set ended_at = null, ended_by = null", asyncpg.RestrictViolationError),
            ("update web.subscriptions set url = 'https://example.org'", asyncpg.RestrictViolationError),
            ("delete from web.subscriptions", asyncpg.InsufficientPrivilegeError),
        ):
            with pytest.raises(refused):
                await writer.execute(statement, *([before] if "$1" in statement else []))
        assert await find_key(pool, made.secret, now) is None
    finally:
        await writer.close()


async def test_a_subscription_is_listed_rotated_and_ended_and_the_doctor_tells_when_it_fails(
    redress: CommandLine, pool: Pool, database_url: str
) -> None:
    redress.set("DATABASE_URL", database_url)
    redress.set("REDRESS_WEBHOOK_HOSTS", "crm.example.com,x.example")
    lead, hook = ("--as", "team_lead:l-1"), ("api", "webhook")
    made = (await redress(*hook, "add", "crm", "https://crm.example.com", "--event", "closed", *lead, "--json")).data
    assert made["events"] == ["closed"]
    rotated = (await redress(*hook, "rotate", made["id"], "--json")).data
    assert rotated["secret"] != made["secret"]
    assert (await redress(*hook, "again", made["id"], "--json")).data["waiting"] == 0
    (listed,) = (await redress(*hook, "list", "--json")).data
    assert (listed["url"], "secret" in listed) == ("https://crm.example.com", False)
    await pool.execute("update web.subscriptions set failing_since = now() - interval '2 hours', failing = 'x'")
    assert made["id"] in (await redress("doctor")).out
    assert (await redress(*hook, "end", made["id"], *lead, "--json")).data["ended_by"] == "team_lead:l-1"
    for wrong, says in (
        (("end", made["id"], *lead), "no subscription"),
        (("add", "crm", "ftp://x", *lead), "URL"),
        (("add", "crm", "https://127.0.0.1/hooks", *lead), "URL: it leads inside a network"),
        (("add", "a@b", "https://x.example", *lead), "SERVICE"),
        (("add", "crm", "https://x.example", "--event", "x", *lead), TOLD[-1]),
    ):
        assert says in (await redress(*hook, *wrong)).err, wrong
