"""How long it takes to read among very many cases.

    python -m bench.reading [--cases 200000] [--reads 100] [--json]

Some complaints live with Redress itself; then what the record has of them is copied under other references and at
other times until there are so many cases, half of them open. What people look at is then read again and again, each
time for something else: lists, inbox, deadlines, a case, a search. Counted is the time until the answer is there, so
that Python's part is in it.

The desk's pages are then asked for over HTTP, see `bench.whole_pages`.

Progress is told on stderr, the result on stdout. Exit codes: 0 measured, p95 of every reading is under 50 ms and
that of every page under 150; 1 it is not; 2 nothing was measured, stderr says why.
"""

import argparse
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import asyncpg
from rich import box
from rich.console import Group
from rich.table import Table

from bench.common import at_least, measured_by, percentile, put_out, until
from bench.life import CUSTOMER
from bench.visitor import doors_of
from bench.whole_pages import Used, lengthen, measure_pages, pages_shown, staffed, worked_on
from domain.case.complaint import Channel, Complainant, Complaint
from domain.ground.reference import reference_for
from domain.ground.words import Category, Stage
from runtime.database import open_pool
from runtime.embedded import Stack
from runtime.settings import load_settings
from runtime.temporal import connect
from starter.client.complaints import Complaints
from starter.client.holders import Holder, add_holder
from starter.reading.cases import get_case, get_timeline, list_cases
from starter.reading.deadlines import get_coming_due, get_deadlines
from starter.reading.inbox import read_inbox
from starter.reading.search import search
from starter.reading.tasks import get_tasks
from starter.reading.worklist import Filters, View, count_worklist, read_worklist

if TYPE_CHECKING:
    from runtime.database import Connection, Pool

PROMISED: Final = 0.050  # seconds, p95
YEARS: Final = timedelta(days=3 * 365)
_TEXTS: Final = (
    ("en", "My stop-loss on gold was filled far below the price that I had set."),
    ("en", "You charged an inactivity fee that nobody had announced."),
    ("zh-CN", "我的提款申请已经两周了, 还没有到账。"),
    ("zh-CN", "平台在非农行情时卡住了, 无法平仓, 造成亏损。"),
    ("en", "The advertisement promised a bonus, and support says that it does not exist."),
)
_COPIED: Final = (
    "cases",
    "contacts",
    "timeline",
    "events",
    "deadlines",
    "firings",
    "satisfactions",
    "letters",
    "letter_attempts",
    "assignments",
    "recusals",
    "signs",
    "tasks",
    "search_terms",
    "worklist",
    "promises",
    "checkpoints",
    "case_topics",
    "reporting.facts",
)
"""Tables; of the case file where no schema stands before."""
_OWN: Final = {"cases": ("'idempotency_key', c.reference",), "letters": ("'message_id', c.reference || t.key",)}
"""What is another in each copy beside reference, times and counters."""
_COLUMNS: Final = """
    select column_name as name, data_type as type, is_identity = 'YES' as counted
    from information_schema.columns
    where table_schema || '.' || table_name = $1 and is_generated = 'NEVER' order by ordinal_position
"""

Read = Callable[[], Awaitable[Sequence[Any] | Any]]


@dataclass(frozen=True)
class Found:
    """How long one reading took, in seconds each time, and how many rows it brought the last time."""

    what: str
    took: Sequence[float]
    rows: int


async def live(pool: "Pool", complaints: Complaints, count: int) -> list[str]:
    """So many complaints come to rest; every other one is taken back, and closed. Their references."""
    now = datetime.now(UTC)
    async with pool.acquire() as connection, connection.transaction():
        for number in range(count):
            await add_holder(
                connection, Holder(f"bench-{number}", "The Customer", f"c{number}@example.com", None, "en")
            )
    opened = []
    for number in range(count):
        language, text = _TEXTS[number % len(_TEXTS)]
        complaint = Complaint(
            source="bench",
            idempotency_key=f"reading-{number}",
            received_at=now,
            channel=Channel.WEB,
            language=language,
            complainant=Complainant(name="The Customer", email=f"c{number}@example.com"),
            account=f"bench-{number}",
            description=text,
        )
        await complaints.submit(complaint)
        opened.append(complaint.reference)
    rest = "select count(*) from casefile.cases where stage not in ('received', 'acknowledged') and reference = any($1)"
    await until(pool, rest, opened)
    for reference in opened[1::2]:
        await complaints.withdraw(reference, by=CUSTOMER, reason="It has been cleared up.")
    closed = "select count(*) from casefile.cases where closed_at is not null and reference = any($1)"
    await until(pool, closed, opened[1::2])
    return opened


