"""What happened in cases and the rounds of their clocks, read from the case file as the domain reckons with them."""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Final

import asyncpg

from domain.clocks.deadlines import ClockHistory, Deadline, Occurred, Round, Satisfied

if TYPE_CHECKING:
    from record.connection import Connection


async def clock_history(connection: "Connection", reference: str) -> ClockHistory:
    """All that happened in a case, and all that its clocks have come to."""
    row = await connection.fetchrow(_CLOCK_HISTORY, reference)
    assert row is not None  # noqa: S101 (one row, whatever there is)
    return history_of(row)


def history_of(row: asyncpg.Record) -> ClockHistory:
    """What the columns of `HISTORY_COLUMNS` say."""
    return ClockHistory(
        events=tuple(Occurred(**(one.pop("particulars") or {}), **one) for one in row["events"]),
        deadlines=tuple(Deadline(**one) for one in row["deadlines"]),
        satisfied=tuple(Satisfied(**one) for one in row["satisfied"]),
    )


async def events_of(connection: "Connection", references: Sequence[str]) -> dict[str, list[Occurred]]:
    """All that happened in these cases, by reference, in order."""
    events: dict[str, list[Occurred]] = {reference: [] for reference in references}
    for row in await connection.fetch(
        "SELECT reference, number, event, at, particulars FROM casefile.events WHERE reference = ANY ($1)"
        " ORDER BY reference, number, event",
        references,
    ):
        occurred = Occurred(number=row["number"], event=row["event"], at=row["at"], **(row["particulars"] or {}))
        events[row["reference"]].append(occurred)
    return events


async def rounds_of(connection: "Connection", references: Sequence[str]) -> dict[str, list[Round]]:
    """Every round that these cases have had, by reference, in the order they began."""
    rows = await connection.fetch(
        """
        SELECT d.reference, d.clock, d.number, d.rung, d.started_at, d.due, d.clock_due, d.provisional,
               s.by_event, s.by_number, s.at, s.replaced
        FROM casefile.deadlines d LEFT JOIN casefile.satisfactions s USING (reference, clock, number)
        WHERE d.reference = ANY ($1) ORDER BY d.reference, d.number, d.clock, d.rung
        """,
        references,
    )
    rounds: dict[str, list[Round]] = {reference: [] for reference in references}
    for (reference, clock, number), group in groupby(
        rows, key=lambda row: (row["reference"], row["clock"], row["number"])
    ):
        first, *_ = rungs = list(group)
        ended = None
        if first["by_event"]:
            ended = Satisfied(
                clock=clock,
                number=number,
                by=first["by_event"],
                by_number=first["by_number"],
                at=first["at"],
                replaced=first["replaced"],
            )
        one = Round(
            clock=clock,
            number=number,
            started_at=first["started_at"],
            clock_due=first["clock_due"],
            provisional=first["provisional"],
            rungs={row["rung"]: row["due"] for row in rungs},
            ended=ended,
        )
        rounds[reference].append(one)
    return rounds


HISTORY_COLUMNS: Final = """
        (select coalesce(jsonb_agg(jsonb_build_object('number', number, 'event', event, 'at', at,
            'particulars', particulars) order by number, event), '[]')
         from casefile.events where reference = $1) as events,
        (select coalesce(jsonb_agg(jsonb_build_object('clock', clock, 'number', number, 'rung', rung,
            'statutory', statutory, 'started_at', started_at, 'due', due, 'clock_due', clock_due, 'actions', actions,
            'level', level, 'how', how, 'provisional', provisional) order by number, clock, rung), '[]')
         from casefile.deadlines where reference = $1) as deadlines,
        (select coalesce(jsonb_agg(jsonb_build_object('clock', clock, 'number', number, 'by', by_event,
            'by_number', by_number, 'at', at, 'replaced', replaced) order by by_number, clock, number), '[]')
         from casefile.satisfactions where reference = $1) as satisfied
"""
"""The columns of a query for `history_of`, of the case ``$1``."""
_CLOCK_HISTORY: Final = f"select {HISTORY_COLUMNS}"
