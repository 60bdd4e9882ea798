"""A case and its parts, wired: what the life goes by, and what messages act on."""

from typing import Any

from temporalio import workflow

from domain.case.answers import Proposal, Status
from domain.case.approval import OF_A_ROUND
from domain.case.case import Case
from domain.case.clocks import count_as_urgent, has_recorded
from domain.case.file import CaseUpdate, Recorded
from domain.case.identity import IDENTIFIED, entry_data
from domain.case.messages.deciding import ProposeDraft, ProposeResolution
from domain.case.messages.table import Receipt
from domain.case.payments import payment_spoken
from domain.case.two_persons import approvers, second_person_because
from domain.ground import spoken
from domain.ground.messages import Message, NotAllowed
from domain.ground.people import SYSTEM, Actor
from domain.ground.timeline import Entry
from domain.ground.words import CaseEvent, Role, Stage
from domain.people.actors import SPOKEN_WITH
from domain.people.guidance import ALARM
from domain.people.matching import Ground, Identity, IdentityState
from workflows import effects
from workflows.page import page
from workflows.parts.beside import Beside
from workflows.parts.clock_keeper import ClockKeeper
from workflows.parts.display import Display
from workflows.parts.drafting import Drafting
from workflows.parts.faults import Faults
from workflows.parts.hearing import Gate
from workflows.parts.inquiry import Inquiry
from workflows.parts.ladder import Ladder
from workflows.parts.post import Post
from workflows.parts.promising import Promising
from workflows.parts.recorder import Recorder
from workflows.parts.remedying import Remedies
from workflows.parts.rungs import Rungs
from workflows.parts.tasks import Tasks
from workflows.parts.till import Till
from workflows.parts.waiting import Waiting
from workflows.search_attributes import attributes


