"""The report on a month over many cases: how long it takes, and how much memory.

The cases are invented, as facts in a PostgreSQL of its own; the report is made and written in every format.
"""

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any, Final

from pydantic_core import to_json
from rich.console import Console

from bench.common import at_least, forget_configuration
from bench.generated_cases import generated
from domain.ground.bilingual import Bilingual
from domain.learning.facts import CaseFact
from domain.learning.periods import Period
from runtime.database import LONG_PATIENCE, Pool, close_pool, migrate, open_pool
from runtime.embedded_postgres import EmbeddedPostgres
from starter.evidence.words import LANGUAGES
from starter.reports.making import FORMATS, make_report, rendered

MONTH: Final = "2026-11"
_COLUMNS: Final = ("reference", "kind", "at", "key", "data")
_STAGE: Final = "create temp table staged (reference text, kind text, at timestamptz, key text, data text)"
_TAKE: Final = """
    insert into reporting.facts (reference, kind, at, key, data)
    select reference, kind, at, key, data::jsonb from staged
"""
FactRow = tuple[str, str, datetime, str | None, dict[str, Any]]


def facts_rows(case: CaseFact) -> Iterator[FactRow]:
    """The facts that tell of *case*."""
    opened = {"source": "bench", "channel": case.channel, "language": case.language, "policy": case.policy}
    yield case.reference, "opened", case.received_at, "opened", opened
    described = {name: value for name, value in (("product", case.product), ("entity", case.entity)) if value}
    yield case.reference, "described", case.received_at, "described", described
    state: dict[str, Any] = {
        "stage": case.stage,
        "category": case.category,
        "priority": case.priority,
        "in_scope": case.in_scope,
        "repeat": case.repeat,
        "team": case.team,
        "handler": case.handler,
    }
    for _, at in case.turns:
        yield case.reference, "state", at, None, state
    state |= {"outcome": case.outcome} if case.outcome else {}
    state |= {"closed_at": case.closed_at} if case.closed_at else {}
    yield case.reference, "state", case.closed_at or case.received_at, None, state
    for kind, at in case.turns:
        yield case.reference, kind, at, None, {}
    for number, one in enumerate(case.clocks):
        told = {"clock": one.clock, "round": number, "statutory": one.statutory, "due": one.due}
        yield case.reference, "missed" if one.missed else "met", one.at, None, told
    for number, found in enumerate(case.findings):
        told = {"check": found.check, "verdict": found.verdict, "sources": list(found.sources)}
        yield case.reference, "finding", case.received_at, f"finding:{number}", told
    if case.cause:
        said = {"cause": case.cause, "contributing": list(case.contributing)}
        yield case.reference, "cause", case.closed_at or case.received_at, "cause", said
    for award in case.awards:
        yield case.reference, "award", award.at, None, {"amount": str(award.amount), "currency": award.currency}
    if case.score:
        yield case.reference, "feedback", case.closed_at or case.received_at, "feedback", {"score": case.score}
    if case.vulnerable:
        said = {"kind": "vulnerability", "step": "confirmed", "by": "person"}
        yield case.reference, "sign", case.received_at, "sign", said


async def fill(pool: Pool, cases: int, seed: int) -> None:
    """Write the facts of so many invented cases."""
    rows = chain.from_iterable(map(facts_rows, generated(cases, seed)))
    async with pool.acquire() as connection:
        await connection.execute(_STAGE)
        records = ((*row[:4], to_json(row[4]).decode()) for row in rows)
        await connection.copy_records_to_table("staged", columns=_COLUMNS, records=records)
        await connection.execute(_TAKE)
        await connection.execute("vacuum analyze reporting.facts")


async def measure(cases: int, seed: int) -> dict[str, Any]:
    """Seconds and megabytes of the report on the last month."""
    with tempfile.TemporaryDirectory(prefix="redress-bench-") as place:
        folder = Path(place)
        async with EmbeddedPostgres(folder / "data", log=folder / "log") as server:
            await migrate(server.url())
            pool = await open_pool(server.url(), max_size=2, patience=LONG_PATIENCE)
            try:
                await fill(pool, cases, seed)
                facts = await pool.fetchval("select count(*) from reporting.facts")
                before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                began, worked = time.monotonic(), time.process_time()
                report = await make_report(pool, Period.named(MONTH))
                made = time.monotonic() - began
                sizes = {
                    form: len(rendered(report, form, LANGUAGES, firm=Bilingual(en="bench", zh="bench")))
                    for form in FORMATS
                }
                return {
                    "cases": cases,
                    "facts": facts,
                    "report_seconds": round(made, 1),
                    "with_files_seconds": round(time.monotonic() - began, 1),
                    "processor_seconds": round(time.process_time() - worked, 1),
                    "memory_before_mb": before // 1024,
                    "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                    "bytes": sizes,
                    "hash": report.hash,
                }
            finally:
                await close_pool(pool)


def main() -> int:
    """Measure, and print what came of it; 1 where it took more than a minute or 500 MB."""
    parser = argparse.ArgumentParser(prog="bench.reporting", description=__doc__)
    parser.add_argument("--cases", type=at_least(100), default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    forget_configuration()
    found = asyncio.run(measure(options.cases, options.seed))
    Console(highlight=False).print(json.dumps(found, indent=2))
    return 0 if found["with_files_seconds"] <= 60 and found["memory_mb"] <= 500 else 1


if __name__ == "__main__":
    sys.exit(main())
