"""Mail fetched from a mailbox by IMAP (RFC 9051), for a firm whose mail server hands nothing over.

A message is committed before its UID is; who is killed in between fetches it again, and then it is known. Where the
server's UIDVALIDITY is another, its UIDs mean nothing any more and all is fetched again, to the same effect. The
mailbox itself is only looked at: nothing in it is moved, marked or deleted.
"""

import asyncio
import contextlib
import imaplib
import re
import ssl
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote, urlsplit

import structlog

from channels.lmtp import LARGEST
from channels.taking import take_in
from runtime.database import OUTAGES
from runtime.mail_tokens import MailTokens, NoMailToken

if TYPE_CHECKING:
    from runtime.database import Pool

EVERY: Final = timedelta(seconds=20)
"""How often it is looked what is new, and how long after something failed."""
_TIMEOUT: Final = 60
"""Seconds to wait for the server."""
_WINDOW: Final = 20_000
"""So many UIDs are asked for at once: the answer is one line, and lines have a limit."""
_SIZE: Final = re.compile(rb"RFC822\.SIZE (\d+)")
_CAME: Final = re.compile(rb'INTERNALDATE " ?([^"]+)"')
_FAILS: Final = (imaplib.IMAP4.error, OSError, EOFError)


class MailboxUnavailable(Exception):
    """The mailbox cannot be read now. The message says why, without what the server said of users."""


class LoginRefused(MailboxUnavailable):
    """The server does not take the password, or the token."""


class Mailbox(NamedTuple):
    """Where mail is fetched from. ``tls`` is *implicit* or *starttls*; *none* is for this machine only."""

    host: str
    port: int
    tls: str
    user: str
    folder: str

    @property
    def name(self) -> str:
        """What its place is kept under."""
        return f"{self.user}@{self.host}:{self.port}/{self.folder}"