async def multiply(
    connection: "Connection", models: Sequence[str], cases: int, seed: int, say: Callable[[str], None]
) -> None:
    """Copy what the record has of the *models* until there are so many *cases*."""
    randomly = random.Random(seed)  # noqa: S311 (a simulation)
    await connection.execute("create temp table copies (model text, reference text, shift interval)")
    await connection.copy_records_to_table(
        "copies",
        records=(
            (models[number % len(models)], reference_for("bench.reading", str(number)), -YEARS * randomly.random())
            for number in range(cases - len(models))
        ),
    )
    await connection.execute("analyze copies")
    await connection.execute("set session_replication_role = replica")  # the triggers have done their work once
    for name in _COPIED:
        began, table = time.monotonic(), name if "." in name else f"casefile.{name}"
        await connection.execute(f"alter table {table} drop constraint if exists sealed_for")  # sealed for the models
        columns = await connection.fetch(_COLUMNS, table)
        moved = [
            f"'{each['name']}', t.{each['name']} + c.shift" for each in columns if each["type"].startswith("timestamp")
        ]
        counted = [
            f"'{each['name']}', nextval(pg_get_serial_sequence('{table}', '{each['name']}'))"
            for each in columns
            if each["counted"]
        ]
        names = ", ".join(f'"{each["name"]}"' for each in columns)
        values = ", ".join(f'(made.one)."{each["name"]}"' for each in columns)
        of_the_model = "t.reference = c.model" if "reference" in names else "t.key like c.model || ':%'"
        told = await connection.execute(
            f"""
            insert into {table} ({names}) overriding system value
            select {values} from (
                select jsonb_populate_record(null::{table},
                    replace(to_jsonb(t)::text, c.model, c.reference)::jsonb
                    || jsonb_build_object({", ".join([*moved, *counted, *_OWN.get(name, ())])})) as one
                from copies c join {table} t on {of_the_model}
                offset 0
            ) as made
            """  # noqa: S608 (nothing from outside)
        )
        say(f"  {name}: {told.rpartition(' ')[2]} rows in {time.monotonic() - began:.0f} s")
    await connection.execute("vacuum analyze")


def _readings(pool: "Pool", people: Sequence[str], references: Sequence[str]) -> Mapping[str, Read]:
    """What is read, each time for somebody or something else."""
    one = random.Random(7)  # noqa: S311 (a simulation)
    now = datetime.now(UTC)

    def who() -> str:
        return one.choice(people)

    def some() -> str:
        return one.choice(references)

    def listed(view: View, **filters: Any) -> Read:
        return lambda: read_worklist(pool, who(), view, now, filters=Filters(**filters))

    return {
        "list": lambda: list_cases(pool, offset=one.randrange(200)),
        "list, one stage": lambda: list_cases(pool, stage=one.choice(list(Stage))),
        "list, one category": lambda: list_cases(pool, category=one.choice(list(Category))),
        "list --overdue": lambda: list_cases(pool, overdue=True),
        "inbox of somebody": lambda: read_inbox(pool, who(), now),
        "desk, mine": listed(View.MINE),
        "desk, my team's": listed(View.TEAM),
        "desk, all": listed(View.ALL),
        "desk, all of one stage": listed(View.ALL, stage=Stage.DECIDING),
        "desk, how many": lambda: count_worklist(pool, who(), now),
        "deadlines --next 24h": lambda: get_coming_due(pool, now, timedelta(hours=24)),
        "deadlines --next 24h --statutory": lambda: get_coming_due(pool, now, timedelta(hours=24), statutory=True),
        "show": lambda: get_case(pool, some()),
        "timeline": lambda: get_timeline(pool, some()),
        "deadlines of a case": lambda: get_deadlines(pool, some()),
        "tasks that are open": lambda: get_tasks(pool, now),
        "search, an account": lambda: search(pool, f"bench-{one.randrange(20)}"),
        "search, a word of every fifth": lambda: search(pool, "gold"),
        "search, words": lambda: search(pool, "inactivity fee announced"),
        "search, Chinese": lambda: search(pool, "提款申请"),
    }


