"""Reading deadlines: what is due, what was kept, and the events they follow from."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from pydantic import computed_field

from domain.clocks.calendar import Calendar
from domain.clocks.deadlines import Deadline, Occurred, Round
from domain.ground.base import Instant, Record
from domain.ground.words import Action, CaseEvent, Priority, Stage
from record.histories import events_of, rounds_of
from starter.reading.database import rows_of

if TYPE_CHECKING:
    from runtime.database import Connection, Pool


class LedgerRow(Deadline):
    """A rung of the deadline ledger: what was planned, when it acted, and what satisfied its clock.

    ``strictest``: several packs set a time for this duty, and of those that run this one ends first.
    """

    fired_at: Instant | None
    lateness: timedelta | None
    breach: bool
    satisfied_at: Instant | None
    satisfied_by: CaseEvent | None
    replaced: bool
    strictest: bool = False

    @computed_field  # type: ignore[prop-decorator]
    @property
    def kept(self) -> bool | None:
        """Whether the deadline was kept.

        ``None`` while that is open, for rungs that are no duty, and where another round took this one's place.
        """
        if Action.BREACH not in self.actions:
            return None
        if self.breach:
            return False
        if self.replaced:
            return None
        return self.satisfied_at <= self.clock_due if self.satisfied_at else None


class DueRung(Record):
    """A rung that is to act, and whose case it is. ``left`` is negative where it should have acted by now."""

    reference: str
    clock: str
    number: int
    rung: str
    statutory: bool
    due: Instant
    clock_due: Instant
    actions: tuple[Action, ...]
    level: int | None
    provisional: bool
    left: timedelta
    stage: Stage
    priority: Priority | None
    team: str | None
    handler: str | None


class History(Record):
    """What happened in a case, in order, and every round of a clock that it has had."""

    reference: str
    policy_hash: str
    events: tuple[Occurred, ...]
    rounds: tuple[Round, ...]


async def get_deadlines(pool: "Pool", reference: str) -> list[LedgerRow]:
    """The deadline ledger of the case, in the order in which the rungs are due. Raises
    :class:`~starter.reading.database.CaseNotFound`."""
    rows = await rows_of(
        pool,
        reference,
        "SELECT clock, number, rung, statutory, started_at, due, clock_due, actions, level, how, fired_at, lateness,"
        " breach, satisfied_at, satisfied_by, provisional, replaced FROM casefile.deadline_ledger"
        " WHERE reference = $1 ORDER BY due, clock, number, rung",
    )
    shared = await pool.fetch(
        """
        SELECT clock ->> 'name' AS name, coalesce(clock ->> 'duty', clock ->> 'name') AS duty
        FROM casefile.cases JOIN casefile.policy_packs ON hash = policy_hash,
             jsonb_array_elements(content -> 'clocks') clock
        WHERE reference = $1 AND jsonb_array_length(content -> 'parts') > 0
        """,
        reference,
    )
    ledger = [LedgerRow(**row) for row in rows]
    first = strictest([row for row in ledger if row.satisfied_at is None], {row["name"]: row["duty"] for row in shared})
    return [row.model_copy(update={"strictest": row.round in first}) for row in ledger]


def strictest(deadlines: Iterable[Deadline], duties: Mapping[str, str]) -> set[str]:
    """The rounds that end first among *deadlines* of several clocks for one duty since one moment.

    *duties* are the duties by clock. Of rounds that end together it is the first by name.
    """
    rivals: dict[tuple[str, datetime], list[Deadline]] = {}
    for one in deadlines:
        if one.clock in duties:
            rivals.setdefault((duties[one.clock], one.started_at), []).append(one)
    return {
        min(several, key=lambda one: (one.clock_due, one.clock)).round
        for several in rivals.values()
        if len({one.clock for one in several}) > 1
    }


# The first rungs of all are rungs of the first cases.
COMING_DUE: Final = """
    select d.reference, d.clock, d.number, d.rung, d.statutory, d.due, d.clock_due, d.actions, d.level, d.provisional,
           d.due - $1 as left, c.stage, c.priority, c.team, c.handler
    from (
        select reference from casefile.worklist
        where {next} <= $2 and reference not in (select casefile.hidden_cases())
        order by {next}, reference limit $4
    ) as w
    join casefile.cases c using (reference)
    cross join lateral (
        select * from casefile.deadlines d where d.reference = w.reference and d.due <= $2 and (d.statutory or not $3)
            and not exists (select from casefile.firings f
                            where (f.reference, f.clock, f.number, f.rung) = (d.reference, d.clock, d.number, d.rung))
            and not exists (select from casefile.satisfactions s
                            where (s.reference, s.clock, s.number) = (d.reference, d.clock, d.number))
        offset 0
    ) as d
    order by d.due, d.reference, d.clock, d.number, d.rung
    limit $4
"""


async def get_coming_due(
    pool: "Pool", now: datetime, within: timedelta, *, statutory: bool = False, limit: int = 50
) -> list[DueRung]:
    """The rungs that act until *within* after *now*, in all open cases; first those that should have acted already."""
    query = COMING_DUE.format(next="next_statutory" if statutory else "next_rung")
    rows = await pool.fetch(query, now, now + within, statutory, limit)
    return [DueRung(**row) for row in rows]


async def get_histories(connection: "Connection", references: Sequence[str]) -> list[History]:
    """What happened in these cases, in the order of their references."""
    events = await events_of(connection, references)
    rounds = await rounds_of(connection, references)
    return [
        History(
            reference=row["reference"],
            policy_hash=row["policy_hash"],
            events=tuple(events[row["reference"]]),
            rounds=tuple(rounds[row["reference"]]),
        )
        for row in await connection.fetch(
            "SELECT reference, policy_hash FROM casefile.cases WHERE reference = ANY ($1) ORDER BY reference",
            references,
        )
    ]


async def get_calendars(connection: "Connection", histories: Iterable[History]) -> dict[str, Calendar]:
    """The calendars, by hash, that the cases were planned anew on."""
    named = {event.calendar for history in histories for event in history.events if event.calendar}
    rows = await connection.fetch("SELECT hash, content FROM casefile.calendars WHERE hash = ANY ($1)", list(named))
    return {row["hash"]: Calendar.model_validate(row["content"]) for row in rows}
