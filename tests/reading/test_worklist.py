"""The worklist: open cases by their duties, kept by what is written, read by index, without what is hidden."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import pytest

from activities.case.case_file import CaseFile
from domain.clocks.deadlines import Firing
from domain.ground.words import CaseEvent, Category, Priority, SignKind, Stage
from domain.people.inbox import Item, Standing
from starter.client.directory import People
from starter.reading.cases import list_cases
from starter.reading.deadlines import get_coming_due, get_deadlines
from starter.reading.tasks import get_tasks
from starter.reading.worklist import Filters, View, count_worklist, most_counted, read_worklist
from tests.case.support import OPENED_AT, RECEIVED_AT, after, keeping, occurred, summary, update
from tests.people.support import LEAD, directory, person
from tests.people.test_hands import noted, opened_as
from tests.signing import signed

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]

TEAMS = ("dealing", "payments", "accounts", "conduct", "customer-care")
NOW = after(60)
BIG = {"amount": "5000.00", "currency": "USD"}


@pytest.fixture
async def case_file(pool: "Pool") -> CaseFile:
    people = [
        person("H-1", names=["Jane Doe"], teams=["dealing"]),
        person("h-2", teams=["payments"], conflicts=[{"account": "acc-2", "first": "2026-01-01", "why": "family"}]),
        person("a-1", "approver", teams=["customer-care"]),
    ]
    await People(pool, signed).replace(directory(*people, teams=TEAMS), by=LEAD, at=OPENED_AT)
    return keeping(pool)


async def rows_of(pool: "Pool") -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await pool.fetch("select * from casefile.worklist order by reference")]


async def test_whatever_is_written_the_worklist_is_as_if_it_were_made_anew(pool: "Pool", case_file: CaseFile) -> None:
    reference, _ = await opened_as(case_file)
    ledger = await get_deadlines(pool, reference)
    first = ledger[0]
    fired = Firing(clock=first.clock, number=first.number, rung=first.rung, due=first.due, fired_at=NOW, breach=False)
    asked_and_answered = (occurred(CaseEvent.INFORMATION_REQUESTED, 7), occurred(CaseEvent.CUSTOMER_REPLIED, 8))
    happened: list[dict[str, Any]] = [
        {"firings": (fired,), "summary": {"handler": "h-1"}},
        {"events": (occurred(CaseEvent.ACKNOWLEDGED, 2), occurred(CaseEvent.CONTACTED, 2))},
        {"summary": {"handler": "h-2", "team": "payments", "stage": "deciding"}},
        {"entries": (noted("propose_resolution", 3, "handler:h-2", round=1, compensation=BIG, reasons="So it is."),)},
        {"summary": {"priority": "p1", "repeat": True}},
        {"entries": (noted("decide_resolution", 4, "approver:a-1", round=1, decision="return"),)},
        {"events": (occurred(CaseEvent.RESPONDED, 5),), "summary": {"stage": "responded"}},
        {"events": asked_and_answered, "summary": {"stage": "responded", "team": "accounts"}},
        {"summary": {"stage": "closed", "closed_at": after(90)}},
        {"events": (occurred(CaseEvent.REOPENED, 6),), "summary": {"stage": "investigating"}},
    ]
    seen = [await rows_of(pool)]
    for revision, parts in enumerate(happened, start=1):
        now = summary(revision, **{"handler": None, **parts.pop("summary", {})})
        await case_file.record(update(reference, revision, summary=now, **parts))
        kept = await rows_of(pool)
        await pool.execute("select casefile.list_work(reference) from casefile.cases")
        assert kept == await rows_of(pool)
        assert len(kept) == (now.closed_at is None)
        seen.append(kept)
    assert all(one != other for one, other in pairwise(seen))


async def several(pool: "Pool", case_file: CaseFile) -> list[str]:
    """Cases that differ in all that is filtered by; two of them are proposals of somebody."""
    made = []
    for number in range(12):
        said = (
            "Jane Doe filled my order." if number == 5 else "You never paid me. I am in hospital." * (number % 3 == 0)
        )
        reference, _ = await opened_as(
            case_file, str(number), description=said or "A wrong price.", account=f"acc-{number}"
        )
        proposed = noted("propose_resolution", 3, "handler:h-2", round=1, compensation=BIG, reasons="So it is.")
        now = summary(
            1,
            handler=("H-1", "h-2", None)[number % 3],
            team=("dealing", "payments")[number % 2],
            stage=("investigating", "deciding")[number % 4 == 1],
            category=("execution", "fee")[number % 2],
            priority=f"p{1 + number % 3}",
            repeat=number in {3, 10},
        )
        await case_file.record(update(reference, 1, entries=(proposed,) if number % 4 == 1 else (), summary=now))
        made.append(reference)
    await pool.execute("update casefile.cases set breached = true where reference = $1", made[4])
    return made


async def listed(pool: "Pool", who: str, view: View, at: datetime = NOW, **filters: Any) -> list[Item]:
    return list((await read_worklist(pool, who, view, at, filters=Filters(**filters))).items)


async def test_every_view_and_filter_lists_what_fits_in_order_and_by_pages(pool: "Pool", case_file: CaseFile) -> None:
    references = await several(pool, case_file)
    everything = await listed(pool, "tl-9", View.ALL)
    assert {item.case.reference for item in everything} == set(references)
    duties = [
        (not item.case.repeat, item.case.next_duty or NOW, item.case.priority or "", item.case.reference)
        for item in everything
    ]
    assert [item.case.repeat for item in everything] == [True] * 2 + [False] * 10
    assert duties == sorted(duties)
    signed = {item.case.reference for item in await listed(pool, "tl-9", View.ALL, sign=SignKind.VULNERABILITY)}
    assert signed
    for filters in (
        {"priority": Priority.P2},
        {"stage": Stage.DECIDING},
        {"category": Category.FEE},
        {"breached": True},
        {"breached": False, "category": Category.EXECUTION},
        {"sign": SignKind.VULNERABILITY, "priority": Priority.P1},
    ):
        wanted: dict[str, Any] = dict(filters)
        with_sign = wanted.pop("sign", None)
        fit = [item for item in everything if all(getattr(item.case, name) == it for name, it in wanted.items())]
        fit = [item for item in fit if with_sign is None or item.case.reference in signed]
        assert fit
        assert [i.case for i in await listed(pool, "tl-9", View.ALL, **filters)] == [i.case for i in fit]
    assert await listed(pool, "tl-9", View.ALL, overdue=True) == []
    assert len(await listed(pool, "tl-9", View.ALL, RECEIVED_AT + timedelta(days=400), overdue=True)) == 12
    pages: list[Item] = []
    after_ = None
    while True:
        page = await read_worklist(pool, "tl-9", View.ALL, NOW, after=after_, limit=5)
        pages += page.items
        if not (after_ := page.end):
            break
    assert pages == everything


async def test_a_list_shows_what_is_in_it_and_counts_as_many(pool: "Pool", case_file: CaseFile) -> None:
    await several(pool, case_file)
    fits: dict[View, Callable[[Standing], bool]] = {
        View.MINE: lambda case: (case.handler or "").lower() == "h-1",
        View.TEAM: lambda case: case.team == "dealing",
        View.UNASSIGNED: lambda case: case.handler is None,
        View.ALL: lambda case: True,
    }
    everything = await listed(pool, "h-1", View.ALL)
    counts = await count_worklist(pool, "h-1", NOW)
    for view, fit in fits.items():
        shown = {item.case.reference for item in await listed(pool, "h-1", view)}
        assert shown == {item.case.reference for item in everything if fit(item.case)}
        assert getattr(counts, view.value) == len(shown)
    to_approve = await listed(pool, "a-1", View.APPROVAL)
    assert {item.why for item in to_approve} == {"waiting for me"}
    assert len(to_approve) == (await count_worklist(pool, "a-1", NOW)).approval == 3
    assert (await count_worklist(pool, "a-1", NOW, approval=3)) == await count_worklist(pool, "a-1", NOW)
    assert (await count_worklist(pool, "a-1", NOW, approval=99)).approval == most_counted(View.APPROVAL)
    assert await listed(pool, "h-2", View.APPROVAL) == []  # proposed them, and is no approver


async def test_who_is_kept_out_has_it_in_no_list_and_no_count(pool: "Pool", case_file: CaseFile) -> None:
    references = await several(pool, case_file)
    for who, at in product(("h-1", "h-2", "a-1"), (NOW, NOW - timedelta(days=90))):
        asked = "select r from unnest($3::text[]) r where casefile.is_kept_out(r, $1, $2) order by r"
        one_by_one = [row[0] for row in await pool.fetch(asked, who, at, references)]
        all_at_once = "select casefile.kept_out_of($1, $2) as r order by r"
        assert [row[0] for row in await pool.fetch(all_at_once, who, at)] == one_by_one
        shown = {item.case.reference for item in await listed(pool, who, View.ALL, at)}
        assert shown == set(references) - set(one_by_one)
        assert (await count_worklist(pool, who, at)).all == len(shown)
    assert references[5] not in {item.case.reference for item in await listed(pool, "h-1", View.ALL)}
    assert references[2] not in {item.case.reference for item in await listed(pool, "h-2", View.ALL)}


async def test_lists_are_read_by_index(pool: "Pool", case_file: CaseFile) -> None:
    await several(pool, case_file)
    asked: list[tuple[str, tuple[Any, ...]]] = []
    now = datetime.now(UTC)

    def note(query: Any) -> None:
        if "casefile." in query.query:
            asked.append((query.query, query.args))

    async with pool.acquire() as connection:
        connection.add_query_logger(note)
    every: list[dict[str, Any]] = [
        {},
        {"priority": Priority.P1},
        {"stage": Stage.DECIDING},
        {"category": Category.FEE},
        {"sign": SignKind.MEDIA},
        {"breached": True},
        {"overdue": True},
    ]
    try:
        for view, filters in product(View, every):
            await listed(pool, "a-1", view, **filters)
        for overdue in (None, True, False):
            await list_cases(pool, overdue=overdue)
        for statutory in (False, True):
            await get_coming_due(pool, now, timedelta(days=1), statutory=statutory)
        await get_tasks(pool, now)
    finally:
        async with pool.acquire() as connection:
            connection.remove_query_logger(note)
    assert len(asked) > 40
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local enable_seqscan = off")
        for query, values in asked:
            plan = "\n".join(row[0] for row in await connection.fetch(f"explain {query}", *values))
            whole = [line for line in plan.splitlines() if "Seq Scan" in line and "policy_packs" not in line]
            assert not whole, f"{query}\n{plan}"
    assert "open_tasks_by_due" in plan, plan


_MANY: Final = """
    insert into casefile.worklist (reference, received_at, policy_hash, stage, category, priority, team, breached,
        next_duty, proposer)
    select 'RD-' || n, now(), 'x', 'investigating', 'execution', 'p4', 'dealing', false,
        now() + n * interval '1 minute', 'handler:h-2'
    from generate_series(1, 20000) n
