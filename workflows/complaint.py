"""The life of a complaint, from the day it is received to the day its file is closed.

What a case has beside its life (recorder, post, clock keeper, till …) is in :mod:`workflows.parts`, what it hears in
:mod:`workflows.messages`.
"""

import contextlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, assert_never

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

from domain.case import tasks
from domain.case.answers import Closed, Status
from domain.case.case import Case
from domain.case.clocks import count_as_urgent, run_clocks
from domain.case.complaint import ClosedCase, Complaint, explain
from domain.case.looking_again import take_up_again
from domain.case.referrals import binding, carried_out, carry_out
from domain.case.remedies import outstanding
from domain.case.requests import OpenCase, TakeUpCase
from domain.case.resolution import running
from domain.case.two_persons import needs_second_person
from domain.ground.timeline import Entry
from domain.ground.words import WORKFLOW, CaseEvent, LetterKind, Outcome, Role, Stage
from domain.keys.public import Public
from domain.people.matching import IdentityState
from workflows import effects
from workflows.messages.of_a_case import SIGNALS, UPDATES
from workflows.messages.signals import hear_what_was_said_early
from workflows.page import page
from workflows.parts.beside import RESET, Beside
from workflows.parts.casework import Casework
from workflows.parts.faults import GivenUp
from workflows.parts.hearing import Hearing, takes
from workflows.parts.inbox import Inbox, hears
from workflows.parts.waiting import CarryOver, Diverted
from workflows.starts import given, is_continued, refuse

_SAID_BY: Final = timedelta(minutes=5)
"""So long a closed case that is taken up waits for what it was taken up for."""


def begin(start: Sequence[Any]) -> Case | ClosedCase:
    """The case as the workflow is started with it: a complaint, or all that an earlier run hands over.

    A state is believed of an earlier run only, for anybody may start a workflow: of a closed case the file is asked.
    Raises ``ValueError``.
    """
    brought = given(start, "a complaint")
    try:
        if is_continued():
            return Case.model_validate(brought)
        if isinstance(brought, Mapping) and "closed_case" in brought:
            closed = ClosedCase.model_validate(brought)
            if closed.closed_case != workflow.info().workflow_id:
                raise ValueError(f"closed_case: the workflow id must be the reference, {closed.closed_case}")
            return closed
        return Case.received(workflow.info().workflow_id, Complaint.model_validate(brought), workflow.now())
    except ValidationError as error:
        raise ValueError(explain(error)) from None


