"""What the benchmarks share."""

import argparse
import asyncio
import json
import math
import os
import sys
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from rich.console import Console

from runtime.connection import TemporalUnavailable
from runtime.embedded import StackError
from runtime.logging import configure_logging
from runtime.postgres import DatabaseUnavailable
from runtime.temporal import run

if TYPE_CHECKING:
    from rich.console import RenderableType

    from runtime.database import Pool

T = TypeVar("T")

_PATIENCE: Final = 180.0  # seconds for the complaints that really live


class NotMeasured(Exception):
    """The conditions of the measurement were not met; the message says which, and what to do."""


async def until(pool: "Pool", query: str, references: Sequence[str], *, count: int | None = None) -> None:
    """Wait until the number that *query* has of these cases is that of all, or *count*. Raises `NotMeasured`."""
    end = time.monotonic() + _PATIENCE
    while await pool.fetchval(query, references) < (len(references) if count is None else count):
        if time.monotonic() > end:
            raise NotMeasured("the complaints that all others are copied from did not come to rest in time")
        await asyncio.sleep(0.5)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of *values* that at least *percent* of them do not exceed (nearest rank): one that was observed.

    Raises ``ValueError`` if there are none, or *percent* is not above 0 and at most 100.
    """
    if not values:
        raise ValueError("there is no percentile of nothing")
    if not 0 < percent <= 100:
        raise ValueError(f"percent: {percent} is not above 0 and at most 100")
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def at_least(least: int) -> Callable[[str], int]:
    """Reads a whole number of an option."""

    def number(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"must be at least {least}")
        return int(text)

    return number


def forget_configuration() -> None:
    """A firm's own servers are no place for invented data, nor its settings part of the measurement."""
    for name in list(os.environ):
        if name == "DATABASE_URL" or name.startswith(("REDRESS_", "TEMPORAL_", "PG")):
            del os.environ[name]
    os.environ["TEMPORAL_CONFIG_FILE"] = os.devnull


def measured_by(
    name: str, measure: Callable[[Callable[[str], None]], Coroutine[Any, Any, T]], *, policies: Path | None = None
) -> T | None:
    """What *measure* finds on servers of its own; ``None`` where it cannot, and why is said.

    It is given who is to be told how far it is. ``policies`` is the folder of packs, where it needs its own.
    """
    stderr = Console(stderr=True, highlight=False, soft_wrap=True)
    forget_configuration()
    if policies:
        os.environ["REDRESS_POLICY_DIR"] = str(policies)
    configure_logging("console", "ERROR")
    try:
        return run(measure(lambda what: stderr.print(f"{datetime.now(UTC):%H:%M:%S} {what}", markup=False)))
    except (NotMeasured, StackError, DatabaseUnavailable, TemporalUnavailable, TimeoutError) as error:
        stderr.print(f"{name}: {error or 'it did not come to its end'}", markup=False)
        return None


def put_out(answer: Mapping[str, Any], table: "RenderableType", *, as_json: bool, width: int = 80) -> None:
    """Print the *answer* as JSON, or as a *table* for people, at least so *width* columns wide."""
    if as_json:
        sys.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False) + "\n")
        return
    console = Console(highlight=False)
    console.width = max(console.width, width)
    console.print(table)
