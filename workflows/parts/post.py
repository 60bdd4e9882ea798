"""The post: letters to the customer and notices to staff, each under way until a channel has accepted it."""

from collections.abc import Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from temporalio import workflow

from domain.case.answers import Proposal
from domain.case.case import Case
from domain.case.clocks import expected_after_holding, expected_by
from domain.case.file import CaseUpdate, Recorded
from domain.case.identity import IDENTIFYING
from domain.case.referrals import find
from domain.case.requests import LetterAccepted, SendLetter
from domain.case.resolution import behind, running
from domain.checks.findings import Elsewhere
from domain.ground import spoken
from domain.ground.bilingual import Bilingual
from domain.ground.words import CaseEvent, LetterKind, Role, Stage
from domain.letters.letter import Letter, LetterFacts
from domain.people.matching import Identity
from workflows import effects
from workflows.parts.beside import Beside
from workflows.parts.faults import Faults, GivenUp
from workflows.parts.recorder import Recorder
from workflows.parts.waiting import Waiting

MOST_NOTICES: Final = 20
"""So many notices to staff wait for a channel at once."""
NOTICES_WAIT: Final = timedelta(days=3)
"""So long a closed case waits for a channel to take what staff are still to be told."""


class Post:
    """Sends the letters of a case. Those on their way are in the case, and go on in a next run."""

    def __init__(
        self,
        case: Case,
        beside: Beside,
        recorder: Recorder[CaseUpdate, Recorded],
        waiting: Waiting,
        faults: Faults,
    ) -> None:
        self._case, self._beside, self._recorder = case, beside, recorder
        self._waiting, self._faults = waiting, faults
        self._takes_along: dict[str, CaseUpdate] = {}
        """What each letter on its way takes along to the case file, by purpose."""

    def facts(self, **more: Any) -> LetterFacts:
        """What letters of this case commonly speak of, and *more*."""
        case = self._case
        return LetterFacts(
            category=case.assessment.category if case.assessment else None,
            stage=case.stage,
            received_at=case.complaint.received_at,
            expected_by=expected_by(case),
            **more,
        )

    def response(self, proposal: Proposal) -> LetterFacts:
        """What the final response tells of *proposal*: the same in a draft and in the letter that is sent."""
        bound = self._case.bound
        referral = find(self._case, bound.referral) if bound else None
        return self.facts(
            route=referral.route if referral else None,
            outside_reference=referral.reference if referral else None,
            decided_at=bound.at if bound else None,
            agreed=bool(bound and bound.agreed),
            outcome=proposal.outcome,
            reasons=proposal.reasons,
            findings=tuple(finding.told for finding in behind(self._case, proposal)),
            compensation=proposal.compensation,
            awards=proposal.awards,
            elsewhere=self._elsewhere(proposal),
            running=running(self._case, proposal),
            remedies=proposal.remedies,
        )

    def responding(self) -> tuple[LetterKind, str, tuple[CaseEvent, ...]]:
        """By which letter the decision is told, for which purpose, and what its acceptance means."""
        case = self._case
        if case.bound:
            return LetterKind.OUTSIDE_DECISION, f"outside_decision:{case.rounds}", (CaseEvent.CONTACTED,)
        kind = LetterKind.SUMMARY_RESOLUTION if case.settled_early else LetterKind.FINAL_RESPONSE
        return kind, f"final_response:{case.rounds}", (CaseEvent.CONTACTED, CaseEvent.RESPONDED)

    def _elsewhere(self, proposal: Proposal) -> tuple[Elsewhere, ...]:
        """Where that is made good which the findings leave out; that of an incident its own words tell."""
        found = self._case.investigation.elsewhere if self._case.investigation else ()
        return tuple(one for one in found if proposal.incident is None or one.reference != proposal.incident)

    def send(
        self, kind: LetterKind, facts: LetterFacts, purpose: str, *announces: CaseEvent, then: Stage | None = None
    ) -> None:
        """Send a letter without waiting for it; *then* is the stage entered with its acceptance."""
        number = self._case.next_number()
        letter = Letter(purpose=purpose, number=number, kind=kind, facts=facts, announces=announces, then=then)
        self._case.letters.append(letter)
        self._case.revision += 1
        self._start(letter)

    def with_promise(self, proposal: Proposal) -> Letter:
        """The response to *proposal* that goes with the promise of what it gives, on its way from now on.

        One that a lost workflow had begun keeps its number: it may have been sent.
        """
        kind, purpose, announces = self.responding()
        letter = next((one for one in self._case.letters if one.purpose == purpose), None)
        if letter is None:
            letter = Letter(purpose=purpose, number=self._case.next_number(), kind=kind, with_promise=True)
            self._case.letters.append(letter)
        letter.kind, letter.announces = kind, announces
        letter.facts = self.response(proposal).model_copy(update={"stage": Stage.RESPONDED})
        return letter

    def promised(self, letter: Letter, along: CaseUpdate, accepted: LetterAccepted | None) -> None:
        """What *letter* gives is promised. Where no channel has *accepted* it with *along*, it goes by itself now.

        It does not where the customer has withdrawn meanwhile, or the matter is another firm's: nothing is given then.
        """
        if accepted:
            self._forget(letter)
            self.accepted(letter, along, accepted)
        elif self._case.withdrawn or self._case.referred:
            self._forget(letter)
            self._note_no_use(letter)
        else:
            letter.with_promise = False
            self._case.revision += 1
            self._start(letter)

    def _note_no_use(self, letter: Letter) -> None:
        self._case.note(workflow.now(), "given_up", f"letter {letter.purpose}: it is of no use any more")

    def put_aside(self, letter: Letter) -> None:
        """Nothing is promised that *letter* would give."""
        self._forget(letter)

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

    @property
    def feedback_purpose(self) -> str:
        """What the letter of this round is for that asks how satisfied the customer is."""
        return f"feedback_request:{self._case.rounds}"

    @property
    def asked_for_feedback(self) -> bool:
        """Whether that letter was sent, or is on its way."""
        return self.feedback_purpose in self._case.delivered or self.has_under_way(self.feedback_purpose)

    def tell_staff(self, role: Role, en: str, zh: str, *, task: int | None = None, person: str | None = None) -> None:
        """Send a notice to a role of the firm, unless so many are on their way that another tells nothing.

        One about a *task* is for whoever has that, unless it is for a *person* who is named.
        """
        case = self._case
        if sum(letter.sort.to_staff for letter in case.letters) >= MOST_NOTICES:
            case.note(workflow.now(), "untold", f"{role.value}: too many notices wait already; {en}")
            return
        number = case.numbers + 1
        facts = self.facts(notice=Bilingual(en=en, zh=zh), audience=role, task=task, person=person)
        self.send(LetterKind.STAFF_NOTICE, facts, f"staff_notice:{number}")

    @property
    def has_notices(self) -> bool:
        """Whether a notice to staff is on its way."""
        return any(letter.sort.to_staff for letter in self._case.letters)

    async def see_notices_out(self) -> None:
        """Wait for the notices to staff on their way, though not for ever; whom nothing reached stands in the file.

        What such a notice takes along to the case file is written by the recorder then.
        """
        case = self._case

        if not self.has_notices:
            return
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: not self.has_notices,
                timeout=NOTICES_WAIT,
                timeout_summary="The case is closed; a notice to staff is on its way",
            )
        for letter in [letter for letter in case.letters if letter.sort.to_staff]:
            self._recorder.release(self._takes_along.pop(letter.purpose))
            self._forget(letter)
            role, notice = letter.facts.audience or Role.HANDLER, letter.facts.notice
            said = f": {notice.en}" if notice else ""
            case.note(workflow.now(), "untold", f"{role.value}: no channel took the notice before the case ended{said}")

    def resume(self) -> None:
        """Go on with the letters that an earlier run left on their way."""
        for letter in self._case.letters:
            if not letter.with_promise:
                self._start(letter)

    def _start(self, letter: Letter) -> None:
        self._beside.start(self._carry(letter))

    async def _carry(self, letter: Letter) -> None:
        # What the message says that has it sent is noted by now: who is named in it has no part in what comes of it.
        # And a letter may be on its way for days; the clocks that events start must not wait for it.
        update = self._takes_along[letter.purpose] = self._recorder.take(self._case.by_the_way)
        case = self._case
        stage, what = case.stage, letter.sort.name
        try:
            accepted = await self._faults.insist(
                spoken.said(f"{what.en} (letter {letter.number})", f"{what.zh}（第 {letter.number} 号函件）"),
                update,
                lambda: self._attempt(letter, update),
                failed=lambda: _failed(letter),
                rests_on=self._who_complains,
            )
        except GivenUp:
            self._takes_along.pop(letter.purpose, None)
            self._forget(letter)
            case.give_back(letter.facts)
            self._note_no_use(letter)
            return
        self._takes_along.pop(letter.purpose, None)
        if letter.then and case.stage is stage:
            case.enter(letter.then, accepted.at)
        self._forget(letter)
        self.accepted(letter, update, accepted)

    def accepted(self, letter: Letter, update: CaseUpdate, accepted: LetterAccepted) -> None:
        """A channel has accepted *letter*, and the file has the *update* that went with it."""
        case = self._case
        if not letter.sort.to_staff:  # nobody waits for those, and there may be any number
            case.delivered.append(letter.purpose)
            if letter.purpose == self.responding()[1]:
                case.told_at = case.told_at or accepted.at
            case.last_message = f"{_spoken(letter.kind)} letter, accepted by {accepted.channel} {_at(accepted.at)}"
        self._recorder.put(update, accepted.recorded)
        if accepted.in_doubt and not letter.sort.to_staff:
            self._doubt_address(letter)

    def _doubt_address(self, letter: Letter) -> None:
        """Staff are told that the address on file did not take a letter, which went by another way."""
        if self._case.address_in_doubt:
            return
        self._case.address_in_doubt = letter.number
        self._case.revision += 1
        self.tell_staff(
            Role.HANDLER,
            f"An address on file did not take letter {letter.number}, which went by another way: correct the address.",
            f"客户留存的地址未能收取第 {letter.number} 号函件，该函件已改由其他渠道寄送：请更正联系地址。",
        )

    def _who_complains(self) -> Identity | None:
        """Who complains by the case file, from which letters are written; None while it is to hear of another."""
        case = self._case
        return None if any(entry.kind in IDENTIFYING for entry in case.entries) else case.identity

    def _attempt(self, letter: Letter, update: CaseUpdate) -> Coroutine[Any, Any, LetterAccepted]:
        case = self._case
        if letter.failed:  # the date that it was to give may have passed
            letter.failed = False
            expected = expected_after_holding if letter.kind is LetterKind.HOLDING else expected_by
            if letter.kind is LetterKind.HOLDING or letter.facts.expected_by:
                letter.facts = letter.facts.model_copy(update={"expected_by": expected(case)})
        # What it was posted with may have gone on by now.
        return effects.send_letter(self.request(letter, case.checked(update)))

    def request(self, letter: Letter, update: CaseUpdate) -> SendLetter:
        """What is asked of whoever sends *letter*, with the *update* that goes along."""
        return SendLetter(
            key=f"{self._case.reference}:letter:{letter.purpose}",
            number=letter.number,
            kind=letter.kind,
            language=self._case.complaint.language if letter.sort.to_staff else self._case.language,
            facts=letter.facts,
            announces=letter.announces,
            update=update,
        )

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
