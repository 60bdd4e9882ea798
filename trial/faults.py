"""The random part: parts are killed, stopped and cut off at random under hundreds of complaints, by a seed."""

import asyncio
import os
import random
import re
import resource
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg
import psutil
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.service import RPCError

from domain.ground.people import Actor
from domain.ground.words import Role, Stage
from domain.people.customers import KeepOnFile
from runtime.database import close_pool, open_pool
from runtime.temporal import connect_to
from trial import receivers
from trial.checker import check, look_at_workflows, read_receipts
from trial.driver import Driver, customers_of, log_of
from trial.entrance import Entrance
from trial.evidence import Evidence, Workflow
from trial.parts import House, WorkerHandle
from trial.proxy import HOST, Proxy, through
from trial.replays import find_unreplayable
from trial.report import Report
from trial.script import write_script

_WORKERS: Final = 2
_HANDS: Final = 2
"""How many things are broken at a time."""
_STILL: Final = 140.0  # seconds without any end; what fails is tried again after two minutes at most
_CLOCKS: Final = (-15, -3, 3, 15)
"""By how many seconds a worker's clock is wrong."""
_HELP: Final = 60.0  # seconds for a round of help
_CALM: Final = 330.0  # seconds until every case must have come to its end when nothing is broken any more


@dataclass
class Outcome:
    """What a run came to."""

    seed: int
    report: Report
    faults: Counter[str]
    receipts: Counter[str]
    refused: Counter[str] = field(default_factory=Counter)


class Staff:
    """Workers that are replaced when they end."""

    def __init__(self, house: House, environment: dict[str, str], clock: Path) -> None:
        self._house = house
        self._environment = environment
        self._clock = clock
        self.now: dict[int, WorkerHandle] = {}
        self.deaths: Counter[str] = Counter()

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator["Staff"]:
        keepers = [asyncio.create_task(self._keep(number)) for number in range(_WORKERS)]
        try:
            yield self
        finally:
            for keeper in keepers:
                keeper.cancel()
            await asyncio.wait(keepers)
            for handle in self.now.values():
                handle.send(signal.SIGCONT)
                await handle.kill()

    async def _keep(self, number: int) -> None:
        log = self._house.folder / f"worker-{number}.log"
        while True:
            handle = await self._house.nursery.bear(f"worker{number}", self._environment, log, clock=self._clock)
            self.now[number] = handle
            await handle.ended.wait()
            self.deaths[str(handle.code)] += 1
            await asyncio.sleep(0.3)

    def any(self, rng: random.Random) -> WorkerHandle:
        return self.now[rng.randrange(_WORKERS)]


