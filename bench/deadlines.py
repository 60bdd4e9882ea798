"""How late deadlines fire: many cases, all due within the same ten seconds.

    python -m bench.deadlines [--cases 2000] [--kills 3] [--seed N] [--lead SECONDS] [--json]

Runs PostgreSQL, a Temporal development server and one worker of its own in a temporary folder, and takes everything
away at the end. In the one run it measures Redress undisturbed, Redress with its worker killed in the middle of the
window, and a plain poller over a table, which is what others do. See README.md beside this file for what is counted.

Progress is told on stderr, the result on stdout. Exit codes: 0 measured; 1 a deadline of Redress was missed or acted
upon twice; 2 nothing was measured, stderr says why.
"""

import argparse
import asyncio
import math
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.table import Table

from bench.common import NotMeasured, at_least, measured_by, percentile, put_out
from domain.case.complaint import Channel, Complainant, Complaint
from domain.ground.words import LetterKind, Role, Stage
from runtime.database import open_pool
from runtime.embedded import Stack
from runtime.running import StackRecord
from runtime.settings import Settings, load_settings
from runtime.temporal import connect
from starter.client.complaints import Complaints

if TYPE_CHECKING:
    from runtime.database import Pool

    Say = Callable[[str], None]

POLICIES: Final = Path(__file__).parent / "policies"
POLICY: Final = "bench-deadlines"
CLOCK: Final = "response"
LENGTH: Final = timedelta(hours=12)
"""From receipt to the due instant, as the pack says."""

WINDOW: Final = 10.0  # seconds within which all cases come due
WITHIN: Final = (1.0, 5.0, 60.0)  # seconds of lateness; for each, the share of cases that were not later
POLL_EVERY: Final = 60.0  # seconds
POLLERS: Final = 12

_AT_ONCE: Final = 16  # complaints being submitted
_PATIENCE: Final = 180.0  # seconds without any progress after which what has not happened counts as missed
_REST: Final = 5.0  # seconds before the window by which every case must be open and at rest


# -- what is counted ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """One line of the result. ``lateness`` in seconds, in any order, of all that happened at all."""

    who: str
    what: str
    cases: int
    lateness: Sequence[float]
    missed: int
    doubled: int

    @property
    def faultless(self) -> bool:
        return self.missed == 0 and self.doubled == 0

    def share_within(self, seconds: float) -> float:
        """The share of all cases, those missed included, that were at most this late: 0 to 1."""
        return sum(late <= seconds for late in self.lateness) / self.cases

    def as_json(self) -> dict[str, Any]:
        """Times in seconds; ``None`` where nothing happened at all."""
        return {
            "who": self.who,
            "what": self.what,
            "cases": self.cases,
            **{
                name: round(percentile(self.lateness, percent), 4) if self.lateness else None
                for name, percent in (("p50", 50), ("p99", 99), ("max", 100))
            },
            "within": {f"{seconds:g} s": round(self.share_within(seconds), 4) for seconds in WITHIN},
            "missed": self.missed,
            "doubled": self.doubled,
        }


def due_instants(start: datetime, count: int) -> list[datetime]:
    """*count* instants spread evenly over the window that begins at *start*."""
    return [start + timedelta(seconds=WINDOW * number / count) for number in range(count)]


def poll_phases(count: int, rng: random.Random) -> list[float]:
    """When in the cycle each of *count* pollers looks, in seconds: at random, each in its own part of the cycle."""
    part = POLL_EVERY / count
    return [part * (number + rng.random()) for number in range(count)]


def next_poll(now: float, phase: float) -> float:
    """The first moment after *now* at which a poller of that phase looks. All in seconds of the same clock."""
    return now + POLL_EVERY - (now - phase) % POLL_EVERY


