"""How a refusal is told of what does not rest on the record: at once and for good, or once it had time to come."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from domain.case.approval import NotApproved, NotYetRecorded

TRIES: Final = 8
"""Attempts for which a decision may be on its way to the record: some four minutes, twice the longest pause."""

log = structlog.get_logger(__name__)


@contextmanager
def resting_on_the_record(reference: str, refusal: str = "NotApproved") -> Iterator[None]:
    """Turn :class:`NotApproved` into an `ApplicationError`, never retried, of the type *refusal*.

    What the record only lacks is waited for first (``NotYetRecorded``): it may still be written.
    """
    try:
        yield
    except NotApproved as error:
        waits = isinstance(error, NotYetRecorded) and activity.in_activity() and activity.info().attempt < TRIES
        log.error("not approved", reference=reference, why=str(error), final=not waits)  # noqa: TRY400
        kind = "NotYetRecorded" if waits else refusal
        raise ApplicationError(f"{reference}: {error}", type=kind, non_retryable=not waits) from None