def mailbox_at(url: str) -> Mailbox:
    """The mailbox of a checked *url*: ``imaps://user@host/folder``, or ``imap://`` for STARTTLS."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    local = host in {"localhost", "127.0.0.1", "::1"}
    tls = "implicit" if parts.scheme == "imaps" else "none" if local else "starttls"
    port = parts.port or (993 if tls == "implicit" else 143)
    return Mailbox(host, port, tls, unquote(parts.username or ""), unquote(parts.path.strip("/")) or "INBOX")


class Fetched(NamedTuple):
    """A message, byte for byte, and when the server says that it came; None where it says nothing of it."""

    raw: bytes
    came_at: datetime | None


class _Visit:
    """One connection to a mailbox, opened to be looked at. Every call blocks."""

    def __init__(self, mailbox: Mailbox, password: str, *, is_token: bool = False) -> None:
        context = ssl.create_default_context()
        if mailbox.tls == "implicit":
            self._server: imaplib.IMAP4 = imaplib.IMAP4_SSL(
                mailbox.host, mailbox.port, ssl_context=context, timeout=_TIMEOUT
            )
        else:
            self._server = imaplib.IMAP4(mailbox.host, mailbox.port, timeout=_TIMEOUT)
        try:
            if mailbox.tls == "starttls":
                self._server.starttls(context)
            self._log_in(mailbox.user, password, is_token=is_token)
            folder = mailbox.folder.replace("\\", "\\\\").replace('"', '\\"')
            if self._server.select(f'"{folder}"', readonly=True)[0] != "OK":
                raise MailboxUnavailable("the mailbox has no such folder")
        except BaseException:
            self.close()
            raise
        self.uid_validity = self._number("UIDVALIDITY")
        self._next = self._number("UIDNEXT")

    def _log_in(self, user: str, secret: str, *, is_token: bool) -> None:
        try:
            if not is_token:
                self._server.login(user, secret)
                return
            said = f"user={user}\x01auth=Bearer {secret}\x01\x01".encode()
            # Where the server does not take it, it says why first, and wants an empty answer.
            self._server.authenticate("XOAUTH2", lambda challenge: b"" if challenge else said)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            raise LoginRefused("it cannot be opened: the server does not take the login") from None

    def _number(self, name: str) -> int:
        _, said = self._server.response(name)
        return int(said[0]) if said and said[0] and said[0].isdigit() else 0

    def after(self, uid: int) -> Iterator[int]:
        """The UIDs of what came after *uid*, in order."""
        first = uid + 1
        while True:
            last = min(first + _WINDOW, self._next) - 1 if self._next else 0
            if self._next and last < first:
                return
            said, found = self._server.uid("SEARCH", f"UID {first}:{last or '*'}")
            if said != "OK":
                raise MailboxUnavailable("the server does not say what is in the folder")
            # With "*" the last message is found, too, where there is none after it.
            yield from sorted(number for each in (found[0] or b"").split() if (number := int(each)) >= first)
            if not last:
                return
            first = last + 1

    def fetch(self, uid: int) -> Fetched | None:
        """The message, byte for byte; of one that is too large its header alone. None where it is gone."""
        said, found = self._server.uid("FETCH", str(uid), "(RFC822.SIZE INTERNALDATE)")
        told = b" ".join(each for each in found if isinstance(each, bytes))
        size = _SIZE.search(told)
        what = "BODY.PEEK[]" if size and int(size[1]) <= LARGEST else "BODY.PEEK[HEADER]"
        said, found = self._server.uid("FETCH", str(uid), f"({what})")
        if said != "OK":
            raise MailboxUnavailable("the server does not hand a message over")
        raw = next((bytes(each[1]) for each in found if isinstance(each, tuple)), None)
        return None if raw is None else Fetched(raw, _moment_in(told))

    def close(self) -> None:
        with contextlib.suppress(*_FAILS):
            self._server.logout()
        with contextlib.suppress(*_FAILS):
            self._server.shutdown()  # where it was broken off before the goodbye


def _moment_in(told: bytes) -> datetime | None:
    """When a message came, of what the server told of it."""
    if (found := _CAME.search(told)) is None:
        return None
    try:
        return datetime.strptime(found[1].decode("ascii"), "%d-%b-%Y %H:%M:%S %z")
    except ValueError:
        return None


async def _opened(mailbox: Mailbox, login: str | MailTokens) -> _Visit:
    """A visit by password, or by token: one that is not taken may have ended before its time, and the next is tried."""
    try:
        if isinstance(login, str):
            return await asyncio.to_thread(_Visit, mailbox, login)
        token = await login.token()
        try:
            return await asyncio.to_thread(_Visit, mailbox, token, is_token=True)
        except LoginRefused:
            login.forget(token)
            return await asyncio.to_thread(_Visit, mailbox, await login.token(), is_token=True)
    except NoMailToken as error:
        raise MailboxUnavailable(str(error)) from None
    except _FAILS as error:
        raise MailboxUnavailable(f"it cannot be opened ({type(error).__name__})") from None


async def fetch_new(pool: "Pool", mailbox: Mailbox, login: str | MailTokens) -> int:
    """Take in what is new in *mailbox*; how many messages. Raises `MailboxUnavailable`, and `OUTAGES`."""
    visit = await _opened(mailbox, login)
    taken = 0
    try:
        place = await pool.fetchrow(_PLACE, mailbox.name)
        known = place["uid"] if place and place["uid_validity"] == visit.uid_validity else 0
        news = visit.after(known)
        while (uid := await asyncio.to_thread(next, news, None)) is not None:
            fetched = await asyncio.to_thread(visit.fetch, uid)
            if fetched is not None:
                await take_in(pool, fetched.raw, {"by": "imap"}, fetched.came_at)
                taken += 1
            await pool.execute(_READ, mailbox.name, visit.uid_validity, uid)
    except _FAILS as error:
        if isinstance(error, OUTAGES):
            raise
        raise MailboxUnavailable(f"it broke off ({type(error).__name__})") from None
    finally:
        await asyncio.to_thread(visit.close)
    return taken


async def imap(pool: "Pool", mailbox: Mailbox, login: str | MailTokens, every: timedelta = EVERY) -> None:
    """Fetch what is new, until cancelled. Whatever is away is waited for."""
    log = structlog.get_logger("channels")
    while True:
        try:
            taken = await fetch_new(pool, mailbox, login)
        except MailboxUnavailable as error:
            log.warning("mail could not be fetched", error=str(error))
        except OUTAGES as error:
            log.warning("mail could not be committed", error=type(error).__name__)
        else:
            if taken:
                log.info("mail was fetched", messages=taken)
            await _note_end(pool, mailbox)
        await asyncio.sleep(every.total_seconds())


async def _note_end(pool: "Pool", mailbox: Mailbox) -> None:
    with contextlib.suppress(*OUTAGES):
        await pool.execute(_READ_TO_ITS_END, mailbox.name)


_PLACE: Final = "select uid_validity, uid from intake.mailboxes where mailbox = $1"
_READ: Final = """
    insert into intake.mailboxes as known (mailbox, uid_validity, uid) values ($1, $2, $3)
    on conflict (mailbox) do update set uid_validity = excluded.uid_validity,
        uid = case when known.uid_validity = excluded.uid_validity then greatest(known.uid, excluded.uid)
                   else excluded.uid end
"""
_READ_TO_ITS_END: Final = "update intake.mailboxes set fetched_at = now() where mailbox = $1"
