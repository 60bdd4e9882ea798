"""The life of a complaint, from the day it is received to the day its file is closed.

Read :meth:`ComplaintWorkflow.run` and the stages below it first; what the clocks do follows. What a case hears is in
:mod:`workflows.listening`, the machinery under both in :mod:`workflows.casework`.
"""

from collections.abc import Sequence
from typing import Any, NoReturn, assert_never

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from domain.case.answers import Closed, Question
from domain.case.case import Case
from domain.case.complaint import Complaint, explain
from domain.case.questions import ask_for
from domain.case.requests import EarlyWarning, OpenCase, RefusedMessage, RefuseStart
from domain.case.resolution import behind, needs_second_person, propose_by_rule
from domain.checks.choice import checks_for
from domain.checks.findings import Check, InvestigationRequest
from domain.checks.spoken import CHECKS
from domain.clocks.deadlines import Deadline
from domain.ground import spoken
from domain.ground.bilingual import Bilingual
from domain.ground.people import SYSTEM, Actor
from domain.ground.sizes import MOST_CARRIED, size
from domain.ground.words import WORKFLOW, Action, CaseEvent, LetterKind, Outcome, Role, Stage
from domain.rules.interest import interest_for
from workflows import effects
from workflows.listening import UNDER_INVESTIGATION
from workflows.page import page
from workflows.parts.waiting import CarryOver, Diverted
from workflows.raw import kept
from workflows.settling import Settling
from workflows.starts import given, is_continued, refused_run


def begin(start: Sequence[Any]) -> Case:
    """The case as the workflow is started with it: a complaint, or all that an earlier run hands over.

    A state is believed of an earlier run only, for anybody may start a workflow. Raises ``ValueError``.
    """
    brought = given(start, "a complaint")
    try:
        if is_continued():
            return Case.model_validate(brought)
        return Case.received(workflow.info().workflow_id, Complaint.model_validate(brought), workflow.now())
    except ValidationError as error:
        raise ValueError(explain(error)) from None


