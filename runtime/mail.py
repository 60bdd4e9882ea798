"""Mail: messages with stable identities, and the two channels that take them over: SMTP and a folder."""

import asyncio
import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

import aiosmtplib
from email_validator import EmailNotValidError, validate_email

from runtime.keys.here import lookup_here
from runtime.letters.drawing import mail_page
from runtime.mail_tokens import MailTokens, NoMailToken
from runtime.settings import Settings, logo_at

_POLICY: Final = SMTP_POLICY.clone(cte_type="7bit")  # base64 or quoted-printable, whatever servers lie on the way
_LOGO: Final = "logo@redress"
_BARE_ADDRESS: Final = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")
_ENHANCED_STATUS: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?!\S)")
_OF_NO_ADDRESS: Final = re.compile(r"5\.[3567]\.")
"""A refusal of the system, the protocol, the content or a policy (RFC 3463), which says nothing of the address."""


Sure: TypeAlias = Callable[[], Awaitable[None]]


async def _sure() -> None:
    """Of what nobody else sends."""


class MailError(Exception):
    """A channel did not take a message over. The text tells codes and kinds of error, never an address or content."""


class MailFailed(MailError):
    """Temporary, or unknown: no connection, a 4xx answer, a refused login or sender, a timeout, a full disk."""


class MailRefused(MailError):
    """Permanent for this recipient or content: a 5xx answer, or an address the server cannot handle."""


class AddressRefused(MailRefused):
    """The address is not valid, or nobody is reached at it."""


class Channel(Protocol):
    """Something that takes a message over."""

    @property
    def name(self) -> str:
        """The word under which an acceptance is recorded."""

    async def deliver(self, key: str, message: EmailMessage, sure: Sure = _sure) -> None:
        """Return when *message*, known by *key*, is taken over. Raises `MailRefused` or `MailFailed`.

        A channel that may take it twice asks to be *sure* just before, which raises where somebody else sends it.
        """


class _Sender(aiosmtplib.SMTP):
    """A conversation that is *sure* once more before it hands over what the server then has."""

    def __init__(self, sure: Sure, **options: Any) -> None:
        super().__init__(**options)
        self._sure = sure

    async def data(self, message: str | bytes, /, **options: Any) -> aiosmtplib.SMTPResponse:
        await self._sure()
        return await super().data(message, **options)


class Mailer:
    """Hands messages to an SMTP server, over a connection of its own for each."""

    name = "email"

    def __init__(self, settings: Settings) -> None:
        """Raises `ValueError` if the settings name no SMTP server."""
        if not settings.smtp_host:
            raise ValueError("REDRESS_SMTP_HOST is not set")
        self._settings = settings
        by_token = settings.mail_token_url and settings.smtp_username and not settings.smtp_password
        self._tokens = MailTokens(settings) if by_token else None

    async def deliver(self, key: str, message: EmailMessage, sure: Sure = _sure) -> None:
        """Send *message*; its Message-ID stands for the key."""
        await self.send(message, sure)

    async def send(self, message: EmailMessage, sure: Sure = _sure) -> None:
        """Return when the server has accepted *message* for its recipient.

        Raises `MailRefused` on a 5xx answer to the recipient or the content, `MailFailed` otherwise. After a
        `MailFailed` the server may still have accepted it (its answer was lost): sending again repeats the Message-ID.
        """
        settings = self._settings
        try:
            token = await self._tokens.token() if self._tokens else None
        except NoMailToken as error:
            raise MailFailed(str(error)) from None

        async def given() -> str:
            return token or ""

        server = _Sender(
            sure,
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            use_tls=settings.smtp_tls == "implicit",
            start_tls=settings.smtp_tls == "starttls",
            username=settings.smtp_username,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
            oauth_token_generator=given if token else None,
            timeout=settings.smtp_timeout,
        )
        try:
            async with server:  # what goes wrong at its goodbye is not raised and does not undo an acceptance
                try:
                    await server.send_message(message)
                except asyncio.CancelledError:  # somebody else may send it now: nothing more of it is to go from here
                    if isinstance(server.transport, asyncio.Transport):
                        server.transport.abort()
                    raise
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            if self._tokens and token and isinstance(error, aiosmtplib.SMTPAuthenticationError):
                self._tokens.forget(token)
            # Without the cause: the server's own words often repeat the address.
            raise _explained(error) from None


