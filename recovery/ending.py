"""A case whose key was given up goes on no more. Somebody ends it, and the record says who did and why."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.case.case_file import CaseFile
from domain.case.file import CaseUpdate
from domain.clocks.deadlines import Occurred
from domain.ground.people import SYSTEM, Actor
from domain.ground.timeline import Entry
from domain.ground.words import CaseEvent, Stage
from recovery.sealed import lost_keys
from runtime.keys.columns import GIVEN_UP
from runtime.keys.here import keys_needed
from runtime.settings import Settings
from starter.reading.cases import get_case
from starter.reading.database import CaseNotFound

if TYPE_CHECKING:
    from runtime.database import Pool

ENDED: Final = "ended"
"""The entry of a case that was ended so."""


class CannotEnd(Exception):
    """The case is not to be ended so. The message says why."""


async def end_case(  # noqa: PLR0917 (what is ended, and by whom)
    client: Client, pool: "Pool", settings: Settings, reference: str, by: Actor, reason: str, at: datetime
) -> None:
    """Close the file of a case that no key opens any more, and terminate its workflow. Again, it does what is left.

    What is owed, or was promised, is not looked at: nobody knows it any more but the ledger. Raises `CannotEnd`.
    """
    if not by.role.is_staff:
        raise CannotEnd(f"actor: role {by.role.value} may not end a case; staff may")
    if not await pool.fetchval(_IS_ENDED, reference, ENDED):
        await _close(pool, settings, reference, by, reason, at)
    try:
        await client.get_workflow_handle(reference).terminate(f"its key was given up; ended by {by}")
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


async def _close(  # noqa: PLR0917 (as above)
    pool: "Pool", settings: Settings, reference: str, by: Actor, reason: str, at: datetime
) -> None:
    try:
        summary = (await get_case(pool, reference)).summary
    except CaseNotFound:
        raise CannotEnd(f"there is no case {reference}") from None
    if summary.closed_at:
        raise CannotEnd(f"case {reference} is closed")
    why = (await lost_keys(pool, keys_needed())).get(reference, "its key opens what is sealed")
    if GIVEN_UP not in why:
        raise CannotEnd(f"case {reference} goes on: {why}")
    row = await pool.fetchrow(_STANDS, reference)
    assert row  # noqa: S101 (it is there)
    closed = {"stage": Stage.CLOSED, "stage_since": at, "closed_at": at, "next_deadline": None}
    told = {"at": at, "journal": summary.revision}
    update = CaseUpdate(
        reference=reference,
        policy_hash=row["policy_hash"],
        summary=summary.model_copy(update={**closed, "revision": summary.revision + 2}),
        entries=(
            Entry(key=ENDED, kind=ENDED, actor=str(by), text=f"{why}: {reason}", data={"reason": reason}, **told),
            Entry(key="stage:ended", kind="stage", actor=str(SYSTEM), text=Stage.CLOSED.value, **told),
        ),
        events=(Occurred(event=CaseEvent.CLOSED, at=at, number=row["number"] + 1),),
    )
    await CaseFile(pool, default_policy=settings.default_policies).record(update)


_IS_ENDED: Final = "select exists (select from casefile.timeline where (reference, kind) = ($1, $2))"
_STANDS: Final = """
    select policy_hash, (select max(number) from casefile.events e where e.reference = c.reference) as number
    from casefile.cases c where reference = $1
"""
