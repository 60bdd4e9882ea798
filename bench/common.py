"""What the benchmarks share."""

import argparse
import math
import os
from collections.abc import Callable, Sequence


class NotMeasured(Exception):
    """The conditions of the measurement were not met; the message says which, and what to do."""


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
