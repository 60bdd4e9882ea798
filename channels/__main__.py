"""One process that takes mail in, as ``REDRESS_LMTP_ADDRESS`` and ``REDRESS_IMAP_URL`` say, until SIGTERM or SIGINT.

It needs PostgreSQL and the keys, and nothing else: workers deal with what it committed. Exit codes: 0 stopped as asked,
2 not configured or no database at start.
"""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import structlog

from channels.imap import imap, mailbox_at
from channels.lmtp import lmtp
from runtime.logging import configure_logging
from runtime.mail_tokens import MailTokens
from runtime.opening import opened_record
from runtime.postgres import DatabaseUnavailable
from runtime.settings import ConfigurationError, Settings, load_settings

if TYPE_CHECKING:
    from runtime.database import Pool


async def take_mail(settings: Settings) -> None:
    """Take mail in until asked to stop."""
    if not (settings.lmtp_address or settings.imap_url):
        raise ConfigurationError(
            "REDRESS_LMTP_ADDRESS, REDRESS_IMAP_URL: neither is set. Expected: host and port where our own mail server"
            " hands mail over, such as 127.0.0.1:2424, or a mailbox, such as imaps://complaints@mail.example.com/INBOX."
        )
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    async with opened_record(settings) as pool, _handed_over(pool, settings), _fetched(pool, settings):
        await stop.wait()


@contextlib.asynccontextmanager
async def _handed_over(pool: "Pool", settings: Settings) -> AsyncIterator[None]:
    if settings.lmtp_address is None:
        yield
        return
    async with contextlib.AsyncExitStack() as stack:
        try:
            port = await stack.enter_async_context(lmtp(pool, settings.lmtp_address))
        except OSError as error:
            raise ConfigurationError(
                f"REDRESS_LMTP_ADDRESS: {settings.lmtp_address} cannot be listened at: {error.strerror}"
            ) from None
        structlog.get_logger("channels").info("mail is taken in", by="lmtp", port=port)
        yield


@contextlib.asynccontextmanager
async def _fetched(pool: "Pool", settings: Settings) -> AsyncIterator[None]:
    if settings.imap_url is None:
        yield
        return
    password = settings.imap_password.get_secret_value() if settings.imap_password else ""
    login = MailTokens(settings) if settings.mail_token_url and not password else password
    task = asyncio.create_task(imap(pool, mailbox_at(settings.imap_url), login), name="imap")
    structlog.get_logger("channels").info("mail is taken in", by="imap")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def main(_arguments: Sequence[str] = ()) -> int:
    """Take mail in; return the exit code."""
    try:
        settings = load_settings()
        configure_logging(settings.log_format, settings.log_level)
        asyncio.run(take_mail(settings))
    except (ConfigurationError, DatabaseUnavailable) as error:
        print(f"redress channels: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
