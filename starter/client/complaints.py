"""The typed client: start complaints and talk to their cases from any Python service.

complaints = await Complaints.connect()
submitted = await complaints.submit(complaint)
receipt = await complaints.assign(submitted.reference, handler="h-17", by=Actor(id="crm", role=Role.TEAM_LEAD))
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from temporalio.client import WorkflowExecutionStatus

from domain.case.answers import Closed, Status
from domain.case.complaint import ClosedCase, Complaint
from domain.case.messages.deciding import DecideResolution, ProposeDraft, ProposeResolution, ResolveEarly
from domain.case.messages.evidence import AddEvidence, Investigate, RequestInformation
from domain.case.messages.giving import FinishTask, GiveTask, ReassignTask
from domain.case.messages.handling import (
    Assign,
    ChooseChannel,
    CorrectContact,
    ExtendDeadline,
    NoteSign,
    Reclassify,
    RecordCause,
    RecordFeedback,
    Reopen,
    ReplanDeadlines,
    VerifyComplainant,
    Withdraw,
)
from domain.case.messages.outside import RecordReferral, ReportReferral
from domain.case.messages.paying import ReportPayment, RetryPayment
from domain.case.messages.putting_right import ConfirmRemedy, GrantRelief, ReassignRemedy
from domain.case.messages.signals import CustomerReply, Escalate
from domain.case.messages.table import SIGNALS, Receipt
from domain.checks.findings import Check
from domain.ground.messages import Message, NotAllowed
from domain.ground.people import Actor
from domain.ground.reference import COMPLAINT, parse_reference
from domain.ground.timeline import Entry
from domain.ground.words import WORKFLOW, ReferralStep, SearchAttribute, SignStep, TaskKind
from domain.people.matching import IdentityState
from domain.people.signs import Sign
from starter.client.conversation import Conversation, R, Refused, made


class InvalidComplaint(ValueError):
    """The complaint cannot be taken on; the message names the field."""


class CaseNotFound(LookupError):
    """There is no case of this reference."""


class CaseClosed(RuntimeError):
    """The case is closed and takes no more messages."""


class Submitted(NamedTuple):
    """A complaint that has a case: its reference, and whether the case was there before."""

    reference: str
    already_known: bool


class Listed(NamedTuple):
    """One case in a list, from Temporal's visibility store."""

    reference: str
    running: bool
    started_at: datetime
    attributes: dict[str, Any]


