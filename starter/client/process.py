"""The typed client of reviews of the complaints process: asked for by Schedule, listed, recorded."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from temporalio.client import Client, ScheduleActionStartWorkflow, ScheduleOverlapPolicy

from domain.ground.people import Actor
from domain.keys.personal import Row
from domain.keys.scopes import LEARNING
from domain.learning.periods import MONTHS
from domain.learning.process import ProcessReview, ProcessReviewOrder, RecordProcessReview, check_process_review
from record.process_reviews import read_process_reviews, scope_of
from record.proofs import signed
from starter.client.schedules import put_monthly

if TYPE_CHECKING:
    from runtime.database import Pool
    from runtime.identity.speaking import TokenFor

ROUND: Final = "ProcessReview"
SCHEDULE: Final = "redress-process-review"


class ProcessReviews:
    """The reviews of the process in the record, over a pool of connections. Safe to share between tasks."""

    def __init__(self, pool: "Pool", token_for: "TokenFor | None" = None) -> None:
        """*token_for* makes the token of what is said: what is not proven does not stand, unless anybody may act."""
        self._pool = pool
        self._token_for = token_for

    async def all(self) -> list[ProcessReview]:
        """Those that were asked for, the newest first."""
        async with self._pool.acquire() as connection:
            return await read_process_reviews(connection)

    async def record(self, period: str, found: str, changes: Iterable[str] = (), *, by: Actor) -> RecordProcessReview:
        """Write down what the review of a period found and what is to change. Raises ``NotAllowed``."""
        said = RecordProcessReview(
            message_id=str(uuid.uuid4()), actor=by, period=period, found=found, changes=tuple(changes)
        )
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_LOCK, period)
            check_process_review(next(iter(await read_process_reviews(connection, period)), None), said)
            told = said.model_dump(mode="json", include={"found", "changes"})
            token = signed(self._token_for, scope_of(period), said)
            words = Row("reporting.process_reviews", LEARNING, period)("said", told)
            await connection.execute(_RECORD, period, datetime.now(UTC), str(by), words, said.message_id, token)
        return said


async def schedule_process_reviews(
    client: Client, order: ProcessReviewOrder, *, day: int, hour: int, task_queue: str
) -> bool:
    """Have the process reviewed after each period, on that *day* of its first month; replaces an earlier order.

    Returns whether there was one.
    """
    start = ScheduleActionStartWorkflow(
        ROUND, order, id=SCHEDULE, task_queue=task_queue, static_summary="Review of the complaints process"
    )
    overlap = ScheduleOverlapPolicy.ALLOW_ALL
    every = MONTHS[order.length]
    return await put_monthly(client, start, day=day, hour=hour, zone=order.zone, overlap=overlap, every=every)


async def ask_now(client: Client, order: ProcessReviewOrder, *, task_queue: str) -> str:
    """Ask for the review of the period before now; returns the workflow that sees to it."""
    handle = await client.start_workflow(ROUND, order, id=f"{SCHEDULE}-{uuid.uuid4()}", task_queue=task_queue)
    return handle.id


_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended('process:' || $1, 0))"
_RECORD: Final = """
    insert into reporting.process_reviews (period, step, at, by, said, message_id, token)
    values ($1, 'done', $2, $3, $4, $5, $6)
"""
