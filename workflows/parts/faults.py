"""Effects that fail for good: each failure is loud, and what must be done is tried again hours later."""

import contextlib
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Final, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from domain.case.case import Case
from domain.case.file import CaseUpdate, Recorded
from domain.ground import spoken
from domain.ground.bilingual import Bilingual
from domain.keys.public import Public
from workflows.parts.ladder import Ladder
from workflows.parts.recorder import Recorder

R = TypeVar("R")

_PAUSE: Final = timedelta(hours=1)
_LONGEST_PAUSE: Final = timedelta(days=1)
_FOR_GOOD: Final = {"CompensationConflict", "InvalidCompensation", "NotApproved"}
"""Refusals of the ledger after which nothing was posted, and nothing ever will be under that key."""

_OVERTAKEN: Final = "LetterOvertaken"
"""The case has gone on meanwhile: no fault, and nothing is left to be told."""


class GivenUp(Exception):
    """An effect that failed for good is of no use any more."""


class Faults:
    """What fails for good stands in the timeline and climbs the ladder; nothing that must be done is given up."""

    def __init__(self, case: Case, recorder: Recorder[CaseUpdate, Recorded], ladder: Ladder) -> None:
        self._case, self._recorder, self._ladder = case, recorder, ladder

    def note(self, what: Bilingual, error: ActivityError | ApplicationError) -> None:
        """*what* has failed for good."""
        reason = str(error.cause or error)
        workflow.logger.error("effect failed for good", extra={"what": what.en, "reason": reason})
        self._case.note(workflow.now(), "fault", f"{what.en}: {reason}")
        self._ladder.climb(spoken.said(f"{what.en} failed", f"{what.zh}未能完成"))

    async def insist(
        self,
        what: Bilingual,
        update: CaseUpdate,
        effect: Callable[[], Coroutine[Any, Any, R]],
        *,
        failed: Callable[[], None] = lambda: None,
        led_out: Callable[[], bool] | None = None,
        rests_on: Callable[[], object] = lambda: None,
    ) -> R:
        """Have *effect*, however often it fails for good: each failure is loud, and it is tried again hours later.

        *update*, which was to be recorded with it, is recorded on its own meanwhile. *failed* is told of each failure,
        and may raise :class:`GivenUp`; so does this when the ledger refuses for good and people have *led_out*, and,
        without a word, of a letter that the case has overtaken. What it *rests_on* may be mended by people: once that
        is another than it was, it is tried again at once (None: not yet).
        """
        pause = _PAUSE
        while True:
            before = rests_on()
            try:
                return await effect()
            except ActivityError as error:
                self._recorder.release(update)
                if isinstance(error.cause, ApplicationError) and error.cause.type == _OVERTAKEN:
                    raise GivenUp from None
                self.note(what, error)
                failed()
                summary = Public(f"Try again after a fault: {what.en}")
                if led_out and isinstance(error.cause, ApplicationError) and error.cause.type in _FOR_GOOD:
                    await self._be_led_out(str(error.cause), led_out, pause, summary)
                else:
                    with contextlib.suppress(TimeoutError):
                        await workflow.wait_condition(
                            lambda before=before: rests_on() not in (None, before),  # type: ignore[misc]
                            timeout=pause,
                            timeout_summary=summary,
                        )
                pause = min(2 * pause, _LONGEST_PAUSE)

    async def _be_led_out(self, why: str, led_out: Callable[[], bool], pause: timedelta, summary: str) -> None:
        self._case.blocked = why
        self._case.revision += 1
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(led_out, timeout=pause, timeout_summary=summary)
        self._case.blocked = None
        if led_out():
            raise GivenUp from None
