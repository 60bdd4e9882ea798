"""How fast the trade log is imported and a dispute investigated: beside what PostgreSQL alone needs for the same.

    python -m bench.investigation [--quotes 10000000] [--orders 1000000] [--seed N] [--json]

Runs PostgreSQL of its own in a temporary folder, imports a generated market (``bench.market``), and takes everything
away at the end. See README.md beside this file for what is measured and against what.

Progress is told on stderr, the result on stdout. Exit codes: 0 measured; 1 the import was slower than half a bare COPY,
or investigations slower than five times the bare look-ups, or the list of an incident not three times as fast as one
account after another; 2 nothing was measured, stderr says why.
"""

import argparse
import asyncio
import itertools
import json
import multiprocessing
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from rich.console import Console
from temporalio.testing import ActivityEnvironment

from activities.checks.investigating import Investigating
from activities.checks.shared_spans import SharedSpans
from activities.incidents.incidents import Incidents
from activities.incidents.listing import SIDE_BY_SIDE
from activities.log.trade_log import TradeLog
from bench.common import NotMeasured, at_least, forget_configuration
from bench.investigation_result import Imported, Investigated, Listed, Measured, show
from bench.market import SYMBOL, Market, write_market
from domain.checks.findings import Check, Finding, InvestigationRequest, Verdict
from domain.ground.bilingual import Bilingual
from domain.ground.people import Actor
from domain.ground.words import Role
from domain.incidents.incident import Fault, NewIncident
from domain.incidents.progress import Cohort
from domain.incidents.requests import ListCohort, OpenIncident
from record.touched import TOUCHED_BY_QUOTES
from runtime.child import StackError
from runtime.database import migrate, open_pool
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.keys.here import hold_keys, keys_needed
from runtime.keys.keyring import FileKeyring
from runtime.keys_table import keys_table
from runtime.logging import configure_logging
from runtime.postgres import DatabaseUnavailable
from runtime.processor import fast_loop, look_for_garbage_seldom
from runtime.settings import Settings, load_settings
from starter.importing.formats.kinds import Kind
from starter.importing.loading import ImportFailed, import_file

if TYPE_CHECKING:
    from runtime.database import Pool

    Say = Callable[[str], None]

PARTS: Final = 4  # of each file, imported and copied in turns
MEASURED: Final = (Kind.QUOTES, Kind.ORDERS, Kind.FILLS, Kind.POSITIONS)
CONNECTIONS: Final = 2 * SIDE_BY_SIDE  # of the list, as a worker has some to spare
DISPUTES: Final = 100  # investigated for each line

T = TypeVar("T")


# -- the import --------------------------------------------------------------------------------------------------------


async def compare_import(pool: "Pool", work: "Work", market: Market, say: "Say") -> list[Imported]:
    """Import every file of the market, and copy the same rows into a like table, part by part in turns."""
    for kind in set(market.files) - set(MEASURED):
        await work.do(_import, market.files[kind])
    await pool.execute("CREATE SCHEMA bare")
    results = []
    for kind in MEASURED:
        # Its indexes and checks are those of the real one; it has no triggers.
        await pool.execute(f"CREATE TABLE bare.{kind} (LIKE tradelog.{kind} INCLUDING ALL)")
        rows, seconds, copied = 0, 0.0, 0.0
        for number, part in enumerate(_parts(market.files[kind], market.rows[kind])):
            turns = [True, False] if number % 2 else [False, True]
            for ours in turns:
                if ours:
                    loaded, took = await work.do(_import, part)
                    rows, seconds = rows + loaded, seconds + took
                else:
                    copied += await _copy(pool, kind, part)
            part.unlink()
        results.append(Imported(kind, rows, seconds, copied))
        say(f"  {rows:,} {kind}: {rows / seconds:,.0f} rows/s, COPY {rows / copied:,.0f}")
        if rows != market.rows[kind]:
            raise NotMeasured(f"of {market.rows[kind]:,} {kind} {rows:,} were loaded: a fault of the benchmark")
        await pool.execute(f"DROP TABLE bare.{kind}")
    return results


