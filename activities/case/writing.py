"""What has changed since, written into the tables of the case file; nothing is written twice."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Final

from temporalio.exceptions import ApplicationError

from activities.case.written_once import keep_contradictions, particulars
from domain.case.file import CaseUpdate, Recorded
from domain.clocks.calendar import Calendar
from domain.clocks.deadlines import Deadline, Followed, Occurred, Satisfied
from domain.clocks.planning import follow, shifts
from domain.rules.policy import PolicyPack
from record.histories import events_of, rounds_of

if TYPE_CHECKING:
    from runtime.database import Connection


async def write_events(
    connection: "Connection", reference: str, pack: PolicyPack, events: Collection[Occurred]
) -> None:
    """Write the events that are new, and the rounds of clocks that begin and end with them."""
    if not events:
        return
    rows = await connection.fetch(
        _HAPPENED,
        reference,
        [occurred.number for occurred in events],
        [occurred.event for occurred in events],
        [occurred.at for occurred in events],
        [particulars(occurred) for occurred in events],
    )
    new = {(row["number"], row["event"]) for row in rows}
    known = [occurred for occurred in events if (occurred.number, occurred.event) not in new]
    await keep_contradictions(connection, reference, events=known)
    if not new:
        return
    history = (await events_of(connection, [reference]))[reference]
    happened = [occurred for occurred in history if (occurred.number, occurred.event) in new]
    followed = await follow_events(connection, reference, pack, history, happened)
    await _add(
        connection,
        "INSERT INTO casefile.deadlines"
        " (reference, clock, number, rung, statutory, started_at, due, clock_due, actions, level, how, provisional)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        [
            (
                reference,
                d.clock,
                d.number,
                d.rung,
                d.statutory,
                d.started_at,
                d.due,
                d.clock_due,
                d.actions,
                d.level,
                d.how,
                d.provisional,
            )
            for d in followed.planned
        ],
    )
    await _add(
        connection,
        "INSERT INTO casefile.satisfactions (reference, clock, number, by_event, by_number, at, replaced)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [(reference, one.clock, one.number, one.by, one.by_number, one.at, one.replaced) for one in followed.satisfied],
    )


async def follow_events(
    connection: "Connection",
    reference: str,
    pack: PolicyPack,
    history: Sequence[Occurred],
    new: Sequence[Occurred],
) -> Followed:
    """What the *new* events of the *history* lead to, as the case stands."""
    named = {occurred.calendar for occurred in history if occurred.calendar}
    rows = await connection.fetch(_CALENDARS, list(named)) if named else []
    later = {row["hash"]: Calendar.model_validate(row["content"]) for row in rows}
    if missing := named - set(later):
        raise ApplicationError(
            f"calendar: the case file has no calendar {', '.join(sorted(missing))}; `redress calendar replan` adds it",
            type="NoCalendar",
        )
    rounds = await rounds_of(connection, [reference])
    return follow(pack, rounds[reference], history, new, later)


async def write_firings(connection: "Connection", update: CaseUpdate) -> None:
    """Write down the rungs that acted. That a duty was missed stands in the file with the firing, never without."""
    await _add(
        connection,
        _FIRED,
        [
            (update.reference, firing.clock, firing.number, firing.rung, firing.due, firing.fired_at, firing.breach)
            for firing in update.firings
        ],
    )
    await keep_contradictions(connection, update.reference, firings=update.firings)
    if any(firing.breach for firing in update.firings):
        await connection.execute(_BREACHED, update.reference)


async def write_summary(connection: "Connection", update: CaseUpdate) -> None:
    """Write the summary, unless a newer one is there."""
    summary = update.summary
    await connection.execute(
        """
        UPDATE casefile.cases SET
            revision = $2, stage = $3, stage_since = $4, category = $5, severity = $6, priority = $7, in_scope = $8,
            repeat = $9, team = $10, handler = $11, escalation_level = $12, outcome = $13, compensation_amount = $14,
            compensation_currency = $15, next_deadline = $16, closed_at = $17,
            updated_at = now()
        WHERE reference = $1 AND revision < $2
        """,
        update.reference,
        summary.revision,
        summary.stage,
        summary.stage_since,
        summary.category,
        summary.severity,
        summary.priority,
        summary.in_scope,
        summary.repeat,
        summary.team,
        summary.handler,
        summary.escalation_level,
        summary.outcome,
        summary.compensation.amount if summary.compensation else None,
        summary.compensation.currency if summary.compensation else None,
        summary.next_deadline,
        summary.closed_at,
    )


async def led_to(
    connection: "Connection", reference: str, pack: PolicyPack, events: Sequence[Occurred], asked: Sequence[str] = ()
) -> Recorded:
    """The rounds that *events* began, earliest rung first, and those that they ended, that have ended by now, or that
    were *asked* for and have ended.
    """
    if not events and not asked:
        return Recorded()
    happened = {(occurred.event, occurred.number) for occurred in events}
    numbers = [occurred.number for occurred in events]
    begins = {
        (clock.name, occurred.number)
        for clock in pack.clocks
        for occurred in events
        if clock.trigger is occurred.event or shifts(clock, occurred)
    }
    planned = [
        Deadline(**row)
        for row in await connection.fetch(
            "SELECT clock, number, rung, statutory, started_at, due, clock_due, actions, level, how, provisional"
            " FROM casefile.deadlines WHERE reference = $1 AND number = ANY ($2) ORDER BY due, clock, number, rung",
            reference,
            numbers,
        )
        if (row["clock"], row["number"]) in begins
    ]
    started = {(deadline.clock, deadline.number) for deadline in planned}
    satisfied = [
        Satisfied(**row)
        for row in await connection.fetch(
            "SELECT clock, number, by_event AS by, by_number, at, replaced FROM casefile.satisfactions"
            " WHERE reference = $1 AND (by_number = ANY ($2) OR number = ANY ($2)"
            " OR clock || ':' || number::text = ANY ($3)) ORDER BY by_number, clock, number",
            reference,
            numbers,
            asked,
        )
        if (row["by"], row["by_number"]) in happened
        or (row["clock"], row["number"]) in started
        or f"{row['clock']}:{row['number']}" in asked
    ]
    return Recorded(planned=tuple(planned), satisfied=tuple(satisfied))


async def _add(connection: "Connection", insert: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        await connection.executemany(insert, rows)


# Who subscribed to what happens to their complaints is told of it by webhook, if it stands in the file: see
# starter.upkeep.webhooks_out.
_HAPPENED: Final = """
    with happened as (
        insert into casefile.events (reference, number, event, at, particulars)
        select $1, new.* from unnest($2::integer[], $3::text[], $4::timestamptz[], $5::jsonb[]) as new
        on conflict do nothing returning reference, number, event, at
    ), told as (
        insert into web.deliveries (subscription, key, event, reference, at)
        select h.id, concat_ws(':', e.reference, e.event, e.number), e.event, e.reference, e.at
        from happened e join casefile.cases c using (reference)
        join web.hearers h on e.event = any(h.events) and (h.every_source or h.service = c.source)
        on conflict do nothing
    )
    select number, event from happened
"""
_FIRED: Final = """
    with fired as (
        insert into casefile.firings (reference, clock, number, rung, due, fired_at, breach)
        values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing
        returning reference, clock, number, rung, fired_at, breach
    )
    insert into web.deliveries (subscription, key, event, reference, clock, at)
    select h.id, concat_ws(':', f.reference, 'breached', f.clock, f.number, f.rung), 'breached', f.reference, f.clock,
        f.fired_at
    from fired f join casefile.cases c using (reference)
    join web.hearers h on f.breach and 'breached' = any(h.events) and (h.every_source or h.service = c.source)
    on conflict do nothing
"""
_CALENDARS: Final = "select hash, content from casefile.calendars where hash = any($1)"
_BREACHED: Final = """
    update casefile.cases set breached = true
    where reference = $1 and not breached
    and exists (select from casefile.firings where reference = $1 and breach)
"""
