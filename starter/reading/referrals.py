"""Reading what is before outside bodies: how far each referral is, and by when something is due."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from domain.ground.base import Instant, Record
from domain.ground.words import Outcome
from domain.money.amounts import Money

if TYPE_CHECKING:
    from runtime.database import Pool


class ReferralView(Record):
    """A referral of a case: ``due`` is the next day by which the firm has to do something."""

    reference: str
    number: int
    route: str
    since: Instant
    outside_reference: str | None
    state: str
    outcome: Outcome | None
    award: Money | None
    due: Instant | None
    ended: str | None


async def get_referrals(pool: "Pool", *, reference: str | None = None, limit: int = 200) -> list[ReferralView]:
    """All referrals of one case, in the order in which they began; or all that are open."""
    rows = await pool.fetch(_OF_A_CASE if reference else _OPEN, reference or limit)
    last = {(row["reference"], row["data"]["number"]): row["data"] for row in rows}
    wanted = [(case, said["request"]) for (case, _), said in last.items() if said["request"] is not None]
    due = await _due(pool, [*last, *wanted])
    views = [
        _view(case, said, min(filter(None, (due.get((case, number)), due.get((case, said["request"])))), default=None))
        for (case, number), said in last.items()
    ]
    return views if reference else [one for one in views if one.ended is None]


def _view(reference: str, said: dict[str, Any], due: datetime | None) -> ReferralView:
    return ReferralView(
        reference=reference,
        number=said["number"],
        route=said["route"],
        since=said["since"],
        outside_reference=said["reference"],
        state=said["state"],
        outcome=said.get("outcome"),
        award=said.get("award"),
        due=due if said["ended"] is None else None,
        ended=said["ended"],
    )


async def _due(pool: "Pool", keys: list[tuple[str, int]]) -> dict[tuple[str, int], datetime]:
    rows = await pool.fetch(_DUE, [reference for reference, _ in keys], [number for _, number in keys])
    return {(row["reference"], row["number"]): row["due"] for row in rows}


_OF_A_CASE: Final = """
    select reference, data from casefile.timeline
    where reference = $1 and kind = 'referral' and not casefile.hidden(reference)
    order by at, journal, id
"""
_OPEN: Final = """
    select reference, data from casefile.timeline
    where kind = 'referral' and reference in (
        select reference from casefile.cases
        where closed_at is null and not casefile.hidden(reference)
            and exists (select from casefile.events where events.reference = cases.reference and event = 'referred')
        order by received_at, reference limit $1
    )
    order by at, journal, id
"""
_DUE: Final = """
    select reference, number, min(clock_due) as due
    from unnest($1::text[], $2::integer[]) as asked (reference, number)
    join casefile.deadlines using (reference, number)
    where 'breach' = any(actions)
    group by reference, number
"""