class Breaker:
    """Breaks one thing after the other until it is told to stop; then everything is whole again."""

    def __init__(self, house: House, staff: Staff, proxies: dict[str, Proxy], clock: Path, rng: random.Random) -> None:
        self._house = house
        self._staff = staff
        self._proxies = proxies
        self._clock = clock
        self._rng = rng
        self.done: Counter[str] = Counter()
        self._mail, self._rail = receivers.ACCEPT, receivers.PAY
        self._outbox = asyncio.Lock()
        house.mail.how = lambda _: self._mail
        house.rail.how = lambda _: self._rail

    @property
    def _kinds(self) -> dict[str, tuple[int, Callable[[], Awaitable[str]]]]:
        """What can be broken, and how often in comparison."""
        return {
            "kill worker": (6, self._kill_worker),
            "stop worker": (3, self._stop_worker),
            "end worker": (2, self._end_worker),
            "kill Temporal": (1, self._kill_temporal),
            "stop Temporal": (2, self._stop_temporal),
            "kill PostgreSQL": (1, self._kill_postgres),
            "stop PostgreSQL": (2, self._stop_postgres),
            "line": (8, self._break_a_line),
            "cut PostgreSQL": (1, self._cut_the_database),
            "mail": (3, self._break_mail),
            "rail": (3, self._break_rail),
            "disk of worker": (2, self._fill_the_disk),
            "disk of servers": (1, self._fill_the_disk_of_servers),
            "outbox": (2, self._take_the_outbox),
            "clock": (3, self._move_the_clock),
        }

    async def break_things(
        self, seconds: float, say: Callable[[str], None], *, only: Collection[str] | None = None
    ) -> None:
        """Break for so many *seconds*: anything, or *only* these of :attr:`_kinds`."""
        kinds = [(weight, break_it) for name, (weight, break_it) in self._kinds.items() if not only or name in only]
        until = time.monotonic() + seconds

        async def go_on(rng: random.Random) -> None:
            while time.monotonic() < until:
                await asyncio.sleep(rng.uniform(0.3, 3))
                _, break_it = rng.choices(kinds, [weight for weight, _ in kinds])[0]
                what = await break_it()
                self.done[what] += 1
                say(f"  {what}")

        # Two things can be broken at once; each hand has its own dice, so that their order does not matter.
        hands = [random.Random(self._rng.random()) for _ in range(_HANDS)]  # noqa: S311
        await asyncio.gather(*(go_on(rng) for rng in hands))
        self.restore()

    def restore(self) -> None:
        """Everything is whole again."""
        for proxy in self._proxies.values():
            proxy.restore()
        self._mail, self._rail = receivers.ACCEPT, receivers.PAY
        self._clock.write_text("0")

    # -- what can be broken --------------------------------------------------------------------------------------------

    async def _kill_worker(self) -> str:
        self._staff.any(self._rng).send(signal.SIGKILL)
        return "worker: kill -9"

    async def _end_worker(self) -> str:
        worker = self._staff.any(self._rng)
        worker.send(signal.SIGTERM)
        if self._rng.random() < 0.5:
            await asyncio.sleep(self._rng.uniform(0.05, 0.5))
            worker.send(signal.SIGKILL)
            return "worker: SIGTERM, then kill -9"
        return "worker: SIGTERM"

    async def _stop_worker(self) -> str:
        worker = self._staff.any(self._rng)
        worker.send(signal.SIGSTOP)
        await asyncio.sleep(self._rng.choice((0.5, 3, 5, 11)))
        worker.send(signal.SIGCONT)
        return "worker: SIGSTOP"

    async def _kill_temporal(self) -> str:
        os.kill(self._house.processes["temporal"].pid, signal.SIGKILL)
        await asyncio.sleep(4)
        return "Temporal: kill -9"

    async def _stop_temporal(self) -> str:
        await self._stop(self._house.processes["temporal"].pid, self._rng.choice((1, 3, 6)))
        return "Temporal: SIGSTOP"

    async def _kill_postgres(self) -> str:
        os.kill(self._house.processes["postgres"].pid, signal.SIGKILL)
        await asyncio.sleep(2)
        return "PostgreSQL: kill -9"

    async def _stop_postgres(self) -> str:
        await self._stop(self._house.processes["postgres"].pid, self._rng.choice((1, 5, 9)))
        return "PostgreSQL: SIGSTOP"

    async def _stop(self, pid: int, seconds: float) -> None:
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            whole = psutil.Process(pid)
            family = [whole, *whole.children(recursive=True)]
            for each in family:
                with suppress(psutil.NoSuchProcess):
                    each.suspend()
            await asyncio.sleep(seconds)
            for each in family:
                with suppress(psutil.NoSuchProcess):
                    each.resume()

    async def _break_a_line(self) -> str:
        name = self._rng.choice(sorted(self._proxies))
        proxy, how = self._proxies[name], self._rng.choice(("cut", "reset", "swallow", "slow", "refuse"))
        getattr(proxy, how)()
        if how not in {"cut", "reset"}:
            await asyncio.sleep(self._rng.choice((0.5, 3, 6, 12)))
            proxy.restore()
        return f"{name}: {how}"

    async def _cut_the_database(self) -> str:
        name = next(name for name in self._proxies if name.endswith("PostgreSQL"))
        how = self._rng.choice(("cut", "reset"))
        getattr(self._proxies[name], how)()
        return f"{name}: {how}"

    async def _break_mail(self) -> str:
        self._mail = self._rng.choice((receivers.DROP, receivers.HANG, receivers.REFUSE, receivers.CUT))
        what = f"SMTP: {self._mail}"
        await asyncio.sleep(self._rng.choice((1, 4, 8)))
        self._mail = receivers.ACCEPT
        return what

    async def _break_rail(self) -> str:
        self._rail = self._rng.choice((receivers.LOSE, receivers.DEAF, receivers.FAIL, receivers.GARBLE))
        what = f"rail: {self._rail}"
        await asyncio.sleep(self._rng.choice((1, 4, 8)))
        self._rail = receivers.PAY
        return what

    async def _fill_the_disk(self) -> str:
        """No file may grow: for whoever writes that is a full disk."""
        worker = self._staff.any(self._rng)
        with suppress(ProcessLookupError, PermissionError):
            resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            await asyncio.sleep(self._rng.choice((2, 5)))
            with suppress(ProcessLookupError, PermissionError):
                resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        return "disk full"

    async def _fill_the_disk_of_servers(self) -> str:
        """The state folder is full: what PostgreSQL or Temporal keep cannot grow."""
        which = self._rng.choice(("PostgreSQL", "Temporal"))
        seconds = self._rng.choice((1, 3))
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            whole = psutil.Process(self._house.processes[_PROCESSES[which]].pid)
            family = [whole, *whole.children(recursive=True)]
            _limit(family, 0)
            await asyncio.sleep(seconds)
            with suppress(psutil.NoSuchProcess):
                family += whole.children(recursive=True)
            _limit(family, resource.RLIM_INFINITY)
        return f"{which}: disk full"

    async def _take_the_outbox(self) -> str:
        """The folder cannot be used: read-only does not bind root, a file in its place does."""
        async with self._outbox:
            return await self._without_an_outbox()

    async def _without_an_outbox(self) -> str:
        outbox = self._house.folder / "outbox"
        aside = self._house.folder / "outbox-aside"
        if outbox.exists():
            outbox.rename(aside)
        outbox.write_text("in the way")
        await asyncio.sleep(self._rng.choice((2, 5)))
        outbox.unlink()
        if aside.exists():
            aside.rename(outbox)
        return "outbox taken away"

    async def _move_the_clock(self) -> str:
        seconds = self._rng.choice(_CLOCKS)
        self._clock.write_text(str(seconds))
        await asyncio.sleep(self._rng.choice((2, 6)))
        self._clock.write_text("0")
        return f"clock: {'ahead' if seconds > 0 else 'behind'}"


