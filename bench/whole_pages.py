"""How long the desk's pages take as a browser gets them, among very many cases: one of the measurements of reading.

Each page is asked for over HTTP by people who have signed on, from the one process that serves the pages. Beside the
time until it is there stands what it cost the processor: of the process that serves it (sign-on, Python, templates) and
of PostgreSQL. Other work on the machine disturbs that less than the time.
"""

import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import psutil
from rich import box
from rich.table import Table

from bench.common import NotMeasured, percentile, until
from bench.visitor import Visitor, signed_in
from domain.ground.people import Actor
from domain.ground.words import Category, Outcome, Priority, Role, SignKind, Stage, TaskKind
from domain.money.amounts import PositiveMoney
from domain.people.actors import Person
from domain.people.directory import Directory
from record.directory import read_directory
from runtime.running import StackRecord
from starter.client.directory import load_demo
from starter.reading.worklist import View
from web.doors import Doors
from web.visits import Staff

if TYPE_CHECKING:
    import asyncpg

    from runtime.database import Pool

PROMISED: Final = 0.150  # seconds, p95
LONG: Final = 500  # entries in the timeline of a long case
_PROPOSED: Final = "select count(*) from casefile.worklist where proposer is not null and reference = any($1)"
_SUMS: Final = ("500", "5000", "50000")  # USD: a team lead may approve the first, an approver the first two
_STARTED_IT: Final = Actor(id="this-machine", role=Role.TEAM_LEAD)


async def staffed(doors: Doors) -> None:
    """There are people whom cases are given to."""
    await load_demo(doors.pool, doors.token_for(Person(id=_STARTED_IT.id, roles=(_STARTED_IT.role,))))


async def worked_on(doors: Doors, references: Sequence[str]) -> None:
    """Of these cases three have a proposal that waits, of other sums each, and one has a task beside it."""
    rows = await doors.pool.fetch(
        "select reference, handler from casefile.cases where closed_at is null and reference = any($1)"
        " order by reference limit 4",
        references,
    )
    for row, sum_ in zip(rows, (*_SUMS, None), strict=True):
        handler = Actor(id=row["handler"], role=Role.HANDLER)
        case = await doors.spoken_for(Person(id=handler.id, roles=(handler.role,)))
        if sum_ is None:
            await case.give_task(row["reference"], TaskKind.CALL_BACK, by=handler, owner=handler.id)
        else:
            money, reasons = (
                PositiveMoney(amount=sum_, currency="USD"),
                "Your order was filled below the price you had set.",
            )
            await case.propose_resolution(
                row["reference"], by=handler, outcome=Outcome.UPHELD, compensation=money, reasons=reasons
            )
    await until(doors.pool, _PROPOSED, references, count=len(_SUMS))


async def lengthen(connection: "asyncpg.Connection[Any]", reference: str) -> None:
    """The timeline of the case gets so many entries, which are its own again and again."""
    await connection.execute(
        """
        insert into casefile.timeline (reference, key, at, kind, actor, text, data)
        select reference, key || ':' || n, at + n * interval '1 minute', kind, actor, text, data
        from casefile.timeline, generate_series(1, $2) as n
        where reference = $1 and kind not in ('propose_resolution', 'task_given') order by n, id limit $2
        """,
        reference,
        LONG,
    )


@dataclass
class Took:
    """How long a page took, in seconds: the first time and then; the processor's time of all but the first."""

    what: str
    first: float = 0.0
    seconds: list[float] = field(default_factory=list)
    pages: float = 0.0
    postgres: float = 0.0
    load: float = 0.0

    def line(self) -> dict[str, Any]:
        """In milliseconds."""
        count, p95 = len(self.seconds), percentile(self.seconds, 95)
        return {
            "what": self.what,
            "first_ms": _ms(self.first),
            "p50_ms": _ms(percentile(self.seconds, 50)),
            "p95_ms": _ms(p95),
            "processor_pages_ms": _ms(self.pages / count),
            "processor_postgres_ms": _ms(self.postgres / count),
            "load": round(self.load, 1),
            "kept": p95 < PROMISED,
        }


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 1)


class Used:
    """The processor's time, in seconds, of the process that serves pages and of PostgreSQL with all its processes."""

    def __init__(self, folder: Path) -> None:
        """Of the stack in *folder*."""
        if not (record := StackRecord.read(folder)):
            raise NotMeasured("no stack runs")
        self._pages, self._postgres = (psutil.Process(record.processes[name].pid) for name in ("web", "postgres"))

    def now(self) -> tuple[float, float]:
        """So far."""
        served, ended = self._pages.cpu_times(), self._postgres.cpu_times()
        asked = [one.cpu_times() for one in (self._postgres, *self._postgres.children(recursive=True))]
        of_those_that_ended = ended.children_user + ended.children_system
        return served.user + served.system, of_those_that_ended + sum(one.user + one.system for one in asked)


def pages_shown(lines: Sequence[Mapping[str, Any]]) -> Table:
    """The result as a table; in milliseconds."""
    table = Table(title="The desk's pages over HTTP; first: asked for the first time", box=box.SIMPLE_HEAD)
    for name in ("", "first", "p50", "p95", "processor: pages", "PostgreSQL", "load", "under 150"):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for line in lines:
        figures = ("first_ms", "p50_ms", "p95_ms", "processor_pages_ms", "processor_postgres_ms", "load")
        kept = "yes" if line["kept"] else "no"
        table.add_row(line["what"], *(f"{line[name]:.1f}" for name in figures), kept)
    return table


