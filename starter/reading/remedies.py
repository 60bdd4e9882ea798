"""Reading what cases owe beside money: each remedy, by when, and what shows that it was done."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from domain.case.obligations import Obligation
from domain.ground.base import Instant, Record

if TYPE_CHECKING:
    from runtime.database import Pool

State = Literal["owed", "overdue", "done", "lapsed", "in place", "ended"]


class RemedyView(Record):
    """A remedy of a case: by when it is to be carried out (``None`` where no clock of its pack says), and its state."""

    reference: str
    remedy: Obligation
    due: Instant | None
    state: State


async def get_remedies(
    pool: "Pool", now: datetime, *, reference: str | None = None, limit: int = 200
) -> list[RemedyView]:
    """All remedies of one case in the order in which they began; or what any open case owes, the earliest due first."""
    rows = await pool.fetch(_OF_A_CASE if reference else _OWED, reference or limit)
    known: dict[tuple[str, int], Obligation] = {}
    ended: set[tuple[str, int]] = set()
    for row in rows:
        obligation = Obligation.model_validate(row["data"])
        known[row["reference"], obligation.number] = obligation
        if row["kind"] == "relief_ended":
            ended.add((row["reference"], obligation.number))
    due = await _due(pool, list(known))
    views = [
        RemedyView(reference=key[0], remedy=one, due=due.get(key), state=_state(one, due.get(key), key in ended, now))
        for key, one in known.items()
    ]
    if reference:
        return views
    views = [one for one in views if one.state in {"owed", "overdue"}]
    return sorted(views, key=lambda one: (one.due is None, one.due or one.remedy.since, one.reference))


def _state(one: Obligation, due: datetime | None, ended: bool, now: datetime) -> State:
    if ended:
        return "ended"
    if one.proof:
        return "lapsed" if one.lapsed else "in place" if one.is_relief else "done"
    return "overdue" if due and due < now else "owed"


async def _due(pool: "Pool", keys: Sequence[tuple[str, int]]) -> dict[tuple[str, int], datetime]:
    rows = await pool.fetch(_DUE, [reference for reference, _ in keys], [number for _, number in keys])
    return {(row["reference"], row["number"]): row["due"] for row in rows}


_OF_A_CASE: Final = """
    select reference, kind, data from casefile.timeline
    where reference = $1 and kind in ('remedy_owed', 'relief_granted', 'remedy_reassigned', 'remedy_confirmed',
        'relief_ended')
        and not casefile.hidden(reference)
    order by at, journal, id
"""
_OWED: Final = """
    select reference, kind, data from casefile.timeline
    where kind in ('remedy_owed', 'relief_granted', 'remedy_reassigned', 'remedy_confirmed',
        'relief_ended') and reference in (
        select reference from casefile.cases
        where closed_at is null and not casefile.hidden(reference)
            and exists (select from casefile.events where events.reference = cases.reference and event = 'remedy_owed')
        order by received_at, reference limit $1
    )
    order by reference, at, journal, id
"""
_DUE: Final = """
    select reference, number, min(clock_due) as due
    from unnest($1::text[], $2::integer[]) as asked (reference, number)
    join casefile.deadlines using (reference, number)
    where not ('end_relief' = any(actions)) and 'breach' = any(actions)
    group by reference, number
"""
