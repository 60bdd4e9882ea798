"""What has changed since, written into the tables of the case file; nothing is written twice."""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from temporalio.exceptions import ApplicationError

from activities.case.at_once import AtOnce
from activities.case.written_once import keep_contradictions, particulars
from domain.case.file import CaseUpdate, Recorded
from domain.clocks.calendar import Calendar
from domain.clocks.deadlines import ClockHistory, Firing, Followed, Occurred
from domain.clocks.planning import as_rounds, follow, shifts
from domain.ground.words import Role
from domain.rules.policy import PolicyPack
from record.packs import digest

if TYPE_CHECKING:
    from runtime.database import Connection


async def add_events(  # noqa: PLR0917 (what leads to what)
    connection: "Connection",
    writing: AtOnce,
    reference: str,
    pack: PolicyPack,
    known: ClockHistory,
    events: Collection[Occurred],
) -> ClockHistory:
    """Add those of *events* that are new to what is written, and the rounds of clocks that begin and end with them.

    Returns what is *known* of the case with them.
    """
    there = {_numbered(one) for one in known.events}
    new = [one for key, one in sorted({_numbered(one): one for one in events}.items()) if key not in there]
    if not new:
        return known
    followed = await follow_events(connection, pack, known, new)
    happened = (
        [occurred.number for occurred in new],
        [occurred.event for occurred in new],
        [occurred.at for occurred in new],
    )
    writing.add(_HAPPENED, reference, *happened, [particulars(occurred) for occurred in new])
    writing.add(_TOLD, reference, *happened)
    if followed.planned:
        writing.add(_PLANNED, reference, [one.model_dump(mode="json") for one in followed.planned])
    if followed.satisfied:
        writing.add(_SATISFIED, reference, [one.model_dump(mode="json") for one in followed.satisfied])
    return known.grown(new, followed)


async def follow_events(
    connection: "Connection", pack: PolicyPack, known: ClockHistory, new: Sequence[Occurred]
) -> Followed:
    """What the *new* events lead to, as the case stands by what is *known* of it."""
    history = sorted([*known.events, *new], key=_numbered)
    named = {occurred.calendar for occurred in history if occurred.calendar}
    rows = await connection.fetch(_CALENDARS, list(named)) if named else []
    # Who had it counted anew signed for the hash: what else is kept under it is another calendar.
    kept = [row for row in rows if digest(row["content"]) == row["hash"]]
    later = {row["hash"]: Calendar.model_validate(row["content"]) for row in kept}
    if missing := named - set(later):
        raise ApplicationError(
            f"calendar: the case file has no calendar {', '.join(sorted(missing))}; `redress calendar replan` adds it",
            type="NoCalendar",
        )
    ended = {one.round: one for one in known.satisfied}
    return follow(pack, as_rounds(known.deadlines, ended), history, new, later)


def told_otherwise(known: ClockHistory, events: Iterable[Occurred]) -> list[Occurred]:
    """Those of *events* that the record has otherwise, by what was *known* before they were told."""
    there = {_numbered(one): one for one in known.events}
    return [
        one
        for one in events
        if (stands := there.get(_numbered(one))) and (stands.at, particulars(stands)) != (one.at, particulars(one))
    ]


def _numbered(occurred: Occurred) -> tuple[int, str]:
    return occurred.number, occurred.event.value


async def write_firings(connection: "Connection", update: CaseUpdate) -> None:
    """Write down the rungs that acted. That a duty was missed stands in the file with the firing, never without."""
    if not update.firings:
        return
    rows = [
        (update.reference, firing.clock, firing.number, firing.rung, firing.due, firing.fired_at, firing.breach)
        for firing in update.firings
    ]
    await connection.executemany(_FIRED, rows)
    await keep_contradictions(connection, update.reference, await _fired_otherwise(connection, update))
    if any(firing.breach for firing in update.firings):
        await connection.execute(_BREACHED, update.reference)


