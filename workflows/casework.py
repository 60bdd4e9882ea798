"""The machinery under a complaint's life: the case file kept up to date, letters, clocks, and what the UI shows.

Everything here watches the case and runs beside the life told in :mod:`workflows.complaint`.
"""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from domain.case.case import Case
from domain.case.complaint import explain
from domain.case.file import CaseUpdate, Recorded
from domain.case.requests import LetterAccepted, SendLetter
from domain.clocks.deadlines import Deadline
from domain.clocks.planning import shifts
from domain.ground import spoken
from domain.ground.bilingual import Bilingual
from domain.ground.messages import Message
from domain.ground.people import SYSTEM, Actor
from domain.ground.words import Action, CaseEvent, LetterKind, Role, Stage
from domain.letters.letter import Letter, LetterFacts
from workflows import effects
from workflows.page import page
from workflows.parts.display import Display
from workflows.parts.recorder import Recorder
from workflows.parts.tasks import Tasks
from workflows.parts.waiting import Waiting
from workflows.raw import decoded, kept
from workflows.search_attributes import attributes

M = TypeVar("M", bound=Message)
R = TypeVar("R")

_AFTER_A_FAULT = timedelta(hours=1)
_LONGEST_AFTER_A_FAULT = timedelta(days=1)
_TIMER_GRAIN = timedelta(milliseconds=1)
_MOST_NOTICES = 20
"""So many notices to staff wait for a channel at once."""
_FOR_GOOD = {"CompensationConflict", "InvalidCompensation", "NotApproved"}
"""Refusals of the ledger after which nothing was posted, and nothing ever will be under that key."""


class GivenUp(Exception):
    """An effect that failed for good is of no use any more."""


