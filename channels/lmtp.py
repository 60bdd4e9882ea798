"""LMTP (RFC 2033): the firm's own mail server hands messages over, and keeps them until they are committed."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import Envelope, Session

from channels.taking import take_in
from runtime.database import OUTAGES

if TYPE_CHECKING:
    from runtime.database import Pool

LARGEST: Final = 36_000_000
"""Bytes of a message: ten files of the largest size are more than mail servers carry."""
_MOST_RECIPIENTS: Final = 50


class _Server(LMTP):
    line_length_limit = 1_000_000  # some programs never break a line
    local_part_limit = 0


class Handler:
    """Commits what is handed over, and only then says so, once for each recipient."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, _server: Any, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take any recipient: our own mail server knows which are ours."""
        if len(envelope.rcpt_tos) >= _MOST_RECIPIENTS:
            return "452 4.5.3 too many recipients at once"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: Any, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Commit the message. The server keeps it, and tries again, where that is not possible now."""
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode("utf-8", "surrogateescape")
        # The last server notes who is told of failures (RFC 5321, section 4.4); to nobody, where a program wrote it.
        whole = f"Return-Path: <{envelope.mail_from or ''}>\r\n".encode("utf-8", "surrogateescape") + raw
        try:
            taken = await take_in(self._pool, whole, {"by": "lmtp", "recipients": list(envelope.rcpt_tos)})
        except OUTAGES as error:
            structlog.get_logger("channels").warning("mail could not be committed", error=type(error).__name__)
            return _each("451 4.3.0 it cannot be kept now; try again", envelope)
        return _each(f"250 2.0.0 kept as {taken.key[:12]}", envelope)


def _each(answer: str, envelope: Envelope) -> str:
    return "\r\n".join([answer] * max(1, len(envelope.rcpt_tos)))


@contextlib.asynccontextmanager
async def lmtp(pool: "Pool", address: str) -> AsyncIterator[int]:
    """Listen at *address* (host and port) for as long as this is entered; the port. Raises `OSError` if it is taken."""
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd logs addresses there, and what is sent
    host, _, port = address.rpartition(":")
    handler, loop = Handler(pool), asyncio.get_running_loop()

    def server() -> LMTP:
        return _Server(
            handler, loop=loop, data_size_limit=LARGEST, enable_SMTPUTF8=True, ident="redress", hostname="redress"
        )

    listening = await loop.create_server(server, host.strip("[]"), int(port))
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        await listening.wait_closed()
