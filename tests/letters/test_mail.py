"""Mail: real SMTP with and without TLS and login, every way to be refused, and the outbox."""

import asyncio
import ssl
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from runtime.mail import AddressRefused, Mailer, MailError, MailFailed, MailRefused, Outbox, compose, message_id
from runtime.settings import Settings
from tests.letters.support import Receiver, receiving, text_of

AT = datetime(2026, 7, 3, 3, 0, tzinfo=UTC)
RECIPIENT = "customer@example.com"


def mailer(port: int, **settings: Any) -> Mailer:
    return Mailer(
        Settings(smtp_host="127.0.0.1", smtp_port=port, **{"smtp_tls": "none", "smtp_timeout": 5, **settings})
    )


FIRM = Settings(firm_name="Example Bullion", firm_name_zh="示例金业", mail_from="complaints@example.com")


def message(settings: Settings = FIRM, **changes: Any) -> EmailMessage:
    return compose(
        settings,
        **{
            "identity": message_id("letter", "complaints@example.com"),
            "thread": message_id("case", "complaints@example.com"),
            "recipient": RECIPIENT,
            "subject": "投诉受理告知（投诉编号 RD-K7M4-9QXT-2VBHC）",
            "body": "尊敬的客户：\n\n.\nFrom here on\n" + "长" * 2000 + "\n",
            "language": "zh-CN",
            "at": AT,
            "headers": {"X-Redress-Reference": "RD-K7M4-9QXT-2VBHC"},
            **changes,
        },
    )


async def test_a_message_arrives_as_it_was_composed() -> None:
    receiver = Receiver()
    async with receiving(receiver) as port:
        await mailer(port).send(message())

    [received] = receiver.messages
    assert receiver.recipients == [RECIPIENT]
    assert received["Subject"] == "投诉受理告知（投诉编号 RD-K7M4-9QXT-2VBHC）"
    assert received["From"].addresses[0].display_name == "示例金业"
    assert message(language="en")["From"].addresses[0].display_name == "Example Bullion"
    assert received["From"].addresses[0].addr_spec == "complaints@example.com"
    assert received["To"] == RECIPIENT
    assert received["Date"].datetime == AT
    assert received["Message-ID"] == message_id("letter", "complaints@example.com")
    assert received["In-Reply-To"] == received["References"] == message_id("case", "complaints@example.com")
    assert received["Auto-Submitted"] == "auto-generated"
    assert received["X-Redress-Reference"] == "RD-K7M4-9QXT-2VBHC"
    assert received.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in received.iter_parts()] == ["text/plain", "text/html"]
    assert {part.get_content_charset() for part in received.iter_parts()} == {"utf-8"}
    assert message().as_bytes() == message().as_bytes()  # of each attempt
    assert text_of(received) == "尊敬的客户：\n\n.\nFrom here on\n" + "长" * 2000 + "\n"


def test_what_begins_a_conversation_is_no_answer_to_itself() -> None:
    first = message_id("case", "complaints@example.com")
    begun = message(identity=first)
    assert (begun["Message-ID"], begun["In-Reply-To"], begun["References"]) == (first, None, None)


def test_a_message_id_is_the_same_for_the_same_key_and_tells_nothing() -> None:
    key = "RD-K7M4-9QXT-2VBHC:letter:acknowledgement"
    identity = message_id(key, "complaints@example.com")
    assert identity == message_id(key, "complaints@example.com")
    assert identity != message_id(f"{key}2", "complaints@example.com")
    assert "RD-" not in identity
    assert identity.endswith("@example.com>")


def test_a_line_break_never_makes_a_header() -> None:
    for header in ("subject", "recipient", "identity"):
        with pytest.raises((ValueError, MailRefused)):
            message(FIRM, **{header: "a@example.com\r\nBcc: other@example.org"})


