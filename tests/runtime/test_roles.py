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
