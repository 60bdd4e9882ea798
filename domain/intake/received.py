"""What was received: of which kind, under which key, and what became of it."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, NamedTuple, Self

from pydantic import StringConstraints, ValidationError

from domain.case.complaint import Complaint, explain
from domain.case.messages.evidence import Attachment
from domain.case.messages.handling import ChooseChannel, CorrectContact, RecordFeedback, Reopen, Withdraw
from domain.case.messages.signals import CustomerReply
from domain.ground.base import Identifier, Instant, Record, Text
from domain.ground.messages import Message
from domain.ground.people import Actor
from domain.people.actors import NotProven, Proofs


class Door(StrEnum):
    """The way something came in."""

    PAGES = "pages"
    API = "api"
    WEBHOOK = "webhook"
    MAIL = "mail"
    FILE = "file"
    DESK = "desk"
    """Somebody who works here typed it for the customer."""


class Kind(StrEnum):
    """What it is taken for."""

    COMPLAINT = "complaint"
    MESSAGE = "message"
    MAIL = "mail"
    """A message as it came by mail: what it is shows when it is dealt with."""
    NOTE = "note"
    """A note of the firm's own, kept for its files: the case is told of it by who wrote it."""


class Ending(StrEnum):
    """What became of it. There is no other way for anything to end."""

    CASE_OPENED = "case_opened"
    """It is a complaint, and its case was started."""
    ALREADY_KNOWN = "already_known"
    """It is a complaint that has a case."""
    ON_CASE = "on_case"
    """A case heard it."""
    REFUSED = "refused"
    """What it asks is not possible now, and the case said why."""
    CASE_CLOSED = "case_closed"
    """It came for a case that is closed."""
    KEPT = "kept"
    """It is kept with the case, which whoever wrote it tells of it."""
    AUTOMATIC = "automatic"
    """A program wrote it. It is kept, ends no clock and is not answered."""
    RETURNED = "returned"
    """It says that a letter of ours did not arrive, and the case knows."""
    UNPROVEN = "unproven"
    """It is for a case, and it is not proven that the customer wrote it: it waits until somebody vouches for that."""
    HELD = "held"
    """No program should decide what becomes of it, and it waits for a person."""
    UNREADABLE = "unreadable"
    """It cannot be understood, and waits for a person."""
    SET_ASIDE = "set_aside"
    """Dealing with it failed again and again, and it waits for a person."""

    @property
    def needs_a_person(self) -> bool:
        """Whether somebody has to look at it."""
        return self in FOR_PEOPLE


FOR_PEOPLE: Final = frozenset({
    *(Ending.REFUSED, Ending.CASE_CLOSED, Ending.UNPROVEN, Ending.HELD, Ending.UNREADABLE, Ending.SET_ASIDE),
})  # fmt: skip
"""Endings of what somebody has to look at."""

Key = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""What something received is kept under: the same for the same content by the same way."""


class Unreadable(ValueError):
    """What was received cannot be understood. The message says where, and quotes nothing of it."""


def key_of(door: Door, content: bytes) -> str:
    """The key of *content* that came by *door*."""
    return hashlib.sha256(door.value.encode() + b"\0" + content).hexdigest()[:32]


class DealAgain(Message):
    """Have what was received dealt with again: as something for that case, where a ``reference`` is given.

    ``vouched``: the actor says that the customer wrote it, or somebody who may speak for them. The key is what it is
    signed for.
    """

    name = "deal_again"
    reference: Identifier | None = None
    reason: Text
    vouched: bool = False


class Decision(NamedTuple):
    """What somebody decided about what was received, as the record has it."""

    key: str
    actor: str
    reference: str | None
    reason: str | None
    vouched: bool
    message_id: str | None
    token: str | None

    def is_founded(self, proofs: Proofs | None) -> bool:
        """Whether somebody of the staff is proven to have said so; believed where no signatures count."""
        if proofs is None:
            return True
        try:
            actor = Actor.named(self.actor)
            said = DealAgain.model_validate(
                {
                    "message_id": self.message_id,
                    "actor": actor,
                    "reference": self.reference,
                    "reason": self.reason,
                    "vouched": self.vouched,
                }
            )
            proofs.check_recorded(self.token, self.key, said)
        except (NotProven, ValueError):
            return False
        return actor.role.is_staff


class DealWith(Record):
    """The request of an activity: deal with what was received under this key."""

    key: Key


class File(NamedTuple):
    """A file that was made harmless: its *name* is a keyed hash, its *title* what the sender called it."""

    name: str
    title: str
    media_type: str
    sha256: str
    content: bytes

    @property
    def attachment(self) -> Attachment:
        """As a message for a case names it."""
        return Attachment(title=self.title, location=f"{LOCATION}{self.name}", sha256=self.sha256)


LOCATION: Final = "redress-file:"
"""How the location of an attachment begins that is a file of the intake; its name follows."""


def files_in(data: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The files of the intake that an entry of a timeline with this *data* names, as (name, title)."""
    named = ((str(one["location"]), str(one["title"])) for one in data.get("attachments") or ())
    return tuple((place.removeprefix(LOCATION), title) for place, title in named if place.startswith(LOCATION))


class Dealt(Record):
    """What became of it, of which case, and why."""

    ending: Ending
    reference: Identifier | None = None
    reason: str | None = None


BY_CUSTOMERS: Final[tuple[type[Message], ...]] = (
    *(CustomerReply, RecordFeedback, CorrectContact, ChooseChannel, Reopen, Withdraw),
)
"""What a customer may say to their case."""


class Said(Record):
    """A message for a case, as it waits to be delivered."""

    reference: Identifier
    name: Identifier
    message: dict[str, Any]
    proven: bool = True
    """Whether it is known that the customer says it."""

    @classmethod
    def of(cls, reference: str, message: Message) -> Self:
        """*message* for the case *reference*."""
        return cls(reference=reference, name=message.name, message=message.model_dump(mode="json", exclude_none=True))


def happened(complaint: Complaint, place: str, column: str, now: datetime) -> Complaint | Unreadable:
    """*complaint*, which stands at *place* of a file, unless what its *column* says of the time cannot be."""
    try:
        complaint.check_times(now)
    except ValueError as error:
        _, _, why = str(error).partition(": ")
        return Unreadable(f"{place}: {column}: {why}")
    return complaint


def complaint_in(content: bytes, received_at: Instant) -> Complaint:
    """The complaint in *content*, JSON that says all but when it was received. Raises `Unreadable`."""
    try:
        fields = _Fields.model_validate_json(b'{"fields":' + content + b"}").fields
        return Complaint.model_validate({**fields, "received_at": received_at})
    except ValidationError as error:
        raise Unreadable(explain(error)) from None


def message_in(content: bytes) -> tuple[str, Message, bool]:
    """The reference and the message in *content*, JSON of a `Said`, and whether it is proven. Raises `Unreadable`."""
    try:
        said = Said.model_validate_json(content)
        kind = next((each for each in BY_CUSTOMERS if each.name == said.name), None)
        if kind is None:
            raise Unreadable("name: it is no message that a customer sends")
        return said.reference, kind.model_validate(said.message), said.proven
    except ValidationError as error:
        raise Unreadable(explain(error)) from None


class _Fields(Record):
    fields: dict[str, Any]