"""


async def test_however_many_cases_are_open_few_pages_are_read(pool: "Pool", case_file: CaseFile) -> None:
    await several(pool, case_file)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local session_replication_role = replica")  # rows of no cases
        await connection.execute(_MANY)
    await pool.execute("vacuum analyze casefile.worklist")
    asked: list[tuple[str, tuple[Any, ...]]] = []

    def note(query: Any) -> None:
        if "casefile.worklist" in query.query:
            asked.append((query.query, query.args))

    async with pool.acquire() as connection:
        connection.add_query_logger(note)
    filters: list[dict[str, Any]] = [{"priority": Priority.P1}, {"stage": Stage.DECIDING}, {"category": Category.FEE}]
    try:
        for each in [*filters, {"breached": True}, {"overdue": True}]:
            await listed(pool, "h-1", View.ALL, **each)
        counts = await count_worklist(pool, "h-1", NOW)
    finally:
        async with pool.acquire() as connection:
            connection.remove_query_logger(note)
    assert (counts.all, counts.team, counts.unassigned) == (1_000, 1_000, 1_000)
    assert (counts.mine < 10, counts.approval) == (True, 0), "who decides nowhere"
    assert len(asked) >= 6
    async with pool.acquire() as connection:
        all_pages = await connection.fetchval("select relpages from pg_class where oid = 'casefile.worklist'::regclass")
        for query, values in asked:
            pages = []
            for _ in range(3):  # one of them may also read catalogues anew, after autovacuum
                [[plan]] = await connection.fetch(f"explain (analyze, buffers, format json) {query}", *values)
                pages.append(plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"])
            assert min(pages) < all_pages * 3 / 4, f"{pages} of {all_pages}: {query}\n{plan}"


async def test_tasks_are_listed_by_what_is_due_first_whichever_of_a_task_and_its_clock_was_written_first(
    pool: "Pool", case_file: CaseFile
) -> None:
    reference, _ = await opened_as(case_file)
    for number, days, clock_first in ((901, 3, True), (902, 1, False), (903, 2, True), (904, None, False)):
        rows = [(_CLOCK_OF_A_TASK, (reference, number, after(24 * days)))] if days else []
        rows.insert(clock_first, (_TASK, (reference, number, NOW)))
        for query, values in rows:
            await pool.execute(query, *values)
    tasks = await get_tasks(pool, NOW)
    assert [(task.number, task.due) for task in tasks] == [
        (902, after(24)),
        (903, after(48)),
        (901, after(72)),
        (904, None),
    ]


_TASK = """
    insert into casefile.tasks (reference, number, journal, kind, role, named, given_at, given_by)
    values ($1, $2, 1, 'call_back', 'handler', false, $3, 'system:redress')
"""
_CLOCK_OF_A_TASK = """
    insert into casefile.deadlines
    select (jsonb_populate_record(d, jsonb_build_object('number', $2::integer, 'due', $3::timestamptz,
        'clock_due', $3::timestamptz))).*
    from casefile.deadlines d where reference = $1 limit 1
"""