@pytest.mark.parametrize(
    ("at_rcpt", "at_data", "error", "detail"),
    [
        ("550 5.1.1 <customer@example.com> unknown", "250 OK", AddressRefused, "refused the recipient (550 5.1.1)"),
        ("553 customer@example.com is nobody here", "250 OK", AddressRefused, "refused the recipient (553)"),
        ("450 4.2.1 try customer@example.com later", "250 OK", MailFailed, "refused the recipient (450 4.2.1)"),
        ("", "554 5.7.1 not from customer@example.com", MailRefused, "refused the message (554 5.7.1)"),
        ("", "452 4.3.1 disk full", MailFailed, "refused the message (452 4.3.1)"),
    ],
)
async def test_a_refusal_is_told_by_its_code_and_never_by_the_address(
    at_rcpt: str, at_data: str, error: type[MailError], detail: str
) -> None:
    receiver = Receiver()
    receiver.at_data = at_data
    if at_rcpt:
        receiver.refused[RECIPIENT] = at_rcpt
    async with receiving(receiver) as port:
        with pytest.raises(error) as raised:
            await mailer(port).send(message())

    assert type(raised.value) is error
    assert detail in str(raised.value)
    assert RECIPIENT not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    assert receiver.messages == []


async def test_who_is_not_sure_any_more_hands_nothing_over() -> None:
    receiver = Receiver()

    async def sure() -> None:
        assert not receiver.messages
        raise LookupError("another sends it")

    async with receiving(receiver) as port:
        with pytest.raises(LookupError, match="another sends it"):
            await mailer(port).send(message(), sure)
    assert receiver.messages == []


async def test_no_server_is_a_temporary_failure() -> None:
    async with receiving(Receiver()) as port:
        pass
    with pytest.raises(MailFailed, match=r"could not be reached or broke off \(SMTPConnectError\)"):
        await mailer(port).send(message())


async def test_a_server_that_falls_silent_is_a_temporary_failure() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        with pytest.raises(MailFailed, match="Timeout"):
            await mailer(server.sockets[0].getsockname()[1], smtp_timeout=0.2).send(message())


@pytest.mark.parametrize(
    "goodbye",
    [
        lambda server: server.transport.abort(),
        lambda server: server.transport.write(b"not SMTP at all\r\n"),
        lambda server: server.transport.write(b"500 who are you?\r\n"),
    ],
    ids=["broken off", "garbled", "refused"],
)
async def test_an_acceptance_stands_whatever_the_goodbye(goodbye: Callable[[SMTP], None]) -> None:
    receiver = Receiver()
    receiver.at_quit = goodbye
    async with receiving(receiver) as port:
        await mailer(port).send(message())
    assert len(receiver.messages) == 1


async def test_an_address_beyond_ascii_is_sent_where_the_server_takes_it_and_refused_where_not() -> None:
    receiver = Receiver()
    async with receiving(receiver, enable_SMTPUTF8=True) as port:
        await mailer(port).send(message(recipient="客户@example.com"))
    assert receiver.recipients == ["客户@example.com"]
    async with receiving(receiver) as port:
        with pytest.raises(MailRefused, match="SMTPUTF8"):
            await mailer(port).send(message(recipient="客户@example.com"))


async def test_an_internationalised_domain_is_sent_in_its_ascii_form_to_any_server() -> None:
    receiver = Receiver()
    async with receiving(receiver) as port:
        await mailer(port).send(message(recipient="customer@例子.中国"))
    assert receiver.recipients == ["customer@xn--fsqu00a.xn--fiqs8s"]


def test_a_mailer_needs_a_server() -> None:
    with pytest.raises(ValueError, match="REDRESS_SMTP_HOST"):
        Mailer(Settings(smtp_host=None))


def _accounts(server: SMTP, session: Any, envelope: Any, mechanism: str, login: LoginPassword) -> AuthResult:
    right = (login.login, login.password) == (b"redress", PASSWORD.encode())
    return AuthResult(success=right, handled=False, auth_data=login.login.decode() if right else None)


PASSWORD = "open sesame"


