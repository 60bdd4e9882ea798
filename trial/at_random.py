"""The random part: parts are killed, stopped and cut off at random under hundreds of complaints, by a seed."""

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.service import RPCError

from domain.ground.people import Actor
from domain.ground.words import Role, Stage
from domain.people.customers import KeepOnFile
from runtime.database import close_pool, open_pool
from runtime.temporal import connect_to
from trial.checker import check, read_receipts
from trial.driver import Driver, customers_of, log_of
from trial.entrance import Entrance
from trial.evidence import Evidence, Workflow, look_at_workflows
from trial.faults import CLOCKS, Breaker, Staff
from trial.parts import House
from trial.proxy import HOST, Proxy, through
from trial.replays import find_unreplayable
from trial.report import Report
from trial.script import write_script

_STILL: Final = 140.0  # seconds without any end; what fails is tried again after two minutes at most
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
        for what in driver.endless:
            report.add("waited for without end", what, "whoever sends it is to be told that nobody answered")
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
        clock_wrong_by=timedelta(seconds=max(CLOCKS)) if behind else timedelta(0),
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
    refused = dict(driver.refusals.get(workflow, Counter()).most_common(9))
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
