"""Updates about what is owed beside money, and about temporary relief."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from domain.case.reasons import is_said
from domain.ground.base import Instant, Line, StaffId, Text
from domain.ground.messages import Message
from domain.ground.words import Remedy


class GrantRelief(Message):
    """Grant temporary relief while the case is looked into: what is held or lifted, by whom, and until when.

    It is to be put in place (``confirm_remedy``) and ends at ``until``, or when the case is settled.
    """

    name = "grant_relief"
    kind: Literal[Remedy.UNFREEZE, Remedy.SERVICE, Remedy.OTHER] = Remedy.OTHER
    what: Line
    until: Instant
    owner: StaffId | None = None


class ConfirmRemedy(Message):
    """Say that a remedy was carried out, and what shows it; or, ``lapsed``, why it is owed no longer.

    ``remedy`` is its number, and ``kind``, where it is given, must be that of the remedy. The last takes back what was
    promised: it needs a team lead or a higher role, who neither proposed it nor has it to do, and reasons. Who works
    here says in a sentence what shows it; a system may give the number of its booking.
    """

    name = "confirm_remedy"
    remedy: Annotated[int, Field(ge=1)]
    kind: Remedy | None = None
    proof: Line
    lapsed: bool = False

    @model_validator(mode="after")
    def _has_reasons(self) -> Self:
        if self.lapsed and not is_said(self.proof):
            raise ValueError("proof: one word is no reason; say in a sentence why it is owed no longer")
        if self.actor.role.is_staff and not is_said(self.proof):
            raise ValueError("proof: one word shows nothing; say in a sentence what shows that it was carried out")
        return self


class ReassignRemedy(Message):
    """Give a remedy to somebody else. ``remedy`` is its number."""

    name = "reassign_remedy"
    remedy: Annotated[int, Field(ge=1)]
    owner: StaffId
    reason: Text | None = None