async def _send_with_login(port: int, tls: str, password: str = PASSWORD) -> None:
    await mailer(port, smtp_tls=tls, smtp_username="redress", smtp_password=password).send(message())


@pytest.mark.usefixtures("trusted")
async def test_starttls_and_login_carry_the_message(server_tls: ssl.SSLContext) -> None:
    receiver = Receiver()
    options: dict[str, Any] = {
        "tls_context": server_tls,
        "require_starttls": True,
        "auth_required": True,
        "authenticator": _accounts,
    }
    async with receiving(receiver, **options) as port:
        await _send_with_login(port, "starttls")
    assert (len(receiver.messages), receiver.encrypted, receiver.login) == (1, True, "redress")


@pytest.mark.usefixtures("trusted")
async def test_implicit_tls_and_login_carry_the_message(server_tls: ssl.SSLContext) -> None:
    receiver = Receiver()
    options: dict[str, Any] = {"auth_require_tls": False, "authenticator": _accounts}
    async with receiving(receiver, implicit=server_tls, **options) as port:
        await _send_with_login(port, "implicit")
    assert (len(receiver.messages), receiver.encrypted, receiver.login) == (1, True, "redress")


@pytest.mark.usefixtures("trusted")
async def test_a_refused_login_is_a_failure_of_ours_and_not_of_the_address(server_tls: ssl.SSLContext) -> None:
    receiver = Receiver()
    async with receiving(receiver, tls_context=server_tls, authenticator=_accounts) as port:
        with pytest.raises(MailFailed, match=r"SMTPAuthenticationError, 535 5\.7\.8") as raised:
            await _send_with_login(port, "starttls", password="wrong")
    assert "wrong" not in str(raised.value)
    assert receiver.messages == []


async def test_a_certificate_nobody_trusts_is_not_accepted(server_tls: ssl.SSLContext) -> None:
    receiver = Receiver()
    async with receiving(receiver, tls_context=server_tls, authenticator=_accounts) as port:
        with pytest.raises(MailFailed, match="SSLCertVerificationError"):
            await _send_with_login(port, "starttls")
    assert receiver.messages == []


async def test_nothing_is_sent_in_the_clear_to_a_server_without_starttls() -> None:
    receiver = Receiver()
    async with receiving(receiver) as port:
        with pytest.raises(MailFailed):
            await mailer(port, smtp_tls="starttls").send(message())
    assert receiver.messages == []


async def test_the_outbox_keeps_one_file_for_a_key(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "outbox"
    outbox = Outbox(folder)
    key = "RD-K7M4-9QXT-2VBHC:letter:../../acknowledgement"
    await asyncio.gather(*(outbox.deliver(key, message()) for _ in range(5)))
    await outbox.deliver(key, message(subject="another"))

    [file] = folder.iterdir()
    assert file == outbox.path(key)
    assert file.name.startswith("RD-K7M4-9QXT-2VBHC-letter-acknowledgement.")
    assert file.suffix == ".eml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    received: EmailMessage = message_from_bytes(file.read_bytes(), policy=default)
    assert received["Subject"] == "投诉受理告知（投诉编号 RD-K7M4-9QXT-2VBHC）"
    assert text_of(received).startswith("尊敬的客户：\n")


async def test_keys_that_look_alike_have_files_of_their_own(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    keys = ("a:b", "a-b", "A-b", "a/b")
    for key in keys:
        await outbox.deliver(key, message())
    assert len({outbox.path(key).name.lower() for key in keys}) == len(keys)
    assert all(outbox.path(key).exists() for key in keys)


async def test_a_letter_to_be_posted_has_no_address(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    await outbox.deliver("k", message(recipient=None))
    assert b"\nTo:" not in outbox.path("k").read_bytes()


async def test_an_outbox_that_cannot_be_written_is_a_temporary_failure(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file where the folder should be")
    with pytest.raises(MailFailed, match=r"the outbox folder cannot be written \(File exists\)"):
        await Outbox(tmp_path / "outbox").deliver("k", message())
