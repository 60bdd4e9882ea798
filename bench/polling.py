"""How much slower a handler's pages are while very many customers look whether something happened.

    python -m bench.polling [--customers 1000] [--cases 50] [--rounds 3] [--seconds 60] [--json]

Some complaints live with Redress itself. So many customers then each have the page of a complaint open in a browser
to which no events come: it asks every 30 seconds, spread evenly. A handler opens the inbox and cases one after the
other meanwhile, and in the same run without the customers, in turns. Counted is the time until the page is there.

Progress is told on stderr, the result on stdout. Exit codes: 0 measured, and the handler's p95 is at most 25 % slower;
1 it is slower than that, or a customer was answered with an error; 2 nothing was measured, stderr says why.
"""

import argparse
import asyncio
import contextlib
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from rich import box
from rich.table import Table

from bench.common import NotMeasured, at_least, measured_by, percentile, put_out
from bench.reading import live
from bench.visitor import Visitor, doors_of, signed_in
from domain.ground.words import Role
from runtime.database import open_pool
from runtime.embedded import Stack
from runtime.settings import load_settings
from runtime.temporal import connect
from starter.client.complaints import Complaints
from web.doors import Doors
from web.visits import Customer, Staff

PROMISED: Final = 1.25
"""The handler's p95 with customers, beside the one without."""
OFTEN: Final = 30.0
"""Seconds between two questions of one customer, as in ``web/static/live.js``."""
_THINKING: Final = 0.2  # seconds that a handler looks at a page
_AT_ONCE: Final = 20
_MARK: Final = re.compile(r'name="mark" value="(\w+)"')
_SHOWN: Final = frozenset({200, 204})  # there is something new, or not


async def _poll(visitor: Visitor, path: str, after: float, statuses: list[int]) -> None:
    await asyncio.sleep(after)
    while True:
        asked = time.monotonic()
        try:
            status, _ = await visitor.get(path)
        except (OSError, TimeoutError):
            status = 0
        statuses.append(status)
        await asyncio.sleep(max(0.0, OFTEN - (time.monotonic() - asked)))


@contextlib.asynccontextmanager
async def _watching(visitors: Sequence[tuple[Visitor, str]]) -> AsyncIterator[list[int]]:
    """Every visitor asks for their page again and again, once all have connected; what they were answered."""
    statuses: list[int] = []
    apart = OFTEN / max(1, len(visitors))
    tasks = [asyncio.create_task(_poll(one, path, n * apart, statuses)) for n, (one, path) in enumerate(visitors)]
    try:
        if tasks:
            await asyncio.sleep(OFTEN)
            statuses.clear()
        yield statuses
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _handle(handler: Visitor, paths: Sequence[str], seconds: float) -> list[float]:
    """How long each page took that the handler opened in so many *seconds*."""
    took, pages, ends = [], cycle(paths), time.monotonic() + seconds
    while time.monotonic() < ends:
        path = next(pages)
        status, seconds_taken = await handler.get(path)
        if status != 200:
            raise NotMeasured(f"the handler was answered {status} for {path}")
        took.append(seconds_taken)
        await asyncio.sleep(_THINKING)
    return took


async def _customer(doors: Doors, address: str, page: str) -> tuple[Visitor, str]:
    """A customer who has *page* open, and what that asks for by itself."""
    visitor = await signed_in(doors, Customer(address=address))
    shown = _MARK.search(await visitor.text(page))
    visitor.by_itself()
    return visitor, f"{page}/now?mark={shown[1] if shown else ''}"


async def measure(
    *, customers: int, cases: int, rounds: int, seconds: float, say: Callable[[str], None]
) -> Mapping[str, Any]:
    """Seconds of a handler's pages, with and without the customers."""
    with tempfile.TemporaryDirectory(prefix="redress-bench-") as place:
        say("Starting PostgreSQL, Temporal, a worker and the pages in a temporary folder ...")
        settings = load_settings(state_dir=Path(place), firm_name="Example Bullion", log_level="WARNING")
        async with (
            Stack(settings, pages=True, say=lambda news: say(f"  {news}")) as stack,
            await open_pool(stack.settings.database_url or "", max_size=4) as pool,
        ):
            complaints = Complaints(await connect(stack.settings), task_queue=stack.settings.task_queue)
            lived = await live(pool, complaints, cases)
            say(f"  {cases} cases have lived")
            doors = doors_of(stack.settings, pool)
            handler = await signed_in(doors, Staff(id="h-1", roles=(Role.HANDLER,)))
            pages = [f"/mine/{lived[number % cases]}" for number in range(customers)]
            visitors: list[tuple[Visitor, str]] = []
            while len(visitors) < customers:
                some = range(len(visitors), min(len(visitors) + _AT_ONCE, customers))
                visitors += await asyncio.gather(
                    *(_customer(doors, f"c{number % cases}@example.com", pages[number]) for number in some)
                )
            say(f"  {customers} customers have signed in")
            paths = [path for one in lived for path in ("/desk/inbox", f"/desk/cases/{one}")]
            await _handle(handler, paths, seconds / 4)  # what is loaded at first is loaded
            alone: list[float] = []
            beside: list[float] = []
            answered: list[int] = []
            for number in range(rounds):
                alone += await _handle(handler, paths, seconds)
                async with _watching(visitors) as statuses:
                    beside += await _handle(handler, paths, seconds)
                    answered += statuses
                say(f"  round {number + 1}: p95 {_ms(alone)} ms alone, {_ms(beside)} ms beside the customers")
    return {
        "customers": customers,
        "cases": cases,
        "asked": len(answered),
        "asked_per_second": round(len(answered) / (rounds * seconds), 1),
        "not_answered": sum(status not in _SHOWN for status in answered),
        "processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "slower": round(percentile(beside, 95) / percentile(alone, 95), 2),
        "results": [
            {"what": what, "pages": len(took), "p50_ms": _ms(took, 50), "p95_ms": _ms(took)}
            for what, took in (("alone", alone), ("beside the customers", beside))
        ],
    }


def _ms(took: Sequence[float], percent: float = 95) -> float:
    return round(1000 * percentile(took, percent), 1)


def show(measured: Mapping[str, Any]) -> Table:
    """The result as a table."""
    table = Table(
        title=f"{measured['customers']:,} customers ask {measured['asked_per_second']} times a second,"
        f" {measured['not_answered']} without an answer; load {measured['load']}; p95 × {measured['slower']}",
        box=box.SIMPLE_HEAD,
    )
    for name in ("", "pages", "p50 ms", "p95 ms"):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for line in measured["results"]:
        table.add_row(line["what"], str(line["pages"]), f"{line['p50_ms']:.1f}", f"{line['p95_ms']:.1f}")
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.polling", description="A handler beside many customers.")
    parser.add_argument("--customers", type=at_least(0), default=1000, help="with a page open (1000)")
    parser.add_argument("--cases", type=at_least(2), default=50, help="cases that really live (50)")
    parser.add_argument("--rounds", type=at_least(1), default=3, help="of each of the two, in turns (3)")
    parser.add_argument("--seconds", type=at_least(5), default=60, help="of one round (60)")
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    options = vars(parser.parse_args(arguments))
    as_json = options.pop("json")
    measured = measured_by("bench.polling", lambda say: measure(**options, say=say))
    if measured is None:
        return 2
    put_out(measured, show(measured), as_json=as_json, width=110)
    return 0 if measured["slower"] <= PROMISED and not measured["not_answered"] else 1


if __name__ == "__main__":
    sys.exit(main())
