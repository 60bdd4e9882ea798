"""The compensation ledger: every award one balanced double-entry posting, made once."""

from collections.abc import Callable
from datetime import datetime

import asyncpg
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.case_file import CaseFile, utc_now
from domain.case import CompensationRecorded, RecordCompensation
from domain.deadlines import Occurred

log = structlog.get_logger(__name__)


class Compensation:
    """Posts awards. ``clock`` gives the time as an aware datetime."""

    def __init__(
        self, pool: "asyncpg.Pool[asyncpg.Record]", case_file: CaseFile, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._pool = pool
        self._case_file = case_file
        self._clock = clock

    @activity.defn(name="RecordCompensation")
    async def record_compensation(self, request: RecordCompensation) -> CompensationRecorded:
        """Post *award*, rounded to the currency's smallest unit, under *key*. Again, it answers as the first time.

        Debit ``expense:redress``, what redress costs the firm; credit ``liability:customer:<reference>``, what it owes
        the customer of that case. Raises `ApplicationError`, never retried, of type ``CompensationConflict`` if the key
        or the number was used for another award, ``InvalidCompensation`` if nothing is left of the award.
        """
        reference = request.update.reference
        award = request.award.rounded()
        if award.amount <= 0:
            raise ApplicationError(
                f"award: {award} is not above zero; a case without compensation needs no posting",
                type="InvalidCompensation",
                non_retryable=True,
            )
        async with self._pool.acquire() as connection, connection.transaction():
            posted_at = await connection.fetchval(
                "INSERT INTO casefile.postings (key, reference, number, amount, currency, posted_at)"
                " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING posted_at",
                request.key,
                reference,
                request.number,
                award.amount,
                award.currency,
                self._clock(),
            )
            if posted_at is not None:
                await connection.executemany(
                    "INSERT INTO casefile.ledger_entries (posting_key, account, amount, currency)"
                    " VALUES ($1, $2, $3, $4)",
                    [
                        (request.key, "expense:redress", award.amount, award.currency),
                        (request.key, f"liability:customer:{reference}", -award.amount, award.currency),
                    ],
                )
            else:
                posting = await connection.fetchrow(
                    "SELECT key, reference, number, amount, currency, posted_at FROM casefile.postings"
                    " WHERE key = $1 OR (reference, number) = ($2, $3) ORDER BY key = $1 DESC LIMIT 1",
                    request.key,
                    reference,
                    request.number,
                )
                assert posting is not None  # noqa: S101 (it was in the way of the insert)
                wanted = (request.key, reference, request.number, award.amount, award.currency)
                if tuple(posting)[:5] != wanted:
                    raise ApplicationError(
                        f"award {request.number} of {reference}, {award} under key {request.key}: the ledger has"
                        f" {posting['currency']} {posting['amount']} under key {posting['key']} already, as award"
                        f" {posting['number']} of {posting['reference']}; give a new award a key and number of its own",
                        type="CompensationConflict",
                        non_retryable=True,
                    )
                posted_at = posting["posted_at"]
            events = [Occurred(event=event, at=posted_at, number=request.number) for event in request.announces]
            recorded = await self._case_file.apply(connection, request.update, events)
            await self._case_file.apply(connection, request.then.dated(posted_at))
        log.info("compensation recorded", reference=reference, number=request.number)
        return CompensationRecorded(at=posted_at, recorded=recorded)
