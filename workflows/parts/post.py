"""The post: letters to the customer and notices to staff, each under way until a channel has accepted it."""

from collections.abc import Coroutine
from datetime import datetime
from typing import Any, Final

from temporalio import workflow

from domain.case.case import Case
from domain.case.file import CaseUpdate, Recorded
from domain.case.requests import LetterAccepted, SendLetter
from domain.ground import spoken
from domain.ground.bilingual import Bilingual
from domain.ground.words import CaseEvent, LetterKind, Role, Stage
from domain.letters.letter import Letter, LetterFacts
from workflows import effects
from workflows.parts.faults import Faults, GivenUp
from workflows.parts.recorder import Recorder
from workflows.parts.tasks import Tasks
from workflows.parts.waiting import Waiting

MOST_NOTICES: Final = 20
"""So many notices to staff wait for a channel at once."""


class Post:
    """Sends the letters of a case. Those on their way are in the case, and go on in a next run."""

    def __init__(
        self,
        case: Case,
        tasks: Tasks,
        recorder: Recorder[CaseUpdate, Recorded],
        waiting: Waiting,
        faults: Faults,
    ) -> None:
        self._case, self._tasks, self._recorder = case, tasks, recorder
        self._waiting, self._faults = waiting, faults

    def facts(self, **more: Any) -> LetterFacts:
        """What letters of this case commonly speak of, and *more*."""
        case = self._case
        return LetterFacts(
            category=case.assessment.category if case.assessment else None,
            stage=case.stage,
            received_at=case.complaint.received_at,
            expected_by=case.expected_by,
            **more,
        )

    def send(
        self, kind: LetterKind, facts: LetterFacts, purpose: str, *announces: CaseEvent, then: Stage | None = None
    ) -> None:
        """Send a letter without waiting for it; *then* is the stage entered with its acceptance."""
        case = self._case
        number = case.next_number()
        letter = Letter(purpose=purpose, number=number, kind=kind, facts=facts, announces=announces, then=then)
        case.letters.append(letter)
        case.revision += 1
        self._start(letter)

    async def deliver(
        self, kind: LetterKind, facts: LetterFacts, purpose: str, *announces: CaseEvent, then: Stage | None = None
    ) -> None:
        """Send a letter and wait until a channel has accepted it; *then* is the stage entered with its acceptance."""
        case = self._case
        if purpose not in case.delivered and not self.has_under_way(purpose):
            self.send(kind, facts, purpose, *announces, then=then)
        await self._waiting.until(
            lambda: purpose in case.delivered, f"a channel to accept the {_spoken(kind)} letter", idle=False
        )
        if then and case.stage is not then:
            case.enter(then, workflow.now())

    def has_under_way(self, purpose: str) -> bool:
        """Whether a letter for that *purpose* is on its way."""
        return any(letter.purpose == purpose for letter in self._case.letters)

    def tell_staff(self, role: Role, en: str, zh: str) -> None:
        """Send a notice to a role of the firm, unless so many are on their way that another tells nothing."""
        case = self._case
        if sum(letter.sort.to_staff for letter in case.letters) >= MOST_NOTICES:
            case.note(workflow.now(), "untold", f"{role.value}: too many notices wait already; {en}")
            return
        number = case.numbers + 1
        facts = self.facts(notice=Bilingual(en=en, zh=zh), audience=role)
        self.send(LetterKind.STAFF_NOTICE, facts, f"staff_notice:{number}")

    def resume(self) -> None:
        """Go on with the letters that an earlier run left on their way."""
        for letter in self._case.letters:
            self._start(letter)

    def _start(self, letter: Letter) -> None:
        # A letter may be on its way for days; the clocks that events start must not wait for it.
        self._tasks.start(self._carry(letter, self._recorder.take(self._case.by_the_way)))

    async def _carry(self, letter: Letter, update: CaseUpdate) -> None:
        case = self._case
        stage, what = case.stage, letter.sort.name
        try:
            accepted = await self._faults.insist(
                spoken.said(f"{what.en} (letter {letter.number})", f"{what.zh}（第 {letter.number} 号函件）"),
                update,
                lambda: self._attempt(letter, update),
                failed=lambda: _failed(letter),
            )
        except GivenUp:
            self._forget(letter)
            case.give_back(letter.facts)
            case.note(workflow.now(), "given_up", f"letter {letter.purpose}: it is of no use any more")
            return
        if letter.then and case.stage is stage:
            case.enter(letter.then, accepted.at)
        self._forget(letter)
        if not letter.sort.to_staff:  # nobody waits for those, and there may be any number
            case.delivered.append(letter.purpose)
            case.last_message = f"{_spoken(letter.kind)} letter, accepted by {accepted.channel} {_at(accepted.at)}"
        self._recorder.put(update, accepted.recorded)

    def _attempt(self, letter: Letter, update: CaseUpdate) -> Coroutine[Any, Any, LetterAccepted]:
        case = self._case
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

    def _forget(self, letter: Letter) -> None:
        self._case.letters = [other for other in self._case.letters if other.purpose != letter.purpose]


def _failed(letter: Letter) -> None:
    """Note that an attempt failed for good. Only an extension is then given up: its time has passed."""
    letter.failed = True
    if letter.kind is LetterKind.EXTENSION:
        raise GivenUp


def _spoken(kind: LetterKind) -> str:
    return kind.value.replace("_", " ")


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
