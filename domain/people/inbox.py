"""The inbox: what is on somebody's desk, and the one next thing to do about each case."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, Literal, assert_never

from domain.ground.base import Instant, Record
from domain.ground.words import Category, Priority, Stage


class Standing(Record):
    """Where an open case stands, as far as it decides what is to be done next.

    ``asked``: the customer has been asked and has not answered; ``proposed``: a proposal waits for a decision;
    ``unpaid``: an award was posted that a payment rail has still to pay; ``breached``: a duty was missed before;
    ``repeat``: the customer complained of the same matter before.
    """

    reference: str
    stage: Stage
    category: Category | None
    priority: Priority | None
    team: str | None
    handler: str | None
    next_duty: Instant | None
    asked: bool = False
    proposed: bool = False
    unpaid: bool = False
    breached: bool = False
    repeat: bool = False


class NextStep(StrEnum):
    """The one next thing to do about a case. What begins with *wait* is somebody else's turn."""

    TAKE = "give it to somebody"
    DECIDE = "approve or return the proposal"
    INVESTIGATE = "look at the findings; ask, investigate further or propose"
    PROPOSE = "propose a resolution"
    HAND_ON = "give it to somebody who has passed what it takes"
    SEE_PAID = "see that the award is paid"
    SEE_CARRIED_OUT = "see that what was promised is carried out"
    WAIT_ACKNOWLEDGED = "wait for the acknowledgement to be accepted"
    WAIT_CUSTOMER = "wait for the customer's answer to what was asked"
    WAIT_HANDLER = "wait for whoever has the case to propose"
    WAIT_DECISION = "wait for the decision on the proposal"
    WAIT_RESPONSE = "wait for the customer's answer to the final response"
    WAIT_FOLLOW_UP = "wait for the end of the follow-up"


COMMANDS: Final[dict[NextStep, str]] = {
    NextStep.TAKE: "assign {0} HANDLER",
    NextStep.DECIDE: "show {0}",
    NextStep.INVESTIGATE: "show {0}",
    NextStep.PROPOSE: "propose {0}",
    NextStep.HAND_ON: "assign {0} HANDLER",
    NextStep.SEE_PAID: "pay show {0}",
    NextStep.SEE_CARRIED_OUT: "show {0}",
}
"""The command by which each is done, or that shows what is to be looked at before; with a place for the reference."""


class Item(Record):
    """A case in a list of somebody: ``why`` it is there, and what is to be done next.

    ``lacking`` are the courses without which they may not propose.
    """

    why: Literal["mine", "waiting for me", "my team's", "another's"]
    case: Standing
    step: NextStep
    lacking: tuple[str, ...] = ()

    @property
    def command(self) -> str | None:
        form = COMMANDS.get(self.step)
        return form and form.format(self.case.reference)


def next_step(case: Standing, *, decides: bool, has_it: bool = True, trained: bool = True) -> NextStep:
    """What is to be done next about *case*, by somebody who may, or may not, decide its proposal.

    Who proposes *has it*, or nobody named has, and is *trained* for it.
    """
    if case.handler is None and not case.proposed:
        return NextStep.TAKE
    match case.stage:
        case Stage.RECEIVED | Stage.ACKNOWLEDGED:
            return NextStep.WAIT_ACKNOWLEDGED
        case Stage.INVESTIGATING | Stage.DECIDING:
            if case.proposed:
                return NextStep.DECIDE if decides else NextStep.WAIT_DECISION
            if case.asked:
                return NextStep.WAIT_CUSTOMER
            if case.stage is Stage.DECIDING and not has_it:
                return NextStep.WAIT_HANDLER
            if not trained:
                return NextStep.HAND_ON
            return NextStep.PROPOSE if case.stage is Stage.DECIDING else NextStep.INVESTIGATE
        case Stage.RESPONDED:
            return NextStep.WAIT_RESPONSE
        case Stage.SETTLING:
            return NextStep.SEE_PAID if case.unpaid else NextStep.SEE_CARRIED_OUT
        case Stage.FOLLOWING_UP | Stage.CLOSED:
            return NextStep.SEE_PAID if case.unpaid else NextStep.WAIT_FOLLOW_UP
    assert_never(case.stage)


def in_order(items: Iterable[Item]) -> list[Item]:
    """Who complains of the same matter again first, then by next duty; of those without one by priority."""
    return sorted(
        items,
        key=lambda item: (
            not item.case.repeat,
            item.case.next_duty is None,
            item.case.next_duty.timestamp() if item.case.next_duty else 0.0,
            item.case.priority or "",
            item.case.reference,
        ),
    )
