"""What the migrations made to guard the record is there and acts, or the doctor says which is not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg
import pytest

from runtime.embedded_postgres import EmbeddedPostgres
from starter.upkeep.diagnosis import Kind
from starter.upkeep.guards import GUARDS, LIST, missing_guards

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]


async def test_the_list_of_guards_is_what_the_migrations_make(pool: "Pool", request: pytest.FixtureRequest) -> None:
    made = sorted(f"{row['guard']} {row['made']}" for row in await pool.fetch(GUARDS) if not row["amiss"])
    if request.config.getoption("--write-guards"):
        LIST.write_text("\n".join(made) + "\n", encoding="utf-8")
    assert made == LIST.read_text(encoding="utf-8").splitlines(), "write it anew: pytest FILE --write-guards"


async def test_whatever_chains_and_keeps_the_record_is_a_guard(pool: "Pool") -> None:
    guards = {row["guard"] for row in await pool.fetch(GUARDS) if not row["amiss"]}
    chained = [row["place"] for row in await pool.fetch("select place from casefile.chained")]
    assert chained
    assert guards >= {f"{place} trigger chained" for place in chained}
    kept = {f"{place} redress_writer may not {what}" for place in chained for what in ("delete", "truncate")}
    assert guards >= kept - {"casefile.deadlines redress_writer may not delete"}
    assert guards >= {f"casefile.chain redress_writer may not {what}" for what in ("insert", "update", "delete")}


@asynccontextmanager
async def _owner_of(pool: "Pool", postgres: EmbeddedPostgres) -> AsyncIterator[asyncpg.Connection]:
    owner = await asyncpg.connect(postgres.url(await pool.fetchval("select current_database()")))
    try:
        yield owner
    finally:
        await owner.close()


WAYS = {
    "alter table casefile.letters drop constraint sealed_for": (
        "casefile.letters constraint sealed_for",
        "it is not there",
    ),
    "alter table casefile.timeline disable trigger chained": ("casefile.timeline trigger chained", "it is disabled"),
    "alter table casefile.timeline enable replica trigger append_only": (
        "casefile.timeline trigger append_only",
        "it is disabled",
    ),
    "create or replace function casefile.refuse_change() returns trigger language plpgsql as 'begin return new; end'": (
        "casefile.refuse_change() function",
        "it is not as its migration made it",
    ),
    "create or replace function casefile.sealed_for(place text, named text, value text) returns boolean"
    " language sql immutable parallel safe return true": (
        "casefile.sealed_for(place text, named text, value text) function",
        "it is not as its migration made it",
    ),
    "drop index casefile.letter_accepted_once": (
        "casefile.letter_attempts index letter_accepted_once",
        "it is not there",
    ),
    "grant update (text) on casefile.timeline to redress_writer": (
        "casefile.timeline redress_writer may not update",
        "it was granted",
    ),
    "grant delete on casefile.letters to public": ("casefile.letters redress_writer may not delete", "it was granted"),
    "create rule quiet as on insert to casefile.timeline do instead nothing": (
        "casefile.timeline rule quiet",
        "no migration made it",
    ),
    "create trigger another before insert on casefile.timeline"
    " for each row execute function casefile.refuse_change()": (
        "casefile.timeline trigger another",
        "no migration made it",
    ),
}


@pytest.mark.parametrize("way", WAYS)
async def test_what_an_owner_takes_from_the_guards_is_told_by_name(
    way: str, pool: "Pool", postgres: EmbeddedPostgres
) -> None:
    assert await missing_guards(pool) == [], "a database as it was migrated has all"
    async with _owner_of(pool, postgres) as owner:
        await owner.execute(way)
    told = [(one.kind, one.subject, one.what) for one in await missing_guards(pool)]
    assert told == [(Kind.GUARD_MISSING, *WAYS[way])]
