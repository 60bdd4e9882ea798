"""Kinds of tasks: what is true of each, and what a case keeps of one that is open."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from domain.case.messages.deciding import ProposeResolution
from domain.case.messages.handling import CorrectContact, VerifyComplainant
from domain.case.messages.putting_right import ConfirmRemedy
from domain.ground.base import Instant, Line, Record, StaffId
from domain.ground.bilingual import Bilingual
from domain.ground.spoken import said
from domain.ground.words import Role, TaskKind


@dataclass(frozen=True, kw_only=True)
class TaskRow:
    """What is true of every task of a kind."""

    does: Bilingual
    """What is to be done, for who has to do it."""
    role: Role
    """Who does it, where neither a person nor the pack says otherwise."""
    ends_by: str | None = None
    """The message that ends it, where saying that it is done is not enough."""
    command: str = "task done {0} {1}"
    """The command that is the next step, with places for the reference and the number."""


TASKS: Final[Mapping[TaskKind, TaskRow]] = {
    TaskKind.VERIFY: TaskRow(
        does=said("find out who complains", "核实投诉人身份"),
        role=Role.HANDLER,
        ends_by=VerifyComplainant.name,
        command="customer verify {0}",
    ),
    TaskKind.CONSULT: TaskRow(
        does=said("have an expert or the lawyers look", "征询专家或法务意见"), role=Role.TEAM_LEAD
    ),
    TaskKind.CALL_BACK: TaskRow(does=said("call the customer", "致电客户"), role=Role.HANDLER),
    TaskKind.CONFIRM_REMEDY: TaskRow(
        does=said("see that a remedy is carried out", "落实补救措施"),
        role=Role.HANDLER,
        ends_by=ConfirmRemedy.name,
        command="remedy list {0}",
    ),
    TaskKind.REVIEW: TaskRow(does=said("review", "复核"), role=Role.TEAM_LEAD),
    TaskKind.RESTRICTION: TaskRow(
        does=said("say whether contact with the customer stays restricted", "复核对客户的联系限制"),
        role=Role.COMPLIANCE_OFFICER,
        command="restriction list {0}",
    ),
    TaskKind.DECIDE: TaskRow(
        does=said("look at what no rule could decide", "处理规则未能决定的事项"),
        role=Role.HANDLER,
        ends_by=ProposeResolution.name,
        command="show {0}",
    ),
    TaskKind.ANSWER: TaskRow(
        does=said("read what the customer wrote, and answer", "阅看客户来信并答复"), role=Role.HANDLER
    ),
    TaskKind.ADDRESS: TaskRow(
        does=said("correct the customer's address: a letter did not arrive", "更正客户联系地址：有信件未能送达"),
        role=Role.HANDLER,
        ends_by=CorrectContact.name,
        command="contact {0}",
    ),
}


class Task(Record):
    """A task that is open. ``number`` is that of the event with which it began, and names it.

    ``role`` is who does it; ``owner`` who has it, where somebody named has; ``named`` whether a person chose them.
    ``because`` names the condition for which the service gave it; ``level`` is where on the ladder it was raised to.
    ``was_for`` is for whom it was before that. ``due`` is when its clock ends, once the case file has planned it.
    """

    number: int
    kind: TaskKind
    role: Role
    since: Instant
    by: str
    owner: StaffId | None = None
    named: bool = False
    what: Line | None = None
    because: str | None = None
    level: int = 0
    was_for: Role | None = None
    due: Instant | None = None
    overdue: bool = False

    @property
    def spoken(self) -> str:
        """In a few words, without what anybody wrote."""
        return f"{self.number}: {TASKS[self.kind].does.en}"
