"""An incident and its parts, wired: what the life goes by, and what messages act on."""

from typing import Any

from temporalio import workflow

from domain.ground.messages import Message, NotAllowed
from domain.ground.people import SYSTEM
from domain.incidents.messages import IncidentReceipt
from domain.incidents.state import Incident
from domain.people.actors import SPOKEN_WITH
from workflows import effects
from workflows.incident_page import page
from workflows.parts.beside import Beside
from workflows.parts.display import Display
from workflows.parts.hearing import Gate
from workflows.parts.member_post import MemberPost
from workflows.parts.member_till import MemberTill
from workflows.parts.recorder import Recorder
from workflows.parts.waiting import Waiting
from workflows.search_attributes import INCIDENT


class IncidentWork:
    """One incident and what keeps it going. ``incident`` is all of its state; the rest can be lost at any time."""

    def __init__(self, incident: Incident, beside: Beside) -> None:
        self.incident, self.beside = incident, beside
        self.recorder = Recorder(incident, effects.record_incident, lambda update, _: incident.recorded(update))
        self.waiting = Waiting()
        self.display = Display(
            lambda: {INCIDENT: [incident.reference]},
            lambda: page(incident, self.waiting.what),
            lambda: (incident.revision, self.waiting.what),
        )
        self.till = MemberTill(incident, beside)
        self.post = MemberPost(incident, beside)

    def start(self) -> None:
        """Start what runs beside the life, and go on with what an earlier run left under way."""
        self.display.show()
        self.beside.start(self.recorder.keep())
        self.beside.start(self.display.keep())
        self.till.resume()
        self.beside.start(self.post.keep())

    def note(self, kind: str, text: str, data: dict[str, Any] | None = None) -> None:
        """Add a line to the timeline, of what happened by itself or, at the opening, by who opened it."""
        actor = self.incident.new.opened_by if kind == "opened" else SYSTEM
        self.incident.note(workflow.now(), kind, text, actor, data)

    # -- what its messages ask ----------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether the incident is written down."""
        return bool(self.incident.policy_hash)

    def admit(self, gate: Gate, message: Message) -> None:
        """Raise :class:`NotAllowed` unless *message* may pass the *gate* now."""
        stage = self.incident.stage
        if stage.ended:
            raise NotAllowed(f"{message.name}: the incident is {stage.value}")
        if gate.stages and stage not in gate.stages:
            allowed = ", ".join(one.value for one in type(stage) if one in gate.stages)
            raise NotAllowed(f"{message.name}: the incident is at stage {stage.value}; this is possible at {allowed}")
        if gate.staff and not message.actor.role.is_staff:
            raise NotAllowed(f"actor: role {message.actor.role.value} may not send {message.name}; staff may")

    def knows(self, message: Message) -> bool:
        """Whether it was heard before. Raises ``ValueError`` if its id was used for another one."""
        return self.incident.knows(message)

    def hear(self, message: Message) -> None:
        """Remember it."""
        self.incident.hear(message)

    def receipt(self, message: Message) -> IncidentReceipt | None:
        """What it was answered."""
        return self.incident.receipts.get(message.key)

    def confirm(self, message: Message, noted: str) -> IncidentReceipt:
        """Write down what it did, and what it is answered."""
        return self.incident.confirm(message, noted, workflow.now(), token=SPOKEN_WITH.get())