async def _fired_otherwise(connection: "Connection", update: CaseUpdate) -> list[Firing]:
    """Those of its firings that the record has otherwise."""
    stands = {
        one: await connection.fetchrow(_KNOWN_FIRING, update.reference, one.clock, one.number, one.rung)
        for one in update.firings
    }
    return [one for one, row in stands.items() if row and tuple(row) != (one.due, one.fired_at, one.breach)]


def add_summary(writing: AtOnce, update: CaseUpdate) -> None:
    """Add the summary to what is written, unless a newer one is there."""
    summary = update.summary
    writing.add(
        _SUMMARY,
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
        list(Role),
    )


def led_to(pack: PolicyPack, known: ClockHistory, events: Sequence[Occurred], asked: Collection[str] = ()) -> Recorded:
    """The rounds that *events* began, earliest rung first, and those that they ended, that have ended by now, or that
    were *asked* for and have ended, by what is *known* of the case.
    """
    happened = {(occurred.event, occurred.number) for occurred in events}
    begins = {
        f"{clock.name}:{occurred.number}"
        for clock in pack.clocks
        for occurred in events
        if clock.trigger is occurred.event or shifts(clock, occurred)
    }
    planned = [one for one in known.deadlines if one.round in begins]
    named = {one.round for one in planned} | set(asked)
    satisfied = [one for one in known.satisfied if (one.by, one.by_number) in happened or one.round in named]
    return Recorded(
        planned=tuple(sorted(planned, key=lambda one: (one.due, one.clock, one.number, one.rung))),
        satisfied=tuple(sorted(satisfied, key=lambda one: (one.by_number, one.clock, one.number))),
    )


# Who subscribed to what happens to their complaints is told of it by webhook, if it stands in the file: see
# starter.upkeep.webhooks_out.
_HAPPENED: Final = """
    insert into casefile.events (reference, number, event, at, particulars)
    select $1, new.* from unnest($2::integer[], $3::text[], $4::timestamptz[], $5::jsonb[]) as new
"""
_TOLD: Final = """
    insert into web.deliveries (subscription, key, event, reference, at)
    select h.id, concat_ws(':', c.reference, e.event, e.number), e.event, c.reference, e.at
    from unnest($2::integer[], $3::text[], $4::timestamptz[]) as e (number, event, at)
    join casefile.cases c on c.reference = $1
    join web.hearers h on e.event = any(h.events) and (h.every_source or h.service = c.source)
    on conflict do nothing
"""
_PLANNED: Final = """
    insert into casefile.deadlines
        (reference, clock, number, rung, statutory, started_at, due, clock_due, actions, level, how, provisional)
    select $1, new.* from jsonb_to_recordset($2::jsonb) as new (clock text, number integer, rung text,
        statutory boolean, started_at timestamptz, due timestamptz, clock_due timestamptz, actions text[],
        level integer, how text, provisional boolean)
"""
_SATISFIED: Final = """
    insert into casefile.satisfactions (reference, clock, number, by_event, by_number, at, replaced)
    select $1, new.* from jsonb_to_recordset($2::jsonb) as new (clock text, number integer, "by" text,
        by_number integer, at timestamptz, replaced boolean)
"""
# A summary that was on its way while the case was given to somebody does not know it yet.
_SUMMARY: Final = """
    update casefile.cases set
        revision = $2, stage = $3, stage_since = $4, category = $5, severity = $6, priority = $7, in_scope = $8,
        repeat = $9, team = $10,
        handler = case when $11::text is null or $11 = any($18) then coalesce((
            select person from casefile.assignments where reference = $1 order by number desc limit 1), $11)
            else $11 end,
        escalation_level = $12, outcome = $13, compensation_amount = $14,
        compensation_currency = $15, next_deadline = $16, closed_at = $17,
        updated_at = now()
    where reference = $1 and revision < $2
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
_KNOWN_FIRING: Final = """
    select due, fired_at, breach from casefile.firings
    where reference = $1 and clock = $2 and number = $3 and rung = $4
"""
_CALENDARS: Final = "select hash, content from casefile.calendars where hash = any($1)"
_BREACHED: Final = """
    update casefile.cases set breached = true
    where reference = $1 and not breached
    and exists (select from casefile.firings where reference = $1 and breach)
"""
