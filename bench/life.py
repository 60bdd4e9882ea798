"""What a complaint that goes straight through costs, beside bare Temporal workflows and the same writes on DBOS.

    python -m bench.life [--lives 100] [--at-once 1 20 100] [--rounds 3] [--json]

A withdrawal was paid too late: the complaint is opened, acknowledged, looked into, decided by rule and answered; the
customer accepts, the sum is posted, and the case is followed up. It ends, for this measurement, when its first
follow-up clock runs. Redress and its peers take turns, each with one worker process: two that do nothing in as many
steps on the same Temporal server (`bench/bare.py`), and one that writes as much in the same PostgreSQL server on DBOS
(`bench/dbos_peer.py`), where that is installed. Processor time is read for each process. Other work on the machine is
done to all of them.

Progress is told on stderr, the result on stdout. Exit codes: 0 measured; 2 nothing was measured, stderr says why.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

import psutil
from rich import box
from rich.table import Table
from temporalio.client import Client

from bench.bare import QUEUE, Former, Like
from bench.common import NotMeasured, at_least, measured_by, put_out
from domain.case.complaint import Channel, Complainant, Complaint
from domain.ground.people import Actor
from domain.ground.words import Role
from runtime.database import open_pool
from runtime.embedded import Stack
from runtime.keys.here import keys_needed
from runtime.running import StackRecord
from runtime.settings import Settings, load_settings
from runtime.temporal import connect
from starter.client.complaints import Complaints
from starter.client.holders import Holder, add_holder

if TYPE_CHECKING:
    from runtime.database import Pool

CUSTOMER: Final = Actor(id="customer", role=Role.CUSTOMER)
REDRESS: Final = "Redress"
ON_DBOS: Final = "DBOS, same writes"
_ENDED: Final = "the peer on DBOS ended too early"
_PATIENCE: Final = 300.0  # seconds for one batch
_TASKS: Final = "EVENT_TYPE_WORKFLOW_TASK_COMPLETED"

Live = Callable[[], Awaitable[str]]
"""Lives one life to its end and returns its workflow's id."""


@dataclass
class Who:
    """One of those who are measured, with the processes that work for it."""

    name: str
    live: Live
    processes: Mapping[str, int]
    """Process ids by what is said of them."""
    on_temporal: bool = True
    rates: dict[int, list[float]] = field(default_factory=dict)
    """Lives a second by how many lived at once, a round each."""
    worked: dict[int, list[dict[str, float]]] = field(default_factory=dict)
    """Milliseconds of the processor a life, by process."""
    events: int = 0
    tasks: int = 0


async def _batch(live: Live, lives: int, at_once: int) -> tuple[float, list[str]]:
    """Lives a second, and their ids."""
    waiting, ids = list(range(lives)), []

    async def one_after_another() -> None:
        while waiting:
            waiting.pop()
            ids.append(await live())

    began = time.monotonic()
    async with asyncio.timeout(_PATIENCE):
        await asyncio.gather(*(one_after_another() for _ in range(at_once)))
    return lives / (time.monotonic() - began), ids


def _worked(processes: Mapping[str, int]) -> dict[str, float]:
    """Seconds of the processor that each has used, with the processes that it started and that still run."""
    used = {}
    for name, pid in processes.items():
        process = psutil.Process(pid)
        times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
        # PostgreSQL's sessions end: what they used is told of the server itself.
        used[name] = sum(each.user + each.system for each in times) + sum(times[0][2:4])
    return used


class House:
    """Redress, as a program sees it that knows when a life has come to its follow-up."""

    def __init__(self, pool: "Pool", complaints: Complaints) -> None:
        self._pool = pool
        self._complaints = complaints
        self._waiting: dict[tuple[str, str], asyncio.Event] = {}

    async def prepare(self, lives: int) -> list[Complaint]:
        """Complaints about withdrawals that were paid too late, each by whoever holds the account."""
        now = datetime.now(UTC)
        complaints = [_complaint(f"bench-{uuid.uuid4().hex[:12]}", now) for _ in range(lives)]
        booked = now - timedelta(days=1)
        async with self._pool.acquire() as connection, connection.transaction():
            for one in complaints:
                who = one.complainant
                assert one.account  # noqa: S101 (they have one)
                await add_holder(connection, Holder(one.account, who.name, who.email, None, "en"))
            await connection.executemany(
                "insert into tradelog.account_entries (entry, account, kind, amount, currency, requested_at, booked_at)"
                " values ($1, $2, 'withdrawal', -12000, 'USD', $3, $4)",
                [(f"w-{one.account}", one.account, booked - timedelta(days=9), booked) for one in complaints],
            )
        return complaints

    async def live(self, complaint: Complaint) -> str:
        """One life."""
        await self._complaints.submit(complaint)
        reference = complaint.reference
        await self._until(reference, "responded")
        await self._complaints.reply(reference, by=CUSTOMER, intent="accept")
        await self._until(reference, "following_up")
        return reference

    async def _until(self, reference: str, stage: str) -> None:
        await self._waiting.setdefault((reference, stage), asyncio.Event()).wait()

    async def watch(self) -> None:
        """Tell those who wait, by one look at all of them."""
        while True:
            await asyncio.sleep(0.05)
            references = [reference for reference, _ in self._waiting]
            rows = await self._pool.fetch(
                "select reference, stage from casefile.cases where reference = any($1)", references
            )
            for row in rows:
                if reached := self._waiting.pop((row["reference"], row["stage"]), None):
                    reached.set()


