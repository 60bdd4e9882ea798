"""One process that serves the pages, at ``REDRESS_WEB_ADDRESS``, until SIGTERM or SIGINT.

Exit codes: 0 stopped as asked, 2 not configured or no database at start. Temporal may come and go: what customers send
is taken in without it.
"""

import asyncio
import gc
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

if __name__ == "__main__":
    gc.disable()  # until all is loaded, none of which is garbage: looking for it takes an eighth of the start

import structlog
import uvicorn

from record.proofs import hold_proofs
from runtime.connection import TemporalUnavailable
from runtime.identity.verifying import Verifier
from runtime.logging import configure_logging
from runtime.opening import opened_record
from runtime.postgres import DatabaseUnavailable
from runtime.settings import ConfigurationError, Settings, load_settings
from runtime.temporal import connect
from web.app import create_app
from web.doors import Doors


async def serve(settings: Settings) -> None:
    """Serve the pages until asked to stop."""
    if settings.web_secret is None:
        raise ConfigurationError(
            "REDRESS_WEB_SECRET: it is not set, and by it the pages sign cookies. Expected: 32 characters or more, the"
            " same for every process that serves them; `redress up` makes its own."
        )
    hold_proofs(Verifier.here(settings))
    async with opened_record(settings) as pool:
        doors = Doors(
            pool=pool,
            settings=settings,
            secret=settings.web_secret.get_secret_value().encode(),
            clock=lambda: datetime.now(UTC),
            reach=lambda: connect(settings),
        )
        host, _, port = settings.web_address.rpartition(":")
        config = uvicorn.Config(
            create_app(doors),
            host=host.strip("[]"),
            port=int(port),
            log_config=None,
            access_log=False,  # addresses name cases
            server_header=False,
            proxy_headers=bool(settings.proxies_of_pages),
            forwarded_allow_ips=list(settings.proxies_of_pages),
            timeout_graceful_shutdown=10,
        )
        structlog.get_logger("web").info("pages ready", address=settings.web_address)
        await uvicorn.Server(config).serve()


def main(_arguments: Sequence[str] = ()) -> int:
    """Serve; return the exit code."""
    gc.freeze()
    gc.enable()
    try:
        settings = load_settings()
        configure_logging(settings.log_format, settings.log_level)
        asyncio.run(serve(settings))
    except (ConfigurationError, DatabaseUnavailable, TemporalUnavailable) as error:
        print(f"redress pages: {error}", file=sys.stderr)  # noqa: T201
        return 2
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
