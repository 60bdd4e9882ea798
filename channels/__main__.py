"""One process that takes mail in, by what ``REDRESS_LMTP_ADDRESS`` says, until SIGTERM or SIGINT.

It needs PostgreSQL and the keys, and nothing else: workers deal with what it committed. Exit codes: 0 stopped as asked,
2 not configured or no database at start.
"""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence

import structlog

from channels.lmtp import lmtp
from runtime.logging import configure_logging
from runtime.opening import opened_record
from runtime.postgres import DatabaseUnavailable
from runtime.settings import ConfigurationError, Settings, load_settings


async def take_mail(settings: Settings) -> None:
    """Take mail in until asked to stop."""
    if settings.lmtp_address is None:
        raise ConfigurationError(
            "REDRESS_LMTP_ADDRESS: it is not set. Expected: host and port where our own mail server hands mail over,"
            " such as 127.0.0.1:2424."
        )
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    async with opened_record(settings) as pool:
        try:
            async with lmtp(pool, settings.lmtp_address) as port:
                structlog.get_logger("channels").info("mail is taken in", by="lmtp", port=port)
                await stop.wait()
        except OSError as error:
            raise ConfigurationError(
                f"REDRESS_LMTP_ADDRESS: {settings.lmtp_address} cannot be listened at: {error.strerror}"
            ) from None


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