def _complaint(account: str, now: datetime) -> Complaint:
    return Complaint(
        source="bench",
        idempotency_key=account,
        received_at=now,
        channel=Channel.WEB,
        language="en",
        complainant=Complainant(name="The Customer", email=f"{account}@example.com"),
        account=account,
        description="My withdrawal was paid far too late.",
        trades=(f"w-{account}",),
    )


def _bare(client: Client, workflow: type[Former] | type[Like]) -> Live:
    async def live() -> str:
        name = f"bench-{uuid.uuid4()}"
        handle = await client.start_workflow(workflow.run, id=name, task_queue=QUEUE)
        await handle.signal(workflow.reply)
        await handle.result()
        return name

    return live


class _OnDbos:
    """The process of `bench.dbos_peer`, which lives what it is told to."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._over: dict[str, asyncio.Future[None]] = {}

    async def live(self) -> str:
        """One life. Raises `NotMeasured` where the process ended."""
        assert self._process.stdin  # noqa: S101 (a pipe)
        assert self._process.stdout  # noqa: S101 (a pipe)
        if self._process.stdout.at_eof():
            raise NotMeasured(_ENDED)
        name = f"bench-{uuid.uuid4()}"
        over = self._over[name] = asyncio.get_running_loop().create_future()
        self._process.stdin.write(f"{name}\n".encode())
        await over
        return name

    async def listen(self) -> None:
        """Tell those who wait that their life is over."""
        assert self._process.stdout  # noqa: S101 (a pipe)
        async for line in self._process.stdout:
            if over := self._over.pop(line.decode().strip(), None):
                over.set_result(None)
        for over in self._over.values():
            over.set_exception(NotMeasured(_ENDED))


async def measure(*, lives: int, at_once: Sequence[int], rounds: int, say: Callable[[str], None]) -> Mapping[str, Any]:
    """All of them in turns; the figures of each, and the ratios."""
    with tempfile.TemporaryDirectory(prefix="redress-bench-") as place:
        say("Starting PostgreSQL, Temporal and the workers in a temporary folder ...")
        async with (
            Stack(_settings(Path(place)), say=lambda news: say(f"  {news}")) as stack,
            await open_pool(stack.settings.database_url or "", max_size=4) as pool,
            _peer(stack.addresses.temporal) as peer,
            AsyncExitStack() as others,
        ):
            client = await connect(stack.settings)
            await keys_needed().keep_open()  # as whoever serves does
            house = House(pool, Complaints(client, task_queue=stack.settings.task_queue))
            watching = asyncio.create_task(house.watch())
            record = StackRecord.read(stack.settings.state_dir)
            assert record is not None  # noqa: S101 (the stack runs)
            running = {name: process.pid for name, process in record.processes.items()}
            ready: list[Complaint] = []
            whos = [
                Who(REDRESS, lambda: house.live(ready.pop()), running),
                Who("bare, former steps", _bare(client, Former), {**running, "worker": peer}),
                Who("bare, same steps", _bare(client, Like), {**running, "worker": peer}),
            ]
            if _dbos_is_there(say):
                postgres = running["postgres"]
                whos.append(await others.enter_async_context(_dbos(stack.settings.database_url or "", postgres)))
            try:
                for number in range(-1, rounds):  # the first only warms up
                    for together in at_once if number >= 0 else (min(20, lives),):
                        for who in whos if number % 2 else whos[::-1]:
                            ready += await house.prepare(lives if who.name == REDRESS else 0)
                            await _take(who, lives, together, number, client)
                        say(f"  {max(number + 1, 0)} of {rounds}, {together} at once: load {os.getloadavg()[0]:.1f}")
            finally:
                watching.cancel()
    return _told(whos, at_once, lives=lives, rounds=rounds)


async def _take(who: Who, lives: int, together: int, number: int, client: Client) -> None:
    before = _worked(who.processes)
    rate, ids = await _batch(who.live, lives, together)
    if number < 0:
        return
    if who.on_temporal and not who.events:  # what the first lives take on a cold worker is done twice
        history = await client.get_workflow_handle(ids[0]).fetch_history()
        kinds = [event["eventType"] for event in json.loads(history.to_json())["events"]]
        who.events, who.tasks = len(kinds), kinds.count(_TASKS)
    after = _worked(who.processes)
    who.rates.setdefault(together, []).append(rate)
    used = {name: 1000 * (after[name] - before[name]) / lives for name in before}
    who.worked.setdefault(together, []).append(used)


def _told(whos: Sequence[Who], at_once: Sequence[int], **given: Any) -> Mapping[str, Any]:
    lines = []
    for together in at_once:
        redress = whos[0].rates[together]
        for who in whos:
            used = {
                name: round(statistics.median(one[name] for one in who.worked[together]), 1) for name in who.processes
            }
            ratios = [mine / theirs for mine, theirs in zip(redress, who.rates[together], strict=True)]
            lines.append(
                {
                    "who": who.name,
                    "at_once": together,
                    "lives_a_second": round(statistics.median(who.rates[together]), 2),
                    "redress_beside_it": round(statistics.median(ratios), 2),
                    "processor_ms_a_life": used,
                    "events": who.events,
                    "workflow_tasks": who.tasks,
                }
            )
    return {**given, "processors": os.cpu_count(), "load": round(os.getloadavg()[0], 1), "results": lines}


@asynccontextmanager
async def _peer(target: str) -> AsyncIterator[int]:
    """The worker of the bare workflows: its process id."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.bare", target)
    try:
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