_PROCESSES: Final = {"PostgreSQL": "postgres", "Temporal": "temporal"}


def _limit(family: Sequence[psutil.Process], size: int) -> None:
    """Let no file that one of *family* writes grow beyond *size* bytes."""
    for each in family:
        with suppress(psutil.NoSuchProcess, ProcessLookupError, PermissionError):
            resource.prlimit(each.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


async def run_at_random(
    house: House,
    say: Callable[[str], None],
    *,
    seed: int,
    cases: int,
    seconds: float,
    calm: bool = False,
    only: Collection[str] | None = None,
    policy: str = "demo",
) -> Outcome:
    """Play *cases* complaints while things break for so many *seconds* (nothing where *calm*), then check.

    *only* is what may break, of the names of the :class:`Breaker`.
    """
    house.mail.taken.clear()  # of the run before
    house.rail.payments.clear()
    rng = random.Random(seed)  # noqa: S311 - faults, no secret
    script = write_script(seed, cases=cases, seconds=seconds)
    receipts = house.folder / f"receipts-{seed}.jsonl"
    clock = house.folder / "clock"
    clock.write_text("0")
    name = f"random-{seed}"
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(house.database(name))
        lines = await _lines(house, stack)
        environment = _through_the_lines(house, url, name, lines, policy)
        pool = await open_pool(url, max_size=4)
        stack.push_async_callback(pool.close)
        pages = await open_pool(environment["DATABASE_URL"], max_size=4)
        stack.push_async_callback(close_pool, pages)
        client = house.trust.speaking(await _client(lines["client – Temporal"]))
        driver = Driver(client, name, script, receipts, data=house.data, entrance=Entrance(pages))
        stack.callback(driver.close)
        await pool.executemany(_WITHDRAWAL, log_of(script, datetime.now(UTC)))
        for account, accounts, filed in customers_of(script, house.data):
            await pool.execute(_CUSTOMER, account)
            said = KeepOnFile(message_id=f"known-{account}", actor=_KEEPER, kind="customer", record=filed)
            proof = (said.message_id, house.trust.issuer.speaks_for_its_user(account, said))
            await pool.execute(_CUSTOMER_FILE, account, accounts, filed, str(_KEEPER), *proof)
        staff = await stack.enter_async_context(Staff(house, environment, clock).at_work())
        await asyncio.sleep(1)
        breaker = Breaker(house, staff, lines, clock, rng)
        playing = asyncio.create_task(driver.play())
        if calm:
            await asyncio.sleep(seconds)
        else:
            await breaker.break_things(seconds, say, only=only)
        say("  everything is whole again")
        await playing
        left = await _come_to_an_end(house, pool, driver, name, say)
        report = await check(
            pool, await _evidence(house, name, receipts, url, behind=bool(breaker.done["clock: behind"]))
        )
        for workflow in left:
            report.add("not at its end", workflow, await _how_far(house, pool, workflow, driver))
        counted = Counter(f"{one.what}: {one.name}" for one in read_receipts(receipts))
        return Outcome(seed, report, breaker.done, counted, driver.refused)


async def _evidence(house: House, name: str, receipts: Path, url: str, *, behind: bool) -> Evidence:
    """What is known of the run *name*, of which the clock may have been *behind*; odd histories are kept."""
    evidence = Evidence(
        receipts=read_receipts(receipts),
        letters=house.mail.taken,
        payments=house.rail.payments,
        workflows=await look_at_workflows(house.client, name),
        outbox=house.folder / "outbox",
        database_url=url,
        rail=True,
        clock_wrong_by=timedelta(seconds=max(_CLOCKS)) if behind else timedelta(0),
    )
    await _keep_histories(house, evidence.workflows)
    unreplayable = await find_unreplayable(house.client, name)
    for history, _ in unreplayable:
        (house.folder / "histories" / f"{history.workflow_id}-{history.run_id}.json").write_text(history.to_json())
    evidence.unreplayable = [(history.workflow_id, said) for history, said in unreplayable]
    return evidence


async def _keep_histories(house: House, workflows: Sequence[Workflow]) -> None:
    """The histories of workflows that are not as they must be: the folder of logs goes with them."""
    place = house.folder / "histories"
    place.mkdir(exist_ok=True)
    for one in workflows:
        if one.problems or one.attempt > 1 or one.status in {"FAILED", "TERMINATED", "TIMED_OUT", "CANCELED"}:
            history = await house.client.get_workflow_handle(one.id).fetch_history()
            (place / f"{one.id}.json").write_text(history.to_json())


async def _lines(house: House, stack: AsyncExitStack) -> dict[str, Proxy]:
    host, _, port = house.temporal.address.rpartition(":")
    socket = (house.postgres.own_socket_dir or house.folder / "postgres") / ".s.PGSQL.5432"
    place = house.folder / "line"
    place.mkdir(exist_ok=True)
    lines = {
        "worker – Temporal": Proxy("temporal", (host, int(port))),
        "client – Temporal": Proxy("client", (host, int(port))),
        "worker – SMTP": Proxy("smtp", (HOST, house.mail.port)),
        "worker – rail": Proxy("rail", (HOST, house.rail.port)),
        "worker – PostgreSQL": Proxy("postgres", socket),
    }
    for name, proxy in lines.items():
        path = place / ".s.PGSQL.5432" if name.endswith("PostgreSQL") else None
        if path:
            path.unlink(missing_ok=True)
        await stack.enter_async_context(through(proxy, path))
    return lines


def _through_the_lines(house: House, url: str, name: str, lines: dict[str, Proxy], policy: str) -> dict[str, str]:
    whole = house.environment(url, name, rail=True, policy=policy)
    return {
        **whole,
        "DATABASE_URL": f"postgresql://postgres@/{name}?host={house.folder / 'line'}&port=5432",
        "TEMPORAL_ADDRESS": f"{HOST}:{lines['worker – Temporal'].port}",
        "REDRESS_SMTP_PORT": str(lines["worker – SMTP"].port),
        "REDRESS_PAYMENT_URL": f"http://{HOST}:{lines['worker – rail'].port}/v1",
        "REDRESS_OUTBOX_DIR": str(house.folder / "outbox"),
    }


async def _client(proxy: Proxy) -> Client:
    return await connect_to({"target_host": f"{HOST}:{proxy.port}", "namespace": "default"})


_CUSTOMER: Final = """
    insert into casefile.customers (account, name, language) values ($1, 'A Customer', 'en')
"""
_KEEPER: Final = Actor(id="keeper", role=Role.TEAM_LEAD)
_CUSTOMER_FILE: Final = """
    insert into casefile.customer_files (kind, subject, accounts, record, recorded_by, message_id, token)
    values ('customer', $1, $2, $3, $4, $5, $6)
"""
_WITHDRAWAL: Final = (
    "insert into tradelog.account_entries (entry, account, kind, amount, currency, requested_at, booked_at)"
    " values ($1, $2, $3, $4, $5, $6, $7)"
)


_UNOPENED: Final = """
    select workflow_id from casefile.unopened
    where state = 'waiting' and not exists (select from casefile.cases where reference = workflow_id)
"""


async def _how_far(house: House, pool: "asyncpg.Pool[asyncpg.Record]", workflow: str, driver: Driver) -> str:
    """Where a workflow stays though people did all that was theirs to do, and what it waits for."""
    seen = (await house.client.get_workflow_handle(workflow).describe()).raw_description
    waits = [f"{one.activity_type.name}, attempt {one.attempt}" for one in seen.pending_activities]
    stage, stands = await pool.fetchval(_STAGE, workflow), await _where_it_waits(house, workflow)
    refused = dict(driver.refusals.get(workflow, Counter()).most_common(3))
    page = await _its_page(house, workflow)
    return f"it stays at {stage}; under way: {waits}; {page}; it waits in {stands}; refused: {refused}"


async def _its_page(house: House, workflow: str) -> str:
    """What its page in Temporal's UI says that it waits for."""
    handle = house.client.get_workflow_handle(workflow)
    try:
        seen = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata, rpc_timeout=_ANSWER)
    except (RPCError, WorkflowQueryFailedError) as error:
        return f"no page: {type(error).__name__}"
    lines = [line for line in seen.current_details.splitlines() if re.match(r"\*\*(On its way|Owed|Waiting)", line)]
    return "; ".join(lines) or "its page says nothing of it"


