"""The workers of the version before are still running while a migration is applied: what they ask must go on."""

from pathlib import Path

import asyncpg
import pytest

from tests.statements import ROOT, refused, statements_before, statements_in, statements_now

NEWEST = max((ROOT / "migrations").glob("*.sql"))


async def test_every_statement_of_the_sources_fits_the_schema(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    statements = statements_now()
    assert len(statements) > 80
    async with pool.acquire() as connection:
        assert await refused(connection, statements) == []


async def test_the_statements_of_the_workers_before_the_newest_migration_fit_the_schema_after_it(
    pool: "asyncpg.Pool[asyncpg.Record]",
) -> None:
    statements = statements_before(NEWEST)
    if statements is None:
        pytest.skip("the history of the repository is not here")
    assert len(statements) > 80
    async with pool.acquire() as connection:
        assert await refused(connection, statements) == []


async def test_a_migration_that_takes_away_what_they_need_is_found(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    takes_away = {
        "alter table casefile.cases rename column stage to phase": 'column "stage" does not exist',
        "alter table casefile.timeline drop column kind cascade": 'column "kind" does not exist',
        "drop table casefile.letter_attempts cascade": 'relation "casefile.letter_attempts" does not exist',
        "alter table casefile.contacts add column shift text not null": "casefile.contacts wants shift",
    }
    async with pool.acquire() as connection:
        for migration in takes_away:
            await connection.execute(migration)
        found = "\n".join(await refused(connection, statements_now()))
    assert [told for told in takes_away.values() if told not in found] == []


def test_a_migration_that_no_commit_has_yet_is_tried_with_the_statements_of_the_last_commit() -> None:
    found = statements_before(Path(ROOT / "migrations" / "9999_not_there.sql"))
    assert found is None or len(found) > 80


def test_statements_are_the_whole_ones() -> None:
    source = 'A = "select 1 from casefile.cases"\nB = f"select {A} from casefile.cases"\nC = "where casefile.x"'
    assert list(statements_in(source)) == ["select 1 from casefile.cases"]
