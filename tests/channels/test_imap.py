"""Mail fetched from a mailbox is there exactly once, wherever the process that fetches it is killed."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from channels.imap import Mailbox, MailboxUnavailable, fetch_new, mailbox_at
from channels.lmtp import lmtp
from channels.taking import take_in
from domain.mail.parts import essence
from runtime.database import Pool
from runtime.settings import ConfigurationError, load_settings
from starter.reading.intake import content_of, list_incoming
from tests.channels.imap_server import Folder, serving
from tests.channels.messages import TABLE
from tests.channels.messages.making import VOICES, mail
from tests.channels.test_lmtp import hand_over
from tests.patience import eventually

ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def killed_after(environment: dict[str, str]) -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-m", "channels"], cwd=ROOT, env=environment) as running:
        try:
            yield
        finally:
            running.kill()


def written(number: int) -> bytes:
    return mail(VOICES[0], f"Letter number {number}: my withdrawal is missing.") + b"\r\n"


async def kept(pool: Pool) -> list[bytes]:
    return sorted([await content_of(pool, one.key) for one in await list_incoming(pool)])


@pytest.mark.parametrize("table", ["intake.received", "intake.mailboxes"])
async def test_a_process_killed_before_or_after_the_commit_loses_nothing_and_doubles_nothing(
    pool: Pool, database_url: str, table: str
) -> None:
    folder = Folder({3: written(1), 9: written(2)})
    async with serving(folder) as port:
        environment = {
            **os.environ,
            "DATABASE_URL": database_url,
            "REDRESS_IMAP_URL": f"imap://complaints%40firm.example@127.0.0.1:{port}",
            "REDRESS_IMAP_PASSWORD": folder.password,
        }
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(f"lock table {table} in exclusive mode")
            with killed_after(environment):

                async def waits() -> bool:
                    return bool(await pool.fetchval("select exists (select from pg_locks where not granted)"))

                await eventually(waits)
        mailbox = mailbox_at(environment["REDRESS_IMAP_URL"])
        assert await fetch_new(pool, mailbox, folder.password) == 2
        assert await kept(pool) == [written(1), written(2)]
        assert await pool.fetchval("select uid from intake.mailboxes") == 9
        assert not [one for one in folder.asked if "STORE" in one or one.startswith("SELECT")]


async def test_mail_was_received_when_it_came_to_the_mailbox_however_late_it_is_fetched(pool: Pool) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    came = [now - timedelta(days=3), now + timedelta(days=3), datetime(1970, 1, 1, tzinfo=UTC)]
    said = [f"{at.astimezone(timezone(timedelta(hours=8))):%d-%b-%Y %H:%M:%S %z}" for at in came]
    said = [said[0].replace("0", " ", 1) if said[0].startswith("0") else said[0], *said[1:], "yesterday"]
    folder = Folder({uid: written(uid) for uid in range(1, 6)}, came=dict(enumerate(said, start=1)))
    async with serving(folder) as port:
        assert await fetch_new(pool, Mailbox("127.0.0.1", port, "none", "c", "INBOX"), folder.password) == 5
    kept = [row["received_at"] for row in await pool.fetch("select received_at from intake.received order by 1")]
    assert kept[0] == came[0]
    assert all(now <= at < came[1] for at in kept[1:]), "a time that cannot be, or none, is that of the fetching"
    due = [row["next_at"] for row in await pool.fetch("select next_at from intake.waiting")]
    assert all(now <= at < came[1] for at in due)


async def test_what_is_new_is_fetched_once_whatever_the_server_calls_it(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder({1: written(1), 2: written(2)})
    monkeypatch.setattr("channels.imap._WINDOW", 2)
    monkeypatch.setattr("channels.imap.LARGEST", 2_000)
    async with serving(folder) as port:
        mailbox = Mailbox("127.0.0.1", port, "none", "c", "INBOX")

        async def fetched() -> int:
            return await fetch_new(pool, mailbox, folder.password)

        assert [await fetched(), await fetched()] == [2, 0]
        folder.messages |= {7: written(3), 8: written(4)}
        folder.breaks_off_at = 8
        with pytest.raises(MailboxUnavailable, match="broke off"):
            await fetched()
        folder.breaks_off_at, folder.says_next = None, False
        assert [await fetched(), await fetched()] == [1, 0]
        assert len(await kept(pool)) == 4

        # Restored on another server: its numbers mean nothing any more, and some are lower than before.
        folder.uid_validity, folder.messages = 8, {1: written(4), 2: written(5)}
        assert await fetched() == 2
        assert len(await kept(pool)) == 5
        assert await pool.fetchval("select (uid_validity, uid) from intake.mailboxes") == (8, 2)

        # What came by LMTP as well is one; what is too large is kept as far as it goes, for a person.
        await take_in(pool, b"Return-Path: <a@example.org>\r\n" + written(6), {"by": "lmtp"})
        large = mail(VOICES[0], "x" * 3_000, subject="A large one")
        folder.messages |= {3: written(6), 4: large}
        assert await fetched() == 2
        found = await kept(pool)
        assert len(found) == 7
        assert [one for one in found if one + large.partition(b"\r\n\r\n")[2] == large]
        assert await pool.fetchval("select uid from intake.mailboxes") == 4
        folder.password = "another one"
        with pytest.raises(MailboxUnavailable, match="cannot be opened"):
            await fetch_new(pool, mailbox, "wrong")


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("imaps://complaints@firm.example@mail.example.com/Complaints%20in",
         Mailbox("mail.example.com", 993, "implicit", "complaints@firm.example", "Complaints in")),
        ("imap://c@mail.example.com", Mailbox("mail.example.com", 143, "starttls", "c", "INBOX")),
        ("https://mail.example.com", None), ("imaps://mail.example.com", None), ("imaps://c:p@mail.example.com", None),
        ("imaps://c@mail.example.com:x", None),
    ],
)  # fmt: skip
def test_an_address_of_a_mailbox_is_understood_or_refused_at_the_start(url: str, wanted: Mailbox | None) -> None:
    if wanted is None:
        with pytest.raises(ConfigurationError, match="REDRESS_IMAP_URL"):
            load_settings(imap_url=url)
    else:
        assert mailbox_at(load_settings(imap_url=url).imap_url or "") == wanted


async def test_every_message_of_the_table_comes_through_both_doors_as_it_was_sent_and_counts_once(pool: Pool) -> None:
    raws = [row.raw for row in TABLE[: len(TABLE) // len(VOICES)] if row.raw]
    different = {essence(raw) for raw in raws}
    folder = Folder(dict(enumerate(raws, start=1)))
    async with serving(folder) as port:
        mailbox = Mailbox("127.0.0.1", port, "none", "c", "INBOX")
        while await fetch_new(pool, mailbox, folder.password):
            pass
    keys = [row["key"] for row in await pool.fetch("select key from intake.received")]
    assert {essence(await content_of(pool, key)) for key in keys} == different
    assert len(keys) == len(different)
    async with lmtp(pool, "127.0.0.1:0") as port:
        for raw in raws:
            await asyncio.to_thread(hand_over, port, raw)
    # SMTP has no lines that end otherwise: what has bare ones is another message there.
    bare = {essence(raw) for raw in raws if b"\n" in raw.replace(b"\r\n", b"") or b"\r" in raw.replace(b"\r\n", b"")}
    assert len(keys) <= await pool.fetchval("select count(*) from intake.received") <= len(keys) + len(bare)