async def _where_it_waits(house: House, workflow: str) -> list[str]:
    """The lines of our own at which the coroutines of a workflow wait."""
    try:
        trace: str = await house.client.get_workflow_handle(workflow).query("__stack_trace", rpc_timeout=_ANSWER)
    except (RPCError, WorkflowQueryFailedError) as error:
        return [f"nobody answers: {type(error).__name__}"]
    return [" ".join(frame) for frame in _FRAME.findall(trace)]


_FRAME: Final = re.compile(r"(workflows/[\w/]+)\.py\", line (\d+), in (\w+)")
_ANSWER: Final = timedelta(seconds=10)
_STAGE: Final = """
    select stage from casefile.cases where reference = $1
    union select stage from casefile.incidents where reference = $1
"""


async def _come_to_an_end(
    house: House, pool: "asyncpg.Pool[asyncpg.Record]", driver: Driver, name: str, say: Callable[[str], None]
) -> Collection[str]:
    """Wait until every case is closed, helping those along that wait for people. Returns the workflows that are not."""
    until, number = time.monotonic() + _CALM, 0
    before, unchanged_since = set[str](), time.monotonic()
    while time.monotonic() < until:
        waiting_for_a_pack = {row["workflow_id"] for row in await pool.fetch(_UNOPENED)}
        left = [
            one
            async for one in house.client.list_workflows(f"TaskQueue = '{name}' and ExecutionStatus = 'Running'")
            if one.id not in waiting_for_a_pack
        ]
        if not left and not await pool.fetchval("select exists (select from intake.waiting)"):
            return ()
        number += 1
        if {one.id for one in left} != before:
            before, unchanged_since = {one.id for one in left}, time.monotonic()
        elif time.monotonic() - unchanged_since > _STILL:
            break
        open_cases = await pool.fetch("select reference, stage from casefile.cases where closed_at is null")
        waiting = [row["reference"] for row in open_cases if row["stage"] in {"deciding", "investigating"}]
        if number % 5 == 0:
            say(f"  {len(left)} workflows left, {len(waiting)} cases wait for people")
        incidents = [one.id for one in left if one.workflow_type == "Incident"]
        # One that answers nobody must not keep help from the others.
        with suppress(TimeoutError):
            async with asyncio.timeout(_HELP), asyncio.TaskGroup() as group:
                for at, reference in enumerate(incidents):
                    group.create_task(driver.help_incident(reference, 1000 * number + at))
                for row in open_cases:
                    group.create_task(driver.see_to(row["reference"], Stage(row["stage"]), number))
                for at, reference in enumerate(waiting):
                    group.create_task(driver.help_out(reference, 1000 * number + at))
        await asyncio.sleep(2)
    return before