async def measure(*, cases: int, models: int, reads: int, seed: int, say: Callable[[str], None]) -> Mapping[str, Any]:
    """Seconds of each reading among so many cases."""
    with tempfile.TemporaryDirectory(prefix="redress-bench-") as place:
        say("Starting PostgreSQL, Temporal and a worker in a temporary folder ...")
        settings = load_settings(
            state_dir=Path(place), firm_name="Example Bullion", log_format="json", log_level="WARNING"
        )
        async with (
            Stack(settings, pages=True, say=lambda news: say(f"  {news}")) as stack,
            await open_pool(stack.settings.database_url or "", max_size=4) as pool,
        ):
            complaints = Complaints(await connect(stack.settings), task_queue=stack.settings.task_queue)
            doors = doors_of(stack.settings, pool)
            await staffed(doors)
            # Four are not copied: of an account whose cases are all sealed for others no page can be made.
            lived = await live(pool, complaints, models + 4)
            await worked_on(doors, lived[:models])
            say(f"  {models} cases have lived")
            # As the superuser: the record may not be written to by the roles that the service has.
            connection = await asyncpg.connect(re.sub(r"//[^@]*@", "//postgres@", stack.settings.database_url or ""))
            try:
                await multiply(connection, lived[:models], cases, seed, say)
                await lengthen(connection, lived[models])
            finally:
                await connection.close()
            rows = await pool.fetch("select distinct handler from casefile.worklist where handler is not null")
            people = [row["handler"] for row in rows] or ["h-1"]
            # What is sealed opens under the reference that it was sealed for: single cases are those that lived.
            readings = _readings(pool, people, lived)
            found = [await _read(what, read, reads) for what, read in readings.items()]
            used = Used(stack.settings.state_dir)
            pages = await measure_pages(doors, used, lived[-2], lived[models], reads=reads, say=say)
            counts = await pool.fetchrow(
                "select count(*) as cases, (select count(*) from casefile.worklist) as open,"
                " pg_database_size(current_database()) as bytes from casefile.cases"
            )
    return {
        **dict(counts or {}),
        "reads": reads,
        "processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "results": [
            {
                "what": each.what,
                "rows": each.rows,
                "p50_ms": round(1000 * percentile(each.took, 50), 1),
                "p95_ms": round(1000 * percentile(each.took, 95), 1),
                "kept": percentile(each.took, 95) < PROMISED,
            }
            for each in found
        ],
        "pages": pages,
    }


async def _read(what: str, read: Read, reads: int) -> Found:
    """Read so often, after three times that do not count."""
    took: list[float] = []
    answer: Any = ()
    for number in range(-3, reads):
        began = time.perf_counter()
        answer = await read()
        if number >= 0:
            took.append(time.perf_counter() - began)
    items = getattr(answer, "items", answer)
    return Found(what, took, len(items) if isinstance(items, (list, tuple)) else 1)


def show(measured: Mapping[str, Any]) -> Group:
    """The result as tables."""
    table = Table(
        title=f"{measured['cases']:,} cases, {measured['open']:,} of them open, {measured['bytes'] / 1e9:.1f} GB:"
        f" {measured['reads']} readings each, load {measured['load']}",
        box=box.SIMPLE_HEAD,
    )
    for name in ("", "rows", "p50 ms", "p95 ms", "under 50 ms"):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for line in measured["results"]:
        kept = "yes" if line["kept"] else "no"
        table.add_row(line["what"], str(line["rows"]), f"{line['p50_ms']:.1f}", f"{line['p95_ms']:.1f}", kept)
    return Group(table, pages_shown(measured["pages"]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.reading", description="Reading among very many cases.")
    parser.add_argument("--cases", type=at_least(100), default=200_000, help="cases in all (200000)")
    parser.add_argument("--models", type=at_least(2), default=20, help="cases that really live (20)")
    parser.add_argument("--reads", type=at_least(10), default=100, help="how often each is read (100)")
    parser.add_argument("--seed", type=int, default=7, help="of the times that the copies have")
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    options = parser.parse_args(arguments)
    measured = measured_by(
        "bench.reading",
        lambda say: measure(
            cases=options.cases, models=options.models, reads=options.reads, seed=options.seed, say=say
        ),
    )
    if measured is None:
        return 2
    put_out(measured, show(measured), as_json=options.json, width=110)
    return 0 if all(line["kept"] for line in [*measured["results"], *measured["pages"]]) else 1


if __name__ == "__main__":
    sys.exit(main())
