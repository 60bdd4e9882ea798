"""What is told by webhook: a complaint or something for a case, by forms, apps, chat and phone systems; a remedy that
was carried out, by the firm's own.
"""

import hashlib
from typing import Annotated, Any, Literal

from pydantic import Field

from domain.case.complaint import Complaint
from domain.case.messages.putting_right import ConfirmRemedy
from domain.case.messages.signals import CustomerReply
from domain.ground.base import LONG_TEXT, Instant, Line, Record, Text
from domain.ground.people import Actor
from domain.ground.words import Remedy, Role


class Spoken(Record):
    """What somebody said in a conversation, and ``who``: the customer, somebody of the firm, or a program of it."""

    who: Literal["customer", "staff", "program"]
    text: Text
    at: Instant | None = None


class ToldReply(Record):
    """Something for the case ``reference``. ``proven``: the system that sends it signed the customer in."""

    reference: Line
    text: Annotated[str | None, Field(max_length=LONG_TEXT)] = None
    transcript: Annotated[tuple[Spoken, ...], Field(max_length=1_000)] = ()
    proven: bool = False


class ToldProgress(Record):
    """A customer asks how far the case ``reference`` is. ``proven``: the system that asks signed the customer in."""

    reference: Line
    language: Literal["en", "zh-CN"] = "en"
    proven: bool = False


class Told(Record):
    """What a webhook says. The ``data`` of a ``complaint`` are those of one, but who sent it and when it came.

    A ``transcript``, a list of what was `Spoken`, may stand in place of the description or text.
    """

    type: Literal["complaint", "reply", "progress"]
    timestamp: Instant | None = None
    data: dict[str, Any]


class ToldRemedy(Record):
    """A remedy of the case ``reference`` was carried out: its number, of which kind it is, and what shows it."""

    reference: Line
    remedy: Annotated[int, Field(ge=1)]
    kind: Remedy
    proof: Line


class RemedyTold(Record):
    """What a webhook of a system of the firm says."""

    type: Literal["remedy"]
    timestamp: Instant | None = None
    data: ToldRemedy

    def message(self, source: str, key: str) -> ConfirmRemedy:
        """It as the case hears it, from *source*, which told it under its own *key*."""
        by = Actor(id=source, role=Role.SERVICE)
        said = self.data.model_dump(exclude={"reference"})
        return ConfirmRemedy(message_id=_identity(source, key), actor=by, **said)


class _Conversation(Record):
    transcript: Annotated[tuple[Spoken, ...], Field(min_length=1, max_length=1_000)]


def complaint_told(told: Told, source: str, key: str, at: Instant) -> Complaint:
    """The complaint that *source* told under its own *key*. Raises ``pydantic.ValidationError``."""
    fields = dict(told.data)
    if "transcript" in fields and "description" not in fields:
        conversation = _Conversation.model_validate({"transcript": fields.pop("transcript")})
        fields["description"] = written(conversation.transcript)
    return Complaint.model_validate({**fields, "source": source, "idempotency_key": key, "received_at": at})


def reply_told(told: Told, source: str, key: str, by: Actor) -> tuple[ToldReply, CustomerReply]:
    """What is for a case, as it was told and as the case hears it. Raises ``pydantic.ValidationError``."""
    reply = ToldReply.model_validate(told.data)
    text = reply.text or written(reply.transcript) or None
    return reply, CustomerReply(message_id=_identity(source, key), actor=by, text=text)


def _identity(source: str, key: str) -> str:
    return hashlib.sha256(f"{source}\n{key}".encode()).hexdigest()[:32]


def written(transcript: tuple[Spoken, ...]) -> str:
    """A conversation as text: what the customer said as it is, others with who they are; of a long one the end."""
    lines = [one.text if one.who == "customer" else f"[{one.who}] {one.text}" for one in transcript]
    text = "\n".join(lines)
    return text if len(text) <= LONG_TEXT else "…" + text[-(LONG_TEXT - 1) :]
