"""What every message carries."""

import hashlib
from typing import ClassVar

from domain.ground.base import Identifier, Record
from domain.ground.people import Actor


class Message(Record):
    """What every message carries: an id, so that a repeated send counts once, and who sent it."""

    name: ClassVar[str]
    message_id: Identifier
    actor: Actor

    @property
    def id_digest(self) -> str:
        """Of what kind it is and which id it has; ids are counted by kind."""
        return _digest(f"{self.name}:{self.message_id}")

    @property
    def content_digest(self) -> str:
        """Of all it says."""
        return _digest(self.model_dump_json(warnings=False))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