@workflow.defn(name=WORKFLOW)
@hears(*SIGNALS)
@takes(*UPDATES)
class ComplaintWorkflow:
    """One complaint, one workflow. Its id is the complaint's reference."""

    @workflow.init
    def __init__(self, *start: Any) -> None:
        self._beside = Beside()
        self._work: Casework | None = None
        self._misfit: str | None = None
        self._closed: ClosedCase | None = None
        self.inbox = Inbox(SIGNALS, lambda: self._work)
        self.hearing: Hearing[Casework] = Hearing(
            "case",
            lambda: self._work,
            is_coming=lambda: self._closed is not None,
            why_not=lambda: self._misfit,
        )
        try:
            begun = begin(start)
            if isinstance(begun, ClosedCase):
                self._closed = begun
            else:
                self._work = Casework(begun, self._beside)
        except ValueError as error:
            self._misfit = str(error)

    @property
    def state(self) -> Case | None:
        """All that the workflow knows; ``None`` where what it was started with can be no case."""
        return self._work.case if self._work else None

    @property
    def work(self) -> Casework:
        """The case and its parts. Raises ``LookupError`` where there is none."""
        if self._work is None:
            raise LookupError("there is no case")
        return self._work

    @property
    def case(self) -> Case:
        return self.work.case

    @workflow.run
    async def run(self, *start: Any) -> Closed:
        return await self._beside.live(
            self._from_receipt_to_closed_file(start), self._note_cancellation, self._note_reset
        )

    async def _from_receipt_to_closed_file(self, start: Sequence[Any]) -> Closed:
        try:
            if self._misfit:
                raise ApplicationError(self._misfit, type="InvalidComplaint", non_retryable=True)
            if self._closed:
                await self._take_up(self._closed)
            elif not self.work.is_open:
                await self._receive()
        except ApplicationError as error:
            await refuse(start, error, self.inbox.take_refused)
        self._beside.start(self.work.clocks.keep())
        self._beside.start(self.inbox.keep())
        self.work.start()
        try:
            if self._closed:
                await self._hear_what_for()
            while True:
                while self.case.stage is not Stage.CLOSED:
                    await self._live()
                if closed := await self._conclude():
                    return closed
        except CarryOver:
            # What is to be written down may be large: the file has most of it before another run is handed the rest.
            await workflow.wait_condition(
                lambda: self.inbox.is_empty and self.case.is_light and workflow.all_handlers_finished()
            )
            workflow.continue_as_new(self.case)

    def _note_cancellation(self) -> None:
        """The customer withdraws a case, or people decide it."""
        if self.state:
            self.state.note(workflow.now(), "cancellation", "asked for in Temporal and not followed; use withdraw")

    def _note_reset(self) -> None:
        if self.state:
            self.state.begin_anew(workflow.now(), RESET, begun=workflow.info().workflow_start_time)

    async def _live(self) -> None:
        try:
            # What was awarded and accepted is paid first, whatever the customer says meanwhile.
            if self.work.is_diverted() and self.case.stage is not Stage.SETTLING:
                raise Diverted
            await self._go_through(self.case.stage)
        except Diverted:
            await self._end_early()

    async def _go_through(self, stage: Stage) -> None:
        match stage:
            case Stage.RECEIVED:
                await self._take_on()
            case Stage.ACKNOWLEDGED:
                await self._acknowledge()
            case Stage.INVESTIGATING:
                await self._investigate()
            case Stage.DECIDING:
                await self._decide()
            case Stage.RESPONDED:
                await self._respond()
            case Stage.SETTLING:
                await self._settle()
            case Stage.FOLLOWING_UP:
                await self._follow_up()
            case Stage.CLOSED:
                raise ValueError("a closed case does not go on")
            case _:
                assert_never(stage)

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
            self._work = Casework(case, self._beside)
            case.note(workflow.now(), "restored", "Temporal had lost its workflow; it goes on from what the file has")
            return
        case.policy, case.policy_hash, case.assessment = opened.policy, opened.policy_hash, opened.assessment
        case.early_until, case.pointed, case.warning = opened.early_until, opened.pointed, opened.warning
        case.about_rules, case.identity, case.told = opened.about_rules, opened.identity, opened.told
        case.mentioned = opened.mentioned
        case.counted_as, case.refuses_plain = opened.assessment.priority, bool(opened.recorded.refuses_plain)
        self.work.clocks.let_act(run_clocks(case, opened.recorded))
        count_as_urgent(case, workflow.now())
        self.work.alarm()

    async def _take_up(self, closed: ClosedCase) -> None:
        """Go on with a closed case where its last workflow left it. Raises ``ApplicationError`` if there is none."""
        run = workflow.info().first_execution_run_id
        try:
            taken = await effects.take_up_case(TakeUpCase(reference=closed.closed_case, at=workflow.now(), run=run))
        except ActivityError as error:
            if not isinstance(error.cause, ApplicationError):
                raise
            self._closed, self._misfit = None, error.cause.message
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise error.cause from None
        case = Case.model_validate(taken.state | {"complaint": taken.complaint, "policy": taken.policy})
        self._work = Casework(case, self._beside)
        self.work.clocks.let_act(run_clocks(case, taken.recorded))

    async def _hear_what_for(self) -> None:
        """Wait for what the closed case was taken up for; where nothing comes, it stays as it is."""
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self.case.stage is not Stage.CLOSED,
                timeout=_SAID_BY,
                timeout_summary=Public("What the closed case is taken up for"),
            )

    async def _take_on(self) -> None:
        """Tell people what they should know at once; then every complaint is acknowledged."""
        if self.case.identity.state is IdentityState.MISMATCH:
            self.work.ask_who_complains()
        if self.case.warning:
            self.work.inquiry.warn_of_an_incident(self.case.warning)
            self.case.warning = None
        if self.case.about_rules:
            told, self.case.about_rules = self.case.about_rules, None
            self.work.tasks.have_rules_found(told)
        self.work.enter(Stage.ACKNOWLEDGED)

    async def _acknowledge(self) -> None:
        """Tell the customer at once that the complaint has arrived and what will happen."""
        await self.work.post.deliver(
            LetterKind.ACKNOWLEDGEMENT,
            self.work.post.facts(),
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
                await self.work.inquiry.query_the_trade_log()
                self.work.inquiry.ask_by_rule()
            if case.question and case.asking and not case.proposal:
                await self.work.inquiry.ask(case.question)
            if not case.to_investigate:
                break
        self.work.enter(Stage.DECIDING)

    async def _decide(self) -> None:
        """Decide by rule what is wholly in the customer's favour; have people decide the rest, two of them a no."""
        case = self.case
        while binding(case) or not case.approved:
            if decided := binding(case):
                carry_out(case, decided, workflow.now())
            await self.work.drafting.draft()
            if case.proposal and not needs_second_person(case, case.proposal):
                case.approved = True
                break
            proposal = case.proposal
            await self.work.waiting.until(
                lambda seen=proposal: (  # type: ignore[misc]
                    self._may_go_on() or case.proposal is not seen or self.work.drafting.is_stale
                ),
                "a second person to decide the proposal" if proposal else "a proposal",
            )
            if case.to_investigate:
                case.draft = None
                self.work.enter(Stage.INVESTIGATING)
                return
        case.draft = None
        if case.proposal and case.proposal.outcome is Outcome.REFERRED:
            case.referred = True
            return
        if not await self.work.promising.promise():
            hear_what_was_said_early(self.work)
            self.work.enter(Stage.INVESTIGATING)

    def _may_go_on(self) -> bool:
        case = self.case
        if case.to_investigate or case.approved or binding(case):
            return True
        return case.proposal is not None and not needs_second_person(case, case.proposal)

    async def _respond(self) -> None:
        """Tell the customer the decision, its reasons, and the right to go further; wait for the answer."""
        case = self.case
        proposal = case.proposal
        if proposal is None:
            raise LookupError("a final response needs an approved proposal")
        if case.bound:
            case.answer = "accept"  # it binds the firm, and nobody is asked any more
        kind, purpose, announces = self.work.post.responding()
        await self.work.post.deliver(kind, self.work.post.response(proposal), purpose, *announces)
        case.told_at = case.told_at or workflow.now()
        hear_what_was_said_early(self.work)
        self.work.remedies.owe_what_is_due()
        await self.work.waiting.until(
            lambda: case.answer is not None or binding(case) is not None,
            "the customer's answer to the final response",
        )
        if case.answer is None:
            self.work.enter(Stage.DECIDING)
        elif case.answer == "dispute":
            take_up_again(case)
            self.work.enter(Stage.DECIDING)
        else:
            case.outcome = proposal.outcome
            self.work.enter(Stage.SETTLING)

    async def _settle(self) -> None:
        """Put things right: post the compensation once, see it paid where a rail is to pay it, and everything done."""
        case = self.case
        self.work.remedies.owe_what_was_promised()
        accepted = case.answer in {"accept", "silence"}
        award = case.proposal.compensation if case.proposal and case.approved and accepted else None
        if award and case.proposal and case.posted_round < case.rounds:
            # Interest runs until the release: what is posted is known with that.
            releases = {one.release for one in running(case, case.proposal) if one.release}
            await self.work.remedies.confirmed(releases)
            if case.to_investigate:
                take_up_again(case)
                self.work.enter(Stage.INVESTIGATING)
                return
            try:
                await self.work.till.post_award(award)
            except GivenUp:
                case.awarding = None
                text = "the award: the ledger refuses it, and the case is taken up again"
                case.note(workflow.now(), "given_up", text)
                take_up_again(case)
                self.work.enter(Stage.INVESTIGATING)
                return
            if case.stage is not Stage.SETTLING:
                return  # the ledger alone, or all made good elsewhere: settled with that
        await self.work.till.pay()
        await self.work.remedies.confirmed()
        if case.to_investigate:
            take_up_again(case)
            self.work.enter(Stage.INVESTIGATING)
            return
        case.happened(CaseEvent.SETTLED, workflow.now())
        self.work.enter(Stage.FOLLOWING_UP)

    async def _follow_up(self) -> None:
        """Ask how satisfied the customer is; take the case up again if asked to; close when the window is over."""
        case = self.case
        carried_out(case, workflow.now())
        await self.work.waiting.until(
            lambda: (
                (case.window_over and not (case.reports or case.referrals or tasks.is_to_be_called(case)))
                or case.to_investigate
                or case.unpaid is not None
                or binding(case) is not None
            ),
            "the end of the follow-up window",
        )
        if case.unpaid:
            self.work.enter(Stage.SETTLING)  # what had been paid came back
        elif binding(case):
            self.work.enter(Stage.DECIDING)
        elif case.to_investigate:
            take_up_again(case)
            self.work.enter(Stage.INVESTIGATING)
        elif case.lacks_cause:
            await self._learn()
        else:
            self._close()

    async def _learn(self) -> None:
        """Have the root cause recorded, without which the pack lets no upheld complaint be closed."""
        case = self.case
        if not case.cause_asked:
            case.cause_asked = True
            self.work.post.tell_staff(
                Role.HANDLER,
                "The case can be closed once its root cause is recorded: redress cause record.",
                "请记录根本原因（redress cause record），记录后案件方可办结。",
            )
        await self.work.waiting.until(
            lambda: case.cause is not None or case.to_investigate or case.unpaid is not None or bool(case.referrals),
            "the root cause",
        )

    async def _end_early(self) -> None:
        """Withdrawn by the customer, or not ours: a letter says so, and the file is closed today."""
        case = self.case
        if case.unpaid or case.reports:  # what was paid and came back is paid before the case ends
            await workflow.wait_condition(lambda: not case.reports)
            if case.unpaid:
                self.work.enter(Stage.SETTLING)
                return
        self.work.remedies.owe_what_is_due()
        if outstanding(case):  # the customer takes the complaint back, not what is theirs
            self.work.enter(Stage.SETTLING)
            return
        if case.referrals:
            what = "the end of what is before an outside body"
            await self.work.waiting.until(lambda: not case.referrals or binding(case) is not None, what, diverts=False)
            if binding(case):
                case.referred = False
                self.work.enter(Stage.DECIDING)
                return
        if not case.withdrawn:
            announces = (CaseEvent.CONTACTED, CaseEvent.ACKNOWLEDGED, CaseEvent.RESPONDED)
            self.work.post.send(LetterKind.REFERRAL, self.work.post.facts(), "referral", *announces)
            await workflow.wait_condition(lambda: "referral" in case.delivered or case.withdrawn)
        if case.withdrawn:
            case.outcome = case.outcome or Outcome.WITHDRAWN
            self.work.post.send(LetterKind.WITHDRAWAL, self.work.post.facts(), "withdrawal", CaseEvent.CONTACTED)
        else:
            case.outcome = Outcome.REFERRED
        self._close()

    def _close(self) -> None:
        case = self.case
        self.work.clocks.stop()
        self.work.tasks.close()
        case.closed_at = workflow.now()
        case.happened(CaseEvent.CLOSED, case.closed_at)
        self.work.enter(Stage.CLOSED)

    async def _conclude(self) -> Closed | None:
        """See every letter out, everything written down and every sender answered; ``None`` if the case goes on."""
        case = self.case

        def are_letters_out() -> bool:
            done = (one.sort.to_staff or (one.failed and one.sort.interim) for one in case.letters)
            return case.stage is not Stage.CLOSED or (self.inbox.is_empty and all(done))

        def is_over() -> bool:
            return are_letters_out() and not case.has_unrecorded() and workflow.all_handlers_finished()

        await workflow.wait_condition(are_letters_out)
        while True:
            await self.work.post.see_notices_out()
            await workflow.wait_condition(is_over)
            if case.stage is not Stage.CLOSED:
                return None
            if not self.work.post.has_notices:  # what was heard while the rest was written down may be one for staff
                break
        self.work.display.show()
        return Closed(reference=case.reference, outcome=case.outcome, compensation=case.awarded, breached=case.breached)

    # -- what it tells who asks ------------------------------------------------------------------------------------

    @workflow.query(name="status", description="Stage, next deadline, handler, what the case waits for.")
    def status(self) -> Status:
        if self._work is None:
            raise ValueError("there is no case: what it was started with was refused")
        return self._work.status

    @workflow.query(name="timeline", description="The last entries of the timeline; the case file has them all.")
    def timeline(self) -> list[Entry]:
        return self.state.recent if self.state else []

    @workflow.signal(dynamic=True, description="Any other signal is kept in the case file as a rejected message.")
    def unknown(self, name: str, args: Sequence[RawValue]) -> None:
        self.inbox.put(name, args)
