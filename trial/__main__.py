"""`make trial`: break Redress on purpose, and prove that nothing was lost or doubled.

    python -m trial [--seed N] [--minutes M] [--part points|random|both] [--only "LIFE, PLACE: FAULT"]

Exit codes: 0 nothing was found; 1 violations; 2 the trial could not be held.
"""

import argparse
import asyncio
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from bench.common import at_least, forget_configuration
from runtime.child import StackError
from runtime.logging import configure_logging
from runtime.temporal import run
from trial.at_random import Outcome, run_at_random
from trial.lives import LIVES
from trial.parts import House, open_house
from trial.points import Result, enumerate_points


def main(arguments: Sequence[str] | None = None) -> int:
    """Hold the trial; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m trial", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seed", type=int, default=None, help="of the random part, and of a sample of the points")
    parser.add_argument("--minutes", type=float, default=10, help="how long the random part goes on (default 10)")
    parser.add_argument("--part", choices=("points", "random", "both"), default="both")
    parser.add_argument("--cases", type=at_least(1), default=200, help="complaints of each random run (default 200)")
    parser.add_argument("--sample", type=at_least(1), default=None, help="only so many of the points")
    parser.add_argument(
        "--share", type=_share, default=None, metavar="N/M", help="only the N-th of M shares of the points, by the seed"
    )
    parser.add_argument(
        "--only", default=None, help="only the points whose name has this, such as 'disputed, Record#3'"
    )
    parser.add_argument("--life", choices=sorted(LIVES), action="append", help="only this life (several may be given)")
    parser.add_argument("--at-once", type=at_least(1), default=8, help="lives played at once (default 8)")
    parser.add_argument("--calm", action="store_true", help="break nothing in the random part: a trial of the trial")
    parser.add_argument("--keep", type=Path, default=None, help="folder to which logs and journals are copied")
    options = parser.parse_args(arguments)
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1_000_000)
    forget_configuration()
    configure_logging("console", "ERROR")
    console = Console(soft_wrap=True, highlight=False)
    try:
        return run(_hold(console, options))
    except StackError as error:
        print(f"trial: {error}", file=sys.stderr)  # noqa: T201
        return 2
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130


async def _hold(console: Console, options: argparse.Namespace) -> int:
    began = time.monotonic()
    holding = asyncio.current_task()
    assert holding  # noqa: S101
    # Ended by a signal, it still takes its servers away.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, holding.cancel)

    def say(text: str) -> None:
        console.print(f"{time.monotonic() - began:6.0f} s  {text}", markup=False)

    # A short path, for the sockets.
    with tempfile.TemporaryDirectory(prefix="trial-") as place:
        folder = Path(place)
        try:
            async with open_house(folder, lambda _: None) as house:
                say(f"seed {options.seed}")
                result, wrong = Result(), list[str]()
                if options.part in {"points", "both"}:
                    result, wrong = await enumerate_points(
                        house,
                        say,
                        lives=options.life or tuple(LIVES),
                        seed=options.seed,
                        sample=options.sample,
                        only=options.only,
                        share=options.share,
                        at_once=options.at_once,
                    )
                outcomes = []
                if options.part in {"random", "both"}:
                    outcomes = await _random_runs(house, say, options)
        finally:
            if options.keep:
                await asyncio.to_thread(_copy, folder, options.keep)
    return _tell(console, options.seed, result, wrong, outcomes)


def _share(text: str) -> tuple[int, int]:
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError(f"{text!r} is no share: say N/M, such as 3/40")
    return int(number), int(count)


async def _random_runs(house: House, say: Callable[[str], None], options: argparse.Namespace) -> list[Outcome]:
    """Run after run, each with a seed of its own, until the time is over."""
    until = time.monotonic() + 60 * options.minutes
    outcomes: list[Outcome] = []
    while not outcomes or time.monotonic() < until:
        seed = options.seed + len(outcomes)
        seconds = max(20.0, min(120.0, until - time.monotonic()))
        say(f"random run, seed {seed}: {options.cases} complaints, {seconds:.0f} s")
        outcome = await run_at_random(house, say, seed=seed, cases=options.cases, seconds=seconds, calm=options.calm)
        outcomes.append(outcome)
        for violation in outcome.report.violations:
            say(f"  VIOLATION seed {seed}: {violation}")
    return outcomes


def _copy(folder: Path, keep: Path) -> None:
    shutil.copytree(
        folder, keep, dirs_exist_ok=True, ignore=shutil.ignore_patterns("postgres", "temporal", ".s.*", "line")
    )


def _tell(console: Console, seed: int, result: Result, wrong: list[str], outcomes: Sequence[Outcome]) -> int:
    """The tables at the end; 1 if there were violations."""
    violations = [*wrong, *result.violations]
    violations += [f"seed {one.seed}: {each}" for one in outcomes for each in one.report.violations]
    if result.played:
        points = [one for one in result.played if one.point]
        console.print(
            _table("Enumerated", result.faults),
            f"{len(points)} points, {len(result.missed)} of them not reached,"
            f" {sum(one.repeated for one in points)} letters repeated in the window of SMTP",
        )
    if outcomes:
        console.print(_table("At random", sum((one.faults for one in outcomes), Counter[str]())))
        console.print(_table("Receipts", sum((one.receipts for one in outcomes), Counter[str]())))
        console.print(_table("Looked at", sum((one.report.counted for one in outcomes), Counter[str]())))
        repeated = sum(one.report.repeated for one in outcomes)
        unsaid = sum(one.report.unsaid for one in outcomes)
        console.print(
            f"{repeated} letters repeated in the window of SMTP ({unsaid} of them not confirmed to the sender)"
        )
    for violation in violations:
        console.print(f"VIOLATION {violation}", markup=False)
    console.print(f"{len(violations)} violations; make trial SEED={seed} plays it again")
    return 1 if violations else 0


def _table(title: str, counted: Counter[str]) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("")
    table.add_column("", justify="right")
    for name, count in sorted(counted.items()):
        table.add_row(name, f"{count:,}")
    return table


if __name__ == "__main__":
    sys.exit(main())
