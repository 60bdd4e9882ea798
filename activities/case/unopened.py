"""Starts that are no case: those that wait for what this worker lacks, and those that can never be one."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

import structlog
from temporalio import activity

from domain.case.requests import OpenCase, RefuseStart, Turn
from domain.ground.base import clean
from domain.keys.personal import Personal, Row
from domain.keys.scopes import scope_of_workflow

if TYPE_CHECKING:
    from runtime.database import Pool

log = structlog.get_logger(__name__)


class Unopened:
    """Keeps what was started and is no case. ``clock`` gives the time as an aware datetime."""

    def __init__(self, pool: "Pool", clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._clock = clock

    @activity.defn(name="RefuseStart")
    async def refuse_start(self, request: RefuseStart) -> None:
        """Keep what was sent to a workflow that can be no case, with the reason."""
        scope = scope_of_workflow(request.workflow_id)
        rows = [
            (
                key := f"{request.run}:refused:{request.number}:{place}",
                request.workflow_id,
                request.run,
                request.at,
                "refused",
                clean(message.name)[:100],
                *_sealed(scope, key, request.reason, message.payload),
            )
            for place, message in enumerate(request.messages)
        ]
        await self._pool.executemany(_KEEP, rows)
        log.error("start refused", workflow=request.workflow_id, number=request.number)

    async def note_waiting(self, request: OpenCase, reason: str) -> None:
        """Keep a complaint that cannot become a case before this worker, or another, has what *reason* names."""
        key = f"{request.run}:waiting"
        told = _sealed(request.reference, key, reason, request.complaint.model_dump_json())
        row = (key, request.reference, request.run, self._clock(), "waiting", "start", *told)
        if await self._pool.execute(_KEEP, *row) != _KEPT_BEFORE:
            log.error("complaint waits to become a case", reference=request.reference, reason=reason)


def _sealed(scope: str, key: str, reason: str, payload: str) -> tuple[Personal, Personal]:
    row = Row("casefile.unopened", scope, key)
    return row("reason", clean(reason)), row("payload", clean(payload))


@activity.defn(name="TakeTurn")
async def take_turn(_turn: Turn) -> None:
    """Nothing: that it is answered in a step of its own is all that is wanted."""


_KEPT_BEFORE: Final = "INSERT 0 0"
_KEEP: Final = """
    insert into casefile.unopened (key, workflow_id, run_id, at, state, name, reason, payload)
    values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing
"""
