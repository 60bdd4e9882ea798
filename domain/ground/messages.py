"""What every message carries, and how it counts once."""

import hashlib
from collections.abc import Mapping, MutableMapping
from typing import Annotated, Any, ClassVar, Final, TypeVar

from pydantic import Field

from domain.ground.base import Identifier, Record
from domain.ground.people import Actor

T = TypeVar("T")

MOST_HEARD: Final = 1_000
MOST_RECEIPTS: Final = 300


class NotAllowed(ValueError):
    """The actor may not send this, or not now. The message says who may, and when."""


class Message(Record):
    """What every message carries: an id, so that a repeated send counts once, and who sent it."""

    name: ClassVar[str]
    message_id: Identifier
    actor: Actor

    @property
    def key(self) -> str:
        """What its receipt is kept under."""
        return f"{self.name}:{self.message_id}"

    @property
    def body(self) -> dict[str, Any]:
        """What it says, as the timeline keeps it beside who said so."""
        return self.model_dump(mode="json", exclude={"actor"}, exclude_none=True)

    @property
    def id_digest(self) -> str:
        """Of what kind it is and which id it has; ids are counted by kind."""
        return _digest(self.key)

    @property
    def content_digest(self) -> str:
        """Of all it says."""
        return _digest(self.model_dump_json(warnings=False))

    @property
    def digest(self) -> str:
        """Names what it says, short enough to be typed: who decides on it has seen just that."""
        return self.content_digest[:12]


class OfAResponse(Message):
    """What is said of a final response. ``response`` is its number, where whoever says it saw just that one.

    Of one that another has taken the place of nothing counts that is said of it.
    """

    response: Annotated[int, Field(ge=1)] | None = None

    def check_of(self, standing: int | None) -> None:
        """Raise :class:`NotAllowed` where it is of another response than that of number *standing*."""
        if self.response in {None, standing}:
            return
        if standing is None:
            raise NotAllowed("response: the customer has no final response yet; leave it out")
        raise NotAllowed(f"response: final response {self.response} was followed by another, {standing}; read that one")


class Intended(Record):
    """A message as it would be sent, by its name: whoever asks is told whether it would be refused."""

    name: Identifier
    message: dict[str, Any]


class Refusal(Record):
    """Why a message would be refused as things stand; nothing where it would be taken."""

    why: str | None = None


def is_known(heard: Mapping[str, str], message: Message) -> bool:
    """Whether this very message was *heard*. Raises ``ValueError`` if its id was used for another one."""
    known = heard.get(message.id_digest)
    if known not in {None, message.content_digest}:
        raise ValueError(
            f"message_id: {message.message_id} was used for a {message.name} that said something else; "
            "give each message an id of its own"
        )
    return known is not None


def remember(memory: MutableMapping[str, T], key: str, value: T, most: int) -> None:
    """Keep *value* in the *memory* of the last, *most* of them."""
    memory[key] = value
    while len(memory) > most:
        del memory[next(iter(memory))]


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
