"""The clock keeper: waits for the next rung of a case's clocks, with one timer, and lets it act once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from temporalio import workflow

from domain.case.case import Case
from domain.case.clocks import fire
from domain.case.file import CaseUpdate, Recorded
from domain.clocks.deadlines import Deadline
from domain.clocks.planning import shifts
from domain.ground.words import Action, CaseEvent
from domain.keys.public import Public
from workflows.parts.recorder import Recorder
from workflows.parts.rungs import Rungs
from workflows.parts.waiting import Waiting

_TIMER_GRAIN: Final = timedelta(milliseconds=1)


class ClockKeeper:
    """Keeps the clocks of a case. What runs, the case file has planned; what a rung does is in the rungs."""

    def __init__(self, case: Case, recorder: Recorder[CaseUpdate, Recorded], waiting: Waiting, rungs: Rungs) -> None:
        self._case, self._recorder, self._waiting, self._rungs = case, recorder, waiting, rungs

    async def keep(self) -> None:
        """Wait for the next rung and let it act. A timer costs history: it moves only when it must."""
        case = self._case
        while True:
            await workflow.wait_condition(lambda: case.next_deadline is not None)
            deadline = case.next_deadline
            if deadline is None:
                continue
            wait = deadline.due - workflow.now()
            if wait > timedelta(0):
                armed = deadline.due
                try:
                    await workflow.wait_condition(
                        lambda armed=armed: self._should_rearm(armed),  # type: ignore[misc]
                        timeout=wait + _TIMER_GRAIN,
                        timeout_summary=Public(f"{deadline.clock}: {deadline.rung} ({deadline.spoken})"),
                    )
                except TimeoutError:
                    pass
                else:
                    continue
            await self._fire_due()

    def let_act(self, late: Sequence[Deadline]) -> None:
        """A late answer clears no breach, though it reached us before the timer did."""
        if late:
            for deadline in late:
                self._fire(deadline)

    def stop(self) -> None:
        """The case closes and its clocks end. That clears no breach."""
        case, now = self._case, workflow.now()
        passed = [one for one in case.deadlines if one.due <= now and Action.BREACH in one.actions]
        if passed:
            for deadline in passed:
                fire(case, deadline, now)
                self._rungs.breach(deadline)
        case.deadlines = []

    def _should_rearm(self, armed: datetime) -> bool:
        due = self._case.next_due
        if due is not None and due < armed:
            return True
        # While an effect is under way a timer that rings too early does no harm, and the effect will soon move it.
        return due != armed and self._waiting.idle

    async def _fire_due(self) -> None:
        case, now = self._case, workflow.now()
        for deadline in [deadline for deadline in case.deadlines if deadline.due <= now]:
            await self._rungs.learn(deadline)
            if self._may_move(deadline):
                await workflow.wait_condition(lambda deadline=deadline: not self._may_move(deadline))  # type: ignore[misc]
            if self._may_be_kept(deadline):
                await self._ask_the_ledger(deadline)
            if deadline in case.deadlines:
                self._fire(deadline)

    def _fire(self, deadline: Deadline) -> None:
        fire(self._case, deadline, workflow.now())
        self._rungs.act(deadline)

    def _may_move(self, deadline: Deadline) -> bool:
        """Whether something has happened that may move or end the deadline, and the case file has not said so yet."""
        clock = self._case.pack.clock(deadline.clock)
        return any(shifts(clock, event) or event.event in clock.satisfied_by for event in self._case.events)

    def _may_be_kept(self, deadline: Deadline) -> bool:
        """Whether a letter that satisfies the clock may have been accepted in time, and the answer be on its way."""
        if Action.BREACH not in deadline.actions:
            return False
        clock = self._case.pack.clock(deadline.clock)
        extends = {CaseEvent.EXTENDED}
        return any(
            set(clock.satisfied_by) & set(letter.announces)
            or (extends & set(letter.announces) and letter.facts.clock == clock.name)
            for letter in self._case.letters
        )

    async def _ask_the_ledger(self, deadline: Deadline) -> None:
        """Learn whether the round has ended. One that ended in time has no breach; one that ended late has it still."""
        await self._recorder.record(self._recorder.take().model_copy(update={"asked": (deadline.round,)}))
