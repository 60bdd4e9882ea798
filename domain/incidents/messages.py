"""The messages an incident takes, each with its name on the wire, and what it tells its complaints."""

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from domain.checks.findings import Check
from domain.ground.base import Identifier, Instant, Record, Text
from domain.ground.messages import Message
from domain.ground.words import IncidentStage
from domain.keys.public import Readable


class DecideIncident(Message):
    """Approve the list as a whole, send it back to be listed again, or dismiss the incident.

    ``cohort`` is the hash of the list that the actor has seen; another list is not approved.
    """

    name: ClassVar[str] = "decide_incident"
    decision: Literal["approve", "relist", "dismiss"]
    cohort: Annotated[str, Field(pattern=r"^[0-9a-f]{12,64}$")] | None = None
    reasons: Text | None = None

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.decision == "approve" and not self.cohort:
            raise ValueError("cohort: give the hash of the list that is approved")
        if self.decision != "approve" and not self.reasons:
            raise ValueError("reasons: they are needed for this decision")
        return self


class PauseIncident(Message):
    """Stop compensating after the accounts in hand."""

    name: ClassVar[str] = "pause_incident"
    reason: Text


class ResumeIncident(Message):
    """Go on compensating, at another rate if one is given."""

    name: ClassVar[str] = "resume_incident"
    per_minute: Annotated[int, Field(ge=1, le=6_000)] | None = None


class RetryMember(Message):
    """Try once more to compensate an account that failed, after what stood in the way was put right.

    ``leave`` leaves it to people instead, with the reason; the incident then closes without it.
    """

    name: ClassVar[str] = "retry_member"
    account: Identifier
    leave: Text | None = None


INCIDENT_UPDATES: Final[tuple[type[Message], ...]] = (DecideIncident, PauseIncident, ResumeIncident, RetryMember)


class IncidentReceipt(Record, Readable):
    """The answer to an update: the message counted, and where the incident stands now."""

    message_id: Identifier
    reference: str
    stage: IncidentStage
    noted: str
    at: Instant


class IncidentChanged(Message):
    """Told to complaints that are about an incident: it stands at ``stage`` now.

    ``checks`` are those that tell what the fault did; a complaint of any category is investigated by them.
    """

    name: ClassVar[str] = "incident_changed"
    incident: Identifier
    stage: IncidentStage
    checks: Annotated[tuple[Check, ...], Field(max_length=len(Check))] = ()
