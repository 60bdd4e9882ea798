"""Reading deadlines: what is due, what was kept, and the events they follow from."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

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


# What comes due is read by its due date; what should have acted, of which there is hardly any, from the open cases'
# own rows. Neither reads the deadlines there have ever been. OFFSET keeps PostgreSQL from joining in another order.
_UNDONE = """
    NOT EXISTS (SELECT FROM casefile.firings f
                WHERE (f.reference, f.clock, f.number, f.rung) = (d.reference, d.clock, d.number, d.rung))
    AND NOT EXISTS (SELECT FROM casefile.satisfactions s
                    WHERE (s.reference, s.clock, s.number) = (d.reference, d.clock, d.number))
    AND (d.statutory OR NOT $3)
"""
COMING_DUE = f"""
    SELECT d.reference, d.clock, d.number, d.rung, d.statutory, d.due, d.clock_due, d.actions, d.level, d.provisional,
           d.due - $1 AS left, c.stage, c.priority, c.team, c.handler
    FROM (
        SELECT d.* FROM (SELECT * FROM casefile.deadlines WHERE due > $1 AND due <= $2 OFFSET 0) d WHERE {_UNDONE}
        UNION ALL
        SELECT d.* FROM (
            SELECT reference FROM casefile.cases WHERE closed_at IS NULL AND NOT casefile.hidden(reference)
        ) o, LATERAL (
            SELECT * FROM casefile.deadlines d WHERE d.reference = o.reference AND d.due <= $1 AND {_UNDONE} OFFSET 0) d
    ) d JOIN casefile.cases c ON c.reference = d.reference
    WHERE c.closed_at IS NULL
    ORDER BY d.due, d.reference, d.clock, d.number, d.rung
    LIMIT $4
"""  # noqa: S608 (nothing from outside)


async def get_coming_due(
    pool: "Pool", now: datetime, within: timedelta, *, statutory: bool = False, limit: int = 50
) -> list[DueRung]:
    """The rungs that act until *within* after *now*, in all open cases; first those that should have acted already."""
    rows = await pool.fetch(COMING_DUE, now, now + within, statutory, limit)
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
