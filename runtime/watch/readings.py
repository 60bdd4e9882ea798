"""What the record and Temporal say of the state of the service: counts and ages, never a reference or a name."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from temporalio.client import Client

from domain.ground.words import Stage

if TYPE_CHECKING:
    from runtime.database import Connection


WINDOW: Final = timedelta(hours=24)
"""What is counted over time is counted over the last day."""

_HOUR: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class RecordReading:
    """What the record says at a moment. Counts; ages and lateness in seconds, 0 where there is nothing to tell."""

    open_cases: Mapping[Stage, int]
    breached_cases: int
    """Open cases that have missed a deadline at some time."""
    clocks_due: int
    """Clocks of open cases, neither kept nor missed yet, whose end comes within a day."""
    clocks_kept: int
    """Clocks that were satisfied in time within the last day."""
    clocks_missed: int
    """Breaches recorded within the last day."""
    rungs_overdue: int
    """Rungs that came due within the last day, more than a minute ago, and have neither acted nor become needless."""
    lateness_max: float
    """Of the rungs that acted within the last hour."""
    lateness_mean: float
    letters_waiting: int
    """Letters, of cases and incidents, that no channel has accepted."""
    oldest_letter: float
    webhooks_waiting: int
    """Webhooks of standing subscriptions that no service has taken, those too that are tried no more by themselves."""
    oldest_webhook: float
    rejected_messages: int
    """Messages that did not fit, within the last day."""
    payments_in_doubt: int
    """Payments ordered of which it is not known how they ended."""
    oldest_payment: float


@dataclass(frozen=True)
class TemporalReading:
    """What Temporal's visibility says at a moment."""

    failing_workflows: int
    """Running workflows whose tasks keep failing (Temporal reports their problems)."""
    failed_workflows: int
    """Workflows that ended as failed, timed out or terminated within the last day. A case ends by being closed."""
    payments_held: int
    """Cases whose payment waits for a person."""


async def read_record(connection: "Connection", now: datetime) -> RecordReading:
    """Read the record as it is at *now*."""
    stages = await connection.fetch(_OPEN_CASES)
    row = await connection.fetchrow(_COUNTS, now, now - WINDOW, now + WINDOW, now - _HOUR, now - _MINUTE)
    assert row is not None  # noqa: S101 (an aggregate has one row)
    by_stage: dict[Stage, int] = {stage: 0 for stage in Stage if stage is not Stage.CLOSED}
    for one in stages:
        by_stage[Stage(one["stage"])] = by_stage.get(Stage(one["stage"]), 0) + one["cases"]
    return RecordReading(
        open_cases=by_stage, breached_cases=sum(one["cases"] for one in stages if one["breached"]), **row
    )


async def read_temporal(client: Client, now: datetime) -> TemporalReading:
    """Ask Temporal's visibility as of *now*."""
    since = (now - WINDOW).isoformat()
    count = functools.partial(client.count_workflows, rpc_timeout=_PATIENCE)
    return TemporalReading(
        failing_workflows=(await count(FAILING)).count,
        failed_workflows=(await count(f"{FAILED} AND CloseTime > '{since}'")).count,
        payments_held=(await count("ExecutionStatus = 'Running' AND ComplaintPayment = 'held'")).count,
    )


FAILING: Final = "ExecutionStatus = 'Running' AND TemporalReportedProblems IS NOT NULL"
FAILED: Final = "ExecutionStatus IN ('Failed', 'TimedOut', 'Terminated')"
_PATIENCE: Final = timedelta(seconds=10)

_OPEN_CASES: Final = """
    select stage, breached, count(*) as cases from casefile.cases where closed_at is null group by stage, breached
"""
LETTERS_WAITING: Final = """
    select l.reference, l.kind, l.rendered_at from casefile.cases c join casefile.letters l using (reference)
    where c.closed_at is null
      and not exists (select from casefile.letter_attempts a where a.key = l.key and a.outcome = 'accepted')
    union all
    select l.reference, 'incident', l.rendered_at from casefile.incident_letters l
    where not exists (select from casefile.incident_letter_attempts a where a.key = l.key and a.outcome = 'accepted')
"""
_WEBHOOKS_WAITING: Final = """
    select d.at from web.deliveries d join web.subscriptions s on s.id = d.subscription where s.ended_at is null
"""
PAYMENTS_IN_DOUBT: Final = """
    select o.reference, o.ordered_at from payments.orders o
    where not exists (select from payments.outcomes e where e.key = o.key)
"""
_COUNTS: Final = f"""
    with letters as ({LETTERS_WAITING}), payments as ({PAYMENTS_IN_DOUBT}), webhooks as ({_WEBHOOKS_WAITING}),
    lateness as (
        select extract(epoch from max(lateness)) as most, extract(epoch from avg(lateness)) as mean
        from casefile.firings where fired_at > $4
    )
    select
        (select count(*) from casefile.deadlines d join casefile.cases c using (reference)
         where d.due > $1 and d.due <= $3 and 'breach' = any (d.actions) and c.closed_at is null
           and not exists (select from casefile.satisfactions s
                           where (s.reference, s.clock, s.number) = (d.reference, d.clock, d.number))) as clocks_due,
        (select count(*) from casefile.satisfactions s
         where s.at > $2 and not s.replaced
           and exists (select from casefile.deadlines d
                       where (d.reference, d.clock, d.number) = (s.reference, s.clock, s.number)
                         and 'breach' = any (d.actions) and s.at <= d.clock_due)) as clocks_kept,
        (select count(*) from casefile.firings where fired_at > $2 and breach) as clocks_missed,
        (select count(*) from casefile.deadlines d join casefile.cases c using (reference)
         where d.due > $2 and d.due < $5 and c.closed_at is null
           and not exists (select from casefile.firings f where (f.reference, f.clock, f.number, f.rung)
                           = (d.reference, d.clock, d.number, d.rung))
           and not exists (select from casefile.satisfactions s where (s.reference, s.clock, s.number)
                           = (d.reference, d.clock, d.number))) as rungs_overdue,
        coalesce((select most from lateness), 0)::float8 as lateness_max,
        coalesce((select mean from lateness), 0)::float8 as lateness_mean,
        (select count(*) from letters) as letters_waiting,
        extract(epoch from $1 - coalesce((select min(rendered_at) from letters), $1))::float8 as oldest_letter,
        (select count(*) from webhooks) as webhooks_waiting,
        extract(epoch from $1 - coalesce((select min(at) from webhooks), $1))::float8 as oldest_webhook,
        (select count(*) from casefile.rejected_messages where at > $2) as rejected_messages,
        (select count(*) from payments) as payments_in_doubt,
        extract(epoch from $1 - coalesce((select min(ordered_at) from payments), $1))::float8 as oldest_payment
"""  # noqa: S608 (nothing from outside)