@workflow.defn(name=WORKFLOW)
class ComplaintWorkflow(Settling):
    """One complaint, one workflow. Its id is the complaint's reference."""

    @workflow.init
    def __init__(self, *start: Any) -> None:
        super().__init__()
        self._misfit: str | None = None
        try:
            self._begin(begin(start))
        except ValueError as error:
            self._misfit = str(error)

    @workflow.run
    async def run(self, *start: Any) -> Closed:
        return await self._tasks.live(self._from_receipt_to_closed_file(start), self._note_cancellation)

    async def _from_receipt_to_closed_file(self, start: Sequence[Any]) -> Closed:
        try:
            if self._misfit:
                raise ApplicationError(self._misfit, type="InvalidComplaint", non_retryable=True)
            if self.case.policy is None:
                await self._receive()
        except ApplicationError as error:
            await self._refuse(start, error)
        self._tasks.start(self._keep_the_clocks())
        self._tasks.start(self._keep_hearing())
        self._tasks.start(self.recorder.keep())
        self._tasks.start(self.display.keep())
        for letter in self.case.letters:
            self._tasks.start(self._carry(letter, self.recorder.take(self.case.by_the_way)))
        for event in self.case.events:
            if event.event is CaseEvent.OVERDUE_NOTED:
                self._tasks.start(self._tell_new_date(event.number))
        for report in self.case.reports:
            self._tasks.start(self._book_report(report))
        try:
            while self.case.stage is not Stage.CLOSED:
                await self._live()
            await self._conclude()
        except CarryOver:
            await workflow.wait_condition(lambda: not self._inbox and workflow.all_handlers_finished())
            workflow.continue_as_new(self.case)
        return self._closed

    def _note_cancellation(self) -> None:
        """The customer withdraws a case, or people decide it."""
        if self._begun:
            self._begun.note(workflow.now(), "cancellation", "asked for in Temporal and not followed; use withdraw")

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
            # What was awarded and accepted is paid first, whatever the customer says meanwhile.
            if self._diverted and self.case.stage is not Stage.SETTLING:
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
        workflow.set_current_details(page(case, "the case file to be opened"))
        run = workflow.info().first_execution_run_id
        opened = await effects.open_case(
            OpenCase(reference=case.reference, complaint=case.complaint, at=case.opened_at, run=run)
        )
        if opened.checkpoint:
            known = {"complaint": case.complaint, "policy": opened.policy}
            case = Case.model_validate(opened.checkpoint | known)
            self._begin(case)
            case.note(workflow.now(), "restored", "Temporal had lost its workflow; it goes on from what the file has")
            return
        case.policy, case.policy_hash, case.assessment = opened.policy, opened.policy_hash, opened.assessment
        case.early_until, case.pointed, case.warning = opened.early_until, opened.pointed, opened.warning
        self._let_act(case.run_clocks(opened.recorded))

    async def _refuse(self, start: Sequence[Any], error: ApplicationError) -> NoReturn:
        """There can be no case: what was sent, signals too, is written down where `redress show` finds it."""
        number = 0
        messages = [RefusedMessage(name="start", payload=kept(start))]
        while messages:
            request = RefuseStart(
                workflow_id=workflow.info().workflow_id,
                run=refused_run(number),
                number=number,
                at=workflow.now(),
                reason=error.message,
                messages=tuple(messages),
            )
            await effects.refuse_start(request)
            number += 1
            messages = self._next_refused()
        raise error

    def _next_refused(self) -> list[RefusedMessage]:
        """So many of the signals that wait as one activity carries."""
        messages, carried = [], 0
        while self._inbox and carried <= MOST_CARRIED:
            name, sent = self._inbox.popleft()
            messages.append(RefusedMessage(name=name, payload=kept(sent)))
            carried += size(messages[-1])
        return messages

    async def _take_on(self) -> None:
        """A complaint that is not ours has been referred by now; any other is acknowledged."""
        if self.case.warning:
            self._warn_of_an_incident(self.case.warning)
            self.case.warning = None
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
            if case.question and case.asking and not case.proposal:
                await self._ask(case.question)
            if not case.to_investigate:
                break
        self._enter(Stage.DECIDING)

    async def _decide(self) -> None:
        """Propose a resolution, by rule where that is clear and small; have a second person approve what is not."""
        case = self.case
        if case.proposal is None and (proposal := propose_by_rule(case, workflow.now())):
            case.proposal = proposal
            given = proposal.compensation.model_dump(mode="json") if proposal.compensation else None
            data = {"round": case.rounds, "compensation": given}
            case.note(proposal.at, "proposed", proposal.spoken, proposal.proposed_by, data)
        while not case.approved:
            if case.proposal and not needs_second_person(case, case.proposal):
                case.approved = True
                break
            proposal = case.proposal
            await self.waiting.until(
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
            findings=behind(case, proposal),
            compensation=proposal.compensation,
            awards=proposal.awards,
            remedies=proposal.remedies,
        )
        purpose = f"final_response:{case.rounds}"
        kind = LetterKind.SUMMARY_RESOLUTION if case.settled_early else LetterKind.FINAL_RESPONSE
        await self._deliver(kind, facts, purpose, CaseEvent.CONTACTED, CaseEvent.RESPONDED)
        await self.waiting.until(lambda: case.answer is not None, "the customer's answer to the final response")
        if case.answer == "dispute":
            self._take_up_again()
            self._enter(Stage.DECIDING)
        else:
            case.outcome = proposal.outcome
            self._enter(Stage.SETTLING)

    async def _follow_up(self) -> None:
        """Ask how satisfied the customer is; take the case up again if asked to; close when the window is over."""
        case = self.case
        await self.waiting.until(
            lambda: (case.window_over and not case.reports) or case.to_investigate or case.unpaid is not None,
            "the end of the follow-up window",
        )
        if case.unpaid:
            self._enter(Stage.SETTLING)  # what had been paid came back
        elif case.to_investigate:
            self._take_up_again()
            self._enter(Stage.INVESTIGATING)
        else:
            self._close()

    async def _end_early(self) -> None:
        """Withdrawn by the customer, or not ours: a letter says so, and the file is closed today."""
        case = self.case
        if case.unpaid or case.reports:  # what was paid and came back is paid before the case ends
            await workflow.wait_condition(lambda: not case.reports)
            if case.unpaid:
                self._enter(Stage.SETTLING)
                return
        if not case.withdrawn:
            announces = (CaseEvent.CONTACTED, CaseEvent.ACKNOWLEDGED, CaseEvent.RESPONDED)
            self._post(LetterKind.REFERRAL, self._facts(), "referral", *announces)
            await workflow.wait_condition(lambda: "referral" in case.delivered or case.withdrawn)
        if case.withdrawn:
            case.outcome = case.outcome or Outcome.WITHDRAWN
            self._post(LetterKind.WITHDRAWAL, self._facts(), "withdrawal", CaseEvent.CONTACTED)
        else:
            case.outcome = Outcome.REFERRED
        self._close()

    def _close(self) -> None:
        case = self.case
        now = workflow.now()
        passed = [one for one in case.deadlines if one.due <= now and Action.BREACH in one.actions]
        if passed and workflow.patched("a-closing-clears-no-breach"):
            for deadline in passed:
                case.fire(deadline, now)
                self._breach(deadline)
        case.closed_at = now
        case.happened(CaseEvent.CLOSED, now)
        case.deadlines = []
        self._enter(Stage.CLOSED)

    async def _conclude(self) -> None:
        """See every letter to the customer out, everything written down and every sender answered."""
        case = self.case
        await workflow.wait_condition(
            lambda: (
                not self._inbox
                and all(letter.sort.to_staff or (letter.failed and letter.sort.interim) for letter in case.letters)
                and not case.has_unrecorded()
                and workflow.all_handlers_finished()
            )
        )
        self.display.show()

    # -- parts of the stages ----------------------------------------------------------------------------------------

    async def _query_the_trade_log(self) -> None:
        """Run the pack's checks for the category, those the complaint's words point to, and those people asked for.

        Whether there is anything to ask is decided by what was recorded, never by lists of words that may change.
        """
        case = self.case
        category = case.assessment.category if case.assessment else None
        if category is None or case.account is None:
            return
        checks = (*checks_for(category, case.pack.checks, case.pointed), *case.asked_checks)
        if not checks:
            return
        later = checks_for(category, case.pack.checks, case.pointed_later)
        request = InvestigationRequest(
            checks=tuple(dict.fromkeys((*checks, *later))),
            account=case.account,
            trades=case.trades,
            occurred_from=case.complaint.occurred_from,
            occurred_until=case.complaint.occurred_until,
            as_of=workflow.now(),
            tolerances=case.pack.tolerances,
            interest=interest_for(case.pack.interest, {CaseEvent.RECEIVED: case.complaint.received_at, **case.first}),
            reference=case.reference,
        )
        before = case.incident
        known = (
            {finding.check for finding in case.investigation.findings if finding.failed}
            if case.investigation
            else set()
        )
        case.looking = True
        try:
            case.investigation = await effects.investigate(request)
            self._set_aside_what_was_found_before()
        except ActivityError as error:
            # People decide without findings; a broken check must not hold up the customer.
            self._fault(spoken.said("the investigation", "核查"), error)
            return
        finally:
            case.looking = False
        self._tell_of_failed_checks(known)
        for finding in case.investigation.findings:
            text = f"{finding.check.value}: {finding.verdict.value}"
            data = {**finding.model_dump(mode="json"), "hash": finding.hash}
            case.note(workflow.now(), "finding", text, data=data)
        if case.incident and case.incident != before:
            case.note(workflow.now(), "incident", f"it is about {case.incident.incident} ({case.incident.stage.value})")
        elif before and not case.incident:
            case.note(workflow.now(), "incident", f"it is not about {before.incident} any more")

    def _tell_of_failed_checks(self, known: set[Check]) -> None:
        """A check that broke off is told to staff once; the case goes on with what the others found."""
        found = self.case.investigation.findings if self.case.investigation else ()
        failed = sorted({finding.check for finding in found if finding.failed} - known)
        if not failed:
            return
        names = ", ".join(CHECKS[check].en for check in failed)
        names_zh = "、".join(CHECKS[check].zh for check in failed)
        self.case.note(workflow.now(), "fault", f"checks that broke off, left to people: {names}")
        self._tell_staff(
            Role.HANDLER,
            f"These checks broke off and found nothing: {names}. Look at the records yourself.",
            f"以下核查未能完成：{names_zh}。请人工核查相关记录。",
        )

    def _set_aside_what_was_found_before(self) -> None:
        """A sum proposed as it was found is not approved when other findings have taken the place of these."""
        case = self.case
        if case.proposal and case.proposal.as_found and not case.approved:
            text = f"{case.proposal.spoken}: it was proposed as found, before this"
            case.note(workflow.now(), "set_aside", text, data={"round": case.rounds})
            case.proposal = None

    def _warn_of_an_incident(self, warning: EarlyWarning) -> None:
        """Several complaints point to the same thing: somebody is to look whether it is an incident."""
        others, count = ", ".join(warning.complaints), len(warning.complaints)
        self.case.note(workflow.now(), "early_warning", f"{warning.topic}: {count} complaints, {others}")
        topic = spoken.topic(warning.topic)
        self._tell_staff(
            Role.TEAM_LEAD,
            f"{count} complaints in a short time point to {topic.en}: {others}. Look whether one "
            "fault is behind them; redress incident open lists every account it touched.",
            f"短时间内有 {count} 件投诉指向{topic.zh}：{others}。请核查是否同一差错所致；"
            "可用 redress incident open 列出所有受影响账户。",
        )

    def _ask_by_rule(self) -> None:
        """Ask for what only the customer can tell, once."""
        case = self.case
        if case.questions_by_rule or case.proposal or case.asking:
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
        await self.waiting.until(
            lambda: case.proposal is not None or case.to_investigate, "the customer's answer to our questions"
        )

    def _may_go_on(self) -> bool:
        case = self.case
        if case.to_investigate or case.approved:
            return True
        return case.proposal is not None and not needs_second_person(case, case.proposal)

    def _escalate(self, level: int, reason: Bilingual, by: Actor = SYSTEM, *, noted: str | None = None) -> None:
        """Raise the case to *level* of the pack's ladder, give it to that level's role and tell it."""
        case = self.case
        level = min(level, case.pack.top_level)
        if level <= case.escalation_level:
            case.note(workflow.now(), "escalation", f"asked for again at level {case.escalation_level}", by)
            return
        role = next(step.role for step in case.pack.escalation if step.level == level)
        case.escalation_level, case.handler = level, role.value
        case.note(workflow.now(), "escalation", f"level {level}, {role.value}: {noted or reason.en}", by)
        self._tell_staff(
            role,
            f"The case was escalated to you (level {level}): {reason.en}.",
            f"该投诉已升级至您处（第 {level} 级）：{reason.zh}。",
        )

    # -- what happens when a rung of a clock comes due --------------------------------------------------------------

    def _act(self, deadline: Deadline) -> None:
        # What a closed case missed is learned late and stays in the record; nobody can do anything about it any more.
        due = {Action.BREACH} if self.case.stage is Stage.CLOSED else set(Action)
        for action in deadline.actions:
            if action in due and self.case.asks_for(deadline, action):
                self._carry_out(action, deadline)

    def _carry_out(self, action: Action, deadline: Deadline) -> None:
        match action:
            case Action.WARN:
                self._warn(deadline)
            case Action.BREACH:
                self._breach(deadline)
            case Action.ESCALATE:
                self._climb(deadline)
            case Action.PROGRESS_LETTER:
                self._write_progress(deadline)
            case Action.OVERDUE_LETTER:
                self._write_overdue(deadline)
            case Action.HOLDING_LETTER:
                self._write_holding(deadline)
            case Action.REMINDER_LETTER:
                self._remind(deadline)
            case Action.STOP_WAITING:
                self._stop_waiting(deadline)
            case Action.ACCEPT_SILENCE:
                self._accept_silence(deadline)
            case Action.ASK_FEEDBACK:
                self._ask_feedback(deadline)
            case Action.CLOSE:
                self._end_window(deadline)
            case _:
                assert_never(action)

    def _warn(self, deadline: Deadline) -> None:
        due = f"{deadline.clock_due:%Y-%m-%d %H:%M} UTC"
        what = self._duty(deadline)
        if deadline.clock_due <= workflow.now():
            en, zh = f"The deadline for the {what.en} ended at {due}.", f"{what.zh}的时限已于 {due} 届满。"
        else:
            en, zh = f"The deadline for the {what.en} ends at {due}.", f"{what.zh}的时限将于 {due} 届满。"
        self._tell_staff(Role.HANDLER, en, zh)

    def _duty(self, deadline: Deadline) -> Bilingual:
        """What the clock is a deadline for: names of clocks are the pack's, and no words for people."""
        return spoken.DUTIES[self.case.pack.clock(deadline.clock).satisfied_by[0]]

    def _breach(self, deadline: Deadline) -> None:
        text = f"{deadline.clock} was due at {deadline.due:%Y-%m-%d %H:%M:%S} UTC"
        self.case.note(workflow.now(), "breach", text, data={"clock": deadline.clock, "number": deadline.number})

    def _climb(self, deadline: Deadline) -> None:
        if deadline.level:
            what, due = self._duty(deadline), f"{deadline.clock_due:%Y-%m-%d %H:%M} UTC"
            passed = deadline.clock_due <= workflow.now()
            end, end_zh = ("passed", "已届满") if passed else (f"ends at {due}", f"将于 {due} 届满")
            reason = spoken.said(f"the deadline for the {what.en} {end}", f"{what.zh}的时限{end_zh}")
            self._escalate(deadline.level, reason, noted=f"deadline {deadline.clock} {end}")

    def _write_progress(self, deadline: Deadline) -> None:
        # Without a date to give, an overdue letter that brings one is on its way.
        if self.case.stage in UNDER_INVESTIGATION and self.case.expected_by:
            purpose = f"progress:{deadline.number}"
            self._post(LetterKind.PROGRESS, self._facts(), purpose, CaseEvent.CONTACTED)

    def _write_overdue(self, deadline: Deadline) -> None:
        if self.case.stage in {Stage.SETTLING, Stage.FOLLOWING_UP}:
            return  # the customer has the response
        self._tasks.start(self._tell_new_date(self.case.happened(CaseEvent.OVERDUE_NOTED, workflow.now())))

    def _write_holding(self, deadline: Deadline) -> None:
        if self.case.stage in {Stage.SETTLING, Stage.FOLLOWING_UP} or self._responding:
            return  # the customer has the response, or it is on its way
        if any(event.event is CaseEvent.OVERDUE_NOTED for event in self.case.events):
            self._tasks.start(self._hold_with_new_date(deadline))
        else:
            self._hold(deadline)

    async def _hold_with_new_date(self, deadline: Deadline) -> None:
        await workflow.wait_condition(
            lambda: all(event.event is not CaseEvent.OVERDUE_NOTED for event in self.case.events)
        )
        self._hold(deadline)

    def _hold(self, deadline: Deadline) -> None:
        rung = next(rung for rung in self.case.pack.clock(deadline.clock).rungs if rung.name == deadline.rung)
        facts = self._facts(letter=rung.letter).model_copy(update={"expected_by": self.case.expected_after_holding})
        self._post(LetterKind.HOLDING, facts, f"holding:{deadline.key}", CaseEvent.CONTACTED, CaseEvent.HELD)

    @property
    def _responding(self) -> bool:
        return any(CaseEvent.RESPONDED in letter.announces for letter in self.case.letters)

    async def _tell_new_date(self, number: int) -> None:
        # The new date is planned by the case file; the letter must carry it.
        await workflow.wait_condition(lambda: all(event.number != number for event in self.case.events))
        self._post(LetterKind.OVERDUE, self._facts(), f"overdue:{number}", CaseEvent.CONTACTED)

    def _remind(self, deadline: Deadline) -> None:
        question = self.case.question if self.case.asking else None
        # After an outage the wait may be over by now: then there is nothing to remind of.
        if question and deadline.clock_due > workflow.now():
            facts = self._facts(questions=question.questions, reply_by=deadline.clock_due)
            self._post(LetterKind.REMINDER, facts, f"reminder:{deadline.key}", CaseEvent.CONTACTED)

    def _stop_waiting(self, deadline: Deadline) -> None:
        if self.case.asking:
            self._answered()
            self.case.happened(CaseEvent.WAIT_ENDED, workflow.now())
            self.case.note(workflow.now(), "no_answer", "the customer did not answer in time; going on without")

    def _accept_silence(self, deadline: Deadline) -> None:
        if self.case.stage is Stage.RESPONDED and self.case.answer is None:
            self.case.answer = "silence"
            self.case.note(workflow.now(), "silence", "no answer to the final response; taken as no objection")

    def _ask_feedback(self, deadline: Deadline) -> None:
        if self.case.stage is not Stage.FOLLOWING_UP:
            return
        purpose = f"feedback_request:{self.case.rounds}"
        if purpose in self.case.delivered or any(letter.purpose == purpose for letter in self.case.letters):
            return  # the payment had come back since
        # No CONTACTED: the next progress letter is not waited for any more.
        self._post(LetterKind.FEEDBACK_REQUEST, self._facts(outcome=self.case.outcome), purpose)

    def _end_window(self, deadline: Deadline) -> None:
        if self.case.stage is Stage.FOLLOWING_UP:
            self.case.window_over = True
            self.case.revision += 1

    @property
    def _closed(self) -> Closed:
        case = self.case
        return Closed(reference=case.reference, outcome=case.outcome, compensation=case.awarded, breached=case.breached)
