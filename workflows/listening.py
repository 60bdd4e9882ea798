"""What a case hears: signals from anybody, updates from internal tools, queries.

Handlers take any arguments and validate inside: what does not fit a typed handler, Temporal drops or retries for ever.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from domain.case.answers import Question, Status
from domain.case.approval import OF_A_ROUND
from domain.case.assessment import reassess
from domain.case.complaint import FUTURE_TOLERANCE
from domain.case.messages import (
    AddEvidence,
    Assign,
    CorrectContact,
    CustomerReply,
    DecideResolution,
    Escalate,
    ExtendDeadline,
    Investigate,
    ProposeResolution,
    Receipt,
    Reclassify,
    RecordFeedback,
    RecordReferral,
    Reopen,
    ReplanDeadlines,
    RequestInformation,
    ResolveEarly,
    Withdraw,
)
from domain.case.requests import RecordContact, Turn
from domain.case.resolution import (
    NotAllowed,
    at_stake,
    check_decision,
    check_early,
    check_extension,
    check_proposal,
    extension_key,
    follow_from_findings,
    needs_second_person,
    propose,
)
from domain.checks.choice import pointed_to
from domain.ground import spoken
from domain.ground.messages import Message
from domain.ground.people import Actor
from domain.ground.timeline import Entry
from domain.ground.words import CaseEvent, LetterKind, Role, Stage
from domain.incidents.messages import IncidentChanged
from workflows import effects
from workflows.casework import Casework, M, read
from workflows.raw import weight

MOST_TRADES = 200
"""So many trades a case looks at: those of the complaint and those that were named since."""
_MOST_AT_ONCE = 25
_MOST_BYTES_AT_ONCE = 150_000
"""So much is heard before it is in the case file: neither a task nor an update grows with what strangers send."""


class Listening(Casework):
    """A case that answers messages."""

    def __init__(self) -> None:
        super().__init__()
        self._inbox: deque[tuple[str, Sequence[Any]]] = deque()
        """Signals that wait to be heard, as they came."""
        self._heard, self._heard_bytes = 0, 0

    # -- signals: from anybody, and never break a case --------------------------------------------------------------

    def _arrived(self, name: str, message: Sequence[Any]) -> None:
        """Take a signal in; it is heard at once, unless the case is not open or much has been heard just now."""
        self._inbox.append((name, message))
        self._hear()

    def _hear(self) -> None:
        while self._inbox and self._is_open and self._may_hear():
            name, message = self._inbox.popleft()
            self._heard += 1
            self._heard_bytes += weight(message)
            match name:
                case CustomerReply.name:
                    self._hear_reply(message)
                case Escalate.name:
                    self._hear_escalation(message)
                case IncidentChanged.name:
                    self._hear_of_incident(message)
                case _:
                    self._reject(name, message, "there is no signal of this name; customer_reply and escalate exist")

    def _may_hear(self) -> bool:
        if not self.recorder.is_behind:
            self._heard, self._heard_bytes = 0, 0
        return self._heard < _MOST_AT_ONCE and self._heard_bytes < _MOST_BYTES_AT_ONCE

    @property
    def _is_open(self) -> bool:
        return self._begun is not None and self._begun.policy is not None

    async def _keep_hearing(self) -> None:
        """Hear what had to wait, a little in each task."""
        while True:
            await workflow.wait_condition(lambda: bool(self._inbox) and self._may_hear())
            self._hear()

    @workflow.signal(name="customer_reply", description="The customer says something: information, accept or dispute.")
    def customer_reply(self, *message: Any) -> None:
        self._arrived(CustomerReply.name, message)

    def _hear_reply(self, message: Sequence[Any]) -> None:
        reply = self._read_signal(CustomerReply, message)
        if reply is None:
            return
        case, now = self.case, workflow.now()
        case.last_message = f"customer reply ({reply.intent}), {now:%Y-%m-%d %H:%M:%S} UTC"
        case.note(now, reply.name, reply.intent, reply.actor, _body(reply))
        # They go with the next investigation and set off none: what is commanded here must not hang on lists of words.
        case.pointed_later = tuple(dict.fromkeys((*case.pointed_later, *pointed_to(reply.text or ""))))
        # Who accepts and disputes in one breath, before anything came of it, disputes.
        changes_mind = case.answer == "accept" and reply.intent == "dispute"
        if case.stage is Stage.RESPONDED and reply.intent != "information" and (case.answer is None or changes_mind):
            case.answer = reply.intent
            case.happened(CaseEvent.ANSWERED, now)
            if reply.intent == "dispute":
                case.happened(CaseEvent.DISPUTED, now)
                reason = spoken.said("the customer disputes the final response", "客户对处理决定有异议")
                self._escalate(case.escalation_level + 1, reason, reply.actor)
        elif case.stage in {Stage.SETTLING, Stage.FOLLOWING_UP} and reply.intent == "dispute":
            self._reopen(reply.actor)
        elif case.stage is not Stage.CLOSED and reply.intent == "information":
            self._add_trades(reply.trades)
            if case.asking:
                self._answered()
                case.happened(CaseEvent.CUSTOMER_REPLIED, now)

    @workflow.signal(name="escalate", description="Raise the case one level, or to the level given, with a reason.")
    def escalate(self, *message: Any) -> None:
        self._arrived(Escalate.name, message)

    def _hear_escalation(self, message: Sequence[Any]) -> None:
        request = self._read_signal(Escalate, message)
        if request is None:
            return
        if self.case.stage is Stage.CLOSED:
            self._reject(request.name, message, "the case is closed")
        else:
            self.case.last_message = f"escalate, {workflow.now():%Y-%m-%d %H:%M:%S} UTC"
            self.case.note(workflow.now(), request.name, "asked for", request.actor, _body(request))
            by = spoken.ROLES[request.actor.role]
            level = request.level or self.case.escalation_level + 1
            self._escalate(level, spoken.said(f"asked for by {by.en}", f"应{by.zh}要求"), request.actor)

    @workflow.signal(name="incident_changed", description="Sent by an incident that the complaint is about.")
    def incident_changed(self, *message: Any) -> None:
        self._arrived(IncidentChanged.name, message)

    def _hear_of_incident(self, message: Sequence[Any]) -> None:
        request = self._read_signal(IncidentChanged, message)
        if request is None:
            return
        if self.case.stage is Stage.CLOSED:
            self._reject(request.name, message, "the case is closed")
            return
        stage = request.stage.value
        told = f"{request.incident} is at stage {stage}"
        self.case.note(workflow.now(), "incident", told, request.actor, _body(request))
        self.case.asked_checks = tuple(dict.fromkeys((*self.case.asked_checks, *request.checks)))
        self._look_again()
        if not self.case.to_investigate:
            at = spoken.INCIDENT_STAGES[request.stage]
            self._tell_staff(
                Role.HANDLER,
                f"The case is about incident {request.incident}: {at.en} now.",
                f"该投诉涉及事件 {request.incident}，该事件现状：{at.zh}。",
            )

    @workflow.signal(dynamic=True, description="Any other signal is kept in the case file as a rejected message.")
    def unknown(self, name: str, args: Sequence[RawValue]) -> None:
        self._arrived(name, args)

    # -- updates: from internal tools, which learn whether it worked ------------------------------------------------

    @workflow.update(name="assign", description="Give the case to a handler (and team).")
    async def assign(self, *message: Any) -> Receipt:
        def apply(request: Assign) -> str:
            case = self.case
            case.handler = request.handler
            if request.team and case.assessment:
                case.assessment = case.assessment.model_copy(update={"team": request.team})
            return f"assigned to {request.handler}"

        return await self._update(Assign, message, self._assign_fits, apply)

    @assign.validator
    def _assign_fits(self, *message: Any) -> None:
        self._check(Assign, message, staff=True)

    @workflow.update(name="reclassify", description="Correct category, severity or scope, with a reason.")
    async def reclassify(self, *message: Any) -> Receipt:
        def apply(request: Reclassify) -> str:
            case = self.case
            if case.assessment is None:
                raise LookupError("no assessment")
            before = case.assessment
            case.assessment = reassess(
                case.assessment,
                case.pack,
                category=request.category,
                severity=request.severity,
                complexity=request.complexity,
                in_scope=request.in_scope,
                by=str(request.actor),
            )
            if case.assessment.category is not before.category:
                self._look_again()
            facts = case.assessment.facts(case.complaint)
            if facts != before.facts(case.complaint):
                case.happened(CaseEvent.RECLASSIFIED, workflow.now(), facts=facts)
            return ", ".join(("now " + facts.category.value, case.assessment.severity.value, facts.complexity.value))

        return await self._update(Reclassify, message, self._reclassify_fits, apply)

    @reclassify.validator
    def _reclassify_fits(self, *message: Any) -> None:
        if self._check(Reclassify, message, staff=True, stages=_BEFORE_RESPONSE) and self._diverted:
            raise refused("reclassify: the customer is being told that the complaint is for somebody else")

    @workflow.update(name="add_evidence", description="Put evidence into the case file; name trades to investigate.")
    async def add_evidence(self, *message: Any) -> Receipt:
        def apply(request: AddEvidence) -> str:
            self._add_trades(request.trades)
            if request.account and request.account != self.case.account:
                self.case.account = request.account
                self._look_again()
            return "evidence added"

        return await self._update(AddEvidence, message, self._add_evidence_fits, apply)

    @add_evidence.validator
    def _add_evidence_fits(self, *message: Any) -> None:
        request, case = self._check(AddEvidence, message), self.case
        if request is None or request.account in {None, case.account}:
            return
        # What is awarded is paid to it: it is no slip of the pen any more.
        if case.approved or case.stage not in _BEFORE_RESPONSE or case.rounds > 1:
            raise refused("account: a resolution was approved for the case's account; it stays")
        if case.account is not None and not request.actor.role.is_staff:
            raise refused(f"account: role {request.actor.role.value} may not change the case's account; staff may")

    @workflow.update(name="investigate", description="Run further checks on the trade log; the findings are made anew.")
    async def investigate(self, *message: Any) -> Receipt:
        def apply(request: Investigate) -> str:
            case = self.case
            case.asked_checks = tuple(dict.fromkeys((*case.asked_checks, *request.checks)))
            self._add_trades(request.trades)
            # It was made without knowing what will now be found.
            case.proposal = None
            self._look_again()
            return ", ".join(check.value for check in request.checks)

        return await self._update(Investigate, message, self._investigate_fits, apply)

    @investigate.validator
    def _investigate_fits(self, *message: Any) -> None:
        request = self._check(Investigate, message, staff=True, stages=_BEFORE_RESPONSE)
        if request is None:
            return
        if self._diverted:
            raise refused("investigate: the customer is being told that the complaint is for somebody else")
        if self.case.approved:
            raise refused("investigate: a resolution is approved already; its final response is on its way")
        if self.case.account is None:
            raise refused("investigate: the case has no trading account to look at; add_evidence names it")

    @workflow.update(name="request_information", description="Ask the customer for missing facts, by letter.")
    async def request_information(self, *message: Any) -> Receipt:
        def apply(request: RequestInformation) -> str:
            case = self.case
            case.question = Question(number=case.next_number(), questions=request.questions, by_rule=False)
            case.proposal, case.to_investigate = None, True
            return "the customer is asked"

        return await self._update(RequestInformation, message, self._request_information_fits, apply)

    @request_information.validator
    def _request_information_fits(self, *message: Any) -> None:
        request = self._check(RequestInformation, message, staff=True, stages=UNDER_INVESTIGATION)
        if request is None:
            return
        if self.case.asking:
            raise refused("questions: the customer has been asked and has not answered yet")
        if self.case.approved:
            raise refused("questions: the resolution is approved already")

    @workflow.update(name="propose_resolution", description="Propose outcome, compensation, remedies and reasons.")
    async def propose_resolution(self, *message: Any) -> Receipt:
        def apply(request: ProposeResolution) -> str:
            case = self.case
            case.proposal = propose(case, request, workflow.now())
            case.proposers.append(request.actor.id)
            case.stop_asking()
            if needs_second_person(case, case.proposal):
                approvers = case.pack.decision.approvers(at_stake(case, case.proposal))
                self._tell_staff(approvers[0], "A proposal waits for your decision.", "有一项处理方案待您审批。")
            return case.proposal.spoken

        return await self._update(ProposeResolution, message, self._propose_resolution_fits, apply)

    @propose_resolution.validator
    def _propose_resolution_fits(self, *message: Any) -> None:
        request = self._check(ProposeResolution, message, staff=True, stages=UNDER_INVESTIGATION)
        if request is None:
            return
        if self.case.proposal:
            raise refused("a proposal waits for a decision already; decide_resolution can return it")
        try:
            check_proposal(self.case, request)
        except NotAllowed as error:
            raise refused(str(error)) from None

    @workflow.update(name="decide_resolution", description="Approve or return the proposal, as a second person.")
    async def decide_resolution(self, *message: Any) -> Receipt:
        def apply(request: DecideResolution) -> str:
            if request.decision == "approve":
                self.case.approved = True
                return "approved"
            self.case.proposal = None
            self._tell_staff(
                Role.HANDLER,
                "The proposal was returned; the reasons are in the timeline.",
                "处理方案已被退回，理由见案件时间线。",
            )
            return "returned"

        return await self._update(DecideResolution, message, self._decide_resolution_fits, apply)

    @decide_resolution.validator
    def _decide_resolution_fits(self, *message: Any) -> None:
        decision = self._check(DecideResolution, message, staff=True, stages={Stage.DECIDING})
        if decision:
            try:
                check_decision(self.case, decision)
            except NotAllowed as error:
                raise refused(str(error)) from None

    @workflow.update(name="resolve_early", description="The customer regards the complaint as settled.")
    async def resolve_early(self, *message: Any) -> Receipt:
        def apply(request: ResolveEarly) -> str:
            case, now = self.case, workflow.now()
            case.proposal, case.approved, case.settled_early = propose(case, request, now), True, True
            case.proposers.append(request.actor.id)
            case.answer = "accept"
            case.stop_asking()
            return case.proposal.spoken

        return await self._update(ResolveEarly, message, self._resolve_early_fits, apply)

    @resolve_early.validator
    def _resolve_early_fits(self, *message: Any) -> None:
        request = self._check(ResolveEarly, message, staff=True, stages=UNDER_INVESTIGATION)
        if request is None:
            return
        if self.case.approved:
            raise refused("a resolution is approved already; its final response is on its way")
        try:
            check_early(self.case, request, workflow.now())
        except NotAllowed as error:
            raise refused(str(error)) from None

    @workflow.update(name="extend_deadline", description="Grant an extension that the policy pack names for a clock.")
    async def extend_deadline(self, *message: Any) -> Receipt:
        def apply(request: ExtendDeadline) -> str:
            deadline = next(one for one in self.case.deadlines if one.clock == request.clock)
            self.case.extended.append(extension_key(request, deadline))
            facts = self._facts(clock=request.clock, extension=request.extension, reasons=request.reasons)
            purpose = f"extension:{len(self.case.extended)}"
            self._post(LetterKind.EXTENSION, facts, purpose, CaseEvent.CONTACTED, CaseEvent.EXTENDED)
            return f"{request.clock}: {request.extension} approved; it counts once the customer has been told"

        return await self._update(ExtendDeadline, message, self._extend_deadline_fits, apply)

    @extend_deadline.validator
    def _extend_deadline_fits(self, *message: Any) -> None:
        request = self._check(ExtendDeadline, message, staff=True)
        if request:
            try:
                check_extension(self.case, request, workflow.now())
            except NotAllowed as error:
                raise refused(str(error)) from None

    @workflow.update(name="record_referral", description="The customer turned to an ombudsman or another outside body.")
    async def record_referral(self, *message: Any) -> Receipt:
        def apply(request: RecordReferral) -> str:
            case = self.case
            case.happened(CaseEvent.REFERRED, request.referred_at)
            # Interest may be owed from now on that was not before.
            investigation, rules = case.investigation, case.pack.interest
            if investigation and investigation.version > 1 and any(r.trigger is CaseEvent.REFERRED for r in rules):
                self._look_again()
            return f"to {request.route}"

        return await self._update(RecordReferral, message, self._record_referral_fits, apply)

    @record_referral.validator
    def _record_referral_fits(self, *message: Any) -> None:
        request = self._check(RecordReferral, message, staff=True)
        if request is None:
            return
        routes = [route.name for route in self.case.pack.routes]
        if request.route not in routes:
            known = ", ".join(routes) or "none"
            raise refused(f"route: the policy pack has no {request.route}; it has {known}")
        if request.referred_at < self.case.complaint.received_at:
            raise refused("referred_at: it lies before the complaint was received; give the time it happened")
        if request.referred_at > workflow.now() + FUTURE_TOLERANCE:
            raise refused("referred_at: it lies in the future; give the time it happened, with offset")

    @workflow.update(name="replan_deadlines", description="Count provisional deadlines anew on an extended calendar.")
    async def replan_deadlines(self, *message: Any) -> Receipt:
        def apply(request: ReplanDeadlines) -> str:
            self.case.happened(CaseEvent.REPLANNED, workflow.now(), calendar=request.calendar)
            return f"on calendar {request.calendar[:12]}"

        return await self._update(ReplanDeadlines, message, self._replan_deadlines_fits, apply)

    @replan_deadlines.validator
    def _replan_deadlines_fits(self, *message: Any) -> None:
        self._check(ReplanDeadlines, message, staff=True)

    @workflow.update(name="record_feedback", description="How satisfied the customer is, 1 to 5.")
    async def record_feedback(self, *message: Any) -> Receipt:
        def apply(request: RecordFeedback) -> str:
            self.case.happened(CaseEvent.FEEDBACK_GIVEN, workflow.now())
            return f"{request.score} of 5"

        return await self._update(RecordFeedback, message, self._record_feedback_fits, apply)

    @record_feedback.validator
    def _record_feedback_fits(self, *message: Any) -> None:
        self._check(RecordFeedback, message, stages={Stage.FOLLOWING_UP})

    @workflow.update(name="correct_contact", description="Replace the customer's address.")
    async def correct_contact(self, *message: Any) -> Receipt:
        return await self._update(
            CorrectContact, message, self._correct_contact_fits, lambda request: "address corrected"
        )

    @correct_contact.validator
    def _correct_contact_fits(self, *message: Any) -> None:
        self._check(CorrectContact, message, while_letters_wait=True)

    @workflow.update(name="withdraw", description="The customer takes the complaint back; it ends today.")
    async def withdraw(self, *message: Any) -> Receipt:
        def apply(request: Withdraw) -> str:
            self.case.withdrawn = True
            return "withdrawn"

        return await self._update(Withdraw, message, self._withdraw_fits, apply)

    @withdraw.validator
    def _withdraw_fits(self, *message: Any) -> None:
        self._check(Withdraw, message)

    @workflow.update(name="reopen", description="Take the case up again within its follow-up window.")
    async def reopen(self, *message: Any) -> Receipt:
        def apply(request: Reopen) -> str:
            self._reopen(request.actor)
            return "reopened"

        return await self._update(Reopen, message, self._reopen_fits, apply)

    @reopen.validator
    def _reopen_fits(self, *message: Any) -> None:
        # An award that the ledger never takes has no other way out.
        blocked = self.case.blocked is not None
        stages = {Stage.FOLLOWING_UP, Stage.SETTLING} if blocked else {Stage.FOLLOWING_UP}
        self._check(Reopen, message, stages=stages, though_withdrawn=blocked)

    # -- queries ----------------------------------------------------------------------------------------------------

    @workflow.query(name="status", description="Stage, next deadline, handler, what the case waits for.")
    def status(self) -> Status:
        if self._begun is None:
            raise ValueError("there is no case: what it was started with was refused")
        case = self.case
        draft = case.proposal or (follow_from_findings(case, case.stage_since) if case.policy else None)
        return Status(
            reference=case.reference,
            policy=f"{case.policy.id}@{case.policy.version}" if case.policy else None,
            summary=case.summary,
            waiting_for=self.waiting.what,
            letters_on_their_way=tuple(letter.kind.value for letter in case.letters),
            proposal=draft.spoken if draft else None,
            payment=case.payment_spoken,
        )

    @workflow.query(name="timeline", description="The last entries of the timeline; the case file has them all.")
    def timeline(self) -> list[Entry]:
        return self._begun.recent if self._begun else []

    # -- parts of the messages --------------------------------------------------------------------------------------

    async def _opened(self) -> None:
        """An update may come before the case file is open; it waits, and is not lost."""
        await workflow.wait_condition(lambda: self._is_open)

    def _check(
        self,
        kind: type[M],
        message: Sequence[Any],
        *,
        staff: bool = False,
        stages: set[Stage] | None = None,
        while_letters_wait: bool = False,
        though_withdrawn: bool = False,
    ) -> M | None:
        """Refuse an update that does not fit, to its sender. ``None`` for one that was answered before."""
        if self._begun is None:
            raise refused(f"{kind.name}: there is no case; what it was started with was refused")
        try:
            request = read(kind, message)
            known = self.case.knows(request)
        except ValueError as error:
            raise refused(str(error)) from None
        if _key(request) in self.case.receipts:
            return None
        if known:
            raise refused(f"message_id: {request.message_id} was answered so long ago that the answer is not at hand")
        stage = self.case.stage
        ended = stage is Stage.CLOSED or (self.case.withdrawn and not though_withdrawn)
        if ended and not (while_letters_wait and self.case.letters):
            raise refused(f"{kind.name}: the case is closed")
        if stages and stage not in stages:
            allowed = ", ".join(one.value for one in Stage if one in stages)
            raise refused(f"{kind.name}: the case is at stage {stage.value}; this is possible at {allowed}")
        if staff and not request.actor.role.is_staff:
            raise refused(f"actor: role {request.actor.role.value} may not send {kind.name}; staff may")
        return request

    async def _update(
        self, kind: type[M], message: Sequence[Any], fits: Callable[..., None], apply: Callable[[M], str]
    ) -> Receipt:
        """Let a message count once, write it down, and answer.

        *fits* is asked again, for what was true when the message came may not be when its turn has come.
        """
        await self._opened()
        await effects.take_turn(Turn())
        fits(*message)
        request = read(kind, message)
        case, key = self.case, _key(request)
        if receipt := case.receipts.get(key):
            await self.recorder.written(request)
            return receipt
        case.hear(request)
        now = workflow.now()
        noted = apply(request)
        case.last_message = f"{kind.name}, {now:%Y-%m-%d %H:%M:%S} UTC"
        # Money rests on what is noted here: of which round it was must stand there.
        of = {"round": case.rounds} if kind.name in OF_A_ROUND else {}
        case.note(now, kind.name, noted, request.actor, _body(request) | of)
        receipt = Receipt(
            message_id=request.message_id, reference=case.reference, stage=case.stage, noted=noted, at=now
        )
        case.answer_with(key, receipt)
        update = (
            self.recorder.take()
        )  # at once: a letter that follows from it, and may be on its way for days, would take it
        if isinstance(request, CorrectContact):
            contact = RecordContact(
                key=f"{case.reference}:contact:{request.message_id}",
                reference=case.reference,
                at=now,
                email=request.email,
                phone=request.phone,
                by_post=request.by_post,
            )
            await effects.record_contact(contact)
        await self.recorder.record(update)
        await self.recorder.written(request)
        return receipt

    def _answered(self) -> None:
        case = self.case
        case.stop_asking()
        if case.stage is Stage.INVESTIGATING:
            case.to_investigate = True

    def _add_trades(self, trades: tuple[str, ...]) -> None:
        case = self.case
        if set(trades) <= set(case.trades):
            return
        # Who names other trades corrects those that the log does not know.
        missing = case.investigation.missing if case.investigation else ()
        known = (trade for trade in case.trades if f"trade {trade}" not in missing)
        named = tuple(dict.fromkeys((*known, *trades)))
        case.trades = named[:MOST_TRADES]
        if (left := len(named) - MOST_TRADES) > 0:
            case.note(workflow.now(), "trades", f"{left} trades more were named than the {MOST_TRADES} looked at")
        self._look_again()

    def _look_again(self) -> None:
        if self.case.stage in UNDER_INVESTIGATION and not self.case.approved:
            self.case.to_investigate = True

    def _reopen(self, by: Actor) -> None:
        self.case.to_investigate = True
        self.case.happened(CaseEvent.REOPENED, workflow.now())
        reason = spoken.said("the case was reopened", "案件重新处理")
        self._escalate(self.case.escalation_level + 1, reason, by)


UNDER_INVESTIGATION = {Stage.INVESTIGATING, Stage.DECIDING}
_BEFORE_RESPONSE = {Stage.RECEIVED, Stage.ACKNOWLEDGED, *UNDER_INVESTIGATION}


def refused(reason: str) -> ApplicationError:
    """The answer to an update that the case does not take."""
    return ApplicationError(reason, type="Refused", non_retryable=True)


def _key(message: Message) -> str:
    return f"{message.name}:{message.message_id}"


def _body(message: Message) -> dict[str, Any]:
    return message.model_dump(mode="json", exclude={"actor"}, exclude_none=True)