class Outbox:
    """Puts messages as `.eml` files into a folder, readable by its owner only; one file a key."""

    name = "outbox"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, key: str) -> Path:
        """The file of *key*: its readable part and eight hex digits of its SHA-256."""
        readable = re.sub(r"[^A-Za-z0-9]+", "-", key).strip("-")[:100]
        return self._folder / f"{readable}.{hashlib.sha256(key.encode()).hexdigest()[:8]}.eml"

    async def deliver(self, key: str, message: EmailMessage, sure: Sure = _sure) -> None:
        """Write *message* unless the file of *key* is there. Raises `MailFailed` if the folder cannot be used."""
        try:
            await asyncio.to_thread(self._write, self.path(key), message.as_bytes())
        except OSError as error:
            raise MailFailed(f"the outbox folder cannot be written ({os.strerror(error.errno or 0)})") from None

    def _write(self, path: Path, content: bytes) -> None:
        if path.exists():
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._folder, prefix=".", suffix=".part")
        new = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not every system can sync a folder
            folder = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def message_id(key: str, sender: str) -> str:
    """A Message-ID made of *key*: opaque, always the same, in the domain of the address *sender*."""
    digest = hashlib.sha256(f"redress:{key}".encode()).hexdigest()[:40]
    return f"<{digest}@{_ascii(sender).rpartition('@')[2]}>"


async def secret_message_id(key: str, sender: str) -> str:
    """The Message-ID of what *key* names, which nobody can compute who has not seen it: who answers it has the letter.

    Raises `NoKeys`, `KeysUnavailable`.
    """
    return message_id((await lookup_here("message-id", key)).hex(), sender)


def compose(
    settings: Settings,
    *,
    identity: str,
    thread: str,
    recipient: str | None,
    subject: str,
    body: str,
    language: str,
    at: datetime,
    headers: Mapping[str, str] | None = None,
) -> EmailMessage:
    """A message of the firm: *body* as it is, and the same drawn in HTML with the firm's name or logo.

    *identity* is its Message-ID, *thread* that of the conversation it belongs to (mail programs group by it, whether or
    not a message with that id exists). *at* becomes the date. Without a *recipient* it has no ``To``. Raises
    `ValueError` if a header would contain a line break, `MailRefused` if the address of the recipient cannot be used.
    """
    firm = " ".join(settings.firm.in_language(language).split())
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(display_name=firm, addr_spec=_ascii(settings.mail_from))
    if recipient:
        message["To"] = _ascii(recipient)
    message["Subject"] = subject
    message["Date"] = at
    message["Message-ID"] = identity
    if thread != identity:  # what begins a conversation answers nothing, least of all itself
        message["In-Reply-To"] = thread
        message["References"] = thread
    message["Auto-Submitted"] = "auto-generated"
    for name, value in (headers or {}).items():
        message[name] = value
    message.set_content(body)
    logo = settings.firm_logo
    page = mail_page(
        subject, body, language=language, firm=firm, logo=f"cid:{_LOGO}" if logo else None, ours=settings.web_url
    )
    message.add_alternative(page, subtype="html")
    if logo:
        drawn = message.get_payload(1)
        assert isinstance(drawn, EmailMessage)  # noqa: S101 (the part that was added)
        content, kind = logo_at(logo)
        drawn.add_related(content, "image", kind, cid=f"<{_LOGO}>", filename=f"logo.{kind}", disposition="inline")
        drawn.set_boundary(f"{_boundary(identity)}.1")
    message.set_boundary(_boundary(identity))
    return message


def _boundary(identity: str) -> str:
    """What parts are divided by: the same at every attempt, and known to nobody before."""
    return f"=_{hashlib.sha256(identity.encode()).hexdigest()[:32]}"


def _ascii(address: str) -> str:
    """*address* with an internationalised domain in its ASCII form, which every server understands."""
    if _BARE_ADDRESS.fullmatch(address) and address.isascii():
        return address
    try:
        parts = validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        raise AddressRefused("the address is not a valid e-mail address") from None
    return f"{parts.local_part}@{parts.ascii_domain}"


def _explained(error: Exception) -> MailError:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPResponseException):
        status = _ENHANCED_STATUS.match(error.message)
        code = f"{error.code} {status.group()}" if status else str(error.code)
        if isinstance(error, aiosmtplib.SMTPRecipientRefused):
            told = f"the mail server refused the recipient ({code})"
            if error.code >= 500 and not (status and _OF_NO_ADDRESS.match(status.group())):
                return AddressRefused(told)
            return _by_code(error.code, told)
        if isinstance(error, aiosmtplib.SMTPDataError):
            return _by_code(error.code, f"the mail server refused the message ({code})")
        return MailFailed(f"the mail server refused to talk ({type(error).__name__}, {code})")
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return MailRefused("the mail server does not take addresses beyond ASCII (SMTPUTF8)")
    if isinstance(error, ValueError) and not isinstance(error, OSError):  # an untrusted certificate is both
        return AddressRefused("the address is not a valid e-mail address")
    return MailFailed(f"the mail server could not be reached or broke off ({type(error).__name__})")


def _by_code(code: int, detail: str) -> MailError:
    return MailRefused(detail) if code >= 500 else MailFailed(detail)
