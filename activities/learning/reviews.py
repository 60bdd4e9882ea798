"""Reviews by compliance: cases are drawn once a period, and whoever has to review is told when time is over."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from temporalio import activity

from activities.learning.mailing import ReportMail
from domain.ground.base import person_of
from domain.ground.words import Role
from domain.learning.periods import Period
from domain.learning.reviewing import ChaseReviews, DrawReviews, ReviewsDrawn, ReviewsOpen
from domain.learning.sampling import Sample, draw
from record.directory import read_directory
from record.facts import cases_up_to, cut_off
from record.reviews import barred_from, read_reviews

if TYPE_CHECKING:
    from runtime.database import Pool


class Reviews:
    """Keeps the cases that compliance reviews."""

    def __init__(self, pool: "Pool", mail: ReportMail) -> None:
        self._pool = pool
        self._mail = mail

    @activity.defn(name="DrawReviews")
    async def draw(self, request: DrawReviews) -> ReviewsDrawn:
        """Draw cases closed in the period before, some of each kind; a period is drawn once."""
        order = request.order
        period = Period.of(order.length, request.at, order.zone).before()
        number = await cut_off(self._pool)
        cases = [case async for case in cases_up_to(self._pool, number)]
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_LOCK, period.name)
            if known := await connection.fetchrow(_KNOWN, period.name):
                return ReviewsDrawn(period=period.name, cases=known["cases"], due=known["due"])
            people = (await read_directory(connection)).people
            day = request.at.date()
            reviewers = [one.id for one in people if Role.COMPLIANCE_OFFICER in one.roles and not one.away(day)]
            out = await barred_from(connection, [case.reference for case in cases], request.at)
            sample = draw(
                cases,
                period,
                number,
                seed=period.name,
                per_stratum=order.per_kind,
                reviewers=reviewers,
                kept_out=out,
            )
            due = request.at + timedelta(days=order.within_days)
            await connection.executemany(_DRAW, [(*row, request.at, due) for row in _rows(sample)])
        return ReviewsDrawn(period=period.name, cases=len(sample.cases), due=due)

    @activity.defn(name="ChaseReviews")
    async def chase(self, request: ChaseReviews) -> ReviewsOpen:
        """Mail whoever has to review and did not, and whoever has the role that it is raised to."""
        async with self._pool.acquire() as connection:
            reviews = await read_reviews(connection, request.period)
            people = (await read_directory(connection)).people
        waiting = [one for one in reviews if not one.reviewed]
        if waiting:
            late = {person_of(one.reviewer) for one in waiting if one.reviewer}
            told = [one for one in people if one.person in late or request.raised_to in one.roles]
            also = [one.address for one in told if one.address and not one.away(request.at.date())]
            subject = (
                f"Reviews of {request.period}: {len(waiting)} wait · {request.period} 复核：{len(waiting)} 件待完成"
            )
            text = f"{subject}\n\nredress review list --period {request.period}\n"
            await self._mail.send(request.key, subject, text, request.at, also=also)
        return ReviewsOpen(cases=len(waiting))


def _rows(sample: Sample) -> list[tuple[str, str, str | None, dict[str, object]]]:
    how = {"seed": sample.seed, "cut_off": sample.cut_off, "per_kind": sample.per_stratum}
    return [(one.reference, sample.period, one.reviewer, how | {"stratum": one.stratum}) for one in sample.cases]


_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended('reviews:' || $1, 0))"
_KNOWN: Final = """
    select count(*) as cases, max(due) as due from casefile.reviews
    where period = $1 and step = 'drawn' having count(*) > 0
"""
_DRAW: Final = """
    insert into casefile.reviews (reference, period, step, by, reviewer, data, at, due)
    values ($1, $2, 'drawn', 'system:redress', $3, $4, $5, $6)
"""
