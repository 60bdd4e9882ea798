"""The typed client of incidents: open one, decide its list, watch it."""

import uuid
from datetime import timedelta
from typing import Any, NamedTuple, Self

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.client import WorkflowQueryFailedError as QueryFailed
from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError as UpdateTimedOut
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from domain.ground.messages import Message
from domain.ground.people import Actor
from domain.ground.reference import INCIDENT, parse_reference
from domain.incidents.incident import WORKFLOW, NewIncident
from domain.incidents.messages import DecideIncident, IncidentReceipt, PauseIncident, ResumeIncident, RetryMember
from domain.incidents.progress import Progress
from runtime.settings import Settings, load_settings
from runtime.temporal import TemporalUnavailable, connect
from starter.client.complaints import NotAnswered, Refused

_ANSWER_WITHIN = timedelta(seconds=20)


class IncidentNotFound(LookupError):
    """There is no incident of this reference."""


class Opened(NamedTuple):
    """An incident: its reference, and whether the same fault had been opened before."""

    reference: str
    already_known: bool


class Incidents:
    """Incidents, over one Temporal connection. Safe to share between tasks."""

    def __init__(self, client: Client, *, task_queue: str = "redress") -> None:
        self.client = client
        self._task_queue = task_queue

    @classmethod
    async def connect(cls, settings: Settings | None = None) -> Self:
        """Connect as the environment says (``TEMPORAL_*``, ``REDRESS_*``). Raises ``TemporalUnavailable``."""
        settings = settings or load_settings()
        return cls(await connect(settings), task_queue=settings.task_queue)

    async def open(self, new: NewIncident) -> Opened:
        """Open an incident, or find the one that the same fault has. Raises ``TemporalUnavailable``.

        A fault whose incident was dismissed or has ended can be opened again under another window only.
        """
        try:
            await self.client.start_workflow(
                WORKFLOW,
                new,
                id=new.reference,
                task_queue=self._task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                static_summary=f"Incident: {new.fault.spoken}",
            )
        except WorkflowAlreadyStartedError:
            return Opened(new.reference, already_known=True)
        except RPCError as error:
            raise TemporalUnavailable(f"the incident could not be opened: {error.message}") from None
        return Opened(new.reference, already_known=False)

    async def progress(self, reference: str) -> Progress:
        """How far the incident is, from its workflow."""
        progress: Progress = await self._query(reference, "progress", Progress)
        return progress

    async def failed(self, reference: str) -> list[str]:
        """The accounts that could not be compensated."""
        accounts: list[str] = await self._query(reference, "failed", list[str])
        return accounts

    async def result(self, reference: str) -> Progress:
        """Wait until the incident has ended and return how."""
        progress: Progress = await self._handle(reference, Progress).result()
        return progress

    async def approve(self, reference: str, cohort: str, *, by: Actor, **more: Any) -> IncidentReceipt:
        """Approve the list with the hash *cohort*, as a second person."""
        return await self._update(reference, DecideIncident, by, decision="approve", cohort=cohort, **more)

    async def relist(self, reference: str, reasons: str, *, by: Actor, **more: Any) -> IncidentReceipt:
        """Have the accounts listed anew, on the log as it stands now."""
        return await self._update(reference, DecideIncident, by, decision="relist", reasons=reasons, **more)

    async def dismiss(self, reference: str, reasons: str, *, by: Actor, **more: Any) -> IncidentReceipt:
        """End the incident: there was no fault, or it is handled otherwise."""
        return await self._update(reference, DecideIncident, by, decision="dismiss", reasons=reasons, **more)

    async def pause(self, reference: str, reason: str, *, by: Actor, **more: Any) -> IncidentReceipt:
        """Stop compensating after the accounts in hand."""
        return await self._update(reference, PauseIncident, by, reason=reason, **more)

    async def resume(self, reference: str, *, by: Actor, **more: Any) -> IncidentReceipt:
        """Go on, at another rate if ``per_minute=`` is given."""
        return await self._update(reference, ResumeIncident, by, **more)

    async def retry(self, reference: str, account: str, *, by: Actor, **more: Any) -> IncidentReceipt:
        """Compensate an account that failed once more, or leave it to people with the reason ``leave=``."""
        return await self._update(reference, RetryMember, by, account=account, **more)

    async def send(self, reference: str, message: Message) -> IncidentReceipt:
        """Send any message.

        Raises ``InvalidReference``, :class:`IncidentNotFound`, ``Refused``, ``NotAnswered`` or ``TemporalUnavailable``.
        """
        handle = self._handle(reference)
        try:
            receipt: IncidentReceipt = await handle.execute_update(
                message.name,
                message,
                id=f"{message.name}:{message.message_id}",
                result_type=IncidentReceipt,
                rpc_timeout=_ANSWER_WITHIN,
            )
        except WorkflowUpdateFailedError as error:
            cause = error.cause
            raise Refused(cause.message if isinstance(cause, ApplicationError) else str(cause)) from None
        except UpdateTimedOut:
            raise NotAnswered(f"{reference}: no worker answered within {_ANSWER_WITHIN.seconds} s") from None
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND and await self._has_ended(handle):
                raise Refused(f"{handle.id} has ended and takes no more messages") from None
            raise _explained(error, handle.id) from None
        return receipt

    @staticmethod
    async def _has_ended(handle: "WorkflowHandle[Any, Any]") -> bool:
        try:
            return (await handle.describe()).status is not WorkflowExecutionStatus.RUNNING
        except RPCError:
            return False

    async def _update(
        self, reference: str, kind: type[Message], by: Actor, *, message_id: str | None = None, **fields: Any
    ) -> IncidentReceipt:
        return await self.send(reference, kind(message_id=message_id or str(uuid.uuid4()), actor=by, **fields))

    async def _query(self, reference: str, name: str, result_type: Any) -> Any:
        handle = self._handle(reference)
        try:
            return await handle.query(name, result_type=result_type, rpc_timeout=_ANSWER_WITHIN)
        except QueryFailed as error:
            raise NotAnswered(f"{handle.id}: {error}") from None
        except RPCError as error:
            raise _explained(error, handle.id) from None

    def _handle(self, reference: str, result_type: type | None = None) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(parse_reference(reference, prefix=INCIDENT), result_type=result_type)


def _explained(error: RPCError, reference: str) -> Exception:
    if error.status is RPCStatusCode.NOT_FOUND:
        return IncidentNotFound(f"there is no incident {reference}")
    if error.status in {RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED}:
        return NotAnswered(f"{reference}: no worker answered within {_ANSWER_WITHIN.seconds} s")
    return TemporalUnavailable(f"Temporal: {error.message}")