def show(results: Sequence[Measured], *, cases: int) -> Table:
    """The result as a table."""
    table = Table(
        title=f"{cases:,} cases come due within the same {WINDOW:g} s."
        " What fires: the breach is recorded, the case is escalated, its team lead is told",
        caption="Lateness: how long after the due instant. ≤: share of all cases that were not later than that.",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("", no_wrap=True)
    table.add_column("measured", no_wrap=True)
    for name in ("p50", "p99", "max", *(f"≤ {seconds:g} s" for seconds in WITHIN), "missed", "doubled"):
        table.add_column(name, justify="right")
    who = None
    for result in results:
        times = [_spoken(percentile(result.lateness, percent)) if result.lateness else "–" for percent in (50, 99, 100)]
        shares = [f"{100 * result.share_within(seconds):.1f} %" for seconds in WITHIN]
        name = result.who if result.who != who else ""
        table.add_row(name, result.what, *times, *shares, str(result.missed), str(result.doubled))
        who = result.who
    return table


def _spoken(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


# -- Redress -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bench:
    """What every part of the measurement needs."""

    stack: Stack
    pool: "Pool"
    complaints: Complaints
    rng: random.Random
    say: "Say"

    async def open(self, name: str, due: Sequence[datetime]) -> list[str]:
        """Open a case for each due instant, in random order, and return their references when all are at rest."""
        opened = [_complaint(f"{name}-{number}", at) for number, at in enumerate(due)]
        waiting = self.rng.sample(opened, len(opened))
        began = time.monotonic()

        async def submit() -> None:
            while waiting:
                await self.complaints.submit(waiting.pop())

        await asyncio.gather(*(submit() for _ in range(_AT_ONCE)))
        references = [complaint.reference for complaint in opened]
        # A case with nobody's proposal rests here until its deadline.
        await self._until_all("at rest", references, _AT_REST, references, Stage.DECIDING.value)
        self.say(f"  {len(due):,} cases open and at rest after {time.monotonic() - began:.0f} s")
        return references

    async def settle(self, references: Sequence[str]) -> None:
        """Return when every case's rung has fired and its notice is out, or when nothing moves any more."""
        with suppress(TimeoutError):
            await self._until_all("fired and told", references, _TOLD, references, LetterKind.STAFF_NOTICE.value)

    async def count(self, query: str, *arguments: Any) -> int:
        return int(await self.pool.fetchval(query, *arguments))

    async def kill_worker(self, times: int, references: Sequence[str], start: datetime) -> int:
        """Kill the worker in the middle of its work, evenly over the window; the stack starts it again.

        It is not killed again before it has done something since the last time, nor after all is done. Returns how
        often it was killed.
        """
        before = 0
        for number in range(times):
            await _sleep_until(start + timedelta(seconds=WINDOW * (number + 1) / (times + 1)))
            done, waited_for = before, time.monotonic() + _PATIENCE
            while done == before and time.monotonic() < waited_for:
                await asyncio.sleep(0.05)
                done = await self.count(_FIRED, references, CLOCK)
            if done in {before, len(references)}:
                return number
            record = StackRecord.read(self.stack.settings.state_dir)
            assert record is not None  # noqa: S101 (the stack runs)
            os.kill(record.processes["worker"].pid, signal.SIGKILL)
            # What was under way in PostgreSQL may still be committed.
            await asyncio.sleep(0.2)
            before = await self.count(_FIRED, references, CLOCK)
        return times

    async def _until_all(self, what: str, references: Sequence[str], query: str, *arguments: Any) -> None:
        """Wait until *query* counts all of *references*. Raises ``TimeoutError`` when the count stands still."""
        best, since, told = -1, time.monotonic(), 0.0
        while best < len(references):
            await asyncio.sleep(0.5)
            count = await self.count(query, *arguments)
            now = time.monotonic()
            if count > best:
                best, since = count, now
            elif now - since > _PATIENCE:
                self.say(f"  only {best:,} of {len(references):,} {what}; nothing has moved for {_PATIENCE:.0f} s")
                raise TimeoutError
            if now - told > 10 and best < len(references):
                self.say(f"  {best:,} of {len(references):,} {what}")
                told = now


_AT_REST: Final = "SELECT count(*) FROM casefile.cases WHERE reference = ANY ($1) AND stage = $2"

_FIRED: Final = "SELECT count(*) FROM casefile.firings WHERE reference = ANY ($1) AND clock = $2"

_TOLD: Final = """
    SELECT count(DISTINCT reference) FROM casefile.letters JOIN casefile.letter_attempts USING (key)
    WHERE reference = ANY ($1) AND kind = $2 AND outcome = 'accepted'
"""

# One row a case. What is counted is what was done, in whichever round: each must be there once.
_RESULT: Final = """
    SELECT planned.reference, c.breached,
        (SELECT extract(epoch FROM min(l.lateness))::float8 FROM casefile.deadline_ledger l
            WHERE (l.reference, l.clock) = (planned.reference, planned.clock)) AS fired,
        (SELECT extract(epoch FROM min(a.at) - planned.due)::float8
            FROM casefile.letters l JOIN casefile.letter_attempts a USING (key)
            WHERE l.reference = planned.reference AND l.kind = $3 AND a.outcome = 'accepted') AS told,
        (SELECT count(*) FROM casefile.firings f
            WHERE (f.reference, f.clock) = (planned.reference, planned.clock)) AS firings,
        (SELECT count(*) FROM casefile.timeline t
            WHERE t.reference = planned.reference AND t.kind = 'breach') AS breaches,
        (SELECT count(*) FROM casefile.timeline t
            WHERE t.reference = planned.reference AND t.kind = 'escalation') AS escalations,
        (SELECT count(*) FROM casefile.letters l
            WHERE l.reference = planned.reference AND l.kind = $3) AS notices,
        (SELECT count(*) FROM casefile.letters l JOIN casefile.letter_attempts a USING (key)
            WHERE l.reference = planned.reference AND l.kind = $3 AND a.outcome = 'accepted') AS acceptances
    FROM casefile.deadlines planned JOIN casefile.cases c USING (reference)
    WHERE planned.reference = ANY ($1) AND planned.clock = $2
"""


async def read(pool: "Pool", who: str, references: Sequence[str]) -> list[Measured]:
    """What the case files say of these cases: whether and when the rung fired, and whether and when staff were told.

    A case counts as missed if anything that its rung does is not there, as doubled if anything is there twice.
    """
    rows = await pool.fetch(_RESULT, references, CLOCK, LetterKind.STAFF_NOTICE.value)
    cases = len(references)
    done = [[row["firings"], row["breaches"], row["escalations"], int(row["breached"])] for row in rows]
    told = [[row["notices"], row["acceptances"]] for row in rows]

    def measured(what: str, lateness: str, counts: Sequence[Sequence[int]]) -> Measured:
        return Measured(
            who,
            what,
            cases,
            [row[lateness] for row in rows if row[lateness] is not None],
            missed=cases - sum(min(each) > 0 for each in counts),
            doubled=sum(max(each) > 1 for each in counts),
        )

    return [measured("rung fired", "fired", done), measured("team lead told", "told", told)]


def _complaint(key: str, due: datetime) -> Complaint:
    return Complaint(
        source="bench",
        idempotency_key=key,
        received_at=due - LENGTH,
        channel=Channel.WEB,
        language="en",
        complainant=Complainant(name="Account holder", email=f"{key}@example.com"),
        account=key,
        description="Your support did not answer my question about my statement.",
    )


# -- what others do ----------------------------------------------------------------------------------------------------


async def poll(pool: "Pool", due: Sequence[datetime], rng: random.Random) -> Measured:
    """Stamp rows of a table when a scan every 60 seconds finds them due; return when every one has been stamped.

    How late a poller is depends on when it happens to look. So the rows are dealt to several, each on its own, which
    look at different moments of the cycle; the lateness of all of them together is what one may expect of any.
    """
    await pool.execute(
        """
        CREATE SCHEMA bench;
        CREATE TABLE bench.due (
            id integer PRIMARY KEY, poller integer NOT NULL, due timestamptz NOT NULL, fired_at timestamptz,
            times integer NOT NULL DEFAULT 0);
        CREATE INDEX ON bench.due (poller, due) WHERE fired_at IS NULL;
        """
    )
    dealt = rng.sample(range(len(due)), len(due))
    await pool.executemany(
        "INSERT INTO bench.due (id, poller, due) VALUES ($1, $2, $3)",
        [(number, dealt[number] % POLLERS, at) for number, at in enumerate(due)],
    )
    async with asyncio.TaskGroup() as group:
        for number, phase in enumerate(poll_phases(POLLERS, rng)):
            group.create_task(_poll(pool, number, phase))
    rows = await pool.fetch("SELECT times, extract(epoch FROM fired_at - due)::float8 AS late FROM bench.due")
    late = [row["late"] for row in rows if row["late"] is not None]
    return Measured(
        f"A poller every {POLL_EVERY:g} s",
        "row stamped",
        len(rows),
        late,
        missed=len(rows) - len(late),
        doubled=sum(row["times"] > 1 for row in rows),
    )


async def _poll(pool: "Pool", number: int, phase: float) -> None:
    waiting = True
    while waiting:
        await asyncio.sleep(next_poll(time.time(), phase) - time.time())
        await pool.execute(
            "UPDATE bench.due SET fired_at = clock_timestamp(), times = times + 1"
            " WHERE poller = $1 AND due <= now() AND fired_at IS NULL",
            number,
        )
        waiting = await pool.fetchval(
            "SELECT EXISTS (SELECT FROM bench.due WHERE poller = $1 AND fired_at IS NULL)", number
        )


# -- the run -----------------------------------------------------------------------------------------------------------


async def measure(*, cases: int, kills: int, seed: int, lead: float | None, say: "Say") -> Mapping[str, Any]:
    """Everything in one run: ``results`` (a list of :class:`Measured`) and what they were measured under."""
    with tempfile.TemporaryDirectory(prefix="redress-bench-") as place:
        say("Starting PostgreSQL, Temporal and a worker in a temporary folder ...")
        async with (
            Stack(_settings(Path(place)), say=lambda news: say(f"  {news}")) as stack,
            await open_pool(stack.settings.database_url or "", max_size=POLLERS + 4) as pool,
        ):
            rng = random.Random(seed)  # noqa: S311 (a seed that can be repeated, nothing secret)
            complaints = Complaints(await connect(stack.settings), task_queue=stack.settings.task_queue)
            bench = Bench(stack, pool, complaints, rng, say)
            try:
                measured = await _measure(bench, cases=cases, kills=kills, lead=lead)
            finally:
                say("Stopping the servers ...")
    return {
        "cases": cases,
        "window_seconds": WINDOW,
        "seed": seed,
        "processors": os.cpu_count(),
        **measured,
    }


async def _measure(bench: Bench, *, cases: int, kills: int, lead: float | None) -> dict[str, Any]:
    if lead is None:
        lead = await _needed_to_open(bench, cases)

    start, references = await _all_due_in(bench, "undisturbed", cases, lead)
    async with asyncio.TaskGroup() as group:
        polled = group.create_task(poll(bench.pool, due_instants(start, cases), bench.rng))
        await _sleep_until(start + timedelta(seconds=WINDOW))
        await bench.settle(references)
        bench.say("  waiting for the pollers")
    results = await read(bench.pool, "Redress", references)

    killed = 0
    if kills:
        start, references = await _all_due_in(bench, "killed", cases, lead)
        killed = await bench.kill_worker(kills, references, start)
        await _sleep_until(start + timedelta(seconds=WINDOW))
        await bench.settle(references)
        results += await read(bench.pool, f"Redress, worker killed {killed}×", references)
        if killed < kills:
            bench.say(f"  all was done before the worker could be killed {kills} times: take more cases")
    return {"kills": killed, "results": [*results, polled.result()]}


async def _needed_to_open(bench: Bench, cases: int) -> float:
    """Seconds before the window that it takes to open *cases* at leisure, found with some that never come due."""
    few = max(20, cases // 10)
    bench.say(f"Opening {few:,} cases to see how long it takes ...")
    began = time.monotonic()
    await bench.open("warming-up", [datetime.now(UTC) + LENGTH] * few)
    return 2 * cases * (time.monotonic() - began) / few + 6 * _REST


async def _all_due_in(bench: Bench, name: str, cases: int, lead: float) -> tuple[datetime, Sequence[str]]:
    """Open cases that come due *lead* seconds from now, and return when the window opens: its start, and the cases.

    Raises `NotMeasured` if they are not at rest in time.
    """
    start = datetime.now(UTC) + timedelta(seconds=lead)
    bench.say(f"{name.capitalize()}: opening {cases:,} cases that come due from {start:%H:%M:%S} UTC on ...")
    try:
        async with asyncio.timeout(lead - _REST):
            references = await bench.open(name, due_instants(start, cases))
    except TimeoutError:
        raise NotMeasured(
            f"{cases:,} cases were not open and at rest {_REST:g} s before they came due."
            f" Give them more time: --lead {math.ceil(2 * lead)}"
        ) from None
    await _sleep_until(start)
    bench.say(f"  the window is open; load of the machine {os.getloadavg()[0]:.1f}")
    return start, references


async def _sleep_until(instant: datetime) -> None:
    await asyncio.sleep((instant - datetime.now(UTC)).total_seconds())


def _settings(place: Path) -> Settings:
    return load_settings(
        state_dir=place,
        default_policy=POLICY,
        firm_name="Example Bullion",
        log_format="json",
        log_level="WARNING",
        # Told by a letter that is handed over, not by a mere entry.
        staff_addresses={Role.TEAM_LEAD.value: "team-lead@example.com"},
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.deadlines", description="How late deadlines fire.")
    parser.add_argument("--cases", type=at_least(1), default=2000, help="how many come due in each window (2000)")
    parser.add_argument("--kills", type=at_least(0), default=3, help="how often the worker is killed (3)")
    parser.add_argument("--seed", type=int, default=1, help="for the order of cases and the pollers' moments (1)")
    parser.add_argument("--lead", type=float, help="seconds to open the cases before they come due (found out)")
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit code."""
    options = _options(arguments)
    measured = measured_by(
        "bench.deadlines",
        lambda say: measure(cases=options.cases, kills=options.kills, seed=options.seed, lead=options.lead, say=say),
        policies=POLICIES,
    )
    if measured is None:
        return 2
    results: Sequence[Measured] = measured["results"]
    answer = {**measured, "results": [result.as_json() for result in results]}
    put_out(answer, show(results, cases=options.cases), as_json=options.json, width=120)
    return 0 if all(result.faultless for result in results if result.who.startswith("Redress")) else 1


if __name__ == "__main__":
    sys.exit(main())