class Casework:
    """One case and what keeps it going. ``case`` is all of its state; the rest can be lost at any time."""

    def __init__(self, case: Case, beside: Beside) -> None:
        self.case, self.beside = case, beside
        self.recorder = Recorder(case, effects.record, self._known)
        self.waiting = Waiting(self.is_diverted)
        self.display = Display(
            lambda: attributes(case),
            lambda: page(case, self.waiting.what),
            lambda: (case.revision, self.waiting.what),
            lambda: self.recorder.waits,
        )
        # A letter that fails climbs the ladder, and whom that reaches is told by letter.
        self.ladder = Ladder(case, lambda *notice: self.post.tell_staff(*notice))  # noqa: PLW0108, there is no post yet
        self.faults = Faults(case, self.recorder, self.ladder)
        self.post = Post(case, beside, self.recorder, self.waiting, self.faults)
        self.remedies = Remedies(case, self.waiting, self.post)
        self.tasks = Tasks(case, self.post)
        self.rungs = Rungs(case, beside, self.post, self.ladder, self.remedies, self.tasks)
        self.clocks = ClockKeeper(case, self.recorder, self.waiting, self.rungs)
        self.drafting = Drafting(case, self.post)
        self.promising = Promising(case, self.recorder, self.post, self.faults)
        self.inquiry = Inquiry(case, self.recorder, self.waiting, self.post, self.faults)
        self.till = Till(
            case, beside, self.recorder, self.waiting, post=self.post, ladder=self.ladder, faults=self.faults
        )

    def start(self) -> None:
        """Start what runs beside the life, and go on with what an earlier run left under way."""
        self.beside.start(self.recorder.keep())
        self.beside.start(self.display.keep())
        self.beside.start(self.remedies.keep())
        self.beside.start(self.tasks.keep())
        self.post.resume()
        self.rungs.resume()
        self.till.resume()

    @property
    def status(self) -> Status:
        """Where the case stands, for who asks."""
        case = self.case
        draft = case.draft if case.draft and case.draft.outcome else None
        proposal = case.proposal or (draft.proposed(SYSTEM, case.stage_since) if draft else None)
        return Status(
            reference=case.reference,
            policy=f"{case.policy.id}@{case.policy.version}" if case.policy else None,
            summary=case.summary,
            waiting_for=self.waiting.what,
            letters_on_their_way=tuple(letter.kind.value for letter in case.letters),
            proposal=proposal.spoken if proposal else None,
            proposal_digest=case.proposal.digest or None if case.proposal else None,
            draft=draft.digest if draft and case.proposal is None else None,
            payment=payment_spoken(case),
        )

    def is_diverted(self) -> bool:
        """Whether the ordinary life of the complaint is over: withdrawn, or not ours."""
        case = self.case
        if case.stage is Stage.CLOSED:
            return False
        return case.withdrawn or case.referred

    def enter(self, stage: Stage) -> None:
        """Go on to *stage*."""
        self.case.enter(stage, workflow.now())
        workflow.logger.info("stage entered", extra={"stage": stage.value})

    def go_on(self) -> None:
        """The closed case goes on: something of it is before an outside body. Its own decision stands meanwhile."""
        case = self.case
        case.closed_at, case.window_over = None, True
        case.withdrawn, case.referred = False, False
        self.enter(Stage.FOLLOWING_UP)

    def reopen(self, by: Actor = SYSTEM) -> None:
        """Have the case taken up again."""
        self.case.to_investigate = True
        self.case.happened(CaseEvent.REOPENED, workflow.now())
        self.ladder.climb(spoken.said("the case was reopened", "案件重新处理"), by)

    def alarm(self) -> None:
        """Tell somebody of danger to life, at once and once."""
        case = self.case
        if case.care.alarm and not case.alarmed:
            case.alarmed = True
            for role in dict.fromkeys((Role.HANDLER, case.pack.escalation[0].role)):
                self.post.tell_staff(role, ALARM.en, ALARM.zh)

    def doubt_address(self) -> tuple[Entry, ...]:
        """Letters go to another address from now on, which proves nothing. Returns the entries that say so."""
        case = self.case
        if not case.identity.verified:
            return ()
        because = (Ground.ADDRESS_CHANGED,)
        case.identity = Identity(state=IdentityState.OPEN, because=because, at=workflow.now())
        case.note(workflow.now(), IDENTIFIED, case.identity.spoken.en, data=entry_data(case.identity))
        self.ask_who_complains()
        return (case.entries[-1],)

    def ask_who_complains(self) -> None:
        """Tell whoever has the case that it is to be found out who complains."""
        if not self.case.identity.verified:
            told = self.case.identity.spoken
            en = f"Find out who complains ({told.en}): redress customer verify {self.case.reference}"
            zh = f"请核实投诉人身份（{told.zh}）：redress customer verify {self.case.reference}"
            self.post.tell_staff(Role.HANDLER, en, zh)

    def _known(self, update: CaseUpdate, recorded: Recorded) -> None:
        self.clocks.let_act(has_recorded(self.case, update, recorded))
        count_as_urgent(self.case, workflow.now())
        self.alarm()

    # -- what its messages ask ----------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether the case file is open."""
        return self.case.policy is not None

    def admit(self, gate: Gate, message: Message) -> None:
        """Raise :class:`NotAllowed` unless *message* may pass the *gate* now."""
        case, stage = self.case, self.case.stage
        goes_on = gate.though_closed if stage is Stage.CLOSED else gate.though_withdrawn or not case.withdrawn
        if not goes_on and not (gate.while_letters_wait and case.letters):
            raise NotAllowed(f"{message.name}: the case is closed")
        if gate.stages and stage not in gate.stages:
            allowed = ", ".join(one.value for one in Stage if one in gate.stages)
            raise NotAllowed(f"{message.name}: the case is at stage {stage.value}; this is possible at {allowed}")
        if gate.staff and not message.actor.role.is_staff:
            raise NotAllowed(f"actor: role {message.actor.role.value} may not send {message.name}; staff may")
        if message.actor.person in case.kept_out:
            raise NotAllowed(f"actor: {message.actor} is kept out of this case; somebody else has to do it")

    def knows(self, message: Message) -> bool:
        """Whether it was heard before. Raises ``ValueError`` if its id was used for another one."""
        return self.case.knows(message)

    def hear(self, message: Message) -> None:
        """Remember it."""
        self.case.hear(message)

    def receipt(self, message: Message) -> Receipt | None:
        """What it was answered."""
        return self.case.receipts.get(message.key)

    def confirm(self, message: Message, noted: str) -> Receipt:
        """Write down what it did, and what it is answered."""
        # Money rests on what is noted here: of which round it was must stand there.
        proposes = isinstance(message, (ProposeDraft, ProposeResolution))
        of: dict[str, Any] = {"round": self.case.rounds} if proposes or message.name in OF_A_ROUND else {}
        if self.case.proposal and proposes:
            of |= _approval_needed(self.case, self.case.proposal)
        if self.case.proposal and isinstance(message, ProposeDraft):
            of |= self.case.proposal.model_dump(mode="json", include={"outcome", "compensation", "remedies"})
        return self.case.confirm(message, noted, workflow.now(), token=SPOKEN_WITH.get(), **of)


def _approval_needed(case: Case, proposal: Proposal) -> dict[str, Any]:
    """What is noted of *proposal* beside the message, where it needs a second person: who may be it, and why."""
    if not (second := second_person_because(case, proposal)):
        return {}
    roles = [role.value for role in approvers(case, proposal)]
    return {"second_person": list(second), "approvers": roles}
