import asyncio
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest

import runtime.database
from runtime.database import MigrationError, migrate, open_pool, without_password
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.postgres import DatabaseUnavailable, find_database
from runtime.settings import load_settings
from tests.runtime.support import free_port


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_first.sql").write_text("create table first (id int); insert into first values (1);\n")
    (tmp_path / "0002_second.sql").write_text("create table second (id int);\n")
    return tmp_path


async def test_migrations_are_applied_in_order_and_once(empty_database_url: str, folder: Path) -> None:
    assert await migrate(empty_database_url, folder=folder) == ["0001_first.sql", "0002_second.sql"]
    assert await migrate(empty_database_url, folder=folder) == []
    (folder / "0003_third.sql").write_text("alter table second add column name text;\n")
    assert await migrate(empty_database_url, folder=folder) == ["0003_third.sql"]


async def test_several_processes_may_migrate_at_once(empty_database_url: str, folder: Path) -> None:
    applied = await asyncio.gather(*(migrate(empty_database_url, folder=folder) for _ in range(8)))
    assert sorted(name for names in applied for name in names) == ["0001_first.sql", "0002_second.sql"]
    connection = await asyncpg.connect(empty_database_url)
    assert await connection.fetchval("select count(*) from first") == 1
    await connection.close()


async def test_a_file_changed_after_it_was_applied_is_refused(empty_database_url: str, folder: Path) -> None:
    await migrate(empty_database_url, folder=folder)
    (folder / "0001_first.sql").write_text("create table first (id bigint);\n")
    with pytest.raises(MigrationError, match=r"0001_first\.sql was changed .* new file"):
        await migrate(empty_database_url, folder=folder)


async def test_other_line_ends_are_no_change(empty_database_url: str, folder: Path) -> None:
    await migrate(empty_database_url, folder=folder)
    for name in ("0001_first.sql", "0002_second.sql"):
        (folder / name).write_bytes((folder / name).read_bytes().replace(b"\n", b"\r\n"))
    assert await migrate(empty_database_url, folder=folder) == []


async def test_of_a_file_that_fails_nothing_is_kept_and_the_next_try_goes_on(
    empty_database_url: str, folder: Path
) -> None:
    (folder / "0002_second.sql").write_text("create table second (id int); select no_such_thing();\n")
    with pytest.raises(MigrationError, match=r"0002_second\.sql failed.*no_such_thing"):
        await migrate(empty_database_url, folder=folder)
    (folder / "0002_second.sql").write_text("create table second (id int);\n")
    assert await migrate(empty_database_url, folder=folder) == ["0002_second.sql"]


@pytest.mark.parametrize("name", ["second.sql", "2_second.sql", "0002-second.sql"])
async def test_a_file_without_a_proper_name_is_refused(empty_database_url: str, folder: Path, name: str) -> None:
    (folder / name).write_text("select 1;")
    with pytest.raises(MigrationError, match=r"0001_name\.sql"):
        await migrate(empty_database_url, folder=folder)


async def test_two_files_with_one_number_are_refused(empty_database_url: str, folder: Path) -> None:
    (folder / "0002_other.sql").write_text("select 1;")
    with pytest.raises(MigrationError, match=r"0002_other\.sql and 0002_second\.sql"):
        await migrate(empty_database_url, folder=folder)


async def test_a_role_that_may_create_nothing_finds_an_up_to_date_schema_in_order(
    postgres: EmbeddedPostgres, empty_database_url: str, folder: Path
) -> None:
    await migrate(empty_database_url, folder=folder)
    owner = await asyncpg.connect(empty_database_url)
    await owner.execute("drop role if exists modest; create role modest login;")
    await owner.execute("grant select on public.redress_migrations to modest")
    try:
        assert await migrate(empty_database_url.replace("//postgres@", "//modest@"), folder=folder) == []
    finally:
        await owner.execute("drop owned by modest; drop role modest")
        await owner.close()


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"投诉": ["😀", None, True, 3]}, {"投诉": ["😀", None, True, 3]}),
        ({"amount": Decimal("1234567890.10")}, {"amount": "1234567890.10"}),
        (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "2026-01-02T03:04:00Z"),
    ],
)
async def test_json_goes_in_and_out_as_python(pool: "asyncpg.Pool[asyncpg.Record]", given: Any, read: Any) -> None:
    assert await pool.fetchval("select $1::jsonb", given) == read
    assert await pool.fetchval("select $1::json", given) == read


