"""How a file of ticks is imported, broken off in the middle, and imported again.

    python -m bench.ticks [--rows 2000000] [--seed N] [--json]

Runs PostgreSQL of its own in a temporary folder. The process that imports is killed when it has read half of the file;
another then imports the whole. Each different tick must then be there once.

Exit codes: 0 each was there once; 1 not; 2 nothing was measured, stderr says why.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from bench.common import NotMeasured, at_least, forget_configuration
from bench.investigation import a_process
from domain.log.trade_log import Instrument
from runtime.database import migrate, open_pool
from runtime.embedded import StackError
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.logging import configure_logging
from runtime.postgres import DatabaseUnavailable
from starter.importing.loading import ImportFailed, Reading, import_file

if TYPE_CHECKING:
    from runtime.database import Pool

_AS: Final = Reading(symbol="XAUUSD", source="LP-A")
_GOLD: Final = Instrument(symbol="XAUUSD", contract_size=Decimal(100), currency="USD", digits=2)
_BEGINS: Final = datetime(2026, 11, 2, tzinfo=UTC)


class Measured(NamedTuple):
    """``rows`` of the file, of which ``different`` ones; ``there_before`` when the first import was killed, ``there``
    in the end; the second import's ``seconds`` and most ``memory`` in bytes."""

    rows: int
    different: int
    there_before: int
    there: int
    seconds: float
    memory: int

    @property
    def faultless(self) -> bool:
        return self.there == self.different and 0 < self.there_before < self.different


def write_ticks(path: Path, rows: int, seed: int) -> int:
    """Write so many ticks with their times in milliseconds; one in forty is said twice. Return the different ones."""
    rng = random.Random(seed)  # noqa: S311 (a seed that can be repeated, nothing secret)
    at, bid, different, line = int(_BEGINS.timestamp() * 1000), 194_000, 0, ""
    with path.open("w", encoding="ascii") as file:
        file.write("timestamp,bid,ask\n")
        for _ in range(rows):
            if not line or rng.random() >= 1 / 40:
                at, bid, different = at + rng.randrange(1, 900), bid + rng.choice((-3, -1, 1, 3)), different + 1
                line = f"{at},{bid / 100:.2f},{(bid + 30) / 100:.2f}\n"
            file.write(line)
    return different


async def _import(pool: "Pool", path: Path, killed: bool) -> float:
    """Import the file and return the seconds; *killed* in the middle."""

    def progress(done: int, whole: int, _: int) -> None:
        if killed and done > whole // 2:
            os._exit(1)

    report = await import_file(pool, path, reading=_AS, instruments=[_GOLD], progress=progress)
    if report.rejected:
        raise NotMeasured(f"{report.rejected:,} ticks were rejected: a fault of the benchmark")
    return report.seconds


async def measure(*, rows: int, seed: int) -> Measured:
    """Everything in one run."""
    with tempfile.TemporaryDirectory(prefix="redress-bench-") as place:
        folder = Path(place)
        path = folder / "ticks.csv"
        different = await asyncio.to_thread(write_ticks, path, rows, seed)
        async with EmbeddedPostgres(folder / "postgres", log=folder / "postgres.log") as server:
            url = server.url()
            await migrate(url)
            async with await open_pool(url, patience=600) as pool:
                with a_process(url) as work:
                    try:
                        await work.do(_import, path, True)
                    except BrokenProcessPool:
                        before = await pool.fetchval("select count(*) from tradelog.quotes")
                    else:
                        raise NotMeasured("the first import ended before it was killed: more rows are needed")
                with a_process(url) as work:
                    seconds = await work.do(_import, path, False)
                    memory = await work.memory()
                there = await pool.fetchval("select count(*) from tradelog.quotes")
    return Measured(rows, different, before, there, seconds, memory)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.ticks", description="A file of ticks, imported twice.")
    parser.add_argument("--rows", type=at_least(100_000), default=2_000_000, help="of the file (2000000)")
    parser.add_argument("--seed", type=int, default=1, help="for the ticks (1)")
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    options = parser.parse_args(arguments)
    forget_configuration()
    configure_logging("console", "ERROR")
    began = time.monotonic()
    try:
        told = asyncio.run(measure(rows=options.rows, seed=options.seed))
    except (NotMeasured, StackError, DatabaseUnavailable, ImportFailed, BrokenProcessPool, OSError) as error:
        print(f"bench.ticks: {error}", file=sys.stderr)  # noqa: T201
        return 2
    if options.json:
        sys.stdout.write(json.dumps(told._asdict(), indent=2) + "\n")
    else:
        sys.stdout.write(
            f"{told.there_before:,} ticks were there when the first import was killed; {told.there:,} of"
            f" {told.different:,} different ones after the second, which took {told.seconds:.1f} s for"
            f" {told.rows:,} rows ({told.rows / told.seconds:,.0f} a second) and {told.memory / 1e6:.0f} MB; in all"
            f" {timedelta(seconds=round(time.monotonic() - began))}\n"
        )
    return 0 if told.faultless else 1


if __name__ == "__main__":
    sys.exit(main())
