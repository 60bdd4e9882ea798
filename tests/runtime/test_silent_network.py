"""A network that swallows packets, for however long: afterwards the same process works again by itself."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest
from temporalio.client import Client
from temporalio.service import KeepAliveConfig
from temporalio.testing import WorkflowEnvironment

import runtime.connection
import runtime.database
from domain.money.payment import RailState
from runtime.database import LONG_PATIENCE, close_pool, migrate, open_pool
from runtime.mail import Mailer, MailFailed
from runtime.payment_rail import HttpRail, RailFailed
from runtime.postgres import DatabaseUnavailable
from runtime.temporal import connect_to
from tests.conftest import Mailbox
from tests.money.rail import open_rail
from tests.runtime.black_hole import Network, network

PATIENCE = 0.6  # seconds; the limits of the server follow from it


@pytest.fixture
async def between(database_url: str) -> AsyncIterator[Network]:
    folder = parse_qs(urlsplit(database_url).query)["host"][0]
    async with network(Path(folder) / ".s.PGSQL.5432") as found:
        yield found


@pytest.fixture
def url(between: Network, database_url: str) -> str:
    return f"postgresql://postgres@127.0.0.1:{between.port}{urlsplit(database_url).path}"


async def attempt(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    """Change the one row, as an activity would that is tried again."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("update counted set n = n + 1")


async def again_and_again(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    while True:
        try:
            return await attempt(pool)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await asyncio.sleep(0.05)


async def test_after_silence_a_pool_whose_connections_were_all_in_use_works_again(between: Network, url: str) -> None:
    pool = await open_pool(url, max_size=3, patience=PATIENCE)
    await pool.execute("create table counted as select 0 as n")
    holds_the_row = asyncio.Event()

    async def in_the_middle() -> None:
        with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute("update counted set n = n + 1")
                holds_the_row.set()
                await asyncio.sleep(0.2)
                await connection.execute("select 1")

    async def waiting() -> None:
        with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await pool.execute("select pg_sleep(100)")

    async with asyncio.timeout(50), asyncio.TaskGroup() as group:
        group.create_task(in_the_middle())
        group.create_task(waiting())
        await holds_the_row.wait()
        between.swallow()
        tried = [group.create_task(again_and_again(pool)) for _ in range(5)]
        await asyncio.sleep(3 * PATIENCE)  # everything in hand meets the silence, at any point
        between.heal()
        await asyncio.gather(*tried)
    assert await pool.fetchval("select n from counted") == 5
    await close_pool(pool)


async def test_a_pool_is_closed_although_nothing_comes_back(
    between: Network, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime.database, "_CLOSING", 0.2)
    pool = await open_pool(url, min_size=2, patience=LONG_PATIENCE)
    stuck = asyncio.create_task(pool.execute("select pg_sleep(100)"))
    await asyncio.sleep(0.1)
    between.swallow()
    async with asyncio.timeout(30):
        await close_pool(pool)
        with pytest.raises((asyncpg.InterfaceError, asyncpg.PostgresError, OSError)):
            await stuck


async def test_a_migration_over_a_silent_network_is_given_up(
    between: Network, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime.database, "PATIENCE", 0.3)
    monkeypatch.setattr(runtime.database, "CONNECT_TIMEOUT", 0.3)
    between.swallow()
    async with asyncio.timeout(30):
        with pytest.raises(DatabaseUnavailable, match="does not answer within"):
            await migrate(url)


async def test_what_may_take_long_is_not_cut_off(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime.database, "PATIENCE", 2)  # seconds; what is not allowed more has that
    (tmp_path / "0001_slow.sql").write_text("select pg_sleep(2.5)")
    connection = await asyncpg.connect(database_url)
    await connection.execute("drop table redress_migrations")
    await connection.close()
    assert await migrate(database_url, folder=tmp_path) == ["0001_slow.sql"]
    patient = await open_pool(database_url, patience=LONG_PATIENCE)
    await patient.execute("select pg_sleep(0.5)")
    await patient.close()
    hasty = await open_pool(database_url, patience=0.1)
    await hasty.execute("select pg_sleep(0.5)", timeout=30)
    with pytest.raises(TimeoutError):
        await hasty.execute("select pg_sleep(0.5)")
    await hasty.close()


async def test_the_operating_system_and_the_server_watch_over_connections_that_wait(between: Network, url: str) -> None:
    pool = await open_pool(url, max_size=1)
    async with pool.acquire() as connection:
        line = connection._con._transport.get_extra_info("socket")  # type: ignore[attr-defined]
        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        idle, between_probes, probes, unacknowledged = (
            line.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
        )
        assert idle + between_probes * probes <= 30
        assert unacknowledged <= 30_000
        for setting in ("idle_in_transaction_session_timeout", "idle_session_timeout"):
            allowed = await connection.fetchval("select setting::integer from pg_settings where name = $1", setting)
            assert 0 < allowed <= 60_000, setting
    await pool.close()


async def test_after_silence_a_temporal_client_works_again(
    dev_server_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, _, port = dev_server_env.client.service_client.config.target_host.partition(":")
    monkeypatch.setattr(runtime.connection, "KEEP_ALIVE", KeepAliveConfig(interval_millis=500, timeout_millis=500))
    async with network((host, int(port))) as between:
        client = await connect_to({"target_host": f"127.0.0.1:{between.port}"})
        between.swallow()
        waiting = [asyncio.create_task(counted(client)) for _ in range(3)]
        await asyncio.sleep(1.5)
        between.heal()
        async with asyncio.timeout(30):
            await asyncio.gather(*waiting)
            await counted(client)


async def counted(client: Client) -> None:
    await client.count_workflows()


async def test_after_silence_letters_and_payments_go_out_again(mailbox: Mailbox) -> None:
    """Each has a connection of its own, and gives it up within its time limit."""
    async with (
        open_rail() as rail,
        network(("127.0.0.1", rail.port)) as to_rail,
        network((mailbox.host, mailbox.port)) as to_mail,
    ):
        settings = rail.settings(
            payment_url=f"http://127.0.0.1:{to_rail.port}/v1",
            payment_timeout=0.5,
            smtp_host="127.0.0.1",
            smtp_port=to_mail.port,
            smtp_tls="none",
            smtp_timeout=0.5,
        )
        mailer, http = Mailer(settings), HttpRail(settings)
        for between in (to_mail, to_rail):
            between.swallow()
        async with asyncio.timeout(30):
            with pytest.raises(MailFailed):
                await mailer.send(letter())
            with pytest.raises(RailFailed) as failed:
                await http.ask("k:1")
        assert not failed.value.unsent
        for between in (to_mail, to_rail):
            between.heal()
        async with asyncio.timeout(30):
            await mailer.send(letter())
            assert (await http.ask("k:1")).state is RailState.UNKNOWN
    assert len(mailbox.messages) == 1


def letter() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", "b@example.com", "Your complaint"
    message.set_content("It is being looked into.")
    return message