async def test_a_json_number_with_a_fraction_never_becomes_a_float(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    amount = await pool.fetchval("""select '{"amount": 0.10}'::jsonb""")
    assert amount == {"amount": Decimal("0.10")}
    assert isinstance(amount["amount"], Decimal)


@pytest.mark.parametrize("how", ["execute", "fetchval"])
async def test_what_was_left_to_a_session_is_gone_when_its_connection_comes_back(database_url: str, how: str) -> None:
    pool = await open_pool(database_url, max_size=1)
    async with pool.acquire() as connection:
        await getattr(connection, how)("select set_config('redress.viewer', 'h-1', false)")
        await getattr(connection, how)("select pg_advisory_lock(1)")
    async with pool.acquire() as connection:
        assert not await connection.fetchval("select current_setting('redress.viewer', true)")
        assert await connection.fetchval("select count(*) from pg_locks where locktype = 'advisory'") == 0
        assert connection.get_reset_query() == ""
    await pool.close()


async def test_instants_are_in_utc_whatever_the_server_thinks(database_url: str) -> None:
    administrator = await asyncpg.connect(database_url)
    name = await administrator.fetchval("select current_database()")
    await administrator.execute(f"alter database {name} set timezone to 'Asia/Shanghai'")
    await administrator.close()
    pool = await open_pool(database_url)
    assert await pool.fetchval("select (timestamptz '2026-01-01 08:00+08')::text") == "2026-01-01 00:00:00+00"
    instant = await pool.fetchval("select timestamptz '2026-01-01 08:00+08'")
    assert (instant, instant.utcoffset()) == (datetime(2026, 1, 1, tzinfo=UTC), timedelta(0))
    await pool.close()


@pytest.fixture
def mute_server() -> Iterator[int]:
    """The port of somebody who picks up and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


async def test_without_a_server_host_and_database_are_named_and_the_password_is_not() -> None:
    port = free_port()
    for attempt in (open_pool, migrate):
        with pytest.raises(DatabaseUnavailable) as refused:
            await attempt(f"postgresql://redress:hush@127.0.0.1:{port}/complaints")
        assert f"127.0.0.1:{port}" in str(refused.value)
        assert "'complaints'" in str(refused.value)
        assert "DATABASE_URL" in str(refused.value)
        assert "hush" not in str(refused.value)


async def test_a_server_that_does_not_speak_is_given_up_soon(mute_server: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime.database, "CONNECT_TIMEOUT", 0.3)
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailable, match="does not answer within"):
        await open_pool(f"postgresql://redress@127.0.0.1:{mute_server}/complaints")
    assert time.monotonic() - began < 10


async def test_a_missing_database_is_told_from_a_missing_server(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(DatabaseUnavailable, match=r"there is no database 'nowhere'.*createdb nowhere"):
        await open_pool(postgres.url("nowhere"))


async def test_a_role_that_does_not_exist_is_told_from_a_missing_server(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(DatabaseUnavailable, match="user or password"):
        await open_pool(postgres.url().replace("//postgres@", "//stranger@"))


@pytest.mark.parametrize(
    "url", ["postgresql://redress:hu#sh@db.example.com:5432/x", "postgresql://redress:hu/sh@db.example.com/x"]
)
async def test_an_unreadable_url_is_not_quoted(url: str) -> None:
    with pytest.raises(DatabaseUnavailable) as refused:
        await open_pool(url)
    assert "percent-encoded" in str(refused.value)
    assert "hu" not in str(refused.value)


def test_the_database_of_the_settings_is_used_and_without_one_the_ways_out_are_told(tmp_path: Path) -> None:
    url = "postgresql://redress@db.example.com/redress"
    assert find_database(load_settings(database_url=url)) == url
    with pytest.raises(DatabaseUnavailable, match=r"DATABASE_URL.*redress up"):
        find_database(load_settings(state_dir=tmp_path))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://redress:hush@db.example.com:5432/x", "postgresql://redress@db.example.com:5432/x"),
        ("postgresql://postgres@/x?host=/run/postgres", "postgresql://postgres@/x?host=/run/postgres"),
        ("postgresql://db.example.com/x", "postgresql://db.example.com/x"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(url) == shown
