"""What a rung of a clock can do, one row each: what it is for, what its rung needs, and what no pack can be without.

The workflow of a complaint carries an action out. Tests tie each row to that and to the documentation of the packs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from domain.ground.words import Action, CaseEvent


@dataclass(frozen=True, kw_only=True)
class ActionRow:
    """An action of a clock."""

    does: str
    """What happens, for people who write packs; begins with a verb."""
    goes_with: Literal["level", "letter"] | None = None
    """The field of a rung that this action needs, and that no other action takes."""
    at_the_end: bool = False
    """Only at the end of its clock, at no time of day but that."""
    in_time: str | None = None
    """What it is called, where it is of use before the end of its clock only."""
    demanded_on: CaseEvent | None = None
    """A pack is refused without a clock started by this that does it: a case could wait for ever, a duty go unseen."""
    lacking: str | None = None
    """What a case is the poorer without, if no clock does it."""


ACTIONS: Final[Mapping[Action, ActionRow]] = {
    Action.WARN: ActionRow(
        does="tells the handler, or else the team, that the deadline is near",
        in_time="the warning",
    ),
    Action.BREACH: ActionRow(
        does="records that the deadline was missed, for ever",
        at_the_end=True,
        demanded_on=CaseEvent.RECEIVED,
    ),
    Action.ESCALATE: ActionRow(does="raises the case to the rung's `level` and tells that level", goes_with="level"),
    Action.PROGRESS_LETTER: ActionRow(
        does="tells the customer how far the case is",
        lacking="the customer will not be told of progress",
    ),
    Action.OVERDUE_LETTER: ActionRow(does="apologises to the customer, with a new date"),
    Action.HOLDING_LETTER: ActionRow(
        does="tells the customer, by the rule named in the rung's `letter`, that more time is needed; where every date "
        'that was told has passed, it gives the end of a clock that it starts itself (`trigger = "held"`)',
        goes_with="letter",
        in_time="the holding letter",
    ),
    Action.REMINDER_LETTER: ActionRow(does="reminds the customer of what was asked", in_time="the reminder"),
    Action.STOP_WAITING: ActionRow(
        does="goes on without what the customer was asked for",
        demanded_on=CaseEvent.INFORMATION_REQUESTED,
    ),
    Action.END_RELIEF: ActionRow(
        does="ends temporary relief, and has its owner lift it or people grant it again",
        at_the_end=True,
    ),
    Action.REMIND_OWNER: ActionRow(does="reminds whoever has the task that this clock keeps"),
    Action.TASK_OVERDUE: ActionRow(
        does="says that the task is overdue, tells its owner, and starts the clocks with the trigger `task_overdue`",
        at_the_end=True,
    ),
    Action.RAISE_TASK: ActionRow(does="gives the task to a named person one level up the ladder, and tells them"),
    Action.ACCEPT_SILENCE: ActionRow(
        does="takes the customer's silence as no objection to the final response",
        demanded_on=CaseEvent.RESPONDED,
    ),
    Action.ASK_FEEDBACK: ActionRow(
        does="asks the customer how satisfied they are",
        lacking="nobody will ask the customer how satisfied they are",
    ),
    Action.CLOSE: ActionRow(does="ends the time in which the case can be reopened", demanded_on=CaseEvent.SETTLED),
}
