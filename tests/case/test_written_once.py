"""What is written once under a key is never lost: something else under the same key is kept beside it."""

from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from activities.case.case_file import CaseFile
from activities.case.written_once import write_incident_entries
from domain.case.file import Rejected
from domain.clocks.deadlines import Firing
from domain.ground.words import CaseEvent
from tests.case.support import after, entry, keeping, occurred, opened, update

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]


@pytest.fixture
def case_file(pool: "Pool") -> CaseFile:
    return keeping(pool)


def rejected(payload: str) -> Rejected:
    return Rejected(key="rejected:1", at=after(1), name="customer_reply", reason="it does not fit", payload=payload)


FIRST: dict[str, Any] = {"entries": (entry("test:1", "first", said="a"),), "rejected": (rejected("first"),)}
OTHERS: dict[str, dict[str, Any]] = {
    "another text": {"entries": (entry("test:1", "second", said="a"),)},
    "other data": {"entries": (entry("test:1", "first", said="b"),)},
    "another time": {"entries": (entry("test:1", "first", said="a").model_copy(update={"at": after(2)}),)},
    "another actor": {"entries": (entry("test:1", "first", said="a").model_copy(update={"actor": "handler:h-2"}),)},
    "another message": {"rejected": (rejected("second"),)},
}


async def written(pool: "Pool") -> list[tuple[Any, ...]]:
    """All lines and rejected messages but those a case begins with."""
    lines = await pool.fetch("select at, actor, text, data from casefile.timeline where kind = 'test' order by id")
    messages = await pool.fetch("select payload from casefile.rejected_messages order by key")
    return [*map(tuple, lines), *map(tuple, messages)]


@pytest.mark.parametrize("what", OTHERS)
async def test_something_else_under_a_known_key_is_kept_beside_it_once(
    pool: "Pool", case_file: CaseFile, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = await opened(case_file)
    for _ in range(2):
        await case_file.record(update(reference, **FIRST))
    first = await written(pool)
    assert len(first) == 2
    assert "both are kept" not in capsys.readouterr().out
    for _ in range(2):
        await case_file.record(update(reference, **OTHERS[what]))
        await case_file.record(update(reference, **FIRST))
    now = await written(pool)
    assert len(now) == 3
    assert set(map(str, first)) < set(map(str, now))
    assert "both are kept" in capsys.readouterr().out


async def test_the_same_in_another_order_is_the_same(pool: "Pool", case_file: CaseFile) -> None:
    reference = await opened(case_file)
    first = entry("test:1", said="a", and_=1)
    again = entry("test:1", and_=1, said="a").model_copy(update={"journal": 7})
    for one in (first, again):
        await case_file.record(update(reference, entries=(one,)))
    assert len(await written(pool)) == 1


async def test_two_of_one_key_in_one_update_are_both_kept(pool: "Pool", case_file: CaseFile) -> None:
    reference = await opened(case_file)
    await case_file.record(update(reference, entries=(entry("test:1", "first"), entry("test:1", "second"))))
    assert {"first", "second"} <= {line[2] for line in await written(pool)}


async def test_an_event_or_a_firing_told_otherwise_stands_as_it_was_and_the_telling_is_kept(
    pool: "Pool", case_file: CaseFile
) -> None:
    reference = await opened(case_file)
    row = await pool.fetchrow("select clock, number, rung, due from casefile.deadlines order by due limit 1")
    assert row is not None
    fired = Firing(**row, fired_at=row["due"], breach=False)
    told = occurred(CaseEvent.CONTACTED, 2)
    first = update(reference, events=(told,), firings=(fired,))
    other = update(
        reference,
        events=(told.model_copy(update={"at": after(99)}),),
        firings=(fired.model_copy(update={"breach": True}),),
    )
    for one in (first, first, other, other, first):
        await case_file.record(one)
    assert await pool.fetchval("select at from casefile.events where number = 2") == told.at
    assert not await pool.fetchval("select breach from casefile.firings")
    kept = await pool.fetch("select text, data from casefile.timeline where kind = 'contradiction' order by id")
    assert ["what was written first stands" in line["text"] for line in kept] == [True, True]
    assert kept[0]["data"]["event"] == "contacted"
    assert kept[1]["data"]["breach"] is True


async def test_an_incident_keeps_both_too(pool: "Pool") -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "alter table casefile.incident_timeline drop constraint incident_timeline_reference_fkey"
        )
        for text in ("first", "first", "second", "second"):
            await write_incident_entries(connection, "RD-INCIDENT", [entry("decide_incident:1", text)])
        rows = await connection.fetch("select text from casefile.incident_timeline order by id")
    assert [row["text"] for row in rows] == ["first", "second"]