class Complaints(Conversation):
    """Cases, over one Temporal connection. Safe to share between tasks."""

    workflow = WORKFLOW
    prefix = COMPLAINT

    async def submit(self, complaint: Complaint) -> Submitted:
        """Start the case of *complaint*, or find the one it has: the same source and key never make a second one.

        Raises :class:`InvalidComplaint` for times that cannot be, and ``TemporalUnavailable``.
        """
        try:
            complaint.check_times(datetime.now(UTC))
        except ValueError as error:
            raise InvalidComplaint(str(error)) from None
        summary = f"Complaint by {complaint.channel.value}, {complaint.language}"
        started = await self._start(complaint.reference, complaint, summary=summary)
        return Submitted(complaint.reference, already_known=not started)

    async def status(self, reference: str) -> Status:
        """Where the case stands, from its workflow; answers for closed cases as well, while their history is kept."""
        status: Status = await self._query(reference, "status", Status)
        return status

    async def timeline(self, reference: str) -> list[Entry]:
        """The last entries of the timeline, from the workflow; the case file has all."""
        entries: list[Entry] = await self._query(reference, "timeline", list[Entry])
        return entries

    async def result(self, reference: str) -> Closed:
        """Wait until the case is closed and return how it ended."""
        closed: Closed = await self._handle(reference, Closed).result()
        return closed

    async def list(self, **filters: Any) -> AsyncIterator[Listed]:
        """Cases by search attribute: ``stage=``, ``category=``, ``priority=``, ``team=``, ``handler=``, ``breached=``
        and the other :class:`~domain.ground.words.SearchAttribute` names in lower case, newest first."""
        clauses = [f"WorkflowType = '{WORKFLOW}'"]
        for name, value in filters.items():
            try:
                attribute = SearchAttribute[name.upper()].value
            except KeyError:
                known = ", ".join(attribute.name.lower() for attribute in SearchAttribute)
                raise ValueError(f"{name}: there is no such filter; there are {known}") from None
            clauses.append(f"{attribute} = {_literal(value)}")
        async for execution in self.client.list_workflows(" AND ".join(clauses)):
            yield Listed(
                execution.id,
                execution.status is WorkflowExecutionStatus.RUNNING,
                execution.start_time,
                {pair.key.name: pair.value for pair in execution.typed_search_attributes},
            )

    # -- messages: ``by`` is who acts; give ``message_id`` to make a repeated send count once -----------------------

    async def reply(self, reference: str, *, by: Actor, message_id: str | None = None, **reply: Any) -> None:
        """Pass on what the customer says: ``intent=`` information, accept, dispute or progress; ``text=`` …"""
        await self._signal(reference, made(CustomerReply, by, message_id, reply))

    async def escalate(
        self, reference: str, reason: str, *, by: Actor, level: int | None = None, message_id: str | None = None
    ) -> None:
        """Raise the case one level, or to *level*."""
        await self._signal(reference, made(Escalate, by, message_id, {"reason": reason, "level": level}))

    async def assign(self, reference: str, handler: str, *, by: Actor, **more: Any) -> Receipt:
        """Give the case to *handler* (``team=`` as well)."""
        return await self._send(reference, Assign, by, handler=handler, **more)

    async def reclassify(self, reference: str, reason: str, *, by: Actor, **more: Any) -> Receipt:
        """Correct ``category=``, ``severity=``, ``complexity=`` or ``in_scope=``."""
        return await self._send(reference, Reclassify, by, reason=reason, **more)

    async def add_evidence(self, reference: str, note: str, *, by: Actor, **more: Any) -> Receipt:
        """Put evidence into the case file (``attachments=``, ``trades=``, ``account=``)."""
        return await self._send(reference, AddEvidence, by, note=note, **more)

    async def investigate(self, reference: str, *checks: Check, by: Actor, **more: Any) -> Receipt:
        """Run *checks* on top of those the case has (``trades=`` as well)."""
        return await self._send(reference, Investigate, by, checks=checks, **more)

    async def request_information(self, reference: str, questions: str, *, by: Actor, **more: Any) -> Receipt:
        """Ask the customer, by letter."""
        return await self._send(reference, RequestInformation, by, questions=questions, **more)

    async def propose_resolution(self, reference: str, *, by: Actor, **proposal: Any) -> Receipt:
        """Propose ``outcome=``, ``compensation=`` (or ``as_found=``), ``awards=``, ``remedies=`` and ``reasons=``."""
        return await self._send(reference, ProposeResolution, by, **proposal)

    async def propose_draft(self, reference: str, draft: str | None = None, *, by: Actor, **more: Any) -> Receipt:
        """Propose the draft as it stands: the one with the digest *draft*, or the one that the case has now."""
        if draft is None and (draft := (await self.status(reference)).draft) is None:
            raise NotAllowed("draft: the case has none; propose_resolution says what you propose")
        return await self._send(reference, ProposeDraft, by, draft=draft, **more)

    async def approve(self, reference: str, proposal: str | None = None, *, by: Actor, **more: Any) -> Receipt:
        """Approve the proposal with that digest, as a second person; by default the one that waits now."""
        seen = proposal or await self._waiting(reference)
        return await self._send(reference, DecideResolution, by, decision="approve", proposal=seen, **more)

    async def return_proposal(
        self, reference: str, reasons: str, proposal: str | None = None, *, by: Actor, **more: Any
    ) -> Receipt:
        """Return the proposal with that digest, by default the one that waits now, with reasons."""
        said = {"proposal": proposal or await self._waiting(reference), "reasons": reasons}
        return await self._send(reference, DecideResolution, by, decision="return", **said, **more)

    async def _waiting(self, reference: str) -> str:
        """The digest of the case's proposal. Raises :class:`Refused` where it has none."""
        if (digest := (await self.status(reference)).proposal_digest) is None:
            raise Refused("proposal: no proposal waits for approval; propose_resolution comes first")
        return digest

    async def resolve_early(self, reference: str, *, by: Actor, **resolution: Any) -> Receipt:
        """End the case with a summary letter: as :meth:`propose_resolution`."""
        return await self._send(reference, ResolveEarly, by, **resolution)

    async def extend_deadline(
        self, reference: str, clock: str, extension: str, reasons: str, *, by: Actor, **more: Any
    ) -> Receipt:
        """Grant an extension of *clock* that the policy pack names; the customer is told the *reasons*."""
        return await self._send(
            reference, ExtendDeadline, by, clock=clock, extension=extension, reasons=reasons, **more
        )

    async def record_referral(
        self, reference: str, route: str, referred_at: datetime, *, by: Actor, **more: Any
    ) -> Receipt:
        """Record that the customer turned to an outside body (``outside_reference=`` as well).

        A closed case goes on with that.
        """
        return await self._send(reference, RecordReferral, by, route=route, referred_at=referred_at, **more)

    async def report_referral(
        self, reference: str, referral: int, step: ReferralStep, at: datetime, *, by: Actor, **more: Any
    ) -> Receipt:
        """Say how a referral goes on: ``until=``, ``what=``; of a decision ``outcome=``, ``award=``, ``accepted=`` …"""
        return await self._send(reference, ReportReferral, by, referral=referral, step=step, at=at, **more)

    async def replan_deadlines(self, reference: str, calendar: str, *, by: Actor, **more: Any) -> Receipt:
        """Count provisional deadlines anew on the calendar with that hash, which must be in the case file."""
        return await self._send(reference, ReplanDeadlines, by, calendar=calendar, **more)

    async def record_feedback(self, reference: str, score: int, *, by: Actor, **more: Any) -> Receipt:
        """Record how satisfied the customer is, 1 to 5 (``comment=`` as well)."""
        return await self._send(reference, RecordFeedback, by, score=score, **more)

    async def record_cause(self, reference: str, cause: str, *, by: Actor, **more: Any) -> Receipt:
        """Record the root cause, such as ``pricing/provider_quote`` (``contributing=``, ``others_touched=``)."""
        return await self._send(reference, RecordCause, by, cause=cause, **more)

    async def correct_contact(
        self,
        reference: str,
        *,
        by: Actor,
        email: str | None = None,
        phone: str | None = None,
        by_post: bool = False,
        **more: Any,
    ) -> Receipt:
        """Replace what is given; with ``by_post`` the e-mail address is removed, and letters wait to be posted."""
        return await self._send(reference, CorrectContact, by, email=email, phone=phone, by_post=by_post, **more)

    async def choose_channel(self, reference: str, channel: str | None = None, *, by: Actor, **more: Any) -> Receipt:
        """Say how the customer wants to be written to: ``email``, ``post`` or ``message``; ``language``: in which."""
        return await self._send(reference, ChooseChannel, by, channel=channel, **more)

    async def verify_complainant(
        self, reference: str, result: IdentityState, how: str, *, by: Actor, **more: Any
    ) -> Receipt:
        """Say who complains, after looking at the proof: ``verified`` or ``mismatch``, and how that is known."""
        return await self._send(reference, VerifyComplainant, by, result=result, how=how, **more)

    async def note_sign(self, reference: str, step: SignStep, sign: Sign, *, by: Actor, **more: Any) -> Receipt:
        """Raise, confirm or withdraw a sign of what whoever handles the case should know (``reason=`` as well)."""
        return await self._send(reference, NoteSign, by, step=step, sign=sign, **more)

    async def withdraw(self, reference: str, *, by: Actor, **more: Any) -> Receipt:
        """End the case today, at the customer's wish (``reason=`` as well)."""
        return await self._send(reference, Withdraw, by, **more)

    async def reopen(self, reference: str, reason: str, *, by: Actor, **more: Any) -> Receipt:
        """Take the case up again within its follow-up window."""
        return await self._send(reference, Reopen, by, reason=reason, **more)

    async def grant_relief(self, reference: str, what: str, until: datetime, *, by: Actor, **more: Any) -> Receipt:
        """Grant temporary relief until then (``kind=``, ``owner=`` as well)."""
        return await self._send(reference, GrantRelief, by, what=what, until=until, **more)

    async def confirm_remedy(self, reference: str, remedy: int, proof: str, *, by: Actor, **more: Any) -> Receipt:
        """Say that a remedy was carried out and what shows it; with ``lapsed=True``, why it is owed no longer."""
        return await self._send(reference, ConfirmRemedy, by, remedy=remedy, proof=proof, **more)

    async def reassign_remedy(self, reference: str, remedy: int, owner: str, *, by: Actor, **more: Any) -> Receipt:
        """Give a remedy to somebody else (``reason=`` as well)."""
        return await self._send(reference, ReassignRemedy, by, remedy=remedy, owner=owner, **more)

    async def give_task(self, reference: str, kind: TaskKind, *, by: Actor, **more: Any) -> Receipt:
        """Give somebody a task: ``owner=`` or ``role=``, ``until=`` and ``what=`` as well."""
        return await self._send(reference, GiveTask, by, kind=kind, **more)

    async def finish_task(self, reference: str, task: int, result: str, *, by: Actor, **more: Any) -> Receipt:
        """Say that a task is done, and what came of it."""
        return await self._send(reference, FinishTask, by, task=task, result=result, **more)

    async def reassign_task(self, reference: str, task: int, owner: str, *, by: Actor, **more: Any) -> Receipt:
        """Give a task to somebody else (``reason=`` as well)."""
        return await self._send(reference, ReassignTask, by, task=task, owner=owner, **more)

    async def retry_payment(self, reference: str, reason: str, *, by: Actor, **more: Any) -> Receipt:
        """Have a payment tried again, now that its details are right (``payee=`` for another account)."""
        return await self._send(reference, RetryPayment, by, reason=reason, **more)

    async def report_payment(self, reference: str, *, by: Actor, **report: Any) -> Receipt:
        """Say what became of a payment: ``state=``, ``bank_reference=``, ``payment=``, ``cause=`` and ``reason=``."""
        return await self._send(reference, ReportPayment, by, **report)

    async def send(self, reference: str, message: Message) -> Receipt | None:
        """Send any message. An update is answered with a receipt, a signal with nothing.

        Raises ``InvalidReference``, :class:`CaseNotFound`, :class:`CaseClosed`, ``Refused`` or ``NotAnswered``.
        """
        if isinstance(message, SIGNALS):
            await self._signal(reference, message)
            return None
        return await self._update(reference, message, Receipt)

    async def _update(self, reference: str, message: Message, answer: type[R]) -> R:
        try:
            return await super()._update(reference, message, answer)
        except (CaseClosed, CaseNotFound):
            # The way to an ombudsman does not end with the case. Of one that ended long ago Temporal knows nothing.
            if not isinstance(message, RecordReferral):
                raise
            case = parse_reference(reference, prefix=COMPLAINT)
            await self._start(case, ClosedCase(closed_case=case), summary="A closed case that goes on", again=True)
            return await super()._update(reference, message, answer)

    def _missing(self, reference: str) -> Exception:
        return CaseNotFound(f"there is no case {reference}")

    def _ended(self, reference: str) -> Exception:
        return CaseClosed(f"{reference} is closed and takes no more messages")

    async def _send(
        self, reference: str, kind: type[Message], by: Actor, /, *, message_id: str | None = None, **fields: Any
    ) -> Receipt:
        return await self._update(reference, made(kind, by, message_id, fields), Receipt)


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"
