"""Each database role may do what it is for, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from runtime.database import MigrationError, migrate, open_pool
from runtime.roles import READER, TRADES, WRITER
from tests.case.support import keeping, opened

REFUSED = asyncpg.InsufficientPrivilegeError


@asynccontextmanager
async def connected(url: str, role: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(url.replace("postgres@", f"{role}@"))
    try:
        yield connection
    finally:
        await connection.close()


async def test_a_writer_adds_to_the_record_and_can_change_nothing_that_stands_there(
    database_url: str, tmp_path: Path
) -> None:
    as_writer = database_url.replace("postgres@", f"{WRITER}@")
    pool = await open_pool(as_writer, max_size=1)
    reference = await opened(keeping(pool))
    await pool.close()
    async with connected(database_url, WRITER) as writer:
        await writer.execute(
            "insert into casefile.recusals (reference, person, why, about, at) values ($1, 'x', 'named', 'y', now())",
            reference,
        )
        assert await writer.fetchval("select count(*) from casefile.chain where place = 'casefile.recusals'") == 1
        await writer.execute("update casefile.cases set revision = revision + 1, stage = 'investigating'")
        for statement in (
            "update casefile.timeline set text = 'Other.'",
            "delete from casefile.timeline",
            "truncate casefile.timeline",
            "delete from casefile.cases",
            "update casefile.postings set amount = 1",
            "insert into casefile.chain select * from casefile.chain",
            "delete from casefile.chain_checkpoints",
            "alter table casefile.timeline disable trigger all",
            "set session_replication_role = replica",
            "create table casefile.own ()",
            "drop table casefile.timeline",
            "delete from public.redress_migrations",
        ):
            with pytest.raises(REFUSED):
                await writer.execute(statement)
    assert await migrate(as_writer) == []  # as a worker does at its start
    (tmp_path / "0001_new.sql").write_text("alter table casefile.timeline add column new text;")
    with pytest.raises(MigrationError, match=r"0001_new\.sql is missing, .* `redress migrate` as the owner"):
        await migrate(as_writer, folder=tmp_path)


async def test_a_writer_takes_nothing_away_that_waits_to_be_dealt_with(database_url: str) -> None:
    """What came in is dealt with, or stands there with its ending."""
    async with connected(database_url, WRITER) as writer:
        for key in ("k", "other"):
            await writer.execute(
                "insert into intake.received (key, door, kind, received_at, envelope, raw)"
                " values ($1, 'api', 'note', now(), '{}', '')",
                key,
            )
        await writer.execute("insert into intake.waiting (key, next_at) values ('k', now())")
        for statement in (
            "delete from intake.waiting",
            "update intake.waiting set next_at = now() + interval '1 year'",
            "update intake.waiting set next_at = 'infinity'",
            "update intake.waiting set key = 'other'",
        ):
            with pytest.raises(asyncpg.RestrictViolationError):
                await writer.execute(statement)
        with pytest.raises(REFUSED):
            await writer.execute("truncate intake.waiting")
        await writer.execute("update intake.waiting set next_at = now() + interval '30 seconds', tries = tries + 1")
        assert await writer.fetchval("select count(*) from intake.waiting") == 1


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        (READER, "select * from reporting.facts", ["select * from casefile.timeline", "select * from tradelog.quotes"]),
        (TRADES, "select * from tradelog.quotes", ["select * from casefile.timeline", "select * from reporting.facts"]),
    ],
)
async def test_a_reader_reads_what_it_is_for(database_url: str, role: str, may: str, may_not: list[str]) -> None:
    async with connected(database_url, role) as reader:
        await reader.fetch(may)
        for statement in [*may_not, "delete from tradelog.quotes", "insert into reporting.facts default values"]:
            with pytest.raises(REFUSED):
                await reader.execute(statement)


AS_THE_OWNER = """
    select p.oid::regprocedure::text as name, coalesce(proconfig, '{}') as settings, has_function_privilege($1, p.oid,
        'execute') as may_call, prosecdef as as_owner, prorettype = 'trigger'::regtype as triggered
    from pg_proc p join pg_namespace n on n.oid = pronamespace
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
        and (prosecdef or exists (select from unnest(proconfig) as one where one like 'search_path=%'))
    order by 1
"""


async def test_a_function_that_runs_as_the_owner_takes_nothing_of_who_calls_it(database_url: str) -> None:
    async with connected(database_url, "postgres") as owner:
        found = {role: await owner.fetch(AS_THE_OWNER, role) for role in (WRITER, READER, TRADES)}
    assert {row["name"] for row in found[WRITER] if row["as_owner"]} == {"casefile.chain_rows()", "reporting.settled()"}
    for row in found[WRITER]:
        assert "search_path=pg_catalog, pg_temp" in row["settings"], row["name"]
        assert not row["as_owner"] or row["may_call"] is not row["triggered"], row["name"]
    assert not [row["name"] for role in (READER, TRADES) for row in found[role] if row["as_owner"] and row["may_call"]]


async def test_nobody_becomes_the_owner_by_a_type_of_their_own(database_url: str) -> None:
    """What a trigger declares as ``text`` is PostgreSQL's, also where a session has made another."""
    pool = await open_pool(database_url.replace("postgres@", f"{WRITER}@"), max_size=1)
    reference = await opened(keeping(pool))
    await pool.close()
    async with connected(database_url, WRITER) as writer:
        await writer.execute("""
            create temporary table ran (as_whom name);
            grant insert on ran to public;
            create function pg_temp.run(value pg_catalog.text) returns boolean language plpgsql as
                $$ begin insert into pg_temp.ran values (current_user); return true; end $$;
            create domain pg_temp.text as pg_catalog.text check (pg_temp.run(value));
        """)
        await writer.execute(
            "insert into casefile.recusals (reference, person, why, about, at) values ($1, 'x', 'named', 'y', now())",
            reference,
        )
        await writer.execute("select reporting.settled()")
        assert {row["as_whom"] for row in await writer.fetch("select * from pg_temp.ran")} <= {WRITER}


async def test_nobody_chains_a_table_of_their_own(database_url: str) -> None:
    async with connected(database_url, WRITER) as writer:
        await writer.execute("create temporary table own (reference text, key text)")
        with pytest.raises(REFUSED, match=r"for function casefile\.chain_rows"):
            await writer.execute("""
                create trigger chained after insert on own referencing new table as added for each statement
                execute function casefile.chain_rows('reference', 'key', '')
            """)