class Casework(ABC):
    """One case and what keeps it going. ``case`` is all of its state; the rest can be lost at any time."""

    def __init__(self) -> None:
        self._begun: Case | None = None
        self._tasks = Tasks()

    def _begin(self, case: Case) -> None:
        self._begun = case
        self.recorder = Recorder(case, effects.record, self._known)
        self.waiting = Waiting(lambda: self._diverted)
        self.display = Display(
            lambda: attributes(case),
            lambda: page(case, self.waiting.what),
            lambda: (case.revision, self.waiting.what),
        )

    @property
    def case(self) -> Case:
        """The case. Raises ``LookupError`` where what the workflow was started with can be none."""
        if self._begun is None:
            raise LookupError("there is no case")
        return self._begun

    def _known(self, update: CaseUpdate, recorded: Recorded) -> None:
        """A late answer clears no breach, though it reached us before the timer did."""
        self._let_act(self.case.recorded(update, recorded))

    def _let_act(self, late: Sequence[Deadline]) -> None:
        if late and workflow.patched("a-late-answer-clears-no-breach"):
            for deadline in late:
                self.case.fire(deadline, workflow.now())
                self._act(deadline)

    def _enter(self, stage: Stage) -> None:
        self.case.enter(stage, workflow.now())
        workflow.logger.info("stage entered", extra={"stage": stage.value})

    @property
    def _diverted(self) -> bool:
        case = self.case
        if case.stage is Stage.CLOSED:
            return False
        return case.withdrawn or bool(case.assessment and not case.assessment.in_scope)

    # -- letters ------------------------------------------------------------------------------------------------------

    async def _deliver(
        self, kind: LetterKind, facts: LetterFacts, purpose: str, *announces: CaseEvent, then: Stage | None = None
    ) -> None:
        """Send a letter and wait until a channel has accepted it; *then* is the stage entered with its acceptance."""
        if purpose not in self.case.delivered and not any(letter.purpose == purpose for letter in self.case.letters):
            self._post(kind, facts, purpose, *announces, then=then)
        await self.waiting.until(
            lambda: purpose in self.case.delivered, f"a channel to accept the {_spoken(kind)} letter", idle=False
        )
        if then and self.case.stage is not then:
            self.case.enter(then, workflow.now())

    def _post(
        self, kind: LetterKind, facts: LetterFacts, purpose: str, *announces: CaseEvent, then: Stage | None = None
    ) -> None:
        """Send a letter without waiting for it."""
        letter = Letter(
            purpose=purpose, number=self.case.next_number(), kind=kind, facts=facts, announces=announces, then=then
        )
        self.case.letters.append(letter)
        self.case.revision += 1
        # A letter may be on its way for days; the clocks that events start must not wait for it.
        self._tasks.start(self._carry(letter, self.recorder.take(self.case.by_the_way)))

    async def _carry(self, letter: Letter, update: CaseUpdate) -> None:
        case = self.case
        stage = case.stage

        def send() -> Coroutine[Any, Any, LetterAccepted]:
            if letter.failed and letter.kind is LetterKind.HOLDING:
                letter.facts = letter.facts.model_copy(update={"expected_by": case.expected_after_holding})
            request = SendLetter(
                key=f"{case.reference}:letter:{letter.purpose}",
                number=letter.number,
                kind=letter.kind,
                language=case.complaint.language,
                facts=letter.facts,
                announces=letter.announces,
                update=case.checked(update),  # what it was posted with may have gone on by now
            )
            return effects.send_letter(request)

        try:
            what = letter.sort.name
            accepted = await self._insist(
                spoken.said(f"{what.en} (letter {letter.number})", f"{what.zh}（第 {letter.number} 号函件）"),
                update,
                send,
                failed=lambda: _failed(letter),
            )
        except GivenUp:
            case.letters = [other for other in case.letters if other.purpose != letter.purpose]
            case.give_back(letter.facts)
            case.note(workflow.now(), "given_up", f"letter {letter.purpose}: it is of no use any more")
            return
        if letter.then and case.stage is stage:
            case.enter(letter.then, accepted.at)
        case.letters = [other for other in case.letters if other.purpose != letter.purpose]
        if not letter.sort.to_staff:  # nobody waits for those, and there may be any number
            case.delivered.append(letter.purpose)
        if not letter.sort.to_staff:
            case.last_message = f"{_spoken(letter.kind)} letter, accepted by {accepted.channel} {_at(accepted.at)}"
        self.recorder.put(update, accepted.recorded)

    def _tell_staff(self, role: Role, en: str, zh: str) -> None:
        """Send a notice to a role of the firm, unless so many are on their way that another tells nothing."""
        if sum(letter.sort.to_staff for letter in self.case.letters) >= _MOST_NOTICES:
            self.case.note(workflow.now(), "untold", f"{role.value}: too many notices wait already; {en}")
            return
        number = self.case.numbers + 1
        facts = self._facts(notice=Bilingual(en=en, zh=zh), audience=role)
        self._post(LetterKind.STAFF_NOTICE, facts, f"staff_notice:{number}")

    def _facts(self, **more: Any) -> LetterFacts:
        """What letters of this case commonly speak of, and *more*."""
        case = self.case
        return LetterFacts(
            category=case.assessment.category if case.assessment else None,
            stage=case.stage,
            received_at=case.complaint.received_at,
            expected_by=case.expected_by,
            **more,
        )

    # -- clocks -------------------------------------------------------------------------------------------------------

    async def _keep_the_clocks(self) -> None:
        """Wait for the next rung, with one timer, and let it act. A timer costs history: it moves only when it must."""
        while True:
            await workflow.wait_condition(lambda: self.case.next_deadline is not None)
            deadline = self.case.next_deadline
            if deadline is None:
                continue
            wait = deadline.due - workflow.now()
            if wait > timedelta(0):
                armed = deadline.due
                try:
                    await workflow.wait_condition(
                        lambda armed=armed: self._should_rearm(armed),  # type: ignore[misc]
                        timeout=wait + _TIMER_GRAIN,
                        timeout_summary=f"{deadline.clock}: {deadline.rung} ({deadline.spoken})",
                    )
                except TimeoutError:
                    pass
                else:
                    continue
            await self._fire_due()

    def _should_rearm(self, armed: Any) -> bool:
        due = self.case.next_due
        if due is not None and due < armed:
            return True
        # While an effect is under way a timer that rings too early does no harm, and the effect will soon move it.
        return due != armed and self.waiting.idle

    async def _fire_due(self) -> None:
        now = workflow.now()
        for deadline in [deadline for deadline in self.case.deadlines if deadline.due <= now]:
            if self._may_move(deadline) and workflow.patched("a-deadline-moves-before-it-fires"):
                await workflow.wait_condition(lambda deadline=deadline: not self._may_move(deadline))  # type: ignore[misc]
            if self._may_be_kept(deadline) and workflow.patched("ask-the-ledger-before-a-breach"):
                await self._ask_the_ledger(deadline)
            if deadline in self.case.deadlines:
                self.case.fire(deadline, workflow.now())
                self._act(deadline)

    def _may_move(self, deadline: Deadline) -> bool:
        """Whether something has happened that may move or end the deadline, and the case file has not said so yet."""
        clock = self.case.pack.clock(deadline.clock)
        return any(shifts(clock, event) or event.event in clock.satisfied_by for event in self.case.events)

    def _may_be_kept(self, deadline: Deadline) -> bool:
        """Whether a letter that satisfies the clock may have been accepted in time, and the answer be on its way."""
        if Action.BREACH not in deadline.actions:
            return False
        clock = self.case.pack.clock(deadline.clock)
        extends = {CaseEvent.EXTENDED}
        return any(
            set(clock.satisfied_by) & set(letter.announces)
            or (extends & set(letter.announces) and letter.facts.clock == clock.name)
            for letter in self.case.letters
        )

    async def _ask_the_ledger(self, deadline: Deadline) -> None:
        """Learn whether the round has ended. One that ended in time has no breach; one that ended late has it still."""
        await self.recorder.record(self.recorder.take().model_copy(update={"asked": (deadline.round,)}))

    @abstractmethod
    def _act(self, deadline: Deadline) -> None:
        """What the rung *deadline* demands."""

    # -- faults -------------------------------------------------------------------------------------------------------

    async def _insist(
        self,
        what: Bilingual,
        update: CaseUpdate,
        effect: Callable[[], Coroutine[Any, Any, R]],
        failed: Callable[[], None] = lambda: None,
        led_out: Callable[[], bool] | None = None,
    ) -> R:
        """Have *effect*, however often it fails for good: each failure is loud, and it is tried again hours later.

        *update*, which was to be recorded with it, is recorded on its own meanwhile. *failed* is told of each failure,
        and may raise :class:`GivenUp`; so does this when the ledger refuses for good and people have *led_out*.
        """
        pause = _AFTER_A_FAULT
        while True:
            try:
                return await effect()
            except ActivityError as error:
                self.recorder.release(update)
                self._fault(what, error)
                failed()
                summary = f"Try again after a fault: {what.en}"
                if led_out and isinstance(error.cause, ApplicationError) and error.cause.type in _FOR_GOOD:
                    self.case.blocked = str(error.cause)
                    self.case.revision += 1
                    with contextlib.suppress(TimeoutError):
                        await workflow.wait_condition(led_out, timeout=pause, timeout_summary=summary)
                    self.case.blocked = None
                    if led_out():
                        raise GivenUp from None
                else:
                    await workflow.sleep(pause, summary=summary)
                pause = min(2 * pause, _LONGEST_AFTER_A_FAULT)

    def _fault(self, what: Bilingual, error: ActivityError) -> None:
        reason = str(error.cause or error)
        workflow.logger.error("effect failed for good", extra={"what": what.en, "reason": reason})
        self.case.note(workflow.now(), "fault", f"{what.en}: {reason}")
        self._escalate(self.case.escalation_level + 1, spoken.said(f"{what.en} failed", f"{what.zh}未能完成"))

    @abstractmethod
    def _escalate(self, level: int, reason: Bilingual, by: Actor = SYSTEM, *, noted: str | None = None) -> None:
        """Raise the case to *level*; the record says *noted*, where that is more exact than *reason*."""

    # -- messages -----------------------------------------------------------------------------------------------------

    def _read_signal(self, kind: type[M], message: Sequence[Any]) -> M | None:
        """The message, if it fits and is new. What does not fit is kept in the case file."""
        try:
            request = read(kind, message)
            known = self.case.knows(request)
        except ValueError as error:
            self._reject(kind.name, message, str(error))
            return None
        if known:
            return None
        self.case.hear(request)
        return request

    def _reject(self, name: str, message: Sequence[Any], reason: str) -> None:
        self.case.reject(name, kept(message), reason, workflow.now())


def read(kind: type[M], message: Sequence[Any]) -> M:
    """*message*, the arguments of a signal or update, as its model. Raises ``ValueError`` naming what does not fit."""
    if len(message) != 1:
        raise ValueError(f"{kind.name} takes one JSON object, not {len(message)} arguments")
    try:
        return kind.model_validate(decoded(message[0]))
    except ValidationError as error:
        raise ValueError(explain(error)) from None


def _failed(letter: Letter) -> None:
    """Note that an attempt failed for good. Only an extension is then given up: its time has passed."""
    letter.failed = True
    if letter.kind is LetterKind.EXTENSION:
        raise GivenUp


def _spoken(kind: LetterKind) -> str:
    return kind.value.replace("_", " ")


def _at(instant: Any) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
