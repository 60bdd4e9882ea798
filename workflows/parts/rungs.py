"""What a rung of a clock does when it comes due, one row an action."""

from typing import assert_never

from temporalio import workflow

from domain.case.case import Case
from domain.case.clocks import asks_for, expected_after_holding, expected_by
from domain.case.looking_again import UNDER_INVESTIGATION, go_on
from domain.clocks.deadlines import Deadline
from domain.ground import spoken
from domain.ground.bilingual import Bilingual
from domain.ground.words import Action, CaseEvent, LetterKind, Role, Stage
from domain.people.signs import Care
from workflows.parts.beside import Beside
from workflows.parts.ladder import Ladder
from workflows.parts.post import Post
from workflows.parts.remedying import Remedies
from workflows.parts.tasks import Tasks


class Rungs:
    """Lets the rungs of a case's clocks act."""

    def __init__(  # noqa: PLR0917 (what rungs act on)
        self, case: Case, beside: Beside, post: Post, ladder: Ladder, remedies: Remedies, tasks: Tasks
    ) -> None:
        self._case, self._beside, self._post, self._ladder = case, beside, post, ladder
        self._remedies, self._tasks = remedies, tasks

    def act(self, deadline: Deadline) -> None:
        """Do what the rung *deadline* demands."""
        # What a closed case missed is learned late and stays in the record; nobody can do anything about it any more.
        due = {Action.BREACH} if self._case.stage is Stage.CLOSED else set(Action)
        for action in deadline.actions:
            if action in due and asks_for(self._case, deadline, action):
                self._carry_out(action, deadline)

    async def learn(self, deadline: Deadline) -> None:
        """Learn, before a breach of *deadline*, whether the duty was done and nobody has told the case yet."""
        done_by = self._case.pack.clock(deadline.clock).satisfied_by
        if Action.BREACH in deadline.actions and CaseEvent.REMEDY_CONFIRMED in done_by:
            await self._remedies.look_for(deadline.number)

    def resume(self) -> None:
        """Go on with the letters that wait for a new date, as an earlier run left them."""
        for event in self._case.events:
            if event.event is CaseEvent.OVERDUE_NOTED:
                self._beside.start(self._tell_new_date(event.number))

    def _carry_out(self, action: Action, deadline: Deadline) -> None:
        match action:
            case Action.WARN:
                self._warn(deadline)
            case Action.BREACH:
                self.breach(deadline)
            case Action.ESCALATE:
                self._climb(deadline)
            case Action.PROGRESS_LETTER:
                self._write_progress(deadline)
            case Action.OVERDUE_LETTER:
                self._write_overdue()
            case Action.HOLDING_LETTER:
                self._write_holding(deadline)
            case Action.REMINDER_LETTER:
                self._remind(deadline)
            case Action.STOP_WAITING:
                self._stop_waiting()
            case Action.END_RELIEF:
                self._remedies.end_relief(deadline.number, "its time is over")
            case Action.REMIND_OWNER:
                self._tasks.remind(deadline.number)
            case Action.TASK_OVERDUE:
                self._tasks.overdue(deadline.number)
            case Action.RAISE_TASK:
                self._tasks.climb(deadline.number)
            case Action.ACCEPT_SILENCE:
                self.accept_silence()
            case Action.ASK_FEEDBACK:
                self._ask_feedback()
            case Action.CLOSE:
                self._end_window()
            case _:
                assert_never(action)

    def _warn(self, deadline: Deadline) -> None:
        due = f"{deadline.clock_due:%Y-%m-%d %H:%M} UTC"
        what = self._duty(deadline)
        if deadline.clock_due <= workflow.now():
            en, zh = f"The deadline for the {what.en} ended at {due}.", f"{what.zh}的时限已于 {due} 届满。"
        else:
            en, zh = f"The deadline for the {what.en} ends at {due}.", f"{what.zh}的时限将于 {due} 届满。"
        self._post.tell_staff(Role.HANDLER, en, zh)

    def _duty(self, deadline: Deadline) -> Bilingual:
        """What the clock is a deadline for: names of clocks are the pack's, and no words for people."""
        return spoken.DUTIES[self._case.pack.clock(deadline.clock).satisfied_by[0]]

    def breach(self, deadline: Deadline) -> None:
        """Note the breach. It stays for ever."""
        text = f"{deadline.clock} was due at {deadline.due:%Y-%m-%d %H:%M:%S} UTC"
        self._case.note(workflow.now(), "breach", text, data={"clock": deadline.clock, "number": deadline.number})

    def _climb(self, deadline: Deadline) -> None:
        if deadline.level:
            what, due = self._duty(deadline), f"{deadline.clock_due:%Y-%m-%d %H:%M} UTC"
            passed = deadline.clock_due <= workflow.now()
            end, end_zh = ("passed", "已届满") if passed else (f"ends at {due}", f"将于 {due} 届满")
            reason = spoken.said(f"the deadline for the {what.en} {end}", f"{what.zh}的时限{end_zh}")
            self._ladder.climb(reason, level=deadline.level, noted=f"deadline {deadline.clock} {end}")

    def _write_progress(self, deadline: Deadline) -> None:
        # Without a date to give, an overdue letter that brings one is on its way.
        spent = self._case.new_dates >= self._case.pack.new_dates
        promising = any(letter.with_promise for letter in self._case.letters)
        if not promising and self._case.stage in UNDER_INVESTIGATION and (expected_by(self._case) or spent):
            purpose = f"progress:{deadline.number}"
            self._post.send(LetterKind.PROGRESS, self._post.facts(), purpose, CaseEvent.CONTACTED)

    def _write_overdue(self) -> None:
        if self._case.stage in {Stage.SETTLING, Stage.FOLLOWING_UP}:
            return  # the customer has the response
        if self._case.new_dates >= self._case.pack.new_dates:
            self._have_people_give_a_date()
            return
        self._case.new_dates += 1
        self._beside.start(self._tell_new_date(self._case.happened(CaseEvent.OVERDUE_NOTED, workflow.now())))

    def _have_people_give_a_date(self) -> None:
        """No rule gives the customer another date: the same letter again would promise what nobody stands for."""
        case, top = self._case, self._case.pack.escalation[-1]
        times = case.new_dates
        case.note(workflow.now(), "no_more_dates", f"a new date was given {times} times by rule; now people have to")
        self._ladder.climb(
            spoken.said("the date that the customer was told has passed again", "告知客户的日期再次逾期"),
            level=top.level,
            noted="the last date by rule has passed",
        )
        en = "The date that the customer was told has passed again. No rule gives another: answer, or write to them."
        zh = "告知客户的预计日期再次逾期，规则不再给出新日期：请尽快作出处理决定，或亲自告知客户。"
        self._post.tell_staff(Role.HANDLER, en, zh)

    def _write_holding(self, deadline: Deadline) -> None:
        if self._case.stage in {Stage.SETTLING, Stage.FOLLOWING_UP} or self._responding:
            return  # the customer has the response, or it is on its way
        if any(event.event is CaseEvent.OVERDUE_NOTED for event in self._case.events):
            self._beside.start(self._hold_with_new_date(deadline))
        else:
            self._hold(deadline)

    async def _hold_with_new_date(self, deadline: Deadline) -> None:
        await workflow.wait_condition(
            lambda: all(event.event is not CaseEvent.OVERDUE_NOTED for event in self._case.events)
        )
        self._hold(deadline)

    def _hold(self, deadline: Deadline) -> None:
        rung = next(rung for rung in self._case.pack.clock(deadline.clock).rungs if rung.name == deadline.rung)
        facts = self._post.facts(letter=rung.letter).model_copy(
            update={"expected_by": expected_after_holding(self._case)}
        )
        self._post.send(LetterKind.HOLDING, facts, f"holding:{deadline.key}", CaseEvent.CONTACTED, CaseEvent.HELD)

    @property
    def _responding(self) -> bool:
        return any(CaseEvent.RESPONDED in letter.announces for letter in self._case.letters)

    async def _tell_new_date(self, number: int) -> None:
        # The new date is planned by the case file; the letter must carry it.
        await workflow.wait_condition(lambda: all(event.number != number for event in self._case.events))
        if expected_by(self._case) is None:
            return  # the answer was given meanwhile, or the new date has passed as well, which its own rung tells
        self._post.send(LetterKind.OVERDUE, self._post.facts(), f"overdue:{number}", CaseEvent.CONTACTED)

    def _remind(self, deadline: Deadline) -> None:
        question = self._case.question if self._case.asking else None
        # After an outage the wait may be over by now: then there is nothing to remind of.
        if question and deadline.clock_due > workflow.now():
            facts = self._post.facts(questions=question.questions, reply_by=deadline.clock_due)
            self._post.send(LetterKind.REMINDER, facts, f"reminder:{deadline.key}", CaseEvent.CONTACTED)

    def _stop_waiting(self) -> None:
        if self._case.asking:
            go_on(self._case)
            self._case.happened(CaseEvent.WAIT_ENDED, workflow.now())
            self._case.note(workflow.now(), "no_answer", "the customer did not answer in time; going on without")

    def accept_silence(self) -> None:
        """The customer has not answered the final response in time."""
        if self._case.stage is not Stage.RESPONDED or self._case.answer is not None or self._case.answered_early:
            return
        self._case.silent = bool(self._case.referrals)
        if self._case.silent:
            text = "no answer to the final response; it is before an outside body"
            self._case.note(workflow.now(), "no_answer", text)
            return
        if self._case.care != Care():
            self._case.note(workflow.now(), "no_answer", "no answer to the final response; a sign of the case is open")
            self._post.tell_staff(
                Role.HANDLER,
                "The customer has not answered the final response, and a sign of the case is open: the case does not "
                "close by silence. Get in touch, and pass on what they say.",
                "客户未答复处理决定，且本案有待处理的提示，不得以沉默视为无异议。请联系客户并转达其答复。",
            )
        else:
            self._case.answer = "silence"
            self._case.note(workflow.now(), "silence", "no answer to the final response; taken as no objection")

    def _ask_feedback(self) -> None:
        # It asks about what the firm decided itself: what it carries out is another's decision.
        decided = f"final_response:{self._case.rounds}" in self._case.delivered
        if self._case.stage is not Stage.FOLLOWING_UP or not decided or self._post.asked_for_feedback:
            return  # where it was asked, the payment had come back since
        facts = self._post.facts(outcome=self._case.outcome)
        # No CONTACTED: the next progress letter is not waited for any more.
        self._post.send(LetterKind.FEEDBACK_REQUEST, facts, self._post.feedback_purpose)

    def _end_window(self) -> None:
        if self._case.stage is Stage.FOLLOWING_UP:
            self._case.window_over = True
            self._case.revision += 1