def _dbos_is_there(say: Callable[[str], None]) -> bool:
    there = find_spec("dbos") is not None
    if not there:
        say(
            "  DBOS is left out. To have it: make bench-life, or pip install --require-hashes -r requirements/bench.txt"
        )
    return there


@asynccontextmanager
async def _dbos(url: str, postgres: int) -> AsyncIterator[Who]:
    """The peer on DBOS, in a database of its own beside that of *url*, on the server with the process id *postgres*."""
    place = urlsplit(url)
    own = urlunsplit(place._replace(netloc=f"postgres@{place.netloc.rpartition('@')[2]}", path="/bench_dbos"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.dbos_peer", own, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout  # noqa: S101 (a pipe)
    try:
        if await process.stdout.readline() != b"ready\n":
            raise NotMeasured("the peer on DBOS did not start")
        peer = _OnDbos(process)
        listening = asyncio.create_task(peer.listen())
        yield Who(ON_DBOS, peer.live, {"postgres": postgres, "worker": process.pid}, on_temporal=False)
        listening.cancel()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _settings(place: Path) -> Settings:
    return load_settings(state_dir=place, firm_name="Example Bullion", log_format="json", log_level="WARNING")


def show(measured: Mapping[str, Any]) -> Table:
    """The result as a table."""
    table = Table(
        title=f"{measured['lives']} lives a batch, {measured['rounds']} rounds: medians",
        caption="Redress beside it: lives a second of Redress in parts of those of the other, in the same round.",
        box=box.SIMPLE_HEAD,
    )
    for name in ("at once", "", "lives/s", "Redress beside it", "ms of the processor a life", "events", "tasks"):
        table.add_column(name, justify="left" if not name or name.startswith("ms") else "right", no_wrap=True)
    for line in measured["results"]:
        used = line["processor_ms_a_life"]
        spoken = f"{sum(used.values()):.0f}: " + ", ".join(f"{name} {each:.0f}" for name, each in used.items())
        beside = "" if line["who"] == REDRESS else f"{line['redress_beside_it']:.2f}"
        table.add_row(
            str(line["at_once"]),
            line["who"],
            f"{line['lives_a_second']:.2f}",
            beside,
            spoken,
            str(line["events"] or ""),
            str(line["workflow_tasks"] or ""),
        )
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.life", description="What a life costs.")
    parser.add_argument("--lives", type=at_least(1), default=100, help="lives in each batch (100)")
    parser.add_argument("--at-once", type=at_least(1), nargs="+", default=[1, 20, 100], help="together (1 20 100)")
    parser.add_argument("--rounds", type=at_least(1), default=3, help="how often each is measured (3)")
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    options = parser.parse_args(arguments)
    measured = measured_by(
        "bench.life",
        lambda say: measure(lives=options.lives, at_once=options.at_once, rounds=options.rounds, say=say),
    )
    if measured is None:
        return 2
    put_out(measured, show(measured), as_json=options.json, width=140)
    return 0


if __name__ == "__main__":
    sys.exit(main())
