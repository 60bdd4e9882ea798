"""Mail servers that take no passwords: by TLS that is trusted and by tokens, renewed when they end or are refused."""

import base64
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channels.imap import Mailbox, MailboxUnavailable, fetch_new
from runtime.database import Pool
from runtime.mail import Mailer, MailFailed
from runtime.mail_tokens import MailTokens, NoMailToken
from runtime.settings import ConfigurationError, Settings, load_settings
from starter.upkeep.diagnosis import Kind
from starter.upkeep.doctor import _mail_login
from starter.upkeep.questions import QUESTIONS, ask
from tests.channels.imap_server import Folder, serving
from tests.channels.test_imap import written
from tests.letters.support import NOW, Receiver, receiving
from tests.letters.test_mail import message
from tests.web.chromium import served


class Provider:
    """A token endpoint: each token is another; it answers *status* and *error* where it gives none."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, str]] = []
        self.status, self.lasts, self.more = 200, 3600, dict[str, Any]()

    async def answer(self, request: Request) -> Response:
        self.asked.append({name: values[0] for name, values in parse_qs((await request.body()).decode()).items()})
        if self.status != 200:
            return JSONResponse({"error": "invalid_grant", "error_description": "user@example.com"}, self.status)
        return JSONResponse({"access_token": f"t-{len(self.asked)}", "expires_in": self.lasts, **self.more})

    def settings(self, **more: Any) -> Settings:
        return load_settings(mail_token_url=self.url, mail_client_id="redress", mail_client_secret="s", **more)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    made = Provider()
    async with served(Starlette(routes=[Route("/token", made.answer, methods=["POST"])])) as url:
        made.url = f"{url}/token"
        yield made


def mailbox(port: int, tls: str) -> Mailbox:
    return Mailbox("127.0.0.1", port, tls, "c", "INBOX")


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("tls", ["implicit", "starttls"])
async def test_mail_is_fetched_by_tls_and_a_token_that_is_renewed_when_it_is_refused(
    pool: Pool, server_tls: ssl.SSLContext, provider: Provider, tls: str
) -> None:
    folder = Folder({1: written(1)}, tokens={"t-1"}, tls=server_tls)
    tokens = MailTokens(provider.settings())
    async with serving(folder, server_tls if tls == "implicit" else None) as port:
        assert await fetch_new(pool, mailbox(port, tls), tokens) == 1
        folder.messages[2] = written(2)
        folder.tokens = {"t-2"}  # the provider ended the first before its time
        assert await fetch_new(pool, mailbox(port, tls), tokens) == 1
        folder.tokens = set()
        with pytest.raises(MailboxUnavailable, match="does not take the login"):
            await fetch_new(pool, mailbox(port, tls), tokens)
    assert len(provider.asked) == 3
    assert not [one for one in folder.asked if one.startswith("LOGIN")]


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
async def test_a_mail_server_whose_certificate_nobody_trusts_hears_no_login(
    pool: Pool, server_tls: ssl.SSLContext, tls: str
) -> None:
    folder = Folder({1: written(1)}, tls=server_tls)
    async with serving(folder, server_tls if tls == "implicit" else None) as port:
        with pytest.raises(MailboxUnavailable, match="SSLCertVerificationError"):
            await fetch_new(pool, mailbox(port, tls), folder.password)
    async with serving(Folder({1: written(1)})) as port:  # it has no STARTTLS, or somebody in between took it away
        with pytest.raises(MailboxUnavailable, match="cannot be opened"):
            await fetch_new(pool, mailbox(port, "starttls"), folder.password)
    assert not [one for one in folder.asked if one.startswith(("LOGIN", "AUTHENTICATE"))]


async def test_a_token_is_used_until_shortly_before_its_end_and_the_newest_refresh_token_counts(
    provider: Provider,
) -> None:
    now = 0.0
    tokens = MailTokens(provider.settings(mail_refresh_token="r-1", mail_token_scope="mail"), lambda: now)
    provider.more = {"refresh_token": "r-2"}
    told = []
    for now in (0.0, 3479.0, 3480.0):  # noqa: B007
        told.append(await tokens.token())
    assert told == ["t-1", "t-1", "t-2"]
    assert [one["refresh_token"] for one in provider.asked] == ["r-1", "r-2"]
    assert provider.asked[0] == {
        "client_id": "redress", "client_secret": "s", "scope": "mail", "grant_type": "refresh_token",
        "refresh_token": "r-1",
    }  # fmt: skip
    await MailTokens(provider.settings()).token()
    assert provider.asked[-1]["grant_type"] == "client_credentials"


@pytest.mark.usefixtures("trusted")
async def test_letters_are_sent_by_a_token(server_tls: ssl.SSLContext, provider: Provider) -> None:
    taken = {"t-1"}

    class XOauth2(SMTP):
        async def auth_XOAUTH2(self, _server: SMTP, words: list[str]) -> AuthResult:  # noqa: N802
            given = base64.b64decode(words[1]).decode()
            right = given in {f"user=redress\x01auth=Bearer {token}\x01\x01" for token in taken}
            return AuthResult(success=right, handled=False, auth_data="redress" if right else None)

    receiver = Receiver()
    async with receiving(receiver, kind=XOauth2, tls_context=server_tls, auth_required=True) as port:
        settings = provider.settings(
            smtp_host="127.0.0.1", smtp_port=port, smtp_tls="starttls", smtp_username="redress"
        )
        mailer = Mailer(settings)
        await mailer.send(message())
        taken.clear()
        taken.add("t-2")
        with pytest.raises(MailFailed, match="SMTPAuthenticationError, 535"):
            await mailer.send(message())
        await mailer.send(message())
        provider.status = 400
        taken.clear()
        with pytest.raises(MailFailed):
            await mailer.send(message())
        with pytest.raises(MailFailed, match="400 invalid_grant"):
            await mailer.send(message())
    assert (len(receiver.messages), receiver.encrypted, receiver.login) == (2, True, "redress")


async def test_the_doctor_tells_a_login_that_was_revoked_and_a_mailbox_that_is_not_read(
    pool: Pool, provider: Provider
) -> None:
    assert await _mail_login(provider.settings()) == []
    assert await _mail_login(load_settings()) == []
    provider.status = 400
    [trouble] = await _mail_login(provider.settings(mail_refresh_token="revoked"))
    assert (trouble.kind, trouble.what) == (Kind.MAIL_LOGIN, "the token endpoint answered 400 invalid_grant")

    row = "insert into intake.mailboxes (mailbox, uid_validity, uid, fetched_at) values ($1, 1, 1, $2)"
    for name, ago in (("fresh", 10), ("silent", 40), ("of old", 60 * 24 * 40)):
        await pool.execute(row, name, NOW - timedelta(minutes=ago))
    [silent] = await ask(pool, QUESTIONS["mailboxes"], NOW)
    assert (silent.kind, silent.subject) == (Kind.MAILBOX_SILENT, "silent")


@pytest.mark.parametrize("content", [b"", b"{}", b'{"access_token": ""}', b"<html>"])
async def test_an_answer_that_is_no_token_is_told_without_what_it_says(content: bytes) -> None:
    async def answer(_request: Request) -> Response:
        return Response(content)

    async with served(Starlette(routes=[Route("/token", answer, methods=["POST"])])) as url:
        settings = load_settings(mail_token_url=f"{url}/token", mail_client_id="redress")
        with pytest.raises(NoMailToken, match="cannot be read"):
            await MailTokens(settings).token()
    with pytest.raises(NoMailToken, match="did not answer"):
        await MailTokens(settings).token()


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({}, "REDRESS_MAIL_CLIENT_ID: it is not set"),
        ({"mail_client_id": "c", "smtp_username": "u", "smtp_host": "mail.example.com", "smtp_tls": "none"}, "clear"),
        ({"mail_client_id": "c", "mail_token_url": "http://login.example.com"}, "REDRESS_MAIL_TOKEN_URL"),
    ],
)
def test_tokens_are_set_wholly_and_never_sent_in_the_clear(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        load_settings(**{"mail_token_url": "https://login.example.com", **settings})
