"""What the other tests rely on in `tests/conftest.py`."""

from email.message import EmailMessage

import aiosmtplib
import asyncpg
import pytest

from runtime.embedded_postgres import EmbeddedPostgres
from tests.conftest import Mailbox


def letter(to: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "complaints@example.com", to, "您的投诉"
    message.set_content("已受理。")
    return message


async def test_the_mailbox_keeps_what_it_accepts(mailbox: Mailbox) -> None:
    await aiosmtplib.send(letter("a@example.org"), hostname=mailbox.host, port=mailbox.port)
    (received,) = mailbox.received
    assert (received.sender, received.recipients) == ("complaints@example.com", ["a@example.org"])
    assert (received.message["Subject"], received.message.get_content().strip()) == ("您的投诉", "已受理。")


async def test_the_mailbox_refuses_whom_it_is_told_to_for_now_or_for_good(mailbox: Mailbox) -> None:
    mailbox.refuse("b@example.org", code=451)
    await aiosmtplib.send(letter("a@example.org"), hostname=mailbox.host, port=mailbox.port)
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused, match="451"):
        await aiosmtplib.send(letter("b@example.org"), hostname=mailbox.host, port=mailbox.port)
    mailbox.refuse()
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused, match="550"):
        await aiosmtplib.send(letter("a@example.org"), hostname=mailbox.host, port=mailbox.port)
    mailbox.accept()
    await aiosmtplib.send(letter("b@example.org"), hostname=mailbox.host, port=mailbox.port)
    assert [message["To"] for message in mailbox.messages] == ["a@example.org", "b@example.org"]


@pytest.mark.parametrize("_time", [1, 2])
async def test_each_test_has_a_database_of_its_own(
    postgres: EmbeddedPostgres, pool: "asyncpg.Pool[asyncpg.Record]", _time: int
) -> None:
    await pool.execute("create table mine (id int)")  # fails the second time if the first is still there
    assert await pool.fetchval("select count(*) from redress_migrations") > 0
    assert postgres.url() != postgres.url("template")


@pytest.mark.parametrize("_time", [1, 2])
async def test_what_a_test_leaves_to_a_session_is_gone_before_the_next(
    pool: "asyncpg.Pool[asyncpg.Record]", _time: int
) -> None:
    assert await pool.fetchval("show session_replication_role") == "origin"
    await pool.execute("set session_replication_role = replica")
