"""The life of a complaint, from the day it is received to the day its file is closed.

Read :meth:`ComplaintWorkflow.run` and the stages below it first; the clocks' actions and the messages follow.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from pydantic import Discriminator, RootModel, Tag
from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

from domain.assessment import reassess
from domain.case import SYSTEM, Case, Closed, Entry, OpenCase, Question, RecordCompensation, RecordContact, Status
from domain.complaint import Complaint
from domain.deadlines import Deadline
from domain.findings import InvestigationRequest
from domain.messages import (
    Actor,
    AddEvidence,
    Assign,
    CorrectContact,
    CustomerReply,
    DecideResolution,
    Escalate,
    Message,
    ProposeResolution,
    Receipt,
    Reclassify,
    RecordFeedback,
    Reopen,
    RequestInformation,
    Withdraw,
)
from domain.money import Money
from domain.questions import ask_for
from domain.resolution import (
    NotAllowed,
    check_decision,
    follow_from_findings,
    needs_second_person,
    propose,
    propose_by_rule,
)
from domain.words import WORKFLOW, Action, CaseEvent, LetterKind, Outcome, Role, Stage
from workflows import effects
from workflows.casework import CarryOver, Casework, Diverted, M, read


def _which(start: Any) -> str:
    carried = "opened_at" in start if isinstance(start, dict) else isinstance(start, Case)
    return "case" if carried else "complaint"


class Start(
    RootModel[Annotated[Annotated[Complaint, Tag("complaint")] | Annotated[Case, Tag("case")], Discriminator(_which)]]
):
    """A new complaint; or, when the case goes on in a new run, the whole case so far."""


@workflow.defn(name=WORKFLOW)
class ComplaintWorkflow(Casework):
    """One complaint, one workflow. Its id is the complaint's reference."""

    @workflow.init
    def __init__(self, start: Start) -> None:
        given = start.root
        if isinstance(given, Complaint):
            given = Case.received(workflow.info().workflow_id, given, workflow.now())
        super().__init__(given)

    @workflow.run
    async def run(self, start: Start) -> Closed:
        life = asyncio.create_task(self._from_receipt_to_closed_file())
        try:
            return await asyncio.shield(life)
        except asyncio.CancelledError:
            if workflow.cancellation_reason() is None:
                raise  # the run only leaves the worker's cache
            # A case does not end by the click of a button: the customer withdraws it, or people decide it.
            self.case.note(workflow.now(), "cancellation", "asked for in Temporal and not followed; use withdraw")
        return await asyncio.shield(life)

    async def _from_receipt_to_closed_file(self) -> Closed:
        if self.case.policy is None:
            await self._receive()
        self._start(self._keep_the_clocks())
        self._start(self._keep_the_case_file())
        self._start(self._keep_showing())
        for letter in self.case.letters:
            self._start(self._carry(letter, self._take(with_events=False)))
        try:
            while self.case.stage is not Stage.CLOSED:
                await self._live()
            await self._conclude()
        except CarryOver:
            await workflow.wait_condition(workflow.all_handlers_finished)
            workflow.continue_as_new(Start(self.case))
        return self._closed

    async def _live(self) -> None:
        stages = {
            Stage.RECEIVED: self._take_on,
            Stage.ACKNOWLEDGED: self._acknowledge,
            Stage.INVESTIGATING: self._investigate,
            Stage.DECIDING: self._decide,
            Stage.RESPONDED: self._respond,
            Stage.SETTLING: self._settle,
            Stage.FOLLOWING_UP: self._follow_up,
        }
        try:
            if self._diverted:
                raise Diverted
            await stages[self.case.stage]()
        except Diverted:
            await self._end_early()

    # -- the stages of a complaint's life ---------------------------------------------------------------------------

    async def _receive(self) -> None:
        """Open the case file, pin the policy pack, assess, plan the deadlines."""
        case = self.case
        if case.complaint.reference != case.reference:
            raise ApplicationError(
                f"the workflow id must be the complaint's reference, {case.complaint.reference}",
                type="WrongReference",
                non_retryable=True,
            )
        opened = await effects.open_case(
            OpenCase(reference=case.reference, complaint=case.complaint, at=workflow.now())
        )
        case.policy, case.policy_hash, case.assessment = opened.policy, opened.policy_hash, opened.assessment
        case.run_clocks(opened.recorded)

    async def _take_on(self) -> None:
        """A complaint that is not ours has been referred by now; any other is acknowledged."""
        self._enter(Stage.ACKNOWLEDGED)

    async def _acknowledge(self) -> None:
        """Tell the customer at once that the complaint has arrived and what will happen."""
        await self._deliver(
            LetterKind.ACKNOWLEDGEMENT,
            self._facts(),
            "acknowledgement",
            CaseEvent.CONTACTED,
            CaseEvent.ACKNOWLEDGED,
            then=Stage.INVESTIGATING,
        )

    async def _investigate(self) -> None:
        """Find out what happened, on the firm's own log first; ask the customer only for what the firm cannot know."""
        case = self.case
        while True:
            if case.to_investigate:
                case.to_investigate = False
                await self._query_the_trade_log()
                self._ask_by_rule()
            if case.question and not case.question.answered and not case.proposal:
                await self._ask(case.question)
            if not case.to_investigate:
                break
        self._enter(Stage.DECIDING)

    async def _decide(self) -> None:
        """Propose a resolution, by rule where that is clear and small; have a second person approve what is not."""
        case = self.case
        if case.proposal is None and (proposal := propose_by_rule(case, workflow.now())):
            case.proposal = proposal
            case.note(proposal.at, "proposed", _spoken(proposal.outcome, proposal.compensation), proposal.proposed_by)
        while not case.approved:
            if case.proposal and not needs_second_person(case, case.proposal):
                case.approved = True
                break
            proposal = case.proposal
            await self._until(
                lambda seen=proposal: self._may_go_on() or case.proposal is not seen,  # type: ignore[misc]
                "a second person to decide the proposal" if proposal else "a proposal",
            )
            if case.to_investigate:
                self._enter(Stage.INVESTIGATING)
                return
        self._enter(Stage.RESPONDED)

    async def _respond(self) -> None:
        """Tell the customer the decision, its reasons, and the right to go further; wait for the answer."""
        case = self.case
        proposal = case.proposal
        if proposal is None:
            raise LookupError("a final response needs an approved proposal")
        facts = self._facts(
            outcome=proposal.outcome,
            reasons=proposal.reasons,
            findings=case.investigation.findings if case.investigation and not proposal.reasons else (),
            compensation=proposal.compensation,
            remedies=proposal.remedies,
        )
        purpose = f"final_response:{case.rounds}"
        await self._deliver(LetterKind.FINAL_RESPONSE, facts, purpose, CaseEvent.CONTACTED, CaseEvent.RESPONDED)
        await self._until(lambda: case.answer is not None, "the customer's answer to the final response")
        if case.answer == "dispute":
            self._take_up_again()
            self._enter(Stage.DECIDING)
        else:
            case.outcome = proposal.outcome
            self._enter(Stage.SETTLING)

    async def _settle(self) -> None:
        """Put things right: post the compensation once."""
        case = self.case
        proposal = case.proposal
        if proposal is None or proposal.compensation is None:
            case.happened(CaseEvent.SETTLED, workflow.now())
            self._enter(Stage.FOLLOWING_UP)
            return
        award = proposal.compensation
        update = self._take()
        awarded = award if case.awarded is None else case.awarded + award
        then = case.anticipating(Stage.FOLLOWING_UP, workflow.now(), compensation=awarded)
        request = RecordCompensation(
            key=f"{case.reference}:compensation:{case.rounds}",
            number=case.next_number(),
            award=award,
            announces=(CaseEvent.SETTLED,),
            update=update,
            then=then,
        )
        posted = await self._insist("compensation", update, lambda: effects.record_compensation(request))
        case.awarded = awarded
        case.entered(Stage.FOLLOWING_UP, posted.at, then)
        self._put(update, posted.recorded)

    async def _follow_up(self) -> None:
        """Ask how satisfied the customer is; take the case up again if asked to; close when the window is over."""
        case = self.case
        await self._until(lambda: case.window_over or case.to_investigate, "the end of the follow-up window")
        if case.to_investigate:
            self._take_up_again()
            self._enter(Stage.INVESTIGATING)
        else:
            self._close()

    async def _end_early(self) -> None:
        """Withdrawn by the customer, or not ours: a letter says so, and the file is closed today."""
        case = self.case
        if case.withdrawn:
            case.outcome = case.outcome or Outcome.WITHDRAWN
            self._post(LetterKind.WITHDRAWAL, self._facts(), "withdrawal", CaseEvent.CONTACTED)
        else:
            case.outcome = Outcome.REFERRED
            announces = (CaseEvent.CONTACTED, CaseEvent.ACKNOWLEDGED, CaseEvent.RESPONDED)
            self._post(LetterKind.REFERRAL, self._facts(), "referral", *announces)
            await workflow.wait_condition(lambda: "referral" in case.delivered)
        self._close()

    def _close(self) -> None:
        case = self.case
        now = workflow.now()
        case.closed_at = now
        case.happened(CaseEvent.CLOSED, now)
        case.deadlines = []
        self._enter(Stage.CLOSED)

    async def _conclude(self) -> None:
        """See every letter out and everything written down."""
        case = self.case
        await workflow.wait_condition(lambda: not case.letters and not case.has_unrecorded())
        self._show()
        await workflow.wait_condition(workflow.all_handlers_finished)

    # -- parts of the stages ----------------------------------------------------------------------------------------

    async def _query_the_trade_log(self) -> None:
        case = self.case
        checks = case.pack.checks.get(case.assessment.category, ()) if case.assessment else ()
        if not checks or case.account is None:
            return
        request = InvestigationRequest(
            checks=checks,
            account=case.account,
            trades=case.trades,
            occurred_from=case.complaint.occurred_from,
            occurred_until=case.complaint.occurred_until,
            as_of=workflow.now(),
            tolerances=case.pack.tolerances,
        )
        try:
            case.investigation = await effects.investigate(request)
        except ActivityError as error:
            # People decide without findings; a broken check must not hold up the customer.
            self._fault("investigation", error)
            return
        for finding in case.investigation.findings:
            text = f"{finding.check.value}: {finding.verdict.value}"
            data = {**finding.model_dump(mode="json"), "hash": finding.hash}
            case.note(workflow.now(), "finding", text, data=data)

    def _ask_by_rule(self) -> None:
        """Ask for what only the customer can tell, once."""
        case = self.case
        if case.questions_by_rule or case.proposal or (case.question and not case.question.answered):
            return
        if questions := ask_for(case):
            case.questions_by_rule += 1
            case.question = Question(number=case.next_number(), questions=questions, by_rule=True)

    async def _ask(self, question: Question) -> None:
        case = self.case
        facts = self._facts(questions=question.questions)
        purpose = f"information_request:{question.number}"
        await self._deliver(
            LetterKind.INFORMATION_REQUEST,
            facts,
            purpose,
            CaseEvent.CONTACTED,
            CaseEvent.INFORMATION_REQUESTED,
        )
        await self._until(
            lambda: case.proposal is not None or case.to_investigate, "the customer's answer to our questions"
        )

    def _may_go_on(self) -> bool:
        case = self.case
        if case.to_investigate or case.approved:
            return True
        return case.proposal is not None and not needs_second_person(case, case.proposal)

    def _take_up_again(self) -> None:
        """Another round: people decide, above the level that decided before."""
        case = self.case
        case.rounds += 1
        case.answer, case.approved, case.proposal, case.window_over = None, False, None, False

    def _enter(self, stage: Stage) -> None:
        self.case.enter(stage, workflow.now())
        workflow.logger.info("stage entered", extra={"stage": stage.value})

    def _escalate(self, level: int, reason: str, by: Actor = SYSTEM) -> None:
        """Raise the case to *level* of the pack's ladder, give it to that level's role and tell it."""
        case = self.case
        level = min(level, case.pack.top_level)
        if level <= case.escalation_level:
            case.note(workflow.now(), "escalation", f"asked for again at level {case.escalation_level}", by)
            return
        role = next(step.role for step in case.pack.escalation if step.level == level)
        case.escalation_level, case.handler = level, role.value
        case.note(workflow.now(), "escalation", f"level {level}, {role.value}: {reason}", by)
        self._tell_staff(
            role,
            f"The case was escalated to you (level {level}): {reason}.",
            f"该投诉已升级至您处（第 {level} 级）：{reason}。",
        )

    # -- what happens when a rung of a clock comes due --------------------------------------------------------------

    def _act(self, deadline: Deadline) -> None:
        actions: dict[Action, Callable[[Deadline], None]] = {
            Action.WARN: self._warn,
            Action.BREACH: self._breach,
            Action.ESCALATE: self._climb,
            Action.PROGRESS_LETTER: self._write_progress,
            Action.OVERDUE_LETTER: self._write_overdue,
            Action.REMINDER_LETTER: self._remind,
            Action.STOP_WAITING: self._stop_waiting,
            Action.ACCEPT_SILENCE: self._accept_silence,
            Action.ASK_FEEDBACK: self._ask_feedback,
            Action.CLOSE: self._end_window,
        }
        for action in deadline.actions:
            actions[action](deadline)

    def _warn(self, deadline: Deadline) -> None:
        due = f"{deadline.clock_due:%Y-%m-%d %H:%M} UTC"
        self._tell_staff(
            Role.HANDLER, f"The deadline “{deadline.clock}” ends at {due}.", f"时限“{deadline.clock}”将于 {due} 届满。"
        )

    def _breach(self, deadline: Deadline) -> None:
        text = f"{deadline.clock} was due at {deadline.due:%Y-%m-%d %H:%M:%S} UTC"
        self.case.note(workflow.now(), "breach", text, data={"clock": deadline.clock, "number": deadline.number})

    def _climb(self, deadline: Deadline) -> None:
        if deadline.level:
            self._escalate(deadline.level, f"deadline {deadline.clock} passed")

    def _write_progress(self, deadline: Deadline) -> None:
        # Without a date to give, an overdue letter that brings one is on its way.
        if self.case.stage in _UNDER_INVESTIGATION and self.case.expected_by:
            purpose = f"progress:{deadline.number}"
            self._post(LetterKind.PROGRESS, self._facts(), purpose, CaseEvent.CONTACTED)

    def _write_overdue(self, deadline: Deadline) -> None:
        self._start(self._tell_new_date(self.case.happened(CaseEvent.OVERDUE_NOTED, workflow.now())))

    async def _tell_new_date(self, number: int) -> None:
        # The new date is planned by the case file; the letter must carry it.
        await workflow.wait_condition(lambda: all(event.number != number for event in self.case.events))
        self._post(LetterKind.OVERDUE, self._facts(), f"overdue:{number}", CaseEvent.CONTACTED)

    def _remind(self, deadline: Deadline) -> None:
        question = self.case.question
        # After an outage the wait may be over by now: then there is nothing to remind of.
        if question and not question.answered and deadline.clock_due > workflow.now():
            facts = self._facts(questions=question.questions, reply_by=deadline.clock_due)
            self._post(LetterKind.REMINDER, facts, f"reminder:{deadline.key}", CaseEvent.CONTACTED)

    def _stop_waiting(self, deadline: Deadline) -> None:
        if self.case.question and not self.case.question.answered:
            self._answered()
            self.case.note(workflow.now(), "no_answer", "the customer did not answer in time; going on without")

    def _accept_silence(self, deadline: Deadline) -> None:
        if self.case.stage is Stage.RESPONDED and self.case.answer is None:
            self.case.answer = "silence"
            self.case.note(workflow.now(), "silence", "no answer to the final response; taken as no objection")

    def _ask_feedback(self, deadline: Deadline) -> None:
        if self.case.stage is not Stage.FOLLOWING_UP:
            return
        facts = self._facts(outcome=self.case.outcome)
        # No CONTACTED: the next progress letter is not waited for any more.
        self._post(LetterKind.FEEDBACK_REQUEST, facts, f"feedback_request:{self.case.rounds}")

    def _end_window(self, deadline: Deadline) -> None:
        if self.case.stage is Stage.FOLLOWING_UP:
            self.case.window_over = True
            self.case.revision += 1

    # -- signals: from anybody, and never break a case --------------------------------------------------------------

    @workflow.signal(name="customer_reply", description="The customer says something: information, accept or dispute.")
    async def customer_reply(self, *message: Any) -> None:
        await self._opened()
        reply = self._read_signal(CustomerReply, message)
        if reply is None:
            return
        case, now = self.case, workflow.now()
        case.last_message = f"customer reply ({reply.intent}), {now:%Y-%m-%d %H:%M:%S} UTC"
        case.note(now, "customer_reply", reply.intent, reply.actor, _body(reply))
        if case.stage is Stage.RESPONDED and reply.intent != "information" and case.answer is None:
            case.answer = reply.intent
            case.happened(CaseEvent.ANSWERED, now)
            if reply.intent == "dispute":
                self._escalate(case.escalation_level + 1, "the customer disputes the final response", reply.actor)
        elif case.stage is Stage.FOLLOWING_UP and reply.intent == "dispute":
            self._reopen(reply.actor)
        elif case.stage is not Stage.CLOSED and reply.intent == "information":
            self._add_trades(reply.trades)
            if case.question and not case.question.answered:
                self._answered()
                case.happened(CaseEvent.CUSTOMER_REPLIED, now)

    @workflow.signal(name="escalate", description="Raise the case one level, or to the level given, with a reason.")
    async def escalate(self, *message: Any) -> None:
        await self._opened()
        request = self._read_signal(Escalate, message)
        if request and self.case.stage is not Stage.CLOSED:
            self.case.last_message = f"escalate, {workflow.now():%Y-%m-%d %H:%M:%S} UTC"
            self.case.note(workflow.now(), "escalate", "asked for", request.actor, _body(request))
            by = "the customer" if request.actor.role is Role.CUSTOMER else str(request.actor.role.value)
            self._escalate(request.level or self.case.escalation_level + 1, f"asked for by {by}", request.actor)

    @workflow.signal(dynamic=True, description="Any other signal is kept in the case file as a rejected message.")
    async def unknown(self, name: str, args: Sequence[RawValue]) -> None:
        await self._opened()
        payload = [value.payload.data.decode(errors="replace") for value in args]
        self._reject(name, payload, "there is no signal of this name; customer_reply and escalate exist")

    # -- updates: from internal tools, which learn whether it worked ------------------------------------------------

    @workflow.update(name="assign", description="Give the case to a handler (and team).")
    async def assign(self, *message: Any) -> Receipt:
        def apply(request: Assign) -> str:
            case = self.case
            case.handler = request.handler
            if request.team and case.assessment:
                case.assessment = case.assessment.model_copy(update={"team": request.team})
            return f"assigned to {request.handler}"

        return await self._update(Assign, message, apply)

    @assign.validator
    def _assign_fits(self, *message: Any) -> None:
        self._check(Assign, message, staff=True)

    @workflow.update(name="reclassify", description="Correct category, severity or scope, with a reason.")
    async def reclassify(self, *message: Any) -> Receipt:
        def apply(request: Reclassify) -> str:
            case = self.case
            if case.assessment is None:
                raise LookupError("no assessment")
            before = case.assessment.category
            case.assessment = reassess(
                case.assessment,
                case.pack,
                category=request.category,
                severity=request.severity,
                in_scope=request.in_scope,
                by=str(request.actor),
            )
            if case.assessment.category is not before:
                self._look_again()
            return f"now {case.assessment.category.value}, {case.assessment.severity.value}"

        return await self._update(Reclassify, message, apply)

    @reclassify.validator
    def _reclassify_fits(self, *message: Any) -> None:
        self._check(Reclassify, message, staff=True, stages=_BEFORE_RESPONSE)

    @workflow.update(name="add_evidence", description="Put evidence into the case file; name trades to investigate.")
    async def add_evidence(self, *message: Any) -> Receipt:
        def apply(request: AddEvidence) -> str:
            self._add_trades(request.trades)
            if request.account and request.account != self.case.account:
                self.case.account = request.account
                self._look_again()
            return "evidence added"

        return await self._update(AddEvidence, message, apply)

    @add_evidence.validator
    def _add_evidence_fits(self, *message: Any) -> None:
        self._check(AddEvidence, message)

    @workflow.update(name="request_information", description="Ask the customer for missing facts, by letter.")
    async def request_information(self, *message: Any) -> Receipt:
        def apply(request: RequestInformation) -> str:
            case = self.case
            case.question = Question(number=case.next_number(), questions=request.questions, by_rule=False)
            case.proposal, case.to_investigate = None, True
            return "the customer is asked"

        return await self._update(RequestInformation, message, apply)

    @request_information.validator
    def _request_information_fits(self, *message: Any) -> None:
        request = self._check(RequestInformation, message, staff=True, stages=_UNDER_INVESTIGATION)
        if request is None:
            return
        if self.case.question and not self.case.question.answered:
            raise _refused("questions: the customer has been asked and has not answered yet")
        if self.case.approved:
            raise _refused("questions: the resolution is approved already")

    @workflow.update(name="propose_resolution", description="Propose outcome, compensation, remedies and reasons.")
    async def propose_resolution(self, *message: Any) -> Receipt:
        def apply(request: ProposeResolution) -> str:
            case = self.case
            case.proposal = propose(case, request, workflow.now())
            return _spoken(case.proposal.outcome, case.proposal.compensation)

        return await self._update(ProposeResolution, message, apply)

    @propose_resolution.validator
    def _propose_resolution_fits(self, *message: Any) -> None:
        request = self._check(ProposeResolution, message, staff=True, stages=_UNDER_INVESTIGATION)
        if request is None:
            return
        if self.case.proposal:
            raise _refused("a proposal waits for a decision already; decide_resolution can return it")
        awarded, award = self.case.awarded, request.compensation
        if awarded and award and award.currency != awarded.currency:
            raise _refused(f"compensation: {awarded} was awarded before; use the same currency")

    @workflow.update(name="decide_resolution", description="Approve or return the proposal, as a second person.")
    async def decide_resolution(self, *message: Any) -> Receipt:
        def apply(request: DecideResolution) -> str:
            if request.decision == "approve":
                self.case.approved = True
                return "approved"
            self.case.proposal = None
            return "returned"

        return await self._update(DecideResolution, message, apply)

    @decide_resolution.validator
    def _decide_resolution_fits(self, *message: Any) -> None:
        decision = self._check(DecideResolution, message, staff=True, stages={Stage.DECIDING})
        if decision:
            try:
                check_decision(self.case, decision)
            except NotAllowed as error:
                raise _refused(str(error)) from None

    @workflow.update(name="record_feedback", description="How satisfied the customer is, 1 to 5.")
    async def record_feedback(self, *message: Any) -> Receipt:
        def apply(request: RecordFeedback) -> str:
            self.case.happened(CaseEvent.FEEDBACK_GIVEN, workflow.now())
            return f"{request.score} of 5"

        return await self._update(RecordFeedback, message, apply)

    @record_feedback.validator
    def _record_feedback_fits(self, *message: Any) -> None:
        self._check(RecordFeedback, message, stages={Stage.FOLLOWING_UP})

    @workflow.update(name="correct_contact", description="Replace the customer's address.")
    async def correct_contact(self, *message: Any) -> Receipt:
        return await self._update(CorrectContact, message, lambda request: "address corrected")

    @correct_contact.validator
    def _correct_contact_fits(self, *message: Any) -> None:
        self._check(CorrectContact, message)

    @workflow.update(name="withdraw", description="The customer takes the complaint back; it ends today.")
    async def withdraw(self, *message: Any) -> Receipt:
        def apply(request: Withdraw) -> str:
            self.case.withdrawn = True
            return "withdrawn"

        return await self._update(Withdraw, message, apply)

    @withdraw.validator
    def _withdraw_fits(self, *message: Any) -> None:
        self._check(Withdraw, message)

    @workflow.update(name="reopen", description="Take the case up again within its follow-up window.")
    async def reopen(self, *message: Any) -> Receipt:
        def apply(request: Reopen) -> str:
            self._reopen(request.actor)
            return "reopened"

        return await self._update(Reopen, message, apply)

    @reopen.validator
    def _reopen_fits(self, *message: Any) -> None:
        self._check(Reopen, message, stages={Stage.FOLLOWING_UP})

    # -- queries ----------------------------------------------------------------------------------------------------

    @workflow.query(name="status", description="Stage, next deadline, handler, what the case waits for.")
    def status(self) -> Status:
        case = self.case
        draft = case.proposal or (follow_from_findings(case, case.stage_since) if case.policy else None)
        return Status(
            reference=case.reference,
            policy=f"{case.policy.id}@{case.policy.version}" if case.policy else None,
            summary=case.summary,
            waiting_for=self._waiting_for,
            letters_on_their_way=tuple(letter.kind.value for letter in case.letters),
            proposal=_spoken(draft.outcome, draft.compensation) if draft else None,
        )

    @workflow.query(name="timeline", description="The last entries of the timeline; the case file has them all.")
    def timeline(self) -> list[Entry]:
        return self.case.recent

    # -- parts of the messages --------------------------------------------------------------------------------------

    async def _opened(self) -> None:
        """A message may come before the case file is open; it waits, and is not lost."""
        await workflow.wait_condition(lambda: self.case.policy is not None)

    def _check(
        self, kind: type[M], message: Sequence[Any], *, staff: bool = False, stages: set[Stage] | None = None
    ) -> M | None:
        """Refuse an update that does not fit, to its sender. ``None`` for one that was answered before."""
        try:
            request = read(kind, message)
        except ValueError as error:
            raise _refused(str(error)) from None
        if request.message_id in self.case.receipts:
            return None
        stage = self.case.stage
        if stage is Stage.CLOSED or self.case.withdrawn:
            raise _refused(f"{kind.name}: the case is closed")
        if stages and stage not in stages:
            allowed = ", ".join(one.value for one in Stage if one in stages)
            raise _refused(f"{kind.name}: the case is at stage {stage.value}; this is possible at {allowed}")
        if staff and not request.actor.role.is_staff:
            raise _refused(f"actor: role {request.actor.role.value} may not send {kind.name}; staff may")
        return request

    async def _update(self, kind: type[M], message: Sequence[Any], apply: Callable[[M], str]) -> Receipt:
        """Let a message count once, write it down, and answer."""
        await self._opened()
        request = read(kind, message)
        case = self.case
        if receipt := case.receipts.get(request.message_id):
            return receipt
        now = workflow.now()
        noted = apply(request)
        case.last_message = f"{kind.name}, {now:%Y-%m-%d %H:%M:%S} UTC"
        case.note(now, kind.name, noted, request.actor, _body(request))
        receipt = Receipt(
            message_id=request.message_id, reference=case.reference, stage=case.stage, noted=noted, at=now
        )
        case.receipts[request.message_id] = receipt
        if isinstance(request, CorrectContact):
            key = f"{case.reference}:contact:{request.message_id}"
            contact = RecordContact(key=key, reference=case.reference, at=now, email=request.email, phone=request.phone)
            await effects.record_contact(contact)
        await self._record()
        return receipt

    def _answered(self) -> None:
        case = self.case
        if case.question:
            case.question = case.question.model_copy(update={"answered": True})
            if case.stage is Stage.INVESTIGATING:
                case.to_investigate = True

    def _add_trades(self, trades: tuple[str, ...]) -> None:
        case = self.case
        if set(trades) <= set(case.trades):
            return
        # Who names other trades corrects those that the log does not know.
        missing = case.investigation.missing if case.investigation else ()
        known = (trade for trade in case.trades if f"trade {trade}" not in missing)
        case.trades = tuple(dict.fromkeys((*known, *trades)))
        self._look_again()

    def _look_again(self) -> None:
        if self.case.stage in _UNDER_INVESTIGATION and not self.case.approved:
            self.case.to_investigate = True

    def _reopen(self, by: Actor) -> None:
        self.case.to_investigate = True
        self.case.happened(CaseEvent.REOPENED, workflow.now())
        self._escalate(self.case.escalation_level + 1, "reopened", by)

    @property
    def _closed(self) -> Closed:
        case = self.case
        return Closed(reference=case.reference, outcome=case.outcome, compensation=case.awarded, breached=case.breached)


_UNDER_INVESTIGATION = {Stage.INVESTIGATING, Stage.DECIDING}
_BEFORE_RESPONSE = {Stage.RECEIVED, Stage.ACKNOWLEDGED, *_UNDER_INVESTIGATION}


def _refused(reason: str) -> ApplicationError:
    return ApplicationError(reason, type="Refused", non_retryable=True)


def _spoken(outcome: Outcome, compensation: Money | None) -> str:
    return f"{outcome.value.replace('_', ' ')}{f', {compensation}' if compensation else ''}"


def _body(message: Message) -> dict[str, Any]:
    return message.model_dump(mode="json", exclude={"message_id", "actor"}, exclude_none=True)
