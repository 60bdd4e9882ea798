"""Mail handed over by a real LMTP client is there exactly once, wherever the process that takes it in is killed."""

import asyncio
import contextlib
import os
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from channels.lmtp import lmtp
from runtime.database import Pool
from runtime.ports import any_free_port
from starter.reading.intake import content_of, list_incoming
from tests.channels.messages.making import VOICES, mail
from tests.patience import eventually

ROOT = Path(__file__).resolve().parents[2]


def hand_over(port: int, raw: bytes, *others: str) -> list[int]:
    """Hand *raw* over as a mail server does; the answers for the *others* it is for. Raises what goes wrong."""
    with smtplib.LMTP("127.0.0.1", port, timeout=20) as client:
        client.sendmail("anna@example.org", ["complaints@firm.example", *others], raw)
        return [client.getreply()[0] for _ in others]  # by the client's own word one answer is enough


@contextlib.contextmanager
def process(database_url: str, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {**os.environ, "DATABASE_URL": database_url, "REDRESS_LMTP_ADDRESS": f"127.0.0.1:{port}"}
    with subprocess.Popen([sys.executable, "-m", "channels"], cwd=ROOT, env=environment) as running:
        try:
            yield running
        finally:
            running.kill()


async def test_a_process_killed_before_the_commit_has_accepted_nothing_and_after_it_nothing_twice(
    pool: Pool, database_url: str
) -> None:
    raw, port = mail(VOICES[1], None, "Received: from x") + b"\r\n", any_free_port()

    async def listens() -> bool:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return True
        return False

    async with pool.acquire() as connection:
        with process(database_url, port) as running:
            await eventually(listens)
            async with connection.transaction():
                await connection.execute("lock table intake.received in exclusive mode")
                handed = asyncio.create_task(asyncio.to_thread(hand_over, port, raw))
                await eventually(lambda: _is_waited_for(pool))
                running.kill()
                with pytest.raises((smtplib.SMTPException, OSError)):
                    await handed
    async with lmtp(pool, "127.0.0.1:0") as port:
        assert await asyncio.to_thread(hand_over, port, raw, "support@firm.example") == [250]
        # An answer that was lost: the server tries again, perhaps by another way.
        assert await asyncio.to_thread(hand_over, port, raw.replace(b"from x", b"from y")) == []
        second = raw.replace(b"10:00:00", b"11:00:00")
        assert await asyncio.to_thread(hand_over, port, second) == []
    kept = await list_incoming(pool)
    assert len(kept) == 2
    contents = [await content_of(pool, one.key) for one in kept]
    assert [content.removeprefix(b"Return-Path: <anna@example.org>\r\n") for content in contents] == [raw, second]


async def _is_waited_for(pool: Pool) -> bool:
    return bool(await pool.fetchval("select exists (select from pg_locks where not granted)"))
