"""Reviews of the complaints process: asked for once a period, and told of while nobody did them."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from temporalio import activity

from activities.learning.mailing import ReportMail
from domain.ground.words import Role
from domain.learning.periods import Period
from domain.learning.process import (
    AskProcessReview,
    ChaseProcessReview,
    ProcessReview,
    ProcessReviewAsked,
    ProcessReviewStands,
)
from record.directory import read_directory
from record.process_reviews import read_process_reviews

if TYPE_CHECKING:
    from runtime.database import Pool


class ProcessReviews:
    """Sees that people look at the process itself."""

    def __init__(self, pool: "Pool", mail: ReportMail) -> None:
        self._pool = pool
        self._mail = mail

    @activity.defn(name="AskProcessReview")
    async def ask(self, request: AskProcessReview) -> ProcessReviewAsked:
        """Ask for the review of the period before; a period is asked for once, and mailed again under the same key."""
        order = request.order
        period = Period.of(order.length, request.at, order.zone).before().name
        due = request.at + timedelta(days=order.within_days)
        due = await self._pool.fetchval(_ASK, period, request.at, due) or await self._pool.fetchval(_DUE, period)
        told = f"Review of the complaints process, {period} · {period} 投诉处理流程回顾"
        await self._tell(request, ProcessReview(period=period, due=due), told, {Role.COMPLIANCE_OFFICER})
        return ProcessReviewAsked(period=period, due=due)

    @activity.defn(name="ChaseProcessReview")
    async def chase(self, request: ChaseProcessReview) -> ProcessReviewStands:
        """Mail compliance, and whoever has the role that it is raised to, unless it is done."""
        async with self._pool.acquire() as connection:
            await connection.execute(_ASK, request.period, request.at, request.due)  # a restored record may lack it
            (review,) = await read_process_reviews(connection, request.period)
        if review.done is None:
            late = request.at >= review.due
            what = ("is overdue", "已逾期") if late else ("is due soon", "即将到期")
            told = f"Review of the complaints process, {request.period}, {what[0]} · 投诉处理流程回顾{what[1]}"
            roles = {Role.COMPLIANCE_OFFICER, *([request.raised_to] if request.raised_to else [])}
            await self._tell(request, review, told, roles)
        return ProcessReviewStands(done=review.done is not None)

    async def _tell(
        self, request: AskProcessReview | ChaseProcessReview, review: ProcessReview, subject: str, roles: set[Role]
    ) -> None:
        async with self._pool.acquire() as connection:
            people = (await read_directory(connection)).people
        told = [one for one in people if not roles.isdisjoint(one.roles) and not one.away(request.at.date())]
        body = _BODY.format(subject=subject, period=review.period, due=f"{review.due:%Y-%m-%d %H:%M} UTC")
        await self._mail.send(request.key, subject, body, request.at, also=[one.address for one in told if one.address])


_BODY: Final = """{subject}

Due / 截止：{due}

redress report month {period}
redress review notes
redress action list
redress policy check
redress doctor
redress process record {period} --found TEXT --change TEXT
"""
_ASK: Final = """
    insert into reporting.process_reviews (period, step, at, by, due) values ($1, 'asked', $2, 'system:redress', $3)
    on conflict (period) where step = 'asked' do nothing returning due
"""
_DUE: Final = "select due from reporting.process_reviews where period = $1 and step = 'asked'"