async def measure_pages(
    doors: Doors, used: Used, short: str, long: str, *, reads: int, only: str = "", say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Each page so often, by whoever of the directory may see most of it; those alone whose name has *only* in it.

    *short* and *long* are cases. Raises `NotMeasured` where a page is not answered.
    """
    async with doors.pool.acquire() as connection:
        people = await read_directory(connection)
    visitors = {
        one.person: await signed_in(doors, Staff(id=one.person, roles=tuple(one.roles))) for one in people.people
    }
    asked = [one for one in _pages(people, short, long, await _places(doors.pool)).items() if only in one[0]]
    # First each page once, before anything that it needs is at hand.
    took = {what: Took(what, first=await _got(visitors, *ask())) for what, ask in asked}
    for what, ask in asked:
        for _ in range(3):
            await _got(visitors, *ask())
        before = used.now()
        for _ in range(reads):
            took[what].seconds.append(await _got(visitors, *ask()))
        after, took[what].load = used.now(), os.getloadavg()[0]
        took[what].pages, took[what].postgres = after[0] - before[0], after[1] - before[1]
        say(f"  {what}: p95 {took[what].line()['p95_ms']} ms")
    return [one.line() for one in took.values()]


async def _got(visitors: Mapping[str, Visitor], who: str, path: str) -> float:
    try:
        status, seconds = await visitors[who].get(path)
    except TimeoutError:
        raise NotMeasured(f"{who} was not answered for {path}") from None
    if status != 200:
        raise NotMeasured(f"{who} was answered {status} for {path}")
    return seconds


async def _places(pool: "Pool") -> Sequence[str]:
    """Where pages in the middle of the whole list begin."""
    rows = await pool.fetch(
        """
        select first_time, next_duty, priority, reference from casefile.worklist
        order by first_time, next_duty, priority, reference offset (select count(*) / 2 from casefile.worklist) limit 20
        """
    )
    return [
        f'{{"repeat":{str(not row["first_time"]).lower()},"duty":"{row["next_duty"].isoformat()}",'
        f'"priority":"{row["priority"]}","reference":"{row["reference"]}"}}'
        for row in rows
    ]


Ask = Callable[[], tuple[str, str]]
"""Whose page is asked for, and its address: other ones each time."""


def _pages(people: Directory, short: str, long: str, places: Sequence[str]) -> Mapping[str, Ask]:
    one, now = random.Random(7), datetime.now(UTC)  # noqa: S311 (a simulation)
    of_role = {role: [each.person for each in people.people if role in each.roles] for role in Role}
    anybody = [each.person for each in people.people]
    month = (now.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")

    def by(role: Role | None, *paths: str) -> Ask:
        return lambda: (one.choice(of_role[role] if role else anybody), one.choice(paths))

    def view(name: View, more: str = "", role: Role | None = None) -> Ask:
        return by(role, f"/desk/inbox?view={name.value}{more}")

    def filtered(name: str, words: Sequence[Any]) -> Ask:
        return by(None, *(f"/desk/inbox?view=all&{name}={word.value}" for word in words))

    def found(*wanted: str) -> Ask:
        return by(None, *(f"/desk/find?q={quote(each)}" for each in wanted))

    return {
        "a page with nothing on it": found(" "),
        "inbox, mine, with tasks": view(View.MINE, role=Role.HANDLER),
        "inbox, my team's": view(View.TEAM),
        "inbox, unassigned": view(View.UNASSIGNED),
        "inbox, waiting for my approval": view(View.APPROVAL, role=Role.COMPLIANCE_OFFICER),
        "the same, of a limit that few fit": view(View.APPROVAL, role=Role.TEAM_LEAD),
        "inbox, all": view(View.ALL),
        "inbox, all, in its middle": by(None, *(f"/desk/inbox?view=all&after={quote(each)}" for each in places)),
        "inbox, one priority": filtered("priority", list(Priority)),
        "inbox, one stage": filtered("stage", [each for each in Stage if each is not Stage.CLOSED]),
        "inbox, one category": filtered("category", list(Category)),
        "inbox, one sign": filtered("sign", list(SignKind)),
        "inbox, breached": view(View.ALL, "&breached=yes"),
        "inbox, overdue": view(View.ALL, "&overdue=yes"),
        "search, a name": found("The Customer"),
        "search, an account": found(*(f"bench-{number}" for number in range(20))),
        "search, an address": found(*(f"c{number}@example.com" for number in range(20))),
        "search, words": found("inactivity fee announced"),
        "search, Chinese": found("提款申请"),
        "a case": by(Role.HANDLER, f"/desk/cases/{short}"),
        f"a case with {LONG} entries": by(Role.HANDLER, f"/desk/cases/{long}"),
        "deadlines": by(None, "/desk/deadlines?within=1d", "/desk/deadlines?within=30d"),
        "incidents": by(None, "/desk/incidents"),
        "reports": by(Role.COMPLIANCE_OFFICER, "/desk/reports"),
        "the report on a month": by(Role.COMPLIANCE_OFFICER, f"/desk/reports?period={month}"),
        "reviews": by(Role.COMPLIANCE_OFFICER, "/desk/reviews"),
        "complaints about options": by(Role.COMPLIANCE_OFFICER, "/desk/options"),
        "rules": by(None, "/desk/rules"),
        "a rule book": by(None, "/desk/rules/uk-fca", "/desk/rules/cn-banking"),
        "doctor": by(None, "/desk/doctor"),
        "faq": by(None, "/desk/faq"),
    }