def _parts(path: Path, rows: int) -> Iterator[Path]:
    """The file as several, each with the heading."""
    with path.open(encoding="ascii", newline="") as file:
        heading = next(file)
        for number in range(PARTS):
            part = path.with_name(f"part-{number}-{path.name}")
            with part.open("w", encoding="ascii", newline="") as out:
                out.write(heading)
                out.writelines(itertools.islice(file, rows // PARTS if number + 1 < PARTS else None))
            yield part


async def _copy(pool: "Pool", kind: Kind, path: Path) -> float:
    with path.open(encoding="ascii") as file:
        columns = file.readline().rstrip().split(",")
    async with pool.acquire() as connection:
        began = time.perf_counter()
        await connection.copy_to_table(
            kind.value, schema_name="bare", source=path, columns=columns, format="csv", header=True
        )
        return time.perf_counter() - began


async def _import(pool: "Pool", path: Path) -> tuple[int, float]:
    report = await import_file(pool, path)
    if report.rejected:
        raise NotMeasured(f"{path.name}: {report.rejected:,} rows were rejected: a fault of the benchmark")
    return report.loaded, report.seconds


# -- investigations ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Dispute:
    """What is investigated in one line of the result: *checks* of orders of a type that waited at least so long."""

    what: str
    checks: tuple[Check, ...]
    type: str
    waited: timedelta = timedelta(0)


_DISPUTED: Final = (
    Dispute("execution of a market order", (Check.EXECUTION,), "market"),
    Dispute("slippage, with all customers'", (Check.SLIPPAGE,), "market"),
    Dispute("trigger of a stop-loss", (Check.TRIGGER,), "stop_loss"),
    Dispute("the same, 20 hours or more old", (Check.TRIGGER,), "stop_loss", timedelta(hours=20)),
    Dispute("off-market price", (Check.OFF_MARKET,), "stop_loss"),
    Dispute("stop-out, replayed", (Check.STOP_OUT,), "stop_out"),
    Dispute(
        "four checks of a stop-loss", (Check.EXECUTION, Check.SLIPPAGE, Check.TRIGGER, Check.OFF_MARKET), "stop_loss"
    ),
)

_CHOICE: Final = """
    SELECT "order", account FROM tradelog.orders WHERE type = $1 AND ended_at - received_at >= $2
    ORDER BY md5("order" || $3::text) LIMIT $4
"""


async def investigate(pool: "Pool", market: Market, disputes: int, seed: int) -> list[Investigated]:
    """Investigate disputed orders, chosen at random, and make the same look-ups bare.

    *pool* has one connection, so that both use the same.
    """
    investigating = Investigating(TradeLog(pool))
    rng = random.Random(seed)  # noqa: S311 (a seed that can be repeated, nothing secret)
    results = []
    for dispute in _DISPUTED:
        orders = await pool.fetch(_CHOICE, dispute.type, dispute.waited, str(seed), disputes)
        if not orders:
            continue  # of a small market
        asked = [
            InvestigationRequest(
                checks=dispute.checks,
                account=row["account"],
                trades=(row["order"],),
                as_of=market.ends + timedelta(days=1),
            )
            for row in orders
        ]
        lookups = [await _lookups(pool, investigating, request) for request in asked]
        seconds, bare, evidence = [], [], []
        for turn, place in enumerate(rng.sample(range(len(asked)), len(asked))):
            # Whichever comes second finds everything warm: they take turns.
            for ours in (True, False) if turn % 2 else (False, True):
                if ours:
                    began = time.perf_counter()
                    found = await investigating.investigate(asked[place])
                    seconds.append(time.perf_counter() - began)
                    evidence.append(sum(len(finding.evidence) for finding in found.findings))
                else:
                    bare.append(await _bare(pool, lookups[place]))
        results.append(Investigated(dispute.what, seconds, bare, [len(each) for each in lookups], evidence))
    return results


async def _lookups(
    pool: "Pool", investigating: Investigating, request: InvestigationRequest
) -> list[tuple[str, tuple[Any, ...]]]:
    """The statements with which an investigation asks the trade log. Raises `NotMeasured` if it found nothing."""
    asked: list[tuple[str, tuple[Any, ...]]] = []
    async with pool.acquire() as connection:
        logged: Any = connection
        note = lambda record: asked.append((record.query, tuple(record.args)))  # noqa: E731
        logged.add_query_logger(note)
    try:
        investigation = await investigating.investigate(request)
    finally:
        async with pool.acquire() as connection:
            logged = connection
            logged.remove_query_logger(note)
    if all(finding.verdict is Verdict.INCONCLUSIVE for finding in investigation.findings):
        missing = "; ".join(dict.fromkeys(name for finding in investigation.findings for name in finding.missing))
        raise NotMeasured(f"the generated market does not answer {', '.join(request.checks)}: no {missing}")
    return [(query, values) for query, values in asked if values]


async def _bare(pool: "Pool", lookups: Sequence[tuple[str, tuple[Any, ...]]]) -> float:
    async with pool.acquire() as connection:
        prepared = {query: await connection.prepare(query) for query, _ in lookups}
        began = time.perf_counter()
        for query, values in lookups:
            await prepared[query].fetch(*values)
        return time.perf_counter() - began


# -- a cohort ----------------------------------------------------------------------------------------------------------


async def list_cohort(pool: "Pool", market: Market, repeat: int) -> Listed:
    """Everybody whom the bad minute touched: the look-up often, the list with everybody's harm once."""
    fault = Fault(symbol=SYMBOL, since=market.bad_from, until=market.bad_until)
    found = []
    for _ in range(repeat):
        began = time.perf_counter()
        rows = await pool.fetch(TOUCHED_BY_QUOTES, SYMBOL, fault.since, fault.until, None, None, None)
        found.append(time.perf_counter() - began)
    await keys_needed().keep_open()  # as a worker does
    title = Bilingual(en="Wrong prices of gold for a minute", zh="黄金报价异常一分钟")
    new = NewIncident(fault=fault, title=title, opened_by=Actor(id="h-1", role=Role.HANDLER))
    at = market.ends + timedelta(days=1)
    now = Incidents(pool, Investigating(TradeLog(pool)), load_settings())
    alone = Incidents(pool, Alone(TradeLog(pool)), load_settings(), side_by_side=1)
    opened = await now.open_incident(OpenIncident(reference=new.reference, new=new, at=at))
    took: list[float] = []
    lists: list[Cohort] = []
    for number, ours in enumerate((now, alone), 1):  # the second finds everything warm
        began = time.perf_counter()
        asked = ListCohort(
            reference=new.reference, number=number, fault=fault, policy_hash=opened.policy_hash, as_of=at
        )
        lists.append(await ActivityEnvironment().run(ours.list_cohort, asked))
        took.append(time.perf_counter() - began)
    if lists[0].hash != lists[1].hash:
        raise NotMeasured("the lists made in both ways differ: a fault of Redress")
    return Listed(len(rows), lists[0].accounts, lists[0].harmed, found, *took)


class Alone(Investigating):
    """Investigates one account after the other, each as if it were the only one."""

    def __init__(self, log: TradeLog) -> None:
        super().__init__(log)
        self._one = asyncio.Lock()

    async def look(
        self,
        request: InvestigationRequest,
        settled: Mapping[str, Decimal] = MappingProxyType({}),
        *,
        shared: SharedSpans | None = None,
        log: TradeLog | None = None,
    ) -> tuple[Finding, ...]:
        async with self._one:
            return await super().look(request, settled)


# -- the run -----------------------------------------------------------------------------------------------------------


class Work:
    """A process of its own, so that its memory can be told from that of the benchmark."""

    def __init__(self, url: str, executor: ProcessPoolExecutor, keyring: Path | None, connections: int) -> None:
        self._url, self._executor, self._keyring, self._connections = url, executor, keyring, connections

    async def do(self, work: "Callable[..., Awaitable[T]]", *arguments: object) -> T:
        """What ``work(pool, *arguments)`` returns."""
        return await asyncio.get_running_loop().run_in_executor(
            self._executor, _in_pool, work, self._url, self._keyring, self._connections, *arguments
        )

    async def memory(self) -> int:
        """The most that the process held at any time, in bytes."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, _most_memory)


@contextmanager
def a_process(url: str, keyring: Path | None = None, connections: int = 1) -> Iterator[Work]:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _quietly) as executor:
        yield Work(url, executor, keyring, connections)


def _quietly() -> None:
    configure_logging("console", "ERROR")
    look_for_garbage_seldom()  # as a worker does


def _in_pool(
    work: "Callable[..., Awaitable[T]]", url: str, keyring: Path | None, connections: int, *arguments: object
) -> T:
    if keyring:
        hold_keys(_keys(url, keyring))

    async def run() -> T:
        async with await open_pool(url, max_size=connections) as pool:
            return await work(pool, *arguments)

    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        return runner.run(run())


def _keys(url: str, keyring: Path) -> Settings:
    return load_settings(database_url=url, keys_database_url=url, keyring=keyring)


def _most_memory() -> int:
    with Path("/proc/self/status") as status:
        if status.exists():  # getrusage there counts the process that it was started from
            line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in bytes on macOS


async def measure(*, quotes: int, orders: int, seed: int, disputes: int, say: "Say") -> Measured:
    """Everything in one run."""
    with tempfile.TemporaryDirectory(prefix="redress-bench-") as place:
        folder = Path(place)
        began = time.monotonic()
        say(f"Generating {quotes:,} quotes and {orders:,} orders ...")
        market = await asyncio.to_thread(write_market, folder, quotes=quotes, orders=orders, seed=seed)
        say(f"  {time.monotonic() - began:.0f} s; {market.begins:%d %B} to {market.ends:%d %B %Y}")
        async with EmbeddedPostgres(folder / "postgres", log=folder / "postgres.log") as server:
            url = server.url()
            await migrate(url)
            async with await open_pool(url) as pool:
                with a_process(url) as work:
                    say(f"Importing, in turns with COPY; load of the machine {os.getloadavg()[0]:.1f} ...")
                    imported = await compare_import(pool, work, market, say)
                    memory = {"import": await work.memory()}
                say("VACUUM and ANALYZE, as PostgreSQL does by itself within minutes ...")
                await pool.execute("VACUUM ANALYZE")
                with a_process(url) as work:
                    say(f"Investigating; load of the machine {os.getloadavg()[0]:.1f} ...")
                    investigated = await work.do(investigate, market, disputes, seed)
                    memory["investigations"] = await work.memory()
                keyring = folder / "keyring.json"
                FileKeyring.create(keyring)  # what is found of an account is sealed under its customer's key
                await keys_table(_keys(url, keyring))
                with a_process(url, keyring, CONNECTIONS) as work:
                    say("Listing the accounts of the bad minute ...")
                    listed = await work.do(list_cohort, market, 20)
                    memory["cohort"] = await work.memory()
            say("Stopping PostgreSQL ...")
    return Measured(imported, investigated, listed, memory)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.investigation", description="How fast the trade log is imported and investigated."
    )
    parser.add_argument("--quotes", type=at_least(20_000), default=10_000_000, help="how many to generate (10000000)")
    parser.add_argument("--orders", type=at_least(2_000), default=1_000_000, help="how many to generate (1000000)")
    parser.add_argument("--disputes", type=at_least(1), default=DISPUTES, help=f"of each sort ({DISPUTES})")
    parser.add_argument("--seed", type=int, default=1, help="for the market and the choice of disputes (1)")
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit code."""
    options = _options(arguments)
    stderr = Console(stderr=True, highlight=False, soft_wrap=True)
    forget_configuration()
    configure_logging("console", "ERROR")
    sizes = {name: getattr(options, name) for name in ("quotes", "orders", "seed", "disputes")}
    try:
        measured = asyncio.run(
            measure(**sizes, say=lambda what: stderr.print(f"{datetime.now(UTC):%H:%M:%S} {what}", markup=False))
        )
    except (NotMeasured, StackError, DatabaseUnavailable, ImportFailed, BrokenProcessPool, OSError) as error:
        stderr.print(f"bench.investigation: {error}", markup=False)
        return 2
    if options.json:
        answer = {**sizes, "processors": os.cpu_count(), **measured.as_json()}
        sys.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False) + "\n")
    else:
        console = Console(highlight=False)
        console.width = max(console.width, 120)
        for part in show(measured):
            console.print(part)
    return 0 if measured.faultless else 1


if __name__ == "__main__":
    sys.exit(main())
