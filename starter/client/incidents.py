"""The typed client of incidents: open one, decide its list, watch it."""

from typing import Any, NamedTuple

from domain.ground.messages import Message
from domain.ground.people import Actor
from domain.ground.reference import INCIDENT
from domain.incidents.incident import WORKFLOW, NewIncident
from domain.incidents.messages import DecideIncident, IncidentReceipt, PauseIncident, ResumeIncident, RetryMember
from domain.incidents.progress import Progress
from starter.client.conversation import Conversation, Refused, made


class IncidentNotFound(LookupError):
    """There is no incident of this reference."""


class Opened(NamedTuple):
    """An incident: its reference, and whether the same fault had been opened before."""

    reference: str
    already_known: bool


class Incidents(Conversation):
    """Incidents, over one Temporal connection. Safe to share between tasks."""

    workflow = WORKFLOW
    prefix = INCIDENT

    async def open(self, new: NewIncident) -> Opened:
        """Open an incident, or find the one that the same fault has. Raises ``TemporalUnavailable``.

        A fault whose incident was dismissed or has ended can be opened again under another window only.
        """
        started = await self._start(new.reference, new, summary=f"Incident: {new.fault.spoken}")
        return Opened(new.reference, already_known=not started)

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
        return await self._send(reference, DecideIncident, by, decision="approve", cohort=cohort, **more)

    async def relist(self, reference: str, reasons: str, *, by: Actor, **more: Any) -> IncidentReceipt:
        """Have the accounts listed anew, on the log as it stands now."""
        return await self._send(reference, DecideIncident, by, decision="relist", reasons=reasons, **more)

    async def dismiss(self, reference: str, reasons: str, *, by: Actor, **more: Any) -> IncidentReceipt:
        """End the incident: there was no fault, or it is handled otherwise."""
        return await self._send(reference, DecideIncident, by, decision="dismiss", reasons=reasons, **more)

    async def pause(self, reference: str, reason: str, *, by: Actor, **more: Any) -> IncidentReceipt:
        """Stop compensating after the accounts in hand."""
        return await self._send(reference, PauseIncident, by, reason=reason, **more)

    async def resume(self, reference: str, *, by: Actor, **more: Any) -> IncidentReceipt:
        """Go on, at another rate if ``per_minute=`` is given."""
        return await self._send(reference, ResumeIncident, by, **more)

    async def retry(self, reference: str, account: str, *, by: Actor, **more: Any) -> IncidentReceipt:
        """Compensate an account that failed once more, or leave it to people with the reason ``leave=``."""
        return await self._send(reference, RetryMember, by, account=account, **more)

    async def send(self, reference: str, message: Message) -> IncidentReceipt:
        """Send any message.

        Raises ``InvalidReference``, :class:`IncidentNotFound`, ``Refused``, ``NotAnswered`` or ``TemporalUnavailable``.
        """
        return await self._update(reference, message, IncidentReceipt)

    def _missing(self, reference: str) -> Exception:
        return IncidentNotFound(f"there is no incident {reference}")

    def _ended(self, reference: str) -> Exception:
        return Refused(f"{reference} has ended and takes no more messages")

    async def _send(
        self, reference: str, kind: type[Message], by: Actor, *, message_id: str | None = None, **fields: Any
    ) -> IncidentReceipt:
        return await self._update(reference, made(kind, by, message_id, fields), IncidentReceipt)
