"""What Temporal has lost goes on from its file: another workflow takes it over from the checkpoint that is kept there.

No worker is needed. Nothing is done here but to start it; what was under way it does again, under the same keys.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError

from activities.case import checkpoints
from domain.case.complaint import Complaint
from domain.ground.words import WORKFLOW
from domain.incidents import incident
from domain.incidents.incident import NewIncident
from recovery.history import Signal, read_unheard
from runtime.settings import Settings

if TYPE_CHECKING:
    from runtime.database import Connection, Pool

_OPENING: Final = (
    "case",
    "incident",
    "event:1:received",
    "timeline:received",
    "timeline:assessed",
    "timeline:identified",
    "contact:",
)


class CannotResume(Exception):
    """A case or incident cannot go on from its file. The message says why, and what a person must do."""


async def resume(  # noqa: PLR0917 (what goes on, where)
    client: Client,
    pool: "Pool",
    settings: Settings,
    reference: str,
    keys: set[str],
    known_run: str | None,
    since: datetime,
) -> str:
    """Start a workflow that goes on with the case or incident *reference*, of which the file has *keys*.

    It takes the place of the run *known_run*; the signals that had come to that one since the time *since* of the
    backup, and were not heard, are sent on. Returns its run id. Raises :class:`CannotResume`.
    """
    name, start, summary = await _beginning(pool, reference)
    async with pool.acquire() as connection, connection.transaction():
        if not await _readable(connection, reference) and not all(key.startswith(_OPENING) for key in keys):
            raise CannotResume(_NOTHING_KEPT)
        await checkpoints.await_workflow(connection, reference)
    try:
        started = await client.start_workflow(
            name,
            start,
            id=reference,
            task_queue=settings.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            static_summary=summary,
        )
        # Read now that the other run has ended: nothing can come to it any more.
        unheard = await read_unheard(client, reference, known_run) if known_run else []
        await _send_on(client, reference, [signal for signal in unheard if signal.at >= since])
    except RPCError as error:
        raise CannotResume(f"Temporal did not take it: {error.message}; run reconcile again") from None
    return started.first_execution_run_id or ""


async def _beginning(pool: "Pool", reference: str) -> tuple[str, Any, str]:
    """Name, input and summary of the workflow, as when it was started first."""
    row = await pool.fetchrow(_BEGINNING, reference)
    if row is None:
        raise CannotResume("its file does not tell what it began with")
    try:
        if row["complaint"] is not None:
            complaint = Complaint.recorded(row["complaint"])
            return WORKFLOW, complaint, f"Complaint by {complaint.channel.value}, {complaint.language}"
        new = NewIncident.model_validate(row["opened"])
    except ValidationError:
        raise CannotResume(_OTHER_VERSION) from None
    return incident.WORKFLOW, new, f"Incident: {new.fault.spoken}"


async def _readable(connection: "Connection", reference: str) -> bool:
    """Whether the file keeps something to go on from that this version can read."""
    try:
        return bool(await checkpoints.find(connection, reference)) or bool(
            await checkpoints.find_incident(connection, reference)
        )
    except ValidationError:
        raise CannotResume(_OTHER_VERSION) from None


async def _send_on(client: Client, reference: str, signals: Sequence[Signal]) -> None:
    handle = client.get_workflow_handle(reference)
    for signal in signals:
        await handle.signal(signal.name, args=list(signal.sent))


_OTHER_VERSION: Final = (
    "what its file keeps for a workflow to go on from was written by another version of Redress; run reconcile with"
    " that version"
)
_NOTHING_KEPT: Final = (
    "its file keeps nothing for a workflow to go on from. What is in it stands; a person ends the case by hand and"
    " submits the complaint again with a new idempotency_key and a reference to this one"
)
_BEGINNING: Final = """
    select complaint, null::jsonb as opened from casefile.cases where reference = $1
    union all
    select null::jsonb, opened from casefile.incidents where reference = $1
"""
