"""The typed client of reviews by compliance: what was drawn, what a review found, what it teaches; by Schedule."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from temporalio.client import (
    Client,
    ScheduleActionStartWorkflow,
    ScheduleOverlapPolicy,
)

from domain.ground.people import Actor
from domain.keys.personal import Row
from domain.learning.reviewing import (
    Kept,
    RecordReview,
    Review,
    ReviewFinding,
    ReviewOrder,
    check_review,
    founded,
)
from record.proofs import signed
from record.reviews import read_reviews
from runtime.causes import load_causes
from starter.client.schedules import put_monthly

if TYPE_CHECKING:
    from runtime.database import Pool
    from runtime.identity.speaking import TokenFor

ROUND: Final = "ReviewRound"
SCHEDULE: Final = "redress-reviews"


class Reviews:
    """The reviews in the record, over a pool of connections. Safe to share between tasks."""

    def __init__(self, pool: "Pool", token_for: "TokenFor | None" = None) -> None:
        """*token_for* makes the token of what is said: what is not proven does not stand, unless anybody may act."""
        self._pool = pool
        self._token_for = token_for

    async def all(self, period: str | None = None, reference: str | None = None) -> list[Review]:
        """Those that who looks may see, the newest period first."""
        async with self._pool.acquire() as connection:
            return await read_reviews(connection, period, reference)

    async def record(
        self,
        reference: str,
        period: str,
        answers: Mapping[str, Kept],
        findings: Iterable[ReviewFinding] = (),
        *,
        by: Actor,
    ) -> RecordReview:
        """Write down what the review of a case found. Raises ``NotAllowed``."""
        said = RecordReview(
            message_id=str(uuid.uuid4()),
            actor=by,
            period=period,
            answers=dict(answers),
            findings=tuple(findings),
        )
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_LOCK, reference)
            known = next(iter(await read_reviews(connection, period, reference)), None)
            check_review(known, said, load_causes())
            assert known  # noqa: S101 (checked)
            assert known.rule  # noqa: S101 (checked)
            data = {"answers": said.model_dump(mode="json")["answers"], "findings": founded(known.rule, said)}
            notes = {one.question: one.note for one in said.findings}
            words = Row("casefile.reviews", reference, f"{reference}/{period}")("words", notes or None)
            token = signed(self._token_for, reference, said)
            values = (reference, period, datetime.now(UTC), str(by), data, words, said.message_id, token)
            await connection.execute(_RECORD, *values)
        return said

    async def notes(self, period: str | None = None) -> dict[str, list[str]]:
        """What reviewers found, by theme of training."""
        found: dict[str, list[str]] = {}
        for review in await self.all(period):
            themes = {one.name: one.theme.value for one in review.rule.checklist} if review.rule else {}
            for one in review.reviewed.findings if review.reviewed else ():
                found.setdefault(themes.get(one.question, one.question), []).append(one.note)
        return dict(sorted(found.items()))


async def schedule_reviews(client: Client, order: ReviewOrder, *, day: int, hour: int, task_queue: str) -> bool:
    """Have cases drawn on that *day* of each month, at that *hour* of its zone; replaces an earlier order.

    Returns whether there was one.
    """
    start = ScheduleActionStartWorkflow(
        ROUND, order, id=SCHEDULE, task_queue=task_queue, static_summary="Reviews of closed cases by compliance"
    )
    overlap = ScheduleOverlapPolicy.ALLOW_ALL
    return await put_monthly(client, start, day=day, hour=hour, zone=order.zone, overlap=overlap)


async def draw_now(client: Client, order: ReviewOrder, *, task_queue: str) -> str:
    """Have the cases of the period before drawn now; returns the workflow that sees to their review."""
    handle = await client.start_workflow(ROUND, order, id=f"{SCHEDULE}-{uuid.uuid4()}", task_queue=task_queue)
    return handle.id


_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended('review:' || $1, 0))"
_RECORD: Final = """
    insert into casefile.reviews (reference, period, step, at, by, data, words, message_id, token)
    values ($1, $2, 'reviewed', $3, $4, $5, $6, $7, $8)
"""
