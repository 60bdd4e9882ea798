"""The process that takes mail in, on one machine: it serves where the settings say that mail is handed over."""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from runtime.child import Child
from runtime.paths import ROOT
from runtime.running import RunningProcess

CHANNELS: Final = (sys.executable, "-m", "channels")
MISCONFIGURED: Final = 2
"""Its exit code where it cannot listen there."""


def channels_process(
    address: str | None,
    environment: Mapping[str, str],
    *,
    log: Path,
    on_start: Callable[[RunningProcess], None],
    say: Callable[[str], None],
) -> Child:
    """The process that takes mail in: at *address*, host and port, or else from a mailbox alone."""
    host, _, port = (address or "").rpartition(":")

    async def ready(_child: Child) -> bool:
        if address is None:
            return True
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            writer.close()
            return True
        return False

    return Child(
        name="Mail in", command=CHANNELS, log=log, environment=environment, ready=ready, on_start=on_start, say=say,
        folder=ROOT, misconfigured=MISCONFIGURED,
    )  # fmt: skip
